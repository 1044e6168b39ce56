/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Taking time, and the work whose time is taken. Work runs in a child of its own
 * that is pinned to one CPU, so that the CPU time of all that takes part is the
 * time of that CPU but for what strangers do there meanwhile: switches included,
 * as the kernel charges each to the task that comes.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "bench.h"

double bench_now(clockid_t clock)
{
	struct timespec now = { 0 };

	(void)clock_gettime(clock, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

int bench_pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set) ? -errno : 0;
}

static double usage_ns(int who)
{
	struct rusage usage;

	if (getrusage(who, &usage))
		return 0;
	return ((double)usage.ru_utime.tv_sec + (double)usage.ru_stime.tv_sec) * 1e9 +
	       ((double)usage.ru_utime.tv_usec + (double)usage.ru_stime.tv_usec) * 1e3;
}

/* --- programs ------------------------------------------------------------------- */

/* What an agent inside this program has blocked is none of a stranger's business. */
static void unblock_all(void)
{
	sigset_t none;

	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

int bench_spawn(char *const argv[], pid_t *ret_pid)
{
	pid_t pid = fork();

	if (pid < 0)
		return bench_fail(-errno, "fork");
	if (!pid) {
		int null = open("/dev/null", O_RDWR | O_CLOEXEC);

		unblock_all();
		if (null >= 0) {
			(void)dup2(null, STDIN_FILENO);
			(void)dup2(null, STDOUT_FILENO);
			if (!getenv("BENCH_VERBOSE"))
				(void)dup2(null, STDERR_FILENO);
		}
		execvp(argv[0], argv);
		_exit(127);
	}
	*ret_pid = pid;
	return 0;
}

int bench_wait(pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return bench_fail(-errno, "waitpid");
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		return bench_fail(-EIO, "a child ended with status %#x", (unsigned int)status);
	return 0;
}

int bench_run(char *const argv[])
{
	pid_t pid = 0;
	int r = bench_spawn(argv, &pid);

	return r ? r : bench_wait(pid);
}

int bench_command(char *const argv[], struct bench_time *ret_time)
{
	double wall = bench_now(CLOCK_MONOTONIC), cpu = usage_ns(RUSAGE_CHILDREN);
	int r = bench_run(argv);

	if (r)
		return bench_fail(r, "%s", argv[0]);
	ret_time->wall = bench_now(CLOCK_MONOTONIC) - wall;
	ret_time->cpu = usage_ns(RUSAGE_CHILDREN) - cpu;
	return 0;
}

/* --- work ------------------------------------------------------------------------- */

struct work {
	int (*fn)(unsigned int rounds);
	const char *enter;
	unsigned int rounds;
	int cpu;
};

static int enter_group(const char *tasks)
{
	_cleanup_close_ int fd = tasks ? open(tasks, O_WRONLY | O_CLOEXEC) : -1;

	if (!tasks)
		return 0;
	return fd < 0 || write(fd, "0", 1) != 1 ? -errno : 0;
}

/* The child's part; what it and its children took goes through the pipe. */
static _Noreturn void work_child(const struct work *work, int out)
{
	struct bench_time time;
	int r = bench_pin(work->cpu);

	if (!r)
		r = enter_group(work->enter);
	if (!r)
		r = work->fn(work->rounds / 16 + 1);
	time.cpu = bench_now(CLOCK_PROCESS_CPUTIME_ID) + usage_ns(RUSAGE_CHILDREN);
	time.wall = bench_now(CLOCK_MONOTONIC);
	if (!r)
		r = work->fn(work->rounds);
	time.cpu = bench_now(CLOCK_PROCESS_CPUTIME_ID) + usage_ns(RUSAGE_CHILDREN) - time.cpu;
	time.wall = bench_now(CLOCK_MONOTONIC) - time.wall;
	if (!r && write(out, &time, sizeof(time)) != sizeof(time))
		r = -EIO;
	_exit(r ? 1 : 0);
}

static int work_run(const struct work *work, struct bench_time *ret_time)
{
	struct bench_time time = { 0 };
	_cleanup_close_ int in = -1, out = -1;
	int ends[2], r;
	ssize_t n;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC))
		return bench_fail(-errno, "pipe");
	in = ends[0];
	out = ends[1];
	pid = fork();
	if (pid < 0)
		return bench_fail(-errno, "fork");
	if (!pid)
		work_child(work, out);
	grp_cleanup_close(&out);
	out = -1;
	n = read(in, &time, sizeof(time));
	r = bench_wait(pid);
	if (r || n != sizeof(time))
		return bench_fail(r, "a workload gave no time");
	ret_time->cpu = time.cpu / work->rounds;
	ret_time->wall = time.wall / work->rounds;
	return 0;
}

