/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The framework of subsystems (API-*, CSS-1, EN-*): who is called when, in which
 * order, and what is taken back. xa, xb and xs write down each call.
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
	world_collect(&world);
	test_subsys_forget();
	*state = &world;
	return 0;
}

static int teardown(void **state)
{
	world_close(*state);
	return 0;
}

static void assert_calls(const char *expected)
{
	assert_string_equal(test_subsys_trace(), expected);
	test_subsys_forget();
}

static int make(struct world *world, const char *parent, const char *name)
{
	return grp_group_make(world->core, world_find(world, parent), name, 0755, &world_root, NULL,
			      NULL);
}

/* xa is bound to "ha", xb to "hb", each with a group g. */
static void split(struct world *world)
{
	assert_int_equal(world_rmdir(world, "/a"), 0);
	assert_int_equal(world_rmdir(world, "/b"), 0);
	assert_int_equal(grp_hierarchy_mount(world->core, "ha", "xa", NULL), 0);
	assert_int_equal(grp_hierarchy_mount(world->core, "hb", "xb", NULL), 0);
	world_mkdir(world, "ha:/g");
	world_mkdir(world, "hb:/g");
	world_collect(world);
	test_subsys_forget();
}

static int move_to_both(struct world *world, pid_t tid)
{
	const struct grp_task_id id = { .tid = tid, .whole = true };
	struct grp_target target = {};

	assert_int_equal(grp_target_add(&target, world_find(world, "ha:/g")), 0);
	assert_int_equal(grp_target_add(&target, world_find(world, "hb:/g")), 0);
	return grp_attach(world->core, &target, &id, &world_root, NULL, NULL);
}

/* --- life --------------------------------------------------------------------------------- */

/* CONT-1, API-7. */
static void creation_is_unwound_in_reverse(void **state)
{
	struct world *world = *state;

	assert_int_equal(make(world, "/a", "g"), 0);
	assert_calls("xa.create /a/g\nxb.create /a/g\nxs.create /a/g\n");
	assert_int_equal(world_write(world, "/", "xs.create_error", "EDOM"), 0);
	assert_int_equal(make(world, "/a", "h"), -EDOM);
	assert_calls("xa.create /a/h\nxb.create /a/h\nxs.create /a/h\n"
		     "xb.destroy /a/h\nxa.destroy /a/h\n");
	assert_int_equal(world_write(world, "/", "xa.create_error", "ENOMEM"), 0);
	assert_int_equal(make(world, "/a", "h"), -ENOMEM);
	assert_calls("xa.create /a/h\n");
	assert_null(world_find(world, "/a/h"));
	assert_int_equal(world_find(world, "/a")->n_children, 1);
	world_restart(world);
	assert_null(world_find(world, "/a/h"));
	test_subsys_forget();
	assert_int_equal(world_rmdir(world, "/a/g"), 0);
	assert_calls("xs.destroy /a/g\nxb.destroy /a/g\nxa.destroy /a/g\n");
}

static void a_record_that_is_refused(void **state)
{
	struct world *world = *state;

	assert_int_equal(world_write(world, "/a", "xa.inherited", "3"), 0);
	for (long updates = 0; updates < 2; updates++) {
		world->fake->updates_left = updates;
		assert_int_equal(make(world, "/a", "g"), -ECANCELED);
		world->fake->updates_left = -1;
		assert_null(world_find(world, "/a/g"));
	}
	assert_calls("xa.create /a/g\n"
		     "xa.create /a/g\nxb.create /a/g\nxs.create /a/g\n"
		     "xs.destroy /a/g\nxb.destroy /a/g\nxa.destroy /a/g\n");
	assert_int_equal(make(world, "/a", "g"), 0);
	world_holds(world, "/a/g", "xa.inherited", "3\n");
	world_restart(world);
	world_holds(world, "/a/g", "xa.inherited", "3\n");
}

