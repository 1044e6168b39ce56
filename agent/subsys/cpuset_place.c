/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The way from what groups may use to their tasks: everything that cpuset tells
 * placement goes through this file.
 */
#include <linux/mempolicy.h>

#include "core/place.h"
#include "core/place_memory.h"
#include "subsys/cpuset.h"

/* Since Linux 6.9, perhaps not in the headers that we are built with. */
#define WEIGHTED_INTERLEAVE 6

/* What tasks of the group itself could use. */
static void tried(const struct grp_cpuset_trial *trial, enum grp_list_kind kind,
		  struct grp_mask *ret_mask)
{
	const struct grp_topology *topology = grp_core_topology(trial->core);

	*ret_mask = trial->mask[kind];
	grp_mask_and(ret_mask, kind == GRP_LIST_CPUS ? &topology->online : &topology->nodes);
	if ((trial->all[kind] || grp_mask_empty(ret_mask)) && trial->group->parent)
		grp_cpuset_effective(trial->core, trial->group->parent, kind, ret_mask);
}

/* --- memory ------------------------------------------------------------------------ */

static const uint32_t modes[] = {
	[GRP_MEM_BIND] = MPOL_BIND,
	[GRP_MEM_INTERLEAVE] = MPOL_INTERLEAVE,
	[GRP_MEM_WEIGHTED_INTERLEAVE] = WEIGHTED_INTERLEAVE,
	[GRP_MEM_PREFERRED] = MPOL_PREFERRED,
	[GRP_MEM_PREFERRED_MANY] = MPOL_PREFERRED_MANY,
};
_Static_assert(sizeof(modes) / sizeof(*modes) == GRP_MEM_POLICIES, "one for each");

static const uint32_t mode_flags[] = {
	[GRP_MEM_NODES_PLAIN] = 0,
	[GRP_MEM_NODES_STATIC] = MPOL_F_STATIC_NODES,
	[GRP_MEM_NODES_RELATIVE] = MPOL_F_RELATIVE_NODES,
};
_Static_assert(sizeof(mode_flags) / sizeof(*mode_flags) == GRP_MEM_NODES_MAX, "one for each");

/* Pages of the cache are taken by the policy of who reads them in. */
static enum grp_mem_policy spread(const struct grp_cpuset *cpuset)
{
	enum grp_mem_policy mode = cpuset->policy.mode;

	if (!(cpuset->flags & GRP_CPUSET_SPREAD_PAGE))
		return mode;
	return mode == GRP_MEM_BIND || mode == GRP_MEM_PREFERRED ? GRP_MEM_INTERLEAVE : mode;
}

/*
 * What follows from flags and policy. A root has no say: its tasks are all those that
 * nobody has put anywhere.
 */
static void memory_of(struct grp_core *core, const struct grp_group *group,
		      const struct grp_cpuset *cpuset, struct grp_memory *memory)
{
	memory->mode = modes[spread(cpuset)] | mode_flags[cpuset->policy.nodes];
	memory->migrates = cpuset->flags & GRP_CPUSET_MEMORY_MIGRATE;
	memory->places = group->parent &&
			 (memory->mode != MPOL_BIND ||
			  !grp_mask_equal(&memory->nodes, &grp_core_topology(core)->nodes));
}

/* @nodes: that it would have. */
static int check_memory(struct grp_core *core, const struct grp_group *group,
			const struct grp_mask *nodes, struct grp_error *error)
{
	const struct grp_cpuset *cpuset = grp_cpuset_of(group);
	struct grp_memory memory = { .nodes = *nodes };

	if (!cpuset)
		return 0;
	memory_of(core, group, cpuset, &memory);
	return grp_memory_check(core, group, &memory, error);
}

int grp_cpuset_place_memory_check(struct grp_core *core, struct grp_group *group,
				  const struct grp_cpuset *wanted, struct grp_error *error)
{
	struct grp_memory memory = { 0 };

	grp_cpuset_effective(core, group, GRP_LIST_NODES, &memory.nodes);
	memory_of(core, group, wanted, &memory);
	return grp_memory_check(core, group, &memory, error);
}

/* --- CPUs and nodes ------------------------------------------------------------------ */

/* Those below are parts of it, so that only one that has all it has can be new to it. */
int grp_cpuset_place_check(const struct grp_cpuset_trial *trial, struct grp_error *error)
{
	struct grp_group *at = trial->group;
	struct grp_mask cpus, nodes;
	int r = 0;

	tried(trial, GRP_LIST_CPUS, &cpus);
	tried(trial, GRP_LIST_NODES, &nodes);
	for (; !r && at; at = grp_group_next(trial->group, at)) {
		r = grp_place_check(trial->core, at, &cpus, error);
		if (!r)
			r = check_memory(trial->core, at, &nodes, error);
	}
	return r;
}

/* One group whose effective CPUs or nodes may be others than before. */
static void tell(struct grp_core *core, struct grp_group *group, enum grp_list_kind kind)
{
	const struct grp_cpuset *cpuset = grp_cpuset_of(group);
	struct grp_memory memory = { 0 };
	struct grp_mask cpus;

	/* Without memory for it, it has what it had: the next change says it again. */
	if (kind == GRP_LIST_CPUS) {
		grp_cpuset_effective(core, group, kind, &cpus);
		(void)grp_place_set_cpus(core, group, cpuset ? &cpus : NULL);
		return;
	}
	grp_cpuset_effective(core, group, kind, &memory.nodes);
	if (cpuset)
		memory_of(core, group, cpuset, &memory);
	(void)grp_memory_set(core, group, cpuset ? &memory : NULL);
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

/* One that was made with the lists of its parent has told nothing yet. */
static void tell_new(struct grp_core *core, struct grp_group *group)
{
	if (!group->cpus)
		tell(core, group, GRP_LIST_CPUS);
	if (!group->memory)
		tell(core, group, GRP_LIST_NODES);
}

int grp_cpuset_place_can_attach(const struct grp_attach *attach)
{
	tell_new(attach->core, attach->group);
	return grp_place_can_attach(attach) ?: grp_memory_can_attach(attach);
}

bool grp_cpuset_place_looks(struct grp_core *core, struct grp_group *group)
{
	tell_new(core, group);
	return grp_place_confines(core, group) || grp_memory_looks(group);
}

void grp_cpuset_place_attached(const struct grp_attach *attach)
{
	grp_place_touch(attach->core, attach->group);
	grp_memory_attached(attach);
}

void grp_cpuset_place_memory(struct grp_core *core, struct grp_group *group)
{
	tell(core, group, GRP_LIST_NODES);
}
