/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Subsystem cpuset: what its files take and hold, what a new group has, what
 * outlives the agent, and CPUs that come and go. Its rules: test_cpuset_rules.c.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "cpuset_help.h"
#include "subsys/cpuset.h"

#define ROWS(table) (sizeof(table) / sizeof(*(table)))

static void test_lists(void **state)
{
	struct world *world = *state;
	static const struct {
		const char *file, *text;
		int result;
		const char *holds;
	} rows[] = {
		{ "cpus", "0-3,5\n", 0, "0-3,5" },
		{ "cpus", "8", -ERANGE, "0-3,5" },
		{ "cpus", "1-0", -EINVAL, "0-3,5" },
		{ "cpus", "4294967296", -EOVERFLOW, "0-3,5" },
		{ "cpus", "\n", 0, "" },
		{ "cpus", "N", 0, "7" },
		{ "cpus", "node:1", 0, "4-7" },
		{ "cpus", "!node:1,0", 0, "1-3" },
		{ "cpus", "core:3,0", 0, "0,6-7" },
		{ "cpus", "node:2", -EINVAL, "0,6-7" },
		{ "cpus", "all", 0, "0-7" },
		{ "mems", "0,1", 0, "0-1" },
		{ "mems", "2", -EINVAL, "0-1" },
		{ "mems", "1023", -EINVAL, "0-1" },
		{ "mems", "1024", -ERANGE, "0-1" },
		{ "mems", "!0", 0, "1" },
		{ "mems", "", 0, "" },
	};

	world_mkdir(world, "c:/a");
	for (size_t i = 0; i < ROWS(rows); i++) {
		assert_int_equal(cpuset_write(world, "c:/a", rows[i].file, rows[i].text),
				 rows[i].result);
		cpuset_holds(world, "c:/a", rows[i].file, rows[i].holds);
	}
}

/* LIM: the longest text, whatever it says; before everything else, also in a root. */
static void test_long(void **state)
{
	struct world *world = *state;
	const size_t max = grp_mask_text_max(world->fake->topology->n_cpus_max);
	_cleanup_free_ char *text = malloc(max + 2);

	assert_non_null(text);
	memset(text, ' ', max);
	text[0] = '2';
	text[max] = '\0';
	world_mkdir(world, "c:/a");
	assert_int_equal(cpuset_write(world, "c:/a", "cpus", text), 0);
	cpuset_holds(world, "c:/a", "cpus", "2");
	assert_int_equal(cpuset_write(world, "c:/", "cpus", text), -EACCES);
	memcpy(text + max, " ", 2);
	assert_int_equal(cpuset_write(world, "c:/a", "cpus", text), -E2BIG);
	assert_int_equal(cpuset_write(world, "c:/", "cpus", text), -E2BIG);
}

static void test_root(void **state)
{
	struct world *world = *state;
	static const char *const read_only[] = { "effective_cpus", "effective_mems",
						 "memory_pressure" };

	cpuset_holds(world, "c:/", "cpus", "0-7");
	cpuset_holds(world, "c:/", "mems", "0-1");
	cpuset_holds(world, "c:/", "effective_cpus", "0-7");
	cpuset_holds(world, "c:/", "cpu_exclusive", "1");
	cpuset_holds(world, "c:/", "mem_exclusive", "1");
	assert_int_equal(cpuset_write(world, "c:/", "cpus", "0-7"), -EACCES);
	assert_int_equal(cpuset_write(world, "c:/", "mems", "x"), -EACCES);
	for (size_t i = 0; i < ROWS(read_only); i++)
		assert_int_equal(cpuset_write(world, "c:/", read_only[i], "0"), -EINVAL);
	/* A switch for the whole hierarchy. */
	cpuset_holds(world, "c:/", "memory_pressure_enabled", "0");
	assert_int_equal(cpuset_write(world, "c:/", "memory_pressure_enabled", "1"), 0);
	cpuset_holds(world, "c:/", "memory_pressure_enabled", "1");
	world_mkdir(world, "c:/a");
	assert_int_equal(cpuset_write(world, "c:/a", "memory_pressure_enabled", "1"), -ENOENT);
	cpuset_holds(world, "c:/a", "memory_pressure", "0");
}