/* Two switches a round; both processes end with their times added up. */
static int pingpong(unsigned int rounds)
{
	int there[2], back[2];
	char c = 0;
	pid_t pid;
	int r = 0;

	if (pipe(there) || pipe(back))
		return -errno;
	pid = fork();
	if (pid < 0)
		return -errno;
	if (!pid) {
		(void)close(there[1]);
		while (read(there[0], &c, 1) == 1)
			if (write(back[1], &c, 1) != 1)
				break;
		_exit(0);
	}
	(void)close(there[0]);
	for (unsigned int i = 0; !r && i < rounds; i++)
		if (write(there[1], &c, 1) != 1 || read(back[0], &c, 1) != 1)
			r = -EIO;
	(void)close(there[1]);
	(void)waitpid(pid, NULL, 0);
	(void)close(back[0]);
	(void)close(back[1]);
	return r;
}

static int fork_wait(unsigned int rounds)
{
	for (unsigned int i = 0; i < rounds; i++) {
		pid_t pid = fork();

		if (pid < 0)
			return -errno;
		if (!pid)
			_exit(0);
		if (waitpid(pid, NULL, 0) != pid)
			return -errno;
	}
	return 0;
}

static void *nothing(void *data)
{
	return data;
}

static int create_join(unsigned int rounds)
{
	pthread_t thread;
	int r = 0;

	for (unsigned int i = 0; !r && i < rounds; i++) {
		r = pthread_create(&thread, NULL, nothing, NULL);
		if (!r)
			r = pthread_join(thread, NULL);
	}
	return -r;
}

/* In a function of its own: what a child in our memory does to locals is no concern then. */
static pid_t spawn_true(void)
{
	char name[] = "/bin/true", *const argv[] = { name, NULL };
	/* NOLINTNEXTLINE(clang-analyzer-security.insecureAPI.vfork): it is what is measured */
	pid_t pid = vfork();

	if (!pid) {
		execv(argv[0], argv);
		_exit(127);
	}
	return pid;
}

static int vfork_exec(unsigned int rounds)
{
	int status;

	for (unsigned int i = 0; i < rounds; i++) {
		pid_t pid = spawn_true();

		if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
			return -EIO;
	}
	return 0;
}

int bench_pingpong(const struct bench *bench, const char *enter, unsigned int rounds,
		   struct bench_time *ret_time)
{
	const struct work work = { pingpong, enter, rounds, bench->cpu };

	return work_run(&work, ret_time);
}

int bench_fork(const struct bench *bench, unsigned int rounds, struct bench_time *ret_time)
{
	const struct work work = { fork_wait, NULL, rounds, bench->cpu };

	return work_run(&work, ret_time);
}

int bench_threads(const struct bench *bench, unsigned int rounds, struct bench_time *ret_time)
{
	const struct work work = { create_join, NULL, rounds, bench->cpu };

	return work_run(&work, ret_time);
}

int bench_vfork(const struct bench *bench, unsigned int rounds, struct bench_time *ret_time)
{
	const struct work work = { vfork_exec, NULL, rounds, bench->cpu };

	return work_run(&work, ret_time);
}
