/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Distinct processes of groups, counted in pieces: of all groups or of some, whatever is
 * removed between two pieces, and without a look at tasks where that tells nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/processes.h"
#include "world.h"

/* More than are looked at one by one. */
#define MANY 80U
/* More than are looked at in a piece. */
#define THREADS 300U
/* So many pairs of task and hierarchy that a table waits for its turn. */
#define MUCH 4000U

static int setup(void **state)
{
	static struct world world;

	world_open_populated(&world, 256, 256);
	*state = &world;
	return 0;
}

static int teardown(void **state)
{
	world_close(*state);
	return 0;
}

/* Return: how many pieces there were. */
static unsigned int count_to_end(struct grp_processes *processes)
{
	unsigned int n = 1;
	int r;

	while ((r = grp_processes_step(processes)) > 0)
		n++;
	assert_int_equal(r, 0);
	return n;
}

static uint64_t processes_of(struct world *world, const struct grp_processes *processes,
			     struct grp_group *group)
{
	return grp_processes_of(processes, group, grp_group_tasks(world->core, group));
}

/* A process of so many threads in a group. */
static void add_process(struct world *world, const char *spec, uint32_t tgid, uint32_t threads)
{
	fake_task_fork(world->fake, 0, tgid, tgid);
	assert_int_equal(world_move(world, spec, (pid_t)tgid, false), 0);
	for (uint32_t i = 1; i < threads; i++)
		fake_task_fork(world->fake, tgid, tgid + i, tgid);
}

static int begin_of(struct world *world, struct grp_group *const *groups, size_t n,
		    struct grp_processes **ret_processes)
{
	struct grp_group_ref refs[MANY];

	assert_true(n <= MANY);
	for (size_t i = 0; i < n; i++)
		refs[i] = grp_group_ref(groups[i]);
	return grp_processes_new(world->core, refs, n, ret_processes);
}

static void one_task_is_one_process(void **state)
{
	struct world *world = *state;
	struct grp_group *groups[] = { world_mkdir(world, "/one"), world_mkdir(world, "/none") };
	struct grp_processes *processes;
	unsigned int passes;

	add_process(world, "/one", 1000, 1);
	passes = world->fake->passes[GRP_PASS_LIST];
	assert_int_equal(begin_of(world, groups, 2, &processes), 0);
	assert_int_equal(count_to_end(processes), 1);
	assert_int_equal(world->fake->passes[GRP_PASS_LIST], passes);
	assert_int_equal(processes_of(world, processes, groups[0]), 1);
	assert_int_equal(processes_of(world, processes, groups[1]), 0);
	grp_processes_free(processes);
}

static void some_in_pieces(void **state)
{
	struct world *world = *state;
	struct grp_group *groups[] = { world_mkdir(world, "/big"), world_mkdir(world, "/small") };
	struct grp_processes *processes;

	add_process(world, "/big", 1000, THREADS);
	add_process(world, "/big", 2000, 2);
	add_process(world, "/small", 3000, 3);
	assert_int_equal(begin_of(world, groups, 2, &processes), 0);
	assert_true(count_to_end(processes) > THREADS / 100);
	assert_int_equal(processes_of(world, processes, groups[0]), 2);
	assert_int_equal(processes_of(world, processes, groups[1]), 1);
	grp_processes_free(processes);
}

static void more_than_a_plan_has(void **state)
{
	struct world *world = *state;
	struct grp_group *groups[MANY];
	struct grp_processes *processes;
	char spec[16];

	for (unsigned int i = 0; i < MANY; i++) {
		(void)snprintf(spec, sizeof(spec), "/m%u", i);
		groups[i] = world_mkdir(world, spec);
		add_process(world, spec, 1000 + 10 * i, 2);
	}
	assert_int_equal(begin_of(world, groups, MANY, &processes), 0);
	(void)count_to_end(processes);
	for (unsigned int i = 0; i < MANY; i++)
		assert_int_equal(processes_of(world, processes, groups[i]), 1);
	grp_processes_free(processes);
}

