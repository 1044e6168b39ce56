/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The benchmark suite: takes every row of the tables, A and B in turns, and prints
 * what came out. The work is done in a child; whatever becomes of it, the parent
 * takes away what it has made.
 */
#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/parse.h"
#include "bench.h"

#define RESULTS_MAX 128
#define EXIT_SKIP 77
/* Of what is measured through a mount, before the id of the same without. */
#define MOUNT_PREFIX "fs-"
#define CLEAN_TRIES 100
#define CLEAN_PAUSE_US 50000

struct run {
	struct bench bench;
	const char *json, *only, *just; /* only: ids that contain it */
	bool list, programs;
	struct bench_result results[RESULTS_MAX];
	size_t n;
	const struct bench_stage *stage; /* open */
	const char *fifos; /* of a profiler; NULL: none */
	struct bench_watched watched;
	bool failed;
};

int bench_fail(int error, const char *format, ...)
{
	va_list args;

	(void)fputs("bench: ", stderr);
	va_start(args, format);
	(void)vfprintf(stderr, format, args);
	va_end(args);
	(void)fprintf(stderr, ": %s\n", strerror(error ? -error : EIO));
	return error ? error : -EIO;
}

unsigned int bench_scaled(const struct bench *bench, unsigned int full, unsigned int smoke)
{
	return bench->smoke ? smoke : bench->quick ? full / 4 : full;
}

/* --- one row ---------------------------------------------------------------------- */

static double value_of(const struct bench_row *row, const struct bench_time *time)
{
	return row->metric == BENCH_WALL ? time->wall : time->cpu;
}

static unsigned int pairs_of(const struct bench *bench, const struct bench_row *row)
{
	return row->pairs && row->pairs < bench->pairs ? row->pairs : bench->pairs;
}

/* One sample; a profiler looks at those of A. */
static int take(struct run *run, const struct bench_row *row, enum bench_side side,
		struct bench_time *ret_time)
{
	bool seen = side == BENCH_A;
	int r = seen ? bench_watched_say(&run->watched, "enable\n") : 0;

	if (!r)
		r = row->measure(&run->bench, row, side, ret_time);
	if (!r && seen)
		r = bench_watched_say(&run->watched, "disable\n");
	return r;
}

/* A, B, A once more; every other time B comes first, against what drifts. */
static int take_pair(struct run *run, struct bench_result *result, unsigned int i, double *wall)
{
	const struct bench_row *row = result->row;
	const bool single = row->flags & BENCH_SINGLE;
	const enum bench_side order[3] = { i % 2, !(i % 2), BENCH_A };
	double *to[3] = { &result->a[i], &result->b[i], &result->again[i] };
	struct bench_time time = { 0 };
	int r = 0;

	for (unsigned int j = 0; !r && j < (single ? 1 : 3); j++) {
		enum bench_side side = single ? BENCH_A : order[j];

		r = take(run, row, side, &time);
		*to[j < 2 ? side : 2] = value_of(row, &time);
		if (j < 2)
			wall[side * run->bench.pairs + i] = time.wall;
	}
	return r;
}

static int take_row(struct run *run, struct bench_result *result)
{
	const struct bench *bench = &run->bench;
	unsigned int pairs = pairs_of(bench, result->row);
	double *wall = calloc(2 * (size_t)bench->pairs, sizeof(*wall));
	int r = 0;

	result->a = calloc(pairs, sizeof(double));
	result->b = calloc(pairs, sizeof(double));
	result->again = calloc(pairs, sizeof(double));
	if (!wall || !result->a || !result->b || !result->again)
		r = -ENOMEM;
	for (unsigned int i = 0; !r && i < pairs; i++) {
		r = take_pair(run, result, i, wall);
		result->pairs += !r;
	}
	if (!r) {
		result->wall_a = bench_median(wall, pairs);
		result->wall_b = bench_median(wall + bench->pairs, pairs);
		bench_result_judge(result);
	}
	free(wall);
	return r;
}

static void close_stage(struct run *run)
{
	if (run->stage && run->stage->close)
		run->stage->close(&run->bench);
	run->stage = NULL;
	run->bench.stage = NULL;
}

