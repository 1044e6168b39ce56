/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cputime PID...
 *
 * Prints the sum of the CPU times of processes in ns, with what their threads
 * that run now have used up to this moment. This *updates* the kernel's own
 * figures of running tasks, so a test calls it after what it examines.
 */
#include "support.h"

int main(int argc, char **argv)
{
	uint64_t sum = 0;

	if (argc < 2)
		die_usage("cputime PID...");
	for (int i = 1; i < argc; i++) {
		pid_t pid = (pid_t)number(argv[i], INT32_MAX);
		clockid_t clock;

		errno = clock_getcpuclockid(pid, &clock);
		if (errno)
			die(argv[i]);
		sum += clock_ns(clock);
	}
	(void)printf("%llu\n", (unsigned long long)sum);
	return 0;
}
