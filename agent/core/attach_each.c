/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * See attach_each.h: one call of the kernel's for all that need nothing but the swap. Each of
 * these has moved or has not, whoever is killed when; so the journal has one intent for all,
 * without a task to go on with, for the marks of the groups. But for a process that makes its
 * first thread between the look at it and the swap, nanoseconds later: it is moved wholly at
 * once, as by an attach of its own, unless a SIGKILL comes just between the two.
 */
#include "core/attach_each.h"

#include "core/census.h"
#include "core/plan.h"
#include "core/unfinished.h"

/* Calls for one list: who was moved by others meanwhile is in the next one. */
#define RUNS 4
/* Sets to be planned for one list, so that it takes no long time. */
#define SETS_MAX 16

struct each {
	struct grp_core *core;
	const struct grp_target *target;
	const struct grp_caller *caller;
	struct grp_scan_request request;
	size_t n; /* of these: */
	struct grp_scan_record records[GRP_BATCH_MAX];
	size_t index[GRP_BATCH_MAX]; /* of the caller's list */
	bool *done;
	size_t n_half; /* processes that have got threads meanwhile: */
	size_t half[GRP_BATCH_MAX]; /* index */
	bool some;
};

/* --- who can be moved so ---------------------------------------------------------------- */

/* In a set that may be planned, and of the caller's own (TASK-8, of which the kernel decides). */
static bool is_movable(const struct each *each, const struct grp_scan_record *record)
{
	uid_t uid = each->caller->uid;

	return record->verdict == GRP_VERDICT_NO_PLAN && record->set < GRP_SET_GONE &&
	       each->core->sets[record->set].state == GRP_SET_LIVE &&
	       (!uid || uid == record->uid || uid == record->suid);
}

static bool is_planned(struct each *each, const struct grp_scan_record *record)
{
	struct grp_core *core = each->core;

	if (core->plan[record->set] == GRP_PLAN_NONE && core->n_planned == SETS_MAX)
		return false;
	return !grp_plan_add(core, each->target, &core->sets[record->set], NULL);
}

/* The others are left to an attach of their own. */
static void keep(struct each *each,
		 bool (*fits)(struct each *each, const struct grp_scan_record *record))
{
	size_t left = 0;

	for (size_t i = 0; i < each->n; i++) {
		if (!fits(each, &each->records[i]))
			continue;
		each->records[left] = each->records[i];
		each->index[left++] = each->index[i];
	}
	each->n = left;
}

/* --- moving ------------------------------------------------------------------------------- */

static void moved(struct each *each, const struct grp_scan_record *record, size_t index)
{
	struct grp_moved told = { .n = { 0 } };

	each->some = true;
	if (!(each->request.flags & GRP_SCAN_ALONE) || record->nr_threads == 1)
		each->done[index] = true;
	else
		each->half[each->n_half++] = index;
	grp_census_note(each->core, (pid_t)record->tid);
	grp_moved_note(each->core, each->target, record, &told);
	grp_moved_tell(each->core, each->target, &told, each->caller);
}

static bool is_left(struct each *each, const struct grp_scan_record *record)
{
	if (record->verdict == GRP_VERDICT_MOVED)
		moved(each, record, each->index[record - each->records]);
	return is_movable(each, record);
}

/* With no plan this moves nobody, and tells where they are. */
static int run(struct each *each)
{
	struct grp_core *core = each->core;
	int r = core->ops->move_each(core->kernel, &each->request, core->plan, each->records,
				     each->n);

	if (!r)
		keep(each, is_left);
	return r;
}

static int move(struct each *each)
{
	int r = grp_release_entering(each->core, each->target);

	for (unsigned int i = 0; !r && i < RUNS; i++) {
		keep(each, is_planned);
		if (!each->n)
			break;
		r = run(each);
	}
	return r;
}

/* Between veto and notice, as every move. */
static int move_asked(struct each *each, struct grp_ask *ask)
{
	struct grp_journal record = { .op = GRP_JOURNAL_ATTACH, .uid = each->caller->uid };
	struct grp_members nobody = { .n = 0 };
	struct grp_core *core = each->core;
	int r = grp_plan_intend(core, each->target, NULL, &record), ended;

	if (!r)
		r = move(each);
	grp_release_not_entered(core, each->target, &record);
	grp_plan_end(core);
	if (each->some)
		grp_ask_attached(ask, &nobody);
	else
		grp_ask_cancel(ask);
	ended = core->ops->journal_put(core->kernel, GRP_JOURNAL_ENTRY_ATTACH, NULL);
	return r ?: ended;
}

/* What cannot be done of it at once is noted by that attach, and is not done. */
static void move_halves(struct each *each, const pid_t *tids)
{
	for (size_t i = 0; i < each->n_half; i++) {
		const struct grp_task_id id = { .tid = tids[each->half[i]], .whole = true };

		each->done[each->half[i]] =
			!grp_attach(each->core, each->target, &id, each->caller, NULL, NULL);
	}
}

static void begin(struct each *each, const pid_t *tids, bool whole)
{
	for (size_t i = 0; i < each->n; i++) {
		each->records[i].tid = (uint32_t)tids[i];
		each->index[i] = i;
		each->done[i] = false;
	}
	if (whole)
		each->request.flags |= GRP_SCAN_ALONE;
	grp_plan_restrict(each->caller, &each->request);
}

int grp_attach_each(struct grp_core *core, const struct grp_target *target, const pid_t *tids,
		    size_t n, bool whole, const struct grp_caller *caller, bool *ret_done)
{
	struct each each = {
		.core = core, .target = target, .caller = caller, .n = n, .done = ret_done
	};
	struct grp_ask ask = {};
	int r;

	begin(&each, tids, whole);
	/* What is noted of a task goes when that is moved: by one who knows which task it is. */
	if (grp_unfinished_any(core) || grp_target_check(core, target, caller, whole, NULL))
		return 0;
	/* Subsystems that want to see each task, or refuse: they are asked about each. */
	if (!grp_ask_unseen(&ask, core, target, caller))
		return 0;
	r = run(&each);
	if (!r && each.n)
		r = move_asked(&each, &ask);
	else
		grp_ask_cancel(&ask);
	grp_ask_done(&ask);
	move_halves(&each, tids);
	return r;
}