static void settings_are_copied_once(void **state)
{
	struct world *world = *state;

	assert_int_equal(world_write(world, "/a", "xa.inherited", "3"), 0);
	assert_int_equal(world_write(world, "/a", "xa.setting", "4"), 0);
	world_mkdir(world, "/a/g");
	assert_int_equal(world_write(world, "/a", "xa.inherited", "5"), 0);
	world_holds(world, "/a/g", "xa.inherited", "3\n");
	world_holds(world, "/a/g", "xa.setting", "0\n");
	assert_int_equal(world_write(world, "/a", "xa.setting", "4a"), -EINVAL);
	world_restart(world);
	world_holds(world, "/a", "xa.inherited", "5\n");
	world_holds(world, "/a", "xa.setting", "4\n");
	world_holds(world, "/a/g", "xa.inherited", "3\n");
}

/* CSS-1, CONT-7: tasks, then children, then references. */
static void references_keep_a_group(void **state)
{
	struct world *world = *state;
	struct grp_error error = {};

	assert_int_equal(world_write(world, "/a", "xb.hold", "1"), 0);
	world_mkdir(world, "/a/g");
	assert_int_equal(world_move(world, "/a", 10, true), 0);
	assert_int_equal(grp_group_remove(world->core, world_find(world, "/a"), &world_root,
					  &error),
			 -EBUSY);
	assert_non_null(strstr(error.message, "3 tasks"));
	assert_int_equal(world_move(world, "/", 10, true), 0);
	assert_int_equal(grp_group_remove(world->core, world_find(world, "/a"), &world_root,
					  &error),
			 -EBUSY);
	assert_non_null(strstr(error.message, "1 group"));
	assert_int_equal(world_rmdir(world, "/a/g"), 0);
	assert_int_equal(grp_group_remove(world->core, world_find(world, "/a"), &world_root,
					  &error),
			 -EBUSY);
	assert_non_null(strstr(error.message, "subsystem"));
	test_subsys_forget();
	assert_int_equal(world_write(world, "/a", "xb.hold", "0"), 0);
	assert_int_equal(world_rmdir(world, "/a"), 0);
	assert_calls("xs.destroy /a\nxb.destroy /a\nxa.destroy /a\n");
	/* CSS-2: a root is not counted. */
	assert_int_equal(world_write(world, "/", "xb.hold", "1"), 0);
	assert_int_equal(world_find(world, "/")->references, 0);
}

/* --- moves ---------------------------------------------------------------------------------- */

/* TASK-9: the first error, nothing changed, what was reserved is given back. */
static void a_veto_is_cancelled_in_reverse(void **state)
{
	struct world *world = *state;

	assert_int_equal(world_write(world, "/a", "xs.veto", "EPERM"), 0);
	assert_int_equal(world_move(world, "/a", 10, true), -EPERM);
	assert_calls("xa.can_attach /a 3\nxb.can_attach /a 3\nxs.can_attach /a 3\n"
		     "xb.cancel /a 3\nxa.cancel /a 3\n");
	assert_int_equal(world_write(world, "/a", "xa.veto", "EDOM"), 0);
	assert_int_equal(world_move(world, "/a", 11, false), -EDOM);
	assert_calls("xa.can_attach /a 1\n");
	assert_int_equal(world_tasks(world, "/"), 4);
	assert_int_equal(world->fake->journal[GRP_JOURNAL_ENTRY_ATTACH].op, GRP_JOURNAL_NONE);
	assert_int_equal(world->fake->passes[GRP_PASS_MOVE], 0);
}

static void a_veto_in_one_of_two_hierarchies(void **state)
{
	struct world *world = *state;

	split(world);
	assert_int_equal(world_write(world, "hb:/g", "xb.veto", "EPERM"), 0);
	assert_int_equal(move_to_both(world, 10), -EPERM);
	assert_calls("xa.can_attach /g 3\nxb.can_attach /g 3\nxa.cancel /g 3\n");
	assert_int_equal(world_tasks(world, "ha:/g"), 0);
	assert_int_equal(world_write(world, "hb:/g", "xb.veto", "0"), 0);
	assert_int_equal(move_to_both(world, 10), 0);
	assert_calls("xa.can_attach /g 3\nxb.can_attach /g 3\nxa.attach /g 3\nxb.attach /g 3\n");
}

