/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * agent/subsys/cpuset_rules.c: what a group may become beside its parent, children
 * and siblings (v1-behaviour D), and who may enter it.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cpuset_help.h"

#define ROWS(table) (sizeof(table) / sizeof(*(table)))

/* Steps of one story; after a refusal the file holds what it held. */
struct step {
	const char *group, *file, *text;
	int result;
};

static void run(struct world *world, const struct step *steps, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int r = cpuset_write(world, steps[i].group, steps[i].file, steps[i].text);

		if (r != steps[i].result)
			print_error("step %zu: %s %s '%s'\n", i, steps[i].group, steps[i].file,
				    steps[i].text);
		assert_int_equal(r, steps[i].result);
	}
}

static void test_parent(void **state)
{
	static const struct step steps[] = {
		/* The parent has none yet. */
		{ "c:/p/c", "cpus", "0", -EACCES },
		{ "c:/p/c", "mems", "0", -EACCES },
		{ "c:/p/c", "cpus", "", 0 },
		{ "c:/p", "cpus", "0-3", 0 },
		{ "c:/p", "mems", "0", 0 },
		{ "c:/p/c", "cpus", "0-4", -EACCES },
		{ "c:/p/c", "mems", "0-1", -EACCES },
		{ "c:/p/c", "cpus", "0-3", 0 },
		{ "c:/p/c", "mems", "0", 0 },
		/* Below what a child holds. */
		{ "c:/p", "cpus", "0-2", -EBUSY },
		{ "c:/p", "cpus", "", -EBUSY },
		{ "c:/p", "mems", "1", -EBUSY },
		{ "c:/p", "mems", "", -EBUSY },
		{ "c:/p/c", "cpus", "2", 0 },
		{ "c:/p", "cpus", "2-7", 0 },
		{ "c:/p", "cpus", "2", 0 },
		{ "c:/p/c", "cpus", "", 0 },
		{ "c:/p", "cpus", "", 0 },
		/* A root has everything. */
		{ "c:/p", "cpus", "0-7", 0 },
		{ "c:/p", "mems", "0-1", 0 },
	};
	struct world *world = *state;

	world_mkdir(world, "c:/p");
	world_mkdir(world, "c:/p/c");
	run(world, steps, ROWS(steps));
	cpuset_holds(world, "c:/p", "cpus", "0-7");
	cpuset_holds(world, "c:/p/c", "mems", "0");
}

static void test_exclusive_parent(void **state)
{
	static const struct step steps[] = {
		{ "c:/p/c", "cpu_exclusive", "1", -EACCES },
		{ "c:/p/c", "mem_exclusive", "1", -EACCES },
		{ "c:/p", "cpu_exclusive", "1", 0 },
		{ "c:/p/c", "mem_exclusive", "1", -EACCES },
		{ "c:/p/c", "cpu_exclusive", "1", 0 },
		{ "c:/p", "cpu_exclusive", "0", -EBUSY },
		{ "c:/", "cpu_exclusive", "0", -EBUSY },
		{ "c:/", "mem_exclusive", "0", 0 },
		{ "c:/p", "mem_exclusive", "1", -EACCES },
		{ "c:/", "mem_exclusive", "1", 0 },
		{ "c:/p", "mem_exclusive", "1", 0 },
		{ "c:/p/c", "cpu_exclusive", "0", 0 },
		{ "c:/p", "cpu_exclusive", "0", 0 },
		/* Others are nobody's business. */
		{ "c:/p/c", "mem_hardwall", "1", 0 },
		{ "c:/p", "mem_hardwall", "0", 0 },
	};
	struct world *world = *state;

	world_mkdir(world, "c:/p");
	world_mkdir(world, "c:/p/c");
	run(world, steps, ROWS(steps));
	cpuset_holds(world, "c:/p", "cpu_exclusive", "0");
	cpuset_holds(world, "c:/p", "mem_exclusive", "1");
}

