/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The file `placement`: what became of what a group says, thread by thread, as two passes
 * tell now. Nothing is placed here.
 */
#include <errno.h>
#include <stdlib.h>

#include "core/place_memory_internal.h"
#include "place/inject.h"

/* In the order of the lines of one thread. */
enum subject {
	SUBJECT_CPUS,
	SUBJECT_MEMS,
	SUBJECT_MIGRATE,
};

static const char *const subjects[] = {
	[SUBJECT_CPUS] = "cpus",
	[SUBJECT_MEMS] = "mems",
	[SUBJECT_MIGRATE] = "migrate",
};

struct line {
	pid_t tid;
	enum subject subject;
	const char *reason;
};

struct show {
	struct grp_core *core;
	struct grp_group *group;
	unsigned int n[2][GRP_PLACE_STATES]; /* by subject */
	unsigned int moves;
	struct line *lines;
	size_t n_lines, allocated;
};

static int add_line(struct show *show, pid_t tid, enum subject subject, const char *reason)
{
	if (show->n_lines == show->allocated) {
		size_t n = show->allocated ? 2 * show->allocated : 16;
		void *bigger = reallocarray(show->lines, n, sizeof(*show->lines));

		if (!bigger)
			return -ENOMEM;
		show->lines = bigger;
		show->allocated = n;
	}
	show->lines[show->n_lines++] =
		(struct line){ .tid = tid, .subject = subject, .reason = reason };
	return 0;
}

static int on_placed(const struct grp_place_record *record, void *data)
{
	struct show *show = data;
	enum grp_place_state state;
	int error = 0;

	/* Those that are being born are in no plan. */
	if (record->verdict != GRP_VERDICT_LISTED)
		return 0;
	state = grp_place_state_of(show->core, record, &error);
	show->n[SUBJECT_CPUS][state]++;
	if (state == GRP_PLACE_STATE_PENDING)
		return add_line(show, (pid_t)record->tid, SUBJECT_CPUS, "pending");
	if (state == GRP_PLACE_STATE_REFUSED)
		return add_line(show, (pid_t)record->tid, SUBJECT_CPUS, grp_errno_name(-error));
	return 0;
}

static int on_policy(const struct grp_policy_record *record, void *data)
{
	struct show *show = data;
	const struct grp_memory_task *task =
		grp_memory_find_task(show->core, (pid_t)record->task.tid);
	enum grp_place_result reason = task ? task->reason : GRP_PLACE_DONE;
	enum grp_place_state state = GRP_PLACE_STATE_PENDING;
	struct grp_memory_item item;

	if (record->task.verdict != GRP_VERDICT_LISTED)
		return 0;
	if (!grp_memory_decide(show->core, record, &item)) {
		if (grp_place_of(record->task.place, GRP_PLACE_MEM))
			show->n[SUBJECT_MEMS][GRP_PLACE_STATE_PLACED]++;
		return 0;
	}
	if (reason != GRP_PLACE_DONE && !grp_memory_may_pass(reason))
		state = GRP_PLACE_STATE_REFUSED;
	show->n[SUBJECT_MEMS][state]++;
	return add_line(show, (pid_t)record->task.tid, SUBJECT_MEMS,
			reason == GRP_PLACE_DONE ? "pending" : grp_place_result_name(reason));
}

static int add_moves(struct show *show)
{
	struct grp_memory_move *move, *next;
	int r = 0;

	HASH_ITER(hh, show->core->memory->moves, move, next) {
		if (r || move->group != show->group->id)
			continue;
		show->moves++;
		r = add_line(show, move->tgid, SUBJECT_MIGRATE,
			     move->reason == GRP_PLACE_DONE ? "pending" :
							      grp_place_result_name(move->reason));
	}
	return r;
}

static void plan_group(const struct show *show, uint16_t which)
{
	struct grp_set *set;

	DL_FOREACH2(show->group->sets, set, link[show->group->hierarchy->slot].next)
		if (set->state == GRP_SET_LIVE)
			show->core->plan[set->id] = which;
}

static int look(struct show *show)
{
	struct grp_core *core = show->core;
	int r;

	plan_group(show, GRP_PLAN_ALL);
	r = core->ops->placed(core->kernel, NULL, core->plan, on_placed, show);
	if (!r)
		r = core->ops->policies(core->kernel, NULL, core->plan, on_policy, show);
	plan_group(show, GRP_PLAN_NONE);
	return r ?: add_moves(show);
}

static int compare(const void *a, const void *b)
{
	const struct line *x = a, *y = b;

	return x->tid != y->tid ? (x->tid > y->tid) - (x->tid < y->tid) :
				  (x->subject > y->subject) - (x->subject < y->subject);
}

static int compare_member(const void *key, const void *member)
{
	pid_t a = *(const pid_t *)key, b = ((const struct grp_member *)member)->tid;

	return (a > b) - (a < b);
}

/* As the caller knows it; 0: it does not. */
static pid_t shown_id(const struct grp_members *members, pid_t tid)
{
	const struct grp_member *member = members->n ?
						  bsearch(&tid, members->items, members->n,
							  sizeof(*members->items), compare_member) :
						  NULL;

	return member ? member->ns_tid : 0;
}

static void print(const struct show *show, const struct grp_members *members, FILE *out)
{
	static const char *const states[] = {
		[GRP_PLACE_STATE_PLACED] = "placed",
		[GRP_PLACE_STATE_PENDING] = "pending",
		[GRP_PLACE_STATE_REFUSED] = "refused",
	};
	const struct grp_group_memory *memory = show->group->memory;

	for (unsigned int i = SUBJECT_CPUS; i <= SUBJECT_MEMS; i++)
		for (unsigned int j = GRP_PLACE_STATE_PLACED; j < GRP_PLACE_STATES; j++)
			(void)fprintf(out, "%s_%s %u\n", subjects[i], states[j], show->n[i][j]);
	(void)fprintf(out, "migrate_pending %u\nmigrate_done %llu\nmigrate_pages_left %llu\n",
		      show->moves, memory ? (unsigned long long)memory->migrated : 0,
		      memory ? (unsigned long long)memory->pages_left : 0);
	for (size_t i = 0; i < show->n_lines; i++) {
		const struct line *line = &show->lines[i];
		pid_t id = shown_id(members, line->tid);

		if (id)
			(void)fprintf(out, "task %d %s %s\n", (int)id, subjects[line->subject],
				      line->reason);
	}
}

int grp_placement_print(struct grp_core *core, struct grp_group *group,
			const struct grp_caller *caller, FILE *out)
{
	struct show show = { .core = core, .group = group };
	struct grp_members members = {};
	int r = look(&show);

	if (!r && show.n_lines) {
		qsort(show.lines, show.n_lines, sizeof(*show.lines), compare);
		r = grp_group_members(core, group, false, caller, &members);
	}
	if (!r)
		print(&show, &members, out);
	grp_members_done(&members);
	free(show.lines);
	return r;
}