static int open_stage(struct run *run, const struct bench_stage *stage)
{
	int r;

	if (run->stage == stage)
		return 0;
	close_stage(run);
	run->bench.skip = NULL;
	run->stage = stage;
	r = stage->open(&run->bench);
	if (r)
		close_stage(run);
	return r;
}

static bool is_wanted(const struct run *run, const struct bench_row *row)
{
	return (!run->only || strstr(row->id, run->only)) &&
	       (!run->just || strcmp(row->id, run->just) == 0) &&
	       !(run->bench.quick && row->flags & BENCH_LONG);
}

/* It has no line of its own: another row that is taken has it in a column. */
static bool is_column(const struct run *run, const struct bench_row *mount)
{
	if (strncmp(mount->id, MOUNT_PREFIX, strlen(MOUNT_PREFIX)) != 0)
		return false;
	for (const struct bench_row *const *table = bench_tables; *table; table++)
		for (const struct bench_row *row = *table; row->id; row++)
			if (!strcmp(row->id, mount->id + strlen(MOUNT_PREFIX)))
				return is_wanted(run, row);
	return false;
}

static const struct bench_result *find_column(const struct run *run, const struct bench_row *row)
{
	const size_t prefix = strlen(MOUNT_PREFIX);

	for (size_t i = 0; i < run->n; i++) {
		const char *id = run->results[i].row->id;

		if (!strncmp(id, MOUNT_PREFIX, prefix) && !strcmp(id + prefix, row->id))
			return &run->results[i];
	}
	return NULL;
}

static void do_row(struct run *run, const struct bench_row *row)
{
	struct bench_result *result = &run->results[run->n];
	int r;

	if (run->n == RESULTS_MAX || !is_wanted(run, row))
		return;
	result->row = row;
	r = open_stage(run, row->stage);
	if (!r)
		r = take_row(run, result);
	if (r == -EOPNOTSUPP)
		result->skipped = run->bench.skip ? run->bench.skip : "not possible here";
	else if (r) {
		run->failed = true;
		result->skipped = "failed";
		(void)bench_fail(r, "%s", row->id);
	}
	run->n++;
	if (!is_column(run, row))
		bench_print_row(stdout, result, find_column(run, row));
}

