/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kinds of calls in which a thread may sleep, for blocked.c: how it does, what it has
 * to get, and how it is woken.
 */
#ifndef GRP_TESTS_BLOCKED_H
#define GRP_TESTS_BLOCKED_H

#include <linux/futex.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>

#include "blocked_time.h"
#include "flood.h"

struct kind {
	const char *name;
	/* in the child: NULL, or what was wrong */
	const char *(*sleep)(struct stage *stage);
	/* in the parent; NULL: it ends by its time */
	void (*wake)(struct stage *stage, pid_t pid);
};

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

/* It comes from a child, which is told by a byte. */
static const char *in_timed_recvmmsg(struct stage *stage)
{
	struct timeval time = { 3600, 0 };
	char text[8];
	struct iovec part = { text, sizeof(text) };
	struct mmsghdr message = { .msg_hdr = { .msg_iov = &part, .msg_iovlen = 1 } };
	int pair[2];
	pid_t pid;
	char c;

	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair) ||
	    setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &time, sizeof(time)))
		die("socketpair");
	pid = fork_helper();
	if (!pid)
		_exit(read(stage->pipe[0], &c, 1) == 1 && write(pair[1], "w", 1) == 1 ? 0 : 1);
	return expect(recvmmsg(pair[0], &message, 1, 0, NULL), 1, 0);
}

static const char *in_wait4(struct stage *stage)
{
	pid_t pid = fork_helper();
	int status = 0;
	char c;

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
	pid = fork_helper();
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

/* A signal that nobody cares about ends no call; one who is traced is told of it, though. */
static const char *under_flood(const char *(*sleep)(struct stage *stage), struct stage *stage)
{
	const char *what;
	pid_t pid;

	(void)signal(SIGURG, SIG_DFL);
	pid = start_flood(SIGURG);
	what = sleep(stage);
	(void)kill(pid, SIGKILL);
	return what;
}

static const char *in_epoll_ignoring(struct stage *stage)
{
	return under_flood(in_endless_epoll, stage);
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

static const char *in_ppoll_ignoring(struct stage *stage)
{
	return under_flood(in_ppoll_that_blocks, stage);
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
	{ "ppoll with a constant", in_constant_ppoll },
	{ "nanosleep, filtered", in_filtered_nanosleep },
	{ "poll, filtered", in_filtered_poll },
	{ "futex, filtered", in_filtered_futex },
	{ "read", in_read, wake_by_byte },
	{ "epoll_wait", in_endless_epoll, wake_by_byte },
	{ "poll", in_endless_poll, wake_by_byte },
	{ "futex", in_futex, wake_by_futex },
	{ "accept", in_accept, wake_by_connect },
	{ "accept with SO_RCVTIMEO", in_timed_accept, wake_by_connect },
	{ "recvmmsg with SO_RCVTIMEO", in_timed_recvmmsg, wake_by_byte },
	{ "wait4", in_wait4, wake_by_byte },
	{ "flock", in_flock, wake_by_byte },
	{ "msgrcv", in_msgrcv, wake_by_message },
	{ "pause", in_pause, wake_by_signal },
	{ "sigsuspend", in_sigsuspend, wake_by_signal },
	{ "epoll_wait with a handler", in_epoll_with_handler, wake_by_signal },
	{ "epoll_wait, signals ignored", in_epoll_ignoring, wake_by_byte },
	{ "ppoll with a mask", in_ppoll_that_blocks, wake_by_byte },
	{ "ppoll with a mask, signals ignored", in_ppoll_ignoring, wake_by_byte },
	{ "sigwaitinfo", in_sigwaitinfo, wake_by_signal },
	{ "stopped", in_stop, wake_by_continue },
};

#define N_KINDS (sizeof(kinds) / sizeof(*kinds))

#endif
