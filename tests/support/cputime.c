/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cputime [--at SECONDS] PID...
 *
 * Prints the sum of the CPU times of processes in ns, with what their threads
 * that run now have used up to this moment. This *updates* the kernel's own
 * figures of running tasks, so a test calls it after what it examines.
 *  --at	waits until CLOCK_MONOTONIC is at the next multiple of SECONDS, and
 *		prints behind the sum how late it was read, in ns
 */
#include <getopt.h>

#include "support.h"

#define SECONDS_MAX 3600

static const char usage[] = "cputime [--at SECONDS] PID...";

static uint64_t parse(int argc, char **argv)
{
	const struct option longs[] = { { "at", required_argument, NULL, 'a' }, { NULL } };
	uint64_t seconds = 0;
	int option;

	while ((option = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (option != 'a')
			die_usage(usage);
		seconds = number(optarg, SECONDS_MAX);
	}
	if (optind == argc)
		die_usage(usage);
	return seconds * NS_PER_S;
}

static uint64_t wait_for_multiple(uint64_t step)
{
	uint64_t next = (clock_ns(CLOCK_MONOTONIC) / step + 1) * step;
	const struct timespec at = { .tv_sec = (time_t)(next / NS_PER_S) };

	do
		errno = clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
	while (errno == EINTR);
	if (errno)
		die("clock_nanosleep");
	return next;
}

int main(int argc, char **argv)
{
	uint64_t step = parse(argc, argv), sum = 0, at = step ? wait_for_multiple(step) : 0;

	for (int i = optind; i < argc; i++) {
		pid_t pid = (pid_t)number(argv[i], INT32_MAX);
		clockid_t clock;

		errno = clock_getcpuclockid(pid, &clock);
		if (errno)
			die(argv[i]);
		sum += clock_ns(clock);
	}
	(void)printf("%llu", (unsigned long long)sum);
	if (step)
		(void)printf(" %llu", (unsigned long long)(clock_ns(CLOCK_MONOTONIC) - at));
	(void)putchar('\n');
	return 0;
}
