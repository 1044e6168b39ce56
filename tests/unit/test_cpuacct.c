/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The historical forms of cpuacct against a clock that the test sets: windows of
 * 10 s at multiples of 10 s (ACCT-14...16), the four lines of ACCT-8...10, and the
 * seam by which the agent learns when to call.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "world.h"

#define MS UINT64_C(1000000)
#define S (1000 * MS)
#define WINDOW (10 * S)
/* Boundaries of the tests are counted from here. */
#define ZERO (100 * WINDOW)

/* Root task 1; processes 10 in /a, 11 in /a/b. The clock is 3 s after a boundary. */
static int setup(void **state)
{
	static struct world world;

	world_open(&world, 32, 16);
	world.fake->clock_ns = ZERO + 3 * S;
	fake_task_old(world.fake, 1, 1);
	fake_kernel_ops.pass(world.fake, GRP_PASS_SEED, NULL, NULL, NULL, NULL);
	world_mkdir(&world, "/a");
	world_mkdir(&world, "/a/b");
	fake_task_fork(world.fake, 1, 10, 10);
	fake_task_fork(world.fake, 1, 11, 11);
	assert_int_equal(world_move(&world, "/a", 10, true), 0);
	assert_int_equal(world_move(&world, "/a/b", 11, true), 0);
	*state = &world;
	return 0;
}

static int teardown(void **state)
{
	world_close(*state);
	return 0;
}

static uint64_t load(struct world *world, const char *group)
{
	char *text = world_read(world, group, "cpuacct.load"), *end;
	uint64_t number = strtoull(text, &end, 10);

	assert_string_equal(end, "\n");
	return number;
}

static void enable(struct world *world)
{
	assert_int_equal(world_write(world, "/", "cpuacct.load_enabled", "1\n"), 0);
}

/* The clock goes to so many seconds after ZERO, and the agent's timer with it. */
static void go_to(struct world *world, uint64_t ns)
{
	world->fake->clock_ns = ZERO + ns;
	assert_int_equal(grp_core_tick(world->core), 0);
}

static void off_costs_nothing(void **state)
{
	struct world *world = *state;
	unsigned int settles = world->fake->settles;

	assert_int_equal(grp_core_due(world->core), 0);
	go_to(world, 7 * WINDOW);
	assert_int_equal(world->fake->settles, settles);
	fake_task_run(world->fake, 10, 0, 4 * S);
	assert_int_equal(load(world, "/a"), 0);
	assert_string_equal(world_read(world, "/", "cpuacct.load_enabled"), "0\n");
}

static void who_may_enable_what(void **state)
{
	struct world *world = *state;
	static const char *const bad[] = { "", "on", "-1", "1 " };

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(world_write(world, "/", "cpuacct.load_enabled", bad[i]), -EINVAL);
	/* It stands in the root only, and is of one hierarchy. */
	assert_int_equal(world_write(world, "/a", "cpuacct.load_enabled", "1"), -ENOENT);
	assert_int_equal(grp_hierarchy_mount(world->core, "other", "cpuacct", NULL), 0);
	enable(world);
	assert_string_equal(world_read(world, "/", "cpuacct.load_enabled"), "1\n");
	assert_string_equal(world_read(world, "other:/", "cpuacct.load_enabled"), "0\n");
	assert_int_equal(world_write(world, "/a", "cpuacct.load", "0"), -EINVAL);
	assert_int_equal(world_write(world, "/a", "cpuacct.usage_ms", "0"), -EINVAL);
	assert_int_equal(world_write(world, "/a", "cpuacct.report", "0"), -EINVAL);
}

/* Due at multiples of 10 s of the clock, whenever it was switched on. */
static void aligned(void **state)
{
	struct world *world = *state;

	enable(world);
	assert_int_equal(grp_core_due(world->core), ZERO + WINDOW);
	go_to(world, WINDOW - 1);
	assert_int_equal(grp_core_due(world->core), ZERO + WINDOW);
	go_to(world, WINDOW);
	assert_int_equal(grp_core_due(world->core), ZERO + 2 * WINDOW);
	go_to(world, 2 * WINDOW + 5);
	assert_int_equal(grp_core_due(world->core), ZERO + 3 * WINDOW);
	assert_int_equal(world_write(world, "/", "cpuacct.load_enabled", "0"), 0);
	assert_int_equal(grp_core_due(world->core), 0);
}

