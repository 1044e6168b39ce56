/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every group of every hierarchy at one moment: one settling, one walk of the
 * trees, one pass over the tasks for the counts of processes.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/snapshot.h"

#include "core/internal.h"

void grp_snapshot_done(struct grp_snapshot *snapshot)
{
	free(snapshot->rows);
	memset(snapshot, 0, sizeof(*snapshot));
}

/* --- processes: distinct ids among the members of a group ---------------------------------- */

struct pair {
	uint32_t tgid;
	uint32_t group; /* id, or the set while they are collected */
};

struct pairs {
	struct pair *items;
	size_t n, allocated;
};

static int add_pair(struct pairs *pairs, uint32_t tgid, uint32_t group)
{
	if (pairs->n == pairs->allocated) {
		size_t n = pairs->allocated ? 2 * pairs->allocated : 256;
		void *bigger = reallocarray(pairs->items, n, sizeof(*pairs->items));

		if (!bigger)
			return -ENOMEM;
		pairs->items = bigger;
		pairs->allocated = n;
	}
	pairs->items[pairs->n++] = (struct pair){ tgid, group };
	return 0;
}

static int on_record(const struct grp_scan_record *record, void *data)
{
	return record->verdict == GRP_VERDICT_LISTED ? add_pair(data, record->tgid, record->set) :
						       0;
}

static int by_group(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;

	if (x->group != y->group)
		return x->group < y->group ? -1 : 1;
	return (x->tgid > y->tgid) - (x->tgid < y->tgid);
}

static void unique(struct pairs *pairs)
{
	size_t kept = 0;

	if (!pairs->n)
		return;
	qsort(pairs->items, pairs->n, sizeof(*pairs->items), by_group);
	for (size_t i = 0; i < pairs->n; i++)
		if (!kept || by_group(&pairs->items[kept - 1], &pairs->items[i]))
			pairs->items[kept++] = pairs->items[i];
	pairs->n = kept;
}

static uint64_t count_processes(const struct pairs *pairs, uint32_t group)
{
	size_t low = 0, high = pairs->n, n = 0;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (pairs->items[middle].group < group)
			low = middle + 1;
		else
			high = middle;
	}
	while (low + n < pairs->n && pairs->items[low + n].group == group)
		n++;
	return n;
}

/* Pairs of process and set become pairs of process and group of one hierarchy. */
static int project(struct grp_core *core, const struct pairs *sets, unsigned int slot,
		   struct pairs *groups)
{
	int r = 0;

	groups->n = 0;
	for (size_t i = 0; !r && i < sets->n; i++) {
		const struct pair *pair = &sets->items[i];

		if (pair->group < core->view->capacity_sets &&
		    core->sets[pair->group].state != GRP_SET_FREE)
			r = add_pair(groups, pair->tgid,
				     grp_set_group(core, &core->sets[pair->group], slot)->id);
	}
	unique(groups);
	return r;
}

/* The counts of tasks, and the sets of those groups in the plan of which they do not tell. */
static bool count_alone(struct grp_core *core, struct grp_group *const *groups, size_t n,
			uint64_t *counts)
{
	bool more = false;

	for (size_t i = 0; i < n; i++) {
		counts[groups[i]->row] = grp_group_tasks(core, groups[i]);
		if (counts[groups[i]->row] <= 1)
			continue;
		more = true;
		grp_plan_group(core, groups[i], 0);
	}
	return more;
}

static int pass_planned(struct grp_core *core, struct grp_group *const *groups, size_t n,
			struct pairs *sets)
{
	const struct grp_scan_request request = {};
	int r = core->ops->pass(core->kernel, GRP_PASS_LIST, &request, core->plan, on_record, sets);

	for (size_t i = 0; i < n; i++)
		grp_plan_group(core, groups[i], GRP_PLAN_NONE);
	return r;
}

int grp_processes_count(struct grp_core *core, struct grp_group *const *groups, size_t n,
			uint64_t *counts)
{
	struct pairs sets = {}, of_slot = {};
	int r = 0;

	if (!count_alone(core, groups, n, counts))
		return 0;
	r = pass_planned(core, groups, n, &sets);
	unique(&sets);
	for (unsigned int slot = 0; !r && slot < GRP_HIERARCHIES_MAX; slot++) {
		if (!core->slots[slot])
			continue;
		r = project(core, &sets, slot, &of_slot);
		for (size_t i = 0; !r && i < n; i++)
			if (groups[i]->hierarchy->slot == slot && counts[groups[i]->row] > 1)
				counts[groups[i]->row] = count_processes(&of_slot, groups[i]->id);
	}
	free(sets.items);
	free(of_slot.items);
	return r;
}

