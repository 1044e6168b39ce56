/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * See attach_each.h: one call of the kernel's for all that need nothing but the swap. Each of
 * these has moved or has not, whoever is killed when; so the journal has one intent for all,
 * without a task to go on with, for the marks of the groups.
 */
#include "core/attach_each.h"

#include "core/census.h"
#include "core/plan.h"

/* Calls for one list: those in sets that the plan lacks are in the next one. */
#define RUNS 4

struct each {
	struct grp_core *core;
	const struct grp_target *target;
	const struct grp_caller *caller;
	struct grp_scan_request request;
	size_t n; /* of these: */
	struct grp_scan_record records[GRP_BATCH_MAX];
	size_t index[GRP_BATCH_MAX]; /* of the caller's list */
	bool *done;
	bool some;
};

static void moved(struct each *each, const struct grp_scan_record *record, size_t index)
{
	struct grp_moved told = { .n = { 0 } };

	each->some = true;
	/* One that has got threads meanwhile goes on as a process. */
	each->done[index] = !(each->request.flags & GRP_SCAN_ALONE) || record->nr_threads == 1;
	grp_census_note(each->core, (pid_t)record->tid);
	grp_moved_note(each->core, each->target, record, &told);
	grp_moved_tell(each->core, each->target, &told, each->caller);
}

/* Whether its set has got an entry in the plan, so that it is worth another call. */
static bool plan(struct each *each, const struct grp_scan_record *record)
{
	struct grp_core *core = each->core;

	return record->verdict == GRP_VERDICT_NO_PLAN && record->set < GRP_SET_GONE &&
	       core->sets[record->set].state == GRP_SET_LIVE &&
	       !grp_plan_add(core, each->target, &core->sets[record->set], NULL);
}

/* After a call: what is left for the next one comes to the front. */
static void take_records(struct each *each)
{
	size_t left = 0;

	for (size_t i = 0; i < each->n; i++) {
		const struct grp_scan_record *record = &each->records[i];

		if (record->verdict == GRP_VERDICT_MOVED) {
			moved(each, record, each->index[i]);
		} else if (plan(each, record)) {
			each->records[left].tid = record->tid;
			each->index[left++] = each->index[i];
		}
	}
	each->n = left;
}

static int move(struct each *each)
{
	struct grp_core *core = each->core;
	int r = grp_release_entering(core, each->target);

	for (unsigned int run = 0; !r && each->n && run < RUNS; run++) {
		r = core->ops->move_each(core->kernel, &each->request, core->plan, each->records,
					 each->n);
		if (!r)
			take_records(each);
	}
	return r;
}

/* Between veto and notice, as every move. */
static int move_asked(struct each *each, struct grp_ask *ask)
{
	struct grp_journal record = { .op = GRP_JOURNAL_ATTACH, .uid = each->caller->uid };
	struct grp_core *core = each->core;
	struct grp_members nobody = { .n = 0 };
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

int grp_attach_each(struct grp_core *core, const struct grp_target *target, const pid_t *tids,
		    size_t n, bool whole, const struct grp_caller *caller, bool *ret_done)
{
	struct each each = {
		.core = core, .target = target, .caller = caller, .n = n, .done = ret_done
	};
	struct grp_ask ask = {};
	int r;

	for (size_t i = 0; i < n; i++) {
		each.records[i].tid = (uint32_t)tids[i];
		each.index[i] = i;
		ret_done[i] = false;
	}
	if (whole)
		each.request.flags |= GRP_SCAN_ALONE;
	if (caller->uid) {
		each.request.flags |= GRP_SCAN_CHECK_UID;
		each.request.uid = caller->uid;
	}
	/* What is noted of a task goes when that is moved: by one who knows which task it is. */
	if (grp_unfinished_any(core) || grp_target_check(core, target, caller, whole, NULL))
		return 0;
	/* Subsystems that want to see each task, or refuse: they are asked about each. */
	if (!grp_ask_unseen(&ask, core, target, caller))
		return 0;
	r = move_asked(&each, &ask);
	grp_ask_done(&ask);
	return r;
}
