/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The programs in the kernel with chosen input: real tasks of this test, counts
 * read back from the maps, requests that must be refused. In an instance of its
 * own, unloaded at the end. Needs root.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/core.h"
#include "instance.h"
#include "sleeper.h"

struct state {
	struct instance instance;
};

static int setup(void **ret_state)
{
	static struct state state;

	*ret_state = &state;
	return instance_open(&state.instance, "bpf", NULL);
}

static int teardown(void **ret_state)
{
	struct state *state = *ret_state;

	return instance_end(&state->instance);
}

/* --- requests ----------------------------------------------------------------------------- */

static int control(struct state *state, enum grp_control_op op, uint32_t set, int64_t delta)
{
	const struct grp_control request = { .op = op,
					     .set = set,
					     .delta = delta,
					     .changes = state->instance.view->counts[set].changes };

	return grp_bpf_ops.control(state->instance.bpf, &request);
}

static struct grp_scan_record move(struct state *state, pid_t tid, uint16_t from, uint16_t to,
				   uint32_t flags, uid_t uid)
{
	const struct grp_scan_request request = { .tid = tid, .flags = flags, .uid = uid };

	return instance_move(&state->instance, &request, from, to);
}

static const struct grp_count *count(const struct state *state, uint32_t set)
{
	return &state->instance.view->counts[set];
}

static uint64_t used(const struct state *state, uint32_t set)
{
	uint64_t sum = 0;

	for (unsigned int cpu = 0; cpu < state->instance.view->cpus; cpu++)
		sum += __atomic_load_n(
			&state->instance.view->cells[cpu * INSTANCE_CAPACITY_SETS + set].time_ns,
			__ATOMIC_ACQUIRE);
	return sum;
}

/* The free hook comes a grace period after the task was reaped. */
static void wait_uncharged(const struct state *state, uint32_t set)
{
	const struct timespec pause = { .tv_nsec = 1000000 };
	time_t end = time(NULL) + SLEEPER_DEADLINE_S;

	while (__atomic_load_n(&count(state, set)->chargers, __ATOMIC_ACQUIRE)) {
		assert_true(time(NULL) < end);
		(void)nanosleep(&pause, NULL);
	}
}

/* --- tests -------------------------------------------------------------------------------- */

static void counts_of_a_life(void **data)
{
	struct state *state = *data;
	struct child child = child_new();
	struct grp_scan_record record = move(state, child.pid, GRP_SET_ROOT, 1, 0, 0);

	assert_int_equal(record.verdict, GRP_VERDICT_MOVED);
	assert_int_equal(record.set, 1);
	assert_int_equal(record.tgid, child.pid);
	assert_int_equal(count(state, 1)->members, 1);
	assert_int_equal(count(state, 1)->chargers, 1);
	assert_int_equal(count(state, 1)->entries, 1);
	assert_int_equal(used(state, 1), 0);
	/* Again: nothing is counted twice. */
	record = move(state, child.pid, 1, 1, 0, 0);
	assert_int_equal(record.verdict, GRP_VERDICT_MOVED);
	assert_int_equal(count(state, 1)->entries, 1);
	child_end(&child);
	assert_int_equal(count(state, 1)->members, 0);
	assert_int_equal(count(state, 1)->exits, 1);
	wait_uncharged(state, 1);
	assert_true(used(state, 1) > 0);
}

/* Descendants of a member that are there at the same time, born on all CPUs at once. */
#define FORKERS 4
#define CHILDREN 15
#define BROOD (FORKERS * (1 + CHILDREN))

/* A process that makes some more; all of them stay until nobody holds ends[1]. */
static pid_t forker_new(const int ends[2])
{
	pid_t pid = fork();
	char c;

	assert_true(pid >= 0);
	if (pid)
		return pid;
	(void)close(ends[1]);
	for (unsigned int i = 0; i < CHILDREN; i++)
		if (!fork())
			break;
	(void)!read(ends[0], &c, 1);
	while (wait(NULL) > 0)
		;
	_exit(0);
}

