/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A child that sends its parent a signal all the time, from another CPU: the next one comes
 * while one who is traced is told of this one.
 */
#ifndef GRP_TESTS_FLOOD_H
#define GRP_TESTS_FLOOD_H

#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "support.h"

/* fork_helper() - a child that does not outlive us. */
static inline pid_t fork_helper(void)
{
	pid_t parent = getpid(), pid = fork();

	if (pid < 0)
		die("fork");
	if (!pid && (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent))
		_exit(1);
	return pid;
}

/* On a CPU that is there, or where it may be. */
static inline void stay_on(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	(void)sched_setaffinity(0, sizeof(set), &set);
}

/* start_flood() - the caller is bound to the first CPU, its child to the second. */
static inline pid_t start_flood(int number)
{
	pid_t parent = getpid(), pid = fork_helper();

	stay_on(pid ? 0 : 1);
	if (!pid)
		for (;;)
			(void)kill(parent, number);
	return pid;
}

#endif
