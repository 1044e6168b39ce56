/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Places of tasks in the kernel: who is told of what, changes that are as expected or
 * are refused, what a child gets. In an instance of its own, unloaded at the end; the
 * only CPUs that are changed are those of children of this test. Needs root.
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

static int setup(void **ret_state)
{
	static struct instance instance;

	*ret_state = &instance;
	return instance_open(&instance, "place", NULL);
}

static int teardown(void **state)
{
	return instance_end(*state);
}

/* --- tasks of ours -------------------------------------------------------------------- */

struct seen {
	unsigned int n;
	struct grp_place_record record;
	uint64_t mask;
	pid_t tid; /* only this one; 0: any */
};

static int see(const struct grp_place_record *record, void *data)
{
	struct seen *seen = data;

	if (seen->tid && (pid_t)record->tid != seen->tid)
		return 0;
	seen->n++;
	seen->record = *record;
	seen->mask = grp_place_mask(record)[0];
	return 0;
}

static struct seen look(struct instance *state, pid_t tid)
{
	const struct grp_scan_request request = { .tid = (uint32_t)tid };
	struct seen seen = {};

	assert_int_equal(grp_bpf_ops.placed(state->bpf, &request, NULL, see, &seen), 0);
	assert_int_equal(seen.n, 1);
	return seen;
}

static int put(struct instance *state, const struct grp_place_record *record,
	       enum grp_place_half half, uint32_t expected, uint32_t wanted)
{
	const struct grp_scan_request request = { .tid = record->tid,
						  .start_ns = record->start_ns,
						  .half = half,
						  .expected = expected,
						  .wanted = wanted };

	return grp_bpf_ops.place(state->bpf, &request);
}

static struct seen among_placed(struct instance *state, pid_t tid)
{
	struct seen seen = { .tid = tid };

	assert_int_equal(grp_bpf_ops.placed(state->bpf, NULL, NULL, see, &seen), 0);
	return seen;
}

static void ask(struct instance *state, pid_t tid, unsigned int cpu)
{
	struct grp_mask mask = {};

	grp_mask_set(&mask, cpu);
	assert_int_equal(grp_bpf_ops.affinity_set(state->bpf, tid, &mask), 0);
}

/* --- tests ---------------------------------------------------------------------------- */

static void halves_change_by_themselves(void **data)
{
	struct instance *state = *data;
	pid_t pid = sleeper_new();
	struct grp_place_record record = look(state, pid).record;

	assert_int_equal(record.place, 0);
	assert_int_equal(record.tgid, pid);
	assert_int_equal(record.verdict, GRP_VERDICT_LISTED);
	assert_int_equal(among_placed(state, pid).n, 0);
	assert_int_equal(put(state, &record, GRP_PLACE_CPU, 0, 0x00020001), 0);
	assert_int_equal(put(state, &record, GRP_PLACE_MEM, 0, 0x00040003), 0);
	assert_int_equal(look(state, pid).record.place, 0x0004000300020001);
	assert_int_equal(among_placed(state, pid).n, 1);
	/* Not what is expected there: nothing is changed. */
	assert_int_equal(put(state, &record, GRP_PLACE_CPU, 0, 5), -EAGAIN);
	assert_int_equal(look(state, pid).record.place, 0x0004000300020001);
	assert_int_equal(put(state, &record, GRP_PLACE_CPU, 0x00020001, 0), 0);
	assert_int_equal(look(state, pid).record.place, 0x0004000300000000);
	sleeper_end(pid);
	assert_int_equal(put(state, &record, GRP_PLACE_CPU, 0, 1), -ESRCH);
}

/* A number may be that of another task by now. */
static void another_task_is_left_alone(void **data)
{
	struct instance *state = *data;
	pid_t pid = sleeper_new();
	struct grp_place_record record = look(state, pid).record;

	record.start_ns++;
	assert_int_equal(put(state, &record, GRP_PLACE_CPU, 0, 1), -ESRCH);
	assert_int_equal(look(state, pid).record.place, 0);
	sleeper_end(pid);
}

