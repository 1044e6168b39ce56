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
#include "core/unfinished.h"
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

/* --- killed between two tries ------------------------------------------------------- */

static void hold_back(struct fake_kernel *fake, enum grp_pass kind, void *data)
{
	(void)data;
	fake_task_find(fake, 11)->state = kind == GRP_PASS_MOVE ? GRP_STATE_UNCLAIMED :
								  GRP_STATE_ALIVE;
}

/* Two of its threads are moved, the third cannot be yet. */
static void move_by_half(struct world *world, const char *spec)
{
	world->fake->before_pass = hold_back;
	assert_int_equal(world_move(world, spec, 10, true), -EAGAIN);
	world->fake->before_pass = NULL;
	assert_int_equal(world_tasks(world, spec), 2);
	fake_task_find(world->fake, 11)->state = GRP_STATE_ALIVE;
}

static bool is_noted(struct world *world)
{
	struct grp_journal record = {};

	return grp_unfinished_next(world->core, &record);
}

static void killed_in_a_pause(void **state)
{
	struct world *world = *state;

	move_by_half(world, "/a");
	assert_true(is_noted(world));
	world_restart(world);
	assert_int_equal(world_tasks(world, "/a"), 3);
	assert_false(is_noted(world));
}

/* Once more while it cannot be done: it stays noted, and the agent goes on. */
static void killed_twice(void **state)
{
	struct world *world = *state;
	struct grp_journal record = {};

	move_by_half(world, "/a");
	world->fake->before_pass = hold_back;
	world_restart(world);
	world->fake->before_pass = NULL;
	assert_int_equal(world_tasks(world, "/a"), 2);
	assert_true(grp_unfinished_next(world->core, &record));
	fake_task_find(world->fake, 11)->state = GRP_STATE_ALIVE;
	assert_int_equal(grp_unfinished_try(world->core, &record), 0);
	assert_int_equal(world_tasks(world, "/a"), 3);
	assert_false(is_noted(world));
}

/* What was ended, given up, or never began is not done again years later. */
static void nothing_is_left(void **state)
{
	struct grp_journal record = {};
	struct world *world = *state;

	move_by_half(world, "/a");
	assert_int_equal(world_move(world, "/a", 10, true), 0);
	assert_false(is_noted(world));

	move_by_half(world, "/b");
	assert_true(grp_unfinished_next(world->core, &record));
	grp_unfinished_forget(world->core, &record);
	assert_false(is_noted(world));
	world_restart(world);
	assert_int_equal(world_tasks(world, "/b"), 2);

	fake_task_find(world->fake, 12)->state = GRP_STATE_UNCLAIMED;
	assert_int_equal(world_move(world, "/a", 12, false), -EAGAIN);
	assert_false(is_noted(world));
}

/* Its number is another task's by then. */
static void gone_meanwhile(void **state)
{
	struct world *world = *state;

	move_by_half(world, "/a");
	for (uint32_t tid = 10; tid <= 12; tid++) {
		fake_task_exit(world->fake, tid);
		fake_task_reap(world->fake, tid);
	}
	for (uint32_t tid = 10; tid <= 12; tid++)
		fake_task_fork(world->fake, 1, tid, 10)->start_ns += 1;
	world_restart(world);
	assert_int_equal(world_tasks(world, "/a"), 0);
	assert_false(is_noted(world));
}

/* A SIGKILL at each of its updates: all of its threads, or none. */
static void killed_at_each_update(void **state)
{
	struct world *world = *state;
	unsigned int tasks;
	int r = 0;

	for (int updates = 0; r != -EAGAIN; updates++) {
		assert_true(updates < 50);
		assert_int_equal(world_move(world, "/b", 10, true), 0);
		world->fake->updates_left = updates;
		world->fake->before_pass = hold_back;
		r = world_move(world, "/a", 10, true);
		world->fake->before_pass = NULL;
		fake_task_find(world->fake, 11)->state = GRP_STATE_ALIVE;
		if (world->fake->updates_left > 0)
			r = -EAGAIN; /* that was all of it */
		else
			r = 0;
		world_restart(world);
		tasks = (unsigned int)world_tasks(world, "/a");
		if (tasks != 0 && tasks != 3)
			fail_msg("after %d updates: %u of 3 threads", updates, tasks);
		assert_false(is_noted(world));
	}
}

/* The last one who moves it decides, whichever thread he names. */
static void moved_elsewhere_meanwhile(void **state)
{
	struct world *world = *state;

	move_by_half(world, "/a");
	assert_int_equal(world_move(world, "/b", 12, true), 0);
	assert_false(is_noted(world));
	world_restart(world);
	assert_int_equal(world_tasks(world, "/b"), 3);

	/* Another process is none of its business. */
	move_by_half(world, "/a");
	fake_task_fork(world->fake, 1, 20, 20);
	assert_int_equal(world_move(world, "/b", 20, true), 0);
	assert_true(is_noted(world));
}

static void several_at_a_time(void **state)
{
	struct world *world = *state;

	for (uint32_t tid = 20; tid <= 22; tid++)
		fake_task_fork(world->fake, 1, tid, 20);
	move_by_half(world, "/a");
	fake_task_find(world->fake, 21)->state = GRP_STATE_UNCLAIMED;
	assert_int_equal(world_move(world, "/b", 20, true), -EAGAIN);
	fake_task_find(world->fake, 21)->state = GRP_STATE_ALIVE;
	assert_int_equal(world_tasks(world, "/b"), 2);
	world_restart(world);
	assert_int_equal(world_tasks(world, "/a"), 3);
	assert_int_equal(world_tasks(world, "/b"), 3);
	assert_false(is_noted(world));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(told_after_a_restart, setup, teardown),
		cmocka_unit_test_setup_teardown(killed_in_the_midst_of_a_group, setup, teardown),
		cmocka_unit_test_setup_teardown(killed_in_a_pause, setup, teardown),
		cmocka_unit_test_setup_teardown(killed_twice, setup, teardown),
		cmocka_unit_test_setup_teardown(nothing_is_left, setup, teardown),
		cmocka_unit_test_setup_teardown(gone_meanwhile, setup, teardown),
		cmocka_unit_test_setup_teardown(killed_at_each_update, setup, teardown),
		cmocka_unit_test_setup_teardown(moved_elsewhere_meanwhile, setup, teardown),
		cmocka_unit_test_setup_teardown(several_at_a_time, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