/* The group is found again by its number at each piece; others use the same plan between. */
static void removed_between_two_pieces(void **state)
{
	struct world *world = *state;
	struct grp_group *groups[] = { world_mkdir(world, "/gone"), world_mkdir(world, "/big") };
	struct grp_processes *processes, *others;

	add_process(world, "/big", 1000, THREADS);
	add_process(world, "/gone", 2000, 2);
	assert_int_equal(begin_of(world, groups, 2, &processes), 0);
	assert_int_equal(grp_processes_step(processes), 1);
	fake_task_exit(world->fake, 2000);
	fake_task_exit(world->fake, 2001);
	world_collect(world);
	assert_int_equal(world_rmdir(world, "/gone"), 0);
	assert_int_equal(begin_of(world, groups + 1, 1, &others), 0);
	(void)count_to_end(others);
	assert_int_equal(processes_of(world, others, groups[1]), 1);
	grp_processes_free(others);
	(void)count_to_end(processes);
	assert_int_equal(processes_of(world, processes, groups[1]), 1);
	grp_processes_free(processes);
}

static void given_up(void **state)
{
	struct world *world = *state;
	struct grp_processes *processes;

	add_process(world, "/a", 1000, THREADS);
	assert_int_equal(grp_processes_new(world->core, NULL, 0, &processes), 0);
	assert_int_equal(grp_processes_step(processes), 1);
	grp_processes_free(processes);
	grp_processes_free(NULL);
}

/*
 * Many clients may ask at a time: one large table is there at a time, in their order, whatever
 * becomes of those that wait. Small ones and the agent's own of all groups go on meanwhile.
 */
static void one_that_counts_much_at_a_time(void **state)
{
	struct world *world = *state;
	struct grp_group *much[] = { world_mkdir(world, "/much") };
	struct grp_group *small[] = { world_mkdir(world, "/small") };
	struct grp_processes *counts[4], *other;

	add_process(world, "/much", 1000, MUCH);
	add_process(world, "/small", 9000, 2);
	for (unsigned int i = 0; i < 4; i++)
		assert_int_equal(begin_of(world, much, 1, &counts[i]), 0);
	assert_int_equal(grp_processes_step(counts[1]), GRP_PROCESSES_WAIT);
	assert_int_equal(grp_processes_step(counts[0]), 1);
	assert_int_equal(grp_processes_step(counts[1]), GRP_PROCESSES_WAIT);
	assert_int_equal(begin_of(world, small, 1, &other), 0);
	(void)count_to_end(other);
	assert_int_equal(processes_of(world, other, small[0]), 1);
	grp_processes_free(other);
	assert_int_equal(grp_processes_new(world->core, NULL, 0, &other), 0);
	(void)count_to_end(other);
	assert_int_equal(processes_of(world, other, much[0]), 1);
	grp_processes_free(other);
	grp_processes_free(counts[2]);
	(void)count_to_end(counts[0]);
	assert_int_equal(grp_processes_step(counts[1]), GRP_PROCESSES_WAIT);
	grp_processes_free(counts[0]);
	assert_int_equal(grp_processes_step(counts[3]), GRP_PROCESSES_WAIT);
	(void)count_to_end(counts[1]);
	assert_int_equal(processes_of(world, counts[1], much[0]), 1);
	grp_processes_free(counts[1]);
	(void)count_to_end(counts[3]);
	grp_processes_free(counts[3]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_task_is_one_process, setup, teardown),
		cmocka_unit_test_setup_teardown(some_in_pieces, setup, teardown),
		cmocka_unit_test_setup_teardown(more_than_a_plan_has, setup, teardown),
		cmocka_unit_test_setup_teardown(removed_between_two_pieces, setup, teardown),
		cmocka_unit_test_setup_teardown(given_up, setup, teardown),
		cmocka_unit_test_setup_teardown(one_that_counts_much_at_a_time, setup, teardown),
	};

	return cmocka_run_group_tests_name("processes", tests, NULL, NULL);
}
