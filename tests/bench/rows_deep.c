/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Neither the number of hierarchies and groups nor the depth shows in a switch: one
 * instance that is nearly empty against one that is full, whose programs are attached
 * in turns. The worker, and so the children that do the work, is a member in both.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "bench.h"
#include "tables.h"

#define LEVELS 100
#define NESTED 64
#define GROUPS 10000
#define GROUPS_A_CALL 2000

struct stage {
	struct bench_agent small, full;
	struct bench_hooks *small_hooks, *full_hooks;
	unsigned int hierarchies; /* that full has by now */
	char tasks[PATH_MAX]; /* of the deepest v1 group; empty: not made yet */
};

static int make_groups(struct bench_agent *agent, unsigned int n)
{
	int r = bench_agent_call(agent, "MakeGroups", "{\"groups\":[\"/many\"]}", NULL);

	for (unsigned int i = 0; !r && i < n; i += GROUPS_A_CALL) {
		_cleanup_free_ char *groups =
			bench_groups("/many/g", i, n - i < GROUPS_A_CALL ? n - i : GROUPS_A_CALL);

		r = groups ? bench_agent_call(agent, "MakeGroups", groups, NULL) : -ENOMEM;
	}
	return r;
}

/* A chain of groups in one hierarchy, and this process at its end. */
static int enter_chain(struct bench_agent *agent, const char *hierarchy, unsigned int levels)
{
	_cleanup_free_ char *chain = bench_chain(hierarchy, levels), *parameters = NULL;
	int r;

	if (!chain || asprintf(&parameters, "{\"groups\":[\"%s\"],\"parents\":true}", chain) < 0)
		return -ENOMEM;
	r = bench_agent_call(agent, "MakeGroups", parameters, NULL);
	if (r)
		return r;
	free(parameters);
	if (asprintf(&parameters, "{\"groups\":[\"%s\"],\"pids\":[\"%d\"]}", chain, (int)getpid()) <
	    0)
		return -ENOMEM;
	return bench_agent_call(agent, "Attach", parameters, NULL);
}

static int stage_open(struct bench *bench)
{
	struct stage *stage = calloc(1, sizeof(*stage));
	int r;

	if (!stage)
		return -ENOMEM;
	bench->stage = stage;
	r = bench_agent_start(bench, "small", &stage->small);
	if (!r)
		r = bench_agent_start(bench, "full", &stage->full);
	if (!r)
		r = enter_chain(&stage->small, "default", 1);
	if (!r)
		r = make_groups(&stage->full, bench->smoke ? 200 : GROUPS);
	if (!r)
		r = enter_chain(&stage->full, "default", LEVELS);
	stage->hierarchies = 1;
	if (!r)
		r = bench_hooks_take(stage->small.instance, &stage->small_hooks);
	return r ? r : bench_hooks_take(stage->full.instance, &stage->full_hooks);
}

static void stage_close(struct bench *bench)
{
	struct stage *stage = bench->stage;

	if (!stage)
		return;
	bench_hooks_free(stage->small_hooks);
	bench_hooks_free(stage->full_hooks);
	bench_agent_end(bench, &stage->small);
	bench_agent_end(bench, &stage->full);
	bench_v1_clean();
	free(stage);
}

static const struct bench_stage this_stage = { "deep", stage_open, stage_close };

static int need_hierarchies(struct stage *stage, unsigned int wanted)
{
	char name[16], parameters[64];
	int r = 0;

	for (; !r && stage->hierarchies < wanted; stage->hierarchies++) {
		(void)snprintf(name, sizeof(name), "h%u", stage->hierarchies);
		(void)snprintf(parameters, sizeof(parameters),
			       "{\"name\":\"%s\",\"options\":\"cpuacct\"}", name);
		r = bench_agent_call(&stage->full, "Mount", parameters, NULL);
		if (!r)
			r = enter_chain(&stage->full, name, LEVELS);
	}
	return r;
}

static int deep(struct bench *bench, const struct bench_row *row, enum bench_side side,
		struct bench_time *ret_time)
{
	struct stage *stage = bench->stage;
	int r = need_hierarchies(stage, row->number);

	/* Off before on: never both. */
	if (!r)
		r = bench_hooks_set(side == BENCH_A ? stage->small_hooks : stage->full_hooks,
				    false);
	if (!r)
		r = bench_hooks_set(side == BENCH_A ? stage->full_hooks : stage->small_hooks, true);
	return r ? r : bench_pingpong(bench, NULL, bench_scaled(bench, 15000, 500), ret_time);
}

/* Groups of the kernel, one in the other. */
static int nest_v1(struct stage *stage)
{
	char name[NESTED * 2] = "", path[PATH_MAX];
	int r = 0;

	/* n, n/n, n/n/n ... */
	for (size_t i = 0; !r && i < NESTED; i++) {
		if (i)
			name[2 * i - 1] = '/';
		name[2 * i] = 'n';
		r = bench_v1_make(name, path, sizeof(path));
	}
	if (!r && snprintf(stage->tasks, sizeof(stage->tasks), "%s/tasks", path) >= PATH_MAX)
		r = -ENAMETOOLONG;
	return r;
}

static int nested(struct bench *bench, const struct bench_row *row, enum bench_side side,
		  struct bench_time *ret_time)
{
	struct stage *stage = bench->stage;
	int r = 0;

	(void)row;
	if (!stage->tasks[0]) {
		r = nest_v1(stage);
		if (!r)
			r = enter_chain(&stage->small, "default", NESTED);
		if (r)
			bench->skip = "no v1 cpuacct is mounted here";
	}
	if (!r)
		r = bench_hooks_set(stage->full_hooks, false);
	if (!r)
		r = bench_hooks_set(stage->small_hooks, side == BENCH_A);
	return r ? r :
		   bench_pingpong(bench, side == BENCH_A ? NULL : stage->tasks,
				  bench_scaled(bench, 15000, 500), ret_time);
}

#define FULL "10,000 groups, 100 levels deep"
#define SMALL "1 hierarchy, depth 1"

const struct bench_row bench_rows_deep[] = {
	{ "deep-1", "ping-pong, 1 hierarchy", FULL, SMALL, &this_stage, deep, BENCH_CPU, 0, 1, 0,
	  1.01, NULL },
	{ "deep-4", "ping-pong, 4 hierarchies", FULL, SMALL, &this_stage, deep, BENCH_CPU,
	  BENCH_LONG, 4, 0, 1.01, NULL },
	{ "deep-16", "ping-pong, 16 hierarchies", FULL, SMALL, &this_stage, deep, BENCH_CPU, 0, 16,
	  0, 1.01, NULL },
	{ "nested", "ping-pong inside 64 nested groups", "ours", "v1 cpuacct", &this_stage, nested,
	  BENCH_CPU, BENCH_STRICT, 64, 0, 1.00, NULL },
	{ .id = NULL },
};
