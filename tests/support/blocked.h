/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kinds of calls in which a thread may sleep, for blocked.c: how it does, what it has
 * to get, and how it is woken.
 */
#ifndef GRP_TESTS_BLOCKED_H
#define GRP_TESTS_BLOCKED_H

#include <poll.h>
#include <linux/futex.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/timerfd.h>

#include "place.h"

#define TIME_MS 600
#define ROUNDS_WAITING 25
#define WAKE_SIGNAL SIGUSR1

/* What both sides of a test have. */
struct stage {
	int pipe[2]; /* something to read comes when it is time to wake up */
	int socket; /* that listens */
	int queue, semaphore;
	volatile uint32_t *word;
};

struct kind {
	const char *name;
	/* in the child: NULL, or what was wrong */
	const char *(*sleep)(struct stage *stage);
	/* in the parent; NULL: it ends by its time */
	void (*wake)(struct stage *stage, pid_t pid);
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

/* ... not before TIME_MS were over since @begun */
static const char *expect_time(uint64_t begun, long r, long expected, int error)
{
	const char *what = expect(r, expected, error);
	uint64_t ms = (clock_ns(CLOCK_MONOTONIC) - begun) / NS_PER_MS;

	if (what)
		return what;
	return ms < TIME_MS ? wrong("ended after %llu ms", (unsigned long long)ms) : NULL;
}

static const struct timespec *the_time(void)
{
	static const struct timespec time = { TIME_MS / 1000, TIME_MS % 1000 * (long)NS_PER_MS };

	return &time;
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
	uint64_t begun = now(), end = begun + TIME_MS * NS_PER_MS;
	struct timespec until = { (time_t)(end / NS_PER_S), (long)(end % NS_PER_S) };

	return expect_time(begun, clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL), 0,
			   0);
}

static const char *in_poll(struct stage *stage)
{
	struct pollfd fd = { .fd = stage->pipe[0], .events = POLLIN };
	uint64_t begun = now();

	return expect_time(begun, poll(&fd, 1, TIME_MS), 0, 0);
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
	struct timeval time = { 0, TIME_MS * 1000 };
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

	return expect_time(begun, epoll_wait(fd, &event, 1, TIME_MS), 0, 0);
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

/* --- calls that wait for something ------------------------------------------------------ */

static const char *in_read(struct stage *stage)
{
	char c = 0;

	return expect(read(stage->pipe[0], &c, 1), 1, 0) ?: (c == 'w' ? NULL : "another byte");
}

static const char *in_endless_epoll(struct stage *stage)
{
	struct epoll_event event;

	return expect(epoll_wait(epoll_of(stage), &event, 1, -1), 1, 0);
}

static const char *in_endless_poll(struct stage *stage)
{
	struct pollfd fd = { .fd = stage->pipe[0], .events = POLLIN };

	return expect(poll(&fd, 1, -1), 1, 0);
}

static void wake_by_byte(struct stage *stage, pid_t pid)
{
	if (write(stage->pipe[1], "w", 1) != 1)
		die("write");
}

static const char *in_futex(struct stage *stage)
{
	return expect(syscall(SYS_futex, stage->word, FUTEX_WAIT, 0, NULL), 0, 0);
}

static void wake_by_futex(struct stage *stage, pid_t pid)
{
	*stage->word = 1;
	if (syscall(SYS_futex, stage->word, FUTEX_WAKE, 1) != 1)
		die("nobody is in the futex");
}

static const char *in_accept(struct stage *stage)
{
	return accept(stage->socket, NULL, NULL) >= 0 ? NULL : expect(-1, 0, 0);
}

/* With a time on the socket the kernel does not restart it. */
static const char *in_timed_accept(struct stage *stage)
{
	struct timeval time = { 3600, 0 };

	if (setsockopt(stage->socket, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof(time)))
		die("setsockopt");
	return in_accept(stage);
}

static void wake_by_connect(struct stage *stage, pid_t pid)
{
	struct sockaddr_in address;
	socklen_t length = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || getsockname(stage->socket, (struct sockaddr *)&address, &length) ||
	    connect(fd, (struct sockaddr *)&address, length))
		die("connect");
	(void)close(fd);
}

static const char *in_wait4(struct stage *stage)
{
	pid_t pid = fork();
	int status = 0;
	char c;

	if (pid < 0)
		die("fork");
	if (!pid)
		_exit(read(stage->pipe[0], &c, 1) == 1 ? 5 : 6);
	return expect(wait4(pid, &status, 0, NULL), pid, 0) ?:
		       (WEXITSTATUS(status) == 5 ? NULL : "another status");
}

static const char *in_flock(struct stage *stage)
{
	char name[] = "/tmp/grpagent-blocked-XXXXXX";
	int held = mkstemp(name), fd = open(name, O_RDWR | O_CLOEXEC);
	pid_t pid;
	char c;

	(void)unlink(name);
	if (held < 0 || fd < 0 || flock(held, LOCK_EX))
		die("flock");
	pid = fork();
	if (!pid)
		_exit(read(stage->pipe[0], &c, 1) == 1 && !flock(held, LOCK_UN) ? 0 : 1);
	return expect(flock(fd, LOCK_EX), 0, 0);
}

