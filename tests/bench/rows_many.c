/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Much at once: 10,000 threads moved, 10,000 groups scraped, as many threads listed as
 * the machine has room for; and how long the loop is held meanwhile.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "stage_own.h"
#include "tables.h"

#define SETTLE_TURNS 20
#define LISTED 100000U

/* --- moving ------------------------------------------------------------------------- */

enum moving {
	BY_THREAD,
	BY_PROCESS,
};

static int move_own(struct own_stage *stage, const char *group, struct bench_time *ret_time)
{
	struct bench_reply reply = { 0 };
	char text[128];
	int r;

	(void)snprintf(text, sizeof(text), "{\"groups\":[\"%s\"],\"pids\":[\"%d\"]}", group,
		       (int)stage->crowd.pid);
	r = bench_own_call(stage->few, "Attach", text, &reply);
	*ret_time = reply.time;
	return r;
}

static int move_v1(struct own_stage *stage, unsigned int to, bool by_thread,
		   struct bench_time *ret_time)
{
	struct bench_time begin;
	int r = 0;

	*ret_time = (struct bench_time){ 0 };
	own_start(&begin);
	if (!by_thread)
		r = bench_v1_write(stage->v1[to], "cgroup.procs", stage->crowd.pid);
	for (unsigned int i = 0; !r && by_thread && i < stage->crowd.n; i++)
		r = bench_v1_write(stage->v1[to], "tasks",
				   i ? stage->crowd.tids[i] : stage->crowd.pid);
	own_stop(&begin, 1, ret_time);
	return r ? bench_fail(r, "move to %s", stage->v1[to]) : 0;
}

/* There is always something to move: the two groups in turns. */
static int move(struct bench *bench, const struct bench_row *row, enum bench_side side,
		struct bench_time *ret_time)
{
	static const char *const groups[] = { "/a", "/b" };
	static unsigned int ours, theirs;
	struct own_stage *stage = bench->stage;

	if (side == BENCH_A)
		return move_own(stage, groups[ours++ % 2], ret_time);
	return move_v1(stage, theirs++ % 2, row->number == BY_THREAD, ret_time);
}

/* --- scrapes ------------------------------------------------------------------------ */

/* One read of as many bytes from memory. */
static int read_bytes(size_t bytes, struct bench_time *ret_time)
{
	_cleanup_close_ int fd = memfd_create("bench", MFD_CLOEXEC);
	_cleanup_free_ char *text = malloc(bytes);
	struct bench_time begin;
	ssize_t n;

	if (fd < 0 || !text)
		return bench_fail(-errno, "memfd");
	memset(text, 'x', bytes);
	if (write(fd, text, bytes) != (ssize_t)bytes)
		return bench_fail(-EIO, "memfd");
	*ret_time = (struct bench_time){ 0 };
	own_start(&begin);
	n = pread(fd, text, bytes, 0);
	own_stop(&begin, 1, ret_time);
	return n == (ssize_t)bytes ? 0 : bench_fail(-EIO, "memfd");
}

static int scrape(struct bench *bench, const struct bench_row *row, enum bench_side side,
		  struct bench_time *ret_time)
{
	static size_t bytes = 4096;
	struct own_stage *stage = bench->stage;
	struct bench_reply reply = { 0 };
	int r;

	if (side == BENCH_B)
		return read_bytes(bytes, ret_time);
	r = bench_own_scrape(stage->many, &reply);
	bytes = reply.bytes ? reply.bytes : bytes;
	*ret_time = row->number ? reply.longest : reply.time;
	if (row->flags & BENCH_SINGLE && !row->number) {
		ret_time->cpu /= 1e6;
		ret_time->wall /= 1e6;
	}
	return r;
}

/* --- the longest turn ----------------------------------------------------------------- */

static int hold(struct bench *bench, const struct bench_row *row, enum bench_side side,
		struct bench_time *ret_time)
{
	struct own_stage *stage = bench->stage;
	struct bench_reply reply = { 0 };
	int r;

