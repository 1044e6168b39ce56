/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Many threads in one call: those of a process are told and moved as a pass does it, those of
 * a list as one by one. In an instance of its own. Needs root.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/core.h"
#include "instance.h"
#include "kernel/internal.h"

#define SET 5U
/* So that one call has no room for all of them. */
#define THREADS (3 * GRP_BATCH_MAX - 10)

struct state {
	struct instance instance;
	uint16_t plan[INSTANCE_CAPACITY_SETS];
};

static int setup(void **ret_state)
{
	static struct state state;

	*ret_state = &state;
	return instance_open(&state.instance, "batch", NULL);
}

static int teardown(void **ret_state)
{
	struct state *state = *ret_state;

	return instance_end(&state->instance);
}

static void need_batch(const struct state *state)
{
	if (state->instance.bpf->batch)
		return;
	print_message("# skip: this kernel takes one task at a time\n");
	skip();
}

static int64_t members(const struct state *state)
{
	return state->instance.view->counts[SET].members;
}

/* --- a process ------------------------------------------------------------------------- */

static void *rest(void *data)
{
	(void)data;
	for (;;)
		(void)pause();
	return NULL;
}

/* Of so many threads, all of them there. */
static pid_t process_new(unsigned int threads)
{
	pthread_attr_t small;
	pthread_t thread;
	int ends[2];
	pid_t pid;
	char c;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid) {
		(void)close(ends[1]);
		assert_int_equal(read(ends[0], &c, 1), 1);
		(void)close(ends[0]);
		return pid;
	}
	(void)pthread_attr_init(&small);
	(void)pthread_attr_setstacksize(&small, 65536);
	for (unsigned int i = 1; i < threads; i++)
		if (pthread_create(&thread, &small, rest, NULL))
			_exit(1);
	if (write(ends[1], "", 1) != 1)
		_exit(1);
	(void)rest(NULL);
	return 0;
}

struct told {
	struct grp_scan_record *records; /* THREADS of them */
	unsigned int n, moved, unplanned;
};

static int keep(const struct grp_scan_record *record, void *data)
{
	struct told *told = data;

	assert_true(told->n < THREADS);
	told->records[told->n++] = *record;
	told->moved += record->verdict == GRP_VERDICT_MOVED;
	told->unplanned += record->verdict == GRP_VERDICT_NO_PLAN;
	return 0;
}

static void move_process(struct state *state, pid_t pid, bool batch, struct told *told)
{
	const struct grp_scan_request request = { .tgid = (uint32_t)pid };
	struct grp_scan_record *there = state->instance.bpf->batch;

	told->n = told->moved = told->unplanned = 0;
	if (!batch)
		state->instance.bpf->batch = NULL;
	assert_int_equal(grp_batch_can(state->instance.bpf, GRP_PASS_MOVE, &request), batch);
	assert_int_equal(grp_bpf_ops.pass(state->instance.bpf, GRP_PASS_MOVE, &request, state->plan,
					  keep, told),
			 0);
	state->instance.bpf->batch = there;
}

static struct told told_new(void)
{
	struct told told = { .records = calloc(THREADS, sizeof(struct grp_scan_record)) };

	assert_non_null(told.records);
	return told;
}

/* In the same order, each once, and with the same in the record. */
static void test_threads_as_a_pass(void **ret_state)
{
	struct state *state = *ret_state;
	struct told pass = told_new(), batch = told_new();
	pid_t pid;

	need_batch(state);
	pid = process_new(THREADS);
	instance_plan(state->plan, SET, GRP_SET_ROOT);
	move_process(state, pid, false, &pass);
	move_process(state, pid, true, &batch);
	assert_int_equal(pass.n, THREADS);
	assert_int_equal(batch.n, THREADS);
	assert_int_equal(batch.unplanned, THREADS);
	for (unsigned int i = 0; i < THREADS; i++)
		pass.records[i].time_ns = batch.records[i].time_ns = 0;
	assert_memory_equal(pass.records, batch.records, THREADS * sizeof(*pass.records));
	assert_int_equal(batch.records[0].tid, pid);
	assert_int_equal(batch.records[0].nr_threads, THREADS);
	sleeper_end(pid);
	free(pass.records);
	free(batch.records);
}

