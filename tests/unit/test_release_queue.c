/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Release: that a group is due once (REL-10), auto_delete (CLONE-5), and that neither
 * a lost event nor a SIGKILL loses a release or makes one up.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/release.h"
#include "core/subsystem.h"
#include "release_help.h"

/* --- the queue ------------------------------------------------------------------------------ */

/* REL-10, REL-5. */
static void at_most_once_and_looked_at_again(void **state)
{
	struct world *world = *state;

	assert_int_equal(release_put(world, "/g", "notify_on_release", "1"), 0);
	world_mkdir(world, "/g/gone");
	release_enter(world, "/g/gone", 9);
	release_leave(world, 9);
	for (uint32_t tid = 10; tid < 20; tid++) {
		release_enter(world, "/g", tid);
		release_leave(world, tid);
	}
	release_pump(world);
	assert_int_equal(world_rmdir(world, "/g/gone"), 0);
	assert_string_equal(release_due(world), "run:g");

	release_enter(world, "/g", 20);
	release_leave(world, 20);
	release_pump(world);
	release_enter(world, "/g", 21);
	assert_string_equal(release_due(world), "");
	assert_true(release_marked(world, "/g"));
	release_leave(world, 21);
	assert_string_equal(release_due(world), "run:g");
}

static void put_back_comes_first(void **state)
{
	struct world *world = *state;
	struct grp_group *first;

	assert_int_equal(release_put(world, "/", "notify_on_release", "1"), 0);
	world_mkdir(world, "/a");
	world_mkdir(world, "/b");
	release_enter(world, "/a", 10);
	release_enter(world, "/b", 11);
	release_leave(world, 10);
	release_leave(world, 11);
	release_pump(world);
	first = grp_release_next(world->core, GRP_RELEASE_RUN);
	assert_string_equal(first->name, "a");
	grp_release_put_back(world->core, first);
	assert_string_equal(release_due(world), "run:a run:b");
}

/* REL-8, RACE-10. */
static void no_agent_no_notification(void **state)
{
	struct world *world = *state;

	assert_int_equal(release_put(world, "/g", "notify_on_release", "1"), 0);
	release_enter(world, "/g", 10);
	release_leave(world, 10);
	release_pump(world);
	/* The path goes before its turn ... */
	assert_int_equal(release_put(world, "/", "release_agent", ""), 0);
	assert_string_equal(release_due(world), "");
	assert_false(release_marked(world, "/g"));
	/* ... or was not there; none is kept for later. */
	release_enter(world, "/g", 11);
	release_leave(world, 11);
	assert_string_equal(release_due(world), "");
	assert_int_equal(release_put(world, "/", "release_agent", RELEASE_AGENT), 0);
	world_restart(world);
	assert_string_equal(release_due(world), "");
}

static void lost_events(void **state)
{
	struct world *world = *state;

	assert_int_equal(release_put(world, "/g", "notify_on_release", "1"), 0);
	release_enter(world, "/g", 10);
	release_leave(world, 10);
	assert_int_equal(world->fake->n_events, 1);
	world->fake->n_events = 0;
	world_collect(world);
	assert_string_equal(release_due(world), "");
	world->fake->stats[GRP_STAT_EVENTS_LOST]++;
	world_collect(world);
	assert_string_equal(release_due(world), "run:g");
}

/* --- auto_delete --------------------------------------------------------------------------- */

/* CLONE-5; the parent's turn comes with it. */
static void auto_delete_alone(void **state)
{
	struct world *world = *state;

	assert_int_equal(release_put(world, "/g", "auto_delete", "1"), 0);
	world_mkdir(world, "/g/c");
	release_enter(world, "/g/c", 10);
	assert_string_equal(release_due(world), "");
	release_leave(world, 10);
	assert_string_equal(release_due(world), "remove:c remove:g");
	assert_null(world_find(world, "/g"));
}

/* Root does it: only who could remove the group may ask for it. */
static void auto_delete_needs_the_parent(void **state)
{
	const struct grp_caller owner = { .uid = 5, .gid = 5 };
	struct world *world = *state;
	struct grp_group *group = world_find(world, "/g");

	group->file_uid = owner.uid;
	assert_int_equal(release_write_as(world, "/g", "notify_on_release", "1", &owner), 0);
	assert_int_equal(release_write_as(world, "/g", "auto_delete", "1", &owner), -EACCES);
	release_holds(world, "/g", "auto_delete", "0\n");
	world_mkdir(world, "/g/c")->file_uid = owner.uid;
	group->inode.uid = owner.uid;
	assert_int_equal(release_write_as(world, "/g/c", "auto_delete", "1", &owner), 0);
	assert_int_equal(release_write_as(world, "/g/c", "auto_delete", "0", &owner), 0);
}

static void start_run(struct world *world, uint64_t run)
{
	struct grp_group *group;

	release_pump(world);
	group = grp_release_next(world->core, GRP_RELEASE_RUN);
	assert_non_null(group);
	assert_int_equal(grp_release_started(world->core, group, run), 0);
}

