/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Through the socket, as a client sees it: one operation a request, and 1,000 in one,
 * against as many system calls on v1 groups.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "stage_own.h"
#include "tables.h"

#define SINGLES 50
#define BULK 1000

struct stage {
	struct bench_agent agent;
	struct bench_crowd crowd;
	unsigned int bulk;
	char v1[2][PATH_MAX];
	unsigned int ours, theirs; /* group of the two that is next */
};

static int stage_open(struct bench *bench)
{
	struct stage *stage = calloc(1, sizeof(*stage));
	int r;

	if (!stage)
		return -ENOMEM;
	bench->stage = stage;
	stage->crowd.stop = -1;
	stage->bulk = bench->smoke ? 20 : BULK;
	r = bench_v1_make("a", stage->v1[0], PATH_MAX);
	if (!r)
		r = bench_v1_make("b", stage->v1[1], PATH_MAX);
	if (r) {
		bench->skip = "no v1 cpuacct is mounted here";
		return r;
	}
	r = bench_crowd_start(stage->bulk + 1, &stage->crowd);
	if (!r)
		r = bench_agent_start(bench, "socket", &stage->agent);
	return r ? r :
		   bench_agent_call(&stage->agent, "MakeGroups", "{\"groups\":[\"/a\",\"/b\"]}",
				    NULL);
}

static void stage_close(struct bench *bench)
{
	struct stage *stage = bench->stage;

	if (!stage)
		return;
	bench_crowd_end(&stage->crowd);
	bench_agent_end(bench, &stage->agent);
	bench_v1_clean();
	free(stage);
}

static const struct bench_stage socket_stage = { "socket", stage_open, stage_close };

/* A request of its own, with the time of all of it. */
static int call(struct stage *stage, const char *method, const char *text, double rounds,
		struct bench_time *sum)
{
	struct bench_time begin;
	int r;

	own_start(&begin);
	r = bench_agent_call(&stage->agent, method, text, NULL);
	own_stop(&begin, rounds, sum);
	return r;
}

/* --- attach ----------------------------------------------------------------------- */

/* @n threads of the crowd from the first on. */
static char *attach_text(const struct stage *stage, const char *group, unsigned int n)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return NULL;
	(void)fprintf(out, "{\"groups\":[\"%s\"],\"thread\":true,\"pids\":[", group);
	for (unsigned int i = 1; i <= n; i++)
		(void)fprintf(out, "%s\"%d\"", i > 1 ? "," : "", (int)stage->crowd.tids[i]);
	(void)fputs("]}", out);
	return fclose(out) ? NULL : text;
}

static int attach_v1(struct stage *stage, unsigned int n, struct bench_time *sum)
{
	const char *group = stage->v1[stage->theirs++ % 2];
	struct bench_time begin;
	int r = 0;

	own_start(&begin);
	for (unsigned int i = 1; !r && i <= n; i++)
		r = bench_v1_write(group, "tasks", stage->crowd.tids[i]);
	own_stop(&begin, n, sum);
	return r;
}

/* number: of threads in one request. */
static int attach(struct bench *bench, const struct bench_row *row, enum bench_side side,
		  struct bench_time *ret_time)
{
	struct stage *stage = bench->stage;
	unsigned int n = row->number > 1 ? stage->bulk : 1, rounds = n > 1 ? 1 : SINGLES;
	int r = 0;

	*ret_time = (struct bench_time){ 0 };
	for (unsigned int i = 0; !r && i < rounds; i++) {
		struct bench_time sum = { 0 };
		_cleanup_free_ char *text = NULL;

		if (side == BENCH_B) {
			r = attach_v1(stage, n, &sum);
		} else {
			text = attach_text(stage, stage->ours++ % 2 ? "/b" : "/a", n);
			r = text ? call(stage, "Attach", text, n, &sum) : -ENOMEM;
		}
		own_add(ret_time, &sum, rounds);
	}
	return r;
}

/* --- mkdir, rmdir ------------------------------------------------------------------- */

static int make_ours(struct stage *stage, unsigned int n, bool rmdir, struct bench_time *sum)
{
	_cleanup_free_ char *groups = bench_groups("/a/new", 0, n);
	struct bench_time ignored = { 0 };
	int r = groups ? 0 : -ENOMEM;

	if (!r)
		r = call(stage, "MakeGroups", groups, n, rmdir ? &ignored : sum);
	return r ? r : call(stage, "RemoveGroups", groups, n, rmdir ? sum : &ignored);
}

static int make_theirs(struct stage *stage, unsigned int n, bool remove, struct bench_time *sum)
{
	struct bench_time ignored = { 0 }, begin;
	char path[PATH_MAX + 32];
	int r = 0;

	own_start(&begin);
	for (unsigned int i = 0; !r && i < n; i++) {
		(void)snprintf(path, sizeof(path), "%s/new%u", stage->v1[0], i);
		r = mkdir(path, 0755) ? bench_fail(-errno, "%s", path) : 0;
	}
	own_stop(&begin, n, remove ? &ignored : sum);
	own_start(&begin);
	for (unsigned int i = 0; !r && i < n; i++) {
		(void)snprintf(path, sizeof(path), "%s/new%u", stage->v1[0], i);
		r = rmdir(path) ? bench_fail(-errno, "%s", path) : 0;
	}
	own_stop(&begin, n, remove ? sum : &ignored);
	return r;
}

enum making {
	MKDIR = 0,
	RMDIR = 1,
	IN_BULK = 2,
};

static int make(struct bench *bench, const struct bench_row *row, enum bench_side side,
		struct bench_time *ret_time)
{
	struct stage *stage = bench->stage;
	unsigned int n = row->number & IN_BULK ? stage->bulk : 1, rounds = n > 1 ? 1 : SINGLES;
	bool remove = row->number & RMDIR;
	int r = 0;

	*ret_time = (struct bench_time){ 0 };
	for (unsigned int i = 0; !r && i < rounds; i++) {
		struct bench_time sum = { 0 };

		r = side == BENCH_A ? make_ours(stage, n, remove, &sum) :
				      make_theirs(stage, n, remove, &sum);
		own_add(ret_time, &sum, rounds);
	}
	return r;
}

#define ONE "a request"
#define MANY "1,000 in a request"
#define V1 "v1"

const struct bench_row bench_rows_socket[] = {
	{ "socket-attach", "attach one thread through the socket", ONE, V1, &socket_stage, attach,
	  BENCH_WALL, 0, 1, 0, 0, NULL },
	{ "socket-mkdir", "mkdir through the socket", ONE, V1, &socket_stage, make, BENCH_WALL, 0,
	  MKDIR, 0, 0, NULL },
	{ "socket-rmdir", "rmdir through the socket", ONE, V1, &socket_stage, make, BENCH_WALL, 0,
	  RMDIR, 0, 0, NULL },
	{ "bulk-attach", "attach one thread of 1,000", MANY, V1, &socket_stage, attach, BENCH_WALL,
	  0, 2, 0, 0.2, NULL },
	{ "bulk-mkdir", "one mkdir of 1,000", MANY, V1, &socket_stage, make, BENCH_WALL, 0,
	  MKDIR | IN_BULK, 0, 0.2, NULL },
	{ "bulk-rmdir", "one rmdir of 1,000", MANY, V1, &socket_stage, make, BENCH_WALL, 0,
	  RMDIR | IN_BULK, 0, 0.2, NULL },
	{ .id = NULL },
};