static void test_others(void **state)
{
	struct world *world = *state;
	static const struct {
		const char *file, *text;
		int result;
		const char *holds;
	} rows[] = {
		{ "mem_hardwall", "2", 0, "1" },
		{ "memory_migrate", "0x1\n", 0, "1" },
		{ "memory_spread_page", " 1", -EINVAL, "0" },
		{ "memory_spread_slab", "-1", -EINVAL, "0" },
		{ "sched_load_balance", "18446744073709551616", -ERANGE, "1" },
		{ "sched_load_balance", "0", 0, "0" },
		{ "sched_relax_domain_level", "-2", -EINVAL, "-1" },
		{ "sched_relax_domain_level", "6", -EINVAL, "-1" },
		{ "sched_relax_domain_level", "99999999999999999999", -ERANGE, "-1" },
		{ "sched_relax_domain_level", "4294967295", -EINVAL, "-1" },
		{ "sched_relax_domain_level", "", -EINVAL, "-1" },
		{ "sched_relax_domain_level", "-", -EINVAL, "-1" },
		{ "sched_relax_domain_level", "0x2\n", 0, "2" },
		{ "sched_relax_domain_level", "-0", 0, "0" },
		{ "sched_relax_domain_level", "-1", 0, "-1" },
		{ "mem_policy", "interleave", 0, "interleave" },
		{ "mem_policy", "preferred-many=relative\n", 0, "preferred-many=relative" },
		{ "mem_policy", "bind=static", 0, "bind=static" },
		{ "mem_policy", "bind=", -EINVAL, "bind=static" },
		{ "mem_policy", "local", -EINVAL, "bind=static" },
		{ "mem_policy", "bind\n\n", -EINVAL, "bind=static" },
		{ "mem_policy", "weighted-interleave", 0, "weighted-interleave" },
	};

	world_mkdir(world, "c:/a");
	for (size_t i = 0; i < ROWS(rows); i++) {
		assert_int_equal(cpuset_write(world, "c:/a", rows[i].file, rows[i].text),
				 rows[i].result);
		cpuset_holds(world, "c:/a", rows[i].file, rows[i].holds);
	}
}

/* v1-behaviour C. */
static void test_new_group(void **state)
{
	struct world *world = *state;
	static const struct {
		const char *file, *parent, *child;
	} rows[] = {
		{ "cpus", "0-3", "" },
		{ "mems", "0", "" },
		{ "effective_cpus", "0-3", "" },
		{ "effective_mems", "0", "" },
		{ "cpu_exclusive", "1", "0" },
		{ "mem_exclusive", "1", "0" },
		{ "mem_hardwall", "1", "0" },
		{ "memory_migrate", "1", "0" },
		{ "memory_spread_page", "1", "1" },
		{ "memory_spread_slab", "1", "1" },
		{ "sched_load_balance", "0", "1" },
		{ "sched_relax_domain_level", "1", "-1" },
		{ "mem_policy", "interleave", "interleave" },
	};

	world_mkdir(world, "c:/a");
	for (size_t i = 0; i < ROWS(rows); i++)
		if (strncmp(rows[i].file, "effective", 9) != 0)
			assert_int_equal(cpuset_write(world, "c:/a", rows[i].file, rows[i].parent),
					 0);
	world_mkdir(world, "c:/a/b");
	for (size_t i = 0; i < ROWS(rows); i++) {
		cpuset_holds(world, "c:/a", rows[i].file, rows[i].parent);
		cpuset_holds(world, "c:/a/b", rows[i].file, rows[i].child);
	}
	/* Independent from then on. */
	assert_int_equal(cpuset_write(world, "c:/a", "memory_spread_page", "0"), 0);
	cpuset_holds(world, "c:/a/b", "memory_spread_page", "1");
}

