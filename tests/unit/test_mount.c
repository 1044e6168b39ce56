/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * mount, remount, umount and what they leave behind (HIER-4...21, ERR-1, ERR-2), with
 * the exclusive subsystems xa and xb and the shareable xs. What a SIGKILL leaves is in
 * test_mount_recovery.c.
 */
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../subsys/test_subsys.h"
#include "world.h"

static int setup(void **state)
{
	static struct world world;

	world_open(&world, 64, 32);
	fake_task_old(world.fake, 1, 1);
	fake_kernel_ops.pass(world.fake, GRP_PASS_SEED, NULL, NULL, NULL, NULL);
	fake_task_fork(world.fake, 1, 10, 10);
	*state = &world;
	return 0;
}

static int teardown(void **state)
{
	world_close(*state);
	return 0;
}

static int mount(struct world *world, const char *name, const char *options)
{
	return grp_hierarchy_mount(world->core, name, options, NULL);
}

static int remount(struct world *world, const char *name, const char *options)
{
	return grp_hierarchy_remount(world->core, name, options, NULL);
}

static int umount(struct world *world, const char *name)
{
	return grp_hierarchy_umount(world->core, name, NULL);
}

/* Names of the subsystems that are bound, in the order of the registry. */
static const char *bound(struct world *world, const char *name)
{
	static char text[256];
	struct grp_hierarchy *hierarchy = grp_hierarchy_find(world->core, name);
	size_t len = 0;

	assert_non_null(hierarchy);
	text[0] = '\0';
	for (size_t i = 0; i < grp_n_subsystems; i++)
		if (grp_hierarchy_subsystems(world->core, hierarchy) & (1U << i) &&
		    grp_subsystems[i]->name[0] == 'x')
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%s ",
						grp_subsystems[i]->name);
	return text;
}

static bool has_file(struct world *world, const char *spec, const char *name)
{
	return grp_file_find(world->core, world_find(world, spec), name, NULL);
}

static const char *canonical(struct world *world, const char *name)
{
	return grp_hierarchy_find(world->core, name)->name;
}

/* HIER-4, HIER-5: the first thing that is wrong decides; parsing precedes all else. */
static void options_are_parsed_first(void **state)
{
	static const struct {
		const char *options;
		int result;
	} cases[] = {
		{ "xa,,xb", -EINVAL },
		{ ",", -EINVAL },
		{ "xa,", -EINVAL },
		{ "bogus", -ENOENT },
		{ "xa,bogus", -ENOENT },
		{ "bogus,,", -ENOENT },
		{ ",,bogus", -EINVAL },
		{ "xa ", -ENOENT },
		{ "XA", -ENOENT },
		{ "noprefix", -EINVAL },
		{ "clone_children", -EINVAL },
		{ "release_agent=/a", -EINVAL },
		{ "none,xa", -EINVAL },
		{ "xa,none", -EINVAL },
		{ "all,none", -EINVAL },
		{ "xa,release_agent=/a,release_agent=/a", -EINVAL },
		{ "release_agent", -ENOENT },
	};
	struct world *world = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(mount(world, "h", cases[i].options), cases[i].result);
		assert_int_equal(mount(world, "bad name", cases[i].options), cases[i].result);
		assert_int_equal(remount(world, "nosuch", cases[i].options), cases[i].result);
		assert_null(grp_hierarchy_find(world->core, "h"));
	}
	assert_int_equal(mount(world, "bad name", "xa"), -EINVAL);
	assert_string_equal(bound(world, "default"), "xa xb xs ");
}

static void long_release_agents(void **state)
{
	char options[PATH_MAX + 64], path[PATH_MAX + 1];

	memset(path, 'a', PATH_MAX);
	path[PATH_MAX] = '\0';
	(void)snprintf(options, sizeof(options), "xa,release_agent=%s", path);
	assert_int_equal(mount(*state, "h", options), -E2BIG);
	path[PATH_MAX - 1] = '\0';
	(void)snprintf(options, sizeof(options), "xa,release_agent=%s", path);
	assert_int_equal(mount(*state, "h", options), 0);
	world_restart(*state);
	path[PATH_MAX - 1] = '\n';
	world_holds(*state, "h:/", "release_agent", path);
}

