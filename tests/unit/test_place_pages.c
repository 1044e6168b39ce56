/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory placement over a kernel in memory: pages that move along.
 */
#include <linux/mempolicy.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "memory_help.h"

static void pages_move_when_nodes_change(void **state)
{
	say("/a", MPOL_BIND, 1, false);
	move("/a", 10, true);
	run();
	assert_int_equal(world.fake->moves, 0);
	world.fake->pages_left = 7;
	say("/a", MPOL_BIND, 1, true);
	run();
	assert_int_equal(world.fake->moves, 0);
	say("/a", MPOL_BIND, 2, true);
	run();
	/* A process once. */
	assert_int_equal(world.fake->moves, 1);
	assert_int_equal(world.fake->moved.tid, 10);
	assert_int_equal(world.fake->moved.from[0], 1);
	assert_int_equal(world.fake->moved.nodes[0], 2);
	assert_int_equal(figures().migrations, 1);
	assert_int_equal(figures().migrate_pages_left, 7);
}

/* Twice before its turn, and once while it is moved. */
static void pages_move_to_where_they_are_to_be_at_last(void **state)
{
	say("/a", MPOL_BIND, 1, true);
	move("/a", 10, true);
	run();
	say("/a", MPOL_BIND, 2, true);
	say("/a", MPOL_BIND, ALL, true);
	while (!world.fake->asks[GRP_HELPER_PAGES].fn)
		assert_int_equal(grp_memory_step(world.core, TURN_NS), 0);
	assert_int_equal(world.fake->asks[GRP_HELPER_PAGES].request.from[0], 1);
	assert_int_equal(world.fake->asks[GRP_HELPER_PAGES].request.nodes[0], ALL);
	say("/a", MPOL_BIND, 2, true);
	run();
	assert_int_equal(world.fake->moves, 2);
	assert_int_equal(world.fake->moved.from[0], ALL);
	assert_int_equal(world.fake->moved.nodes[0], 2);
	task(10)->reluctant = GRP_PLACE_DENIED;
	say("/a", MPOL_BIND, 1, true);
	run();
	assert_int_equal(figures().migrations_pending, 1);
	run_for(300);
	assert_int_equal(figures().migrations_pending, 0);
	assert_int_equal(world.fake->moves, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(pages_move_when_nodes_change),
		TEST(pages_move_to_where_they_are_to_be_at_last),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
