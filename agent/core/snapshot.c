/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Figures of every group of every hierarchy, in pieces: one settling, one walk of the
 * trees and one pass over the tasks for all counts, then the times from the last group
 * to the first.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/snapshot.h"

#include "core/internal.h"

/* Of a step: some dozen microseconds. */
#define ROWS_AT_ONCE 32
/* So often it begins again because of a removed group; then it is done in one piece. */
#define TRIES 3

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
	row->tree_ns += time_of(core, sum);
	if (!group->dying)
		grp_usage_sum(core, group, false, sum, &row->own);
	memset(sum, 0, core->base_size);
	r = grp_usage_add_base(core, group, GRP_BASE_GONE, sum);
	row->tree_ns += time_of(core, sum);
	return r;
}

/*
 * Children come after their parents: from the end, each adds to its parent. A hierarchy
 * that was removed meanwhile has no groups any more.
 */
static int make_row(struct grp_snapshot *snapshot, size_t index)
{
	struct grp_snapshot_row *row = &snapshot->rows[index];
	struct grp_group *group = grp_group_by_id(snapshot->core, row->group);
	__u64 *shown;
	int r;

	row->group = 0;
	if (!group)
		return 0;
	r = fill_row(snapshot->core, group, snapshot->sum, row);
	if (r)
		return r;
	if (group->parent)
		snapshot->rows[row->parent].tree_ns += row->tree_ns;
	if (group->dying)
		return 0;
	row->group = group->id;
	shown = &snapshot->core->view->shown[group->row].tree_ns;
	if (*shown < row->tree_ns)
		*shown = row->tree_ns;
	row->tree_ns = *shown;
	return 0;
}

/* --- what is known at the beginning -------------------------------------------------------------- */

/* Rows of one hierarchy with the removed groups. @path: row of the last group at each depth. */
static void list_hierarchy(struct grp_core *core, struct grp_hierarchy *hierarchy, uint32_t *path,
			   struct grp_snapshot *snapshot)
{
	for (struct grp_group *g = hierarchy->root; g; g = grp_group_next_any(hierarchy->root, g)) {
		unsigned int depth = grp_group_depth(g);

		path[depth] = (uint32_t)snapshot->n;
		snapshot->rows[snapshot->n++] = (struct grp_snapshot_row){
			.group = g->id,
			.parent = depth ? path[depth - 1] : 0,
			.tasks = grp_group_tasks(core, g),
		};
	}
}

static int list_groups(struct grp_snapshot *snapshot, uint32_t *path)
{
	struct grp_core *core = snapshot->core;
	struct pairs sets = {}, groups = {};
	int r = core->ops->pass(core->kernel, GRP_PASS_LIST, NULL, NULL, on_record, &sets);

	unique(&sets);
	for (unsigned int slot = 0; !r && slot < GRP_HIERARCHIES_MAX; slot++) {
		size_t first = snapshot->n;

		if (!core->slots[slot])
			continue;
		list_hierarchy(core, core->slots[slot], path, snapshot);
		r = project(core, &sets, slot, &groups);
		for (size_t i = first; !r && i < snapshot->n; i++)
			snapshot->rows[i].processes =
				count_processes(&groups, snapshot->rows[i].group);
	}
	free(sets.items);
	free(groups.items);
	return r;
}

static int begin(struct grp_snapshot *snapshot)
{
	struct grp_core *core = snapshot->core;
	size_t total = core->figures.groups + core->figures.dying_groups;
	uint32_t *path = malloc((total + 1) * sizeof(*path));
	int r;

	free(snapshot->rows);
	snapshot->rows = calloc(total + 1, sizeof(*snapshot->rows));
	snapshot->n = 0;
	snapshot->handed_up = core->handed_up;
	snapshot->tries++;
	r = path && snapshot->rows ? grp_core_settle(core) : -ENOMEM;
	if (!r)
		r = list_groups(snapshot, path);
	free(path);
	snapshot->unmade = snapshot->n;
	return r;
}

/* Only what is there to be shown is kept. */
static void finish(struct grp_snapshot *snapshot)
{
	size_t kept = 0;

	for (size_t i = 0; i < snapshot->n; i++)
		if (snapshot->rows[i].group)
			snapshot->rows[kept++] = snapshot->rows[i];
	snapshot->n = kept;
}

/* --- for others ----------------------------------------------------------------------------------- */

int grp_snapshot_begin(struct grp_core *core, struct grp_snapshot *ret_snapshot)
{
	struct grp_snapshot snapshot = { .core = core, .sum = calloc(1, core->base_size) };
	int r = snapshot.sum ? begin(&snapshot) : -ENOMEM;

	if (r)
		grp_snapshot_done(&snapshot);
	else
		*ret_snapshot = snapshot;
	return r;
}

int grp_snapshot_step(struct grp_snapshot *snapshot)
{
	size_t rows = snapshot->tries < TRIES ? ROWS_AT_ONCE : SIZE_MAX;
	int r = 0;

	/* What it had used is its parent's now, and may be in a row of its own already. */
	if (snapshot->handed_up != snapshot->core->handed_up) {
		r = begin(snapshot);
		rows = snapshot->tries < TRIES ? 0 : SIZE_MAX;
	}
	for (; !r && snapshot->unmade && rows; rows--)
		r = make_row(snapshot, --snapshot->unmade);
	if (r || snapshot->unmade)
		return r ?: 1;
	finish(snapshot);
	return 0;
}

void grp_snapshot_done(struct grp_snapshot *snapshot)
{
	free(snapshot->rows);
	free(snapshot->sum);
	memset(snapshot, 0, sizeof(*snapshot));
}
