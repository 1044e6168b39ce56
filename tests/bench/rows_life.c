/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The agent itself: how long it takes to start, what it costs while nothing happens or
 * groups are released, how much memory it holds.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent.h"
#include "base/cleanup.h"
#include "base/parse.h"
#include "bench.h"
#include "kernel/bpf.h"
#include "tables.h"

#define GROUPS 10000
#define GROUPS_A_CALL 2000
#define TASKS 10000
#define RELEASES 1000
#define RELEASE_S 60
#define IDLE_S 5
/* One that is not idle then never is, and is measured as it is. */
#define SETTLE_S 60

/* --- what /proc says of a process ---------------------------------------------------- */

/* The number behind @key of a file of lines "key: number ..."; 0: there is none. */
static uint64_t proc_number(pid_t pid, const char *file, const char *key)
{
	_cleanup_fclose_ FILE *stream = NULL;
	char path[64], line[256];
	uint64_t number = 0;

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	stream = fopen(path, "re");
	while (stream && fgets(line, sizeof(line), stream)) {
		char *value = line + strlen(key);

		if (strncmp(line, key, strlen(key)) != 0)
			continue;
		value += strspn(value, ": \t");
		value[strspn(value, "0123456789")] = '\0';
		return grp_parse_u64(value, 0, UINT64_MAX, &number) ? 0 : number;
	}
	return 0;
}

/* The first number of /proc/PID/schedstat: ns on a CPU. */
static uint64_t cpu_ns(pid_t pid)
{
	return proc_number(pid, "schedstat", "");
}

static uint64_t wakeups(pid_t pid)
{
	return proc_number(pid, "status", "voluntary_ctxt_switches");
}

/* --- with and without groups ---------------------------------------------------------- */

struct stage {
	struct bench_agent agent;
	struct bench_crowd crowd;
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

static int stage_open(struct bench *bench)
{
	struct stage *stage = calloc(1, sizeof(*stage));
	int r;

	if (!stage)
		return -ENOMEM;
	bench->stage = stage;
	stage->crowd.stop = -1;
	r = bench_agent_start(bench, "life", &stage->agent);
	return r ? r : make_groups(&stage->agent, bench->smoke ? 100 : GROUPS);
}

static void stage_close(struct bench *bench)
{
	struct stage *stage = bench->stage;

	if (!stage)
		return;
	bench_crowd_end(&stage->crowd);
	bench_agent_end(bench, &stage->agent);
	free(stage);
}

static const struct bench_stage life_stage = { "life", stage_open, stage_close };

/* Until it answers; as it was, or from nothing. In ms. */
static int start(struct bench *bench, const struct bench_row *row, enum bench_side side,
		 struct bench_time *ret_time)
{
	struct stage *stage = bench->stage;
	struct bench_agent fresh = { .fd = -1 };
	double begin;
	int r = 0;

	(void)side;
	if (row->number && !stage->crowd.pid)
		r = bench_crowd_start(bench_crowd_room(bench->smoke ? 100 : TASKS), &stage->crowd);
	bench_agent_stop(&stage->agent);
	begin = bench_now(CLOCK_MONOTONIC);
	if (!r && row->number)
		r = bench_agent_start(bench, "fresh", &fresh);
	else if (!r)
		r = bench_agent_restart(bench, &stage->agent);
	ret_time->cpu = ret_time->wall = bench_now(CLOCK_MONOTONIC) - begin;
	bench_agent_end(bench, &fresh);
	return r;
}

/* What is left of its start is not what is measured: until a second goes by without any of it. */
static void settle_down(pid_t pid)
{
	double end = bench_now(CLOCK_MONOTONIC) + SETTLE_S * 1e9;
	uint64_t before;

	do {
		before = wakeups(pid);
		(void)sleep(1);
	} while (wakeups(pid) != before && bench_now(CLOCK_MONOTONIC) < end);
}

/* Nothing happens: wake-ups, or ms of CPU time, a minute. */
static int idle(struct bench *bench, const struct bench_row *row, enum bench_side side,
		struct bench_time *ret_time)
{
	struct stage *stage = bench->stage;
	uint64_t times, ns;

