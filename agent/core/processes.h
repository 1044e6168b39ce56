/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Distinct processes among the members of groups. The kernel side counts tasks only, so
 * that all tasks have to be looked at.
 */
#ifndef GRP_CORE_PROCESSES_H
#define GRP_CORE_PROCESSES_H

#include "core/core.h"

struct grp_processes;

/* Result of a step: another one that counts much has to be freed before. */
#define GRP_PROCESSES_WAIT 2

/**
 * grp_processes_new() - to count them in pieces, as a look at very many tasks would hold the
 * loop for longer than others should wait. Each task is where it was when it was looked at.
 * @groups: NULL: of every group; else of these @n, and where none of them has more than one
 * task no task is looked at. Of those that count much of some groups one works at a time,
 * in the order in which they were made: many at a time would take very much memory.
 * @ret_processes: owned by the caller, grp_processes_free(). Return: 0; -ENOMEM.
 */
int grp_processes_new(struct grp_core *core, const struct grp_group_ref *groups, size_t n,
		      struct grp_processes **ret_processes);

/**
 * grp_processes_step() - some more, in well below a millisecond.
 * Return: 1: call again; GRP_PROCESSES_WAIT: call again later; 0: that was all; -ENOMEM;
 * -errno of the kernel.
 */
int grp_processes_step(struct grp_processes *processes);

/**
 * grp_processes_of() - so many has a group, after the last step.
 * @tasks: that it has now: it is in keeping with them. 0: none, 1: one, and never more.
 */
uint64_t grp_processes_of(const struct grp_processes *processes, const struct grp_group *group,
			  uint64_t tasks);

/* grp_processes_free() - at any time, soon after the last step; NULL is allowed. */
void grp_processes_free(struct grp_processes *processes);

#endif
