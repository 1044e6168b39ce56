/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What cpuset keeps of a group beyond the life of the agent, and states of groups
 * made from it. Stored are only things that are not as in any new group: CPUs and
 * nodes each as a value of its own, all else as one. That a group was made without
 * any of its own is a flag of its record, so that making it costs nothing; a value
 * goes before that flag.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "subsys/cpuset.h"
#include "subsys/subsys.h"

#define EXCLUSIVE (GRP_CPUSET_CPU_EXCLUSIVE | GRP_CPUSET_MEM_EXCLUSIVE)
#define SPREAD (GRP_CPUSET_SPREAD_PAGE | GRP_CPUSET_SPREAD_SLAB)

static const struct {
	const char *value; /* its words, as many as are needed; or ALL */
	uint32_t flag; /* of the group's record */
} kinds[] = {
	[GRP_LIST_CPUS] = { "cpuset.cpus", GRP_GROUP_ALL_CPUS },
	[GRP_LIST_NODES] = { "cpuset.mems", GRP_GROUP_ALL_NODES },
};
#define N_KINDS (sizeof(kinds) / sizeof(*kinds))

/* No whole number of words, so it is no mask. */
#define ALL "all"
#define ALL_LEN (sizeof(ALL) - 1)

#define SETTINGS "cpuset.settings"
struct settings {
	uint32_t flags;
	int32_t relax_domain_level;
	uint32_t policy, policy_nodes;
};
_Static_assert(sizeof(struct settings) == 16, "stored");

static int put(struct grp_core *core, struct grp_group *group, const char *name, const void *data,
	       size_t len)
{
	return grp_value_put(core, grp_subsystem_owner(group, &grp_cpuset), GRP_VALUE_SETTING, name,
			     data, len);
}

static const struct grp_value_entry *find(struct grp_core *core, struct grp_group *group,
					  const char *name)
{
	return grp_value_find(core, grp_subsystem_owner(group, &grp_cpuset), GRP_VALUE_SETTING,
			      name);
}

/* --- CPUs and nodes ------------------------------------------------------------------ */

int grp_cpuset_store_part(struct grp_core *core, struct grp_group *group, enum grp_list_kind kind,
			  bool all, const struct grp_mask *mask)
{
	struct grp_cpuset_part *part = &grp_cpuset_of(group)->part[kind];
	struct grp_kept_mask kept = { 0 };
	int r;

	if (all) {
		r = put(core, group, kinds[kind].value, ALL, ALL_LEN);
	} else {
		r = grp_mask_keep(&kept, mask);
		if (!r)
			r = put(core, group, kinds[kind].value, mask->words,
				kept.n_words * sizeof(*mask->words));
	}
	if (r) {
		grp_mask_drop(&kept);
		return r;
	}
	grp_mask_drop(&part->mask);
	*part = (struct grp_cpuset_part){ .all = all, .mask = kept };
	return 0;
}

static int load_part(struct grp_core *core, struct grp_group *group, enum grp_list_kind kind,
		     struct grp_cpuset_part *part)
{
	const struct grp_value_entry *entry = find(core, group, kinds[kind].value);
	struct grp_mask mask = { 0 };

	part->all = !group->parent || (!entry && group->flags & kinds[kind].flag) ||
		    (entry && entry->len == ALL_LEN);
	if (part->all || !entry)
		return 0;
	if (entry->len % sizeof(*mask.words))
		return -EPROTO;
	memcpy(mask.words, entry->data, entry->len);
	return grp_mask_keep(&part->mask, &mask);
}

/* Already in the tree, so its record is stored: cpuset comes to a hierarchy with groups. */
static bool is_made(struct grp_core *core, const struct grp_group *group)
{
	return grp_group_child(core, group->parent, group->name) == group;
}

/* v1-behaviour C: with clone_children as the parent, unless a child of it is exclusive. */
static int inherit_part(struct grp_core *core, struct grp_group *group, enum grp_list_kind kind,
			struct grp_cpuset *cpuset)
{
	const struct grp_group *parent = group->parent;
	const struct grp_cpuset *from = grp_cpuset_of(parent);
	struct grp_cpuset_part *part = &cpuset->part[kind];
	const bool clone = parent->flags & GRP_GROUP_CLONE_CHILDREN && !from->exclusive_children;
	struct grp_mask mask = { 0 };

	if (clone && !from->part[kind].all)
		mask = grp_mask_kept(&from->part[kind].mask);
	part->all = clone && from->part[kind].all;
	if (!is_made(core, group)) {
		group->flags &= ~kinds[kind].flag;
		group->flags |= part->all ? kinds[kind].flag : 0;
	} else if (part->all != !!(group->flags & kinds[kind].flag)) {
		return part->all ? put(core, group, kinds[kind].value, ALL, ALL_LEN) :
				   put(core, group, kinds[kind].value, "", 0);
	}
	if (part->all || grp_mask_empty(&mask))
		return 0;
	return grp_mask_keep(&part->mask, &mask) ?:
						   put(core, group, kinds[kind].value, mask.words,
						       part->mask.n_words * sizeof(*mask.words));
}

/* --- all else -------------------------------------------------------------------------- */

static struct settings settings_of(const struct grp_cpuset *cpuset)
{
	return (struct settings){
		.flags = cpuset->flags,
		.relax_domain_level = cpuset->relax_domain_level,
		.policy = cpuset->policy.mode,
		.policy_nodes = cpuset->policy.nodes,
	};
}

