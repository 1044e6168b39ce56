/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Figures of every group of every hierarchy, in pieces: the tasks for the counts of
 * processes, one settling and one walk of the trees, then the times from the last group
 * to the first.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/snapshot.h"

#include "core/internal.h"
#include "core/processes.h"

/* Of a step: some dozen microseconds. */
#define ROWS_AT_ONCE 32
/* Of what the list is put into: memory that is used for the first time takes its time. */
#define ROOM_AT_ONCE 2048

/* What is noted of all groups in one step: little, and into memory that was used before. */
struct grp_snapshot_listed {
	struct grp_group_ref group;
	uint32_t parent; /* index; of a root: 0 */
	uint32_t tasks;
	uint64_t tree_ns; /* of the groups below it, as far as these are made; made: with its own */
};

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
	struct grp_snapshot_listed *listed = &snapshot->listed[index];
	struct grp_group *group = grp_group_at(snapshot->core, listed->group);
	struct grp_snapshot_row *row = &snapshot->rows[index];
	__u64 *shown;
	int r;

	*row = (struct grp_snapshot_row){ .tasks = listed->tasks, .tree_ns = listed->tree_ns };
	if (!group)
		return 0;
	r = fill_row(snapshot->core, group, snapshot->sum, row);
	if (r)
		return r;
	listed->tree_ns = row->tree_ns;
	if (group->parent)
		snapshot->listed[listed->parent].tree_ns += row->tree_ns;
	if (group->dying)
		return 0;
	row->group = listed->group;
	row->processes = grp_processes_of(snapshot->processes, group, row->tasks);
	shown = &snapshot->core->view->shown[group->row].tree_ns;
	if (*shown < row->tree_ns)
		*shown = row->tree_ns;
	row->tree_ns = *shown;
	return 0;
}

/* --- what is known at the beginning -------------------------------------------------------------- */

/* One hierarchy with the removed groups. @path: index of the last group at each depth. */
static void list_hierarchy(struct grp_snapshot *snapshot, struct grp_hierarchy *hierarchy,
			   uint32_t *path)
{
	for (struct grp_group *g = hierarchy->root; g; g = grp_group_next_any(hierarchy->root, g)) {
		unsigned int depth = grp_group_depth(g);

		path[depth] = (uint32_t)snapshot->n;
		snapshot->listed[snapshot->n++] = (struct grp_snapshot_listed){
			.group = grp_group_ref(g),
			.parent = depth ? path[depth - 1] : 0,
			.tasks = (uint32_t)grp_group_tasks(snapshot->core, g),
		};
	}
}

static size_t all_groups(const struct grp_core *core)
{
	return core->figures.groups + core->figures.dying_groups;
}

/* Return: whether there is more to do before the list. */
static bool make_room(struct grp_snapshot *snapshot)
{
	size_t left = snapshot->room - snapshot->ready;
	size_t n = left < ROOM_AT_ONCE ? left : ROOM_AT_ONCE;

	if (!left)
		return false;
	memset(&snapshot->listed[snapshot->ready], 0, n * sizeof(*snapshot->listed));
	snapshot->ready += n;
	return snapshot->ready < snapshot->room;
}

/* Of those that were made since the beginning as well. */
static int enlarge(struct grp_snapshot *snapshot, size_t total)
{
	struct grp_snapshot_listed *listed;

	if (total <= snapshot->room)
		return 0;
	listed = reallocarray(snapshot->listed, total, sizeof(*listed));
	if (!listed)
		return -ENOMEM;
	snapshot->listed = listed;
	snapshot->room = snapshot->ready = total;
	return 0;
}

