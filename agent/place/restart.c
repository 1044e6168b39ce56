/* SPDX-License-Identifier: GPL-2.0-only */
#include "place/restart.h"

#include <errno.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>

#include "place/memory.h"

#define NS_PER_MS 1000000ULL
#define NS_PER_S 1000000000ULL

enum kind {
	NO_TIME, /* or one that is not an argument, as SO_RCVTIMEO */
	MS, /* an int */
	TIMESPEC, /* a pointer, may be NULL */
};

/*
 * Calls that fail with EINTR when their thread is stopped. Others may as well, in one
 * driver or another, but cannot be repeated without knowing what they have done: close(2).
 */
static const struct {
	int number;
	enum kind kind;
	unsigned int argument; /* that has the time */
} calls[] = {
#ifdef SYS_epoll_wait
	{ SYS_epoll_wait, MS, 3 },
#endif
	{ SYS_epoll_pwait, MS, 3 },
	{ SYS_epoll_pwait2, TIMESPEC, 3 },
	{ SYS_rt_sigtimedwait, TIMESPEC, 2 },
	{ SYS_semtimedop, TIMESPEC, 3 },
	{ SYS_semop, NO_TIME, 0 },
	{ SYS_io_getevents, TIMESPEC, 4 },
	{ SYS_io_uring_enter, NO_TIME, 0 },
	/* with a time that cannot be written to */
	{ SYS_ppoll, TIMESPEC, 2 },
	{ SYS_pselect6, TIMESPEC, 4 },
	/* with a timeout set on the socket */
	{ SYS_read, NO_TIME, 0 },
	{ SYS_readv, NO_TIME, 0 },
	{ SYS_recvfrom, NO_TIME, 0 },
	{ SYS_recvmsg, NO_TIME, 0 },
	{ SYS_recvmmsg, NO_TIME, 0 },
	{ SYS_preadv2, NO_TIME, 0 },
	{ SYS_accept, NO_TIME, 0 },
	{ SYS_accept4, NO_TIME, 0 },
	{ SYS_connect, NO_TIME, 0 },
	{ SYS_write, NO_TIME, 0 },
	{ SYS_writev, NO_TIME, 0 },
	{ SYS_sendto, NO_TIME, 0 },
	{ SYS_sendmsg, NO_TIME, 0 },
	{ SYS_sendmmsg, NO_TIME, 0 },
	{ SYS_pwritev2, NO_TIME, 0 },
/* for grp_place_avoid_restart_syscall() */
#ifdef SYS_poll
	{ SYS_poll, MS, 2 },
#endif
	{ SYS_nanosleep, TIMESPEC, 0 },
	/* until some time it is restarted as it is */
	{ SYS_clock_nanosleep, TIMESPEC, 2 },
	{ SYS_futex, TIMESPEC, 3 },
};

#define N_CALLS (sizeof(calls) / sizeof(*calls))

static unsigned int find(int number)
{
	unsigned int i = 0;

	while (i < N_CALLS && calls[i].number != number)
		i++;
	return i;
}

/* Of those in the list; FUTEX_WAIT_BITSET waits until some time, and CPU time passes otherwise. */
static enum kind kind_of(unsigned int i, const uint64_t *arguments)
{
	int clock = (int)arguments[0];

	if (calls[i].number == SYS_futex && (arguments[1] & FUTEX_CMD_MASK) != FUTEX_WAIT)
		return NO_TIME;
	if (calls[i].number == SYS_clock_nanosleep &&
	    (clock < 0 || clock == CLOCK_PROCESS_CPUTIME_ID || clock == CLOCK_THREAD_CPUTIME_ID))
		return NO_TIME;
	return calls[i].kind;
}

bool grp_place_has_time(const struct grp_place_blocked *blocked)
{
	unsigned int i = find(blocked->number);
	uint64_t time;

	if (!blocked->known || i == N_CALLS || kind_of(i, blocked->arguments) == NO_TIME)
		return false;
	time = blocked->arguments[calls[i].argument];
	return calls[i].kind == MS ? (int)time > 0 : time != 0;
}

static bool kernel_restarts(int error)
{
	return error == GRP_ERESTARTSYS || error == GRP_ERESTARTNOINTR ||
	       error == GRP_ERESTARTNOHAND || error == GRP_ERESTART_RESTARTBLOCK;
}

void grp_place_avoid_restart_syscall(struct grp_place_call *call)
{
	if (call->error == GRP_ERESTART_RESTARTBLOCK && find(call->number) < N_CALLS)
		call->error = EINTR;
}

bool grp_place_restarts(const struct grp_place_call *call, const struct grp_place_signals *signals)
{
	bool interrupted = call->error == EINTR && find(call->number) < N_CALLS;
	bool was_blocked = (signals->pending & signals->during & ~signals->after) != 0;

	if (call->number < 0 || !(interrupted || kernel_restarts(call->error)))
		return false;
	if (signals->pending & ~signals->during & ~signals->after)
		return false;
	return interrupted || was_blocked;
}

/*
 * If all of it has passed, then it may as well have returned and been called again since it
 * was seen asleep: too late is better than too early.
 */
static void shorten_ms(uint64_t passed_ns, uint64_t *argument)
{
	int ms = (int)*argument;
	uint64_t passed_ms = passed_ns / NS_PER_MS;

	if (ms > 0 && passed_ms < (uint64_t)ms)
		*argument = (uint64_t)ms - passed_ms;
}

static void shorten_timespec(pid_t tid, uint64_t sp, uint64_t passed_ns, uint64_t *argument)
{
	/* not given back: it has to be there when the thread has run on, and nobody owns it */
	struct grp_place_scratch scratch = { 0 };
	struct timespec time = { 0 };
	uint64_t ns;

	if (!*argument || grp_place_read(tid, *argument, &time, sizeof(time)) < 0 ||
	    time.tv_sec < 0 || time.tv_sec > (time_t)(UINT64_MAX / NS_PER_S / 2))
		return;
	ns = (uint64_t)time.tv_sec * NS_PER_S + (uint64_t)time.tv_nsec;
	if (passed_ns >= ns)
		return;
	ns -= passed_ns;
	time = (struct timespec){ (time_t)(ns / NS_PER_S), (long)(ns % NS_PER_S) };
	if (grp_place_borrow(tid, sp, &time, sizeof(time), &scratch) == 0)
		*argument = scratch.address;
}

void grp_place_shorten(pid_t tid, uint64_t sp, const struct grp_place_blocked *blocked,
		       struct grp_place_call *call)
{
	unsigned int i = find(call->number);
	uint64_t *argument;
	enum kind kind;

	if (call->error != EINTR || i == N_CALLS || !blocked->known || !blocked->passed_ns ||
	    blocked->number != call->number ||
	    memcmp(blocked->arguments, call->arguments, sizeof(call->arguments)) != 0)
		return;
	argument = &call->arguments[calls[i].argument];
	kind = kind_of(i, call->arguments);
	if (kind == MS)
		shorten_ms(blocked->passed_ns, argument);
	if (kind == TIMESPEC)
		shorten_timespec(tid, sp, blocked->passed_ns, argument);
}
