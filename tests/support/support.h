/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the programs in this directory share: failing with a reason, reading
 * numbers, burning CPU. Every program is linked alone, so it all stands here.
 * Nothing of the agent is used: these programs are the other side of the tests.
 */
#ifndef GRP_TESTS_SUPPORT_H
#define GRP_TESTS_SUPPORT_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* As the test runner wants it: "cannot be run here", the reason printed before. */
#define EXIT_SKIP 77
#define EXIT_USAGE 2

#define NS_PER_US 1000ULL
#define NS_PER_MS 1000000ULL
#define NS_PER_S 1000000000ULL

/* die() - ends with @what and the text of errno. */
static inline _Noreturn void die(const char *what)
{
	fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, strerror(errno));
	exit(EXIT_FAILURE);
}

static inline _Noreturn void die_usage(const char *usage)
{
	fprintf(stderr, "usage: %s\n", usage);
	exit(EXIT_USAGE);
}

/* number() - a plain decimal of at most @max; anything else ends the program. */
static inline uint64_t number(const char *text, uint64_t max)
{
	uint64_t value = 0;
	const char *p;

	for (p = text; *p >= '0' && *p <= '9' && p - text < 19; p++)
		value = value * 10 + (uint64_t)(*p - '0');
	if (p == text || *p || value > max) {
		fprintf(stderr, "%s: '%s' is not a number from 0 to %llu\n",
			program_invocation_short_name, text, (unsigned long long)max);
		exit(EXIT_USAGE);
	}
	return value;
}

static inline uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	if (clock_gettime(clock, &now))
		die("clock_gettime");
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

/*
 * burn_ns() - busy until @clock has gone on by @ns, mostly in user space: to ask
 * for a CPU clock is a system call, which is to be seldom.
 */
static inline void burn_ns(clockid_t clock, uint64_t ns)
{
	uint64_t end = clock_ns(clock) + ns;
	unsigned int rounds = clock == CLOCK_MONOTONIC ? 200 : 20000;
	volatile unsigned int i;

	while (clock_ns(clock) < end)
		for (i = 0; i < rounds; i++)
			;
}

static inline void sleep_ns(uint64_t ns)
{
	struct timespec left = { (time_t)(ns / NS_PER_S), (long)(ns % NS_PER_S) };

	while (nanosleep(&left, &left) && errno == EINTR)
		;
}

#endif
