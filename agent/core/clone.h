/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Clone: mkdir and attach as one operation, wholly done or wholly undone also when
 * the agent is killed in the midst of it (CLONE-1). Who asks and when it is tried
 * again is the business of front/job_clone.c.
 */
#ifndef GRP_CORE_CLONE_H
#define GRP_CORE_CLONE_H

#include "core/core.h"

/* A child to be made for a task that shall enter it (CLONE-1). */
struct grp_clone_child {
	struct grp_group *parent;
	const char *name;
	mode_t mode;
	const struct grp_caller *caller;
};

/**
 * grp_clone_make() - grp_group_make() as a part of a clone: until that is decided by
 * grp_clone_commit(), a start of the agent ends it, as a whole: the task is moved into
 * all children, or none of them stays.
 * @intent: the task and all hierarchies; .leader is 0 for the first child and kept.
 * Children are made by ascending slot. Return: as grp_group_make().
 */
int grp_clone_make(struct grp_core *core, const struct grp_clone_child *child,
		   struct grp_value_clone *intent, struct grp_error *error,
		   struct grp_group **ret_group);

/*
 * grp_clone_commit() - the task has been moved: they stay. @target: the children.
 * Return: 0; -errno: not decided.
 */
int grp_clone_commit(struct grp_core *core, const struct grp_target *target);

/*
 * grp_clone_undo() - the child goes again, those in it to its parent. To be called by
 * descending slot. What cannot go, for others have put something there, stays.
 * Return: 0; -errno: it stays, and a start will try again.
 */
int grp_clone_undo(struct grp_core *core, struct grp_group *child);

#endif
