/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Rules R1 to R3 of cpuset.h: may a group become what is asked for? The order of
 * the errors is the kernel's (CPUSET-19).
 *
 * A group without CPUs of its own reaches as far as its parent, and a root reaches
 * CPUs that are not there now: so CPUs that go away break no rule.
 */
#include <errno.h>
#include <utlist.h>

#include "subsys/cpuset.h"

#define EXCLUSIVE (GRP_CPUSET_CPU_EXCLUSIVE | GRP_CPUSET_MEM_EXCLUSIVE)

static const struct {
	const char *what; /* in messages */
	uint32_t exclusive;
} kinds[] = {
	[GRP_LIST_CPUS] = { "CPUs", GRP_CPUSET_CPU_EXCLUSIVE },
	[GRP_LIST_NODES] = { "nodes", GRP_CPUSET_MEM_EXCLUSIVE },
};
#define N_KINDS (sizeof(kinds) / sizeof(*kinds))

/* All that may ever be there. */
static void possible(struct grp_core *core, enum grp_list_kind kind, struct grp_mask *ret_mask)
{
	const struct grp_topology *topology = grp_core_topology(core);

	grp_mask_fill(ret_mask, kind == GRP_LIST_CPUS ? topology->n_cpus : topology->n_nodes_max);
}

/* What a group has now or may have without a change of anything. */
static void reach(struct grp_core *core, const struct grp_group *group, enum grp_list_kind kind,
		  struct grp_mask *ret_mask)
{
	for (; group->parent; group = group->parent) {
		const struct grp_cpuset *cpuset = grp_cpuset_of(group);

		if (cpuset && !cpuset->part[kind].all) {
			*ret_mask = grp_mask_kept(&cpuset->part[kind].mask);
			return;
		}
	}
	possible(core, kind, ret_mask);
}

static void trial_reach(const struct grp_cpuset_trial *trial, enum grp_list_kind kind,
			struct grp_mask *ret_mask)
{
	if (!trial->group->parent)
		possible(trial->core, kind, ret_mask);
	else if (trial->all[kind])
		reach(trial->core, trial->group->parent, kind, ret_mask);
	else
		*ret_mask = trial->mask[kind];
}

void grp_cpuset_trial_init(struct grp_cpuset_trial *trial, struct grp_core *core,
			   struct grp_group *group)
{
	const struct grp_cpuset *cpuset = grp_cpuset_of(group);

	trial->core = core;
	trial->group = group;
	trial->flags = cpuset->flags;
	for (size_t kind = 0; kind < N_KINDS; kind++) {
		trial->all[kind] = cpuset->part[kind].all;
		trial->mask[kind] = grp_mask_kept(&cpuset->part[kind].mask);
	}
}

/* --- R1 --------------------------------------------------------------------------- */

static int child_refuses(const struct grp_group *child, const char *what, struct grp_error *error)
{
	return grp_error_set(error, EBUSY, "its child '%.64s' %s", child->name, what);
}

static int check_child(const struct grp_cpuset_trial *trial, const struct grp_mask *reaches,
		       const struct grp_group *child, struct grp_error *error)
{
	const struct grp_cpuset *cpuset = grp_cpuset_of(child);
	struct grp_mask mask;

	if (!cpuset)
		return 0;
	for (size_t kind = 0; kind < N_KINDS; kind++) {
		grp_cpuset_shown(trial->core, child, kind, &mask);
		if (!grp_mask_subset(&mask, &reaches[kind]))
			return child_refuses(child,
					     kind == GRP_LIST_CPUS ? "has CPUs that it would lose" :
								     "has nodes that it would lose",
					     error);
		if (cpuset->flags & ~trial->flags & kinds[kind].exclusive)
			return child_refuses(child, "is exclusive", error);
	}
	return 0;
}

static int check_children(const struct grp_cpuset_trial *trial, struct grp_error *error)
{
	const struct grp_group *child;
	struct grp_mask reaches[N_KINDS];
	int r = 0;

	if (!trial->group->n_children)
		return 0;
	for (size_t kind = 0; kind < N_KINDS; kind++)
		trial_reach(trial, kind, &reaches[kind]);
	DL_FOREACH(trial->group->children, child)
		if (!r && !child->dying)
			r = check_child(trial, reaches, child, error);
	return r;
}

static int check_parent(const struct grp_cpuset_trial *trial, struct grp_error *error)
{
	const struct grp_group *parent = trial->group->parent;
	const struct grp_cpuset *cpuset = grp_cpuset_of(parent);
	struct grp_mask above;

	for (size_t kind = 0; kind < N_KINDS; kind++) {
		/* Without any of its own it has what its parent has. */
		reach(trial->core, parent, kind, &above);
		if (!trial->all[kind] && !grp_mask_subset(&trial->mask[kind], &above))
			return grp_error_set(error, EACCES, "its parent has not all of these %s",
					     kinds[kind].what);
		if (trial->flags & ~cpuset->flags & kinds[kind].exclusive)
			return grp_error_set(error, EACCES, "its parent is not exclusive");
	}
	return 0;
}

/* --- R2 --------------------------------------------------------------------------- */

