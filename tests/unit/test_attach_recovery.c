/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Killed in the midst of a move: the next start ends it, and subsystems hear of
 * everybody who is there, once, whoever was told before (API-5).
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "../subsys/test_subsys.h"
#include "world.h"

/* Process 10 with threads 10, 11, 12, all in /; groups /a and /b in "default". */
static int setup(void **state)
{
	static struct world world;

	world_open(&world, 64, 32);
	fake_task_old(world.fake, 1, 1);
	fake_kernel_ops.pass(world.fake, GRP_PASS_SEED, NULL, NULL, NULL, NULL);
	for (uint32_t tid = 10; tid <= 12; tid++)
		fake_task_fork(world.fake, 1, tid, 10);
	world_mkdir(&world, "/a");
	world_mkdir(&world, "/b");
	test_subsys_forget();
	*state = &world;
	return 0;
}

static int teardown(void **state)
{
	world_close(*state);
	return 0;
}

/* Killed after the move and before the notice: it is told at the next start. */
static void told_after_a_restart(void **state)
{
	static const char told[] = "xa.attach /a 3\nxb.attach /a 3\nxs.attach /a 3\n";
	struct world *world = *state;
	const char *after;

	/* Journal and set; the end of the journal does not come. */
	world->fake->updates_left = 2;
	assert_int_equal(world_move(world, "/a", 10, true), -ECANCELED);
	world_restart(world);
	assert_int_equal(world_tasks(world, "/a"), 3);
	after = strstr(test_subsys_trace(), "xa.bind default /\n");
	assert_non_null(after);
	after = strstr(after, told);
	assert_non_null(after);
	assert_null(strstr(after + strlen(told), ".attach"));
}

/* From the first pass on nothing can be stored, and thread 11 cannot be moved. */
static void cut_off(struct fake_kernel *fake, enum grp_pass kind, void *data)
{
	(void)data;
	if (kind != GRP_PASS_MOVE)
		return;
	fake->updates_left = 0;
	fake_task_find(fake, 11)->state = GRP_STATE_UNCLAIMED;
}

static void killed_in_the_midst_of_a_group(void **state)
{
	struct world *world = *state;
	struct grp_target target = {};
	const char *after;

	assert_int_equal(world_move(world, "/a", 10, true), 0);
	assert_int_equal(grp_target_add(&target, world_find(world, "/b")), 0);
	world->fake->before_pass = cut_off;
	assert_int_equal(grp_attach_members(world->core, &target, world_find(world, "/a"),
					    &world_root, NULL, NULL),
			 -EAGAIN);
	world->fake->before_pass = NULL;
	fake_task_find(world->fake, 11)->state = GRP_STATE_ALIVE;
	assert_int_equal(world_tasks(world, "/b"), 2);
	world_restart(world);
	assert_int_equal(world_tasks(world, "/b"), 3);
	after = strstr(test_subsys_trace(), "xa.bind default /\n");
	assert_non_null(after);
	/* All that are there, not only the one that was left; and once. */
	after = strstr(after, ".attach");
	assert_non_null(after);
	assert_ptr_equal(strstr(after, ".attach /b 3\nxb.attach /b 3\nxs.attach /b 3\n"), after);
	assert_null(strstr(after + strlen(".attach /b 3\nxb.attach /b 3\nxs.attach"), ".attach"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(told_after_a_restart, setup, teardown),
		cmocka_unit_test_setup_teardown(killed_in_the_midst_of_a_group, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
