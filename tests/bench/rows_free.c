/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * "Free": what the programs in the kernel cost those who run beside them. The
 * programs of a real agent, attached and detached in turns.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "tables.h"

struct stage {
	struct bench_agent agent;
	struct bench_hooks *hooks;
};

static int stage_open(struct bench *bench)
{
	struct stage *stage = calloc(1, sizeof(*stage));
	int r;

	if (!stage)
		return -ENOMEM;
	bench->stage = stage;
	r = bench_agent_start(bench, "free", &stage->agent);
	return r ? r : bench_hooks_take(stage->agent.instance, &stage->hooks);
}

static void remove_make(const struct bench *bench)
{
	char rm[] = "rm", rf[] = "-rf", path[PATH_MAX];
	char *const argv[] = { rm, rf, path, NULL };

	(void)snprintf(path, sizeof(path), "%s/bench-make", bench->build);
	(void)bench_run(argv);
}

static void stage_close(struct bench *bench)
{
	struct stage *stage = bench->stage;

	if (!stage)
		return;
	bench_hooks_free(stage->hooks);
	bench_agent_end(bench, &stage->agent);
	remove_make(bench);
	free(stage);
}

static const struct bench_stage this_stage = { "free", stage_open, stage_close };

/* With the programs, or without. */
static int turn(struct bench *bench, enum bench_side side)
{
	return bench_hooks_set(((struct stage *)bench->stage)->hooks, side == BENCH_A);
}

static int pingpong(struct bench *bench, const struct bench_row *row, enum bench_side side,
		    struct bench_time *ret_time)
{
	int r = turn(bench, side);

	return r ? r : bench_pingpong(bench, NULL, bench_scaled(bench, row->number, 500), ret_time);
}

static int fork_wait(struct bench *bench, const struct bench_row *row, enum bench_side side,
		     struct bench_time *ret_time)
{
	int r = turn(bench, side);

	return r ? r : bench_fork(bench, bench_scaled(bench, row->number, 50), ret_time);
}

static int threads(struct bench *bench, const struct bench_row *row, enum bench_side side,
		   struct bench_time *ret_time)
{
	int r = turn(bench, side);

	return r ? r : bench_threads(bench, bench_scaled(bench, row->number, 50), ret_time);
}

static int vfork_exec(struct bench *bench, const struct bench_row *row, enum bench_side side,
		      struct bench_time *ret_time)
{
	int r = turn(bench, side);

	return r ? r : bench_vfork(bench, bench_scaled(bench, row->number, 20), ret_time);
}

static int hackbench(struct bench *bench, const struct bench_row *row, enum bench_side side,
		     struct bench_time *ret_time)
{
	char program[] = "hackbench", kind[] = "-P", loops[16];
	char l[] = "-l", g[] = "-g", groups[] = "2";
	char *const argv[] = { program, kind, g, groups, l, loops, NULL };
	int r = turn(bench, side);

	if (row->number)
		kind[1] = 'T';
	/* A quick run has no time for more. */
	(void)snprintf(loops, sizeof(loops), "%u",
		       bench->quick ? bench_scaled(bench, 240, 10) : 600);
	r = r ? r : bench_command(argv, ret_time);
	if (!r)
		return 0;
	bench->skip = "no hackbench (package rt-tests)";
	return -EOPNOTSUPP;
}

/* A part of this project that takes seconds: grpctl, from nothing. */
static int make(struct bench *bench, const struct bench_row *row, enum bench_side side,
		struct bench_time *ret_time)
{
	char shell[] = "/bin/sh", c[] = "-c", command[2 * PATH_MAX + 256];
	char *const argv[] = { shell, c, command, NULL };
	int r = turn(bench, side);

	(void)row;
	(void)snprintf(
		command, sizeof(command),
		"rm -rf '%s/bench-make' && exec env -u MAKEFLAGS -u MAKELEVEL make -s -j%ld O='%s/bench-make' "
		"'%s/bench-make/libgrpctl.a'",
		bench->build, 2L, bench->build, bench->build);
	return r ? r : bench_command(argv, ret_time);
}

#define ATTACHED "agent"
#define DETACHED "none"

const struct bench_row bench_rows_free[] = {
	{ "pingpong", "pipe ping-pong on one CPU, a round (2 switches)", ATTACHED, DETACHED,
	  &this_stage, pingpong, BENCH_CPU, 0, 15000, 0, 1.02, NULL },
	{ "fork", "fork + exit + wait", ATTACHED, DETACHED, &this_stage, fork_wait, BENCH_CPU, 0,
	  1000, 0, 1.02, NULL },
	{ "thread", "thread create + join", ATTACHED, DETACHED, &this_stage, threads, BENCH_CPU, 0,
	  4000, 0, 1.02, NULL },
	{ "vfork", "vfork + exec `true` + wait", ATTACHED, DETACHED, &this_stage, vfork_exec,
	  BENCH_CPU, 0, 200, 0, 1.02, NULL },
	{ "hackbench-p", "hackbench, processes", ATTACHED, DETACHED, &this_stage, hackbench,
	  BENCH_CPU, BENCH_LONG, 0, 0, 1.02, NULL },
	{ "hackbench-t", "hackbench, threads", ATTACHED, DETACHED, &this_stage, hackbench,
	  BENCH_CPU, 0, 1, 0, 1.02, NULL },
	{ "make", "`make -j2` of a part of this project", ATTACHED, DETACHED, &this_stage, make,
	  BENCH_CPU, BENCH_LONG, 0, 0, 1.02, NULL },
	{ .id = NULL },
};