/* No options are all, an exclusive subsystem that is elsewhere included (HIER-4). */
static void all_is_the_default(void **state)
{
	struct world *world = *state;

	assert_int_equal(mount(world, "h", NULL), 0);
	assert_string_equal(bound(world, "h"), "xa xb xs ");
	assert_string_equal(bound(world, "default"), "xs ");
	assert_int_equal(mount(world, "i", ""), 0);
	assert_string_equal(canonical(world, "i"), "h");
	assert_int_equal(umount(world, "i"), 0);
	assert_int_equal(umount(world, "h"), 0);
	assert_int_equal(mount(world, "h", "xb"), 0);
	assert_int_equal(mount(world, "i", NULL), -EBUSY);
	assert_int_equal(mount(world, "i", "all"), -EBUSY);
}

/* Scenario 3, HIER-6, HIER-7. */
static void an_equal_set_is_the_same_tree(void **state)
{
	struct world *world = *state;

	assert_int_equal(mount(world, "a", "xa,xb"), 0);
	world_mkdir(world, "a:/g");
	assert_int_equal(mount(world, "b", "xb"), -EBUSY);
	assert_int_equal(mount(world, "b", "xa,xb,xs"), -EBUSY);
	assert_int_equal(mount(world, "b", "xa,xb,noprefix"), -EBUSY);
	assert_int_equal(mount(world, "a", "xa"), -EBUSY);
	assert_int_equal(mount(world, "a", "xa,xb,noprefix"), -EBUSY);
	assert_null(grp_hierarchy_find(world->core, "b"));
	assert_int_equal(mount(world, "a", "xb,xa"), 0);
	assert_int_equal(mount(world, "b", "xb,xa,release_agent=/ignored"), 0);
	assert_ptr_equal(world_find(world, "b:/g"), world_find(world, "a:/g"));
	assert_string_equal(canonical(world, "b"), "a");
	world_holds(world, "a:/", "release_agent", "\n");
	world_restart(world);
	assert_ptr_equal(world_find(world, "b:/g"), world_find(world, "a:/g"));
}

/* Design 6.4: without an exclusive subsystem each name is a hierarchy of its own. */
static void shareable_sets_are_never_equal(void **state)
{
	struct world *world = *state;

	assert_int_equal(mount(world, "a", "xs"), 0);
	assert_int_equal(mount(world, "b", "xs"), 0);
	assert_int_equal(mount(world, "c", "none"), 0);
	assert_int_equal(mount(world, "d", "none"), 0);
	assert_int_equal(mount(world, "a", "xs"), 0);
	assert_int_equal(mount(world, "c", "xs"), -EBUSY);
	world_mkdir(world, "a:/g");
	world_mkdir(world, "c:/g");
	assert_null(world_find(world, "b:/g"));
	assert_null(world_find(world, "d:/g"));
	/* Out of sight, it is found again by its name only. */
	assert_int_equal(umount(world, "a"), 0);
	assert_int_equal(mount(world, "e", "xs"), 0);
	assert_null(world_find(world, "e:/g"));
	assert_int_equal(mount(world, "a", "none"), -EBUSY);
	assert_int_equal(mount(world, "a", "xs"), 0);
	assert_non_null(world_find(world, "a:/g"));
}

static void noprefix(void **state)
{
	struct world *world = *state;

	assert_int_equal(mount(world, "h", "xa,xb,noprefix"), -EINVAL);
	assert_int_equal(mount(world, "h", "xa,noprefix"), 0);
	world_mkdir(world, "h:/g");
	assert_true(has_file(world, "h:/g", "veto"));
	assert_false(has_file(world, "h:/g", "xa.veto"));
	assert_true(has_file(world, "h:/", "xa_enabled"));
	assert_int_equal(mount(world, "i", "xa"), -EBUSY);
	assert_int_equal(world_write(world, "h:/", "setting", "7"), 0);
	/* A stored name has its prefix whatever it is shown as. */
	assert_int_equal(world_rmdir(world, "h:/g"), 0);
	assert_int_equal(umount(world, "h"), 0);
	world_holds(world, "/", "xa.setting", "7\n");
}