static int put_settings(struct grp_core *core, struct grp_group *group,
			const struct grp_cpuset *cpuset)
{
	const struct settings settings = settings_of(cpuset);

	return put(core, group, SETTINGS, &settings, sizeof(settings));
}

int grp_cpuset_store_flags(struct grp_core *core, struct grp_group *group, uint32_t flags)
{
	struct grp_cpuset *cpuset = grp_cpuset_of(group), *above;
	const uint32_t old = cpuset->flags;
	int r;

	cpuset->flags = flags;
	r = put_settings(core, group, cpuset);
	if (r)
		cpuset->flags = old;
	if (r || !group->parent)
		return r;
	above = grp_cpuset_of(group->parent);
	above->exclusive_children -= old & EXCLUSIVE ? 1 : 0;
	above->exclusive_children += flags & EXCLUSIVE ? 1 : 0;
	return 0;
}

int grp_cpuset_store_level(struct grp_core *core, struct grp_group *group, int32_t level)
{
	struct grp_cpuset *cpuset = grp_cpuset_of(group);
	const int32_t old = cpuset->relax_domain_level;
	int r;

	cpuset->relax_domain_level = level;
	r = put_settings(core, group, cpuset);
	if (r)
		cpuset->relax_domain_level = old;
	return r;
}

int grp_cpuset_store_policy(struct grp_core *core, struct grp_group *group,
			    struct grp_cpuset_policy policy)
{
	struct grp_cpuset *cpuset = grp_cpuset_of(group);
	const struct grp_cpuset_policy old = cpuset->policy;
	int r;

	cpuset->policy = policy;
	r = put_settings(core, group, cpuset);
	if (r)
		cpuset->policy = old;
	return r;
}

static int load_settings(struct grp_core *core, struct grp_group *group, struct grp_cpuset *cpuset)
{
	const struct grp_value_entry *entry = find(core, group, SETTINGS);
	struct settings settings;

	if (!entry)
		return 0;
	if (entry->len != sizeof(settings))
		return -EPROTO;
	memcpy(&settings, entry->data, sizeof(settings));
	if (settings.policy >= GRP_MEM_POLICIES || settings.policy_nodes >= GRP_MEM_NODES_MAX)
		return -EPROTO;
	cpuset->flags = settings.flags;
	cpuset->relax_domain_level = settings.relax_domain_level;
	cpuset->policy.mode = settings.policy;
	cpuset->policy.nodes = settings.policy_nodes;
	return 0;
}

/* --- states ----------------------------------------------------------------------------- */

/* As in a new group whose parent has nothing to hand on; v1-behaviour B. */
static void preset(const struct grp_group *group, struct grp_cpuset *cpuset)
{
	cpuset->flags = GRP_CPUSET_LOAD_BALANCE;
	cpuset->relax_domain_level = -1;
	if (!group->parent)
		cpuset->flags |= EXCLUSIVE;
}

static int inherit(struct grp_core *core, struct grp_group *group, struct grp_cpuset *cpuset)
{
	const struct grp_cpuset *from = grp_cpuset_of(group->parent);
	const struct settings before = settings_of(cpuset);
	struct settings after;
	int r = 0;

	for (size_t kind = 0; !r && kind < N_KINDS; kind++)
		r = inherit_part(core, group, kind, cpuset);
	cpuset->flags |= from->flags & SPREAD;
	cpuset->policy = from->policy;
	after = settings_of(cpuset);
	if (r || !memcmp(&before, &after, sizeof(after)))
		return r;
	return put_settings(core, group, cpuset);
}

static int load(struct grp_core *core, struct grp_group *group, struct grp_cpuset *cpuset)
{
	int r = load_settings(core, group, cpuset);

	for (size_t kind = 0; !r && kind < N_KINDS; kind++)
		r = load_part(core, group, kind, &cpuset->part[kind]);
	if (!r && group->parent && cpuset->flags & EXCLUSIVE)
		grp_cpuset_of(group->parent)->exclusive_children++;
	return r;
}

static void forget(struct grp_cpuset *cpuset)
{
	for (size_t kind = 0; kind < N_KINDS; kind++)
		grp_mask_drop(&cpuset->part[kind].mask);
	free(cpuset);
}

int grp_cpuset_create(struct grp_core *core, struct grp_group *group, bool fresh,
		      struct grp_error *error, void **ret_state)
{
	struct grp_cpuset *cpuset = calloc(1, sizeof(*cpuset));
	int r;

	if (!cpuset)
		return -ENOMEM;
	preset(group, cpuset);
	/* A root that was bound before has what it had then (HIER-18). */
	r = fresh && group->parent ? inherit(core, group, cpuset) : load(core, group, cpuset);
	if (r) {
		forget(cpuset);
		return grp_error_set(error, -r, "its cpuset: %s", strerror(-r));
	}
	*ret_state = cpuset;
	return 0;
}

void grp_cpuset_destroy(struct grp_core *core, struct grp_group *group, void *state)
{
	struct grp_cpuset *cpuset = state;
	struct grp_cpuset *above = group && group->parent ? grp_cpuset_of(group->parent) : NULL;

	(void)core;
	if (!cpuset)
		return;
	if (above && cpuset->flags & EXCLUSIVE)
		above->exclusive_children--;
	forget(cpuset);
}
