/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory pressure: the historical filter against a table, and what may not change
 * what it shows: how often somebody looks, restarts, folded sets, other groups.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/pressure.h"
#include "world.h"

#define S 1000000000ULL
#define UNREAD (-1)

static struct world world;

/*
 * Events in a second, then what a read in that second shows. Computed by a model
 * that is not this code: one event after the other, whole numbers, constants of
 * CPUSET-28. In it: reads before and after events of one second, a second of more
 * events than count, gaps of 99 s and more, a meter that has run out.
 */
static const struct step {
	uint32_t second, events;
	int64_t value;
} steps[] = {
	{ 1000, 1, 0 },		{ 1000, 0, 0 },		{ 1001, 0, 67 },
	{ 1002, 0, 62 },	{ 1010, 0, 32 },	{ 1011, 5, UNREAD },
	{ 1012, 5, UNREAD },	{ 1013, 5, 672 },	{ 1013, 7, 672 },
	{ 1014, 0, 1430 },	{ 1020, 100, UNREAD },	{ 1021, 100, UNREAD },
	{ 1022, 100, UNREAD },	{ 1023, 100, UNREAD },	{ 1024, 0, 24936 },
	{ 1034, 0, 12460 },	{ 1044, 0, 6224 },	{ 1045, 5000, UNREAD },
	{ 1046, 5000, UNREAD }, { 1047, 5000, UNREAD }, { 1048, 0, 192548 },
	{ 1050, 1, UNREAD },	{ 1060, 0, 83839 },	{ 1061, 999, UNREAD },
	{ 1061, 1, UNREAD },	{ 1061, 1, UNREAD },	{ 1062, 0, 139980 },
	{ 1092, 0, 17473 },	{ 1093, 1000, UNREAD }, { 1094, 1000, UNREAD },
	{ 1095, 0, 143700 },	{ 1194, 0, 143 },	{ 1195, 1000, UNREAD },
	{ 1196, 1000, UNREAD }, { 1197, 1000, 129626 }, { 1299, 0, 67127 },
	{ 1300, 0, 62629 },	{ 1301, 2, UNREAD },	{ 1350, 0, 2081 },
	{ 1351, 0, 1941 },	{ 1500, 0, 0 },		{ 1501, 1, UNREAD },
	{ 1502, 0, 67 },	{ 1502, 0, 67 },
};
#define N_STEPS (sizeof(steps) / sizeof(steps[0]))

static void open_world(unsigned int sets)
{
	world_open(&world, 32, sets);
	fake_task_old(world.fake, 1, 1);
	fake_kernel_ops.pass(world.fake, GRP_PASS_SEED, NULL, NULL, NULL, NULL);
	world.fake->clock_ns = steps[0].second * S;
	/* The file, so that it is on again after a restart. */
	assert_int_equal(world_write(&world, "/", "cpuset.memory_pressure_enabled", "1"), 0);
}

static int setup(void **state)
{
	open_world(8);
	return 0;
}

/* Few sets: unused ones are given back. */
static int setup_scarce(void **state)
{
	open_world(4);
	return 0;
}

static int teardown(void **state)
{
	world_close(&world);
	return 0;
}

static void new_task(pid_t tid, const char *spec)
{
	fake_task_fork(world.fake, 1, tid, tid);
	assert_int_equal(world_move(&world, spec, tid, true), 0);
}

/* As the program counts: in the second of the clock, up to what a bucket holds. */
static void reclaim(pid_t tid, uint32_t events)
{
	uint64_t second = world.fake->clock_ns / S;
	uint32_t *bucket = &world.fake->reclaims[fake_task_find(world.fake, tid)->set]
				    .bucket[second % GRP_PRESSURE_SECONDS];

	events += grp_pressure_events(*bucket, second);
	*bucket = grp_pressure_bucket(
		second, events < GRP_PRESSURE_EVENTS_MAX ? events : GRP_PRESSURE_EVENTS_MAX);
}

static uint32_t pressure(const char *spec)
{
	return grp_pressure_read(world.core, world_find(&world, spec));
}

