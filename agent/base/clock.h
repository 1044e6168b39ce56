/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What time it is. The clocks asked for here exist on every kernel that we run on, so
 * that reading them cannot fail.
 */
#ifndef GRP_BASE_CLOCK_H
#define GRP_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline uint64_t grp_clock_ns(clockid_t clock)
{
	struct timespec now = { 0 };

	(void)clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* grp_now_usec() - of CLOCK_MONOTONIC, as timers of sd-event have it. */
static inline uint64_t grp_now_usec(void)
{
	return grp_clock_ns(CLOCK_MONOTONIC) / 1000;
}

#endif