static void whole_windows(void **state)
{
	struct world *world = *state;

	fake_task_run(world->fake, 10, 0, 50 * S);
	enable(world);
	/* What is left of the window in which it was switched on does not count. */
	fake_task_run(world->fake, 10, 0, 5 * S);
	assert_int_equal(load(world, "/a"), 0);
	go_to(world, WINDOW);
	assert_int_equal(load(world, "/a"), 0);
	/* One CPU, and half of another, own tasks only. */
	fake_task_run(world->fake, 10, 0, 10 * S);
	fake_task_run(world->fake, 10, 1, 5 * S);
	fake_task_run(world->fake, 11, 2, 1 * S);
	assert_int_equal(load(world, "/a"), 0);
	go_to(world, 2 * WINDOW);
	assert_int_equal(load(world, "/a"), 150);
	assert_int_equal(load(world, "/a/b"), 10);
	assert_int_equal(load(world, "/"), 0);
	/* All CPUs. It is cut short, not rounded. */
	for (unsigned int cpu = 0; cpu < WORLD_CPUS; cpu++)
		fake_task_run(world->fake, 10, cpu, 10 * S);
	fake_task_run(world->fake, 11, 0, 199 * MS);
	assert_int_equal(load(world, "/a"), 150);
	go_to(world, 3 * WINDOW);
	assert_int_equal(load(world, "/a"), 300);
	assert_int_equal(load(world, "/a/b"), 1);
	/* An idle window. */
	go_to(world, 4 * WINDOW);
	assert_int_equal(load(world, "/a"), 0);
}

/* All groups of all hierarchies that measure, from one settling. */
static void one_reading(void **state)
{
	struct world *world = *state;
	unsigned int settles;

	assert_int_equal(grp_hierarchy_mount(world->core, "other", "cpuacct", NULL), 0);
	assert_int_equal(world_write(world, "other:/", "cpuacct.load_enabled", "1"), 0);
	enable(world);
	go_to(world, WINDOW);
	fake_task_run(world->fake, 10, 0, 2 * S);
	fake_task_run(world->fake, 11, 0, 3 * S);
	settles = world->fake->settles;
	go_to(world, 2 * WINDOW);
	assert_int_equal(world->fake->settles, settles + 1);
	assert_int_equal(load(world, "/a"), 20);
	assert_int_equal(load(world, "/a/b"), 30);
	assert_int_equal(load(world, "other:/"), 50);
}

/* A read that comes before the timer rolls itself. */
static void lazy(void **state)
{
	struct world *world = *state;

	enable(world);
	go_to(world, WINDOW);
	fake_task_run(world->fake, 10, 0, 10 * S);
	world->fake->clock_ns = ZERO + 2 * WINDOW;
	assert_int_equal(load(world, "/a"), 100);
	assert_int_equal(grp_core_due(world->core), ZERO + 3 * WINDOW);
}

/* now >= N + 10 s: the load is 0, and the window under way is not a whole one. */
static void missed_windows(void **state)
{
	struct world *world = *state;

	enable(world);
	go_to(world, WINDOW);
	fake_task_run(world->fake, 10, 0, 10 * S);
	go_to(world, 2 * WINDOW);
	assert_int_equal(load(world, "/a"), 100);
	fake_task_run(world->fake, 10, 0, 5 * S);
	go_to(world, 4 * WINDOW);
	assert_int_equal(load(world, "/a"), 0);
	fake_task_run(world->fake, 10, 0, 10 * S);
	go_to(world, 5 * WINDOW);
	assert_int_equal(load(world, "/a"), 100);
	fake_task_run(world->fake, 10, 0, 15 * S);
	go_to(world, 7 * WINDOW + 1 * S);
	assert_int_equal(load(world, "/a"), 0);
	fake_task_run(world->fake, 10, 0, 9 * S);
	go_to(world, 8 * WINDOW);
	assert_int_equal(load(world, "/a"), 0);
	fake_task_run(world->fake, 10, 0, 9 * S);
	go_to(world, 9 * WINDOW);
	assert_int_equal(load(world, "/a"), 90);
}

