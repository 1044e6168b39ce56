/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What counts memory pressure, shared by the BPF program and the agent as in abi.h.
 */
#ifndef GRP_PRESSURE_H
#define GRP_PRESSURE_H

#include "grp/abi.h"

/* For so many seconds a set remembers its events. */
#define GRP_PRESSURE_SECONDS 64
/* More in a second make no difference to the filter (CPUSET-28). */
#define GRP_PRESSURE_EVENTS_MAX 1000
#define GRP_PRESSURE_EVENTS_BITS 10

/*
 * Direct reclaim of a set's tasks, one per set: a bucket for each of the latest
 * seconds (CLOCK_MONOTONIC), at second % GRP_PRESSURE_SECONDS, lap:22 | events:10.
 * Written by programs.
 */
struct grp_pressure {
	__u32 bucket[GRP_PRESSURE_SECONDS];
};

static inline __u32 grp_pressure_bucket(__u64 second, __u32 events)
{
	return (__u32)(second / GRP_PRESSURE_SECONDS) << GRP_PRESSURE_EVENTS_BITS | events;
}

/* Events of a second in its bucket; 0 when that holds another lap's. */
static inline __u32 grp_pressure_events(__u32 bucket, __u64 second)
{
	__u32 lap = bucket & ~((1U << GRP_PRESSURE_EVENTS_BITS) - 1);

	return lap == grp_pressure_bucket(second, 0) ? bucket - lap : 0;
}

_Static_assert(sizeof(struct grp_pressure) == 256, "abi");

#endif
