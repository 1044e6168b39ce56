/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory placement over a kernel in memory: what tasks get, what they wished, what the
 * helper cannot do and when it is asked again, and an agent that is killed before any of
 * its updates, whether the helper still finishes or not.
 */
#include <errno.h>
#include <linux/mempolicy.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/event.h"
#include "memory_help.h"

/* --- tests ------------------------------------------------------------------------------------- */

static void unplaced_costs_nothing(void **state)
{
	run();
	say("/a", MPOL_BIND, ALL, false);
	move("/a", 10, true);
	run();
	assert_int_equal(world.fake->asked, 0);
	assert_false(world.fake->claimed);
	/* One look at the start, and none for the move. */
	assert_int_equal(world.fake->policy_passes, 1);
	assert_int_equal(grp_memory_due(world.core), 0);
}

static void all_threads_and_their_children(void **state)
{
	say("/a", MPOL_BIND, 2, false);
	move("/a", 10, true);
	run();
	for (uint32_t tid = 10; tid < 13; tid++)
		has(tid, MPOL_BIND, 2);
	has(1, MPOL_DEFAULT, 0);
	assert_true(world.fake->claimed);
	assert_int_equal(figures().mems_placed, 3);
	assert_int_equal(figures().mems_pending, 0);
	(void)fake_task_fork(world.fake, 11, 20, 10);
	say("/a", MPOL_INTERLEAVE, ALL, false);
	run();
	has(10, MPOL_INTERLEAVE, ALL);
	has(20, MPOL_INTERLEAVE, ALL);
	/* Nothing to do is nothing done. */
	world.fake->asked = 0;
	say("/a", MPOL_INTERLEAVE, ALL, false);
	run();
	assert_int_equal(world.fake->asked, 0);
	assert_int_equal(world.fake->ended, 0);
	run_for(60);
	assert_int_equal(world.fake->ended, 1);
	assert_int_equal(grp_memory_due(world.core), 0);
}

static void own_policy_is_kept_and_given_back(void **state)
{
	set(11, MPOL_PREFERRED, 1);
	say("/a", MPOL_BIND, 2, false);
	say("/b", MPOL_PREFERRED, ALL, false);
	say("/", MPOL_BIND, ALL, false);
	move("/a", 10, true);
	run();
	(void)fake_task_fork(world.fake, 11, 20, 10);
	move("/b", 10, true);
	run();
	/* The first of those. */
	has(11, MPOL_PREFERRED, 1);
	has(20, MPOL_PREFERRED, 1);
	/* Set by itself: remembered when it is next looked at. */
	set(12, MPOL_INTERLEAVE | MPOL_F_STATIC_NODES, ALL);
	move("/a", 10, true);
	run();
	has(12, MPOL_BIND, 2);
	move("/", 10, true);
	run();
	has(10, MPOL_DEFAULT, 0);
	has(11, MPOL_PREFERRED, 1);
	has(20, MPOL_PREFERRED, 1);
	has(12, MPOL_INTERLEAVE | MPOL_F_STATIC_NODES, ALL);
	run();
	assert_false(world.fake->claimed);
	for (size_t i = 0; i < world.fake->n_tasks; i++)
		assert_int_equal(world.fake->tasks[i].place, 0);
}

/* grpctl exec enters its group, and sets the policy itself. */
static void set_by_exec_is_no_wish(void **state)
{
	say("/a", MPOL_BIND, 2, false);
	say("/", MPOL_BIND, ALL, false);
	run();
	grp_memory_spare(world.core, 10, true);
	move("/a", 10, true);
	assert_int_equal(grp_memory_step(world.core, TURN_NS), 0);
	set(10, MPOL_BIND, 2);
	grp_memory_spare(world.core, 10, false);
	run();
	/* The others only. */
	assert_int_equal(figures().mems_placed, 2);
	move("/", 10, true);
	run();
	has(10, MPOL_DEFAULT, 0);
	/* One that had it when it came had it by itself. */
	set(10, MPOL_BIND, 2);
	move("/a", 10, true);
	run();
	move("/", 10, true);
	run();
	has(10, MPOL_BIND, 2);
	has(11, MPOL_DEFAULT, 0);
}

static void who_waits_for_us_is_not_stopped(void **state)
{
	say("/a", MPOL_BIND, 2, false);
	grp_memory_spare(world.core, 10, true);
	grp_memory_spare(world.core, 10, true);
	move("/a", 10, true);
	run();
	assert_int_equal(world.fake->asked, 0);
	grp_memory_spare(world.core, 10, false);
	run();
	assert_int_equal(world.fake->asked, 0);
	grp_memory_spare(world.core, 10, false);
	run();
	has(10, MPOL_BIND, 2);
	has(11, MPOL_BIND, 2);
}

