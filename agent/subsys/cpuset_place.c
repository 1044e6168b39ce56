/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The way from what groups may use to their tasks: everything that cpuset tells
 * placement goes through this file.
 */
#include "core/place.h"
#include "subsys/cpuset.h"

/* What tasks of the group itself could use. */
static void tried(const struct grp_cpuset_trial *trial, struct grp_mask *ret_mask)
{
	const struct grp_topology *topology = grp_core_topology(trial->core);

	*ret_mask = trial->mask[GRP_LIST_CPUS];
	grp_mask_and(ret_mask, &topology->online);
	if ((trial->all[GRP_LIST_CPUS] || grp_mask_empty(ret_mask)) && trial->group->parent)
		grp_cpuset_effective(trial->core, trial->group->parent, GRP_LIST_CPUS, ret_mask);
}

/* Those below are parts of it, so that only one that has all it has can be new to it. */
int grp_cpuset_place_check(const struct grp_cpuset_trial *trial, struct grp_error *error)
{
	struct grp_group *at = trial->group;
	struct grp_mask mask;
	int r = 0;

	tried(trial, &mask);
	for (; !r && at; at = grp_group_next(trial->group, at))
		r = grp_place_check(trial->core, at, &mask, error);
	return r;
}

/* One group whose effective CPUs or nodes may be others than before. */
static void tell(struct grp_core *core, struct grp_group *group, enum grp_list_kind kind)
{
	struct grp_mask mask;

	if (kind != GRP_LIST_CPUS)
		return;
	grp_cpuset_effective(core, group, kind, &mask);
	/* Without memory for it, it has what it had: the next change says it again. */
	(void)grp_place_set_cpus(core, group, grp_cpuset_of(group) ? &mask : NULL);
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
	grp_place_set_online(core, &grp_core_topology(core)->online);
	for (int kind = GRP_LIST_CPUS; kind <= GRP_LIST_NODES; kind++)
		grp_cpuset_place_changed(core, hierarchy->root, kind);
}

int grp_cpuset_place_can_attach(const struct grp_attach *attach)
{
	/* One that was made with the lists of its parent has told nothing yet. */
	if (!attach->group->cpus)
		tell(attach->core, attach->group, GRP_LIST_CPUS);
	return grp_place_can_attach(attach);
}

void grp_cpuset_place_attached(const struct grp_attach *attach)
{
	grp_place_touch(attach->core, attach->group);
}

void grp_cpuset_place_memory(struct grp_core *core, struct grp_group *group)
{
	(void)core;
	(void)group;
}
