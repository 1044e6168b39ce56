/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What runs on another CPU is charged before a read, without and with an interrupt there.
 * In an instance of its own. Needs root and two CPUs.
 */
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "instance.h"
#include "kernel/internal.h"

#define SET 5U
#define ROUNDS 50
/* So many that interrupts for other reasons do not count. */
#define MANY 4000U

struct state {
	struct instance instance;
	uint16_t plan[INSTANCE_CAPACITY_SETS];
	int here, there; /* CPUs */
};

/* The first two CPUs that this process may use: it stays on one of them. */
static int setup(void **ret_state)
{
	static struct state state = { .here = -1, .there = -1 };
	cpu_set_t mine, one;

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
	CPU_ZERO(&one);
	CPU_SET(state.here, &one);
	if (sched_setaffinity(0, sizeof(one), &one))
		return -1;
	return instance_open(&state.instance, "settle", NULL);
}

static int teardown(void **ret_state)
{
	struct state *state = *ret_state;

	return instance_end(&state->instance);
}

static int keep(const struct grp_scan_record *record, void *data)
{
	*(struct grp_scan_record *)data = *record;
	return 0;
}

/* A child of the set that computes on the other CPU. */
static pid_t burner_new(struct state *state)
{
	struct grp_scan_record record = { .verdict = GRP_VERDICT_MAX };
	struct grp_scan_request request = {};
	pid_t pid = fork();
	cpu_set_t one;

	assert_true(pid >= 0);
	if (!pid) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails ends nothing */
		for (;;)
			;
	}
	CPU_ZERO(&one);
	CPU_SET(state->there, &one);
	assert_int_equal(sched_setaffinity(pid, sizeof(one), &one), 0);
	request.tid = (uint32_t)pid;
	for (unsigned int i = 0; i < INSTANCE_CAPACITY_SETS; i++)
		state->plan[i] = GRP_PLAN_NONE;
	state->plan[GRP_SET_ROOT] = SET;
	assert_int_equal(grp_bpf_ops.pass(state->instance.bpf, GRP_PASS_MOVE, &request, state->plan,
					  keep, &record),
			 0);
	assert_int_equal(record.verdict, GRP_VERDICT_MOVED);
	return pid;
}

static void burner_end(pid_t pid)
{
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
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

static uint64_t used_ns(const struct state *state)
{
	uint64_t sum = 0;

	for (unsigned int cpu = 0; cpu < state->instance.view->cpus; cpu++)
		sum += __atomic_load_n(
			&state->instance.view->cells[cpu * INSTANCE_CAPACITY_SETS + SET].time_ns,
			__ATOMIC_ACQUIRE);
	return sum;
}

/* Without a settling it has what was counted at the latest switch, far behind after some ticks. */
static void check_running_is_charged(struct state *state)
{
	const struct timespec pause = { .tv_nsec = 10000000 };
	uint64_t before = used_ns(state), start;
	pid_t pid = burner_new(state);

	start = counted_ns(pid);
	for (unsigned int i = 0; i < ROUNDS; i++) {
		uint64_t counted;

		(void)nanosleep(&pause, NULL);
		counted = counted_ns(pid);
		assert_int_equal(grp_bpf_ops.settle(state->instance.bpf), 0);
		assert_true(used_ns(state) - before >= counted - start);
		assert_int_equal(state->instance.view->online_cpus, sysconf(_SC_NPROCESSORS_ONLN));
	}
	burner_end(pid);
}

static void running_is_charged_from_here(void **ret_state)
{
	struct state *state = *ret_state;

	if (!grp_direct_settle(state->instance.bpf)) {
		print_message("# skip: this kernel cannot settle from one CPU\n");
		skip();
	}
	check_running_is_charged(state);
}

static void running_is_charged_by_an_interrupt(void **ret_state)
{
	struct state *state = *ret_state;
	struct direct *direct = state->instance.bpf->direct;

	state->instance.bpf->direct = NULL;
	check_running_is_charged(state);
	state->instance.bpf->direct = direct;
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
	pid_t pid = burner_new(state);
	uint64_t before = interrupts(state->there), n;

	for (unsigned int i = 0; i < MANY; i++)
		assert_int_equal(grp_bpf_ops.settle(state->instance.bpf), 0);
	n = interrupts(state->there) - before;
	burner_end(pid);
	return n;
}

/* Who reads disturbs nobody. */
static void nobody_is_interrupted(void **ret_state)
{
	struct state *state = *ret_state;
	struct direct *direct = state->instance.bpf->direct;

	if (!grp_direct_settle(state->instance.bpf)) {
		print_message("# skip: this kernel cannot settle from one CPU\n");
		skip();
	}
	if (!interrupts(state->there)) {
		print_message("# skip: this kernel does not count such interrupts\n");
		skip();
	}
	assert_true(interrupts_of_settling(state) < MANY / 2);
	/* and it would have been seen */
	state->instance.bpf->direct = NULL;
	assert_true(interrupts_of_settling(state) >= MANY / 2);
	state->instance.bpf->direct = direct;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(running_is_charged_from_here),
		cmocka_unit_test(running_is_charged_by_an_interrupt),
		cmocka_unit_test(nobody_is_interrupted),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
