/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The seam of core/tick.c: when the agent is to call, and what a call that fails
 * leaves behind. cpuacct is who asks; its windows are in test_cpuacct.c.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/internal.h"
#include "world.h"

#define WINDOW UINT64_C(10000000000)

static int setup(void **state)
{
	static struct world world;

	world_open(&world, 32, 16);
	world.fake->clock_ns = WINDOW;
	assert_int_equal(grp_hierarchy_mount(world.core, "h", "cpuacct", NULL), 0);
	*state = &world;
	return 0;
}

static int teardown(void **state)
{
	world_close(*state);
	return 0;
}

static void measure(struct world *world, const char *root, const char *on)
{
	assert_int_equal(world_write(world, root, "cpuacct.load_enabled", on), 0);
}

/* The earliest of all that measure; switched off, none. */
static void due(void **state)
{
	struct world *world = *state;

	assert_int_equal(grp_core_due(world->core), 0);
	measure(world, "h:/", "1");
	world->fake->clock_ns = 2 * WINDOW + 1;
	measure(world, "/", "1");
	/* Who measures already is brought up to date with it. */
	assert_int_equal(grp_core_due(world->core), 3 * WINDOW);
	measure(world, "/", "0");
	assert_int_equal(grp_core_due(world->core), 3 * WINDOW);
	measure(world, "h:/", "0");
	assert_int_equal(grp_core_due(world->core), 0);
}

static uint64_t some_due(struct grp_core *core, struct grp_hierarchy *hierarchy)
{
	(void)core;
	(void)hierarchy;
	return 0;
}

static int some_tick(struct grp_core *core, struct grp_hierarchy *hierarchy, uint64_t now_ns)
{
	(void)core;
	(void)hierarchy;
	(void)now_ns;
	return 0;
}

/* API-1: a registry with one that is not whole is refused at start. */
static void both_or_none(void **state)
{
	struct grp_subsystem subsystem = { .name = "some", .due = some_due };
	struct grp_error error = {};

	(void)state;
	assert_int_equal(grp_subsystem_check(&subsystem, &error), -EINVAL);
	assert_non_null(strstr(error.message, "due and tick"));
	subsystem.tick = some_tick;
	assert_int_equal(grp_subsystem_check(&subsystem, NULL), 0);
	subsystem.due = NULL;
	assert_int_equal(grp_subsystem_check(&subsystem, NULL), -EINVAL);
	subsystem.tick = NULL;
	assert_int_equal(grp_subsystem_check(&subsystem, NULL), 0);
	subsystem.name = NULL;
	assert_int_equal(grp_subsystem_check(&subsystem, NULL), -EINVAL);
	subsystem.name = "a.b";
	assert_int_equal(grp_subsystem_check(&subsystem, NULL), -EINVAL);
	subsystem.name = "a-name-of-more-than-thirty-two-bytes";
	assert_int_equal(grp_subsystem_check(&subsystem, NULL), -EINVAL);
}

static void early_is_nothing(void **state)
{
	struct world *world = *state;
	unsigned int settles;

	measure(world, "/", "1");
	settles = world->fake->settles;
	world->fake->clock_ns = 2 * WINDOW - 1;
	assert_int_equal(grp_core_tick(world->core), 0);
	assert_int_equal(world->fake->settles, settles);
}

static void a_failure_stays_due(void **state)
{
	struct world *world = *state;
	const struct grp_file_access access = { .core = world->core,
						.group = world_find(world, "/"),
						.caller = &world_root };
	char *text;
	size_t len;

	measure(world, "/", "1");
	world->fake->clock_ns = 2 * WINDOW;
	world->fake->settle_result = -EIO;
	assert_int_equal(grp_core_tick(world->core), -EIO);
	assert_int_equal(grp_core_due(world->core), 2 * WINDOW);
	/* Who reads hears of it, and not a figure of long ago. */
	assert_int_equal(grp_file_read(&access, "cpuacct.load", &text, &len), -EIO);
	assert_int_equal(grp_file_read(&access, "cpuacct.report", &text, &len), -EIO);
	world->fake->settle_result = 0;
	assert_int_equal(grp_core_tick(world->core), 0);
	assert_int_equal(grp_core_due(world->core), 3 * WINDOW);
}

/* Switched on where nothing can be settled just now: it begins when it can. */
static void begins_later(void **state)
{
	struct world *world = *state;

	world->fake->settle_result = -EIO;
	measure(world, "/", "1");
	assert_true(grp_core_due(world->core) <= world->fake->clock_ns);
	world->fake->settle_result = 0;
	assert_int_equal(grp_core_tick(world->core), 0);
	assert_int_equal(grp_core_due(world->core), 2 * WINDOW);
}

int main(void)
{
#define TEST(FUNCTION) cmocka_unit_test_setup_teardown(FUNCTION, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(due),
		TEST(both_or_none),
		TEST(early_is_nothing),
		TEST(a_failure_stays_due),
		TEST(begins_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
