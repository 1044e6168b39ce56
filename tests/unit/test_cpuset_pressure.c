/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Files memory_pressure and memory_pressure_enabled: the switch, what it does in the
 * kernel, and that it outlives the agent. The filter: test_pressure.c.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "cpuset_help.h"
#include "subsys/cpuset.h"

#define S 1000000000ULL

static void reclaim(struct world *world, pid_t tid, uint32_t events)
{
	uint64_t second = world->fake->clock_ns / S;

	world->fake->reclaims[fake_task_find(world->fake, tid)->set]
		.bucket[second % GRP_PRESSURE_SECONDS] = grp_pressure_bucket(second, events);
}

static void test_measured(void **state)
{
	struct world *world = *state;

	cpuset_group(world, "c:/a", "0", "0");
	fake_task_fork(world->fake, 1, 10, 10);
	assert_int_equal(world_move(world, "c:/a", 10, true), 0);
	cpuset_holds(world, "c:/", "memory_pressure_enabled", "0");
	assert_null(world->fake->view.pressure);
	world->fake->clock_ns = 1000 * S;
	reclaim(world, 10, 10);
	world->fake->clock_ns += S;
	cpuset_holds(world, "c:/a", "memory_pressure", "0");

	assert_int_equal(cpuset_write(world, "c:/", "memory_pressure_enabled", "1\n"), 0);
	cpuset_holds(world, "c:/", "memory_pressure_enabled", "1");
	assert_non_null(world->fake->view.pressure);
	reclaim(world, 10, 10);
	world->fake->clock_ns += S;
	cpuset_holds(world, "c:/a", "memory_pressure", "1295");
	cpuset_holds(world, "c:/", "memory_pressure", "0");

	assert_int_equal(cpuset_write(world, "c:/", "memory_pressure_enabled", "0"), 0);
	assert_null(world->fake->view.pressure);
	cpuset_holds(world, "c:/a", "memory_pressure", "0");
}

static void test_rights_and_errors(void **state)
{
	struct world *world = *state;

	cpuset_group(world, "c:/a", "0", "0");
	assert_int_equal(cpuset_write(world, "c:/a", "memory_pressure", "1"), -EINVAL);
	assert_int_equal(cpuset_write(world, "c:/a", "memory_pressure_enabled", "1"), -ENOENT);
	assert_int_equal(cpuset_write(world, "c:/", "memory_pressure_enabled", "x"), -EINVAL);
	assert_null(world->fake->view.pressure);
	world->fake->pressure_result = -EPERM;
	assert_int_equal(cpuset_write(world, "c:/", "memory_pressure_enabled", "1"), -EPERM);
	cpuset_holds(world, "c:/", "memory_pressure_enabled", "0");
}

/* What cannot be stored is not done either. */
static void test_not_stored(void **state)
{
	struct world *world = *state;

	world->fake->updates_left = 0;
	assert_int_equal(cpuset_write(world, "c:/", "memory_pressure_enabled", "1"), -ECANCELED);
	assert_null(world->fake->view.pressure);
	world->fake->updates_left = -1;
	assert_int_equal(cpuset_write(world, "c:/", "memory_pressure_enabled", "1"), 0);
	world->fake->updates_left = 0;
	assert_int_equal(cpuset_write(world, "c:/", "memory_pressure_enabled", "0"), -ECANCELED);
	assert_non_null(world->fake->view.pressure);
	cpuset_holds(world, "c:/", "memory_pressure_enabled", "1");
	world->fake->updates_left = -1;
}

/* Killed between the two: the flag decides. */
static void test_restart(void **state)
{
	struct world *world = *state;

	assert_int_equal(cpuset_write(world, "c:/", "memory_pressure_enabled", "1"), 0);
	world->fake->view.pressure = NULL;
	world_restart(world);
	assert_non_null(world->fake->view.pressure);
	cpuset_holds(world, "c:/", "memory_pressure_enabled", "1");
	assert_int_equal(cpuset_write(world, "c:/", "memory_pressure_enabled", "0"), 0);
	world->fake->view.pressure = world->fake->reclaims;
	world_restart(world);
	assert_null(world->fake->view.pressure);
	/* A kernel that refuses is no reason not to start. */
	assert_int_equal(cpuset_write(world, "c:/", "memory_pressure_enabled", "1"), 0);
	world->fake->view.pressure = NULL;
	world->fake->pressure_result = -EPERM;
	world_restart(world);
	cpuset_holds(world, "c:/", "memory_pressure", "0");
}

/* Looked at in time, as long as it is on. */
static void test_ticks(void **state)
{
	struct world *world = *state;

	world->fake->clock_ns = 1000 * S;
	assert_int_equal(grp_core_due(world->core), 0);
	assert_int_equal(cpuset_write(world, "c:/", "memory_pressure_enabled", "1"), 0);
	assert_true(grp_core_due(world->core) <= world->fake->clock_ns);
	reclaim(world, 1, 10);
	/* A bucket is used again after GRP_PRESSURE_SECONDS. */
	for (unsigned int i = 0; i < 2 * GRP_PRESSURE_SECONDS; i++) {
		world->fake->clock_ns += S;
		if (grp_core_due(world->core) <= world->fake->clock_ns)
			assert_int_equal(grp_core_tick(world->core), 0);
		assert_true(grp_core_due(world->core) > world->fake->clock_ns);
	}
	/* Pending since it happened: the historical meter has nobody who looks before. */
	cpuset_holds(world, "c:/", "memory_pressure", "670");
	assert_int_equal(cpuset_write(world, "c:/", "memory_pressure_enabled", "0"), 0);
	assert_int_equal(grp_core_due(world->core), 0);
}

int main(void)
{
#define TEST(FUNCTION) cmocka_unit_test_setup_teardown(FUNCTION, cpuset_setup, cpuset_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_measured),   TEST(test_rights_and_errors),
		TEST(test_not_stored), TEST(test_restart),
		TEST(test_ticks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