static void test_siblings(void **state)
{
	static const struct step steps[] = {
		{ "c:/a", "cpus", "0-1", 0 },
		{ "c:/b", "cpus", "1-2", 0 },
		{ "c:/a", "mems", "0", 0 },
		{ "c:/b", "mems", "0", 0 },
		/* They overlap: nobody can become exclusive. */
		{ "c:/a", "cpu_exclusive", "1", -EINVAL },
		{ "c:/b", "mem_exclusive", "1", -EINVAL },
		{ "c:/b", "cpus", "2-3", 0 },
		{ "c:/a", "cpu_exclusive", "1", 0 },
		/* CPUs do not speak for nodes. */
		{ "c:/a", "mem_exclusive", "1", -EINVAL },
		/* Into an exclusive one, and out of it. */
		{ "c:/b", "cpus", "0-3", -EINVAL },
		{ "c:/a", "cpus", "0-2", -EINVAL },
		{ "c:/a", "cpus", "0,4", 0 },
		{ "c:/b", "cpus", "1-3", 0 },
		{ "c:/b", "cpu_exclusive", "1", 0 },
		{ "c:/b", "mems", "1", 0 },
		{ "c:/b", "mem_exclusive", "1", 0 },
		{ "c:/a", "mems", "0-1", -EINVAL },
		{ "c:/a", "mem_exclusive", "1", 0 },
		{ "c:/a", "cpu_exclusive", "0", 0 },
		{ "c:/a", "cpus", "3-4", -EINVAL },
		{ "c:/b", "cpu_exclusive", "0", 0 },
		{ "c:/a", "cpus", "3-4", 0 },
		/* Empty and exclusive, then not empty. */
		{ "c:/e", "cpu_exclusive", "1", 0 },
		{ "c:/e", "cpus", "3", -EINVAL },
		{ "c:/e", "cpus", "5", 0 },
		/* Parent and child are not siblings. */
		{ "c:/e/c", "cpus", "5", 0 },
		{ "c:/e/c", "cpu_exclusive", "1", 0 },
		/* `all` has what the others have. */
		{ "c:/b", "cpus", "all", -EINVAL },
		{ "c:/e/c", "cpu_exclusive", "0", 0 },
		{ "c:/e", "cpu_exclusive", "0", 0 },
		{ "c:/b", "cpus", "all", 0 },
		{ "c:/e", "cpu_exclusive", "1", -EINVAL },
	};
	struct world *world = *state;

	world_mkdir(world, "c:/a");
	world_mkdir(world, "c:/b");
	world_mkdir(world, "c:/e");
	world_mkdir(world, "c:/e/c");
	run(world, steps, ROWS(steps));
	/* Who is gone is in nobody's way. */
	assert_int_equal(world_rmdir(world, "c:/b"), 0);
	assert_int_equal(cpuset_write(world, "c:/e", "cpu_exclusive", "1"), 0);
	assert_int_equal(world_rmdir(world, "c:/e/c"), 0);
	assert_int_equal(world_rmdir(world, "c:/e"), 0);
	assert_int_equal(cpuset_write(world, "c:/a", "cpus", "0-7"), 0);
}

/* Children first, then the parent, then siblings, then tasks (CPUSET-19). */
static void test_order(void **state)
{
	static const struct step steps[] = {
		{ "c:/p", "cpus", "0-3", 0 },
		{ "c:/p/s", "cpus", "0", 0 },
		{ "c:/p", "cpu_exclusive", "1", 0 },
		{ "c:/p/s", "cpu_exclusive", "1", 0 },
		{ "c:/p/c", "cpus", "1-2", 0 },
		{ "c:/p/c/g", "cpus", "2", 0 },
		/* CPU 0: the child loses 2; sibling s has it. 4: the parent has it not. */
		{ "c:/p/c", "cpus", "0,4", -EBUSY },
		{ "c:/p/c", "cpus", "0,2,4", -EACCES },
		{ "c:/p/c", "cpus", "0,2", -EINVAL },
		{ "c:/p/c", "cpus", "2", 0 },
		/* What is no list, then what is not online, before all of them. */
		{ "c:/p/c", "cpus", "0,4,x", -EINVAL },
		{ "c:/p/c", "cpus", "0,4,8", -ERANGE },
	};
	struct world *world = *state;

	world_mkdir(world, "c:/p");
	world_mkdir(world, "c:/p/s");
	world_mkdir(world, "c:/p/c");
	world_mkdir(world, "c:/p/c/g");
	run(world, steps, ROWS(steps));
	cpuset_holds(world, "c:/p/c", "cpus", "2");
}

