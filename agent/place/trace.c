/* SPDX-License-Identifier: GPL-2.0-only */
#include "place/trace.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/ptrace.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>

#include "base/clock.h"

/* An exec by another thread takes one away without a signal. */
#define LOOK_NS (50 * 1000000ULL)

/* What a status has above the signal in an event. */
#define EVENT_OF(status) ((unsigned int)(status) >> 16)
/* Told apart from the signal by PTRACE_O_TRACESYSGOOD. */
#define CALL_SIGNAL (SIGTRAP | 0x80)

/* From asm-generic/siginfo.h, which does not go with the C library's. */
#define DISPATCHED 2

/* Until a child or tracee changes, or a moment is over. Return: false: the deadline is over. */
static bool wait_change(uint64_t deadline_ns)
{
	uint64_t now = grp_clock_ns(CLOCK_MONOTONIC),
		 left = deadline_ns > now ? deadline_ns - now : 0;
	struct timespec timeout = { 0, (long)(left < LOOK_NS ? left : LOOK_NS) };
	sigset_t set;

	if (!left)
		return false;
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGCHLD);
	(void)sigtimedwait(&set, NULL, &timeout);
	return true;
}

static enum grp_place_stop classify(int status, int *ret_signal)
{
	if (!WIFSTOPPED(status))
		return GRP_STOP_GONE;
	if (EVENT_OF(status) == PTRACE_EVENT_STOP)
		return GRP_STOP_EVENT;
	if (WSTOPSIG(status) == CALL_SIGNAL)
		return GRP_STOP_CALL;
	*ret_signal = WSTOPSIG(status);
	return GRP_STOP_SIGNAL;
}

enum grp_place_stop grp_place_wait(pid_t *tid, uint64_t deadline_ns, int *ret_signal)
{
	int status;
	pid_t pid;

	for (;;) {
		pid = waitpid(*tid, &status, __WALL | WNOHANG);
		/*
		 * After an exec by a thread that is not the first it has another id. A child
		 * of our own, see helper.c, is none of __WCLONE.
		 */
		if (pid < 0)
			pid = waitpid(-1, &status, __WCLONE | WNOHANG);
		if (pid < 0)
			return GRP_STOP_GONE;
		if (pid > 0) {
			*tid = pid;
			return classify(status, ret_signal);
		}
		if (!wait_change(deadline_ns))
			return GRP_STOP_LATE;
	}
}

static int result_of(long r)
{
	return r ? -errno : 0;
}

/* glibc's enum has no value for no options. */
static void *options_of(bool suspend_seccomp)
{
	unsigned long options = PTRACE_O_TRACESYSGOOD;

	if (suspend_seccomp)
		options |= PTRACE_O_SUSPEND_SECCOMP;
	return (void *)options;
}

static sigjmp_buf too_late;

static void on_alarm(int signal)
{
	siglongjmp(too_late, 1);
}

/* After @ms; 0: not any more. */
static void set_alarm(unsigned int ms)
{
	struct itimerval timer = { .it_value = { ms / 1000, ms % 1000 * 1000L } };
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGALRM);
	(void)signal(SIGALRM, on_alarm);
	(void)sigprocmask(ms ? SIG_UNBLOCK : SIG_BLOCK, &set, NULL);
	(void)setitimer(ITIMER_REAL, &timer, NULL);
}

/* The kernel would begin again when a handler returns, so ours does not. */
int grp_place_seize(pid_t tid, bool suspend_seccomp, unsigned int timeout_ms)
{
	int r;

	if (sigsetjmp(too_late, 1))
		return -ETIMEDOUT;
	set_alarm(timeout_ms ? timeout_ms : 1);
	r = result_of(ptrace(PTRACE_SEIZE, tid, NULL, options_of(suspend_seccomp)));
	set_alarm(0);
	return r;
}

int grp_place_suspend_seccomp(pid_t tid)
{
	return result_of(ptrace(PTRACE_SETOPTIONS, tid, NULL, options_of(true)));
}

int grp_place_interrupt(pid_t tid)
{
	return result_of(ptrace(PTRACE_INTERRUPT, tid, NULL, NULL));
}

int grp_place_cont(pid_t tid, int signal)
{
	return result_of(ptrace(PTRACE_CONT, tid, NULL, (void *)(long)signal));
}

int grp_place_cont_to_call(pid_t tid)
{
	return result_of(ptrace(PTRACE_SYSCALL, tid, NULL, NULL));
}

int grp_place_detach(pid_t tid, int signal)
{
	return result_of(ptrace(PTRACE_DETACH, tid, NULL, (void *)(long)signal));
}

int grp_place_get_mask(pid_t tid, uint64_t *ret_mask)
{
	return result_of(ptrace(PTRACE_GETSIGMASK, tid, (void *)sizeof(*ret_mask), ret_mask));
}

int grp_place_set_mask(pid_t tid, uint64_t mask)
{
	return result_of(ptrace(PTRACE_SETSIGMASK, tid, (void *)sizeof(mask), &mask));
}

bool grp_place_was_dispatched(pid_t tid)
{
	siginfo_t info = { 0 };

	return ptrace(PTRACE_GETSIGINFO, tid, NULL, &info) == 0 && info.si_signo == SIGSYS &&
	       info.si_code == DISPATCHED;
}