static void brood(const struct state *state, uint32_t set)
{
	const struct timespec pause = { .tv_nsec = 1000000 };
	time_t end = time(NULL) + SLEEPER_DEADLINE_S;
	pid_t forkers[FORKERS];
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	for (unsigned int i = 0; i < FORKERS; i++)
		forkers[i] = forker_new(ends);
	while (__atomic_load_n(&count(state, set)->members, __ATOMIC_ACQUIRE) < BROOD + 1) {
		assert_true(time(NULL) < end);
		(void)nanosleep(&pause, NULL);
	}
	(void)close(ends[0]);
	(void)close(ends[1]);
	for (unsigned int i = 0; i < FORKERS; i++)
		assert_int_equal(waitpid(forkers[i], NULL, 0), forkers[i]);
}

static void fork_storm(const struct state *state, unsigned int rounds)
{
	for (unsigned int i = 0; i < rounds; i++) {
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (!pid)
			_exit(0);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
	}
}

/* This process itself is the member: the peak is exact, and no exit lowers it. */
static void peak_of_a_set(void **data)
{
	struct state *state = *data;

	assert_int_equal(count(state, 8)->peak_members, 0);
	(void)move(state, getpid(), GRP_SET_ROOT, 8, 0, 0);
	assert_int_equal(count(state, 8)->peak_members, 1);
	brood(state, 8);
	assert_int_equal(count(state, 8)->members, 1);
	assert_int_equal(count(state, 8)->peak_members, BROOD + 1);
	fork_storm(state, 200);
	assert_int_equal(count(state, 8)->peak_members, BROOD + 1);
	(void)move(state, getpid(), 8, 9, 0, 0);
	assert_int_equal(count(state, 9)->peak_members, 1);
	wait_uncharged(state, 8);
	assert_int_equal(control(state, GRP_CONTROL_RETIRE, 8, 0), 0);
	assert_int_equal(count(state, 8)->peak_members, BROOD + 1);
	assert_int_equal(control(state, GRP_CONTROL_CLEAR, 8, 0), 0);
	assert_int_equal(count(state, 8)->peak_members, 0);
	assert_int_equal(count(state, 8)->active_ns, 0);
	(void)move(state, getpid(), 9, GRP_SET_ROOT, 0, 0);
}

static void set_with_members_is_not_retired(void **data)
{
	struct state *state = *data;
	struct child child = child_new();

	(void)move(state, child.pid, GRP_SET_ROOT, 2, 0, 0);
	assert_int_equal(control(state, GRP_CONTROL_RETIRE, 2, 0), -EBUSY);
	assert_int_equal(control(state, GRP_CONTROL_CLEAR, 2, 0), -EBUSY);
	assert_int_equal(count(state, 2)->members, 1);
	child_end(&child);
	wait_uncharged(state, 2);
	/* Not dead yet: its cells are still its own. */
	assert_int_equal(control(state, GRP_CONTROL_CLEAR, 2, 0), -EBUSY);
	assert_true(used(state, 2) > 0);
	assert_int_equal(control(state, GRP_CONTROL_RETIRE, 2, 0), 0);
	assert_int_equal(control(state, GRP_CONTROL_RETIRE, 2, 0), -EBUSY);
	assert_int_equal(control(state, GRP_CONTROL_CLEAR, 2, 0), 0);
	assert_int_equal(used(state, 2), 0);
	assert_int_equal(count(state, 2)->members, 0);
	assert_int_equal(count(state, 2)->exits, 0);
}