/* A busy CPU is 100 however late the boundary is noticed, and nothing is lost. */
static void late(void **state)
{
	struct world *world = *state;

	enable(world);
	go_to(world, WINDOW);
	fake_task_run(world->fake, 10, 0, 14 * S);
	go_to(world, 2 * WINDOW + 4 * S);
	assert_int_equal(load(world, "/a"), 100);
	assert_int_equal(grp_core_due(world->core), ZERO + 3 * WINDOW);
	fake_task_run(world->fake, 10, 0, 6 * S);
	go_to(world, 3 * WINDOW);
	assert_int_equal(load(world, "/a"), 100);
}

static void made_in_mid_window(void **state)
{
	struct world *world = *state;

	enable(world);
	go_to(world, WINDOW + 5 * S);
	world_mkdir(world, "/new");
	assert_int_equal(load(world, "/new"), 0);
	assert_int_equal(world_move(world, "/new", 10, true), 0);
	fake_task_run(world->fake, 10, 0, 5 * S);
	assert_int_equal(load(world, "/new"), 0);
	go_to(world, 2 * WINDOW);
	assert_int_equal(load(world, "/new"), 50);
	fake_task_run(world->fake, 10, 0, 10 * S);
	go_to(world, 3 * WINDOW);
	assert_int_equal(load(world, "/new"), 100);
	assert_int_equal(load(world, "/a"), 0);
	/* A row that is used again knows nothing of who had it before. */
	assert_int_equal(world_move(world, "/a", 10, true), 0);
	assert_int_equal(world_rmdir(world, "/new"), 0);
	world_collect(world);
	world_mkdir(world, "/next");
	assert_int_equal(load(world, "/next"), 0);
	go_to(world, 4 * WINDOW);
	assert_int_equal(load(world, "/next"), 0);
}

static void off_and_on(void **state)
{
	struct world *world = *state;

	enable(world);
	go_to(world, WINDOW);
	fake_task_run(world->fake, 10, 0, 10 * S);
	go_to(world, 2 * WINDOW);
	assert_int_equal(load(world, "/a"), 100);
	/* Writing what holds already does not begin anew. */
	enable(world);
	assert_int_equal(load(world, "/a"), 100);
	assert_int_equal(world_write(world, "/", "cpuacct.load_enabled", "0"), 0);
	assert_int_equal(load(world, "/a"), 0);
	fake_task_run(world->fake, 10, 0, 10 * S);
	enable(world);
	assert_int_equal(load(world, "/a"), 0);
	go_to(world, 3 * WINDOW);
	assert_int_equal(load(world, "/a"), 0);
	fake_task_run(world->fake, 10, 0, 2 * S);
	go_to(world, 4 * WINDOW);
	assert_int_equal(load(world, "/a"), 20);
}

static void restart(void **state)
{
	struct world *world = *state;

	enable(world);
	go_to(world, WINDOW);
	fake_task_run(world->fake, 10, 0, 4 * S);
	go_to(world, 2 * WINDOW);
	fake_task_run(world->fake, 10, 0, 3 * S);
	/* Within a window: nothing is lost. */
	world_restart(world);
	assert_int_equal(grp_core_due(world->core), ZERO + 3 * WINDOW);
	assert_int_equal(load(world, "/a"), 40);
	fake_task_run(world->fake, 10, 0, 3 * S);
	go_to(world, 3 * WINDOW);
	assert_int_equal(load(world, "/a"), 60);
	/* Over a boundary. */
	fake_task_run(world->fake, 10, 0, 12 * S);
	world->fake->clock_ns = ZERO + 4 * WINDOW + 2 * S;
	world_restart(world);
	assert_int_equal(load(world, "/a"), 100);
	/* Over several. */
	fake_task_run(world->fake, 10, 0, 25 * S);
	world->fake->clock_ns = ZERO + 7 * WINDOW;
	world_restart(world);
	assert_int_equal(load(world, "/a"), 0);
	assert_string_equal(world_read(world, "/", "cpuacct.load_enabled"), "1\n");
}

/*
 * Killed while the windows of a hierarchy are rolled: some rows are one further.
 * A root's row is the last; one that was cut short has its figures already.
 */
