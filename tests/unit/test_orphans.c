/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Births without room in task storage: the pass that gives it is repeated until nobody
 * waits, and is not run while nobody does.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/core.h"
#include "core/orphans.h"
#include "world.h"

#define SECOND UINT64_C(1000000000)

static int setup(void **state)
{
	static struct world world;

	world_open(&world, 32, 16);
	world.fake->clock_ns = SECOND;
	*state = &world;
	return 0;
}

static int teardown(void **state)
{
	world_close(*state);
	return 0;
}

/* The programs tell of one. */
static void tell(const struct world *world)
{
	const struct grp_event event = { .kind = GRP_EVENT_ORPHAN };

	world->fake->orphans = true;
	grp_core_event(world->core, &event);
}

/* Time goes on to what is due, and that is done. */
static void go_on(const struct world *world)
{
	uint64_t due = grp_orphans_due(world->core);

	assert_int_not_equal(due, 0);
	if (due > world->fake->clock_ns)
		world->fake->clock_ns = due;
	assert_int_equal(grp_orphans_adopt(world->core), 0);
}

static unsigned int passes(const struct world *world)
{
	return world->fake->passes[GRP_PASS_SEED];
}

static void one_pass_for_all_that_are_told(void **state)
{
	struct world *world = *state;
	unsigned int before = passes(world);

	assert_int_equal(grp_orphans_due(world->core), 0);
	tell(world);
	tell(world);
	go_on(world);
	assert_int_equal(passes(world), before + 1);
	assert_int_equal(grp_orphans_due(world->core), 0);
	assert_int_equal(grp_orphans_adopt(world->core), 0);
	assert_int_equal(passes(world), before + 1);
}

/* Soon at first; at last once a minute, as there may be one that never finds any. */
static void a_pass_without_room_is_repeated(void **state)
{
	struct world *world = *state;
	unsigned int before = passes(world);
	uint64_t now;

	world->fake->no_room = true;
	tell(world);
	while (world->fake->clock_ns < 2 * SECOND)
		go_on(world);
	assert_in_range(passes(world) - before, 8, 12);
	while (world->fake->clock_ns < 1000 * SECOND)
		go_on(world);
	assert_in_range(passes(world) - before, 24, 40);
	world->fake->no_room = false;
	now = world->fake->clock_ns;
	go_on(world);
	assert_in_range(world->fake->clock_ns - now, 0, 60 * SECOND);
	assert_false(world->fake->orphans);
	assert_int_equal(grp_orphans_due(world->core), 0);
}

static void one_that_is_wanted_is_not_left_for_long(void **state)
{
	struct world *world = *state;

	world->fake->no_room = true;
	tell(world);
	while (world->fake->clock_ns < 100 * SECOND)
		go_on(world);
	assert_true(grp_orphans_due(world->core) > world->fake->clock_ns + SECOND);
	grp_orphans_want(world->core);
	assert_true(grp_orphans_due(world->core) < world->fake->clock_ns + SECOND);
	world->fake->no_room = false;
	go_on(world);
	grp_orphans_want(world->core);
	assert_int_equal(grp_orphans_due(world->core), 0);
}

static void pass_takes(struct fake_kernel *fake, enum grp_pass kind, void *data)
{
	(void)data;
	if (kind == GRP_PASS_SEED)
		fake->clock_ns += SECOND;
}

static unsigned int passes_of_100_seconds(const struct world *world)
{
	unsigned int before = passes(world);
	uint64_t end = world->fake->clock_ns + 100 * SECOND;

	while (world->fake->clock_ns < end) {
		tell(world);
		grp_orphans_want(world->core);
		go_on(world);
	}
	return passes(world) - before;
}

/* Births told and tasks wanted all the time do not make the agent do nothing else. */
static void passes_that_take_long_are_seldom(void **state)
{
	struct world *world = *state;

	world->fake->before_pass = pass_takes;
	assert_in_range(passes_of_100_seconds(world), 8, 11);
	world->fake->no_room = true;
	assert_in_range(passes_of_100_seconds(world), 8, 11);
}

static void a_pass_that_fails_is_told_and_repeated(void **state)
{
	struct world *world = *state;

	world->fake->seed_result = -ENOMEM;
	tell(world);
	assert_int_equal(grp_orphans_adopt(world->core), -ENOMEM);
	world->fake->seed_result = 0;
	go_on(world);
	assert_false(world->fake->orphans);
	assert_int_equal(grp_orphans_due(world->core), 0);
}

/* The one that told of them was killed before it had room for them. */
static void those_left_from_before_are_seen_at_start(void **state)
{
	struct world *world = *state;

	world->fake->no_room = true;
	tell(world);
	go_on(world);
	world->fake->no_room = false;
	world_restart(world);
	go_on(world);
	assert_false(world->fake->orphans);
}

/* The ring was full when it was to be told, or something else was. */
static void one_that_was_not_told_is_found(void **state)
{
	struct world *world = *state;

	world->fake->stats[GRP_STAT_EVENTS_LOST]++;
	assert_true(grp_core_collect(world->core) >= 0);
	assert_int_equal(grp_orphans_due(world->core), 0);
	world->fake->orphans = true;
	world->fake->stats[GRP_STAT_EVENTS_LOST]++;
	assert_true(grp_core_collect(world->core) >= 0);
	go_on(world);
	assert_false(world->fake->orphans);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_pass_for_all_that_are_told, setup, teardown),
		cmocka_unit_test_setup_teardown(a_pass_without_room_is_repeated, setup, teardown),
		cmocka_unit_test_setup_teardown(one_that_is_wanted_is_not_left_for_long, setup,
						teardown),
		cmocka_unit_test_setup_teardown(passes_that_take_long_are_seldom, setup, teardown),
		cmocka_unit_test_setup_teardown(a_pass_that_fails_is_told_and_repeated, setup,
						teardown),
		cmocka_unit_test_setup_teardown(those_left_from_before_are_seen_at_start, setup,
						teardown),
		cmocka_unit_test_setup_teardown(one_that_was_not_told_is_found, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