static void dead_set_gains_nobody(void **data)
{
	struct state *state = *data;
	struct child child = child_new();
	struct grp_scan_record record;

	assert_int_equal(control(state, GRP_CONTROL_RETIRE, 3, 0), 0);
	record = move(state, child.pid, GRP_SET_ROOT, 3, 0, 0);
	assert_int_equal(record.verdict, GRP_VERDICT_NO_PLAN);
	assert_int_equal(record.set, GRP_SET_ROOT);
	assert_true(count(state, 3)->members < 0);
	assert_int_equal(count(state, 3)->chargers, 0);
	assert_int_equal(control(state, GRP_CONTROL_CLEAR, 3, 0), 0);
	child_end(&child);
}

static void set_beyond_the_capacity_is_refused(void **data)
{
	struct state *state = *data;
	const struct grp_control request = { .op = GRP_CONTROL_RETIRE,
					     .set = INSTANCE_CAPACITY_SETS };
	const struct grp_control unknown = { .op = 99, .set = 1 };

	assert_int_equal(grp_bpf_ops.control(state->instance.bpf, &request), -EINVAL);
	assert_int_equal(grp_bpf_ops.control(state->instance.bpf, &unknown), -EINVAL);
}

static void user_is_checked_at_the_swap(void **data)
{
	struct state *state = *data;
	struct child child = child_new();
	struct grp_scan_record record;

	record = move(state, child.pid, GRP_SET_ROOT, 4, GRP_SCAN_CHECK_UID, 12345);
	assert_int_equal(record.verdict, GRP_VERDICT_DENIED);
	assert_int_equal(count(state, 4)->members, 0);
	record = move(state, child.pid, GRP_SET_ROOT, 4, GRP_SCAN_CHECK_UID, getuid());
	assert_int_equal(record.verdict, GRP_VERDICT_MOVED);
	child_end(&child);
}

static void zombie_is_not_moved(void **data)
{
	struct state *state = *data;
	struct child child = child_new();
	struct grp_scan_record record;
	siginfo_t info;

	(void)close(child.release);
	assert_int_equal(waitid(P_PID, child.pid, &info, WEXITED | WNOWAIT), 0);
	record = move(state, child.pid, GRP_SET_ROOT, 5, 0, 0);
	assert_int_equal(record.verdict, GRP_VERDICT_EXITING);
	assert_int_equal(count(state, 5)->members, 0);
	assert_int_equal(waitpid(child.pid, NULL, 0), child.pid);
}

static void nothing(const struct grp_event *event, void *data)
{
	uint32_t *set = data;

	if (event->kind == GRP_EVENT_EMPTY)
		*set = event->set;
}

/* 64 KiB of events, each of 24 bytes with its head: the rest is lost and counted. */
static void full_ring_is_counted(void **data)
{
	struct state *state = *data;
	uint64_t lost = state->instance.view->stats[GRP_STAT_EVENTS_LOST];
	struct child child = child_new();
	uint32_t set = 0;
	int n;

	while (grp_bpf_events(state->instance.bpf, nothing, &set) > 0)
		;
	for (n = 0; n < 4000; n++)
		(void)move(state, child.pid, n ? 6 + n % 2 : GRP_SET_ROOT, 6 + (n + 1) % 2, 0, 0);
	assert_true(state->instance.view->stats[GRP_STAT_EVENTS_LOST] > lost);
	/* Counts do not depend on events. */
	assert_int_equal(count(state, 6)->members + count(state, 7)->members, 1);
	assert_true(grp_bpf_events(state->instance.bpf, nothing, &set) > 2000);
	assert_true(set == 6 || set == 7);
	child_end(&child);
	assert_int_equal(grp_bpf_events(state->instance.bpf, nothing, &set), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_of_a_life),
		cmocka_unit_test(peak_of_a_set),
		cmocka_unit_test(set_with_members_is_not_retired),
		cmocka_unit_test(dead_set_gains_nobody),
		cmocka_unit_test(set_beyond_the_capacity_is_refused),
		cmocka_unit_test(user_is_checked_at_the_swap),
		cmocka_unit_test(zombie_is_not_moved),
		cmocka_unit_test(full_ring_is_counted),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