static void a_move_that_fails_is_cancelled(void **state)
{
	struct world *world = *state;

	world->fake->updates_left = 0;
	assert_int_equal(world_move(world, "/a", 11, false), -ECANCELED);
	assert_calls("xa.can_attach /a 1\nxb.can_attach /a 1\nxs.can_attach /a 1\n"
		     "xs.cancel /a 1\nxb.cancel /a 1\nxa.cancel /a 1\n");
	world->fake->updates_left = 1; /* the journal; then no set can be made */
	assert_int_equal(world_move(world, "/a", 11, false), -ECANCELED);
	world->fake->updates_left = -1;
	assert_calls("xa.can_attach /a 1\nxb.can_attach /a 1\nxs.can_attach /a 1\n"
		     "xs.cancel /a 1\nxb.cancel /a 1\nxa.cancel /a 1\n");
	assert_int_equal(world_tasks(world, "/a"), 0);
}

/* API-5: exactly those that were elsewhere in this hierarchy. */
static void who_has_moved_is_told(void **state)
{
	struct world *world = *state;

	assert_int_equal(world_move(world, "/a", 11, false), 0);
	assert_calls("xa.can_attach /a 1\nxb.can_attach /a 1\nxs.can_attach /a 1\n"
		     "xa.attach /a 1\nxb.attach /a 1\nxs.attach /a 1\n");
	assert_int_equal(world_move(world, "/a", 10, true), 0);
	assert_calls("xa.can_attach /a 2\nxb.can_attach /a 2\nxs.can_attach /a 2\n"
		     "xa.attach /a 2\nxb.attach /a 2\nxs.attach /a 2\n");
}

static void each_hierarchy_is_told_of_its_own(void **state)
{
	struct world *world = *state;

	split(world);
	assert_int_equal(world_move(world, "ha:/g", 11, false), 0);
	assert_int_equal(world_move(world, "ha:/g", 12, false), 0);
	test_subsys_forget();
	assert_int_equal(move_to_both(world, 10), 0);
	assert_calls("xa.can_attach /g 1\nxb.can_attach /g 3\nxa.attach /g 1\nxb.attach /g 3\n");
}

/* VER-8. */
static void who_is_there_already_is_no_move(void **state)
{
	struct world *world = *state;
	const struct grp_task_id id = { .tid = 10, .whole = true };
	struct grp_target target = {};
	unsigned int moved = 0, passes;

	assert_int_equal(world_move(world, "/a", 10, true), 0);
	assert_int_equal(world_write(world, "/a", "xa.veto", "EPERM"), 0);
	test_subsys_forget();
	passes = world->fake->passes[GRP_PASS_MOVE];
	assert_int_equal(grp_target_add(&target, world_find(world, "/a")), 0);
	assert_int_equal(grp_attach(world->core, &target, &id, &world_root, NULL, &moved), 0);
	assert_int_equal(moved, 3);
	assert_calls("");
	assert_int_equal(world->fake->passes[GRP_PASS_MOVE], passes);
}

static void born_in_the_old_group(struct fake_kernel *fake, enum grp_pass kind, void *data)
{
	bool *done = data;

	if (kind != GRP_PASS_MOVE || *done)
		return;
	fake_task_fork(fake, 12, 13, 10);
	*done = true;
}

static void who_was_born_meanwhile_is_told(void **state)
{
	struct world *world = *state;
	bool done = false;

	world->fake->before_pass = born_in_the_old_group;
	world->fake->before_pass_data = &done;
	assert_int_equal(world_move(world, "/a", 10, true), 0);
	world->fake->before_pass = NULL;
	assert_calls("xa.can_attach /a 3\nxb.can_attach /a 3\nxs.can_attach /a 3\n"
		     "xa.attach /a 4\nxb.attach /a 4\nxs.attach /a 4\n");
}