	(void)side;
	if (row->number == 2) {
		r = bench_own_call(stage->many, "GetUsage",
				   "{\"group\":\"/many\",\"recursive\":true}", &reply);
	} else if (row->number == 3) {
		r = bench_own_call(stage->many, "ListGroups",
				   "{\"group\":\"/many\",\"recursive\":true}", &reply);
	} else {
		r = bench_own_scrape(stage->many, &reply);
	}
	*ret_time = reply.longest;
	return r;
}

static int listed_open(struct bench *bench)
{
	struct own_stage *stage = calloc(1, sizeof(*stage));
	unsigned int room = bench_crowd_room(bench->smoke ? 200 : LISTED);
	int r;

	if (!stage)
		return -ENOMEM;
	bench->stage = stage;
	stage->crowd.stop = -1;
	if (room < LISTED && !bench->smoke)
		(void)fprintf(stderr, "bench: %u threads instead of %u: pid_max, threads-max\n",
			      room, LISTED);
	r = bench_own_open(bench, "listed", &stage->few);
	if (!r)
		r = bench_crowd_start(room, &stage->crowd);
	if (!r) /* what so many births leave to do is not the listing's */
		bench_own_settle(stage->few, SETTLE_TURNS);
	return r;
}

static void listed_close(struct bench *bench)
{
	struct own_stage *stage = bench->stage;

	if (!stage)
		return;
	bench_crowd_end(&stage->crowd);
	bench_own_close(bench, stage->few);
	free(stage);
}

static const struct bench_stage listed_stage = { "listed", listed_open, listed_close };

static int listed(struct bench *bench, const struct bench_row *row, enum bench_side side,
		  struct bench_time *ret_time)
{
	struct own_stage *stage = bench->stage;
	struct bench_reply reply = { 0 };
	int r = bench_own_call(stage->few, "ListTasks", "{\"group\":\"/\"}", &reply);

	(void)side;
	*ret_time = row->number ? reply.time : reply.longest;
	return r;
}

#define OURS "ours"

const struct bench_row bench_rows_many[] = {
	{ "move-threads", "10,000 threads of a process to another group", OURS,
	  "v1, one write a thread", &own_stage, move, BENCH_CPU, 0, BY_THREAD, 5, 0.1, NULL },
	{ "move-process", "10,000 threads of a process to another group", OURS,
	  "v1, one write to `cgroup.procs`", &own_stage, move, BENCH_CPU, 0, BY_PROCESS, 0, 1.0,
	  NULL },
	{ "scrape", "scrape of 10,000 groups", OURS, "one read of as many bytes", &own_stage,
	  scrape, BENCH_CPU, 0, 0, 0, 0, NULL },
	{ "scrape-time", "scrape of 10,000 groups", "CPU time of the agent", NULL, &own_stage,
	  scrape, BENCH_CPU, BENCH_SINGLE, 0, 0, 80, "ms" },
	{ "hold-scrape", "longest turn of the loop in a scrape of 10,000 groups", "CPU time", NULL,
	  &own_stage, hold, BENCH_CPU, BENCH_SINGLE | BENCH_MAX, 1, 0, 2e6, NULL },
	{ "hold-usage", "longest turn in reading the usage of 10,000 groups", "CPU time", NULL,
	  &own_stage, hold, BENCH_CPU, BENCH_SINGLE | BENCH_MAX, 2, 0, 2e6, NULL },
	{ "hold-groups", "longest turn in listing 10,000 groups", "CPU time", NULL, &own_stage,
	  hold, BENCH_CPU, BENCH_SINGLE | BENCH_MAX, 3, 0, 2e6, NULL },
	{ "hold-list", "longest turn in listing 100,000 threads", "CPU time", NULL, &listed_stage,
	  listed, BENCH_CPU, BENCH_SINGLE | BENCH_MAX, 0, 5, 2e6, NULL },
	{ "list-time", "listing 100,000 threads", "CPU time", NULL, &listed_stage, listed,
	  BENCH_CPU, BENCH_SINGLE, 1, 5, 0, NULL },
	{ .id = NULL },
};
