/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Release: the files, and when a group is due (spec REL-1...6, v1-behaviour I). What
 * is done then is tested with real programs in tests/e2e/release.bats.
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

/* --- the files ------------------------------------------------------------------------- */

/* REL-1, scenario 19. */
static void flags_are_inherited_once(void **state)
{
	static const char *const files[] = { "notify_on_release", "auto_delete",
					     "cgroup.clone_children" };
	struct world *world = *state;

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		release_holds(world, "/g", files[i], i == 2 ? "1\n" : "0\n");
		assert_int_equal(release_put(world, "/g", files[i], "1\n"), 0);
		release_holds(world, "/g", files[i], "1\n");
		world_mkdir(world, "/g/c");
		assert_int_equal(release_put(world, "/g", files[i], "0"), 0);
		release_holds(world, "/g/c", files[i], "1\n");
		world_restart(world);
		release_holds(world, "/g", files[i], "0\n");
		release_holds(world, "/g/c", files[i], "1\n");
		assert_int_equal(world_rmdir(world, "/g/c"), 0);
		assert_int_equal(release_put(world, "/g", files[i], "2x"), -EINVAL);
		release_holds(world, "/g", files[i], "0\n");
	}
}

/* REL-6. */
static void release_agent_file(void **state)
{
	const struct grp_caller nobody = { .uid = 65534 };
	char path[GRP_PATH_MAX + 1];
	struct world *world = *state;

	release_holds(world, "/", "release_agent", RELEASE_AGENT "\n");
	assert_int_equal(release_put(world, "/g", "release_agent", "/x"), -ENOENT);
	assert_int_equal(release_write_as(world, "/", "release_agent", "/x", &nobody), -EACCES);
	/* Whoever has the file: the program runs as root. */
	world_find(world, "/")->file_uid = nobody.uid;
	assert_int_equal(release_write_as(world, "/", "release_agent", "/x", &nobody), -EPERM);
	memset(path, 'a', sizeof(path));
	path[GRP_PATH_MAX] = '\0';
	assert_int_equal(release_put(world, "/", "release_agent", path), -E2BIG);
	release_holds(world, "/", "release_agent", RELEASE_AGENT "\n");
	path[GRP_PATH_MAX - 1] = '\0';
	assert_int_equal(release_put(world, "/", "release_agent", path), 0);
	assert_int_equal(release_put(world, "/", "release_agent", " \t/a b \n"), 0);
	release_holds(world, "/", "release_agent", "/a b\n");
	world_restart(world);
	release_holds(world, "/", "release_agent", "/a b\n");
	assert_int_equal(release_put(world, "/", "release_agent", "\n"), 0);
	release_holds(world, "/", "release_agent", "\n");
}

static void mount_names_an_agent(void **state)
{
	struct world *world = *state;

	assert_int_equal(grp_hierarchy_mount(world->core, "h", "cpuacct,release_agent=/one", NULL),
			 0);
	release_holds(world, "h:/", "release_agent", "/one\n");
	assert_int_equal(
		grp_hierarchy_remount(world->core, "h", "cpuacct,release_agent=/two", NULL), 0);
	release_holds(world, "h:/", "release_agent", "/two\n");
	assert_int_equal(grp_hierarchy_remount(world->core, "h", "cpuacct", NULL), 0);
	release_holds(world, "h:/", "release_agent", "/two\n");
	release_holds(world, "/", "release_agent", RELEASE_AGENT "\n");
}

/* --- when -------------------------------------------------------------------------------- */

/* REL-2, REL-3, scenario 16. */
static void last_exit_move_or_child(void **state)
{
	struct world *world = *state;

	assert_int_equal(release_put(world, "/g", "notify_on_release", "1"), 0);
	release_enter(world, "/g", 10);
	release_enter(world, "/g", 11);
	assert_string_equal(release_due(world), "");
	release_leave(world, 10);
	assert_string_equal(release_due(world), "");
	release_leave(world, 11);
	assert_string_equal(release_due(world), "run:g");
	assert_string_equal(release_due(world), "");
	assert_false(release_marked(world, "/g"));

	release_enter(world, "/g", 12);
	assert_int_equal(world_move(world, "/", 12, true), 0);
	assert_string_equal(release_due(world), "run:g");

	world_mkdir(world, "/g/c");
	assert_true(release_marked(world, "/g"));
	assert_int_equal(release_put(world, "/g/c", "notify_on_release", "0"), 0);
	release_enter(world, "/g", 13);
	assert_int_equal(world_rmdir(world, "/g/c"), 0);
	assert_string_equal(release_due(world), "");
	world_mkdir(world, "/g/c");
	release_leave(world, 13);
	assert_string_equal(release_due(world), "");
	assert_int_equal(world_rmdir(world, "/g/c"), 0);
	assert_string_equal(release_due(world), "run:g");
}

static void what_releases_nothing(void **state)
{
	struct world *world = *state;

	release_enter(world, "/g", 10);
	release_leave(world, 10);
	assert_string_equal(release_due(world), "");
	/* Set on an empty group. */
	assert_int_equal(release_put(world, "/g", "notify_on_release", "1"), 0);
	assert_string_equal(release_due(world), "");
	/* Never used; also a start must not take it for one. */
	world_mkdir(world, "/unused");
	assert_int_equal(release_put(world, "/unused", "notify_on_release", "1"), 0);
	world_restart(world);
	assert_string_equal(release_due(world), "");
	assert_int_equal(world_rmdir(world, "/unused"), 0);
	/* The root. */
	assert_int_equal(release_put(world, "/", "notify_on_release", "1"), 0);
	assert_int_equal(release_put(world, "/", "auto_delete", "1"), 0);
	assert_int_equal(world_rmdir(world, "/g"), 0);
	release_leave(world, 1);
	assert_string_equal(release_due(world), "");
	assert_int_equal(release_put(world, "/", "auto_delete", "0"), 0);
}