static unsigned int told;

static void on_event(const struct grp_watch_event *event, void *data)
{
	if (event->kind != GRP_WATCH_PLACEMENT)
		return;
	told++;
	assert_int_equal(event->thread, 11);
	assert_int_equal(event->process, 10);
	assert_string_equal(event->reason, "traced");
	assert_ptr_equal(event->group, world_find(&world, "/a"));
}

static void traced_is_tried_again_ever_more_rarely(void **state)
{
	told = 0;
	grp_core_set_sink(world.core, on_event, NULL);
	task(11)->reluctant = GRP_PLACE_TRACED;
	say("/a", MPOL_BIND, 2, false);
	move("/a", 10, true);
	run();
	has(10, MPOL_BIND, 2);
	has(12, MPOL_BIND, 2);
	has(11, MPOL_DEFAULT, 0);
	assert_int_equal(figures().mems_pending, 1);
	/* Nobody holds up the others. */
	(void)fake_task_fork(world.fake, 12, 20, 10);
	has(20, MPOL_BIND, 2);
	/* Nor the one that it has borne. */
	(void)fake_task_fork(world.fake, 11, 21, 10);
	run_for(60);
	has(21, MPOL_BIND, 2);
	world.fake->asked = 0;
	run_for(300);
	assert_in_range(world.fake->asked, 9, 11);
	/* Once for each reason. */
	assert_int_equal(told, 1);
	task(11)->reluctant = 0;
	run_for(30);
	has(11, MPOL_BIND, 2);
	assert_int_equal(figures().mems_pending, 0);
}

/* Its group changes: at once. */
static void a_change_is_tried_at_once(void **state)
{
	task(11)->reluctant = GRP_PLACE_ASLEEP;
	say("/a", MPOL_BIND, 2, false);
	move("/a", 10, true);
	run_for(100);
	task(11)->reluctant = 0;
	world.fake->asked = 0;
	say("/a", MPOL_BIND, 1, false);
	run();
	has(11, MPOL_BIND, 1);
	assert_int_equal(world.fake->asked, 3);
}

static void what_does_not_pass_is_tried_rarely(void **state)
{
	task(11)->reluctant = GRP_PLACE_COMPAT;
	say("/a", MPOL_BIND, 2, false);
	say("/", MPOL_BIND, ALL, false);
	move("/a", 10, true);
	run();
	world.fake->asked = 0;
	run_for(295);
	assert_int_equal(world.fake->asked, 9);
	/* It never got it, so nothing is to be given back. */
	world.fake->asked = 0;
	move("/", 11, false);
	run();
	assert_int_equal(world.fake->asked, 0);
	assert_int_equal(task(11)->place, 0);
}

static void one_that_ends_is_forgotten(void **state)
{
	task(11)->reluctant = GRP_PLACE_TRACED;
	say("/a", MPOL_BIND, 2, false);
	move("/a", 10, true);
	run();
	fake_task_exit(world.fake, 11);
	run_for(60);
	assert_int_equal(figures().mems_pending, 0);
}

static void a_helper_that_dies_is_asked_again(void **state)
{
	say("/a", MPOL_BIND, 2, false);
	move("/a", 10, true);
	while (!world.fake->asked)
		assert_int_equal(grp_memory_step(world.core, TURN_NS), 0);
	fake_helper_die(world.fake, GRP_HELPER_POLICY);
	run_for(1);
	for (uint32_t tid = 10; tid < 13; tid++)
		has(tid, MPOL_BIND, 2);
}

/* The kernel's own cpuset has node 0 only. */
static void kernel_cpuset_gives_less(void **state)
{
	world.fake->nodes_allowed = 1;
	say("/a", MPOL_INTERLEAVE, ALL, false);
	say("/b", MPOL_BIND, 2, false);
	say("/", MPOL_BIND, ALL, false);
	move("/a", 10, true);
	run();
	has(10, MPOL_INTERLEAVE, 1);
	assert_int_equal(figures().mems_pending, 0);
	world.fake->asked = 0;
	run_for(60);
	move("/a", 1, false);
	run();
	assert_int_equal(world.fake->asked, 1);
	/* Nothing at all of what is asked for. */
	move("/b", 10, true);
	run();
	has(10, MPOL_INTERLEAVE, 1);
	assert_int_equal(figures().mems_pending, 3);
	move("/", 10, true);
	run();
	has(10, MPOL_DEFAULT, 0);
}