/* "default" has what nobody else claims, and keeps it while it has groups. */
static void default_yields_while_it_is_empty(void **state)
{
	struct world *world = *state;

	world_mkdir(world, "/g");
	assert_int_equal(mount(world, "h", "xa"), -EBUSY);
	assert_int_equal(mount(world, "h", "xs"), 0);
	assert_int_equal(remount(world, "h", "xs,xa"), -EBUSY);
	assert_int_equal(world_rmdir(world, "/g"), 0);
	assert_int_equal(remount(world, "h", "xs,xa"), 0);
	assert_string_equal(bound(world, "default"), "xb xs ");
	world_mkdir(world, "/g");
	assert_false(has_file(world, "/g", "xa.veto"));
	/* It comes back to a tree that has grown meanwhile. */
	assert_int_equal(umount(world, "h"), 0);
	assert_true(has_file(world, "/g", "xa.veto"));
	world_holds(world, "/g", "xa.setting", "0\n");
	assert_int_equal(world_rmdir(world, "/g"), 0);
	assert_int_equal(mount(world, "default", "xa"), -EBUSY);
	assert_int_equal(mount(world, "default", NULL), 0);
	assert_int_equal(remount(world, "default", NULL), 0);
	assert_int_equal(remount(world, "default", "xa"), -EBUSY);
	assert_int_equal(umount(world, "default"), -EBUSY);
}

/* Scenario 6, HIER-17. */
static void groups_keep_a_hierarchy_alive(void **state)
{
	struct world *world = *state;
	struct grp_group *group;

	assert_int_equal(mount(world, "a", "xa"), 0);
	world_mkdir(world, "a:/g");
	assert_int_equal(world_move(world, "a:/g", 10, true), 0);
	assert_int_equal(umount(world, "a"), 0);
	assert_int_equal(umount(world, "a"), -ENOENT);
	assert_int_equal(remount(world, "a", "xa"), -ENOENT);
	assert_int_equal(grp_group_find(world->core, "a:/g", NULL, &group), -ENOENT);
	group = world_find_any(world, "a:/g");
	assert_non_null(group);
	assert_int_equal(grp_group_tasks(world->core, group), 1);
	assert_int_equal(mount(world, "b", "xa,xb"), -EBUSY);
	world_restart(world);
	assert_null(world_find(world, "a:/g"));
	/* The same set under another name: that is its name now. */
	assert_int_equal(mount(world, "b", "xa"), 0);
	assert_int_equal(world_tasks(world, "b:/g"), 1);
	assert_null(grp_hierarchy_find(world->core, "a"));
	assert_int_equal(world_move(world, "b:/", 10, true), 0);
	assert_int_equal(umount(world, "b"), 0);
	group = world_find_any(world, "b:/g");
	assert_non_null(group);
	assert_int_equal(grp_group_remove(world->core, group, &world_root, NULL), 0);
	/* At once, not only with the next collection. */
	assert_int_equal(mount(world, "c", "xa,xb"), 0);
	assert_null(grp_hierarchy_find(world->core, "b"));
	assert_string_equal(bound(world, "default"), "xs ");
}

static void the_last_rmdir_ends_it(void **state)
{
	struct world *world = *state;
	struct grp_group *group;

	assert_int_equal(mount(world, "a", "xa"), 0);
	world_mkdir(world, "a:/g");
	assert_int_equal(umount(world, "a"), 0);
	group = world_find_any(world, "a:/g");
	assert_non_null(group);
	assert_int_equal(grp_group_remove(world->core, group, &world_root, NULL), 0);
	world_collect(world);
	assert_null(grp_hierarchy_find(world->core, "a"));
	assert_string_equal(bound(world, "default"), "xa xb xs ");
	world_restart(world);
	assert_null(grp_hierarchy_find(world->core, "a"));
}

static void names(void **state)
{
	struct world *world = *state;
	char name[] = "n0";

	for (int i = 0; i < GRP_HIERARCHY_NAMES_MAX; i++, name[1]++)
		assert_int_equal(mount(world, name, "xa"), 0);
	assert_int_equal(mount(world, "more", "xa"), -ENOSPC);
	assert_int_equal(mount(world, "n3", "xa"), 0);
	assert_string_equal(canonical(world, "n7"), "n0");
	assert_int_equal(umount(world, "n0"), 0);
	assert_null(grp_hierarchy_find(world->core, "n0"));
	assert_string_equal(canonical(world, "n7"), "n1");
	world_restart(world);
	assert_string_equal(canonical(world, "n7"), "n1");
	assert_int_equal(mount(world, "n1", "xb"), -EBUSY);
	for (name[1] = '1'; name[1] < '8'; name[1]++)
		assert_int_equal(umount(world, name), 0);
	assert_string_equal(bound(world, "default"), "xa xb xs ");
}