static void test_clone_children(void **state)
{
	struct world *world = *state;

	cpuset_group(world, "c:/a", "1-2", "1");
	assert_int_equal(world_write(world, "c:/a", "cgroup.clone_children", "1"), 0);
	world_mkdir(world, "c:/a/b");
	cpuset_holds(world, "c:/a/b", "cpus", "1-2");
	cpuset_holds(world, "c:/a/b", "mems", "1");
	cpuset_holds(world, "c:/a/b", "cpu_exclusive", "0");
	/* A copy: it stands in the way of its parent. */
	assert_int_equal(cpuset_write(world, "c:/a", "cpus", "1"), -EBUSY);
	assert_int_equal(cpuset_write(world, "c:/a/b", "cpus", "2"), 0);
	assert_int_equal(cpuset_write(world, "c:/a", "cpus", "2"), 0);
	/* Not beside an exclusive one. */
	assert_int_equal(cpuset_write(world, "c:/a", "mem_exclusive", "1"), 0);
	assert_int_equal(cpuset_write(world, "c:/a/b", "mem_exclusive", "1"), 0);
	world_mkdir(world, "c:/a/n");
	cpuset_holds(world, "c:/a/n", "cpus", "");
	cpuset_holds(world, "c:/a/n", "mems", "");
	assert_int_equal(world_rmdir(world, "c:/a/b"), 0);
	world_mkdir(world, "c:/a/o");
	cpuset_holds(world, "c:/a/o", "cpus", "2");
}

/* Hierarchy "default" has clone_children: newcomers need not know of cpusets. */
static void test_default(void **state)
{
	struct world *world = *state;
	unsigned long before;

	assert_int_equal(grp_hierarchy_umount(world->core, "c", NULL), 0);
	before = world->fake->n_values;
	world_mkdir(world, "/a");
	world_mkdir(world, "/a/b");
	assert_int_equal(world->fake->n_values, before);
	cpuset_holds(world, "/a/b", "cpus", "0-7");
	cpuset_holds(world, "/a/b", "mems", "0-1");
	fake_task_fork(world->fake, 1, 10, 10);
	assert_int_equal(world_move(world, "/a/b", 10, true), 0);
	/* What is like everything stays so. */
	cpuset_online(world, "0-3");
	cpuset_holds(world, "/a/b", "cpus", "0-3");
	world_restart(world);
	cpuset_online(world, "0-5");
	cpuset_holds(world, "/a/b", "cpus", "0-5");
	/* It counts as what it shows. */
	assert_int_equal(cpuset_write(world, "/a", "cpus", "0-3"), -EBUSY);
	assert_int_equal(cpuset_write(world, "/a/b", "cpus", ""), -ENOSPC);
	assert_int_equal(cpuset_write(world, "/a", "cpus", "0-5"), 0);
	cpuset_online(world, "0-7");
	cpuset_holds(world, "/", "cpus", "0-7");
	cpuset_holds(world, "/a/b", "cpus", "0-5");
	assert_int_equal(cpuset_write(world, "/a/b", "cpus", "0-2"), 0);
	assert_int_equal(cpuset_write(world, "/a", "cpus", "0-3"), 0);
	assert_int_equal(cpuset_write(world, "/a/b", "cpus", "all"), -EACCES);
}