static int list_groups(struct grp_snapshot *snapshot)
{
	struct grp_core *core = snapshot->core;
	size_t total = all_groups(core);
	uint32_t *path = malloc((total + 1) * sizeof(*path));
	int r;

	snapshot->rows = reallocarray(NULL, total + 1, sizeof(*snapshot->rows));
	snapshot->n = 0;
	snapshot->listing = false;
	r = path && snapshot->rows ? enlarge(snapshot, total) : -ENOMEM;
	if (!r)
		r = grp_core_settle(core);
	for (unsigned int slot = 0; !r && slot < GRP_HIERARCHIES_MAX; slot++)
		if (core->slots[slot])
			list_hierarchy(snapshot, core->slots[slot], path);
	free(path);
	snapshot->unmade = snapshot->n;
	return r;
}

/* It is not told any more of what is folded. */
static void leave(struct grp_snapshot *snapshot)
{
	struct grp_snapshot **at = &snapshot->core->snapshots;

	while (*at && *at != snapshot)
		at = &(*at)->next;
	if (*at)
		*at = snapshot->next;
}

/* Only what is there to be shown is kept. */
static void finish(struct grp_snapshot *snapshot)
{
	size_t kept = 0;

	leave(snapshot);
	for (size_t i = 0; i < snapshot->n; i++)
		if (snapshot->rows[i].group.id && i != kept++)
			snapshot->rows[kept - 1] = snapshot->rows[i];
	snapshot->n = kept;
	free(snapshot->listed);
	snapshot->listed = NULL;
	grp_processes_free(snapshot->processes);
	snapshot->processes = NULL;
}

/* --- for others ----------------------------------------------------------------------------------- */

int grp_snapshot_begin(struct grp_core *core, struct grp_snapshot *ret_snapshot)
{
	struct grp_snapshot snapshot = { .core = core,
					 .counting = true,
					 .sum = calloc(1, core->base_size) };
	int r = snapshot.sum ? enlarge(&snapshot, all_groups(core)) : -ENOMEM;

	snapshot.ready = 0;
	if (!r)
		r = grp_processes_new(core, NULL, 0, &snapshot.processes);
	if (r) {
		grp_snapshot_done(&snapshot);
		return r;
	}
	snapshot.next = core->snapshots;
	*ret_snapshot = snapshot;
	core->snapshots = ret_snapshot;
	return 0;
}

static int count(struct grp_snapshot *snapshot)
{
	int r = grp_processes_step(snapshot->processes);

	snapshot->counting = r > 0;
	return r;
}

int grp_snapshot_step(struct grp_snapshot *snapshot)
{
	size_t rows = ROWS_AT_ONCE;
	int r = 0;

	if (make_room(snapshot))
		return 1;
	if (snapshot->counting)
		r = count(snapshot);
	if (r)
		return r;
	if (!snapshot->rows && !snapshot->listing) {
		snapshot->listing = true;
		return GRP_SNAPSHOT_LONG;
	}
	if (snapshot->listing)
		r = list_groups(snapshot);
	for (; !r && snapshot->unmade && rows; rows--)
		r = make_row(snapshot, --snapshot->unmade);
	if (r || snapshot->unmade)
		return r ?: 1;
	finish(snapshot);
	return 0;
}

void grp_snapshot_done(struct grp_snapshot *snapshot)
{
	if (snapshot->core)
		leave(snapshot);
	grp_processes_free(snapshot->processes);
	free(snapshot->rows);
	free(snapshot->listed);
	free(snapshot->sum);
	memset(snapshot, 0, sizeof(*snapshot));
}

/*
 * A parent's row is made of what it has from removed groups and of the rows of the others below
 * it: what was added of this one is taken away again.
 */
void grp_snapshots_folded(struct grp_core *core, const struct grp_group *group)
{
	for (struct grp_snapshot *at = core->snapshots; at; at = at->next) {
		const struct grp_snapshot_listed *listed = at->listed + at->unmade;
		const struct grp_snapshot_listed *end = at->listed + at->n;

		while (listed < end && listed->group.id != group->id)
			listed++;
		if (listed < end && listed->parent < at->unmade)
			at->listed[listed->parent].tree_ns -= listed->tree_ns;
	}
}
