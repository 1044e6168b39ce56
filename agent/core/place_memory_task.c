/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory placement of one thread: from the pass that finds it to the reply of the helper.
 * Before each step it is looked at anew, as nothing of it stands still meanwhile.
 *
 * Its place says CHANGING from before the helper is asked until the policy was seen to be
 * in force (A6), so that neither a killed agent nor one that has to wait for a debugger
 * takes a policy of ours for the thread's own wish.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/place_memory_internal.h"
#include "place/inject.h"

/* For a thread that waits for us, is being born, or has changed just now. */
#define MOMENT_NS 5000000ULL
/* For it to stop, and again for it to make the call: doubles from try to try. */
#define TIMEOUT_MS 200U
#define TIMEOUT_MAX_MS 2000U

/* --- entries ------------------------------------------------------------------------------ */

struct grp_memory_task *grp_memory_find_task(const struct grp_core *core, pid_t tid)
{
	struct grp_memory_task *task;

	HASH_FIND(hh, core->memory->tasks, &tid, sizeof(tid), task);
	return task;
}

static void leave_list(struct grp_core *core, struct grp_memory_task *task)
{
	if (task->stage < GRP_MEMORY_LISTS)
		DL_DELETE(core->memory->lists[task->stage], task);
}

static void enter(struct grp_core *core, struct grp_memory_task *task, enum grp_memory_stage stage)
{
	leave_list(core, task);
	task->stage = stage;
	if (stage < GRP_MEMORY_LISTS)
		DL_APPEND(core->memory->lists[stage], task);
}

void grp_memory_drop_task(struct grp_core *core, struct grp_memory_task *task)
{
	leave_list(core, task);
	HASH_DELETE(hh, core->memory->tasks, task);
	free(task);
}

static struct grp_memory_task *make_task(struct grp_core *core, pid_t tid)
{
	struct grp_memory_task *task = calloc(1, sizeof(*task));

	if (!task)
		return NULL;
	task->tid = tid;
	task->stage = GRP_MEMORY_SETTLED; /* in no list */
	HASH_ADD(hh, core->memory->tasks, tid, sizeof(task->tid), task);
	enter(core, task, GRP_MEMORY_FRESH);
	return task;
}

static void wait_for(struct grp_core *core, struct grp_memory_task *task, uint64_t pause_ns)
{
	struct grp_memory_engine *engine = core->memory;

	task->due_ns = grp_core_clock(core) + pause_ns;
	if (!engine->wake_ns || task->due_ns < engine->wake_ns)
		engine->wake_ns = task->due_ns;
	enter(core, task, GRP_MEMORY_WAITING);
}

/* Once for each reason. */
static void tell_reason(struct grp_core *core, const struct grp_memory_task *task,
			enum grp_place_result reason)
{
	struct grp_group *group = grp_group_by_id(core, task->group);
	struct grp_watch_event event = grp_watch_event(GRP_WATCH_PLACEMENT, group, NULL);

	if (!group || task->reason == reason || !grp_watched(core))
		return;
	event.thread = (uint64_t)task->tid;
	event.process = (uint64_t)task->tgid;
	event.reason = grp_place_result_name(reason);
	grp_emit(core, &event);
}

static void try_later(struct grp_core *core, struct grp_memory_task *task,
		      enum grp_place_result reason)
{
	tell_reason(core, task, reason);
	task->tries++;
	task->reason = reason;
	core->place->figures.mems_refused++;
	wait_for(core, task, grp_memory_pause_ns(task->tries, reason));
}

/* Its group is to be looked at when there is nothing else to do: it may have children. */
static void look_at_group(struct grp_core *core, const struct grp_memory_task *task)
{
	struct grp_group *group = grp_group_by_id(core, task->group);

	if (group && group->memory)
		group->memory->again = true;
	else
		core->memory->again = true;
}

void grp_memory_wake(struct grp_core *core)
{
	struct grp_memory_engine *engine = core->memory;
	uint64_t now = grp_core_clock(core);
	struct grp_memory_task *task, *next;

	engine->wake_ns = 0;
	HASH_ITER(hh, engine->tasks, task, next) {
		if (task->stage != GRP_MEMORY_WAITING)
			continue;
		if (task->due_ns <= now) {
			enter(core, task, GRP_MEMORY_READY);
			look_at_group(core, task);
		} else if (!engine->wake_ns || task->due_ns < engine->wake_ns) {
			engine->wake_ns = task->due_ns;
		}
	}
}