static void all_of_a_group(void **state)
{
	struct world *world = *state;
	struct grp_target target = {};

	assert_int_equal(world_move(world, "/a", 10, true), 0);
	test_subsys_forget();
	assert_int_equal(grp_target_add(&target, world_find(world, "/b")), 0);
	assert_int_equal(world_write(world, "/b", "xb.veto", "EPERM"), 0);
	assert_int_equal(grp_attach_members(world->core, &target, world_find(world, "/a"),
					    &world_root, NULL, NULL),
			 -EPERM);
	assert_calls("xa.can_attach /b 3\nxb.can_attach /b 3\nxa.cancel /b 3\n");
	assert_int_equal(world_write(world, "/b", "xb.veto", "0"), 0);
	assert_int_equal(grp_attach_members(world->core, &target, world_find(world, "/a"),
					    &world_root, NULL, NULL),
			 0);
	assert_calls("xa.can_attach /b 3\nxb.can_attach /b 3\nxs.can_attach /b 3\n"
		     "xa.attach /b 3\nxb.attach /b 3\nxs.attach /b 3\n");
}

/* TASK-10: asked without a task. */
static void could_any_task_enter(void **state)
{
	struct world *world = *state;
	struct grp_group *group = world_find(world, "/a");
	struct grp_error error = {};

	assert_int_equal(grp_group_can_attach(world->core, group, &world_root, NULL), 0);
	assert_calls("xa.can_attach /a\nxb.can_attach /a\nxs.can_attach /a\n");
	assert_int_equal(world_write(world, "/a", "xb.veto", "EPERM"), 0);
	assert_int_equal(grp_group_can_attach(world->core, group, &world_root, &error), -EPERM);
	assert_non_null(strstr(error.message, "xb.veto"));
	assert_calls("xa.can_attach /a\nxb.can_attach /a\n");
}

/* --- births and exits -------------------------------------------------------------------------- */

/* FE-6: exact, and each is told once. */
static void births_and_exits_are_counted(void **state)
{
	struct world *world = *state;

	assert_int_equal(world_move(world, "/a", 10, true), 0);
	test_subsys_forget();
	for (uint32_t tid = 20; tid < 25; tid++)
		fake_task_fork(world->fake, 11, tid, tid);
	fake_task_exit(world->fake, 20);
	world_collect(world);
	assert_calls("xa.fork /a 5\nxa.exit /a 1\nxb.fork /a 5\nxb.exit /a 1\n"
		     "xs.fork /a 5\nxs.exit /a 1\n");
	/* Neither a move nor the end of a set is a birth. */
	assert_int_equal(world_move(world, "/b", 21, true), 0);
	for (uint32_t tid = 20; tid < 21; tid++)
		fake_task_reap(world->fake, tid);
	test_subsys_forget();
	world_collect(world);
	assert_calls("");
	/* What rmdir finds untold it tells before it takes the state. */
	fake_task_exit(world->fake, 21);
	assert_int_equal(world_rmdir(world, "/b"), 0);
	assert_calls("xa.exit /b 1\nxb.exit /b 1\nxs.exit /b 1\n"
		     "xs.destroy /b\nxb.destroy /b\nxa.destroy /b\n");
	fake_task_reap(world->fake, 21);
	world_collect(world);
	assert_calls("");
	/* At a start, and at a binding, all that are there are new. */
	test_subsys_forget();
	world_restart(world);
	assert_non_null(strstr(test_subsys_trace(), "xa.fork / 1\nxb.fork / 1\nxs.fork / 1\n"
						    "xa.fork /a 6\nxb.fork /a 6\nxs.fork /a 6\n"));
	assert_null(strstr(test_subsys_trace(), "exit"));
}

/* --- off and on -------------------------------------------------------------------------------- */

static bool has_file(struct world *world, const char *spec, const char *name)
{
	return grp_file_find(world->core, world_find(world, spec), name, NULL);
}