	(void)side;
	if (!stage->agent.pid && bench_agent_restart(bench, &stage->agent))
		return -EIO;
	settle_down(stage->agent.pid);
	times = wakeups(stage->agent.pid);
	ns = cpu_ns(stage->agent.pid);
	(void)sleep(IDLE_S);
	times = wakeups(stage->agent.pid) - times;
	ns = cpu_ns(stage->agent.pid) - ns;
	ret_time->cpu = (row->number ? (double)ns / 1e6 : (double)times) * 60 / IDLE_S;
	ret_time->wall = ret_time->cpu;
	return 0;
}

/* --- releases ----------------------------------------------------------------------------- */

/* Each of so many groups gets a thread, and goes with it. */
static int fill_released(struct bench_agent *agent, const struct bench_crowd *crowd)
{
	char text[128];
	int r = 0;

	for (unsigned int i = 1; !r && i < crowd->n; i++) {
		(void)snprintf(text, sizeof(text),
			       "{\"group\":\"/r/g%u\",\"file\":\"auto_delete\",\"value\":\"1\"}",
			       i);
		r = bench_agent_call(agent, "WriteFile", text, NULL);
		(void)snprintf(text, sizeof(text),
			       "{\"groups\":[\"/r/g%u\"],\"pids\":[\"%d\"],\"thread\":true}", i,
			       (int)crowd->tids[i]);
		if (!r)
			r = bench_agent_call(agent, "Attach", text, NULL);
	}
	return r;
}

static int wait_released(struct bench_agent *agent)
{
	double end = bench_now(CLOCK_MONOTONIC) + RELEASE_S * 1e9;
	int r;

	do {
		r = bench_agent_call(agent, "ListGroups", "{\"group\":\"/r\"}", NULL);
		if (r || strstr(agent->reply, "\"groups\":[]"))
			return r;
		(void)usleep(20000);
	} while (bench_now(CLOCK_MONOTONIC) < end);
	return bench_fail(-ETIMEDOUT, "groups are not released");
}

/* CPU time of the agent for one group that goes with its last task. */
static int release(struct bench *bench, const struct bench_row *row, enum bench_side side,
		   struct bench_time *ret_time)
{
	struct stage *stage = bench->stage;
	struct bench_crowd crowd = { .stop = -1 };
	unsigned int n = bench->smoke ? 20 : RELEASES;
	_cleanup_free_ char *groups = bench_groups("/r/g", 1, n);
	uint64_t ns = 0;
	int r;

	(void)side;
	(void)row;
	r = groups ? 0 : -ENOMEM;
	if (!r && !stage->agent.pid)
		r = bench_agent_restart(bench, &stage->agent);
	if (!r)
		r = bench_agent_call(&stage->agent, "MakeGroups", "{\"groups\":[\"/r\"]}", NULL);
	if (!r)
		r = bench_agent_call(&stage->agent, "MakeGroups", groups, NULL);
	if (!r)
		r = bench_crowd_start(n + 1, &crowd);
	if (!r)
		r = fill_released(&stage->agent, &crowd);
	ns = cpu_ns(stage->agent.pid);
	bench_crowd_end(&crowd);
	if (!r)
		r = wait_released(&stage->agent);
	ret_time->cpu = ret_time->wall = (double)(cpu_ns(stage->agent.pid) - ns) / n;
	return r ? r :
		   bench_agent_call(&stage->agent, "RemoveGroups", "{\"groups\":[\"/r\"]}", NULL);
}

/* --- memory ------------------------------------------------------------------------------- */

enum memory {
	MEMORY_AGENT, /* a group */
	MEMORY_KERNEL, /* a group */
	MEMORY_TASK,
	MEMORY_SET,
};

/* Before groups there are none, and no thread. */
static int memory_open(struct bench *bench)
{
	struct stage *stage = calloc(1, sizeof(*stage));

	if (!stage)
		return -ENOMEM;
	bench->stage = stage;
	stage->crowd.stop = -1;
	return bench_agent_start(bench, "memory", &stage->agent);
}

static const struct bench_stage memory_stage = { "memory", memory_open, stage_close };

/* What the kernel says it holds for the maps of an instance, as its agent tells. */
static int kernel_bytes(struct bench_agent *agent, uint64_t *ret_bytes)
{
	const char *key = "\"memory_bytes\":", *at;
	char digits[32];
	int r = bench_agent_call(agent, "GetStatus", "{}", NULL);

	at = r ? NULL : strstr(agent->reply, key);
	if (!at)
		return r ? r : bench_fail(-ENODATA, "GetStatus tells no memory");
	at += strlen(key);
	(void)snprintf(digits, sizeof(digits), "%.*s", (int)strspn(at, "0123456789"), at);
	return grp_parse_u64(digits, 0, UINT64_MAX, ret_bytes);
}

static int measure_memory(struct stage *stage, uint64_t *ret_agent, uint64_t *ret_kernel)
{
	*ret_agent = proc_number(stage->agent.pid, "status", "VmRSS") * 1024;
	return kernel_bytes(&stage->agent, ret_kernel);
}

/*
 * Bytes for one more: of a group by what 10,000 more take, of the others by the sizes of
 * their elements (the kernel does not tell how much task storage there is).
 */
static int memory(struct bench *bench, const struct bench_row *row, enum bench_side side,
		  struct bench_time *ret_time)
{
	const double cpus = (double)sysconf(_SC_NPROCESSORS_CONF);
	unsigned int n = bench->smoke ? 200 : GROUPS;
	uint64_t agent[2] = { 0 }, kernel[2] = { 0 };
	struct stage *stage = bench->stage;
	const double bytes_of_set = cpus * (sizeof(struct grp_cell) + sizeof(struct grp_mode)) +
				    sizeof(struct grp_count) + sizeof(struct grp_set_record) +
				    sizeof(uint64_t);
	int r;

