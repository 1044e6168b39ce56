/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What can be said of a move before it: may the caller write there, would any task be
 * let in (TASK-10), may he move this one (TASK-8).
 */
#include <errno.h>

#include "core/internal.h"

int grp_target_check(struct grp_core *core, const struct grp_target *target,
		     const struct grp_caller *caller, bool whole, struct grp_error *error)
{
	bool any = false;
	int r = 0;

	for (unsigned int slot = 0; !r && slot < GRP_HIERARCHIES_MAX; slot++) {
		const struct grp_file_access access = {
			.core = core, .group = target->group[slot], .caller = caller, .error = error
		};

		if (!access.group)
			continue;
		any = true;
		r = grp_file_check(&access, whole ? "cgroup.procs" : "tasks", GRP_WRITE);
	}
	if (!r && !any)
		return grp_error_set(error, EINVAL, "no group to go to");
	return r;
}

int grp_attach_check(struct grp_core *core, const struct grp_target *target,
		     const struct grp_caller *caller, bool whole, struct grp_error *error)
{
	int r = grp_target_check(core, target, caller, whole, error);

	for (unsigned int slot = 0; !r && slot < GRP_HIERARCHIES_MAX; slot++)
		if (target->group[slot])
			r = grp_group_can_attach(core, target->group[slot], caller, error);
	return r;
}

int grp_attach_check_task(const struct grp_task_id *id, const struct grp_member *member,
			  const struct grp_caller *caller, struct grp_error *error)
{
	if (member->exiting && !id->whole)
		return -ESRCH;
	if (!caller->uid || id->self || caller->uid == member->uid || caller->uid == member->suid)
		return 0;
	return grp_error_set(error, EACCES, "uid %u may only move tasks of its own",
			     (unsigned int)caller->uid);
}