/*
 * All members of a group that has none: the target was marked for it, and must lose
 * the mark, or the next start takes it for one that somebody has left.
 */
static void nobody_came(void **state)
{
	struct world *world = *state;
	struct grp_target target = {};

	world_mkdir(world, "/none");
	assert_int_equal(release_put(world, "/g", "auto_delete", "1"), 0);
	assert_int_equal(grp_target_add(&target, world_find(world, "/g")), 0);
	assert_int_equal(grp_attach_members(world->core, &target, world_find(world, "/none"),
					    &world_root, NULL, NULL),
			 0);
	assert_false(release_marked(world, "/g"));
	world_restart(world);
	assert_string_equal(release_due(world), "");
}

/* Killed after @updates of an attach of task 10 to /g, which has ended meanwhile or not. */
static void killed_after(struct world *world, long updates, bool ended)
{
	release_open(world);
	assert_int_equal(release_put(world, "/g", "auto_delete", "1"), 0);
	fake_task_fork(world->fake, 1, 10, 10);
	world->fake->updates_left = updates;
	(void)world_move(world, "/g", 10, true);
	/* In the store the mark is what it was; the real agent would not go on. */
	if (ended)
		release_leave(world, 10);
	world->fake->n_events = 0;
	world_restart(world);
	world_restart(world);
}

/* Only a group that somebody has been in is released. */
static void killed_before_anybody_came(void **state)
{
	struct world *world = *state;

	/* 1: journal; 2: and mark; 3: and set, and the task has moved. */
	for (long updates = 0; updates <= 4; updates++) {
		bool entered = updates >= 3;

		world_close(world);
		killed_after(world, updates, true);
		assert_int_equal(release_marked(world, "/g"), entered);
		assert_string_equal(release_due(world), entered ? "remove:g" : "");
		world_close(world);
		killed_after(world, updates, false);
		assert_int_equal(world_tasks(world, "/g"), updates > 0);
		assert_int_equal(release_marked(world, "/g"), updates > 0);
		assert_string_equal(release_due(world), "");
	}
}

static void set_while_occupied(void **state)
{
	struct world *world = *state;

	release_enter(world, "/g", 10);
	assert_false(release_marked(world, "/g"));
	assert_int_equal(release_put(world, "/g", "notify_on_release", "1"), 0);
	assert_true(release_marked(world, "/g"));
	release_leave(world, 10);
	assert_string_equal(release_due(world), "run:g");
}

/* REL-3, H. */
static void writing_the_flag_takes_the_mark(void **state)
{
	struct world *world = *state;

	assert_int_equal(release_put(world, "/g", "notify_on_release", "1"), 0);
	release_enter(world, "/g", 10);
	release_leave(world, 10);
	release_pump(world);
	assert_true(grp_release_waits(world->core, GRP_RELEASE_RUN));
	assert_int_equal(release_put(world, "/g", "notify_on_release", "1"), 0);
	assert_string_equal(release_due(world), "");
	/* What auto_delete waits for is not its business. */
	assert_int_equal(release_put(world, "/g", "auto_delete", "1"), 0);
	release_enter(world, "/g", 11);
	release_leave(world, 11);
	release_pump(world);
	assert_int_equal(release_put(world, "/g", "notify_on_release", "0"), 0);
	assert_string_equal(release_due(world), "remove:g");
	assert_null(world_find(world, "/g"));
}

static void references(void **state)
{
	struct world *world = *state;
	struct grp_group *group = world_find(world, "/g");

	assert_int_equal(release_put(world, "/g", "notify_on_release", "1"), 0);
	grp_group_hold(group);
	grp_group_hold(group);
	release_enter(world, "/g", 10);
	release_leave(world, 10);
	assert_string_equal(release_due(world), "");
	grp_group_release(world->core, group);
	assert_string_equal(release_due(world), "");
	grp_group_release(world->core, group);
	assert_string_equal(release_due(world), "run:g");
}

static void in_each_hierarchy(void **state)
{
	struct world *world = *state;

	assert_int_equal(grp_hierarchy_mount(world->core, "h", "none,release_agent=/h", NULL), 0);
	world_mkdir(world, "h:/x");
	assert_int_equal(release_put(world, "/g", "notify_on_release", "1"), 0);
	assert_int_equal(release_put(world, "h:/x", "notify_on_release", "1"), 0);
	release_enter(world, "/g", 10);
	assert_int_equal(world_move(world, "h:/x", 10, true), 0);
	assert_string_equal(release_due(world), "");
	release_leave(world, 10);
	assert_string_equal(release_due(world), "run:g run:x");
}

int main(void)
{
#define TEST(FUNCTION) cmocka_unit_test_setup_teardown(FUNCTION, release_setup, release_teardown)
	const struct CMUnitTest tests[] = {
		TEST(flags_are_inherited_once),
		TEST(release_agent_file),
		TEST(mount_names_an_agent),
		TEST(last_exit_move_or_child),
		TEST(what_releases_nothing),
		TEST(nobody_came),
		TEST(killed_before_anybody_came),
		TEST(set_while_occupied),
		TEST(writing_the_flag_takes_the_mark),
		TEST(references),
		TEST(in_each_hierarchy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
