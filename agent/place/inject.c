/* SPDX-License-Identifier: GPL-2.0-only */
#include "place/inject.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "place/look.h"
#include "place/made.h"
#include "place/memory.h"
#include "place/proc.h"
#include "place/restart.h"
#include "place/inside.h"
#include "place/trace.h"

#define NS_PER_MS 1000000ULL
#define BIT(signal) (1ULL << ((signal)-1))
/* A thread that gets a signal each time it is stopped has to be asked again later. */
#define MOST_ATTEMPTS 50
/* For a refusal that may be of the moment. */
#define DENIED_ATTEMPTS 10
/* Deadlines of one that wants to run and gets no CPU. */
#define STARVED_DEADLINES 20
/* It stops on the way to one call for signals that it ignores, or with its process: */
#define FEW_STOPS 3
#define MOST_STOPS 20

struct grp_place_thread {
	const struct grp_place_request *request;
	struct grp_place_reply *reply, unheard;
	pid_t tid; /* an exec may change it */
	bool suspends_seccomp;
	bool ends_tracer; /* it is not stopped, or was killed: only that lets it go */
	bool called; /* it is in the call of ours, asked to stop after it */
	struct grp_place_made made; /* the call of ours */
	struct grp_place_look look;
	struct grp_place_regs saved;
	struct grp_place_call call; /* that it was stopped in */
	struct grp_place_signals signals;
	bool blocks; /* more signals than signals.after, its mask */
};

/* How an attempt went on; the thread is let go unless it says otherwise. */
enum outcome {
	OUTCOME_DONE, /* the reply is complete */
	OUTCOME_AGAIN, /* a signal came first */
	OUTCOME_LATE, /* asked to stop and does not; nothing of it was changed */
	OUTCOME_STUCK, /* has registers of ours, and neither runs nor stops */
	OUTCOME_STOPPED, /* is stopped, the call made or not: see called */
};

static const char *const result_names[] = {
	[GRP_PLACE_DONE] = "done",	   [GRP_PLACE_GONE] = "gone",
	[GRP_PLACE_KERNEL] = "kernel",	   [GRP_PLACE_TRACED] = "traced",
	[GRP_PLACE_DENIED] = "denied",	   [GRP_PLACE_COMPAT] = "32-bit",
	[GRP_PLACE_DISPATCH] = "dispatch", [GRP_PLACE_SECCOMP] = "seccomp",
	[GRP_PLACE_ASLEEP] = "asleep",	   [GRP_PLACE_FROZEN] = "frozen",
	[GRP_PLACE_BUSY] = "busy",	   [GRP_PLACE_NO_CALL] = "no-call",
	[GRP_PLACE_REFUSED] = "refused",   [GRP_PLACE_FAILED] = "failed",
};

_Static_assert(sizeof(result_names) / sizeof(*result_names) == GRP_PLACE_RESULT_MAX, "names");

const char *grp_place_result_name(enum grp_place_result result)
{
	return result < GRP_PLACE_RESULT_MAX ? result_names[result] : "unknown";
}

static enum outcome done(struct grp_place_thread *thread, enum grp_place_result result, int error)
{
	thread->reply->result = result;
	thread->reply->error = error;
	return OUTCOME_DONE;
}

static uint64_t deadline_of(const struct grp_place_thread *thread)
{
	return grp_clock_ns(CLOCK_MONOTONIC) + thread->request->timeout_ms * NS_PER_MS;
}

/* Not even a killed one may stay with us: its parent would not be told. */
static enum outcome lost(struct grp_place_thread *thread)
{
	thread->ends_tracer = true;
	return done(thread, GRP_PLACE_GONE, 0);
}

static enum outcome let_go(struct grp_place_thread *thread, enum grp_place_result result, int error)
{
	if (grp_place_detach(thread->tid, 0) < 0)
		return lost(thread);
	return done(thread, result, error);
}

/* --- before it is stopped ------------------------------------------------------------ */

/* Return: GRP_PLACE_DONE: nothing is against it. */
static enum grp_place_result look_at(const struct grp_place_thread *thread,
				     struct grp_place_status *status)
{
	int r = grp_place_status(thread->tid, status);

	if (r < 0 || strchr("ZX", status->state))
		return GRP_PLACE_GONE;
	if (thread->request->start_ticks && thread->request->start_ticks != status->start_ticks)
		return GRP_PLACE_GONE;
	if (status->kernel_thread)
		return GRP_PLACE_KERNEL;
	return status->tracer ? GRP_PLACE_TRACED : GRP_PLACE_DONE;
}

/* ptrace refuses for many reasons with few numbers. */
static enum outcome not_seized(struct grp_place_thread *thread, int error)
{
	struct grp_place_status status;
	enum grp_place_result result = look_at(thread, &status);