/* --- rows -------------------------------------------------------------------------------------- */

static uint64_t time_of(const struct grp_core *core, const struct grp_base *base)
{
	uint64_t sum = 0;

	for (unsigned int cpu = 0; cpu < core->view->cpus; cpu++)
		sum += base->cpu[cpu].cell.time_ns;
	return sum;
}

static int fill_row(struct grp_core *core, struct grp_group *group, struct grp_base *sum,
		    struct grp_snapshot_row *row)
{
	int r;

	memset(sum, 0, core->base_size);
	r = grp_usage_own(core, group, sum);
	if (r)
		return r;
	row->group = group;
	row->tasks = grp_group_tasks(core, group);
	row->tree_ns = time_of(core, sum);
	if (!group->dying)
		grp_usage_sum(core, group, false, sum, &row->own);
	memset(sum, 0, core->base_size);
	r = grp_usage_add_base(core, group, GRP_BASE_GONE, sum);
	row->tree_ns += time_of(core, sum);
	return r;
}

/* Children come after their parents: from the end, each adds to its parent. */
static void sum_trees(struct grp_core *core, struct grp_snapshot_row *rows, size_t n,
		      const uint32_t *parents)
{
	for (size_t i = n; i-- > 0;) {
		__u64 *shown = &core->view->shown[rows[i].group->row].tree_ns;

		if (i)
			rows[parents[i]].tree_ns += rows[i].tree_ns;
		if (rows[i].group->dying)
			continue;
		if (*shown < rows[i].tree_ns)
			*shown = rows[i].tree_ns;
		rows[i].tree_ns = *shown;
	}
}

/* Rows of one hierarchy with the removed groups; then only the living are kept. */
static int fill_hierarchy(struct grp_core *core, struct grp_hierarchy *hierarchy,
			  struct grp_base *sum, struct grp_snapshot *snapshot)
{
	struct grp_snapshot_row *rows = snapshot->rows + snapshot->n;
	uint32_t *parents, *path;
	size_t n = 0, kept = 0, total = core->figures.groups + core->figures.dying_groups;
	int r = 0;

	/* path: row of the last group seen at each depth. */
	parents = malloc(2 * (total + 1) * sizeof(*parents));
	if (!parents)
		return -ENOMEM;
	path = parents + total + 1;
	for (struct grp_group *g = hierarchy->root; !r && g;
	     g = grp_group_next_any(hierarchy->root, g)) {
		unsigned int depth = grp_group_depth(g);

		r = fill_row(core, g, sum, &rows[n]);
		parents[n] = depth ? path[depth - 1] : 0;
		path[depth] = n++;
	}
	if (!r && n)
		sum_trees(core, rows, n, parents);
	for (size_t i = 0; !r && i < n; i++)
		if (!rows[i].group->dying)
			rows[kept++] = rows[i];
	free(parents);
	snapshot->n += kept;
	return r;
}

static int fill_snapshot(struct grp_core *core, struct grp_base *sum, struct grp_snapshot *snapshot)
{
	struct pairs sets = {}, groups = {};
	int r = core->ops->pass(core->kernel, GRP_PASS_LIST, NULL, NULL, on_record, &sets);

	unique(&sets);
	for (unsigned int slot = 0; !r && slot < GRP_HIERARCHIES_MAX; slot++) {
		size_t first = snapshot->n;

		if (!core->slots[slot])
			continue;
		r = fill_hierarchy(core, core->slots[slot], sum, snapshot);
		if (!r)
			r = project(core, &sets, slot, &groups);
		for (size_t i = first; !r && i < snapshot->n; i++)
			snapshot->rows[i].processes =
				count_processes(&groups, snapshot->rows[i].group->id);
	}
	free(sets.items);
	free(groups.items);
	return r;
}

int grp_snapshot_take(struct grp_core *core, struct grp_snapshot *ret_snapshot)
{
	size_t total = core->figures.groups + core->figures.dying_groups;
	struct grp_snapshot snapshot = { .rows = calloc(total, sizeof(*snapshot.rows)) };
	struct grp_base *sum = calloc(1, core->base_size);
	int r = snapshot.rows && sum ? grp_core_settle(core) : -ENOMEM;

	if (!r)
		r = fill_snapshot(core, sum, &snapshot);
	free(sum);
	if (r) {
		grp_snapshot_done(&snapshot);
		return r;
	}
	*ret_snapshot = snapshot;
	return 0;
}