static void look(void)
{
	grp_pressure_look(world.core, grp_hierarchy_find(world.core, "default"));
}

/* --- the filter ---------------------------------------------------------------------- */

static void filter(void **state)
{
	struct grp_meter meter = {};

	for (size_t i = 0; i < N_STEPS; i++) {
		grp_meter_mark(&meter, steps[i].second, steps[i].events);
		if (steps[i].value != UNREAD)
			assert_int_equal(meter.value, steps[i].value);
	}
}

/* Marking nothing is what a read does. */
static void bounds(void **state)
{
	struct grp_meter meter = {};

	for (uint32_t second = 1; second < 2000; second++) {
		grp_meter_mark(&meter, second, UINT32_MAX);
		assert_in_range(meter.value, 0, 1000000);
		assert_in_range(meter.pending, 0, GRP_PRESSURE_EVENTS_MAX);
	}
	assert_in_range(meter.value, 999900, 1000000);
	/* The clock's first lap; a gap is at most 99 s of decay however long it was. */
	meter = (struct grp_meter){ .second = 10, .value = 1000000 };
	grp_meter_update(&meter, UINT32_MAX);
	assert_int_equal(meter.value, 1035);
}

/* --- of groups --------------------------------------------------------------------- */

/* The same series as @n tasks in as many sets see it, with looks and restarts between. */
static void series(unsigned int n, bool disturbed)
{
	static const char *const groups[] = { "h:/x", "h:/y", "h:/" };

	world_mkdir(&world, "/a");
	assert_int_equal(grp_hierarchy_mount(world.core, "h", "none", NULL), 0);
	world_mkdir(&world, "h:/x");
	world_mkdir(&world, "h:/y");
	for (unsigned int i = 0; i < n; i++) {
		new_task(10 + i, "/a");
		assert_int_equal(world_move(&world, groups[i], 10 + i, true), 0);
	}
	for (size_t i = 0; i < N_STEPS; i++) {
		uint64_t end = steps[i].second * S;

		/* The agent looks in time, so that no event is overwritten. */
		for (; world.fake->clock_ns < end; world.fake->clock_ns += S)
			if (disturbed || grp_pressure_due(world.core) <= world.fake->clock_ns)
				look();
		world.fake->clock_ns = end + S / 2;
		for (uint32_t j = 0; j < steps[i].events; j++)
			reclaim(10 + j % n, 1);
		if (disturbed)
			world_restart(&world);
		if (steps[i].value != UNREAD)
			assert_int_equal(pressure("/a"), steps[i].value);
	}
	assert_int_equal(pressure("/"), 0);
}

static void one_set(void **state)
{
	series(1, false);
}

static void three_sets(void **state)
{
	series(3, false);
}

static void looked_at_each_second_and_restarted(void **state)
{
	series(3, true);
}

/* Own tasks only, those of the root as well. */
static void own_only(void **state)
{
	world_mkdir(&world, "/a");
	world_mkdir(&world, "/a/b");
	new_task(10, "/a/b");
	reclaim(10, 10);
	reclaim(1, 3);
	world.fake->clock_ns += S;
	assert_int_equal(pressure("/a/b"), 670);
	assert_int_equal(pressure("/a"), 0);
	assert_int_equal(pressure("/"), 201);
}

