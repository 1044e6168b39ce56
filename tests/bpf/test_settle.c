/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What runs on another CPU is charged before a read, without and with an interrupt there.
 * In an instance of its own. Needs root and two CPUs.
 */
#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "instance.h"
#include "kernel/internal.h"
#include "sleeper.h"

#define SET 5U
#define ROUNDS 50
/* So many readings, the least disturbed of some runs: interrupts for other reasons do not count. */
#define READS 500U
#define RUNS 5U
#define REAPED 60U
#define WORK_NS 5000000

struct state {
	struct instance instance;
	int here, there; /* CPUs */
	struct settle *settle; /* of the instance */
	pid_t burner; /* 0: none */
};

/* The first two CPUs that this process may use: it stays on one of them. */
static int setup(void **ret_state)
{
	static struct state state = { .here = -1, .there = -1 };
	cpu_set_t mine;

	*ret_state = &state;
	if (sched_getaffinity(0, sizeof(mine), &mine))
		return -1;
	for (int cpu = CPU_SETSIZE - 1; cpu >= 0; cpu--)
		if (CPU_ISSET(cpu, &mine)) {
			state.there = state.here;
			state.here = cpu;
		}
	if (state.there < 0) {
		print_message("# skip: this needs two CPUs\n");
		return -1;
	}
	bind_to(0, state.here);
	if (instance_open(&state.instance, "settle", NULL))
		return -1;
	state.settle = state.instance.bpf->settle;
	return 0;
}

static int teardown(void **ret_state)
{
	struct state *state = *ret_state;

	return instance_end(&state->instance);
}

/* To the other CPU, then to the set. */
static void take_there(struct state *state, pid_t pid)
{
	const struct grp_scan_request request = { .tid = (uint32_t)pid };

	bind_to(pid, state->there);
	assert_int_equal(instance_move(&state->instance, &request, GRP_SET_ROOT, SET).verdict,
			 GRP_VERDICT_MOVED);
}

/* A child of the set that computes on the other CPU. */
static pid_t burner_new(struct state *state)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (!pid)
		for (;;)
			;
	state->burner = pid;
	take_there(state, pid);
	return pid;
}