/* Nothing of it is lost with the agent. */
static void test_restart(void **state)
{
	struct world *world = *state;

	cpuset_group(world, "c:/a", "0-3", "0");
	cpuset_group(world, "c:/b", "all", "all");
	cpuset_group(world, "c:/a/x", "1", "0");
	assert_int_equal(cpuset_write(world, "c:/b", "memory_migrate", "1"), 0);
	assert_int_equal(cpuset_write(world, "c:/b", "sched_relax_domain_level", "2"), 0);
	assert_int_equal(cpuset_write(world, "c:/b", "mem_policy", "preferred=static"), 0);
	assert_int_equal(cpuset_write(world, "c:/", "memory_pressure_enabled", "1"), 0);
	assert_int_equal(cpuset_write(world, "c:/a", "cpu_exclusive", "1"), -EINVAL);
	assert_int_equal(cpuset_write(world, "c:/b", "cpus", "4-7"), 0);
	assert_int_equal(cpuset_write(world, "c:/a", "cpu_exclusive", "1"), 0);
	world_restart(world);
	cpuset_holds(world, "c:/a", "cpus", "0-3");
	cpuset_holds(world, "c:/a", "cpu_exclusive", "1");
	cpuset_holds(world, "c:/a/x", "cpus", "1");
	cpuset_holds(world, "c:/b", "cpus", "4-7");
	cpuset_holds(world, "c:/b", "mems", "0-1");
	cpuset_holds(world, "c:/b", "memory_migrate", "1");
	cpuset_holds(world, "c:/b", "sched_relax_domain_level", "2");
	cpuset_holds(world, "c:/b", "mem_policy", "preferred=static");
	cpuset_holds(world, "c:/", "memory_pressure_enabled", "1");
	/* Who is exclusive is known again. */
	assert_int_equal(cpuset_write(world, "c:/b", "cpus", "3"), -EINVAL);
	assert_int_equal(world_rmdir(world, "c:/a/x"), 0);
	assert_int_equal(world_rmdir(world, "c:/a"), 0);
	assert_int_equal(cpuset_write(world, "c:/b", "cpus", "3"), 0);
	world_mkdir(world, "c:/a");
	world_restart(world);
	cpuset_holds(world, "c:/a", "cpus", "");
}

/* Each write is one update: refused by the store, it has not happened. */
static void test_store_fails(void **state)
{
	static const char *const writes[][2] = {
		{ "cpus", "1" },
		{ "cpus", "all" },
		{ "mems", "1" },
		{ "cpu_exclusive", "1" },
		{ "sched_relax_domain_level", "1" },
		{ "mem_policy", "preferred" },
	};
	struct world *world = *state;

	cpuset_group(world, "c:/a", "2", "0");
	for (size_t i = 0; i < ROWS(writes); i++) {
		unsigned long before = world->fake->updates;
		_cleanup_free_ char *held = NULL;
		char name[64];

		(void)snprintf(name, sizeof(name), "cpuset.%s", writes[i][0]);
		held = strdup(world_read(world, "c:/a", name));
		assert_non_null(held);
		world->fake->updates_left = 0;
		assert_int_equal(cpuset_write(world, "c:/a", writes[i][0], writes[i][1]),
				 -ECANCELED);
		world->fake->updates_left = -1;
		world_holds(world, "c:/a", name, held);
		assert_int_equal(world->fake->updates, before);
		assert_int_equal(cpuset_write(world, "c:/a", writes[i][0], writes[i][1]), 0);
		assert_int_equal(world->fake->updates, before + 1);
		/* What is so already needs none. */
		assert_int_equal(cpuset_write(world, "c:/a", writes[i][0], writes[i][1]), 0);
		assert_int_equal(world->fake->updates, before + 1);
	}
}