static void killed_while_rolling(void **state)
{
	struct world *world = *state;
	struct grp_shown *row, *before = calloc(32, sizeof(*before));
	uint32_t root;

	assert_non_null(before);
	enable(world);
	go_to(world, WINDOW);
	fake_task_run(world->fake, 10, 0, 4 * S);
	fake_task_run(world->fake, 11, 0, 5 * S);
	memcpy(before, world->fake->view.shown, 32 * sizeof(*before));
	go_to(world, 2 * WINDOW);
	/* /a is done, /a/b has its figures only, the root has nothing. */
	row = &world->fake->view.shown[world_find(world, "/a/b")->row];
	row->window_ns = ZERO + WINDOW;
	root = world_find(world, "/")->row;
	world->fake->view.shown[root] = before[root];
	world_restart(world);
	assert_int_equal(load(world, "/a"), 40);
	assert_int_equal(load(world, "/a/b"), 50);
	free(before);
}

/* Time that is taken back for a moment must not become a huge number. */
static void never_negative(void **state)
{
	struct world *world = *state;
	struct grp_shown *row = &world->fake->view.shown[world_find(world, "/a")->row];

	enable(world);
	go_to(world, WINDOW);
	row->window_own_ns[0] = row->window_own_ns[1] = 100 * S;
	fake_task_run(world->fake, 10, 0, 1 * S);
	assert_null(strstr(world_read(world, "/a", "cpuacct.report"), "-"));
	go_to(world, 2 * WINDOW);
	assert_int_equal(load(world, "/a"), 0);
	go_to(world, 3 * WINDOW);
	assert_int_equal(load(world, "/a"), 0);
}

static void milliseconds(void **state)
{
	struct world *world = *state;

	fake_task_run(world->fake, 10, 0, 2000 * MS + 999999);
	fake_task_run(world->fake, 11, 1, 5 * S);
	assert_string_equal(world_read(world, "/a", "cpuacct.usage_ms"), "2000\n");
	assert_string_equal(world_read(world, "/a/b", "cpuacct.usage_ms"), "5000\n");
	assert_string_equal(world_read(world, "/", "cpuacct.usage_ms"), "0\n");
	fake_task_run(world->fake, 10, 0, 1);
	assert_string_equal(world_read(world, "/a", "cpuacct.usage_ms"), "2001\n");
	/* The baseline is of the Linux form only. */
	assert_int_equal(world_write(world, "/a", "cpuacct.usage", "0"), 0);
	assert_string_equal(world_read(world, "/a", "cpuacct.usage_ms"), "2001\n");
}

static void assert_report(struct world *world, const char *group, uint64_t time_ms,
			  uint64_t accumulated_ms, uint64_t interval_ms, unsigned int percent)
{
	uint64_t tick_ms = 1000 / sysconf(_SC_CLK_TCK);
	char text[256];

	(void)snprintf(text, sizeof(text),
		       "time %llu\naccumulated time %llu\ntime since interval %llu\nload %u\n",
		       (unsigned long long)(time_ms / tick_ms),
		       (unsigned long long)(accumulated_ms / tick_ms),
		       (unsigned long long)(interval_ms / tick_ms), percent);
	assert_string_equal(world_read(world, group, "cpuacct.report"), text);
}

static void report(void **state)
{
	struct world *world = *state;

	fake_task_run(world->fake, 10, 0, 30 * S);
	assert_report(world, "/a", 0, 30000, 0, 0);
	enable(world);
	/* The divisor is 0. */
	assert_report(world, "/a", 0, 30000, 0, 0);
	fake_task_run(world->fake, 10, 0, 1 * S);
	world->fake->clock_ns += 2 * S;
	assert_report(world, "/a", 1000, 31000, 2000 * WORLD_CPUS, 16);
	go_to(world, WINDOW);
	assert_report(world, "/a", 0, 31000, 0, 0);
	for (unsigned int cpu = 0; cpu < WORLD_CPUS; cpu++)
		fake_task_run(world->fake, 10, cpu, 4 * S);
	world->fake->clock_ns += 4 * S;
	/* The whole machine is 100, and the group below has none of it. */
	assert_report(world, "/a", 4000 * WORLD_CPUS, 31000 + 4000 * WORLD_CPUS, 4000 * WORLD_CPUS,
		      100);
	assert_report(world, "/a/b", 0, 0, 4000 * WORLD_CPUS, 0);
}

