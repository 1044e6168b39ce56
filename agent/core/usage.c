/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Usage: summing sets into groups and groups into subtrees, when somebody reads.
 *
 *   own(group)  = its sets' cells + what folded sets have left
 *   tree(group) = own + tree of all children, removed ones too, + what dropped
 *                 groups below have left
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/internal.h"

int grp_usage_add_base(struct grp_core *core, struct grp_group *group, enum grp_base_kind kind,
		       struct grp_base *to)
{
	int r;

	if ((group->base_known & (1 << kind)) && !(group->base_has & (1 << kind)))
		return 0;
	r = grp_base_load(core, group, kind, core->base);
	if (r)
		return r;
	for (unsigned int cpu = 0; cpu < core->view->cpus; cpu++)
		grp_base_add_cpu(&to->cpu[cpu], &core->base->cpu[cpu]);
	to->forks += core->base->forks;
	to->execs += core->base->execs;
	to->exits += core->base->exits;
	return 0;
}

int grp_usage_own(struct grp_core *core, struct grp_group *group, struct grp_base *to)
{
	struct grp_set *set;

	DL_FOREACH2(group->sets, set, link[group->hierarchy->slot].next)
		grp_base_add_set(core, set, to);
	return grp_usage_add_base(core, group, GRP_BASE_OWN, to);
}

static int add_usage(struct grp_core *core, struct grp_group *group, bool subtree,
		     struct grp_base *to)
{
	struct grp_group *g = group;
	int r;

	if (!subtree)
		return grp_usage_own(core, group, to);
	for (; g; g = grp_group_next_any(group, g)) {
		r = grp_usage_own(core, g, to);
		if (!r)
			r = grp_usage_add_base(core, g, GRP_BASE_GONE, to);
		if (r)
			return r;
	}
	return 0;
}

int grp_usage_percpu(struct grp_core *core, const struct grp_group *group, bool subtree,
		     struct grp_base_cpu *ret_cpus)
{
	struct grp_base *sum = calloc(1, core->base_size);
	int r = sum ? 0 : -ENOMEM;

	if (!r)
		r = add_usage(core, (struct grp_group *)group, subtree, sum);
	if (!r)
		memcpy(ret_cpus, sum->cpu, core->view->cpus * sizeof(*ret_cpus));
	free(sum);
	return r;
}

/* --- values that are shown --------------------------------------------------------------- */

static uint64_t raise_to(__u64 *shown, uint64_t value)
{
	if (*shown < value)
		*shown = value;
	return *shown;
}

/*
 * User and system time are counted by ticks, the total is exact: they are scaled
 * so that they add up to it, and neither ever falls. The kernel does the same for
 * its own figures.
 */
static void split(struct grp_usage *usage, __u64 *shown_user, __u64 *shown_system)
{
	uint64_t user = usage->raw_user_ns, system = usage->raw_system_ns, total = usage->time_ns;

	if (user + system)
		system = (unsigned __int128)system * total / (user + system);
	if (system < *shown_system)
		system = *shown_system < total ? *shown_system : total;
	user = total - system;
	if (user < *shown_user) {
		user = *shown_user < total ? *shown_user : total;
		system = total - user;
	}
	usage->user_ns = raise_to(shown_user, user);
	usage->system_ns = raise_to(shown_system, system);
}

void grp_usage_sum(struct grp_core *core, const struct grp_group *group, bool subtree,
		   const struct grp_base *base, struct grp_usage *ret)
{
	struct grp_shown *shown = &core->view->shown[group->row];
	struct grp_usage usage = { .forks = base->forks,
				   .execs = base->execs,
				   .exits = base->exits };

	for (unsigned int cpu = 0; cpu < core->view->cpus; cpu++) {
		const struct grp_base_cpu *from = &base->cpu[cpu];

		usage.time_ns += from->cell.time_ns;
		usage.voluntary += from->cell.voluntary;
		usage.involuntary += from->cell.involuntary;
		usage.migrations += from->cell.migrations;
		usage.raw_user_ns += from->mode.user_ns;
		usage.raw_system_ns += from->mode.system_ns;
	}
	usage.time_ns = raise_to(subtree ? &shown->tree_ns : &shown->own_ns, usage.time_ns);
	if (subtree)
		split(&usage, &shown->tree_user_ns, &shown->tree_system_ns);
	else
		split(&usage, &shown->own_user_ns, &shown->own_system_ns);
	*ret = usage;
}

int grp_usage_read(struct grp_core *core, const struct grp_group *group, bool subtree,
		   struct grp_usage *ret_usage)
{
	struct grp_base *sum = calloc(1, core->base_size);
	int r = sum ? 0 : -ENOMEM;

	if (!r)
		r = add_usage(core, (struct grp_group *)group, subtree, sum);
	if (!r)
		grp_usage_sum(core, group, subtree, sum, ret_usage);
	free(sum);
	return r;
}

/* --- baseline -------------------------------------------------------------------------------- */

int grp_usage_baseline(struct grp_core *core, const struct grp_group *group,
		       struct grp_base_cpu *ret_cpus)
{
	int r = grp_base_load(core, (struct grp_group *)group, GRP_BASE_RESET, core->base);

	if (!r)
		memcpy(ret_cpus, core->base->cpu, core->view->cpus * sizeof(*ret_cpus));
	return r;
}

/* One update of one record: there is nothing to recover. */
int grp_usage_reset(struct grp_core *core, const struct grp_group *group)
{
	struct grp_base *sum = calloc(1, core->base_size);
	int r = sum ? grp_core_settle(core) : -ENOMEM;

	if (!r)
		r = add_usage(core, (struct grp_group *)group, true, sum);
	if (!r)
		r = grp_base_store(core, (struct grp_group *)group, GRP_BASE_RESET, sum);
	free(sum);
	return r;
}

/* --- counts of members -------------------------------------------------------------------------- */

uint64_t grp_group_tasks(struct grp_core *core, const struct grp_group *group)
{
	const struct grp_set *set;
	uint64_t sum = 0;

	DL_FOREACH2(group->sets, set, link[group->hierarchy->slot].next)
		sum += grp_set_members(core, set);
	return sum;
}

uint64_t grp_set_tasks(const struct grp_core *core, const struct grp_set *set)
{
	return grp_set_members(core, set);
}

uint64_t grp_group_refcount(struct grp_core *core, const struct grp_group *group)
{
	uint64_t sum = (uint64_t)group->n_children + group->references;
	const struct grp_set *set;

	DL_FOREACH2(group->sets, set, link[group->hierarchy->slot].next)
		sum += grp_set_members(core, set) > 0;
	return sum;
}

uint64_t grp_group_chargers(struct grp_core *core, const struct grp_group *group)
{
	const struct grp_set *set;
	int64_t sum = 0;

	DL_FOREACH2(group->sets, set, link[group->hierarchy->slot].next)
		sum += __atomic_load_n(&grp_set_count(core, set)->chargers, __ATOMIC_ACQUIRE);
	return sum > 0 ? sum : 0;
}

uint64_t grp_group_subtree_tasks(struct grp_core *core, const struct grp_group *group)
{
	uint64_t sum = 0;

	for (const struct grp_group *g = group; g; g = grp_group_next(group, g))
		sum += grp_group_tasks(core, g);
	return sum;
}
