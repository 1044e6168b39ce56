/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The benchmark suite: what its files share. A row is one measurement, A against
 * B, both taken in turns in one run; a stage is what several rows have in common
 * and is made once for them. Everything runs in instances, v1 groups and processes
 * of its own, which are gone when the program ends, however it ends.
 *
 * All functions that return int give 0 or -errno, and say on stderr why.
 */
#ifndef GRP_TESTS_BENCH_H
#define GRP_TESTS_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>
#include <time.h>

/* --- rows --------------------------------------------------------------------- */

enum bench_side {
	BENCH_A,
	BENCH_B,
};

/*
 * What is compared. CPU time leaves out what other load on the machine does to a
 * measurement, and what the kernel makes its caller wait: it is against us there.
 */
enum bench_metric {
	BENCH_CPU, /* CPU time of all that takes part */
	BENCH_WALL,
	BENCH_FIGURE, /* neither: a number in the row's unit, in both members */
};

/* Of one operation, in ns, or in the unit of the row. */
struct bench_time {
	double cpu, wall;
};

enum bench_row_flags {
	BENCH_LONG = 1 << 0, /* not in a quick run */
	BENCH_STRICT = 1 << 1, /* the bound itself is a miss */
	BENCH_SINGLE = 1 << 2, /* A only: the bound is of its value, in the row's unit */
	BENCH_MAX = 1 << 3, /* single: the largest value counts, not the median */
};

struct bench;

struct bench_row {
	const char *id; /* of the command line and the JSON */
	const char *what; /* one operation */
	const char *a, *b; /* what the two sides do; b NULL: single */
	const struct bench_stage *stage;
	int (*measure)(struct bench *bench, const struct bench_row *row, enum bench_side side,
		       struct bench_time *ret_time);
	enum bench_metric metric;
	unsigned int flags; /* enum bench_row_flags */
	unsigned int number; /* for the function */
	unsigned int pairs; /* fewer than usual, as one takes long; 0: as usual */
	double bound; /* of the median ratio; 0: shown only */
	const char *unit; /* shown; NULL: time */
};

/* open fails with -EOPNOTSUPP where the machine lacks something: the rows are skipped. */
struct bench_stage {
	const char *name;
	int (*open)(struct bench *bench);
	void (*close)(struct bench *bench); /* also after a failed open */
};

extern const struct bench_row *const bench_tables[]; /* each ended by a row without id */

/* --- the run ------------------------------------------------------------------- */

#define BENCH_PAIRS 15
#define BENCH_PAIRS_SMOKE 3

struct bench_hooks;

struct bench {
	bool quick; /* less of everything, no long rows */
	bool smoke; /* only to see that it works: figures mean nothing */
	unsigned int pairs;
	int cpu; /* the one for what is to run on one CPU */
	const char *build; /* where the programs are */
	const char *skip; /* why a stage cannot be opened here */
	char instance[64];
	void *stage; /* of the stage that is open */
};

/* bench_scaled() - of @full, what this run takes. */
unsigned int bench_scaled(const struct bench *bench, unsigned int full, unsigned int smoke);

