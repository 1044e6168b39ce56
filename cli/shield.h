/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A shield: a group of CPUs that are kept free of everything but what is put there
 * on purpose, and a group with the other CPUs for all the rest. Both stand in a
 * group of the hierarchy that has cpuset, as a rule its root. Everything here is
 * calls that a user could make himself; how words and options become them, and what
 * is printed at the end, is in cmd_shield.c.
 */
#ifndef GRP_CLI_SHIELD_H
#define GRP_CLI_SHIELD_H

#include <jansson.h>
#include <stdbool.h>

#include "ctl.h"

enum grp_shield_part {
	GRP_SHIELD_SHIELD,
	GRP_SHIELD_SYSTEM,
	GRP_SHIELD_PARTS,
};

/* Why a task stays: --kthreads was not said; it cannot be moved. */
#define GRP_SHIELD_KERNEL "kernel thread"
#define GRP_SHIELD_BOUND "kernel thread that cannot be moved"

/* Where a shield is, or is to be. grp_shield_done() frees it. */
struct grp_shield {
	struct grp_ctl *ctl;
	char *parent; /* HIERARCHY:/path; owned */
	char *part[GRP_SHIELD_PARTS]; /* the same of the two groups; owned */
	const char *prefix; /* of the files of cpuset: "" where they have none */
	json_t *left; /* tasks that stayed, with a reason; owned */
	json_int_t moved;
	bool failed; /* something was reported that does not end everything */
};

/* What a shield shall be like. */
struct grp_shield_wish {
	const char *cpus;
	const char *mems; /* NULL: those of the group that it is in */
	bool kthreads; /* kernel threads that can be moved are, too */
};

/**
 * grp_shield_find() - where @group says, or in the root of cpuset's hierarchy.
 * @group: as the user wrote it; NULL: not said.
 * @shield: zeroed. Return: an exit code; why not is printed.
 */
int grp_shield_find(struct grp_ctl *ctl, const char *group, struct grp_shield *shield);
void grp_shield_done(struct grp_shield *shield);

/* grp_shield_make() - or change; without tasks. On failure it is as it was before. */
int grp_shield_make(struct grp_shield *shield, const struct grp_shield_wish *wish);

/* grp_shield_fill() - what is in the group around it goes to the part for the rest. */
int grp_shield_fill(struct grp_shield *shield, bool kthreads);

/* grp_shield_reset() - members go back, both groups go; @force: those below them, too. */
int grp_shield_reset(struct grp_shield *shield, bool force);

/**
 * grp_shield_rows() - the parts and what is around them, as they are now.
 * @ret_rows: array of objects; new reference.
 */
int grp_shield_rows(struct grp_shield *shield, json_t **ret_rows);

/* shield_tasks.c: one round over the tasks of the group around. */

/* What of a task /proc tells. */
struct grp_shield_task {
	bool kernel, bound; /* a kernel thread; one that must stay on its CPUs */
	unsigned long long start_ticks;
	unsigned int threads; /* of its process */
};

/**
 * grp_shield_parse_task() - from the content of /proc/PID/stat.
 * Return: 0; -EINVAL: not of that form.
 */
int grp_shield_parse_task(const char *stat, struct grp_shield_task *ret_task);

#endif