static void plan_says_who_is_told(void **data)
{
	struct instance *state = *data;
	struct seen seen = {};
	uint16_t plan[INSTANCE_CAPACITY_SETS];
	pid_t pid = sleeper_new();
	struct grp_place_record record = look(state, pid).record;

	for (unsigned int i = 0; i < INSTANCE_CAPACITY_SETS; i++)
		plan[i] = GRP_PLAN_NONE;
	seen.tid = pid;
	assert_int_equal(put(state, &record, GRP_PLACE_CPU, 0, 1), 0);
	assert_int_equal(grp_bpf_ops.placed(state->bpf, NULL, plan, see, &seen), 0);
	assert_int_equal(seen.n, 0);
	plan[GRP_SET_ROOT] = GRP_PLAN_PLACED;
	assert_int_equal(grp_bpf_ops.placed(state->bpf, NULL, plan, see, &seen), 0);
	assert_int_equal(seen.n, 1);
	assert_int_equal(put(state, &record, GRP_PLACE_CPU, 1, 0), 0);
	assert_int_equal(grp_bpf_ops.placed(state->bpf, NULL, plan, see, &seen), 0);
	assert_int_equal(seen.n, 1);
	plan[GRP_SET_ROOT] = GRP_PLAN_ALL;
	assert_int_equal(grp_bpf_ops.placed(state->bpf, NULL, plan, see, &seen), 0);
	assert_int_equal(seen.n, 2);
	sleeper_end(pid);
}

static void mask_is_what_was_asked_for(void **data)
{
	struct instance *state = *data;
	pid_t pid = sleeper_new();
	struct grp_mask mask;
	struct seen seen = look(state, pid);

	assert_int_equal(grp_bpf_ops.affinity_get(state->bpf, pid, &mask), 0);
	if (!(seen.record.kind & GRP_TASK_UNASKED))
		assert_int_equal(seen.mask & mask.words[0], mask.words[0]);
	ask(state, pid, 0);
	seen = look(state, pid);
	assert_int_equal(seen.mask, 1);
	assert_false(seen.record.kind & GRP_TASK_UNASKED);
	assert_int_equal(grp_bpf_ops.affinity_get(state->bpf, pid, &mask), 0);
	assert_int_equal(mask.words[0], 1);
	sleeper_end(pid);
	assert_int_equal(grp_bpf_ops.affinity_get(state->bpf, pid, &mask), -ESRCH);
}

static void kernel_threads_are_told(void **data)
{
	struct instance *state = *data;
	struct seen seen = look(state, 2); /* kthreadd */

	assert_true(seen.record.kind & GRP_TASK_KERNEL);
	assert_true(seen.record.kind & GRP_TASK_FIXED);
	seen = look(state, getpid());
	assert_false(seen.record.kind & (GRP_TASK_KERNEL | GRP_TASK_FIXED));
}

/* --- births ----------------------------------------------------------------------------- */

/* Two lives below this one, each kept until it is told to end. */
static void children_get_it(void **data)
{
	struct instance *state = *data;
	pid_t parent, child = 0;
	int ids[2], hold[2];
	struct grp_place_record record;
	char c;

	assert_int_equal(pipe(ids), 0);
	assert_int_equal(pipe(hold), 0);
	parent = fork();
	assert_true(parent >= 0);
	if (!parent) {
		(void)!read(hold[0], &c, 1);
		child = fork();
		if (!child)
			for (;;)
				(void)pause();
		(void)!write(ids[1], &child, sizeof(child));
		for (;;)
			(void)pause();
	}
	record = look(state, parent).record;
	assert_int_equal(put(state, &record, GRP_PLACE_CPU, 0, 0x00020001), 0);
	assert_int_equal(put(state, &record, GRP_PLACE_MEM, 0, 0x00040003), 0);
	assert_int_equal(write(hold[1], "x", 1), 1);
	assert_int_equal(read(ids[0], &child, sizeof(child)), sizeof(child));
	/* Nobody has changed any mask: what it has is no older than its parent's. */
	assert_int_equal(look(state, child).record.place, 0x0004000300020001);
	assert_int_equal(kill(child, SIGKILL), 0);
	sleeper_end(parent);
}