/* Scenario 7, HIER-12...15, in the order of HIER-13. */
static void remount_in_order(void **state)
{
	struct world *world = *state;
	struct grp_error error = {};

	assert_int_equal(mount(world, "a", "xa"), 0);
	assert_int_equal(mount(world, "b", "xb"), 0);
	assert_int_equal(remount(world, "nosuch", "xa"), -ENOENT);
	world_mkdir(world, "a:/g");
	assert_int_equal(remount(world, "a", "bogus"), -ENOENT);
	assert_int_equal(remount(world, "a", "xb,noprefix"), -EINVAL);
	assert_int_equal(remount(world, "a", "xa,clone_children"), -EINVAL);
	assert_int_equal(grp_hierarchy_remount(world->core, "a", "xb", &error), -EBUSY);
	assert_non_null(strstr(error.message, "'b'"));
	assert_int_equal(grp_hierarchy_remount(world->core, "a", "xs", &error), -EBUSY);
	assert_non_null(strstr(error.message, "1 group"));
	assert_int_equal(remount(world, "a", "none"), -EBUSY);
	/* A change of nothing may have children, and another release agent too. */
	assert_int_equal(remount(world, "a", "xa,release_agent=/x"), 0);
	assert_int_equal(remount(world, "a", "xa"), 0);
	world_holds(world, "a:/", "release_agent", "/x\n");
	assert_int_equal(world_rmdir(world, "a:/g"), 0);
	assert_int_equal(remount(world, "a", "xs"), 0);
	assert_true(has_file(world, "a:/", "xs.veto"));
	assert_false(has_file(world, "a:/", "xa.veto"));
	assert_string_equal(bound(world, "default"), "xa xs ");
	assert_int_equal(remount(world, "a", "none,release_agent="), 0);
	world_holds(world, "a:/", "release_agent", "\n");
	world_restart(world);
	assert_string_equal(bound(world, "a"), "");
	assert_int_equal(remount(world, "a", NULL), -EBUSY);
	assert_int_equal(umount(world, "b"), 0);
	assert_int_equal(remount(world, "a", NULL), 0);
	assert_string_equal(bound(world, "a"), "xa xb xs ");
}

static void remount_repeats_flags(void **state)
{
	struct world *world = *state;

	assert_int_equal(mount(world, "a", "xa,noprefix,clone_children"), 0);
	world_holds(world, "a:/", "cgroup.clone_children", "1\n");
	assert_int_equal(remount(world, "a", "xb"), -EINVAL);
	assert_int_equal(remount(world, "a", "xa,xb,noprefix"), -EINVAL);
	assert_int_equal(remount(world, "a", "xb,noprefix,clone_children"), 0);
	assert_true(has_file(world, "a:/", "veto"));
	world_mkdir(world, "a:/g");
	world_holds(world, "a:/g", "cgroup.clone_children", "1\n");
}

/* HIER-18: what stands in the root of an exclusive subsystem goes with it. */
static void root_states_move(void **state)
{
	struct world *world = *state;
	static const char *const steps[] = { "xa", "xa,xb", "xb", "none", "xa" };

	assert_int_equal(world_write(world, "/", "xa.setting", "42"), 0);
	assert_int_equal(world_write(world, "/", "xa.veto", "EPERM"), 0);
	assert_int_equal(mount(world, "h", "none"), 0);
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		bool has = strstr(steps[i], "xa");

		assert_int_equal(remount(world, "h", steps[i]), 0);
		assert_int_equal(has_file(world, "h:/", "xa.setting"), has);
		assert_int_equal(has_file(world, "/", "xa.setting"), !has);
		world_holds(world, has ? "h:/" : "/", "xa.setting", "42\n");
		world_holds(world, has ? "h:/" : "/", "xa.veto", "EPERM\n");
	}
	/* Of a group it ends with the group. */
	world_mkdir(world, "h:/g");
	assert_int_equal(world_write(world, "h:/g", "xa.setting", "5"), 0);
	assert_int_equal(world_rmdir(world, "h:/g"), 0);
	world_mkdir(world, "h:/g");
	world_holds(world, "h:/g", "xa.setting", "0\n");
	world_restart(world);
	world_holds(world, "h:/", "xa.setting", "42\n");
	assert_int_equal(world_rmdir(world, "h:/g"), 0);
	assert_int_equal(umount(world, "h"), 0);
	world_restart(world);
	world_holds(world, "/", "xa.setting", "42\n");
}

