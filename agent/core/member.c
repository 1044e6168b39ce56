/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From groups to tasks and back: lists of members by one pass of the kernel's
 * iterator, never by a walk over /proc.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/internal.h"

void grp_members_done(struct grp_members *members)
{
	free(members->items);
	memset(members, 0, sizeof(*members));
}

struct collect {
	struct grp_core *core;
	struct grp_members *members;
};

static void fill(struct grp_core *core, const struct grp_scan_record *record,
		 struct grp_member *ret)
{
	unsigned int set = record->set < core->view->capacity_sets ? record->set : GRP_SET_ROOT;

	*ret = (struct grp_member){
		.tid = record->tid,
		.tgid = record->tgid,
		.ns_tid = record->ns_tid,
		.ns_tgid = record->ns_tgid,
		.uid = record->uid,
		.suid = record->suid,
		.exiting = record->verdict == GRP_VERDICT_EXITING,
		.unborn = record->verdict == GRP_VERDICT_UNBORN,
		.fixed = record->kind & GRP_TASK_FIXED,
		.nr_threads = record->nr_threads,
		.cpu_ns = record->time_ns,
		.start_ns = record->start_ns,
		.idle_ns = record->idle_ns,
		.set = &core->sets[set],
	};
	memcpy(ret->comm, record->comm, sizeof(ret->comm) - 1);
}

int grp_members_add(struct grp_core *core, struct grp_members *members,
		    const struct grp_scan_record *record)
{
	if (members->n == members->allocated) {
		size_t n = members->allocated ? 2 * members->allocated : 64;
		void *bigger = reallocarray(members->items, n, sizeof(*members->items));

		if (!bigger)
			return -ENOMEM;
		members->items = bigger;
		members->allocated = n;
	}
	fill(core, record, &members->items[members->n++]);
	return 0;
}

static int add(const struct grp_scan_record *record, void *data)
{
	struct collect *collect = data;

	/* One that is being born joins its parent's set a moment later (TASK-3). */
	if (record->verdict != GRP_VERDICT_LISTED)
		return 0;
	return grp_members_add(collect->core, collect->members, record);
}

void grp_plan_group(struct grp_core *core, const struct grp_group *group, uint16_t mark)
{
	struct grp_set *set;

	DL_FOREACH2(group->sets, set, link[group->hierarchy->slot].next)
		core->plan[set->id] = mark;
}

static int by_tid(const void *a, const void *b)
{
	const struct grp_member *x = a, *y = b;

	return (x->tid > y->tid) - (x->tid < y->tid);
}

int grp_group_members(struct grp_core *core, const struct grp_group *group, bool recursive,
		      const struct grp_caller *caller, struct grp_members *members)
{
	const struct grp_scan_request request = { .pidns = caller ? caller->pidns : 0 };
	struct collect collect = { .core = core, .members = members };
	int r;

	for (const struct grp_group *g = group; g; g = recursive ? grp_group_next(group, g) : NULL)
		grp_plan_group(core, g, 0);
	r = core->ops->pass(core->kernel, GRP_PASS_LIST, &request, core->plan, add, &collect);
	for (const struct grp_group *g = group; g; g = recursive ? grp_group_next(group, g) : NULL)
		grp_plan_group(core, g, GRP_PLAN_NONE);
	if (members->n)
		qsort(members->items, members->n, sizeof(*members->items), by_tid);
	return r;
}

/* The leader first: it is the one that is kept. */
static int by_tgid(const void *a, const void *b)
{
	const struct grp_member *x = a, *y = b;
	int order = (x->tgid > y->tgid) - (x->tgid < y->tgid);

	return order ?: (x->tid != x->tgid) - (y->tid != y->tgid) ?: by_tid(a, b);
}

void grp_members_processes(struct grp_members *members)
{
	size_t kept = 0;

	if (!members->n)
		return;
	qsort(members->items, members->n, sizeof(*members->items), by_tgid);
	for (size_t i = 0; i < members->n; i++) {
		struct grp_member *item = &members->items[i];

		if (kept && members->items[kept - 1].tgid == item->tgid) {
			members->items[kept - 1].cpu_ns += item->cpu_ns;
			continue;
		}
		item->tid = item->tgid;
		item->ns_tid = item->ns_tgid;
		members->items[kept++] = *item;
	}
	members->n = kept;
}

/* --- one task -------------------------------------------------------------------------- */

int grp_task_members(struct grp_core *core, pid_t tid, pid_t tgid, struct grp_members *members)
{
	const struct grp_scan_request request = { .tid = tid, .tgid = tid ? 0 : tgid };
	struct collect collect = { .core = core, .members = members };

	return core->ops->pass(core->kernel, GRP_PASS_LIST, &request, NULL, add, &collect);
}

struct find {
	struct grp_core *core;
	struct grp_member *member;
	bool found;
};

static int take(const struct grp_scan_record *record, void *data)
{
	struct find *find = data;

	fill(find->core, record, find->member);
	find->found = true;
	return 0;
}

int grp_task_find(struct grp_core *core, const struct grp_task_id *id,
		  const struct grp_caller *caller, struct grp_member *ret_member)
{
	const struct grp_scan_request request = { .tid = id->tid,
						  .pidns = caller ? caller->pidns : 0 };
	struct grp_member member = {};
	struct find find = { .core = core, .member = &member };
	uint64_t ticks_per_s = sysconf(_SC_CLK_TCK);
	int r;

	if (id->tid <= 0)
		return -ESRCH;
	r = core->ops->pass(core->kernel, GRP_PASS_LIST, &request, NULL, take, &find);
	/* The iterator says so itself when there is no such task. */
	if (r == -ESRCH || r == -EINVAL || (!r && !find.found))
		return -ESRCH;
	if (r)
		return r;
	if (id->start_ticks && member.start_ns / (1000000000 / ticks_per_s) != id->start_ticks)
		return -ESRCH;
	*ret_member = member;
	return 0;
}

struct resolve {
	uint32_t wanted;
	pid_t tid;
};

static int resolve(const struct grp_scan_record *record, void *data)
{
	struct resolve *search = data;

	if (record->ns_tid == search->wanted)
		search->tid = record->tid;
	return 0;
}

int grp_task_resolve(struct grp_core *core, const struct grp_caller *caller, pid_t id,
		     pid_t *ret_tid)
{
	const struct grp_scan_request request = { .pidns = caller->pidns };
	struct resolve search = { .wanted = id };
	int r;

	if (!caller->pidns) {
		*ret_tid = id;
		return 0;
	}
	if (id <= 0)
		return -ESRCH;
	r = core->ops->pass(core->kernel, GRP_PASS_LIST, &request, NULL, resolve, &search);
	if (r)
		return r;
	if (!search.tid)
		return -ESRCH;
	*ret_tid = search.tid;
	return 0;
}

struct grp_group *grp_member_group(struct grp_core *core, const struct grp_member *member,
				   const struct grp_hierarchy *hierarchy)
{
	struct grp_group *group = hierarchy->root;

	if (member->set->state != GRP_SET_FREE)
		group = grp_set_group(core, member->set, hierarchy->slot);
	while (group->dying && group->parent)
		group = group->parent;
	return group;
}