/* CPUSET-26, and our own: a CPU that comes back is given back. */
static void test_hotplug(void **state)
{
	struct world *world = *state;

	cpuset_group(world, "c:/a", "0-5", "0");
	cpuset_group(world, "c:/a/b", "4-5", "0");
	cpuset_group(world, "c:/a/b/c", "5", "0");
	cpuset_group(world, "c:/a/b/e", NULL, NULL);
	cpuset_online(world, "0-4,6-7");
	cpuset_holds(world, "c:/", "cpus", "0-4,6-7");
	cpuset_holds(world, "c:/a", "cpus", "0-5");
	cpuset_holds(world, "c:/a", "effective_cpus", "0-4");
	cpuset_holds(world, "c:/a/b", "effective_cpus", "4");
	cpuset_holds(world, "c:/a/b/c", "cpus", "5");
	cpuset_holds(world, "c:/a/b/c", "effective_cpus", "4");
	cpuset_holds(world, "c:/a/b/e", "effective_cpus", "");
	cpuset_online(world, "0");
	cpuset_holds(world, "c:/a/b/c", "effective_cpus", "0");
	cpuset_online(world, "7");
	cpuset_holds(world, "c:/a", "effective_cpus", "7");
	cpuset_holds(world, "c:/a/b/c", "effective_cpus", "7");
	/* Who has CPUs that are gone can still be changed. */
	assert_int_equal(cpuset_write(world, "c:/a/b/c", "mems", ""), 0);
	assert_int_equal(cpuset_write(world, "c:/a/b/c", "cpus", "5"), -EINVAL);
	assert_int_equal(cpuset_write(world, "c:/a/b/c", "cpus", "7"), -EACCES);
	assert_int_equal(cpuset_write(world, "c:/a/b/c", "cpus", ""), 0);
	cpuset_online(world, "0-7");
	cpuset_holds(world, "c:/a", "effective_cpus", "0-5");
	cpuset_holds(world, "c:/a/b", "effective_cpus", "4-5");
}

static void test_nodes_go(void **state)
{
	struct world *world = *state;

	cpuset_group(world, "c:/a", "0", "0-1");
	cpuset_group(world, "c:/a/b", "0", "1");
	grp_mask_unset(&world->fake->topology->nodes, 1);
	assert_int_equal(grp_cpuset_topology_changed(world->core), 0);
	cpuset_holds(world, "c:/", "mems", "0");
	cpuset_holds(world, "c:/a", "mems", "0-1");
	cpuset_holds(world, "c:/a", "effective_mems", "0");
	cpuset_holds(world, "c:/a/b", "effective_mems", "0");
	world_restart(world);
	cpuset_holds(world, "c:/a/b", "mems", "1");
	grp_mask_set(&world->fake->topology->nodes, 1);
	assert_int_equal(grp_cpuset_topology_changed(world->core), 0);
	cpuset_holds(world, "c:/a/b", "effective_mems", "1");
}

/* It comes to groups that are there: to those of "default" when nobody else has it. */
static void test_comes_back(void **state)
{
	struct world *world = *state;

	fake_task_fork(world->fake, 1, 10, 10);
	world_mkdir(world, "/a");
	assert_int_equal(world_move(world, "/a", 10, true), 0);
	assert_int_equal(grp_hierarchy_umount(world->core, "c", NULL), 0);
	cpuset_holds(world, "/a", "cpus", "0-7");
	assert_int_equal(cpuset_write(world, "/a", "cpus", "2"), 0);
	world_restart(world);
	cpuset_holds(world, "/a", "cpus", "2");
	cpuset_holds(world, "/a", "mems", "0-1");
}

/* More than 64 CPUs: masks of several words, in the state and in the store. */
static void test_many_cpus(void **state)
{
	struct world *world = *state;

	world->fake->topology->n_cpus = 4096;
	grp_mask_fill(&world->fake->topology->online, 4096);
	assert_int_equal(grp_cpuset_topology_changed(world->core), 0);
	cpuset_group(world, "c:/a", "0,63-64,4000-N", "0");
	assert_int_equal(cpuset_write(world, "c:/a", "cpu_exclusive", "1"), 0);
	world_restart(world);
	cpuset_holds(world, "c:/a", "cpus", "0,63-64,4000-4095");
	world_mkdir(world, "c:/b");
	assert_int_equal(cpuset_write(world, "c:/b", "cpus", "65-4000"), -EINVAL);
	assert_int_equal(cpuset_write(world, "c:/b", "cpus", "65-3999"), 0);
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, cpuset_setup, cpuset_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_lists),     TEST(test_long),	    TEST(test_root),
		TEST(test_others),    TEST(test_new_group), TEST(test_clone_children),
		TEST(test_default),   TEST(test_restart),   TEST(test_store_fails),
		TEST(test_hotplug),   TEST(test_nodes_go),  TEST(test_comes_back),
		TEST(test_many_cpus),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