	if (result == GRP_PLACE_DONE && error == ESRCH)
		result = GRP_PLACE_GONE;
	/* so it is for a moment when another thread of it executes a program */
	if (result == GRP_PLACE_DONE && error == EPERM && thread->reply->attempts < DENIED_ATTEMPTS)
		return OUTCOME_AGAIN;
	if (result == GRP_PLACE_DONE)
		result = error == EPERM ? GRP_PLACE_DENIED : GRP_PLACE_FAILED;
	return done(thread, result, error);
}

static enum outcome seize(struct grp_place_thread *thread)
{
	struct grp_place_status status;
	enum grp_place_result result = look_at(thread, &status);
	int r;

	if (result != GRP_PLACE_DONE)
		return done(thread, result, 0);
	if (grp_place_is_compat(thread->tid))
		return done(thread, GRP_PLACE_COMPAT, 0);
	thread->suspends_seccomp = status.seccomp != 0;
	r = grp_place_seize(thread->tid, thread->suspends_seccomp, thread->request->timeout_ms);
	/* EINVAL: no kernel of CONFIG_CHECKPOINT_RESTORE */
	if ((r == -EPERM || r == -EINVAL) && thread->suspends_seccomp &&
	    grp_place_seize(thread->tid, false, thread->request->timeout_ms) == 0) {
		thread->ends_tracer = true;
		return done(thread, GRP_PLACE_SECCOMP, -r);
	}
	if (r == -ETIMEDOUT)
		return OUTCOME_LATE;
	if (r < 0)
		return not_seized(thread, -r);
	/* from here on nobody else can get its id */
	if (look_at(thread, &thread->look.before) == GRP_PLACE_GONE)
		return lost(thread);
	grp_place_look(thread->tid, &thread->look);
	if (grp_place_interrupt(thread->tid) < 0)
		return lost(thread);
	return OUTCOME_STOPPED;
}

/* It was woken to stop: were it let go before it has, a call it slept in would have failed. */
static bool wants_to_run(const struct grp_place_thread *thread)
{
	struct grp_place_status status;

	return grp_place_status(thread->tid, &status) == 0 && status.state == 'R';
}

/* Until it is stopped because we asked; a signal that is about to be delivered is. */
static enum outcome stop(struct grp_place_thread *thread)
{
	uint64_t deadline = deadline_of(thread);
	unsigned int deadlines = 0;
	int signal = 0;

	for (thread->look.stops = 1;; thread->look.stops++) {
		switch (grp_place_wait(&thread->tid, deadline, &signal)) {
		case GRP_STOP_EVENT:
			return OUTCOME_STOPPED;
		case GRP_STOP_SIGNAL:
			/* asked again: it may have been on its way here when it was */
			(void)grp_place_interrupt(thread->tid);
			(void)grp_place_cont(thread->tid, signal);
			break;
		case GRP_STOP_CALL:
			(void)grp_place_interrupt(thread->tid);
			(void)grp_place_cont(thread->tid, 0);
			break;
		case GRP_STOP_GONE:
			return done(thread, GRP_PLACE_GONE, 0);
		default:
			if (++deadlines > STARVED_DEADLINES || !wants_to_run(thread))
				return OUTCOME_LATE;
			deadline = deadline_of(thread);
			thread->look.stops--;
			break;
		}
	}
}

/* --- while it is stopped -------------------------------------------------------------- */

/* What is below the stack is put back too. Return: whether it still is there. */
static bool restore(struct grp_place_thread *thread, int signal)
{
	struct grp_place_regs regs = thread->saved;
	struct grp_place_call call = thread->call;

	grp_place_give_back(thread->tid, &thread->made.scratch);
	if (thread->blocks && grp_place_set_mask(thread->tid, thread->signals.after) < 0)
		return false;
	thread->blocks = false;
	if (signal)
		thread->signals.pending = BIT(signal);
	if (grp_place_restarts(&call, &thread->signals)) {
		grp_place_shorten(thread->tid, grp_arch_sp(&regs), &thread->look.blocked, &call);
		grp_arch_restart(&regs, &call);
	}
	return grp_arch_set(thread->tid, &regs) == 0;
}

/* What the kernel forces on a thread kills it if it blocks that. */
#define FORCED (BIT(SIGSEGV) | BIT(SIGBUS) | BIT(SIGILL) | BIT(SIGTRAP) | BIT(SIGFPE) | BIT(SIGSYS))

/* Without us it would not have come. */
static bool means_nothing(const struct grp_place_thread *thread, int signal)
{
	struct grp_place_status status;

	return grp_place_status(thread->tid, &status) == 0 && status.ignored & BIT(signal);
}

/*
 * No more of those come until it is let go: if the next one came while it is told of this one,
 * it would never make a call. What was blocked during the call that it was stopped in still is.
 */
