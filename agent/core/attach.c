/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Attach: the swap itself is done by a pass in the kernel, by a plan "old set to
 * new set" that is made here. Threads of one process may be in different sets, and
 * new ones are born meanwhile, so a pass tells the sets that the plan lacked, and
 * is repeated until every living thread is where it should be.
 *
 * When is one process done? The kernel lists its threads in the order of their
 * birth; a thread that was born during the pass comes after its creator, which was
 * moved before; and a child that has no set yet reads its creator's set again (see
 * the birth hook). So one pass that came to the end is enough. It may end early,
 * when the thread it stands on is reaped: then it has seen fewer threads than the
 * largest number that any record told. After some such rounds all tasks are walked.
 * Where the kernel moves a process in one call (kernel/batch.c) that comes to the end or
 * says so.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "core/census.h"
#include "core/orphans.h"
#include "core/plan.h"

/* Rounds of one call; a caller that can wait calls again. */
#define ROUNDS 16
/* From this round on all tasks are walked, which never ends early. */
#define ROUNDS_BY_PROCESS 4
/* Sets that one pass may tell us the plan lacks; more are told by the next. */
#define UNPLANNED_MAX 64

struct move {
	struct grp_core *core;
	const struct grp_target *target;
	struct grp_scan_request request;
	struct grp_error *error;
	/* Of one pass: */
	uint16_t unplanned[UNPLANNED_MAX];
	unsigned int n_unplanned;
	unsigned int seen, moved, unborn, busy, denied, nr_threads;
	bool some; /* of all passes: any was moved */
	bool quiet; /* nobody has come into a planned destination meanwhile */
	struct grp_moved told; /* of all passes, for the event */
	const struct grp_caller *caller;
	bool asked; /* subsystems want to know who has moved: */
	struct grp_members all_moved; /* of all passes */
	struct grp_journal record; /* of the intent */
	const struct grp_journal *resumed; /* the one of a killed agent; NULL: none */
};

/* --- passes ----------------------------------------------------------------------------- */

static int plan_set(struct move *move, struct grp_set *from)
{
	return grp_plan_add(move->core, move->target, from, move->error);
}

/* With the set that it came from. */
static int remember(struct move *move, const struct grp_scan_record *record)
{
	struct grp_scan_record old = *record;

	old.set = record->from;
	return grp_members_add(move->core, &move->all_moved, &old);
}

static int on_record(const struct grp_scan_record *record, void *data)
{
	struct move *move = data;

	move->seen++;
	if (record->nr_threads > move->nr_threads)
		move->nr_threads = record->nr_threads;
	switch (record->verdict) {
	case GRP_VERDICT_MOVED:
		move->moved++;
		move->some = true;
		grp_census_note(move->core, (pid_t)record->tid);
		grp_moved_note(move->core, move->target, record, &move->told);
		return move->asked ? remember(move, record) : 0;
	case GRP_VERDICT_UNBORN:
		move->unborn++;
		break;
	case GRP_VERDICT_EXITING:
		break;
	case GRP_VERDICT_DENIED:
		move->denied++;
		break;
	case GRP_VERDICT_NO_PLAN:
		move->busy++;
		if (move->n_unplanned < UNPLANNED_MAX && record->set < GRP_SET_GONE)
			move->unplanned[move->n_unplanned++] = record->set;
		break;
	default:
		move->busy++;
		break;
	}
	return 0;
}

static int run_pass(struct move *move)
{
	struct grp_core *core = move->core;
	uint64_t before = grp_plan_entries(core);
	int r;

	move->seen = move->moved = move->unborn = move->busy = 0;
	move->denied = move->nr_threads = move->n_unplanned = 0;
	r = core->ops->pass(core->kernel, GRP_PASS_MOVE, &move->request, core->plan, on_record,
			    move);
	move->quiet = grp_plan_entries(core) == before;
	return r;
}

static int plan_unplanned(struct move *move)
{
	int r = 0;

	for (unsigned int i = 0; !r && i < move->n_unplanned; i++) {
		struct grp_set *set = &move->core->sets[move->unplanned[i]];

		if (set->state == GRP_SET_LIVE)
			r = plan_set(move, set);
	}
	return r;
}

/* --- one thread or process ---------------------------------------------------------------- */

/*
 * A walk over all tasks goes by number, and a child's may be lower than its
 * creator's: it has come to the end when it found nothing left to move.
 */
static bool complete(const struct move *move)
{
	if (move->unborn || move->busy)
		return false;
	if (move->request.flags & GRP_SCAN_ALL_TASKS)
		return move->quiet;
	return !move->request.tgid || move->seen >= move->nr_threads;
}

/* Tests have no process that forks so fast for so long: of this one a thread is moved. */
static int pause_for_test(struct move *move)
{
	struct grp_scan_request whole = move->request;
	int r;

	move->request.tid = whole.tgid;
	move->request.tgid = 0;
	r = run_pass(move);
	move->request = whole;
	return r ?: -EAGAIN;
}