/*
 * The place goes with the mask: while one's CPUs are changed as the agent does it, each
 * child that is born has either those that its place says, or is marked.
 */
struct storm {
	struct instance *state;
	struct grp_place_record record;
	unsigned int rounds;
};

static uint32_t place_for(unsigned int cpu)
{
	return grp_place_make(0, 1 + cpu);
}

static void change(struct storm *storm)
{
	const struct timespec pause = { .tv_nsec = 300000 };
	uint32_t half = place_for(0), next;

	for (unsigned int i = 1; i <= storm->rounds; i++) {
		next = place_for(i % 2);
		assert_int_equal(put(storm->state, &storm->record, GRP_PLACE_CPU, half,
				     next | GRP_PLACE_CHANGING << 16),
				 0);
		ask(storm->state, (pid_t)storm->record.tid, i % 2);
		assert_int_equal(put(storm->state, &storm->record, GRP_PLACE_CPU,
				     next | GRP_PLACE_CHANGING << 16, next),
				 0);
		half = next;
		(void)nanosleep(&pause, NULL);
	}
}

struct brood {
	pid_t parent;
	unsigned int checked, marked, wrong;
};

static int check_child(const struct grp_place_record *record, void *data)
{
	struct brood *brood = data;
	uint32_t half = grp_place_of(record->place, GRP_PLACE_CPU);

	if ((pid_t)record->tid == brood->parent || record->verdict != GRP_VERDICT_LISTED || !half)
		return 0;
	brood->checked++;
	brood->marked += grp_place_changing(half);
	brood->wrong += !grp_place_changing(half) &&
			grp_place_mask(record)[0] != 1ULL << (grp_place_applied(half) - 1);
	return 0;
}

#define STORM_ROUNDS 400
#define BROOD_MAX 300

/* A process that makes children, each of which stays, until it is killed with them. */
static pid_t breeder_new(int hold)
{
	pid_t pid = fork();
	char c;

	assert_true(pid >= 0);
	if (pid)
		return pid;
	(void)!read(hold, &c, 1);
	for (unsigned int i = 0; i < BROOD_MAX; i++) {
		if (!fork())
			for (;;)
				(void)pause();
	}
	for (;;)
		(void)pause();
}

static void birth_during_a_change(void **data)
{
	struct storm storm = { .state = *data, .rounds = STORM_ROUNDS };
	struct brood brood = {};
	int hold[2];

	if (storm.state->view->cpus < 2) {
		print_message("# skip: one CPU, no mask to change to\n");
		skip();
	}
	assert_int_equal(pipe(hold), 0);
	brood.parent = breeder_new(hold[0]);
	assert_int_equal(setpgid(brood.parent, brood.parent), 0);
	storm.record = look(storm.state, brood.parent).record;
	assert_int_equal(put(storm.state, &storm.record, GRP_PLACE_CPU, 0, place_for(0)), 0);
	ask(storm.state, brood.parent, 0);
	assert_int_equal(write(hold[1], "x", 1), 1);
	change(&storm);
	assert_int_equal(grp_bpf_ops.placed(storm.state->bpf, NULL, NULL, check_child, &brood), 0);
	(void)kill(-brood.parent, SIGKILL);
	assert_int_equal(waitpid(brood.parent, NULL, 0), brood.parent);
	print_message("# %u births, %u of them marked\n", brood.checked, brood.marked);
	assert_true(brood.checked > BROOD_MAX / 10);
	assert_int_equal(brood.wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(halves_change_by_themselves),
		cmocka_unit_test(another_task_is_left_alone),
		cmocka_unit_test(plan_says_who_is_told),
		cmocka_unit_test(mask_is_what_was_asked_for),
		cmocka_unit_test(kernel_threads_are_told),
		cmocka_unit_test(children_get_it),
		cmocka_unit_test(birth_during_a_change),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
