/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Through the control filesystem, as a shell sees it: the same system calls on a mount
 * of ours and on the kernel's own groups.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "stage_own.h"
#include "tables.h"

#define ROUNDS 50
#define MOUNT_S 30
#define TRY_US 1000

struct stage {
	struct bench_agent agent;
	struct bench_crowd crowd;
	char directory[PATH_MAX]; /* of the mount; empty: none */
	char group[2][2][PATH_MAX]; /* of each side, two */
	unsigned int next[2]; /* which of the two, by side */
};

static int wait_for_mount(const char *path)
{
	double end = bench_now(CLOCK_MONOTONIC) + MOUNT_S * 1e9;

	while (access(path, F_OK)) {
		if (bench_now(CLOCK_MONOTONIC) > end)
			return bench_fail(-ETIMEDOUT, "%s is not there", path);
		(void)usleep(TRY_US);
	}
	return 0;
}

static int make_ours(struct stage *stage)
{
	static const char *const names[] = { "a", "b" };
	char path[PATH_MAX + 16];
	int r;

	(void)snprintf(path, sizeof(path), "%s/tasks", stage->directory);
	r = wait_for_mount(path);
	for (unsigned int i = 0; !r && i < 2; i++) {
		char *group = stage->group[BENCH_A][i];

		if (snprintf(group, PATH_MAX, "%s/%s", stage->directory, names[i]) >= PATH_MAX)
			return -ENAMETOOLONG;
		r = mkdir(group, 0755) ? bench_fail(-errno, "%s", group) : 0;
	}
	return r;
}

static int stage_open(struct bench *bench)
{
	struct stage *stage = calloc(1, sizeof(*stage));
	int r;

	if (!stage)
		return -ENOMEM;
	bench->stage = stage;
	stage->crowd.stop = -1;
	r = bench_v1_make("a", stage->group[BENCH_B][0], PATH_MAX);
	if (!r)
		r = bench_v1_make("b", stage->group[BENCH_B][1], PATH_MAX);
	if (r) {
		bench->skip = "no v1 cpuacct is mounted here";
		return r;
	}
	if (access("/dev/fuse", R_OK | W_OK)) {
		bench->skip = "no FUSE here";
		return -EOPNOTSUPP;
	}
	(void)snprintf(stage->directory, PATH_MAX, "/tmp/grpagent-bench.XXXXXX");
	if (!mkdtemp(stage->directory)) {
		stage->directory[0] = '\0';
		return bench_fail(-errno, "a directory in /tmp");
	}
	stage->agent.mount = stage->directory;
	r = bench_crowd_start(2, &stage->crowd);
	if (!r)
		r = bench_agent_start(bench, "fs", &stage->agent);
	return r ? r : make_ours(stage);
}

static void stage_close(struct bench *bench)
{
	struct stage *stage = bench->stage;

	if (!stage)
		return;
	bench_crowd_end(&stage->crowd);
	bench_agent_end(bench, &stage->agent);
	if (stage->directory[0]) {
		(void)umount2(stage->directory, MNT_DETACH);
		(void)rmdir(stage->directory);
	}
	bench_v1_clean();
	free(stage);
}

static const struct bench_stage fs_stage = { "fs", stage_open, stage_close };

/* --- rows ----------------------------------------------------------------------------- */

/* The next one of the two groups of a side. */
static const char *next_group(struct stage *stage, enum bench_side side)
{
	return stage->group[side][stage->next[side]++ % 2];
}

/* number: 1: the usage is read, else a thread is attached. */
static int use_file(struct bench *bench, const struct bench_row *row, enum bench_side side,
		    struct bench_time *ret_time)
{
	struct stage *stage = bench->stage;
	struct bench_time begin;
	int r = 0;

	*ret_time = (struct bench_time){ 0 };
	own_start(&begin);
	for (unsigned int i = 0; !r && i < ROUNDS; i++) {
		const char *group = next_group(stage, side);

		r = row->number ? bench_v1_read(group, "cpuacct.usage") :
				  bench_v1_write(group, "tasks", stage->crowd.tids[1]);
	}
	own_stop(&begin, ROUNDS, ret_time);
	return r ? bench_fail(r, "%s", row->id) : 0;
}

/* number: 1: rmdir is measured, else mkdir. */
static int make(struct bench *bench, const struct bench_row *row, enum bench_side side,
		struct bench_time *ret_time)
{
	struct bench_time sum[2] = { { 0 }, { 0 } }, begin;
	struct stage *stage = bench->stage;
	char path[PATH_MAX + 16];
	int r = 0;

	(void)snprintf(path, sizeof(path), "%s/new", stage->group[side][0]);
	for (unsigned int i = 0; !r && i < ROUNDS; i++) {
		own_start(&begin);
		r = mkdir(path, 0755) ? bench_fail(-errno, "%s", path) : 0;
		own_stop(&begin, ROUNDS, &sum[0]);
		own_start(&begin);
		if (!r)
			r = rmdir(path) ? bench_fail(-errno, "%s", path) : 0;
		own_stop(&begin, ROUNDS, &sum[1]);
	}
	*ret_time = sum[row->number];
	return r;
}

#define OURS "our mount"
#define V1 "v1"

/* Row fs-X is the column "through a mount" of row X. */
const struct bench_row bench_rows_fs[] = {
	{ "fs-attach", "attach one thread by a write to `tasks`", OURS, V1, &fs_stage, use_file,
	  BENCH_WALL, 0, 0, 0, 0, NULL },
	{ "fs-mkdir", "mkdir in a mount", OURS, V1, &fs_stage, make, BENCH_WALL, 0, 0, 0, 0, NULL },
	{ "fs-rmdir", "rmdir in a mount", OURS, V1, &fs_stage, make, BENCH_WALL, 0, 1, 0, 0, NULL },
	{ "fs-usage", "read `cpuacct.usage` in a mount", OURS, V1, &fs_stage, use_file, BENCH_WALL,
	  0, 1, 0, 0, NULL },
	{ .id = NULL },
};
