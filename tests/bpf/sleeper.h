/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tasks of a test of the programs: asleep until they are released.
 */
#ifndef GRP_TEST_SLEEPER_H
#define GRP_TEST_SLEEPER_H

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

static inline struct child child_new(void)
{
	const struct timespec pause = { .tv_nsec = 1000000 };
	time_t end = time(NULL) + SLEEPER_DEADLINE_S;
	int ends[2];
	struct child child;
	char c;

	assert_int_equal(pipe(ends), 0);
	child.pid = fork();
	assert_true(child.pid >= 0);
	if (!child.pid) {
		(void)close(ends[1]);
		(void)!read(ends[0], &c, 1);
		for (volatile int i = 0; i < 1000000; i++)
			;
		_exit(0);
	}
	(void)close(ends[0]);
	child.release = ends[1];
	while (!sleeps(child.pid)) {
		assert_true(time(NULL) < end);
		(void)nanosleep(&pause, NULL);
	}
	return child;
}

static inline void child_end(struct child *child)
{
	(void)close(child->release);
	assert_int_equal(waitpid(child->pid, NULL, 0), child->pid);
}

#endif