int grp_memory_found(struct grp_core *core, const struct grp_policy_record *record)
{
	struct grp_memory_task *task = grp_memory_find_task(core, (pid_t)record->task.tid);
	struct grp_memory_item item;
	bool wrong = grp_memory_decide(core, record, &item);
	uint64_t target = wrong ? grp_policy_hash(&item.target) : 0;

	if (!wrong && task && task->stage != GRP_MEMORY_SETTLED && task->stage != GRP_MEMORY_ASKED)
		grp_memory_drop_task(core, task);
	else if (!wrong && task)
		task->seen = core->memory->round;
	if (!wrong)
		return 0;
	if (!task)
		task = make_task(core, (pid_t)record->task.tid);
	if (!task)
		return -ENOMEM;
	task->seen = core->memory->round;
	/* What it is now is seen when the helper has replied. */
	if (task->stage == GRP_MEMORY_ASKED)
		return 0;
	if (task->start_ns != record->task.start_ns || task->target != target ||
	    task->stage == GRP_MEMORY_SETTLED) {
		task->tries = 0;
		task->reason = GRP_PLACE_DONE;
		enter(core, task, GRP_MEMORY_FRESH);
	}
	task->tgid = (pid_t)record->task.tgid;
	task->start_ns = record->task.start_ns;
	task->target = target;
	task->group = item.group;
	return 0;
}

/* --- a look -------------------------------------------------------------------------------- */

struct look {
	struct grp_policy_record record;
	bool found;
};

static int on_policy(const struct grp_policy_record *record, void *data)
{
	struct look *look = data;

	look->record = *record;
	look->found = true;
	return 0;
}

/* Return: 1: it is not as it should be; 0: it was put away, for good or for a moment; -errno. */
static int look_at(struct grp_core *core, struct grp_memory_task *task,
		   struct grp_memory_item *ret_item)
{
	const struct grp_scan_request request = { .tid = (uint32_t)task->tid };
	struct look look = { .found = false };
	int r = core->ops->policies(core->kernel, &request, NULL, on_policy, &look);

	if (r == -ESRCH || r == -EINVAL || (!r && !look.found)) {
		grp_memory_drop_task(core, task);
		return 0;
	}
	if (r)
		return r < 0 ? r : -EIO;
	if (look.record.task.verdict != GRP_VERDICT_LISTED) {
		wait_for(core, task, MOMENT_NS);
		return 0;
	}
	task->tgid = (pid_t)look.record.task.tgid;
	task->start_ns = look.record.task.start_ns;
	if (!grp_memory_decide(core, &look.record, ret_item)) {
		grp_memory_drop_task(core, task);
		return 0;
	}
	task->group = ret_item->group;
	task->target = grp_policy_hash(&ret_item->target);
	return 1;
}

/* Return: 1: its place is so; 0: it was put away; -errno. */
static int put_half(struct grp_core *core, struct grp_memory_task *task,
		    struct grp_memory_item *item, uint32_t half)
{
	const struct grp_scan_request request = { .tid = (uint32_t)task->tid,
						  .start_ns = task->start_ns,
						  .half = GRP_PLACE_MEM,
						  .expected = item->half,
						  .wanted = half };
	int r = half == item->half ? 0 : core->ops->place(core->kernel, &request);

	if (r == -ESRCH) {
		grp_memory_drop_task(core, task);
		return 0;
	}
	if (r == -EAGAIN) {
		wait_for(core, task, MOMENT_NS);
		return 0;
	}
	item->half = half;
	return r ?: 1;
}

/* Its policy is what it will be. As put_half(). */
static int put_done(struct grp_core *core, struct grp_memory_task *task,
		    struct grp_memory_item *item)
{
	uint32_t wish = 0, applied = 0;
	int r = item->restores ? 0 : grp_policy_id(core, &item->wish, &wish);

	if (!r && !item->restores)
		r = grp_policy_id(core, &item->now, &applied);
	return r ?: put_half(core, task, item, grp_place_make(wish, applied));
}

static int put_changing(struct grp_core *core, struct grp_memory_task *task,
			struct grp_memory_item *item)
{
	uint32_t wish = 0, applied = 0;
	int r = grp_policy_id(core, &item->wish, &wish);

	if (!r)
		r = grp_policy_id(core, &item->target, &applied);
	return r ?: put_half(core, task, item, grp_place_make(wish, applied | GRP_PLACE_CHANGING));
}

/* As it should be, but for its place. */
static int end_silent(struct grp_core *core, struct grp_memory_task *task,
		      struct grp_memory_item *item)
{
	int r = put_done(core, task, item);

	if (r <= 0)
		return r;
	look_at_group(core, task);
	grp_memory_drop_task(core, task);
	return 0;
}

