/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Members found in pieces, over the kernel in memory, which walks over 64 tasks a step:
 * what is moved, ends and is removed between two steps.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/census.h"
#include "world.h"

#define FIRST 100
#define TASKS 200U
#define EARLY (FIRST + 10) /* seen by the first step */
#define LATE (FIRST + 190) /* not yet */

static int setup(void **state)
{
	static struct world world;

	world_open(&world, 32, 16);
	fake_task_old(world.fake, 1, 1);
	fake_kernel_ops.pass(world.fake, GRP_PASS_SEED, NULL, NULL, NULL, NULL);
	for (uint32_t tid = FIRST; tid < FIRST + TASKS; tid++)
		fake_task_fork(world.fake, 1, tid, tid);
	world_mkdir(&world, "/a");
	world_mkdir(&world, "/a/b");
	world_mkdir(&world, "/c");
	*state = &world;
	return 0;
}

static int teardown(void **state)
{
	world_close(*state);
	return 0;
}

static struct grp_census *begin(struct world *world, const char *spec, bool recursive)
{
	struct grp_census *census;

	assert_int_equal(
		grp_census_new(world->core, world_find(world, spec), recursive, 0, &census), 0);
	assert_int_equal(grp_census_step(census), 1);
	return census;
}

/* To the end: ids of all, each followed by a blank. */
static const char *end(struct grp_census *census)
{
	static char text[2000];
	const struct grp_members *members = grp_census_members(census);
	int r;

	do
		r = grp_census_step(census);
	while (r > 0);
	assert_int_equal(r, 0);
	text[0] = '\0';
	for (size_t i = 0; i < members->n; i++)
		(void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "%d ",
			       (int)members->items[i].tid);
	grp_census_free(census);
	return text;
}

/* From where it was seen to where it was not looked for, and the other way round. */
static void moved_meanwhile(void **state)
{
	struct world *world = *state;
	struct grp_census *census;

	assert_int_equal(world_move(world, "/a", EARLY, false), 0);
	assert_int_equal(world_move(world, "/a", LATE, false), 0);
	assert_int_equal(world_move(world, "/a", LATE + 1, false), 0);
	census = begin(world, "/a", false);
	assert_int_equal(world_move(world, "/c", EARLY, false), 0); /* was seen */
	assert_int_equal(world_move(world, "/a", EARLY + 1, false), 0); /* was passed */
	assert_int_equal(world_move(world, "/c", LATE, false), 0);
	assert_int_equal(world_move(world, "/a", LATE + 2, false), 0);
	/* There and back. */
	assert_int_equal(world_move(world, "/a", EARLY + 2, false), 0);
	assert_int_equal(world_move(world, "/", EARLY + 2, false), 0);
	assert_string_equal(end(census), "111 291 292 ");
}

static void moved_below(void **state)
{
	struct world *world = *state;
	struct grp_census *census;
	const struct grp_members *members;
	int r;

	assert_int_equal(world_move(world, "/a", EARLY, false), 0);
	census = begin(world, "/a", true);
	assert_int_equal(world_move(world, "/a/b", EARLY, false), 0);
	assert_int_equal(world_move(world, "/a/b", LATE, false), 0);
	members = grp_census_members(census);
	do
		r = grp_census_step(census);
	while (r > 0);
	assert_int_equal(members->n, 2);
	assert_int_equal(members->items[0].tid, EARLY);
	assert_int_equal(members->items[0].group, world_find(world, "/a/b")->id);
	assert_int_equal(members->items[1].group, world_find(world, "/a/b")->id);
	grp_census_free(census);
}

/* In every piece of it: the root with everybody. */
static void everybody(void **state)
{
	struct world *world = *state;
	struct grp_census *census = begin(world, "/", true);

	for (int r = 1; r > 0;)
		r = grp_census_step(census);
	assert_int_equal(grp_census_members(census)->n, TASKS + 1);
	grp_census_free(census);
}

static void removed_meanwhile(void **state)
{
	struct world *world = *state;
	struct grp_census *census = begin(world, "/c", false);

	assert_int_equal(world_rmdir(world, "/c"), 0);
	assert_int_equal(grp_census_step(census), -ENOENT);
	grp_census_free(census);
}

/* More moves than are remembered: it begins again, and then does it at once. */
static void too_many_moves(void **state)
{
	struct world *world = *state;
	struct grp_census *census = begin(world, "/a", false);

	for (unsigned int walk = 0; walk < 4; walk++) {
		for (unsigned int i = 0; i < 2100; i++) {
			assert_int_equal(world_move(world, "/a", EARLY, false), 0);
			assert_int_equal(world_move(world, "/c", EARLY, false), 0);
		}
		assert_int_equal(world_move(world, "/a", LATE, false), 0);
		assert_int_equal(grp_census_step(census), 1);
	}
	assert_string_equal(end(census), "290 ");
}

/* One that goes before its end is not told any more. */
static void two_at_once(void **state)
{
	struct world *world = *state;
	struct grp_census *one = begin(world, "/a", false), *two = begin(world, "/c", false);

	grp_census_free(one);
	assert_int_equal(world_move(world, "/c", EARLY, false), 0);
	assert_string_equal(end(two), "110 ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(moved_meanwhile, setup, teardown),
		cmocka_unit_test_setup_teardown(moved_below, setup, teardown),
		cmocka_unit_test_setup_teardown(everybody, setup, teardown),
		cmocka_unit_test_setup_teardown(removed_meanwhile, setup, teardown),
		cmocka_unit_test_setup_teardown(too_many_moves, setup, teardown),
		cmocka_unit_test_setup_teardown(two_at_once, setup, teardown),
	};

	return cmocka_run_group_tests_name("census", tests, NULL, NULL);
}