static void burner_end(struct state *state)
{
	pid_t pid = state->burner;

	state->burner = 0;
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* Whatever became of a test. */
static int restore(void **ret_state)
{
	struct state *state = *ret_state;

	state->instance.bpf->settle = state->settle;
	(void)signal(SIGCHLD, SIG_DFL);
	if (state->burner)
		burner_end(state);
	return 0;
}

/* What the kernel has counted for it up to its last tick. */
static uint64_t counted_ns(pid_t pid)
{
	char text[128];
	FILE *f;

	(void)snprintf(text, sizeof(text), "/proc/%d/schedstat", pid);
	f = fopen(text, "re");
	assert_non_null(f);
	assert_non_null(fgets(text, sizeof(text), f));
	(void)fclose(f);
	return strtoull(text, NULL, 10);
}

/* On the CPU where it runs. */
static uint64_t used_ns(const struct state *state)
{
	return __atomic_load_n(
		&state->instance.view->cells[state->there * INSTANCE_CAPACITY_SETS + SET].time_ns,
		__ATOMIC_ACQUIRE);
}

static int from_here(struct state *state)
{
	return grp_settle_from_here(state->instance.bpf) ? 0 : -EAGAIN;
}

static int by_interrupts(struct state *state)
{
	state->instance.bpf->settle = NULL;
	return grp_bpf_ops.settle(state->instance.bpf);
}

/* From Linux 6.10 on; where a CPU has no ticks it is not wanted. */
static void need_settle(const struct state *state)
{
	if (state->settle)
		return;
	/* what else it takes is asked of programs that are loaded without it */
	assert_false(state->instance.bpf->direct_still && !grp_topology_is_tickless());
	print_message("# skip: this kernel cannot settle from one CPU\n");
	skip();
}

/* Without a settling it has what was counted at the latest switch, far behind after some ticks. */
static void check_running_is_charged(struct state *state, int (*settle)(struct state *state))
{
	const struct timespec pause = { .tv_nsec = 10000000 };
	uint64_t before = used_ns(state), start, counted = 0;
	unsigned int settled = 0;
	pid_t pid = burner_new(state);

	start = counted_ns(pid);
	for (unsigned int i = 0; i < ROUNDS; i++) {
		int r;

		(void)nanosleep(&pause, NULL);
		counted = counted_ns(pid);
		r = settle(state);
		assert_true(r == 0 || r == -EAGAIN);
		/* -EAGAIN: it met a switch, and says so */
		if (r)
			continue;
		settled++;
		assert_true(used_ns(state) - before >= counted - start);
	}
	assert_true(counted > start);
	assert_true(settled > ROUNDS / 2);
	burner_end(state);
}

static void running_is_charged_from_here(void **ret_state)
{
	struct state *state = *ret_state;

	need_settle(state);
	check_running_is_charged(state, from_here);
}

static void running_is_charged_by_an_interrupt(void **ret_state)
{
	check_running_is_charged(*ret_state, by_interrupts);
}

static int64_t own_ns(void)
{
	struct timespec time;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return time.tv_sec * 1000000000LL + time.tv_nsec;
}

/* Asleep until it is released, then it computes for a while, and ends. */
static pid_t worker_new(int *ret_release)
{
	pid_t pid = child_fork(ret_release);
	int64_t start;
	char c;

	if (!pid) {
		(void)!read(*ret_release, &c, 1);
		start = own_ns();
		while (own_ns() - start < WORK_NS)
			;
		_exit(0);
	}
	return pid;
}

/*
 * Who is reaped, here by the kernel at once, runs on to the end of its exit, without a number. A
 * settling that finds nobody by the number of who runs there must not take him for charged. (Before
 * Linux 6.2 an interrupt may find his storage hidden by a helper that it came into.)
 */
static void who_was_reaped_is_charged(void **ret_state)
{
	struct state *state = *ret_state;
	time_t end = time(NULL) + 4 * REAPED;

	need_settle(state);
	(void)signal(SIGCHLD, SIG_IGN);
	for (unsigned int i = 0; i < REAPED; i++) {
		uint64_t before = used_ns(state);
		int release;
		pid_t pid = worker_new(&release);

		take_there(state, pid);
		(void)close(release);
		while (!kill(pid, 0))
			assert_true(time(NULL) < end);
		assert_int_equal(grp_bpf_ops.settle(state->instance.bpf), 0);
		assert_true(used_ns(state) - before >= WORK_NS);
	}
}

/* Both ways know as many CPUs; one may come or go between. */
static void online_cpus_are_counted(void **ret_state)
{
	struct state *state = *ret_state;
	long before = sysconf(_SC_NPROCESSORS_ONLN), after;

	for (int way = 0; way < 2; way++) {
		assert_int_equal(grp_bpf_ops.settle(state->instance.bpf), 0);
		after = sysconf(_SC_NPROCESSORS_ONLN);
		assert_true(state->instance.view->online_cpus == before ||
			    state->instance.view->online_cpus == after);
		before = after;
		state->instance.bpf->settle = NULL;
	}
}

/* Calls of functions on a CPU by others, so far; 0: this kernel does not tell. */
static uint64_t interrupts(int cpu)
{
	uint64_t n = 0;
	size_t size = 0;
	char *line = NULL, *at;
	FILE *f = fopen("/proc/interrupts", "re");

	assert_non_null(f);
	while (getline(&line, &size, f) > 0) {
		at = strstr(line, "CAL:");
		if (!at)
			continue;
		at += strlen("CAL:");
		/* all CPUs of a test machine are online: the columns are in their order */
		for (int i = 0; i <= cpu; i++)
			n = strtoull(at, &at, 10);
	}
	free(line);
	(void)fclose(f);
	return n;
}

/* While something runs there: an idle CPU may be told by a flag, without an interrupt. */
static uint64_t interrupts_of_settling(struct state *state)
{
	uint64_t least = UINT64_MAX, n;

	(void)burner_new(state);
	for (unsigned int run = 0; run < RUNS; run++) {
		n = interrupts(state->there);
		for (unsigned int i = 0; i < READS; i++)
			assert_int_equal(grp_bpf_ops.settle(state->instance.bpf), 0);
		n = interrupts(state->there) - n;
		if (n < least)
			least = n;
	}
	burner_end(state);
	return least;
}

/* Who reads disturbs nobody. */
static void nobody_is_interrupted(void **ret_state)
{
	struct state *state = *ret_state;

	need_settle(state);
	if (!interrupts(state->there)) {
		print_message("# skip: this kernel does not count such interrupts\n");
		skip();
	}
	assert_true(interrupts_of_settling(state) < READS / 2);
	/* and it would have been seen */
	state->instance.bpf->settle = NULL;
	assert_true(interrupts_of_settling(state) >= READS / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(running_is_charged_from_here, restore),
		cmocka_unit_test_teardown(running_is_charged_by_an_interrupt, restore),
		cmocka_unit_test_teardown(who_was_reaped_is_charged, restore),
		cmocka_unit_test_teardown(online_cpus_are_counted, restore),
		cmocka_unit_test_teardown(nobody_is_interrupted, restore),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
