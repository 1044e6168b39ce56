/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The agent's own work against the kernel's v1 groups: attach, mkdir, rmdir, reads.
 * Two agents: one with a few groups, one with 10,000; the kernel has as many.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "stage_own.h"
#include "tables.h"

#define MEMBERS 10
/* Operations of one sample. */
#define ROUNDS 50

/* --- attach ------------------------------------------------------------------------- */

static int attach_own(struct bench_own *own, pid_t tid, const char *group, struct bench_time *sum)
{
	struct bench_reply reply;
	char text[128];
	int r;

	(void)snprintf(text, sizeof(text),
		       "{\"groups\":[\"%s\"],\"pids\":[\"%d\"],\"thread\":true}", group, (int)tid);
	r = bench_own_call(own, "Attach", text, &reply);
	own_add(sum, &reply.time, ROUNDS);
	return r;
}

static int attach(struct bench *bench, const struct bench_row *row, enum bench_side side,
		  struct bench_time *ret_time)
{
	static const char *const groups[] = { "/a", "/b" };
	struct own_stage *stage = bench->stage;
	struct bench_time begin;
	int r = 0;

	(void)row;
	*ret_time = (struct bench_time){ 0 };
	for (unsigned int i = 0; !r && i < ROUNDS; i++) {
		pid_t tid = stage->crowd.tids[1];

		if (side == BENCH_A) {
			r = attach_own(stage->few, tid, groups[i % 2], ret_time);
			continue;
		}
		own_start(&begin);
		r = bench_v1_write(stage->v1[i % 2], "tasks", tid);
		own_stop(&begin, ROUNDS, ret_time);
	}
	return r;
}

/* --- mkdir, rmdir --------------------------------------------------------------------- */

enum making {
	MKDIR = 0,
	RMDIR = 1,
	IN_MANY = 2,
	AGAINST_FEW = 4, /* B is ours too */
};

/* Makes and removes; the time of the one that is asked for. */
static int make_own(struct bench_own *own, const char *group, bool rmdir, struct bench_time *sum)
{
	struct bench_reply reply;
	char text[128];
	int r;

	(void)snprintf(text, sizeof(text), "{\"groups\":[\"%s\"]}", group);
	r = bench_own_call(own, "MakeGroups", text, &reply);
	if (!r && !rmdir)
		own_add(sum, &reply.time, ROUNDS);
	if (!r)
		r = bench_own_call(own, "RemoveGroups", text, &reply);
	if (!r && rmdir)
		own_add(sum, &reply.time, ROUNDS);
	bench_own_settle(own, 4);
	return r;
}

static int make_v1(const char *dir, bool remove, struct bench_time *sum)
{
	struct bench_time begin;
	char path[PATH_MAX + 8];
	int r;

	(void)snprintf(path, sizeof(path), "%s/new", dir);
	own_start(&begin);
	r = mkdir(path, 0755);
	if (!remove)
		own_stop(&begin, ROUNDS, sum);
	own_start(&begin);
	r = r ? r : rmdir(path);
	if (remove)
		own_stop(&begin, ROUNDS, sum);
	return r ? bench_fail(-errno, "%s", path) : 0;
}

static int make(struct bench *bench, const struct bench_row *row, enum bench_side side,
		struct bench_time *ret_time)
{
	struct own_stage *stage = bench->stage;
	bool in_many = row->number & IN_MANY && !(row->number & AGAINST_FEW && side == BENCH_B);
	bool ours = side == BENCH_A || row->number & AGAINST_FEW;
	int r = 0;

	*ret_time = (struct bench_time){ 0 };
	for (unsigned int i = 0; !r && i < ROUNDS; i++) {
		if (ours)
			r = make_own(in_many ? stage->many : stage->few,
				     in_many ? "/many/new" : "/a/new", row->number & RMDIR,
				     ret_time);
		else
			r = make_v1(in_many ? stage->v1_many : stage->v1[0], row->number & RMDIR,
				    ret_time);
	}
	return r;
}

/* --- reading ---------------------------------------------------------------------------- */

static int usage_one(struct bench *bench, const struct bench_row *row, enum bench_side side,
		     struct bench_time *ret_time)
{
	struct own_stage *stage = bench->stage;
	struct bench_reply reply;
	struct bench_time begin;
	int r = 0;

	*ret_time = (struct bench_time){ 0 };
	for (unsigned int i = 0; !r && i < ROUNDS; i++) {
		if (side == BENCH_B) {
			own_start(&begin);
			r = bench_v1_read(stage->v1[0], "cpuacct.usage");
			own_stop(&begin, ROUNDS, ret_time);
			continue;
		}
		r = row->number ?
			    bench_own_call(stage->few, "GetUsage", "{\"group\":\"/a\"}", &reply) :
			    bench_own_call(stage->few, "ReadFile",
					   "{\"group\":\"/a\",\"file\":\"cpuacct.usage\"}", &reply);
		own_add(ret_time, &reply.time, ROUNDS);
	}
	return r;
}

static int usage_all(struct bench *bench, const struct bench_row *row, enum bench_side side,
		     struct bench_time *ret_time)
{
	struct own_stage *stage = bench->stage;
	struct bench_reply reply;
	struct bench_time begin;
	char path[PATH_MAX + 16];
	int r = 0;

