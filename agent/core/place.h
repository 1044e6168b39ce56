/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * CPU placement: what a group allows is what its tasks get (CPUSET-12, 13, 25, 26).
 * A subsystem says what each group allows; here its members are made to keep to
 * it, what each wished for itself is remembered in the kernel beside its set, and
 * what somebody rewrites is put right. Which CPUs a group has by which rules is
 * not known here.
 *
 * A group that allows every CPU that is online confines nobody: its tasks are not
 * touched, and those that come to it from a confined one get their own wish back.
 *
 * Nothing here waits: work is done by grp_place_step() from the loop, a slice at a
 * time, and who wants to answer a client when it is done keeps a ticket.
 */
#ifndef GRP_CORE_PLACE_H
#define GRP_CORE_PLACE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/mask.h"
#include "core/core.h"

struct grp_attach;
struct grp_place_event;

/* --- for the subsystem that decides ---------------------------------------------- */

/**
 * grp_place_set_online() - the CPUs that are there. Called at start before the
 * first grp_place_set_cpus(), and first of all when that has changed; every group
 * that is not as it should be is looked at again then.
 */
void grp_place_set_online(struct grp_core *core, const struct grp_mask *online);

/**
 * grp_place_set_cpus() - what a group allows from now on: its effective CPUs.
 * @cpus: copied. NULL: this group confines nobody (not bound, switched off, gone).
 * Its members are placed soon; saying the same again costs nothing.
 * Groups of one hierarchy only: the one that the subsystem is bound to.
 * Return: 0; -ENOMEM: nothing has changed.
 * Context: after the change was decided; grp_place_check() was asked before.
 */
int grp_place_set_cpus(struct grp_core *core, struct grp_group *group, const struct grp_mask *cpus);

/**
 * grp_place_check() - may tasks of this group be confined to @cpus? Asked before a
 * change that leaves its members less than every CPU, and by grp_place_can_attach().
 * Return: 0, also for a group that has no tasks; -EBUSY: another instance
 * confines tasks on this kernel; -errno.
 */
int grp_place_check(struct grp_core *core, const struct grp_group *group,
		    const struct grp_mask *cpus, struct grp_error *error);

/**
 * grp_place_can_attach() - the veto of placement, to be called by can_attach.
 * Return: 0; -EINVAL: one of the threads may not be moved off its CPUs (a per-CPU
 * kernel thread) and the group would; -EBUSY: as grp_place_check().
 */
int grp_place_can_attach(const struct grp_attach *attach);

/*
 * grp_place_confines() - whether a group (NULL: none) leaves its tasks less than what is
 * online; only then it matters to the veto who they are.
 */
bool grp_place_confines(const struct grp_core *core, const struct grp_group *group);

/* grp_place_touch() - tasks have come into the group: they are placed soon. */
void grp_place_touch(struct grp_core *core, struct grp_group *group);

/* --- for those who wait ------------------------------------------------------------ */

/* grp_place_ticket() - stands for everything that was asked for up to now. */
uint64_t grp_place_ticket(const struct grp_core *core);

/*
 * grp_place_settled() - whether that is done: a pass over all members of what was
 * touched has found every thread as it should be, or that it cannot be.
 */
bool grp_place_settled(const struct grp_core *core, uint64_t ticket);

/* --- for the loop --------------------------------------------------------------------- */

/* grp_place_due() - when grp_place_step() wants to be called, by grp_core_clock(); 0: not. */
uint64_t grp_place_due(const struct grp_core *core);

/**
 * grp_place_step() - work for about @budget_ns: places, repairs, attaches and
 * detaches the hooks that notice. Return: 0; -errno of the kernel: it stays due.
 */
int grp_place_step(struct grp_core *core, uint64_t budget_ns);

/* grp_place_event() - a task's CPUs may have been rewritten (from the ring buffer). */
void grp_place_event(struct grp_core *core, const struct grp_place_event *event);

/**
 * grp_place_release() - every task gets its own wish back, CPUs and memory policy; for
 * --unload, while no agent runs. @ops, @kernel, @view: as for grp_core_new(); what is
 * stored is not changed but for the places of tasks.
 * @ret_left: threads that keep a policy of ours, because they cannot be stopped.
 * Return: 0; -ETIMEDOUT; -errno.
 */
int grp_place_release(const struct grp_kernel_ops *ops, void *kernel,
		      const struct grp_kernel_view *view, unsigned int *ret_left);

/* --- for those who look ----------------------------------------------------------------- */

enum grp_place_state {
	GRP_PLACE_STATE_FREE, /* its group confines nobody, and it has its own */
	GRP_PLACE_STATE_PLACED,
	GRP_PLACE_STATE_PENDING,
	GRP_PLACE_STATE_REFUSED, /* what is asked for it does not get */
	GRP_PLACE_STATES,
};

struct grp_place_figures {
	uint64_t placed; /* masks set */
	uint64_t repairs; /* of them, because somebody had rewritten what we set */
	uint64_t fights; /* repairs put off, because the task is rewritten again and again */
	uint64_t refused; /* attempts that the kernel refused */
	unsigned int masks, masks_limit; /* in use; see GRP_MASKS_MAX */
	bool active; /* somebody is confined, and hooks are attached */
	uint64_t mems_placed; /* memory policies set */
	uint64_t mems_refused; /* attempts at that which did not succeed */
	uint64_t migrations; /* processes whose pages were moved */
	uint64_t migrate_pages_left; /* pages of these that could not be */
	unsigned int mems_pending; /* threads that wait for their policy now */
	unsigned int migrations_pending; /* processes that wait to be moved now */
};
void grp_place_figures(const struct grp_core *core, struct grp_place_figures *ret_figures);

#endif
