/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The way from what groups may use to their tasks: everything that cpuset tells
 * placement goes through this file. There is no placement yet, so nobody is told.
 */
#include "subsys/cpuset.h"

int grp_cpuset_place_check(const struct grp_cpuset_trial *trial, struct grp_error *error)
{
	(void)trial;
	(void)error;
	return 0;
}

/* One group whose effective CPUs or nodes may be others than before. */
static void tell(struct grp_core *core, struct grp_group *group, enum grp_list_kind kind)
{
	(void)core;
	(void)group;
	(void)kind;
}

void grp_cpuset_place_changed(struct grp_core *core, struct grp_group *group,
			      enum grp_list_kind kind)
{
	struct grp_group *at = group;

	/* Those below may have theirs from it, or fall back on it. */
	for (; at; at = grp_group_next(group, at))
		tell(core, at, kind);
}

void grp_cpuset_place_rebound(struct grp_core *core, struct grp_hierarchy *hierarchy)
{
	for (int kind = GRP_LIST_CPUS; kind <= GRP_LIST_NODES; kind++)
		grp_cpuset_place_changed(core, hierarchy->root, kind);
}

int grp_cpuset_place_can_attach(const struct grp_attach *attach)
{
	(void)attach;
	return 0;
}

void grp_cpuset_place_attached(const struct grp_attach *attach)
{
	(void)attach;
}

void grp_cpuset_place_memory(struct grp_core *core, struct grp_group *group)
{
	(void)core;
	(void)group;
}