/* HIER-18: what the root has survives a remount to other subsystems and back. */
static void remount(void **state)
{
	struct world *world = *state;

	assert_int_equal(grp_hierarchy_mount(world->core, "h", "cpuacct", NULL), 0);
	assert_int_equal(world_write(world, "h:/", "cpuacct.load_enabled", "1"), 0);
	fake_task_run(world->fake, 10, 0, 7 * S);
	assert_int_equal(world_write(world, "h:/", "cpuacct.usage", "0"), 0);
	fake_task_run(world->fake, 10, 0, 2 * S);
	assert_int_equal(grp_hierarchy_remount(world->core, "h", "none", NULL), 0);
	assert_int_equal(grp_core_due(world->core), 0);
	world_restart(world);
	assert_int_equal(grp_core_due(world->core), 0);
	fake_task_run(world->fake, 10, 0, 1 * S);
	assert_int_equal(grp_hierarchy_remount(world->core, "h", "cpuacct", NULL), 0);
	assert_string_equal(world_read(world, "h:/", "cpuacct.usage"), "3000000000\n");
	assert_string_equal(world_read(world, "h:/", "cpuacct.usage_ms"), "10000\n");
	assert_string_equal(world_read(world, "h:/", "cpuacct.load_enabled"), "1\n");
	assert_int_equal(grp_core_due(world->core), ZERO + WINDOW);
	/* Through an umount, the time of all tasks. */
	assert_int_equal(grp_hierarchy_umount(world->core, "h", NULL), 0);
	assert_int_equal(grp_hierarchy_mount(world->core, "h", "cpuacct", NULL), 0);
	assert_string_equal(world_read(world, "h:/", "cpuacct.usage_ms"), "10000\n");
}

/* Switched off (EN-*): nothing is measured, and it begins anew. */
static void switched_off(void **state)
{
	struct world *world = *state;

	assert_int_equal(grp_hierarchy_mount(world->core, "h", "cpuacct", NULL), 0);
	assert_int_equal(world_write(world, "h:/", "cpuacct.load_enabled", "1"), 0);
	go_to(world, WINDOW);
	fake_task_run(world->fake, 10, 0, 10 * S);
	go_to(world, 2 * WINDOW);
	assert_int_equal(load(world, "h:/"), 100);
	assert_int_equal(world_write(world, "h:/", "cpuacct_enabled", "0"), 0);
	assert_int_equal(grp_core_due(world->core), 0);
	assert_int_equal(load(world, "h:/"), 0);
	world->fake->clock_ns = ZERO + 5 * WINDOW;
	assert_int_equal(world_write(world, "h:/", "cpuacct_enabled", "1"), 0);
	assert_int_equal(load(world, "h:/"), 0);
	assert_int_equal(grp_core_due(world->core), ZERO + 6 * WINDOW);
}

/* A store that refuses: nothing has changed, on or off. */
static void refused_by_the_store(void **state)
{
	struct world *world = *state;

	world->fake->updates_left = 0;
	assert_int_equal(world_write(world, "/", "cpuacct.load_enabled", "1"), -ECANCELED);
	world->fake->updates_left = -1;
	assert_string_equal(world_read(world, "/", "cpuacct.load_enabled"), "0\n");
	assert_int_equal(grp_core_due(world->core), 0);
	enable(world);
	go_to(world, WINDOW);
	fake_task_run(world->fake, 10, 0, 10 * S);
	go_to(world, 2 * WINDOW);
	world->fake->updates_left = 0;
	assert_int_equal(world_write(world, "/", "cpuacct.load_enabled", "0"), -ECANCELED);
	assert_int_equal(load(world, "/a"), 100);
}

int main(void)
{
#define TEST(FUNCTION) cmocka_unit_test_setup_teardown(FUNCTION, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(off_costs_nothing),
		TEST(who_may_enable_what),
		TEST(aligned),
		TEST(whole_windows),
		TEST(one_reading),
		TEST(lazy),
		TEST(missed_windows),
		TEST(late),
		TEST(made_in_mid_window),
		TEST(off_and_on),
		TEST(restart),
		TEST(killed_while_rolling),
		TEST(never_negative),
		TEST(milliseconds),
		TEST(report),
		TEST(remount),
		TEST(switched_off),
		TEST(refused_by_the_store),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