/* Lists made for moves of a process with two threads to and fro. */
static unsigned int lists_of_a_move(struct world *world)
{
	unsigned int before = world->fake->passes[GRP_PASS_LIST], lists;

	assert_int_equal(world_move(world, "c:/a", 10, true), 0);
	lists = world->fake->passes[GRP_PASS_LIST] - before;
	assert_int_equal(world_tasks(world, "c:/a"), 2);
	assert_int_equal(world_move(world, "c:/", 10, true), 0);
	assert_int_equal(world_tasks(world, "c:/a"), 0);
	return lists;
}

/* Threads are listed before a move where it matters who they are, and only there. */
static void test_who_is_looked_at(void **state)
{
	struct world *world = *state;
	unsigned int least;

	cpuset_group(world, "c:/a", "0-7", "0-1");
	fake_task_fork(world->fake, 1, 10, 10);
	fake_task_fork(world->fake, 10, 11, 10);
	least = lists_of_a_move(world);
	assert_int_equal(cpuset_write(world, "c:/a", "cpus", "0-3"), 0);
	assert_int_equal(lists_of_a_move(world), least + 1);
	assert_int_equal(cpuset_write(world, "c:/a", "cpus", "0-7"), 0);
	assert_int_equal(lists_of_a_move(world), least);
	assert_int_equal(cpuset_write(world, "c:/a", "memory_migrate", "1"), 0);
	assert_int_equal(lists_of_a_move(world), least + 1);
}

/* CPUSET-10, R3. */
static void test_tasks(void **state)
{
	struct world *world = *state;

	world_mkdir(world, "c:/a");
	fake_task_fork(world->fake, 1, 10, 10);
	assert_int_equal(world_move(world, "c:/a", 10, true), -ENOSPC);
	assert_int_equal(cpuset_write(world, "c:/a", "cpus", "1"), 0);
	assert_int_equal(world_move(world, "c:/a", 10, true), -ENOSPC);
	assert_int_equal(cpuset_write(world, "c:/a", "mems", "1"), 0);
	assert_int_equal(world_move(world, "c:/a", 10, true), 0);
	assert_int_equal(cpuset_write(world, "c:/a", "cpus", ""), -ENOSPC);
	assert_int_equal(cpuset_write(world, "c:/a", "mems", "\n"), -ENOSPC);
	cpuset_holds(world, "c:/a", "cpus", "1");
	cpuset_holds(world, "c:/a", "mems", "1");
	assert_int_equal(cpuset_write(world, "c:/a", "cpus", "2"), 0);
	assert_int_equal(world_move(world, "c:/", 10, true), 0);
	assert_int_equal(cpuset_write(world, "c:/a", "cpus", ""), 0);
	assert_int_equal(world_move(world, "c:/a", 10, true), -ENOSPC);
	/* All of its CPUs are offline: that is not empty. */
	assert_int_equal(cpuset_write(world, "c:/a", "cpus", "3"), 0);
	cpuset_online(world, "0-2");
	assert_int_equal(world_move(world, "c:/a", 10, true), 0);
	cpuset_holds(world, "c:/a", "effective_cpus", "0-2");
}

/* EN-*: switched off, it neither refuses nor has files. */
static void test_switched_off(void **state)
{
	struct world *world = *state;

	assert_int_equal(world_write(world, "c:/", "cpuset_enabled", "0"), 0);
	world_mkdir(world, "c:/a");
	assert_int_equal(cpuset_write(world, "c:/a", "cpus", "1"), -ENOENT);
	fake_task_fork(world->fake, 1, 10, 10);
	assert_int_equal(world_move(world, "c:/a", 10, true), 0);
	cpuset_online(world, "0-2");
	world_restart(world);
	assert_int_equal(world_move(world, "c:/", 10, true), 0);
	assert_int_equal(world_rmdir(world, "c:/a"), 0);
	assert_int_equal(world_write(world, "c:/", "cpuset_enabled", "1"), 0);
	cpuset_group(world, "c:/a", "1", "0");
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, cpuset_setup, cpuset_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_who_is_looked_at), TEST(test_parent), TEST(test_exclusive_parent),
		TEST(test_siblings),	     TEST(test_order),	TEST(test_tasks),
		TEST(test_switched_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
