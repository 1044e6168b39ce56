/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tasks that are kept to some CPUs: moving one, against the kernel's own v1 cpuset, and
 * what everybody else pays while somebody is confined.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "stage_own.h"
#include "tables.h"

#define ROUNDS 50
#define CALLS 200000
/* Hooks that notice who rewrites a mask are attached, or gone, after that. */
#define SETTLE_US 30000

struct stage {
	struct bench_agent agent;
	struct bench_crowd crowd;
	char v1[2][PATH_MAX];
	unsigned int ours, theirs; /* group of the two that is next */
};

/* Two groups of the kernel's, one for each of the first two CPUs. */
static int make_theirs(struct stage *stage)
{
	static const char *const names[] = { "", "a", "b" }, *const cpus[] = { "0-1", "0", "1" };
	char top[PATH_MAX] = "";
	int r = 0;

	for (unsigned int i = 0; !r && i < 3; i++) {
		char *group = i ? stage->v1[i - 1] : top;

		r = bench_v1_make(names[i], group, PATH_MAX);
		if (!r)
			r = bench_v1_put(group, "cpuset.cpus", cpus[i]);
		if (!r)
			r = bench_v1_put(group, "cpuset.mems", "0");
	}
	return r;
}

static int confine(struct stage *stage, const char *group, const char *cpu)
{
	char text[128];

	(void)snprintf(text, sizeof(text),
		       "{\"group\":\"%s\",\"file\":\"cpuset.cpus\",\"value\":\"%s\"}", group, cpu);
	return bench_agent_call(&stage->agent, "WriteFile", text, NULL);
}

static int stage_open(struct bench *bench)
{
	struct stage *stage = calloc(1, sizeof(*stage));
	int r;

	if (!stage)
		return -ENOMEM;
	bench->stage = stage;
	stage->crowd.stop = -1;
	bench_v1_use("cpuset");
	if (sysconf(_SC_NPROCESSORS_ONLN) < 2 || make_theirs(stage)) {
		bench->skip = "no v1 cpuset with two CPUs is mounted here";
		return -EOPNOTSUPP;
	}
	r = bench_crowd_start(2, &stage->crowd);
	if (!r)
		r = bench_agent_start(bench, "cpuset", &stage->agent);
	if (!r)
		r = bench_agent_call(&stage->agent, "MakeGroups", "{\"groups\":[\"/a\",\"/b\"]}",
				     NULL);
	if (!r)
		r = confine(stage, "/a", "0");
	return r ? r : confine(stage, "/b", "1");
}

static void stage_close(struct bench *bench)
{
	struct stage *stage = bench->stage;

	if (!stage)
		return;
	bench_crowd_end(&stage->crowd);
	bench_agent_end(bench, &stage->agent);
	bench_v1_clean();
	bench_v1_use("cpuacct");
	free(stage);
}

static const struct bench_stage cpuset_stage = { "cpuset", stage_open, stage_close };

/* --- rows ----------------------------------------------------------------------------- */

static int attach_ours(struct stage *stage, const char *group)
{
	char text[128];

	(void)snprintf(text, sizeof(text),
		       "{\"groups\":[\"%s\"],\"thread\":true,\"pids\":[\"%d\"]}", group,
		       (int)stage->crowd.tids[1]);
	return bench_agent_call(&stage->agent, "Attach", text, NULL);
}

/* Each with the new CPUs in force at the end. */
static int attach(struct bench *bench, const struct bench_row *row, enum bench_side side,
		  struct bench_time *ret_time)
{
	struct stage *stage = bench->stage;
	struct bench_time begin;
	int r = 0;

	(void)row;
	*ret_time = (struct bench_time){ 0 };
	own_start(&begin);
	for (unsigned int i = 0; !r && i < ROUNDS; i++)
		r = side == BENCH_A ? attach_ours(stage, stage->ours++ % 2 ? "/b" : "/a") :
				      bench_v1_write(stage->v1[stage->theirs++ % 2], "tasks",
						     stage->crowd.tids[1]);
	own_stop(&begin, ROUNDS, ret_time);
	return r;
}

/* A system call of somebody who is not confined, while another is, and while nobody is. */
static int other(struct bench *bench, const struct bench_row *row, enum bench_side side,
		 struct bench_time *ret_time)
{
	struct stage *stage = bench->stage;
	unsigned int calls = bench_scaled(bench, CALLS, 1000);
	int r = attach_ours(stage, side == BENCH_A ? "/a" : "/");
	struct bench_time begin;

	(void)row;
	*ret_time = (struct bench_time){ 0 };
	(void)usleep(SETTLE_US);
	own_start(&begin);
	for (unsigned int i = 0; i < calls; i++)
		(void)syscall(SYS_getppid);
	own_stop(&begin, calls, ret_time);
	return r;
}

const struct bench_row bench_rows_cpuset[] = {
	{ "cpuset-attach", "attach one thread to other CPUs through the socket", "ours",
	  "v1 cpuset", &cpuset_stage, attach, BENCH_WALL, 0, 0, 0, 0, NULL },
	{ "cpuset-others", "a system call of anybody", "somebody is confined", "nobody is",
	  &cpuset_stage, other, BENCH_CPU, 0, 0, 0, 0, NULL },
	{ .id = NULL },
};