static void test_threads_are_moved(void **ret_state)
{
	struct state *state = *ret_state;
	struct told told = told_new();
	pid_t pid;

	need_batch(state);
	pid = process_new(THREADS);
	instance_plan(state->plan, GRP_SET_ROOT, SET);
	move_process(state, pid, true, &told);
	assert_int_equal(told.moved, THREADS);
	assert_int_equal(members(state), THREADS);
	/* Some of them elsewhere: the plan does not know these. */
	for (unsigned int i = 300; i < 310; i++)
		(void)instance_move(&state->instance,
				    &(struct grp_scan_request){ .tid = told.records[i].tid }, SET,
				    SET + 1);
	instance_plan(state->plan, SET, GRP_SET_ROOT);
	move_process(state, pid, true, &told);
	assert_int_equal(told.n, THREADS);
	assert_int_equal(told.moved, THREADS - 10);
	assert_int_equal(told.unplanned, 10);
	assert_int_equal(members(state), 0);
	sleeper_end(pid);
	free(told.records);
}

/* As many as there are records, and one more or less. */
static void test_threads_fill_a_call(void **ret_state)
{
	struct state *state = *ret_state;
	struct told told = told_new();

	need_batch(state);
	instance_plan(state->plan, SET, GRP_SET_ROOT);
	for (unsigned int n = GRP_BATCH_MAX - 1; n <= GRP_BATCH_MAX + 1; n++) {
		pid_t pid = process_new(n);

		move_process(state, pid, true, &told);
		assert_int_equal(told.n, n);
		sleeper_end(pid);
	}
	free(told.records);
}

static int end_at_once(const struct grp_scan_record *record, void *data)
{
	(void)record;
	++*(unsigned int *)data;
	return -ECANCELED;
}

/* Nobody there, and a reader that has had enough. */
static void test_threads_of_nobody(void **ret_state)
{
	struct state *state = *ret_state;
	struct grp_scan_request request;
	unsigned int n = 0;
	pid_t pid;

	need_batch(state);
	pid = sleeper_new();
	request = (struct grp_scan_request){ .tgid = (uint32_t)pid };
	instance_plan(state->plan, SET, GRP_SET_ROOT);
	assert_int_equal(grp_bpf_ops.pass(state->instance.bpf, GRP_PASS_MOVE, &request, state->plan,
					  end_at_once, &n),
			 -ECANCELED);
	sleeper_end(pid);
	assert_int_equal(grp_bpf_ops.pass(state->instance.bpf, GRP_PASS_MOVE, &request, state->plan,
					  end_at_once, &n),
			 -ESRCH);
	assert_int_equal(n, 1);
}

/* --- a list ------------------------------------------------------------------------------ */

enum {
	ALONE,
	AGAIN, /* the same once more */
	THREADED,
	ZOMBIE,
	NOBODY, /* it was reaped */
	NONE, /* no number */
	ANOTHER,
	N
};

static void list_new(struct grp_scan_record records[N])
{
	memset(records, 0, N * sizeof(*records));
	records[ALONE].tid = records[AGAIN].tid = (uint32_t)sleeper_new();
	records[ANOTHER].tid = (uint32_t)sleeper_new();
	records[THREADED].tid = (uint32_t)process_new(2);
	records[ZOMBIE].tid = (uint32_t)sleeper_new();
	assert_int_equal(kill((pid_t)records[ZOMBIE].tid, SIGKILL), 0);
	assert_int_equal(waitid(P_PID, records[ZOMBIE].tid, &(siginfo_t){}, WEXITED | WNOWAIT), 0);
	records[NOBODY].tid = (uint32_t)sleeper_new();
	sleeper_end((pid_t)records[NOBODY].tid);
}

static void list_end(const struct grp_scan_record records[N])
{
	for (int i = 0; i < N; i++)
		if (i != AGAIN && i != NOBODY && i != NONE)
			sleeper_end((pid_t)records[i].tid);
}