/* bench_fail() - says what went wrong. Return: @error, or -EIO when that is 0. */
int bench_fail(int error, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* --- stats.c --------------------------------------------------------------------- */

struct bench_ratio {
	double median, low, high; /* 95 % bootstrap interval of the median */
};

double bench_median(const double *values, size_t n);
/* bench_bootstrap() - the same numbers give the same interval. */
struct bench_ratio bench_bootstrap(const double *values, size_t n);

/* --- result.c --------------------------------------------------------------------- */

struct bench_result {
	const struct bench_row *row;
	const char *skipped; /* reason; nothing else is valid then */
	unsigned int pairs;
	double *a, *b, *again; /* of each pair, by the row's metric; owned */
	double wall_a, wall_b; /* medians */
	struct bench_ratio ratio, noise; /* A : B, and A : A once more */
	bool met; /* the bound */
};

/* bench_result_judge() - medians, intervals and verdict from the values. */
void bench_result_judge(struct bench_result *result);
void bench_result_done(struct bench_result *result);

void bench_print_head(FILE *out);
/* @mount: of the same through a mount; NULL: none. */
void bench_print_row(FILE *out, const struct bench_result *result,
		     const struct bench_result *mount);
void bench_print_foot(const struct bench *bench, FILE *out);
int bench_write_json(const struct bench *bench, const char *path,
		     const struct bench_result *results, size_t n);

/* --- watched.c: a profiler beside it --------------------------------------------------- */

/* All 0: none. */
struct bench_watched {
	int control, ack;
};

/* bench_watched_open() - @fifos: two paths with a comma between, as perf-record(1) has them. */
int bench_watched_open(const char *fifos, struct bench_watched *ret_watched);
/* bench_watched_say() - "enable\n" or "disable\n", and it is so. Nothing without a profiler. */
int bench_watched_say(const struct bench_watched *watched, const char *command);

/* --- clock.c: taking time, and work that is measured --------------------------------- */

double bench_now(clockid_t clock);

/* bench_pin() - this thread to one CPU; its children too. */
int bench_pin(int cpu);

/* bench_spawn() - starts a program without a shell; its stdout is dropped. */
int bench_spawn(char *const argv[], pid_t *ret_pid);
/* bench_wait() - until it ends, which must be with status 0. */
int bench_wait(pid_t pid);
int bench_run(char *const argv[]);

/*
 * Each runs its work in processes of its own on one CPU and gives the time of one
 * operation. @enter: a tasks file of the kernel's that they write themselves to
 * first; NULL: none.
 */
int bench_pingpong(const struct bench *bench, const char *enter, unsigned int rounds,
		   struct bench_time *ret_time);
int bench_fork(const struct bench *bench, unsigned int rounds, struct bench_time *ret_time);
int bench_threads(const struct bench *bench, unsigned int rounds, struct bench_time *ret_time);
int bench_vfork(const struct bench *bench, unsigned int rounds, struct bench_time *ret_time);
/* bench_command() - a program on all CPUs, and its CPU time with that of its children. */
int bench_command(char *const argv[], struct bench_time *ret_time);

/* --- crowd.c: many threads that do nothing --------------------------------------------- */

struct bench_crowd {
	pid_t pid; /* 0: none */
	pid_t *tids; /* owned */
	unsigned int n; /* with the first thread */
	int stop; /* closing it ends them */
};

int bench_crowd_start(unsigned int threads, struct bench_crowd *ret_crowd);
void bench_crowd_end(struct bench_crowd *crowd);
/* bench_crowd_room() - threads that the limits of this machine leave to us. */
unsigned int bench_crowd_room(unsigned int wanted);

/* --- v1.c: groups of the kernel's own accounting ---------------------------------------- */

/* bench_v1_init() - where ours will be made: a name in the root of the hierarchy. */
void bench_v1_init(const char *name);
/* bench_v1_make() - a fresh directory; @name below ours. -EOPNOTSUPP: no v1 cpuacct here. */
int bench_v1_make(const char *name, char *path, size_t size);
/* bench_v1_use() - of this controller from now on; "cpuacct" at first. Nothing is made just now. */
void bench_v1_use(const char *controller);
/* bench_v1_put(), bench_v1_write() - open, write, close of a file of it. */
int bench_v1_put(const char *group, const char *file, const char *text);
int bench_v1_write(const char *group, const char *file, pid_t pid);
/* bench_v1_read() - open, read, close. */
int bench_v1_read(const char *group, const char *file);
/* bench_v1_clean() - removes every group that was made, members back to the root. */
void bench_v1_clean(void);

/* --- agent.c: an agent in a process of its own -------------------------------------------- */

struct bench_agent {
	char instance[80];
	pid_t pid;
	int fd; /* connection; -1: none */
	char *reply; /* room for one; owned */
	char *mount; /* where it shows hierarchy "default"; borrowed; NULL: nowhere */
};

/* bench_agent_start() - until it answers. @tag: of the name of its instance. ->mount is kept. */
int bench_agent_start(const struct bench *bench, const char *tag, struct bench_agent *ret_agent);
int bench_agent_restart(const struct bench *bench, struct bench_agent *agent);
void bench_agent_stop(struct bench_agent *agent);
/* bench_agent_end() - stops it and unloads its instance; also one that never started. */
void bench_agent_end(const struct bench *bench, struct bench_agent *agent);
/*
 * bench_agent_call() - one request and its one reply, that must be free of failures.
 * @parameters: JSON text. @ret_bytes: of the reply; may be NULL.
 */
int bench_agent_call(struct bench_agent *agent, const char *method, const char *parameters,
		     size_t *ret_bytes);
/* bench_unload() - whatever is left of an instance; fails silently while its agent runs. */
int bench_unload(const struct bench *bench, const char *instance);

/* bench_groups() - parameters that name @n groups FORM0, FORM1 ...; owned by the caller. */
char *bench_groups(const char *form, unsigned int first, unsigned int n);
/* bench_chain() - "HIERARCHY:/l/l/l ..."; owned by the caller. */
char *bench_chain(const char *hierarchy, unsigned int levels);

/* --- own.c: an agent inside this program -------------------------------------------------------- */

struct bench_own;

struct bench_reply {
	struct bench_time time; /* from the request in hand to the reply in hand */
	struct bench_time longest; /* turn of the loop meanwhile, by CPU time */
	size_t bytes;
};

struct bench_turns {
	struct bench_time sum, longest;
	unsigned int n;
};

/* bench_own_open() - @ret_own is to be closed also after a failure. */
int bench_own_open(const struct bench *bench, const char *tag, struct bench_own **ret_own);
void bench_own_close(const struct bench *bench, struct bench_own *own);
/* bench_own_call() - as bench_agent_call(). */
int bench_own_call(struct bench_own *own, const char *method, const char *parameters,
		   struct bench_reply *ret_reply);
/* bench_own_scrape() - GET /metrics; bytes with none of the head. */
int bench_own_scrape(struct bench_own *own, struct bench_reply *ret_reply);
/* bench_own_settle() - up to @turns of its loop, for what a request has left to do. */
void bench_own_settle(struct bench_own *own, unsigned int turns);

/* bench_programs() - name and verified instructions of each program, a line each (programs.c). */
int bench_programs(FILE *out);

/* --- hooks.c: an instance's programs attached and detached at will ---------------------------- */

/* bench_hooks_take() - those that are attached; from now on we hold them. */
int bench_hooks_take(const char *instance, struct bench_hooks **ret_hooks);
int bench_hooks_set(struct bench_hooks *hooks, bool on);
void bench_hooks_free(struct bench_hooks *hooks);
/* bench_hooks_program() - descriptor of one of them by name, borrowed; -1: there is none. */
int bench_hooks_program(const struct bench_hooks *hooks, const char *name);

#endif
