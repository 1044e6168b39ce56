/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For blocked.c: the kinds of calls in which a thread sleeps for a time, and what all kinds
 * share. They end by themselves, neither too early nor because of us.
 */
#ifndef GRP_TESTS_BLOCKED_TIME_H
#define GRP_TESTS_BLOCKED_TIME_H

#include <poll.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/timerfd.h>

#include "place.h"

/* How long they sleep. */
static uint64_t time_ms = 600;

#define ROUNDS_WAITING 25
#define WAKE_SIGNAL SIGUSR1

/* What both sides of a test have. */
struct stage {
	int pipe[2]; /* something to read comes when it is time to wake up */
	int socket; /* that listens */
	int queue, semaphore;
	volatile uint32_t *word;
};

static char said[128];

static const char *wrong(const char *format, ...) __attribute__((format(printf, 1, 2)));

static const char *wrong(const char *format, ...)
{
	va_list list;

	va_start(list, format);
	(void)vsnprintf(said, sizeof(said), format, list);
	va_end(list);
	return said;
}

/* A call that returned @r, and should have returned @expected with @error. */
static const char *expect(long r, long expected, int error)
{
	int saved = errno;

	if (r == expected && (r >= 0 || saved == error))
		return NULL;
	return wrong("returned %ld, errno %d, not %ld, errno %d", r, r < 0 ? saved : 0, expected,
		     error);
}

/* ... not before time_ms were over since @begun */
static const char *expect_time(uint64_t begun, long r, long expected, int error)
{
	const char *what = expect(r, expected, error);
	uint64_t ms = (clock_ns(CLOCK_MONOTONIC) - begun) / NS_PER_MS;

	if (what)
		return what;
	return ms < time_ms ? wrong("ended after %llu ms", (unsigned long long)ms) : NULL;
}

/* Where nobody can write. */
static const struct timespec *the_time(void)
{
	static struct timespec *time;

	if (time)
		return time;
	time = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (time == MAP_FAILED)
		die("mmap");
	*time = (struct timespec){ (time_t)(time_ms / 1000), (long)(time_ms % 1000 * NS_PER_MS) };
	if (mprotect(time, 4096, PROT_READ))
		die("mprotect");
	return time;
}

static uint64_t now(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

/* --- calls with a time ---------------------------------------------------------------- */

static const char *in_nanosleep(struct stage *stage)
{
	uint64_t begun = now();

	return expect_time(begun, syscall(SYS_nanosleep, the_time(), NULL), 0, 0);
}

static const char *in_clock_nanosleep(struct stage *stage)
{
	uint64_t begun = now(), end = begun + time_ms * NS_PER_MS;
	struct timespec until = { (time_t)(end / NS_PER_S), (long)(end % NS_PER_S) };

	return expect_time(begun, clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL), 0,
			   0);
}

static const char *in_poll(struct stage *stage)
{
	struct pollfd fd = { .fd = stage->pipe[0], .events = POLLIN };
	uint64_t begun = now();

	return expect_time(begun, poll(&fd, 1, (int)time_ms), 0, 0);
}

static const char *in_ppoll(struct stage *stage)
{
	struct pollfd fd = { .fd = stage->pipe[0], .events = POLLIN };
	uint64_t begun = now();
	sigset_t set;

	(void)sigemptyset(&set);
	return expect_time(begun, ppoll(&fd, 1, the_time(), &set), 0, 0);
}

static const char *in_select(struct stage *stage)
{
	struct timeval time = { (time_t)(time_ms / 1000), (long)(time_ms % 1000) * 1000 };
	uint64_t begun = now();
	fd_set set;

	FD_ZERO(&set);
	FD_SET(stage->pipe[0], &set);
	return expect_time(begun, select(stage->pipe[0] + 1, &set, NULL, NULL, &time), 0, 0);
}

static int epoll_of(struct stage *stage)
{
	struct epoll_event event = { .events = EPOLLIN };
	int fd = epoll_create1(EPOLL_CLOEXEC);

	if (fd < 0 || epoll_ctl(fd, EPOLL_CTL_ADD, stage->pipe[0], &event))
		die("epoll");
	return fd;
}

static const char *in_epoll_wait(struct stage *stage)
{
	struct epoll_event event;
	int fd = epoll_of(stage);
	uint64_t begun = now();

	return expect_time(begun, epoll_wait(fd, &event, 1, (int)time_ms), 0, 0);
}

static const char *in_epoll_pwait2(struct stage *stage)
{
	struct epoll_event event;
	int fd = epoll_of(stage);
	uint64_t begun = now();

	return expect_time(begun, syscall(SYS_epoll_pwait2, fd, &event, 1, the_time(), NULL, 8), 0,
			   0);
}

static const char *in_futex_timed(struct stage *stage)
{
	uint64_t begun = now();

	return expect_time(begun, syscall(SYS_futex, stage->word, FUTEX_WAIT, 0, the_time()), -1,
			   ETIMEDOUT);
}

static const char *in_sigtimedwait(struct stage *stage)
{
	uint64_t begun = now();
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGUSR2);
	return expect_time(begun, sigtimedwait(&set, NULL, the_time()), -1, EAGAIN);
}

static const char *in_semtimedop(struct stage *stage)
{
	struct sembuf take = { .sem_op = -1 };
	uint64_t begun = now();

	return expect_time(begun, semtimedop(stage->semaphore, &take, 1, the_time()), -1, EAGAIN);
}

static const char *in_timerfd(struct stage *stage)
{
	struct itimerspec time = { .it_value = *the_time() };
	uint64_t begun = now(), expired = 0;
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	const char *what;

	if (fd < 0 || timerfd_settime(fd, 0, &time, NULL))
		die("timerfd");
	what = expect_time(begun, read(fd, &expired, sizeof(expired)), sizeof(expired), 0);
	if (!what && expired != 1)
		what = wrong("expired %llu times", (unsigned long long)expired);
	return what;
}

/* The kernel writes what is left of it there, and cannot. */
static const char *in_constant_ppoll(struct stage *stage)
{
	struct pollfd fd = { .fd = stage->pipe[0], .events = POLLIN };
	uint64_t begun = now();

	return expect_time(begun, syscall(SYS_ppoll, &fd, 1, the_time(), NULL, 8), 0, 0);
}

/* By restart_syscall(2) the kernel goes on with what has waited for a part of its time. */
static void forbid_restart(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_restart_syscall, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = { sizeof(code) / sizeof(*code), code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter))
		die("seccomp");
}

static const char *in_filtered_nanosleep(struct stage *stage)
{
	forbid_restart();
	return in_nanosleep(stage);
}

static const char *in_filtered_poll(struct stage *stage)
{
	forbid_restart();
	return in_poll(stage);
}

static const char *in_filtered_futex(struct stage *stage)
{
	forbid_restart();
	return in_futex_timed(stage);
}

#endif
