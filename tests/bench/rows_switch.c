/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The run statistics of the kernel: how long the switch program takes, against an
 * empty one in the same place. What being called costs is in both.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench.h"
#include "empty.skel.h"
#include "tables.h"

struct stage {
	struct bench_agent agent;
	struct bench_hooks *hooks;
	struct empty *empty;
	int stats; /* while it is open the kernel takes time */
};

static int stage_open(struct bench *bench)
{
	struct stage *stage = calloc(1, sizeof(*stage));
	int r;

	if (!stage)
		return -ENOMEM;
	bench->stage = stage;
	stage->stats = bpf_enable_stats(BPF_STATS_RUN_TIME);
	stage->empty = empty__open_and_load();
	if (stage->stats < 0 || !stage->empty)
		return bench_fail(-errno, "run statistics");
	r = bench_agent_start(bench, "switch", &stage->agent);
	return r ? r : bench_hooks_take(stage->agent.instance, &stage->hooks);
}

static void stage_close(struct bench *bench)
{
	struct stage *stage = bench->stage;

	if (!stage)
		return;
	empty__destroy(stage->empty);
	if (stage->stats >= 0)
		(void)close(stage->stats);
	bench_hooks_free(stage->hooks);
	bench_agent_end(bench, &stage->agent);
	free(stage);
}

static const struct bench_stage this_stage = { "switch", stage_open, stage_close };

static int read_stats(int program, struct bpf_prog_info *ret_info)
{
	uint32_t len = sizeof(*ret_info);

	*ret_info = (struct bpf_prog_info){ 0 };
	return bpf_obj_get_info_by_fd(program, ret_info, &len) ? bench_fail(-errno, "statistics") :
								 0;
}

static int run_time(struct bench *bench, const struct bench_row *row, enum bench_side side,
		    struct bench_time *ret_time)
{
	struct stage *stage = bench->stage;
	int program = side == BENCH_A ? bench_hooks_program(stage->hooks, "on_switch") :
					bpf_program__fd(stage->empty->progs.on_nothing);
	struct bpf_prog_info before = { 0 }, after = { 0 };
	struct bench_time time;
	int r, link = -1;

	(void)row;
	r = bench_hooks_set(stage->hooks, side == BENCH_A);
	if (!r && side == BENCH_B)
		link = bpf_raw_tracepoint_open(NULL, program);
	if (!r)
		r = read_stats(program, &before);
	if (!r)
		r = bench_pingpong(bench, NULL, bench_scaled(bench, 15000, 500), &time);
	if (!r)
		r = read_stats(program, &after);
	if (link >= 0)
		(void)close(link);
	if (r || after.run_cnt == before.run_cnt)
		return r ? r : bench_fail(-ENODATA, "the program did not run");
	ret_time->cpu = (double)(after.run_time_ns - before.run_time_ns) /
			(double)(after.run_cnt - before.run_cnt);
	ret_time->wall = ret_time->cpu;
	return 0;
}

const struct bench_row bench_rows_switch[] = {
	/* 2.0 times what the empty one takes more than that. */
	{ "switch", "mean run time of the switch program (run statistics)", "on_switch",
	  "empty program", &this_stage, run_time, BENCH_FIGURE, 0, 0, 0, 3.00, NULL },
	{ .id = NULL },
};
