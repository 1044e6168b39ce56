/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * confined HOW FIFO: a process that is hard to place. Says "ready", reads a byte from
 * FIFO, says "survived" and ends with 0.
 *
 *   strict    with the seccomp mode that allows read, write and exit
 *   filter    with a filter that kills it for any other call
 *   dispatch  gets a signal for each of its own system calls (prctl)
 *   vfork     waits for a child of vfork(2), which reads the byte: not even a signal ends that
 *   exec      executes itself over and over from another thread until there is a byte
 *   moved     has its vDSO unmapped
 *   timer     gets a signal of a timer every few microseconds
 *   switched  a thread, whose number it says first, computes while each system call is a signal
 *   traced    by a child, until there is a byte; another one lets it end
 *   epoll     in epoll_wait(2), which nothing but the byte may end
 *   held      in execve(2), which waits for a thread that a tracer does not let go
 *   uring     has a worker of io_uring(7)
 */
#include <fcntl.h>
#include <liburing.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support.h"

#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#endif

#define TIMER_NS 20000

static char *program, *fifo;
static int fd;
static volatile char selector; /* for the kernel; 0: calls are let through */

static void say(const char *text)
{
	(void)!write(STDOUT_FILENO, text, strlen(text));
}

static _Noreturn void read_and_end(void)
{
	char c;

	say("ready\n");
	if (read(fd, &c, 1) == 1)
		say("survived\n");
	(void)syscall(SYS_exit, 0);
	abort();
}

static void enter_filter(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_read, 3, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_write, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = { sizeof(code) / sizeof(*code), code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter))
		die("seccomp");
}

static void enter_strict(void)
{
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT))
		die("seccomp");
}

static void enter_dispatch(void)
{
	if (prctl(PR_SET_SYSCALL_USER_DISPATCH, 1, 0, 0, &selector))
		die("dispatch");
}

static void wait_in_vfork(void)
{
	/* NOLINTBEGIN: the very thing that is tested */
	pid_t pid = vfork();
	char c;

	if (!pid) {
		say("ready\n");
		_exit(read(fd, &c, 1) == 1 ? 0 : 1);
	}
	/* NOLINTEND */
	say("survived\n");
	_exit(0);
}

static void *execute(void *arg)
{
	char text[16];

	(void)snprintf(text, sizeof(text), "%d", fd);
	(void)execl(program, program, "exec", fifo, text, NULL);
	die(program);
}

static bool has_byte(void)
{
	struct pollfd poller = { .fd = fd, .events = POLLIN };

	return poll(&poller, 1, 0) == 1;
}

static void execute_on(void)
{
	pthread_t thread;

	if (has_byte())
		read_and_end();
	(void)pthread_create(&thread, NULL, execute, NULL);
	for (;;)
		(void)pause();
}

static void unmap_vdso(void)
{
	char *vdso = (char *)getauxval(AT_SYSINFO_EHDR);

	if (vdso && munmap(vdso, 8192))
		die("munmap");
}

static void on_signal(int signal)
{
}

static void run_timer(void)
{
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN };
	struct itimerspec time = { { 0, TIMER_NS }, { 0, TIMER_NS } };
	timer_t timer;

	(void)signal(SIGRTMIN, on_signal);
	if (timer_create(CLOCK_MONOTONIC, &event, &timer) || timer_settime(timer, 0, &time, NULL))
		die("timer");
	say("ready\n");
	while (!has_byte())
		burn_ns(CLOCK_MONOTONIC, NS_PER_MS);
	(void)timer_delete(timer);
}

static volatile sig_atomic_t switched_calls;
static volatile pid_t computes; /* thread; 0: not yet */
static volatile bool computed_enough;

/* With the selector as it is not even sigreturn(2) would come through. */
static void on_call(int signal)
{
	selector = SYSCALL_DISPATCH_FILTER_ALLOW;
	switched_calls++;
}

static void *compute(void *arg)
{
	pid_t tid = gettid();

	(void)signal(SIGSYS, on_call);
	enter_dispatch();
	selector = SYSCALL_DISPATCH_FILTER_BLOCK;
	computes = tid;
	while (!computed_enough)
		;
	selector = SYSCALL_DISPATCH_FILTER_ALLOW;
	return NULL;
}