static void both_flags(void **state)
{
	struct world *world = *state;
	struct grp_group *group = world_find(world, "/g");

	assert_int_equal(release_put(world, "/g", "notify_on_release", "1"), 0);
	assert_int_equal(release_put(world, "/g", "auto_delete", "1"), 0);
	release_enter(world, "/g", 10);
	release_leave(world, 10);
	start_run(world, 1);
	/* Nothing new while it reads the final counters. */
	world->fake->stats[GRP_STAT_EVENTS_LOST]++;
	world_collect(world);
	assert_string_equal(release_due(world), "");
	/* Somebody comes in and goes: that is another release. */
	release_enter(world, "/g", 11);
	release_leave(world, 11);
	start_run(world, 2);
	assert_null(grp_release_ended(world->core, group->id, 1));
	assert_ptr_equal(grp_release_ended(world->core, group->id, 2), group);
	/* Occupied when it ends: it lives on. */
	grp_release_put_back(world->core, group);
	start_run(world, 3);
	release_enter(world, "/g", 12);
	assert_null(grp_release_ended(world->core, group->id, 3));
	release_leave(world, 12);
	/* The flag is taken away meanwhile: announced is announced. */
	start_run(world, 4);
	assert_int_equal(release_put(world, "/g", "auto_delete", "0"), 0);
	assert_null(grp_release_ended(world->core, group->id, 4));
	assert_false(release_marked(world, "/g"));
	assert_string_equal(release_due(world), "");
	/* The program has removed it itself. */
	assert_int_equal(world_rmdir(world, "/g"), 0);
	assert_null(grp_release_ended(world->core, 77, 5));
}

static void unmounted_hierarchies(void **state)
{
	struct world *world = *state;

	assert_int_equal(grp_hierarchy_mount(world->core, "h", "none", NULL), 0);
	world_mkdir(world, "h:/x");
	assert_int_equal(release_put(world, "h:/x", "auto_delete", "1"), 0);
	release_enter(world, "h:/x", 10);
	assert_int_equal(grp_hierarchy_umount(world->core, "h", NULL), 0);
	release_leave(world, 10);
	assert_string_equal(release_due(world), "remove:x");
	world_collect(world);
	assert_null(grp_hierarchy_at(world->core, 1));
}

/* --- SIGKILL ---------------------------------------------------------------------------------- */

/* R2. */
static void done_by_the_next_agent(void **state)
{
	struct world *world = *state;

	assert_int_equal(release_put(world, "/g", "notify_on_release", "1"), 0);
	release_enter(world, "/g", 10);
	/* While there is no agent; its event finds nobody. */
	release_leave(world, 10);
	world->fake->n_events = 0;
	world_restart(world);
	/* Killed between the start of the program and the store: once more. */
	assert_non_null(grp_release_next(world->core, GRP_RELEASE_RUN));
	world_restart(world);
	assert_string_equal(release_due(world), "run:g");
	world_restart(world);
	assert_string_equal(release_due(world), "");
	/* With auto_delete until the group is gone. */
	assert_int_equal(release_put(world, "/g", "auto_delete", "1"), 0);
	release_enter(world, "/g", 11);
	release_leave(world, 11);
	start_run(world, 1);
	world_restart(world);
	assert_string_equal(release_due(world), "run:g");
}

static void failed_attach_is_no_use(void **state)
{
	struct world *world = *state;

	assert_int_equal(release_put(world, "/g", "notify_on_release", "1"), 0);
	fake_task_fork(world->fake, 1, 10, 10);
	fake_task_find(world->fake, 10)->state = GRP_STATE_UNCLAIMED;
	assert_int_equal(world_move(world, "/g", 10, false), -EAGAIN);
	assert_false(release_marked(world, "/g"));
	fake_task_find(world->fake, 10)->state = GRP_STATE_ALIVE;
	assert_int_equal(world_move(world, "/g", 10, false), 0);
	assert_true(release_marked(world, "/g"));
}

static int attach_one(struct world *world)
{
	return world_move(world, "/g", 10, true);
}

static int make_child(struct world *world)
{
	return grp_group_make(world->core, world_find(world, "/g"), "c", 0755, &world_root, NULL,
			      NULL);
}

/* R1 holds after every prefix, and nobody who was never entered is announced. */
static bool cut_off(int (*run)(struct world *world), long updates)
{
	struct world world;
	bool occupied;
	int r;

	release_open(&world);
	assert_int_equal(release_put(&world, "/g", "notify_on_release", "1"), 0);
	fake_task_fork(world.fake, 1, 10, 10);
	world.fake->updates_left = updates;
	r = run(&world);
	assert_true(!r || r == -ECANCELED);
	world_restart(&world);
	occupied = world_find(&world, "/g")->n_children || world_tasks(&world, "/g");
	assert_true(occupied || r);
	assert_int_equal(release_marked(&world, "/g"), occupied);
	assert_string_equal(release_due(&world), "");
	if (occupied && world_find(&world, "/g/c"))
		assert_int_equal(world_rmdir(&world, "/g/c"), 0);
	else
		release_leave(&world, 10);
	assert_string_equal(release_due(&world), occupied ? "run:g" : "");
	world_close(&world);
	return !r;
}

static void every_prefix_is_recoverable(void **state)
{
	(void)state;
	for (long updates = 0; !cut_off(attach_one, updates); updates++)
		assert_true(updates < 20);
	for (long updates = 0; !cut_off(make_child, updates); updates++)
		assert_true(updates < 20);
}

int main(void)
{
#define TEST(FUNCTION) cmocka_unit_test_setup_teardown(FUNCTION, release_setup, release_teardown)
	const struct CMUnitTest tests[] = {
		TEST(at_most_once_and_looked_at_again),
		TEST(put_back_comes_first),
		TEST(no_agent_no_notification),
		TEST(lost_events),
		TEST(auto_delete_alone),
		TEST(auto_delete_needs_the_parent),
		TEST(both_flags),
		TEST(unmounted_hierarchies),
		TEST(done_by_the_next_agent),
		TEST(failed_attach_is_no_use),
		cmocka_unit_test(every_prefix_is_recoverable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
