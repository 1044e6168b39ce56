/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory placement: how a group's tasks take their memory (CPUSET-14, 15, 17, OOR-6). A
 * subsystem says for each group which policy its tasks have and whether their pages move
 * along; here its members get it, one by one, through a helper (agent/place), and what
 * each had by itself is remembered in the kernel beside its set and given back.
 *
 * Nobody waits for it: a thread may be held by a debugger for hours. What is not yet as
 * it should be is shown by grp_placement_print() with its reason, and tried again.
 *
 * A group that does not place memory touches nobody; who comes to it from one that does
 * gets his own policy back. What a thread sets for itself while it is placed is its own
 * wish from when that is seen: at the next change of its group.
 */
#ifndef GRP_CORE_PLACE_MEMORY_H
#define GRP_CORE_PLACE_MEMORY_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/mask.h"
#include "core/core.h"

struct grp_attach;

/* What a group says about the memory of its tasks. */
struct grp_memory {
	bool places; /* they get the policy; else they have their own */
	bool migrates; /* their pages move when the nodes become others */
	uint32_t mode; /* MPOL_* with flags, as set_mempolicy(2) takes it */
	struct grp_mask nodes; /* that they may use */
};

/* --- for the subsystem that decides ---------------------------------------------- */

/**
 * grp_memory_set() - what holds in a group from now on.
 * @memory: copied. NULL: it says nothing any more (not bound, switched off, gone).
 * Its members are placed soon; saying the same again costs nothing. If it migrates and
 * the nodes are others than those said before, the pages of its processes are moved soon.
 * Groups of the hierarchy that grp_place_set_cpus() was told of.
 * Return: 0; -ENOMEM: nothing has changed.
 */
int grp_memory_set(struct grp_core *core, struct grp_group *group, const struct grp_memory *memory);

/**
 * grp_memory_check() - may tasks of this group be placed so? Asked before the change.
 * Return: 0, also for a group that has no tasks; -EBUSY: another instance confines
 * tasks on this kernel; -errno.
 */
int grp_memory_check(struct grp_core *core, const struct grp_group *group,
		     const struct grp_memory *memory, struct grp_error *error);

/* grp_memory_can_attach() - the same for those who are about to come: -EBUSY, -errno. */
int grp_memory_can_attach(const struct grp_attach *attach);

/* grp_memory_looks() - whether it matters who they are: their pages would be moved. */
bool grp_memory_looks(const struct grp_group *group);

/* grp_memory_attached() - they have come: they are placed soon, and their pages moved. */
void grp_memory_attached(const struct grp_attach *attach);

/* --- for the loop --------------------------------------------------------------------- */

/* grp_memory_due() - when grp_memory_step() wants to be called, by grp_core_clock(); 0: not. */
uint64_t grp_memory_due(const struct grp_core *core);

/* grp_memory_step() - work for about @budget_ns. Return: 0; -errno: it stays due. */
int grp_memory_step(struct grp_core *core, uint64_t budget_ns);

/**
 * grp_memory_spare() - a task waits for an answer of ours, or not any more.
 * @pid: of the thread or of its process. It is not stopped meanwhile: a thread that waits
 * for a file system of ours cannot be. Calls add up.
 */
void grp_memory_spare(struct grp_core *core, pid_t pid, bool waits);

/* --- for those who look ----------------------------------------------------------------- */

/**
 * grp_placement_print() - the file `placement`: threads of this group that have CPUs and
 * policy of it, or not yet, or not, and each that has not with the reason.
 * @caller: whose ids of threads; those that it cannot see are counted only.
 * Return: 0; -errno.
 */
int grp_placement_print(struct grp_core *core, struct grp_group *group,
			const struct grp_caller *caller, FILE *out);

#endif
