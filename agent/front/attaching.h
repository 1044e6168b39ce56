/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An attach that may have to pause, for whoever waits for it: a process that forks
 * faster than it is moved is tried again between others' calls, and who is moved is to
 * be on the CPUs of his group before it is answered. When nobody waits any more, what
 * was moved by half is moved on all the same.
 */
#ifndef GRP_FRONT_ATTACHING_H
#define GRP_FRONT_ATTACHING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/core.h"
#include "core/file.h"
#include "grp/abi.h"

struct grp_agent;

/* Between two tries, or two looks; the process runs meanwhile. */
#define GRP_ATTACHING_PAUSE_USEC 1000

/* Zeroed, then filled in: groups, and either from or id. */
struct grp_attaching {
	uint32_t groups[GRP_HIERARCHIES_MAX]; /* ids: others may remove one between two tries */
	size_t n_groups;
	uint32_t from; /* id of the group whose members are moved; 0: the task's */
	struct grp_task_id id;
	unsigned int moved; /* threads */
	uint64_t ticket; /* placement of those */
	bool half; /* some were moved, others not yet: */
	struct grp_journal record;
};

/* grp_attaching_add() - a group to be entered; one of a hierarchy. */
void grp_attaching_add(struct grp_attaching *attaching, const struct grp_group *group);

/**
 * grp_attaching_file() - what a write to a file of members has begun (-EAGAIN).
 * @attaching: filled in. Return: 0; as grp_file_parse_member().
 */
int grp_attaching_file(const struct grp_file_access *access, const char *file, const char *text,
		       struct grp_attaching *attaching);

/**
 * grp_attaching_try() - once.
 * Return: as grp_attach(), -EAGAIN: again after a pause; -ENOENT: a group was removed.
 */
int grp_attaching_try(struct grp_attaching *attaching, struct grp_agent *agent,
		      const struct grp_caller *caller, struct grp_error *error);

/**
 * grp_attaching_each() - as grp_attach_each(), into the groups; from and id are not looked at.
 * What is moved by half goes on, whether the caller comes to it or not.
 * Return: as that; -ENOENT: a group was removed.
 */
int grp_attaching_each(struct grp_attaching *attaching, struct grp_agent *agent,
		       const struct grp_caller *caller, const pid_t *tids, size_t n, bool whole,
		       bool *ret_done);

/*
 * grp_attaching_leave() - nobody waits for it any more; what was moved by half goes on
 * as long as anybody would have waited. Nothing begun is fine.
 */
void grp_attaching_leave(struct grp_attaching *attaching, struct grp_agent *agent);

/* grp_attachings_start() - goes on with what a killed agent has left. -ENOMEM; -errno. */
int grp_attachings_start(struct grp_agent *agent);

/* grp_attachings_free() - the next start goes on. */
void grp_attachings_free(struct grp_agent *agent);

#endif
