/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A listing in pieces, see census.h. The kernel's iterator goes by number and stands
 * where it was at the next step. A task that exits after it was seen is told, as it
 * would be by a walk in one piece; one that we move may be seen in both groups or in
 * none, so each of these is found once more after the walk.
 */
#include "core/census.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "core/internal.h"

/* Moved threads that are remembered; after more the walk begins again. */
#define MOVED_MAX 4096
/* So often; then it is done in one piece. */
#define WALKS 3
/* Of a step: each may take as long as a pass of its own. */
#define AGAIN_AT_ONCE 32

struct grp_census {
	struct grp_core *core;
	uint32_t group; /* id */
	bool recursive;
	uint32_t pidns;
	unsigned int walks;
	void *scan; /* NULL: the walk is over */
	struct grp_members members;
	size_t sorted; /* of members; those behind were found again */
	pid_t *moved; /* owned */
	size_t n_moved;
	bool overrun; /* more than there is room for */
	struct grp_census *prev, *next; /* of those under way */
};

/* --- who is in it --------------------------------------------------------------------- */

static struct grp_group *find_group(const struct grp_census *census)
{
	struct grp_group *group = grp_group_by_id(census->core, census->group);

	return group && !group->dying ? group : NULL;
}

/* NULL: the member is not in what is listed. */
static const struct grp_group *listed_in(const struct grp_census *census,
					 const struct grp_group *top,
					 const struct grp_member *member)
{
	const struct grp_group *group = grp_member_group(census->core, member, top->hierarchy), *at;

	for (at = group; at && at != top; at = at->parent)
		if (!census->recursive)
			return NULL;
	return at ? group : NULL;
}

static int add(const struct grp_scan_record *record, void *data)
{
	struct grp_census *census = data;
	const struct grp_group *top = find_group(census), *group;
	struct grp_member *member;
	int r;

	/* One that is being born joins its parent's set a moment later (TASK-3). */
	if (record->verdict != GRP_VERDICT_LISTED || !top)
		return 0;
	r = grp_members_add(census->core, &census->members, record);
	if (r)
		return r;
	member = &census->members.items[census->members.n - 1];
	group = listed_in(census, top, member);
	if (group)
		member->group = group->id;
	else
		census->members.n--;
	return 0;
}

static int by_tid(const void *a, const void *b)
{
	const struct grp_member *x = a, *y = b;

	return (x->tid > y->tid) - (x->tid < y->tid);
}

/* The kernel goes by number, so that there is nothing to do but for those found again. */
static void sort(struct grp_members *members)
{
	size_t i = 1;

	while (i < members->n && members->items[i - 1].tid < members->items[i].tid)
		i++;
	if (i < members->n)
		qsort(members->items, members->n, sizeof(*members->items), by_tid);
}

/* --- the walk ------------------------------------------------------------------------- */

static void mark_plan(struct grp_core *core, const struct grp_census *census,
		      const struct grp_group *top, uint16_t mark)
{
	const struct grp_group *g = top;

	for (; g; g = census->recursive ? grp_group_next(top, g) : NULL)
		grp_plan_group(core, g, mark);
}

static int walk(struct grp_census *census)
{
	const struct grp_scan_request request = { .pidns = census->pidns };
	struct grp_core *core = census->core;
	const struct grp_group *top = find_group(census);
	/* Most are wanted, or no plan is cheaper than one for all. */
	bool all = census->recursive && !top->parent;
	int r;

	if (!all)
		mark_plan(core, census, top, 0);
	r = core->ops->scan_step(core->kernel, census->scan, &request, all ? NULL : core->plan, add,
				 census);
	if (!all)
		mark_plan(core, census, top, GRP_PLAN_NONE);
	if (r)
		return r;
	core->ops->scan_close(core->kernel, census->scan);
	census->scan = NULL;
	sort(&census->members);
	census->sorted = census->members.n;
	return 1;
}