static void block_ignored(struct grp_place_thread *thread)
{
	const struct grp_place_signals *signals = &thread->signals;
	struct grp_place_status status;

	if (grp_place_status(thread->tid, &status) < 0)
		return;
	thread->blocks = grp_place_set_mask(thread->tid, signals->after | signals->during |
								 (status.ignored & ~FORCED)) == 0;
}

static void see_pending(struct grp_place_thread *thread)
{
	struct grp_place_status status;

	thread->signals.pending = 0;
	if (grp_place_status(thread->tid, &status) == 0)
		thread->signals.pending = status.pending & ~status.ignored;
}

/* A signal before the call: its handler has to find the registers of the program. */
static enum outcome deliver(struct grp_place_thread *thread, int signal)
{
	if (signal == SIGSYS && grp_place_was_dispatched(thread->tid)) {
		/* for the call of ours; before Linux 6.4 nobody can tell in time */
		(void)restore(thread, 0);
		return let_go(thread, GRP_PLACE_DISPATCH, 0);
	}
	if (!restore(thread, signal) || grp_place_detach(thread->tid, signal) < 0)
		return lost(thread);
	return OUTCOME_AGAIN;
}

/* On to the call, unless whatever stops it does so again and again. */
static enum outcome go_on(struct grp_place_thread *thread, unsigned int stops)
{
	if (stops == MOST_STOPS) {
		see_pending(thread);
		return deliver(thread, 0);
	}
	if (stops == FEW_STOPS)
		block_ignored(thread);
	(void)grp_place_cont_to_call(thread->tid);
	return OUTCOME_STOPPED;
}

/* Until the call of ours is made, or cannot be. */
static enum outcome run_to_call(struct grp_place_thread *thread, uint64_t deadline)
{
	unsigned int deadlines = 0, stops = 0;
	enum outcome outcome = OUTCOME_STOPPED;
	bool asked = false;
	int signal = 0;

	while (outcome == OUTCOME_STOPPED) {
		switch (grp_place_wait(&thread->tid, deadline, &signal)) {
		case GRP_STOP_CALL:
			thread->called = true;
			return OUTCOME_STOPPED;
		case GRP_STOP_EVENT:
			if (asked || deadline == GRP_NO_DEADLINE)
				return OUTCOME_STOPPED;
			/* stopped with its process, continued, or still because of us */
			outcome = go_on(thread, ++stops);
			break;
		case GRP_STOP_SIGNAL:
			if (!means_nothing(thread, signal))
				return deliver(thread, signal);
			outcome = go_on(thread, ++stops);
			break;
		case GRP_STOP_GONE:
			return done(thread, GRP_PLACE_GONE, 0);
		case GRP_STOP_LATE:
			deadline = deadline_of(thread);
			if (++deadlines <= STARVED_DEADLINES && wants_to_run(thread))
				break;
			if (asked)
				return OUTCOME_STUCK;
			(void)grp_place_interrupt(thread->tid);
			asked = true;
			break;
		}
	}
	return outcome;
}

/* The kernel stops it on its way out, before it looks at signals. */
static enum outcome run_through_call(struct grp_place_thread *thread, uint64_t deadline)
{
	int signal = 0;

	switch (grp_place_wait(&thread->tid, deadline, &signal)) {
	case GRP_STOP_LATE:
		return OUTCOME_STUCK;
	case GRP_STOP_GONE:
		return done(thread, GRP_PLACE_GONE, 0);
	default:
		return OUTCOME_STOPPED;
	}
}

/* Begins where it was left, so that one that was stuck goes on. */
static enum outcome run(struct grp_place_thread *thread, uint64_t deadline)
{
	enum outcome outcome;

	if (!thread->called) {
		outcome = run_to_call(thread, deadline);
		if (outcome != OUTCOME_STOPPED || !thread->called)
			return outcome;
		if (grp_place_interrupt(thread->tid) < 0 || grp_place_cont(thread->tid, 0) < 0)
			return lost(thread);
	}
	return run_through_call(thread, deadline);
}

/* It is stopped with registers of ours, the call made or not. */
static enum outcome finish(struct grp_place_thread *thread)
{
	struct grp_place_regs regs = { 0 };
	long result = 0;

	if (thread->called && grp_arch_get(thread->tid, &regs) == 0)
		result = grp_arch_result(&regs);
	if (thread->called && !result)
		grp_place_take_result(thread->tid, &thread->made, thread->reply);
	see_pending(thread);
	if (!restore(thread, 0) || grp_place_detach(thread->tid, 0) < 0)
		return lost(thread);
	if (!thread->called)
		return done(thread, GRP_PLACE_FROZEN, 0);
	return done(thread, result < 0 ? GRP_PLACE_REFUSED : GRP_PLACE_DONE,
		    result < 0 ? (int)-result : 0);
}

/* --- the call ---------------------------------------------------------------------------- */