/* A set that goes leaves its events to its group, and none to the group that gets its id. */
static void folded(void **state)
{
	uint16_t set;

	world_mkdir(&world, "/a");
	assert_int_equal(grp_hierarchy_mount(world.core, "h", "none", NULL), 0);
	world_mkdir(&world, "h:/x");
	new_task(10, "h:/x");
	assert_int_equal(world_move(&world, "/a", 10, true), 0);
	set = fake_task_find(world.fake, 10)->set;
	reclaim(10, 10);
	fake_task_exit(world.fake, 10);
	fake_task_reap(world.fake, 10);
	assert_int_equal(world_rmdir(&world, "h:/x"), 0);
	/* It waits until the second with its events is over. */
	world_collect(&world);
	assert_non_null(world_find(&world, "/a")->sets);
	world.fake->clock_ns += S;
	world_collect(&world);
	assert_null(world_find(&world, "/a")->sets);
	assert_int_equal(pressure("/a"), 670);
	world_restart(&world);
	assert_int_equal(pressure("/a"), 670);
	for (pid_t tid = 20;
	     !fake_task_find(world.fake, 20) || fake_task_find(world.fake, tid - 1)->set != set;
	     tid++) {
		char name[16];

		assert_true(tid < 30);
		(void)snprintf(name, sizeof(name), "/b%d", tid);
		world_mkdir(&world, name);
		new_task(tid, name);
		world.fake->clock_ns += S;
		assert_int_equal(pressure(name), 0);
	}
}

/* Killed between any two updates of the store while a set is folded: neither lost nor doubled. */
static void killed_in_fold(void **state)
{
	for (long updates = 0;; updates++) {
		bool done;

		(void)teardown(state);
		(void)setup_scarce(state);
		world_mkdir(&world, "/a");
		assert_int_equal(grp_hierarchy_mount(world.core, "h", "none", NULL), 0);
		world_mkdir(&world, "h:/x");
		new_task(10, "h:/x");
		assert_int_equal(world_move(&world, "/a", 10, true), 0);
		reclaim(10, 10);
		fake_task_exit(world.fake, 10);
		fake_task_reap(world.fake, 10);
		world.fake->clock_ns += S;
		assert_int_equal(world_rmdir(&world, "h:/x"), 0);
		(void)grp_core_collect(world.core);
		world.fake->updates_left = updates;
		(void)fake_grace_end(world.fake);
		done = world.fake->updates_left > 0;
		world.fake->updates_left = -1;
		world_restart(&world);
		world_collect(&world);
		assert_null(world_find(&world, "/a")->sets);
		assert_int_equal(pressure("/a"), 670);
		if (done)
			break;
	}
}

/* --- the switch ------------------------------------------------------------------------ */

static void switched_off(void **state)
{
	reclaim(1, 10);
	world.fake->clock_ns += S;
	assert_int_equal(pressure("/"), 670);
	assert_int_equal(grp_pressure_switch(world.core, false), 0);
	assert_false(grp_pressure_counted(world.core));
	assert_int_equal(grp_pressure_due(world.core), 0);
	look();
	assert_int_equal(pressure("/"), 0);
	world.fake->clock_ns += S;
	assert_int_equal(grp_pressure_switch(world.core, true), 0);
	assert_true(grp_pressure_counted(world.core));
	/* Time has passed meanwhile. */
	assert_int_equal(pressure("/"), 625);
}

static void refused(void **state)
{
	assert_int_equal(grp_pressure_switch(world.core, false), 0);
	world.fake->pressure_result = -EOPNOTSUPP;
	assert_int_equal(grp_pressure_switch(world.core, true), -EOPNOTSUPP);
	assert_false(grp_pressure_counted(world.core));
	assert_int_equal(pressure("/"), 0);
}

/* Looked at at once after a start, then in time before a bucket is used again. */
static void due(void **state)
{
	assert_true(grp_pressure_due(world.core) <= world.fake->clock_ns);
	look();
	assert_int_equal(grp_pressure_due(world.core), world.fake->clock_ns + GRP_PRESSURE_LOOK_NS);
	assert_true(GRP_PRESSURE_LOOK_NS < (GRP_PRESSURE_SECONDS - 1) * S);
}

int main(void)
{
#define TEST(FUNCTION) cmocka_unit_test_setup_teardown(FUNCTION, setup, teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(filter),
		cmocka_unit_test(bounds),
		TEST(one_set),
		TEST(three_sets),
		TEST(looked_at_each_second_and_restarted),
		TEST(own_only),
		cmocka_unit_test_setup_teardown(folded, setup_scarce, teardown),
		cmocka_unit_test_setup_teardown(killed_in_fold, setup_scarce, teardown),
		TEST(switched_off),
		TEST(refused),
		TEST(due),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
