/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the rows about the agent's own work have in common: two agents inside this
 * program, one with a few groups and one with 10,000, as many groups of the kernel,
 * and a process of 10,000 threads.
 */
#ifndef GRP_TESTS_BENCH_STAGE_OWN_H
#define GRP_TESTS_BENCH_STAGE_OWN_H

#include <limits.h>

#include "bench.h"

struct own_stage {
	struct bench_own *few, *many; /* few: /a, /b and /ten; many: /many/g0 ... */
	struct bench_crowd crowd;
	unsigned int groups; /* that many has */
	char v1[2][PATH_MAX]; /* two groups */
	char v1_many[PATH_MAX]; /* the directory of many */
};

extern const struct bench_stage own_stage;

/* A mark in time, and the time since then as one of @rounds added to @sum. */
void own_start(struct bench_time *ret_begin);
void own_stop(const struct bench_time *begin, double rounds, struct bench_time *sum);
void own_add(struct bench_time *sum, const struct bench_time *time, double divisor);

#endif