/* EN-1...4, as decided: on unless it is switched off. */
static void switched_off(void **state)
{
	struct world *world = *state;

	world_holds(world, "/", "xa_enabled", "1\n");
	assert_false(has_file(world, "/a", "xa_enabled"));
	assert_int_equal(world_write(world, "/", "xa_enabled", "0"), -EBUSY);
	assert_int_equal(world_write(world, "/", "xa_enabled", "1"), -EBUSY);
	assert_int_equal(world_write(world, "/", "xa_enabled", "x"), -EINVAL);
	assert_int_equal(world_rmdir(world, "/a"), 0);
	assert_int_equal(world_rmdir(world, "/b"), 0);
	assert_int_equal(world_write(world, "/", "xa_enabled", "0"), 0);
	world_holds(world, "/", "xa_enabled", "0\n");
	test_subsys_forget();
	world_mkdir(world, "/a");
	assert_calls("xb.create /a\nxs.create /a\n");
	assert_true(has_file(world, "/", "xa.veto"));
	assert_false(has_file(world, "/a", "xa.veto"));
	assert_int_equal(make(world, "/", "xa.veto"), -EEXIST);
	assert_int_equal(world_move(world, "/a", 10, true), 0);
	assert_calls("xb.can_attach /a 3\nxs.can_attach /a 3\nxb.attach /a 3\nxs.attach /a 3\n");
	assert_int_equal(
		grp_group_can_attach(world->core, world_find(world, "/a"), &world_root, NULL), 0);
	assert_calls("xb.can_attach /a\nxs.can_attach /a\n");
	/* All groups share the root's state (EN-3), so its count stays right. */
	fake_task_fork(world->fake, 10, 20, 20);
	world_collect(world);
	assert_calls("xa.fork / 1\nxb.fork /a 1\nxs.fork /a 1\n");
	world_restart(world);
	world_holds(world, "/", "xa_enabled", "0\n");
	assert_false(has_file(world, "/a", "xa.veto"));
	assert_int_equal(world_move(world, "/", 10, true), 0);
	assert_int_equal(world_move(world, "/", 20, true), 0);
	test_subsys_forget();
	assert_int_equal(world_rmdir(world, "/a"), 0);
	assert_calls("xs.destroy /a\nxb.destroy /a\n");
	assert_int_equal(world_write(world, "/", "xa_enabled", "1"), 0);
	world_mkdir(world, "/a");
	assert_calls("xa.create /a\nxb.create /a\nxs.create /a\n");
}

/* The switch of an exclusive subsystem goes where it goes (HIER-18). */
static void the_switch_moves(void **state)
{
	struct world *world = *state;

	assert_int_equal(world_rmdir(world, "/a"), 0);
	assert_int_equal(world_rmdir(world, "/b"), 0);
	assert_int_equal(world_write(world, "/", "xa_enabled", "0"), 0);
	assert_int_equal(grp_hierarchy_mount(world->core, "h", "xa,xs", NULL), 0);
	world_holds(world, "h:/", "xa_enabled", "0\n");
	world_holds(world, "h:/", "xs_enabled", "1\n");
	world_mkdir(world, "h:/g");
	assert_false(has_file(world, "h:/g", "xa.veto"));
	assert_true(has_file(world, "h:/g", "xs.veto"));
	assert_int_equal(world_rmdir(world, "h:/g"), 0);
	assert_int_equal(world_write(world, "h:/", "xs_enabled", "0"), 0);
	world_holds(world, "/", "xs_enabled", "1\n");
	world_mkdir(world, "/g");
	assert_int_equal(grp_hierarchy_umount(world->core, "h", NULL), 0);
	world_holds(world, "/", "xa_enabled", "0\n");
	assert_false(has_file(world, "/g", "xa.veto"));
}

int main(void)
{
#define TEST(FUNCTION) cmocka_unit_test_setup_teardown(FUNCTION, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(creation_is_unwound_in_reverse),
		TEST(a_record_that_is_refused),
		TEST(settings_are_copied_once),
		TEST(references_keep_a_group),
		TEST(a_veto_is_cancelled_in_reverse),
		TEST(a_veto_in_one_of_two_hierarchies),
		TEST(a_move_that_fails_is_cancelled),
		TEST(who_has_moved_is_told),
		TEST(each_hierarchy_is_told_of_its_own),
		TEST(who_is_there_already_is_no_move),
		TEST(who_was_born_meanwhile_is_told),
		TEST(all_of_a_group),
		TEST(could_any_task_enter),
		TEST(births_and_exits_are_counted),
		TEST(switched_off),
		TEST(the_switch_moves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