	(void)row;
	*ret_time = (struct bench_time){ 0 };
	if (side == BENCH_A) {
		r = bench_own_call(stage->many, "GetUsage",
				   "{\"group\":\"/many\",\"recursive\":true}", &reply);
		*ret_time = reply.time;
		return r;
	}
	own_start(&begin);
	for (unsigned int i = 0; !r && i < stage->groups; i++) {
		(void)snprintf(path, sizeof(path), "%s/g%u", stage->v1_many, i);
		r = bench_v1_read(path, "cpuacct.usage");
	}
	own_stop(&begin, 1, ret_time);
	return r;
}

/* --- members ------------------------------------------------------------------------------ */

static int read_task(const char *process, const char *thread)
{
	char path[PATH_MAX], text[4096];
	_cleanup_close_ int fd = -1;

	(void)snprintf(path, sizeof(path), "/proc/%.20s/task/%.20s/cgroup", process, thread);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	/* It may have ended. */
	return fd >= 0 && read(fd, text, sizeof(text)) > 0;
}

static unsigned int walk_threads(const char *process)
{
	char path[PATH_MAX];
	unsigned int n = 0;
	DIR *dir;

	(void)snprintf(path, sizeof(path), "/proc/%.20s/task", process);
	dir = opendir(path);
	for (const struct dirent *e = dir ? readdir(dir) : NULL; e; e = readdir(dir))
		if (e->d_name[0] != '.')
			n += read_task(process, e->d_name);
	if (dir)
		(void)closedir(dir);
	return n;
}

static int walk_proc(unsigned int expected)
{
	DIR *dir = opendir("/proc");
	unsigned int n = 0;

	for (const struct dirent *e = dir ? readdir(dir) : NULL; e; e = readdir(dir))
		if (e->d_name[0] >= '0' && e->d_name[0] <= '9')
			n += walk_threads(e->d_name);
	if (dir)
		(void)closedir(dir);
	return n < expected ? bench_fail(-EIO, "%u tasks seen of %u", n, expected) : 0;
}

static int fill_ten(struct own_stage *stage)
{
	struct bench_time ignored = { 0 };
	int r = 0;

	for (unsigned int i = 2; !r && i < 2 + MEMBERS; i++)
		r = attach_own(stage->few, stage->crowd.tids[i], "/ten", &ignored);
	return r;
}

static int list(struct bench *bench, const struct bench_row *row, enum bench_side side,
		struct bench_time *ret_time)
{
	struct own_stage *stage = bench->stage;
	struct bench_reply reply = { 0 };
	int r;

	(void)row;
	if (side == BENCH_B) {
		struct bench_time begin;

		*ret_time = (struct bench_time){ 0 };
		own_start(&begin);
		r = walk_proc(stage->crowd.n);
		own_stop(&begin, 1, ret_time);
		return r;
	}
	r = fill_ten(stage);
	if (!r)
		r = bench_own_call(stage->few, "ListTasks", "{\"group\":\"/ten\"}", &reply);
	*ret_time = reply.time;
	return r;
}

#define OURS "ours"
#define V1 "v1"

const struct bench_row bench_rows_own[] = {
	{ "attach", "attach one thread: the agent's own work", OURS, V1, &own_stage, attach,
	  BENCH_CPU, 0, 0, 0, 0.5, NULL },
	{ "mkdir", "mkdir: own work", OURS, V1, &own_stage, make, BENCH_CPU, 0, MKDIR, 0, 0.5,
	  NULL },
	{ "rmdir", "rmdir: own work", OURS, V1, &own_stage, make, BENCH_CPU, 0, RMDIR, 0, 0.5,
	  NULL },
	{ "mkdir-many", "mkdir beside 10,000 groups: own work", OURS, V1, &own_stage, make,
	  BENCH_CPU, 0, MKDIR | IN_MANY, 0, 0.5, NULL },
	{ "rmdir-many", "rmdir beside 10,000 groups: own work", OURS, V1, &own_stage, make,
	  BENCH_CPU, 0, RMDIR | IN_MANY, 0, 0.5, NULL },
	{ "mkdir-flat", "mkdir: own work", "beside 10,000 groups", "beside few", &own_stage, make,
	  BENCH_CPU, 0, MKDIR | IN_MANY | AGAINST_FEW, 0, 1.10, NULL },
	{ "rmdir-flat", "rmdir: own work", "beside 10,000 groups", "beside few", &own_stage, make,
	  BENCH_CPU, 0, RMDIR | IN_MANY | AGAINST_FEW, 0, 1.10, NULL },
	{ "usage", "read `cpuacct.usage` of one group: own work", OURS, V1, &own_stage, usage_one,
	  BENCH_CPU, 0, 0, 0, 1.0, NULL },
	{ "usage-full", "GetUsage of one group, with its processes", OURS, "v1 `cpuacct.usage`",
	  &own_stage, usage_one, BENCH_CPU, 0, 1, 0, 0, NULL },
	{ "usage-all", "usage of all 10,000 groups", "ours, at once", "v1, one file each",
	  &own_stage, usage_all, BENCH_CPU, 0, 0, 0, 0.1, NULL },
	{ "list", "members of a group of 10 among 10,000 tasks", OURS,
	  "walk over /proc, `cgroup` of each", &own_stage, list, BENCH_CPU, 0, 0, 0, 0.05, NULL },
	{ .id = NULL },
};