/* HIER-19; of a shareable one each hierarchy has a state of its own. */
static void bindings_are_told(void **state)
{
	struct world *world = *state;

	world_collect(world); /* births up to now are told */
	test_subsys_forget();
	assert_int_equal(mount(world, "a", "xa"), 0);
	assert_string_equal(test_subsys_trace(), "xa.bind a /\nxa.fork / 2\n");
	test_subsys_forget();
	assert_int_equal(remount(world, "a", "xb"), 0);
	assert_string_equal(test_subsys_trace(),
			    "xb.bind a /\nxb.fork / 2\nxa.bind default /\nxa.fork / 2\n");
	test_subsys_forget();
	assert_int_equal(remount(world, "a", "xb,xs"), 0);
	assert_string_equal(test_subsys_trace(), "xs.create /\nxs.bind a /\nxs.fork / 2\n");
	test_subsys_forget();
	assert_int_equal(umount(world, "a"), 0);
	assert_string_equal(test_subsys_trace(), "xs.destroy /\nxb.bind default /\nxb.fork / 2\n");
	/* VER-2: nothing has changed, so nobody hears of it. */
	test_subsys_forget();
	assert_int_equal(remount(world, "default", NULL), 0);
	assert_int_equal(mount(world, "default", NULL), 0);
	assert_string_equal(test_subsys_trace(), "");
}

/* A subsystem that comes back to a tree and cannot: everything stays. */
static void a_failing_umount_changes_nothing(void **state)
{
	struct world *world = *state;

	assert_int_equal(world_write(world, "/", "xa.create_error", "EIO"), 0);
	assert_int_equal(mount(world, "a", "xa,xs"), 0);
	world_mkdir(world, "/g");
	world_mkdir(world, "/g/h");
	test_subsys_forget();
	assert_int_equal(umount(world, "a"), -EIO);
	assert_string_equal(test_subsys_trace(), "xa.create /g\n");
	assert_string_equal(bound(world, "a"), "xa xs ");
	assert_string_equal(bound(world, "default"), "xb xs ");
	world_holds(world, "a:/", "xa.create_error", "EIO\n");
	assert_false(has_file(world, "/g", "xa.veto"));
	assert_int_equal(world_write(world, "a:/", "xa.create_error", "0"), 0);
	test_subsys_forget();
	world->fake->updates_left = 0;
	assert_int_equal(umount(world, "a"), -ECANCELED);
	world->fake->updates_left = -1;
	assert_string_equal(test_subsys_trace(), "xa.create /g\nxa.create /g/h\n"
						 "xa.destroy /g/h\nxa.destroy /g\n");
	assert_int_equal(umount(world, "a"), 0);
	assert_true(has_file(world, "/g/h", "xa.veto"));
}

/* HIER-21: a clash is told before the lack of a slot. */
static void busy_before_full(void **state)
{
	struct world *world = *state;
	char name[] = "ha";

	for (int i = 1; i < GRP_HIERARCHIES_MAX; i++, name[1]++)
		assert_int_equal(mount(world, name, i == 1 ? "xa" : "none"), 0);
	assert_int_equal(mount(world, "more", "xa,xb"), -EBUSY);
	assert_int_equal(mount(world, "more", "xb"), -ENOSPC);
	assert_string_equal(bound(world, "default"), "xb xs ");
	assert_int_equal(umount(world, "hc"), 0);
	assert_int_equal(mount(world, "more", "xb"), 0);
}

int main(void)
{
#define TEST(FUNCTION) cmocka_unit_test_setup_teardown(FUNCTION, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(options_are_parsed_first),
		TEST(long_release_agents),
		TEST(all_is_the_default),
		TEST(an_equal_set_is_the_same_tree),
		TEST(shareable_sets_are_never_equal),
		TEST(noprefix),
		TEST(default_yields_while_it_is_empty),
		TEST(groups_keep_a_hierarchy_alive),
		TEST(the_last_rmdir_ends_it),
		TEST(names),
		TEST(remount_in_order),
		TEST(remount_repeats_flags),
		TEST(root_states_move),
		TEST(bindings_are_told),
		TEST(a_failing_umount_changes_nothing),
		TEST(busy_before_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