static const char *in_msgrcv(struct stage *stage)
{
	struct {
		long type;
		char text[8];
	} message;

	return expect(msgrcv(stage->queue, &message, sizeof(message.text), 0, 0), 1, 0);
}

static void wake_by_message(struct stage *stage, pid_t pid)
{
	struct {
		long type;
		char text[8];
	} message = { 1, "w" };

	if (msgsnd(stage->queue, &message, 1, 0))
		die("msgsnd");
}

static volatile sig_atomic_t handled;

static void on_signal(int signal)
{
	handled++;
}

static const char *expect_handled(long r)
{
	return expect(r, -1, EINTR) ?: (handled == 1 ? NULL : wrong("%d signals", (int)handled));
}

static const char *in_pause(struct stage *stage)
{
	(void)signal(WAKE_SIGNAL, on_signal);
	return expect_handled(pause());
}

static const char *in_sigsuspend(struct stage *stage)
{
	sigset_t set, before;

	(void)signal(WAKE_SIGNAL, on_signal);
	(void)sigemptyset(&set);
	(void)sigaddset(&set, WAKE_SIGNAL);
	(void)sigprocmask(SIG_BLOCK, &set, &before);
	return expect_handled(sigsuspend(&before));
}

/* A handler ends a call with EINTR, which it has to do with us about as well. */
static const char *in_epoll_with_handler(struct stage *stage)
{
	struct epoll_event event;

	(void)signal(WAKE_SIGNAL, on_signal);
	return expect_handled(epoll_wait(epoll_of(stage), &event, 1, -1));
}

/* Pending and blocked during the call only: it stays so. */
static const char *in_ppoll_that_blocks(struct stage *stage)
{
	struct pollfd fd = { .fd = stage->pipe[0], .events = POLLIN };
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, WAKE_SIGNAL);
	(void)signal(WAKE_SIGNAL, on_signal);
	return expect(ppoll(&fd, 1, NULL, &set), 1, 0);
}

static const char *in_sigwaitinfo(struct stage *stage)
{
	siginfo_t info;
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, WAKE_SIGNAL);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	return expect(sigwaitinfo(&set, &info), WAKE_SIGNAL, 0);
}

static void wake_by_signal(struct stage *stage, pid_t pid)
{
	if (kill(pid, WAKE_SIGNAL))
		die("kill");
}

static const char *in_stop(struct stage *stage)
{
	char c;

	(void)raise(SIGSTOP);
	return expect(read(stage->pipe[0], &c, 1), 1, 0);
}

static void wake_by_continue(struct stage *stage, pid_t pid)
{
	siginfo_t info = { 0 };

	/* it has been stopped all the time, and its parent was told so once */
	if (waitid(P_PID, (id_t)pid, &info, WSTOPPED | WNOHANG) || info.si_pid != pid ||
	    info.si_code != CLD_STOPPED)
		die("not stopped any more");
	info.si_pid = 0;
	if (waitid(P_PID, (id_t)pid, &info, WSTOPPED | WCONTINUED | WNOHANG) || info.si_pid)
		die("stopped or continued again");
	if (kill(pid, SIGCONT))
		die("kill");
	wake_by_byte(stage, pid);
}

static const struct kind kinds[] = {
	{ "nanosleep", in_nanosleep },
	{ "clock_nanosleep until", in_clock_nanosleep },
	{ "poll with a time", in_poll },
	{ "ppoll with a time", in_ppoll },
	{ "select with a time", in_select },
	{ "epoll_wait with a time", in_epoll_wait },
	{ "epoll_pwait2 with a time", in_epoll_pwait2 },
	{ "futex with a time", in_futex_timed },
	{ "sigtimedwait", in_sigtimedwait },
	{ "semtimedop", in_semtimedop },
	{ "timerfd", in_timerfd },
	{ "read", in_read, wake_by_byte },
	{ "epoll_wait", in_endless_epoll, wake_by_byte },
	{ "poll", in_endless_poll, wake_by_byte },
	{ "futex", in_futex, wake_by_futex },
	{ "accept", in_accept, wake_by_connect },
	{ "accept with SO_RCVTIMEO", in_timed_accept, wake_by_connect },
	{ "wait4", in_wait4, wake_by_byte },
	{ "flock", in_flock, wake_by_byte },
	{ "msgrcv", in_msgrcv, wake_by_message },
	{ "pause", in_pause, wake_by_signal },
	{ "sigsuspend", in_sigsuspend, wake_by_signal },
	{ "epoll_wait with a handler", in_epoll_with_handler, wake_by_signal },
	{ "ppoll with a mask", in_ppoll_that_blocks, wake_by_byte },
	{ "sigwaitinfo", in_sigwaitinfo, wake_by_signal },
	{ "stopped", in_stop, wake_by_continue },
};

#endif