static int move_rounds(struct move *move)
{
	int r;

	if (move->request.tgid && grp_fault_held("ATTACH"))
		return pause_for_test(move);

	for (unsigned int round = 0; round < ROUNDS; round++) {
		if (round >= ROUNDS_BY_PROCESS && !move->request.tid)
			move->request.flags |= GRP_SCAN_ALL_TASKS;
		r = run_pass(move);
		if (r == -ESRCH || (!r && !move->seen))
			return -ESRCH;
		if (!r && move->denied)
			return grp_error_set(move->error, EACCES,
					     "uid %u may only move tasks of its own",
					     move->request.uid);
		if (!r && complete(move))
			return move->moved ? 0 : -ESRCH;
		if (!r)
			r = plan_unplanned(move);
		if (r)
			return r;
		if (move->request.tgid && move->nr_threads > 1)
			move->request.tid = 0; /* it was of one thread, and is not any more */
	}
	if (move->unborn)
		grp_orphans_want(move->core);
	return -EAGAIN;
}

/* A move between veto and notice; what has moved is told even if not all has. */
static int move_asked(struct move *move, struct grp_ask *ask,
		      int (*run)(struct move *move, void *data), void *data)
{
	struct grp_core *core = move->core;
	int r = grp_plan_intend(core, move->target, move->resumed, &move->record), ended;

	if (r) {
		grp_ask_cancel(ask);
		return r;
	}
	r = grp_release_entering(core, move->target) ?: run(move, data);
	/* Also after success: there may have been nobody to come. */
	grp_release_not_entered(core, move->target, &move->record);
	/* However far it has come, what it did is told. */
	grp_moved_tell(core, move->target, &move->told, move->caller);
	grp_plan_end(core);
	if (r && !move->some)
		grp_ask_cancel(ask);
	else if (!move->resumed)
		grp_ask_attached(ask, &move->all_moved);
	grp_unfinished_note(core, &move->record, move->some, r);
	ended = core->ops->journal_put(core->kernel, GRP_JOURNAL_ENTRY_ATTACH, NULL);
	return r ?: ended;
}

static int run_task(struct move *move, void *data)
{
	const struct grp_member *member = data;
	int r = 0;

	/* A zombie leader's set may be anything; its threads will tell theirs. */
	if (member->set->state == GRP_SET_LIVE)
		r = plan_set(move, member->set);
	return r ?: move_rounds(move);
}

static void set_request(struct move *move, const struct grp_task_id *id,
			const struct grp_member *member, const struct grp_caller *caller)
{
	if (id->whole)
		move->request.tgid = member->tgid;
	/* A thread is found without a walk; a process of one is done with it: see complete(). */
	if (!id->whole || member->nr_threads == 1)
		move->request.tid = member->tid;
	if (!id->self)
		grp_plan_restrict(caller, &move->request);
}

/* One that was born or has ended during the listing is not in it, and may have left others. */
static bool is_whole(const struct grp_members *members)
{
	for (size_t i = 0; i < members->n; i++)
		if (members->items[i].nr_threads > members->n)
			return false;
	return true;
}

/* Asks about every thread that is concerned. Return: 1: all are there already. */
static int ask_task(struct move *move, struct grp_ask *ask, const struct grp_task_id *id,
		    struct grp_member *member, const struct grp_caller *caller)
{
	struct grp_members one = { .items = member, .n = !member->exiting }, members = {};
	bool alone = !member->unborn && (!id->whole || member->nr_threads == 1), whole;
	int r = 0;

	if (!alone && grp_ask_unseen(ask, move->core, move->target, caller)) {
		move->asked = false;
		return 0;
	}
	if (!alone)
		r = grp_task_members(move->core, id->whole ? 0 : member->tid, member->tgid,
				     &members);
	move->moved = alone ? one.n : members.n;
	whole = alone || !id->whole || is_whole(&members);
	if (!r)
		r = grp_ask_init(ask, move->core, move->target, alone ? &one : &members, caller,
				 move->error);
	grp_members_done(&members);
	if (!r && move->moved && !ask->wanted && whole)
		return 1;
	return r ?: grp_ask_veto(ask);
}

/* The caller may write there. @move: who asks, and where to. */
static int attach_task(struct move *move, const struct grp_task_id *id)
{
	const struct grp_caller *caller = move->caller;
	struct grp_core *core = move->core;
	struct grp_ask ask = {};
	struct grp_member member;
	int r = grp_task_find(core, id, NULL, &member);

	if (!r)
		r = grp_attach_check_task(id, &member, caller, move->error);
	if (r)
		return r;
	move->asked = grp_target_asks(core, move->target);
	if (move->asked)
		r = ask_task(move, &ask, id, &member, caller);
	if (!r) {
		move->record = (struct grp_journal){
			.op = GRP_JOURNAL_ATTACH,
			.tid = id->tid,
			.whole = id->whole,
			.self = id->self,
			.uid = caller->uid,
			.start_ns = member.start_ns,
		};
		set_request(move, id, &member, caller);
		r = move_asked(move, &ask, run_task, &member);
	}
	grp_ask_done(&ask);
	grp_members_done(&move->all_moved);
	return r > 0 ? 0 : r;
}