/* Its place says what it wishes and what it will get. Return: as put_half(). */
static int prepare(struct grp_core *core, struct grp_memory_task *task,
		   struct grp_memory_item *item)
{
	int r = look_at(core, task, item);

	if (r <= 0)
		return r;
	r = item->silent ? end_silent(core, task, item) : put_changing(core, task, item);
	if (r == -ENOSPC) {
		try_later(core, task, GRP_PLACE_FAILED);
		return 0;
	}
	return r;
}

int grp_memory_note(struct grp_core *core)
{
	struct grp_memory_task *task = core->memory->lists[GRP_MEMORY_FRESH];
	struct grp_memory_item item = { 0 };
	int r = prepare(core, task, &item);

	if (r <= 0)
		return r;
	enter(core, task, GRP_MEMORY_READY);
	return 0;
}

/* --- the helper ------------------------------------------------------------------------------ */

/* The kernel gives it fewer nodes than were asked for: so it is, until that changes. */
static int settle(struct grp_core *core, struct grp_memory_task *task, struct grp_memory_item *item)
{
	int r = put_done(core, task, item);

	if (r > 0 && item->restores)
		grp_memory_drop_task(core, task);
	else if (r > 0)
		enter(core, task, GRP_MEMORY_SETTLED);
	return r < 0 ? r : 0;
}

static int on_done(struct grp_core *core, struct grp_memory_task *task)
{
	struct grp_memory_item item;
	int r = look_at(core, task, &item);

	if (r <= 0)
		return r;
	if (item.silent)
		return end_silent(core, task, &item);
	if (grp_policy_made_of(&item.now, &item.target))
		return settle(core, task, &item);
	/* Its group wants something else by now, or it has set one itself, perhaps again and again. */
	try_later(core, task, GRP_PLACE_BUSY);
	return 0;
}

/* That the helper was killed says nothing of the thread. */
static enum grp_place_result reason_of(const struct grp_place_reply *reply)
{
	bool lost = reply->result == GRP_PLACE_FAILED &&
		    (reply->error == EPIPE || reply->error == EOWNERDEAD);

	return lost ? GRP_PLACE_BUSY : reply->result;
}

static void on_reply(const struct grp_place_reply *reply, void *data)
{
	struct grp_core *core = data;
	struct grp_memory_engine *engine = core->memory;
	struct grp_memory_task *task = grp_memory_find_task(core, engine->asked);
	int r = 0;

	engine->asked = 0;
	engine->worked = true;
	grp_memory_rests(core, GRP_HELPER_POLICY);
	if (!task || task->stage != GRP_MEMORY_ASKED)
		return;
	switch (reply->result) {
	case GRP_PLACE_DONE:
		core->place->figures.mems_placed++;
		look_at_group(core, task);
		r = on_done(core, task);
		break;
	case GRP_PLACE_GONE:
	case GRP_PLACE_KERNEL:
		grp_memory_drop_task(core, task);
		break;
	default:
		try_later(core, task, reason_of(reply));
	}
	/* The kernel has failed to tell or to keep something. */
	if (r < 0)
		wait_for(core, task, grp_memory_pause_ns(1, GRP_PLACE_BUSY));
}

static uint32_t timeout_ms(const struct grp_memory_task *task)
{
	return task->tries > 3 ? TIMEOUT_MAX_MS : TIMEOUT_MS << task->tries;
}

static int send_request(struct grp_core *core, struct grp_memory_task *task,
			const struct grp_memory_item *item)
{
	struct grp_place_request request = {
		.op = GRP_PLACE_SET,
		.tid = task->tid,
		.start_ticks = grp_memory_ticks(task->start_ns),
		.timeout_ms = timeout_ms(task),
		.mode = item->target.mode,
	};

	memcpy(request.nodes, item->target.nodes.words, sizeof(request.nodes));
	return core->ops->helper_ask(core->kernel, GRP_HELPER_POLICY, &request, on_reply, core);
}

int grp_memory_ask(struct grp_core *core)
{
	struct grp_memory_task *task = core->memory->lists[GRP_MEMORY_READY];
	struct grp_memory_item item;
	int r;

	if (grp_memory_is_spared(core, task->tid, task->tgid)) {
		wait_for(core, task, MOMENT_NS);
		return 0;
	}
	r = prepare(core, task, &item);
	if (r <= 0)
		return r;
	/* First, as an operation of a test may reply at once. */
	core->memory->asked = task->tid;
	enter(core, task, GRP_MEMORY_ASKED);
	r = send_request(core, task, &item);
	if (r < 0) {
		core->memory->asked = 0;
		enter(core, task, GRP_MEMORY_READY);
	}
	return r;
}
