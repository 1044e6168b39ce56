/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tasks of a test of the programs: asleep until they are released.
 */
#ifndef GRP_TEST_SLEEPER_H
#define GRP_TEST_SLEEPER_H

#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define SLEEPER_DEADLINE_S 10

struct child {
	pid_t pid;
	int release; /* close it: the child goes on */
};

/* Asleep until it is released; then it burns a little and exits. */
static inline bool sleeps(pid_t pid)
{
	char path[64], line[256];
	const char *name;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "re");
	assert_non_null(f);
	assert_non_null(fgets(line, sizeof(line), f));
	(void)fclose(f);
	name = strrchr(line, ')');
	return name && name[2] == 'S';
}

/* A process with a pipe. Return: its pid, *ret_end is for writing; 0: it is we, who read. */
static inline pid_t child_fork(int *ret_end)
{
	int ends[2];
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	assert_true(pid >= 0);
	(void)close(ends[pid ? 0 : 1]);
	*ret_end = ends[pid ? 1 : 0];
	return pid;
}

static inline struct child child_new(void)
{
	const struct timespec pause = { .tv_nsec = 1000000 };
	time_t end = time(NULL) + SLEEPER_DEADLINE_S;
	struct child child;
	char c;

	child.pid = child_fork(&child.release);
	if (!child.pid) {
		(void)!read(child.release, &c, 1);
		for (volatile int i = 0; i < 1000000; i++)
			;
		_exit(0);
	}
	while (!sleeps(child.pid)) {
		assert_true(time(NULL) < end);
		(void)nanosleep(&pause, NULL);
	}
	return child;
}

static inline void bind_to(pid_t pid, int cpu)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(cpu, &cpus);
	assert_int_equal(sched_setaffinity(pid, sizeof(cpus), &cpus), 0);
}

static inline void child_end(struct child *child)
{
	(void)close(child->release);
	assert_int_equal(waitpid(child->pid, NULL, 0), child->pid);
}

#endif