/* It is stopped. Return: GRP_PLACE_DONE: its registers are known, nothing is against it. */
static enum grp_place_result examine(struct grp_place_thread *thread)
{
	struct grp_place_status status;
	/* first of all: it waits until the thread has left its CPU, which its status tells of */
	int r = grp_arch_get(thread->tid, &thread->saved);

	if (r < 0)
		return r == -EINVAL ? GRP_PLACE_COMPAT : GRP_PLACE_GONE;
	if (grp_place_status(thread->tid, &status) < 0)
		return GRP_PLACE_GONE;
	if (status.seccomp && !thread->suspends_seccomp) {
		if (grp_place_suspend_seccomp(thread->tid) < 0)
			return GRP_PLACE_SECCOMP;
		thread->suspends_seccomp = true;
	}
	r = grp_place_look_inside(thread->tid, &thread->saved, &thread->signals.after);
	if (r < 0)
		return r == -EINVAL ? GRP_PLACE_COMPAT : GRP_PLACE_DISPATCH;
	thread->signals.during = status.blocked;
	thread->signals.pending = status.pending & ~status.ignored;
	if (grp_place_look_again(thread->tid, &thread->look, &status, thread->suspends_seccomp,
				 &thread->saved) < 0)
		return GRP_PLACE_BUSY;
	thread->call = grp_arch_interrupted(&thread->saved, &thread->look.blocked);
	if (thread->suspends_seccomp)
		grp_place_avoid_restart_syscall(&thread->call);
	return GRP_PLACE_DONE;
}

static enum outcome make_call(struct grp_place_thread *thread)
{
	enum grp_place_result result = examine(thread);
	struct grp_place_regs regs;
	uint64_t insn;

	if (result == GRP_PLACE_BUSY)
		return grp_place_detach(thread->tid, 0) < 0 ? lost(thread) : OUTCOME_AGAIN;
	if (result != GRP_PLACE_DONE)
		return let_go(thread, result, 0);
	insn = grp_place_find_insn(thread->tid, &thread->saved);
	if (!insn || grp_place_prepare(thread->request, thread->tid, grp_arch_sp(&thread->saved),
				       &thread->made) < 0)
		result = GRP_PLACE_NO_CALL;
	if (result == GRP_PLACE_DONE) {
		grp_arch_call(&thread->saved, insn, thread->made.number, thread->made.arguments,
			      &regs);
		if (grp_arch_set(thread->tid, &regs) < 0 || grp_place_cont_to_call(thread->tid) < 0)
			return lost(thread);
		return run(thread, deadline_of(thread));
	}
	/* as it would go on with the call made */
	(void)restore(thread, 0);
	return let_go(thread, result, 0);
}

static enum outcome attempt(struct grp_place_thread *thread)
{
	enum outcome outcome = seize(thread);

	thread->reply->attempts++;
	thread->called = false;
	thread->made = (struct grp_place_made){ 0 };
	if (outcome == OUTCOME_STOPPED)
		outcome = stop(thread);
	if (outcome == OUTCOME_STOPPED)
		outcome = make_call(thread);
	return outcome == OUTCOME_STOPPED ? finish(thread) : outcome;
}

enum grp_place_next grp_place_inject(const struct grp_place_request *request,
				     struct grp_place_reply *reply,
				     struct grp_place_thread **ret_thread)
{
	struct grp_place_thread *thread = calloc(1, sizeof(*thread));
	enum grp_place_next next = GRP_NEXT_REQUEST;
	enum outcome outcome = OUTCOME_AGAIN;

	*reply = (struct grp_place_reply){
		.id = request->id, .tid = request->tid, .result = GRP_PLACE_FAILED, .error = ENOMEM
	};
	if (!thread)
		return next;
	thread->request = request;
	thread->reply = reply;
	thread->tid = request->tid;
	while (outcome == OUTCOME_AGAIN && reply->attempts < MOST_ATTEMPTS)
		outcome = attempt(thread);
	if (outcome == OUTCOME_AGAIN) {
		(void)done(thread, GRP_PLACE_BUSY, 0);
	} else if (outcome == OUTCOME_LATE) {
		thread->ends_tracer = true;
		(void)done(thread, GRP_PLACE_ASLEEP, 0);
	} else if (outcome == OUTCOME_STUCK) {
		(void)done(thread, GRP_PLACE_FROZEN, 0);
		*ret_thread = thread;
		return GRP_NEXT_FINISH;
	}
	if (thread->ends_tracer)
		next = GRP_NEXT_TRACER;
	free(thread);
	return next;
}

void grp_place_finish(struct grp_place_thread *thread)
{
	thread->reply = &thread->unheard;
	if (run(thread, GRP_NO_DEADLINE) == OUTCOME_STOPPED)
		(void)finish(thread);
	free(thread);
}