static int check_sibling(const struct grp_cpuset_trial *trial, const struct grp_mask *reaches,
			 const struct grp_group *sibling, struct grp_error *error)
{
	const struct grp_cpuset *cpuset = grp_cpuset_of(sibling);
	struct grp_mask mask;

	for (size_t kind = 0; cpuset && kind < N_KINDS; kind++) {
		if (!((trial->flags | cpuset->flags) & kinds[kind].exclusive))
			continue;
		reach(trial->core, sibling, kind, &mask);
		if (grp_mask_overlap(&mask, &reaches[kind]))
			return grp_error_set(error, EINVAL,
					     "'%.64s' beside it has some of these %s, and %s is "
					     "exclusive",
					     sibling->name, kinds[kind].what,
					     trial->flags & kinds[kind].exclusive ? "this group" :
										    "it");
	}
	return 0;
}

static int check_siblings(const struct grp_cpuset_trial *trial, struct grp_error *error)
{
	const struct grp_group *parent = trial->group->parent, *sibling;
	struct grp_mask reaches[N_KINDS];
	int r = 0;

	/* Most often nobody is exclusive: then siblings need not be looked at. */
	if (!(trial->flags & EXCLUSIVE) && !grp_cpuset_of(parent)->exclusive_children)
		return 0;
	for (size_t kind = 0; kind < N_KINDS; kind++)
		trial_reach(trial, kind, &reaches[kind]);
	DL_FOREACH(parent->children, sibling)
		if (!r && !sibling->dying && sibling != trial->group)
			r = check_sibling(trial, reaches, sibling, error);
	return r;
}

/* --- R3 --------------------------------------------------------------------------- */

static int check_tasks(const struct grp_cpuset_trial *trial, struct grp_error *error)
{
	const struct grp_cpuset *cpuset = grp_cpuset_of(trial->group);

	for (size_t kind = 0; kind < N_KINDS; kind++) {
		const struct grp_cpuset_part *now = &cpuset->part[kind];
		const struct grp_mask mask = grp_mask_kept(&now->mask);

		if (trial->all[kind] || !grp_mask_empty(&trial->mask[kind]))
			continue;
		if ((now->all || !grp_mask_empty(&mask)) &&
		    grp_group_tasks(trial->core, trial->group))
			return grp_error_set(error, ENOSPC, "its tasks would have no %s",
					     kinds[kind].what);
	}
	return 0;
}

int grp_cpuset_check(const struct grp_cpuset_trial *trial, struct grp_error *error)
{
	const bool root = !trial->group->parent;
	int r;

	if (grp_core_unchecked(trial->core)) {
		grp_cpuset_of(trial->group->hierarchy->root)->unchecked = true;
		return root ? 0 : check_tasks(trial, error);
	}
	r = check_children(trial, error);
	if (r || root)
		return r;
	r = check_parent(trial, error);
	if (!r)
		r = check_siblings(trial, error);
	return r ?: check_tasks(trial, error);
}

/* --- all of them ------------------------------------------------------------------ */

static int blame(const struct grp_group *group, int r, struct grp_error *error)
{
	char path[GRP_PATH_MAX], reason[sizeof(error->message)];

	if (!error || grp_group_path(group, path, sizeof(path)) < 0)
		return r;
	memcpy(reason, error->message, sizeof(reason));
	return grp_error_set(error, -r, "%s:%.100s: cpuset: %.150s", group->hierarchy->name, path,
			     reason);
}

/* R2: what the ones looked at have, all of them and the exclusive ones. */
struct seen {
	struct grp_mask all[N_KINDS], exclusive[N_KINDS];
};

static int check_beside(struct grp_core *core, const struct grp_group *group, struct seen *seen,
			struct grp_error *error)
{
	const struct grp_cpuset *cpuset = grp_cpuset_of(group);
	struct grp_mask mask;

	for (size_t kind = 0; cpuset && kind < N_KINDS; kind++) {
		const bool exclusive = cpuset->flags & kinds[kind].exclusive;

		reach(core, group, kind, &mask);
		if (grp_mask_overlap(&mask, exclusive ? &seen->all[kind] : &seen->exclusive[kind]))
			return grp_error_set(error, EINVAL,
					     "another group beside it has some of these %s, and "
					     "one of them is exclusive",
					     kinds[kind].what);
		grp_mask_or(&seen->all[kind], &mask);
		if (exclusive)
			grp_mask_or(&seen->exclusive[kind], &mask);
	}
	return 0;
}

static int check_below(struct grp_core *core, struct grp_group *parent, struct grp_error *error)
{
	const struct grp_cpuset *above = grp_cpuset_of(parent);
	struct grp_cpuset_trial trial;
	struct grp_group *child;
	struct seen seen = { 0 };
	int r = 0;

	DL_FOREACH(parent->children, child) {
		if (r || child->dying || !grp_cpuset_of(child))
			continue;
		grp_cpuset_trial_init(&trial, core, child);
		r = check_parent(&trial, error);
		if (!r && above->exclusive_children)
			r = check_beside(core, child, &seen, error);
		if (r)
			r = blame(child, r, error);
	}
	return r;
}

int grp_cpuset_check_all(struct grp_core *core, struct grp_hierarchy *hierarchy,
			 struct grp_error *error)
{
	struct grp_group *root = hierarchy->root, *group = root;
	struct grp_cpuset *cpuset = grp_cpuset_of(root);
	int r = 0;

	for (; !r && cpuset->unchecked && group; group = grp_group_next(root, group))
		r = grp_cpuset_of(group) ? check_below(core, group, error) : 0;
	cpuset->unchecked = false;
	return r;
}
