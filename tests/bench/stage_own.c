/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Agents, groups and threads for the rows about the agent's own work.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "stage_own.h"

#define GROUPS 10000
#define GROUPS_A_CALL 2000
#define TASKS 10000

static int make_many(struct own_stage *stage)
{
	struct bench_reply reply;
	char name[32], path[PATH_MAX];
	int r = bench_own_call(stage->many, "MakeGroups", "{\"groups\":[\"/many\"]}", &reply);

	for (unsigned int i = 0; !r && i < stage->groups; i += GROUPS_A_CALL) {
		unsigned int left = stage->groups - i;
		_cleanup_free_ char *groups =
			bench_groups("/many/g", i, left < GROUPS_A_CALL ? left : GROUPS_A_CALL);

		r = groups ? bench_own_call(stage->many, "MakeGroups", groups, &reply) : -ENOMEM;
	}
	if (!r)
		r = bench_v1_make("many", stage->v1_many, sizeof(stage->v1_many));
	for (unsigned int i = 0; !r && i < stage->groups; i++) {
		(void)snprintf(name, sizeof(name), "many/g%u", i);
		r = bench_v1_make(name, path, sizeof(path));
	}
	return r;
}

static int open_agents(struct bench *bench, struct own_stage *stage)
{
	struct bench_reply reply;
	int r = bench_own_open(bench, "few", &stage->few);

	if (!r)
		r = bench_own_open(bench, "many", &stage->many);
	if (!r)
		r = bench_own_call(stage->few, "MakeGroups",
				   "{\"groups\":[\"/a\",\"/b\",\"/ten\"]}", &reply);
	return r;
}

static int stage_open(struct bench *bench)
{
	struct own_stage *stage = calloc(1, sizeof(struct own_stage));
	int r;

	if (!stage)
		return -ENOMEM;
	bench->stage = stage;
	stage->crowd.stop = -1;
	r = bench_v1_make("a", stage->v1[0], PATH_MAX);
	if (!r)
		r = bench_v1_make("b", stage->v1[1], PATH_MAX);
	if (r) {
		bench->skip = "no v1 cpuacct is mounted here";
		return r;
	}
	stage->groups = bench->smoke ? 100 : GROUPS;
	r = bench_crowd_start(bench_crowd_room(bench->smoke ? 100 : TASKS), &stage->crowd);
	if (!r)
		r = open_agents(bench, stage);
	return r ? r : make_many(stage);
}

static void stage_close(struct bench *bench)
{
	struct own_stage *stage = bench->stage;

	if (!stage)
		return;
	bench_crowd_end(&stage->crowd);
	bench_own_close(bench, stage->few);
	bench_own_close(bench, stage->many);
	bench_v1_clean();
	free(stage);
}

const struct bench_stage own_stage = { "own", stage_open, stage_close };

void own_add(struct bench_time *sum, const struct bench_time *time, double divisor)
{
	sum->cpu += time->cpu / divisor;
	sum->wall += time->wall / divisor;
}

void own_start(struct bench_time *ret_begin)
{
	ret_begin->cpu = bench_now(CLOCK_THREAD_CPUTIME_ID);
	ret_begin->wall = bench_now(CLOCK_MONOTONIC);
}

/* Adds the time since @begin as one of @rounds. */
void own_stop(const struct bench_time *begin, double rounds, struct bench_time *sum)
{
	struct bench_time now;

	own_start(&now);
	sum->cpu += (now.cpu - begin->cpu) / rounds;
	sum->wall += (now.wall - begin->wall) / rounds;
}