static void move_each(struct state *state, uint32_t flags, uid_t uid,
		      struct grp_scan_record *records, size_t n)
{
	const struct grp_scan_request request = { .flags = flags, .uid = uid };

	assert_int_equal(
		grp_bpf_ops.move_each(state->instance.bpf, &request, state->plan, records, n), 0);
}

static void test_each(void **ret_state)
{
	/* How it goes with each, before and after it may be moved. */
	static const enum grp_verdict denied[N] = {
		[ALONE] = GRP_VERDICT_DENIED,	  [AGAIN] = GRP_VERDICT_DENIED,
		[THREADED] = GRP_VERDICT_SKIPPED, [ZOMBIE] = GRP_VERDICT_EXITING,
		[NOBODY] = GRP_VERDICT_SKIPPED,	  [NONE] = GRP_VERDICT_SKIPPED,
		[ANOTHER] = GRP_VERDICT_DENIED,
	};
	static const enum grp_verdict moved[N] = {
		/* Again: in a set that the plan does not know. */
		[ALONE] = GRP_VERDICT_MOVED,	  [AGAIN] = GRP_VERDICT_NO_PLAN,
		[THREADED] = GRP_VERDICT_SKIPPED, [ZOMBIE] = GRP_VERDICT_EXITING,
		[NOBODY] = GRP_VERDICT_SKIPPED,	  [NONE] = GRP_VERDICT_SKIPPED,
		[ANOTHER] = GRP_VERDICT_MOVED,
	};
	struct grp_scan_record records[N];
	struct state *state = *ret_state;

	need_batch(state);
	list_new(records);
	instance_plan(state->plan, GRP_SET_ROOT, SET);
	move_each(state, GRP_SCAN_ALONE | GRP_SCAN_CHECK_UID, 12345, records, N);
	for (int i = 0; i < N; i++)
		assert_int_equal(records[i].verdict, denied[i]);
	assert_int_equal(members(state), 0);
	move_each(state, GRP_SCAN_ALONE | GRP_SCAN_CHECK_UID, 0, records, N);
	for (int i = 0; i < N; i++)
		assert_int_equal(records[i].verdict, moved[i]);
	assert_int_equal(members(state), 2);
	assert_int_equal(records[ALONE].from, GRP_SET_ROOT);
	assert_int_equal(records[ALONE].set, SET);
	assert_int_equal(records[ALONE].nr_threads, 1);
	/* A thread by itself. */
	move_each(state, 0, 0, &records[THREADED], 1);
	assert_int_equal(records[THREADED].verdict, GRP_VERDICT_MOVED);
	assert_int_equal(records[THREADED].nr_threads, 2);
	assert_int_equal(members(state), 3);
	list_end(records);
	assert_int_equal(members(state), 0);
}

static void test_each_of_too_many(void **ret_state)
{
	static struct grp_scan_record records[GRP_BATCH_MAX + 1];
	const struct grp_scan_request request = { .flags = 0 };
	struct state *state = *ret_state;

	need_batch(state);
	assert_int_equal(grp_bpf_ops.move_each(state->instance.bpf, &request, state->plan, records,
					       GRP_BATCH_MAX + 1),
			 -E2BIG);
}

/* --- what is told of it ----------------------------------------------------------------- */

static int find_batch(const struct grp_bpf_map *map, void *data)
{
	if (!strcmp(map->name, "batch"))
		*(uint64_t *)data = map->bytes;
	return 0;
}

static void test_memory_is_told(void **state_pointer)
{
	struct state *state = *state_pointer;
	uint64_t bytes = 0;

	need_batch(state);
	assert_int_equal(grp_bpf_maps(state->instance.bpf, find_batch, &bytes), 0);
	assert_true(bytes >= GRP_BATCH_MAX * sizeof(struct grp_scan_record));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_threads_as_a_pass),
		cmocka_unit_test(test_threads_are_moved),
		cmocka_unit_test(test_threads_fill_a_call),
		cmocka_unit_test(test_threads_of_nobody),
		cmocka_unit_test(test_each),
		cmocka_unit_test(test_each_of_too_many),
		cmocka_unit_test(test_memory_is_told),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