static void switch_calls(void)
{
	pthread_t thread;
	char c, text[16];

	if (pthread_create(&thread, NULL, compute, NULL))
		die("pthread_create");
	while (!computes)
		sleep_ns(NS_PER_MS);
	(void)snprintf(text, sizeof(text), "%d\n", computes);
	say(text);
	if (read(fd, &c, 1) != 1)
		die("read");
	computed_enough = true;
	(void)pthread_join(thread, NULL);
	say(switched_calls ? "disturbed\n" : "survived\n");
	_exit(0);
}

/* A child that traces thread @tid of ours until there is a byte, or until we end. */
static pid_t start_tracer(pid_t tid)
{
	pid_t parent = getpid(), pid;
	int pair[2];
	char c;

	if (pipe(pair))
		die("pipe");
	pid = fork();
	if (pid < 0)
		die("fork");
	if (pid) {
		(void)close(pair[1]);
		if (read(pair[0], &c, 1) != 1)
			die("the tracer");
		return pid;
	}
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent || ptrace(PTRACE_SEIZE, tid, NULL, NULL))
		_exit(1);
	(void)!write(pair[1], "", 1);
	/* it is let go by our end */
	_exit(read(fd, &c, 1) == 1 ? 0 : 1);
}

static void be_traced(void)
{
	pid_t pid = start_tracer(getpid());

	say("ready\n");
	if (waitpid(pid, NULL, 0) != pid)
		die("waitpid");
}

static void wait_in_epoll(void)
{
	struct epoll_event event = { .events = EPOLLIN };
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event))
		die("epoll");
	say("ready\n");
	if (epoll_wait(epoll, &event, 1, -1) != 1)
		die("epoll_wait");
}

static pid_t sleeper;

static void *sleep_on(void *arg)
{
	__atomic_store_n(&sleeper, gettid(), __ATOMIC_RELEASE);
	while (pause())
		;
	return NULL;
}

static void execute_held(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, sleep_on, NULL))
		die("pthread_create");
	while (!__atomic_load_n(&sleeper, __ATOMIC_ACQUIRE))
		sleep_ns(NS_PER_MS);
	(void)start_tracer(sleeper);
	say("ready\n");
	(void)execl(program, program, "end", fifo, NULL);
	die(program);
}

static void say_end(void)
{
	say("survived\n");
	_exit(0);
}

static void have_worker(void)
{
	struct io_uring ring;
	struct io_uring_sqe *sqe;
	static char c;
	int pair[2];

	if (pipe(pair) || io_uring_queue_init(2, &ring, 0) < 0)
		exit(EXIT_SKIP);
	sqe = io_uring_get_sqe(&ring);
	io_uring_prep_read(sqe, pair[0], &c, 1, 0);
	sqe->flags |= IOSQE_ASYNC;
	if (io_uring_submit(&ring) != 1)
		die("io_uring_submit");
}

static const struct {
	const char *name;
	void (*enter)(void);
} ways[] = {
	{ "strict", enter_strict }, { "filter", enter_filter },	  { "dispatch", enter_dispatch },
	{ "vfork", wait_in_vfork }, { "exec", execute_on },	  { "moved", unmap_vdso },
	{ "timer", run_timer },	    { "switched", switch_calls }, { "traced", be_traced },
	{ "epoll", wait_in_epoll }, { "held", execute_held },	  { "end", say_end },
	{ "uring", have_worker },
};

int main(int argc, char **argv)
{
	if (argc < 3)
		die_usage("confined HOW FIFO");
	program = argv[0];
	fifo = argv[2];
	/* so that it never ends; inherited when it executes itself */
	fd = argc > 3 ? (int)number(argv[3], 1000) : open(fifo, O_RDWR);
	if (fd < 0)
		die(fifo);
	if (argc == 3 && !strcmp(argv[1], "exec"))
		say("started\n");
	for (unsigned int i = 0; i < sizeof(ways) / sizeof(*ways); i++)
		if (!strcmp(argv[1], ways[i].name)) {
			ways[i].enter();
			read_and_end();
		}
	die_usage("confined HOW FIFO");
}
