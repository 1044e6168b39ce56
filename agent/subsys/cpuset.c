/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Subsystem cpuset as the core knows it, see cpuset.h. Its files are in
 * cpuset_files.c, its rules in cpuset_rules.c, what outlives the agent in
 * cpuset_store.c, the way to the tasks in cpuset_place.c.
 */
#include "subsys/cpuset.h"

#include <errno.h>

#include "subsys/subsys.h"

static unsigned int subsystem_index(void)
{
	unsigned int index = 0;

	while (grp_subsystems[index] != &grp_cpuset)
		index++;
	return index;
}

struct grp_cpuset *grp_cpuset_of(const struct grp_group *group)
{
	return grp_subsystem_state(group, subsystem_index());
}

struct grp_hierarchy *grp_cpuset_hierarchy(struct grp_core *core)
{
	const uint32_t bit = 1U << subsystem_index();

	for (unsigned int slot = 0; slot < GRP_HIERARCHIES_MAX; slot++) {
		struct grp_hierarchy *hierarchy = grp_hierarchy_at(core, slot);

		if (hierarchy && grp_hierarchy_subsystems(core, hierarchy) & bit)
			return hierarchy;
	}
	return NULL;
}

static const struct grp_mask *there(struct grp_core *core, enum grp_list_kind kind)
{
	const struct grp_topology *topology = grp_core_topology(core);

	return kind == GRP_LIST_CPUS ? &topology->online : &topology->nodes;
}

void grp_cpuset_shown(struct grp_core *core, const struct grp_group *group, enum grp_list_kind kind,
		      struct grp_mask *ret_mask)
{
	for (; group->parent; group = group->parent) {
		const struct grp_cpuset *cpuset = grp_cpuset_of(group);

		if (cpuset && !cpuset->part[kind].all) {
			*ret_mask = grp_mask_kept(&cpuset->part[kind].mask);
			return;
		}
	}
	*ret_mask = *there(core, kind);
}

void grp_cpuset_effective(struct grp_core *core, const struct grp_group *group,
			  enum grp_list_kind kind, struct grp_mask *ret_mask)
{
	for (; group->parent; group = group->parent) {
		const struct grp_cpuset *cpuset = grp_cpuset_of(group);

		if (!cpuset || cpuset->part[kind].all)
			continue;
		*ret_mask = grp_mask_kept(&cpuset->part[kind].mask);
		grp_mask_and(ret_mask, there(core, kind));
		if (!grp_mask_empty(ret_mask))
			return;
	}
	*ret_mask = *there(core, kind);
}

int grp_cpuset_topology_changed(struct grp_core *core)
{
	struct grp_hierarchy *hierarchy = grp_cpuset_hierarchy(core);
	int r = grp_core_topology_read(core);

	if (!r && hierarchy)
		grp_cpuset_place_rebound(core, hierarchy);
	return r;
}

/* --- what the core asks ------------------------------------------------------------ */

static bool has_none(const struct grp_cpuset *cpuset, enum grp_list_kind kind)
{
	const struct grp_mask mask = grp_mask_kept(&cpuset->part[kind].mask);

	return !cpuset->part[kind].all && grp_mask_empty(&mask);
}

/* CPUSET-10. */
int grp_cpuset_can_attach(const struct grp_attach *attach, void *state)
{
	static const char *const names[] = { [GRP_LIST_CPUS] = "cpus", [GRP_LIST_NODES] = "mems" };
	const struct grp_cpuset *cpuset = state;

	for (int kind = GRP_LIST_CPUS; attach->group->parent && kind <= GRP_LIST_NODES; kind++)
		if (cpuset && has_none(cpuset, kind))
			return grp_error_set(attach->error, ENOSPC,
					     "its cpuset.%s is empty: write a list to it first",
					     names[kind]);
	return grp_cpuset_place_can_attach(attach);
}

void grp_cpuset_attach(const struct grp_attach *attach, void *state)
{
	(void)state;
	grp_cpuset_place_attached(attach);
}

void grp_cpuset_bind(struct grp_core *core, struct grp_hierarchy *hierarchy, void *state)
{
	(void)state;
	grp_cpuset_place_rebound(core, hierarchy);
	grp_cpuset_pressure_bind(core);
}