static int do_all(struct run *run)
{
	int r = run->fifos ? bench_watched_open(run->fifos, &run->watched) : 0;

	if (r)
		return EXIT_FAILURE;
	bench_print_head(stdout);
	for (const struct bench_row *const *table = bench_tables; *table; table++)
		for (const struct bench_row *row = *table; row->id; row++)
			do_row(run, row);
	close_stage(run);
	bench_print_foot(&run->bench, stdout);
	if (run->json)
		r = bench_write_json(&run->bench, run->json, run->results, run->n);
	for (size_t i = 0; i < run->n; i++)
		bench_result_done(&run->results[i]);
	return r || run->failed || !run->n ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* --- around it -------------------------------------------------------------------- */

static pid_t worker;

static void pass_on(int signal)
{
	if (worker > 0)
		(void)kill(worker, signal == SIGINT ? SIGTERM : signal);
}

/* Its agent ends when the worker does, but that may be a moment later. */
static void clean_instance(const struct bench *bench, const char *instance)
{
	for (unsigned int i = 0; i < CLEAN_TRIES && bench_unload(bench, instance); i++)
		(void)usleep(CLEAN_PAUSE_US);
}

/* Instances of ours that are still there. */
static void clean_instances(const struct bench *bench)
{
	static const char *const dirs[] = { "/run/grpagent", "/sys/fs/bpf/grpagent" };
	size_t len = strlen(bench->instance);

	for (size_t i = 0; i < sizeof(dirs) / sizeof(*dirs); i++) {
		DIR *dir = opendir(dirs[i]);

		for (const struct dirent *e = dir ? readdir(dir) : NULL; e; e = readdir(dir))
			if (!strncmp(e->d_name, bench->instance, len) && e->d_name[len] == '-')
				clean_instance(bench, e->d_name);
		if (dir)
			(void)closedir(dir);
	}
}

static int run_in_child(struct run *run)
{
	const struct sigaction action = { .sa_handler = pass_on };
	int status = 0;

	(void)fflush(stdout);
	worker = fork();
	if (worker < 0)
		return bench_fail(-errno, "fork");
	if (!worker) {
		(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
		exit(do_all(run));
	}
	(void)sigaction(SIGINT, &action, NULL);
	(void)sigaction(SIGTERM, &action, NULL);
	while (waitpid(worker, &status, 0) < 0 && errno == EINTR)
		;
	worker = 0;
	clean_instances(&run->bench);
	bench_v1_clean();
	return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE;
}

static _Noreturn void usage(int status)
{
	(void)fputs(
		"usage: bench [--quick | --smoke] [--json FILE] [--pairs N] [--only ID | --just ID]\n"
		"             [--watched CONTROL,ACK] [--list | --programs]\n"
		"Takes every measurement and prints a table. --quick leaves out long ones, --smoke\n"
		"only tries all of them out. --only: those whose id contains ID; --just: this one.\n"
		"--watched: the fifos of a profiler that is to see one side only. --programs: how many\n"
		"instructions of each program in the kernel its verifier walks. BUILD in the\n"
		"environment: where the programs are.\n",
		status ? stderr : stdout);
	exit(status);
}

static void list_rows(const struct run *run)
{
	for (const struct bench_row *const *table = bench_tables; *table; table++)
		for (const struct bench_row *row = *table; row->id; row++)
			if (!run->bench.quick || !(row->flags & BENCH_LONG))
				(void)printf("%-24s %s\n", row->id, row->what);
	exit(EXIT_SUCCESS);
}

static void parse(int argc, char **argv, struct run *run)
{
	static const struct option options[] = {
		{ "quick", no_argument, NULL, 'q' },
		{ "smoke", no_argument, NULL, 's' },
		{ "json", required_argument, NULL, 'j' },
		{ "pairs", required_argument, NULL, 'p' },
		{ "only", required_argument, NULL, 'o' },
		{ "just", required_argument, NULL, 'J' },
		{ "watched", required_argument, NULL, 'w' },
		{ "list", no_argument, NULL, 'l' },
		{ "programs", no_argument, NULL, 'P' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	uint64_t number;
	int c;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (c == 'q')
			run->bench.quick = true;
		else if (c == 's')
			run->bench.smoke = run->bench.quick = true;
		else if (c == 'j')
			run->json = optarg;
		else if (c == 'o')
			run->only = optarg;
		else if (c == 'J')
			run->just = optarg;
		else if (c == 'w')
			run->fifos = optarg;
		else if (c == 'l')
			run->list = true;
		else if (c == 'P')
			run->programs = true;
		else if (c == 'p' && !grp_parse_u64(optarg, 1, 1000, &number))
			run->bench.pairs = (unsigned int)number;
		else
			usage(c == 'h' ? EXIT_SUCCESS : 2);
	}
	if (optind != argc)
		usage(2);
	if (run->list)
		list_rows(run);
	if (!run->bench.pairs)
		run->bench.pairs = run->bench.smoke ? BENCH_PAIRS_SMOKE : BENCH_PAIRS;
}

/* The last one that we may use: the first has the interrupts of many machines. */
static int last_cpu(void)
{
	cpu_set_t set;
	int cpu = 0;

	if (sched_getaffinity(0, sizeof(set), &set))
		return 0;
	for (int i = 0; i < CPU_SETSIZE; i++)
		if (CPU_ISSET(i, &set))
			cpu = i;
	return cpu;
}

int main(int argc, char **argv)
{
	static struct run run;

	parse(argc, argv, &run);
	if (geteuid()) {
		(void)fputs("bench: needs root\n", stderr);
		return EXIT_SKIP;
	}
	grp_log_set_level(getenv("BENCH_VERBOSE") ? LOG_INFO : LOG_ERR);
	if (run.programs)
		return bench_programs(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
	run.bench.build = getenv("BUILD");
	run.bench.build = run.bench.build ? run.bench.build : "build";
	run.bench.cpu = last_cpu();
	(void)snprintf(run.bench.instance, sizeof(run.bench.instance), "bench-%d", (int)getpid());
	bench_v1_init(run.bench.instance);
	return run_in_child(&run);
}