	(void)side;
	if (row->number == MEMORY_TASK || row->number == MEMORY_SET) {
		ret_time->cpu = row->number == MEMORY_SET ? bytes_of_set : sizeof(struct grp_task);
		return 0;
	}
	r = measure_memory(stage, &agent[0], &kernel[0]);
	if (!r)
		r = make_groups(&stage->agent, n);
	if (!r)
		r = measure_memory(stage, &agent[1], &kernel[1]);
	ret_time->cpu = row->number == MEMORY_AGENT ? (double)(agent[1] - agent[0]) / n :
						      (double)(kernel[1] - kernel[0]) / n;
	if (!r)
		r = bench_agent_call(&stage->agent, "RemoveGroups",
				     "{\"groups\":[\"/many\"],\"recursive\":true}", NULL);
	/* What the last one has left shall not be what the next one finds. */
	return r ? r : bench_agent_restart(bench, &stage->agent);
}

const struct bench_row bench_rows_life[] = {
	{ "start-pinned", "start of the agent", "10,000 groups pinned", NULL, &life_stage, start,
	  BENCH_WALL, BENCH_SINGLE, 0, 5, 0, NULL },
	{ "start-fresh", "start of the agent", "from nothing, 10,000 tasks", NULL, &life_stage,
	  start, BENCH_WALL, BENCH_SINGLE, 1, 5, 0, NULL },
	{ "idle-wakeups", "nothing happens, 10,000 groups", "wake-ups a minute", NULL, &life_stage,
	  idle, BENCH_FIGURE, BENCH_SINGLE | BENCH_MAX, 0, 1, -1, "" },
	{ "idle-cpu", "nothing happens, 10,000 groups", "CPU time a minute", NULL, &life_stage,
	  idle, BENCH_FIGURE, BENCH_SINGLE | BENCH_MAX, 1, 1, -1, "ms" },
	{ "release", "a group is released (`auto_delete`), beside 10,000", "CPU time of the agent",
	  NULL, &life_stage, release, BENCH_CPU, BENCH_SINGLE, 0, 3, 0, NULL },
	{ "memory-agent", "memory of the agent", "a group", NULL, &memory_stage, memory,
	  BENCH_FIGURE, BENCH_SINGLE, MEMORY_AGENT, 3, 1024, "B" },
	{ "memory-kernel", "memory of the maps", "a group", NULL, &memory_stage, memory,
	  BENCH_FIGURE, BENCH_SINGLE, MEMORY_KERNEL, 3, 0, "B" },
	{ "memory-task", "memory of the maps", "a task", NULL, &memory_stage, memory, BENCH_FIGURE,
	  BENCH_SINGLE, MEMORY_TASK, 1, 0, "B" },
	{ "memory-set", "memory of the maps", "a set", NULL, &memory_stage, memory, BENCH_FIGURE,
	  BENCH_SINGLE, MEMORY_SET, 1, 0, "B" },
	{ .id = NULL },
};
