/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The most tasks that a group has had at a time and its last activity: over several
 * sets, when sets are folded, and after a restart.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>

#include <cmocka.h>

#include "world.h"

static struct world world;

/*
 * The unit of the tests' spans of time, in ns. None of them may reach back behind
 * the boot of the machine, which may have been a minute ago.
 */
static uint64_t span_ns;

static uint64_t now(clockid_t clock)
{
	struct timespec ts;

	assert_int_equal(clock_gettime(clock, &ts), 0);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static int setup(void **state)
{
	span_ns = now(CLOCK_BOOTTIME) / 8;
	/* Few sets: unused ones are given back. */
	world_open(&world, 32, 4);
	fake_task_old(world.fake, 1, 1);
	fake_kernel_ops.pass(world.fake, GRP_PASS_SEED, NULL, NULL, NULL, NULL);
	return 0;
}

static int teardown(void **state)
{
	world_close(&world);
	return 0;
}

static uint64_t peak(const char *spec)
{
	return grp_group_peak(world.core, world_find(&world, spec));
}

/* How long ago, in ns; UINT64_MAX: never. */
static uint64_t idle(const char *spec)
{
	struct grp_group *group = world_find(&world, spec);
	struct grp_members members = {};
	uint64_t activity;

	assert_int_equal(grp_group_members(world.core, group, false, NULL, &members), 0);
	activity = grp_group_last_activity(world.core, group, &members);
	grp_members_done(&members);
	return activity ? now(CLOCK_REALTIME) - activity : UINT64_MAX;
}

/* @spans ago; two readings of a clock in a test are closer than half of one. */
static void assert_idle(const char *spec, unsigned int spans)
{
	assert_in_range(idle(spec), spans * span_ns, spans * span_ns + span_ns / 2);
}

static void set_clock(unsigned int spans_ago)
{
	world.fake->now_ns = now(CLOCK_BOOTTIME) - spans_ago * span_ns;
}

static void births_and_moves(void **state)
{
	world_mkdir(&world, "/a");
	assert_int_equal(peak("/a"), 0);
	fake_task_fork(world.fake, 1, 10, 10);
	assert_int_equal(world_move(&world, "/a", 10, true), 0);
	fake_task_fork(world.fake, 10, 11, 11);
	fake_task_fork(world.fake, 10, 12, 12);
	assert_int_equal(peak("/a"), 3);
	fake_task_exit(world.fake, 11);
	fake_task_exit(world.fake, 12);
	assert_int_equal(world_tasks(&world, "/a"), 1);
	assert_int_equal(peak("/a"), 3);
	assert_int_equal(world_move(&world, "/", 10, true), 0);
	assert_int_equal(peak("/a"), 3);
}

/* In two sets: what was seen of both together, or the larger one. */
static void several_sets(void **state)
{
	assert_int_equal(grp_hierarchy_mount(world.core, "h", "none", NULL), 0);
	world_mkdir(&world, "/a");
	world_mkdir(&world, "h:/x");
	for (unsigned int i = 10; i < 13; i++) {
		fake_task_fork(world.fake, 1, i, i);
		assert_int_equal(world_move(&world, "/a", i, true), 0);
	}
	assert_int_equal(world_move(&world, "h:/x", 10, true), 0);
	fake_task_fork(world.fake, 10, 20, 20);
	assert_int_equal(peak("/a"), 4);
	fake_task_exit(world.fake, 20);
	fake_task_exit(world.fake, 10);
	assert_int_equal(peak("/a"), 4);
	assert_int_equal(peak("h:/x"), 2);
}

/* What goes with a set stays with its groups, over a restart too. */
static void folded_and_restarted(void **state)
{
	assert_int_equal(grp_hierarchy_mount(world.core, "h", "none", NULL), 0);
	world_mkdir(&world, "/a");
	world_mkdir(&world, "h:/x");
	set_clock(4);
	fake_task_fork(world.fake, 1, 10, 10);
	assert_int_equal(world_move(&world, "h:/x", 10, true), 0);
	assert_int_equal(world_move(&world, "/a", 10, true), 0);
	fake_task_fork(world.fake, 10, 11, 11);
	fake_task_exit(world.fake, 10);
	fake_task_reap(world.fake, 10);
	fake_task_exit(world.fake, 11);
	fake_task_reap(world.fake, 11);
	set_clock(0);
	assert_int_equal(world_rmdir(&world, "h:/x"), 0);
	world_collect(&world);
	/* Its one set is gone. */
	assert_null(world_find(&world, "/a")->sets);
	assert_int_equal(peak("/a"), 2);
	assert_idle("/a", 4);
	world_restart(&world);
	assert_int_equal(peak("/a"), 2);
	assert_idle("/a", 4);
	/* The same id again begins with nothing. */
	world_mkdir(&world, "/b");
	fake_task_fork(world.fake, 1, 12, 12);
	assert_int_equal(world_move(&world, "/b", 12, true), 0);
	assert_int_equal(peak("/b"), 1);
}

static void activity(void **state)
{
	world_mkdir(&world, "/a");
	assert_int_equal(idle("/a"), UINT64_MAX);
	set_clock(4);
	fake_task_fork(world.fake, 1, 10, 10);
	fake_task_fork(world.fake, 1, 11, 11);
	assert_int_equal(world_move(&world, "/a", 10, true), 0);
	/* A task that has never run says nothing. */
	fake_task_find(world.fake, 10)->idle_ns = GRP_IDLE_UNKNOWN;
	assert_idle("/a", 4);
	/* Who sleeps since before he came is no activity either. */
	fake_task_find(world.fake, 10)->idle_ns = 6 * span_ns;
	assert_idle("/a", 4);
	fake_task_find(world.fake, 10)->idle_ns = 2 * span_ns;
	assert_idle("/a", 2);
	fake_task_find(world.fake, 10)->idle_ns = 0;
	assert_idle("/a", 0);
	fake_task_find(world.fake, 10)->idle_ns = 3 * span_ns;
	set_clock(1);
	fake_task_exit(world.fake, 10);
	assert_idle("/a", 1);
}

int main(void)
{
#define TEST(FUNCTION) cmocka_unit_test_setup_teardown(FUNCTION, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(births_and_moves),
		TEST(several_sets),
		TEST(folded_and_restarted),
		TEST(activity),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