int grp_attach(struct grp_core *core, const struct grp_target *target, const struct grp_task_id *id,
	       const struct grp_caller *caller, struct grp_error *error, unsigned int *ret_moved)
{
	struct move move = { .core = core, .target = target, .error = error, .caller = caller };
	int r = grp_target_check(core, target, caller, id->whole, error) ?: attach_task(&move, id);

	if (!r && ret_moved)
		*ret_moved = move.moved;
	return r;
}

/* --- everything in a group ------------------------------------------------------------------ */

static int plan_members(struct move *move, struct grp_group *from, uint64_t *ret_members)
{
	unsigned int slot = from->hierarchy->slot;
	struct grp_set *set, *next;
	uint64_t members = 0;
	int r = 0;

	/* New sets of other groups may be made on the way: the list grows at its end. */
	DL_FOREACH_SAFE2(from->sets, set, next, link[slot].next) {
		if (r || set->state != GRP_SET_LIVE)
			continue;
		members += grp_set_members(move->core, set);
		if (grp_set_members(move->core, set))
			r = plan_set(move, set);
	}
	*ret_members = members;
	return r;
}

struct from {
	struct grp_group *group;
	unsigned int moved;
};

static int run_members(struct move *move, void *data)
{
	struct from *from = data;
	uint64_t left;
	int r;

	for (unsigned int round = 0; round < ROUNDS; round++) {
		r = plan_members(move, from->group, &left);
		if (r || !left)
			return r;
		r = run_pass(move);
		if (r)
			return r;
		from->moved += move->moved;
		if (move->denied)
			return grp_error_set(move->error, EACCES,
					     "uid %u may only move tasks of its own",
					     move->request.uid);
	}
	return -EAGAIN;
}

static int ask_members(struct move *move, struct grp_ask *ask, struct grp_group *from,
		       const struct grp_caller *caller)
{
	struct grp_members members = {};
	int r;

	if (grp_ask_unseen(ask, move->core, move->target, caller)) {
		move->asked = false;
		return 0;
	}
	r = grp_group_members(move->core, from, false, NULL, &members);
	if (!r)
		r = grp_ask_init(ask, move->core, move->target, &members, caller, move->error);
	grp_members_done(&members);
	return r ?: grp_ask_veto(ask);
}

/* @move: as attach_task(). */
static int attach_members(struct move *move, struct from *source)
{
	const struct grp_group *to = move->target->group[source->group->hierarchy->slot];
	const struct grp_caller *caller = move->caller;
	struct grp_ask ask = {};
	int r = 0;

	if (!to || to == source->group)
		return grp_error_set(move->error, EINVAL,
				     "the members of a group go to another group of its hierarchy");
	move->request.flags = GRP_SCAN_ALL_TASKS;
	grp_plan_restrict(caller, &move->request);
	move->asked = grp_target_asks(move->core, move->target);
	if (move->asked)
		r = ask_members(move, &ask, source->group, caller);
	if (!r) {
		move->record = (struct grp_journal){ .op = GRP_JOURNAL_ATTACH,
						     .group = source->group->id,
						     .uid = caller->uid };
		r = move_asked(move, &ask, run_members, source);
	}
	grp_ask_done(&ask);
	grp_members_done(&move->all_moved);
	return r;
}

int grp_attach_members(struct grp_core *core, const struct grp_target *target,
		       struct grp_group *from, const struct grp_caller *caller,
		       struct grp_error *error, unsigned int *ret_moved)
{
	struct move move = { .core = core, .target = target, .error = error, .caller = caller };
	struct from source = { .group = from };
	int r = grp_target_check(core, target, caller, false, error) ?:
								       attach_members(&move, &source);

	if (ret_moved)
		*ret_moved = source.moved;
	return r;
}

/* --- after a SIGKILL ------------------------------------------------------------------------ */

static int resume_task(struct move *move, const struct grp_journal *record)
{
	const struct grp_task_id id = { .tid = record->tid,
					.whole = record->whole,
					.self = record->self };
	struct grp_member member;
	int r = grp_task_find(move->core, &id, NULL, &member);

	if (r)
		return r;
	return member.start_ns == record->start_ns ? attach_task(move, &id) : -ESRCH;
}

int grp_attach_again(struct grp_core *core, const struct grp_journal *record)
{
	struct from source = { .group = grp_group_by_id(core, record->group) };
	const struct grp_caller caller = { .uid = record->uid };
	struct grp_target target = {};
	struct move move = { .core = core, .target = &target, .caller = &caller, .resumed = record };
	int r = grp_target_recorded(core, record, &target);

	if (r)
		return r;
	r = source.group ? attach_members(&move, &source) : resume_task(&move, record);
	grp_release_not_entered(core, &target, record);
	grp_target_tell(core, &target, &caller);
	return r;
}