static void another_instance_places(void **state)
{
	const struct grp_memory memory = { .places = true, .mode = MPOL_INTERLEAVE };
	struct grp_error error = { 0 };

	world.fake->claimed_elsewhere = true;
	assert_int_equal(grp_memory_check(world.core, world_find(&world, "/a"), &memory, &error),
			 0);
	move("/a", 10, true);
	assert_int_equal(grp_memory_check(world.core, world_find(&world, "/a"), &memory, &error),
			 -EBUSY);
}

/* --- a SIGKILL before any update -------------------------------------------------------------- */

static void prepare(void)
{
	set(11, MPOL_PREFERRED, 1);
	say("/a", MPOL_BIND, 2, false);
	say("/b", MPOL_INTERLEAVE, ALL, false);
	say("/", MPOL_BIND, ALL, false);
	move("/a", 10, true);
	run();
	set(12, MPOL_INTERLEAVE, 2);
	move("/b", 10, true);
}

static void again(bool finishes)
{
	world.fake->updates_left = -1;
	if (finishes)
		(void)fake_helper_reply(world.fake, GRP_HELPER_POLICY, false);
	world.fake->asks[GRP_HELPER_POLICY].fn = NULL;
	world_restart(&world);
	say("/a", MPOL_BIND, 2, false);
	say("/b", MPOL_INTERLEAVE, ALL, false);
	say("/", MPOL_BIND, ALL, false);
	run();
	for (uint32_t tid = 10; tid < 13; tid++)
		has(tid, MPOL_INTERLEAVE, ALL);
	move("/", 10, true);
	run();
	has(10, MPOL_DEFAULT, 0);
	has(11, MPOL_PREFERRED, 1);
	has(12, MPOL_INTERLEAVE, 2);
}

static void killed_anywhere(bool finishes)
{
	bool ended = false;

	for (long n = 0; !ended; n++) {
		world_close(&world);
		open_world();
		prepare();
		world.fake->updates_left = n;
		for (unsigned int i = 0; i < 50 && grp_memory_due(world.core); i++) {
			if (grp_memory_step(world.core, TURN_NS) || !world.fake->updates_left)
				break;
			(void)fake_helper_reply(world.fake, GRP_HELPER_POLICY, true);
		}
		ended = world.fake->updates_left > 0;
		again(finishes);
		assert_true(n < 1000);
	}
}

static void killed_anywhere_and_the_helper_too(void **state)
{
	killed_anywhere(false);
}

static void killed_anywhere_and_the_helper_finishes(void **state)
{
	killed_anywhere(true);
}

static void release_gives_all_back(void **state)
{
	unsigned int left = 1;

	prepare();
	run();
	task(10)->reluctant = GRP_PLACE_TRACED;
	grp_core_free(world.core);
	world.core = NULL;
	assert_int_equal(grp_place_release(&fake_kernel_ops, world.fake, &world.fake->view, &left),
			 0);
	has(11, MPOL_PREFERRED, 1);
	has(12, MPOL_INTERLEAVE, 2);
	has(10, MPOL_INTERLEAVE, ALL);
	assert_int_equal(left, 1);
	task(10)->reluctant = 0;
	assert_int_equal(grp_place_release(&fake_kernel_ops, world.fake, &world.fake->view, &left),
			 0);
	has(10, MPOL_DEFAULT, 0);
	assert_int_equal(left, 0);
	for (size_t i = 0; i < world.fake->n_tasks; i++)
		assert_int_equal(world.fake->tasks[i].place, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(unplaced_costs_nothing),
		TEST(all_threads_and_their_children),
		TEST(own_policy_is_kept_and_given_back),
		TEST(set_by_exec_is_no_wish),
		TEST(who_waits_for_us_is_not_stopped),
		TEST(traced_is_tried_again_ever_more_rarely),
		TEST(a_change_is_tried_at_once),
		TEST(what_does_not_pass_is_tried_rarely),
		TEST(one_that_ends_is_forgotten),
		TEST(a_helper_that_dies_is_asked_again),
		TEST(kernel_cpuset_gives_less),
		TEST(another_instance_places),
		TEST(killed_anywhere_and_the_helper_too),
		TEST(killed_anywhere_and_the_helper_finishes),
		TEST(release_gives_all_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