/* Too much has happened. */
static int begin_again(struct grp_census *census)
{
	struct grp_core *core = census->core;
	const struct grp_scan_request request = { .pidns = census->pidns };
	int r;

	census->members.n = census->sorted = census->n_moved = 0;
	census->overrun = false;
	if (census->scan)
		core->ops->scan_close(core->kernel, census->scan);
	census->scan = NULL;
	if (++census->walks < WALKS)
		return core->ops->scan_open(core->kernel, &census->scan) ?: 1;
	r = core->ops->pass(core->kernel, GRP_PASS_LIST, &request, NULL, add, census);
	sort(&census->members);
	census->sorted = census->members.n;
	return r ?: 1;
}

/* --- those that were moved meanwhile ------------------------------------------------------ */

/* What is known of it is not so any more. */
static void forget(struct grp_census *census, pid_t tid)
{
	const struct grp_member key = { .tid = tid };
	struct grp_members *members = &census->members;
	struct grp_member *seen = NULL;

	if (census->sorted)
		seen = bsearch(&key, members->items, census->sorted, sizeof(key), by_tid);
	for (size_t i = census->sorted; !seen && i < members->n; i++)
		if (members->items[i].tid == tid)
			seen = &members->items[i];
	/* Its number stays, which the order goes by. */
	if (seen)
		seen->group = 0;
}

static int look_again(struct grp_census *census)
{
	struct grp_core *core = census->core;
	int r = 0;

	for (unsigned int i = 0; !r && census->n_moved && i < AGAIN_AT_ONCE; i++) {
		const struct grp_scan_request request = { .tid = census->moved[--census->n_moved],
							  .pidns = census->pidns };

		forget(census, (pid_t)request.tid);
		r = core->ops->pass(core->kernel, GRP_PASS_LIST, &request, NULL, add, census);
		/* It has ended. */
		if (r == -ESRCH || r == -EINVAL)
			r = 0;
	}
	return r ?: 1;
}

/* The last piece of work: out with those that have left, and into order. */
static void finish(struct grp_census *census)
{
	struct grp_members *members = &census->members;
	size_t kept = 0;

	for (size_t i = 0; i < members->n; i++) {
		if (!members->items[i].group)
			continue;
		if (kept != i)
			members->items[kept] = members->items[i];
		kept++;
	}
	members->n = kept;
	sort(members);
}

/* --- for others -------------------------------------------------------------------------- */

int grp_census_new(struct grp_core *core, const struct grp_group *group, bool recursive,
		   uint32_t pidns, struct grp_census **ret_census)
{
	struct grp_census *census = calloc(1, sizeof(*census));
	int r = -ENOMEM;

	if (census) {
		*census = (struct grp_census){
			.core = core, .group = group->id, .recursive = recursive, .pidns = pidns
		};
		census->moved = calloc(MOVED_MAX, sizeof(*census->moved));
		if (census->moved)
			r = core->ops->scan_open(core->kernel, &census->scan);
	}
	if (r) {
		free(census ? census->moved : NULL);
		free(census);
		return r;
	}
	DL_APPEND(core->censuses, census);
	*ret_census = census;
	return 0;
}

int grp_census_step(struct grp_census *census)
{
	if (!find_group(census))
		return -ENOENT;
	if (census->overrun)
		return begin_again(census);
	if (census->scan)
		return walk(census);
	if (census->n_moved)
		return look_again(census);
	finish(census);
	return 0;
}

struct grp_members *grp_census_members(struct grp_census *census)
{
	return &census->members;
}

void grp_census_free(struct grp_census *census)
{
	if (!census)
		return;
	DL_DELETE(census->core->censuses, census);
	if (census->scan)
		census->core->ops->scan_close(census->core->kernel, census->scan);
	grp_members_done(&census->members);
	free(census->moved);
	free(census);
}

void grp_census_note(struct grp_core *core, pid_t tid)
{
	struct grp_census *census;

	DL_FOREACH(core->censuses, census) {
		if (census->n_moved == MOVED_MAX)
			census->overrun = true;
		else
			census->moved[census->n_moved++] = tid;
	}
}
