/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * mkdir, rmdir, rename and looking up: names, errors and their order (CONT-*),
 * limits, permissions.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "world.h"

static const struct grp_caller nobody = { .uid = 65534, .gid = 65534 };

static int setup(void **state)
{
	static struct world world;

	world_open(&world, 12, 8);
	fake_task_old(world.fake, 1, 1);
	fake_kernel_ops.pass(world.fake, GRP_PASS_SEED, NULL, NULL, NULL, NULL);
	*state = &world;
	return 0;
}

static int teardown(void **state)
{
	world_close(*state);
	return 0;
}

static int make_as(struct world *world, const char *parent, const char *name,
		   const struct grp_caller *caller)
{
	return grp_group_make(world->core, world_find(world, parent), name, 0755, caller, NULL,
			      NULL);
}

static int make(struct world *world, const char *parent, const char *name)
{
	return make_as(world, parent, name, &world_root);
}

static void names(void **state)
{
	static const struct {
		const char *name;
		int r;
	} cases[] = {
		{ "", -EINVAL },
		{ ".", -EINVAL },
		{ "..", -EINVAL },
		{ "a/b", -EINVAL },
		{ "a\nb", -EINVAL },
		{ "a\x7f", -EINVAL },
		{ "tasks", -EEXIST },
		{ "cgroup.procs", -EEXIST },
		{ "cpuacct.usage", -EEXIST },
		{ "cpuacct.x", 0 },
		{ ".hidden", 0 },
		{ "a b", 0 },
		{ "\xff\xfe", 0 },
		{ "caf\xc3\xa9", 0 },
		{ "a b", -EEXIST },
	};
	char longest[GRP_NAME_MAX + 2];

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_int_equal(make(*state, "/", cases[i].name), cases[i].r);
	memset(longest, 'x', sizeof(longest));
	longest[GRP_NAME_MAX + 1] = '\0';
	assert_int_equal(make(*state, "/", longest), -ENAMETOOLONG);
	longest[GRP_NAME_MAX] = '\0';
	assert_int_equal(make(*state, "/", longest), 0);
}

static void specs(void **state)
{
	static const struct {
		const char *spec;
		int r;
	} cases[] = {
		{ "", -EINVAL },
		{ "a", -EINVAL },
		{ "a/b", -EINVAL },
		{ "default:a", -EINVAL },
		{ ":/", -EINVAL },
		{ "no such:/", -EINVAL },
		{ "nosuch:/", -ENOENT },
		{ "/nosuch", -ENOENT },
		{ "/a/..", -EINVAL },
		{ "/a/.", -EINVAL },
		{ "/", 0 },
		{ "//", 0 },
		{ "default:/", 0 },
		{ "default:/a", 0 },
		{ "//a//b/", 0 },
		{ "/a/b/c", -ENOENT },
	};
	struct grp_group *group;
	struct grp_error error;

	world_mkdir(*state, "/a");
	world_mkdir(*state, "/a/b");
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		error = (struct grp_error){};
		assert_int_equal(grp_group_find(((struct world *)*state)->core, cases[i].spec,
						&error, &group),
				 cases[i].r);
		/* Whoever is refused is told what to do. */
		assert_int_equal(!error.message[0], !cases[i].r);
	}
}

static void paths(void **state)
{
	struct grp_group *b;
	char buf[GRP_PATH_MAX];

	world_mkdir(*state, "/a");
	b = world_mkdir(*state, "/a/b");
	assert_int_equal(grp_group_path(b, buf, sizeof(buf)), 4);
	assert_string_equal(buf, "/a/b");
	assert_int_equal(grp_group_path(world_find(*state, "/"), buf, sizeof(buf)), 1);
	assert_string_equal(buf, "/");
	assert_int_equal(grp_group_path(b, buf, 4), -ENAMETOOLONG);
	assert_int_equal(grp_group_path(b, buf, 5), 4);
	assert_int_equal(grp_group_depth(b), 2);
}

static void rmdir_order(void **state)
{
	struct world *world = *state;

	world_mkdir(world, "/a");
	world_mkdir(world, "/a/b");
	fake_task_fork(world->fake, 1, 10, 10);
	assert_int_equal(world_rmdir(world, "/"), -EBUSY);
	assert_int_equal(world_rmdir(world, "/a"), -EBUSY);
	assert_int_equal(world_move(world, "/a/b", 10, true), 0);
	assert_int_equal(world_rmdir(world, "/a/b"), -EBUSY);
	assert_int_equal(world_move(world, "/", 10, true), 0);
	world_find(world, "/a/b")->references++;
	assert_int_equal(world_rmdir(world, "/a/b"), -EBUSY);
	world_find(world, "/a/b")->references--;
	assert_int_equal(world_rmdir(world, "/a/b"), 0);
	assert_int_equal(world_rmdir(world, "/a/b"), -ENOENT);
	assert_int_equal(world_rmdir(world, "/a"), 0);
	/* The name is free at once, though the removed one may still be held. */
	world_mkdir(world, "/a");
}

static int rename_to(struct world *world, const char *from, const char *to)
{
	return grp_group_rename(world->core, world_find(world, from), to, &world_root, NULL);
}

static void rename_errors(void **state)
{
	struct world *world = *state;
	uint32_t id;

	assert_int_equal(grp_hierarchy_mount(world->core, "other", "none", NULL), 0);
	world_mkdir(world, "/a");
	world_mkdir(world, "/b");
	id = world_mkdir(world, "/a/x")->id;
	assert_int_equal(rename_to(world, "/a/x", "other:/x"), -EXDEV);
	assert_int_equal(rename_to(world, "/a", "/a/x/y"), -EINVAL);
	assert_int_equal(rename_to(world, "/a", "/a/y"), -EINVAL);
	assert_int_equal(rename_to(world, "/a", "/b"), -EEXIST);
	assert_int_equal(rename_to(world, "/a", "/a"), -EEXIST);
	assert_int_equal(rename_to(world, "/a", "/tasks"), -ENOTDIR);
	assert_int_equal(rename_to(world, "/a/x", "/b"), -EIO);
	assert_int_equal(rename_to(world, "/a/x", "/y"), -EIO);
	assert_int_equal(rename_to(world, "/a/x", "/b/x"), -EIO);
	assert_int_equal(rename_to(world, "/a", "/new\n"), -EINVAL);
	assert_int_equal(rename_to(world, "/", "/r"), -EBUSY);
	assert_int_equal(rename_to(world, "/a/x", "/nosuch/x"), -ENOENT);
	assert_int_equal(rename_to(world, "/a", "/c"), 0);
	assert_null(world_find(world, "/a"));
	assert_int_equal(world_find(world, "/c/x")->id, id);
	world_restart(world);
	assert_int_equal(world_find(world, "/c/x")->id, id);
}

static void capacity(void **state)
{
	struct world *world = *state;
	struct grp_error error = {};
	char name[] = "g0";

	/* 12 with the root. */
	for (int i = 0; i < 11; i++, name[1]++)
		assert_int_equal(make(world, "/", name), 0);
	assert_int_equal(grp_group_make(world->core, world_find(world, "/"), "more", 0755,
					&world_root, &error, NULL),
			 -ENOSPC);
	assert_non_null(strstr(error.message, "capacity-groups"));
	assert_int_equal(world_rmdir(world, "/g0"), 0);
	assert_int_equal(make(world, "/", "more"), 0);
	/* Nobody is lost or doubled at a restart of a full store. */
	world_restart(world);
	assert_int_equal(make(world, "/", "again"), -ENOSPC);
	assert_non_null(world_find(world, "/more"));
}

static void ids_are_never_reused(void **state)
{
	struct world *world = *state;
	uint32_t last = 0;

	for (int i = 0; i < 3000; i++) {
		uint32_t id = world_mkdir(world, "/a")->id;

		assert_true(id > last);
		last = id;
		assert_int_equal(world_rmdir(world, "/a"), 0);
		if (i % 700 == 0)
			world_restart(world);
	}
}

static void permissions(void **state)
{
	struct world *world = *state;
	struct grp_error error = {};
	struct grp_group *open;
	const gid_t group = 100;
	const struct grp_caller member = { .uid = 5, .gid = 5, .groups = &group, .n_groups = 1 };

	assert_int_equal(make_as(world, "/", "a", &nobody), -EACCES);
	open = world_mkdir(world, "/open");
	open->inode.mode = 0777;
	assert_int_equal(make_as(world, "/open", "a", &nobody), 0);
	assert_int_equal(world_find(world, "/open/a")->inode.uid, nobody.uid);
	assert_int_equal(grp_group_remove(world->core, open, &nobody, NULL), -EACCES);
	open->inode.mode = 0770;
	open->inode.gid = group;
	assert_int_equal(make_as(world, "/open", "b", &nobody), -EACCES);
	assert_int_equal(make_as(world, "/open", "b", &member), 0);
	open->inode.mode = 0777;
	grp_core_set_limit_groups_per_uid(world->core, 2);
	assert_int_equal(make_as(world, "/open", "c", &nobody), 0);
	assert_int_equal(grp_group_make(world->core, open, "d", 0755, &nobody, &error, NULL),
			 -EDQUOT);
	assert_non_null(strstr(error.message, "groups-per-uid"));
	assert_int_equal(make(world, "/open", "d"), 0);
}

static int mount(struct world *world, const char *name, const char *options)
{
	return grp_hierarchy_mount(world->core, name, options, NULL);
}

static bool has_file(struct world *world, const char *spec, const char *name)
{
	return grp_file_find(world->core, world_find(world, spec), name, NULL);
}

static void hierarchies(void **state)
{
	struct world *world = *state;

	assert_int_equal(mount(world, "h", "cpuacct,,none"), -EINVAL);
	assert_int_equal(mount(world, "h", "bogus"), -ENOENT);
	assert_int_equal(mount(world, "h", "cpuacct,none"), -EINVAL);
	assert_int_equal(mount(world, "a b", NULL), -EINVAL);
	assert_int_equal(mount(world, "", NULL), -EINVAL);
	assert_int_equal(mount(world, "h", "cpuacct"), 0);
	assert_int_equal(mount(world, "h", "cpuacct"), 0);
	assert_int_equal(mount(world, "h", "none"), -EBUSY);
	/* Shareable subsystems only: another name is another hierarchy. */
	assert_int_equal(mount(world, "i", "cpuacct"), 0);
	world_mkdir(world, "h:/x");
	assert_null(world_find(world, "i:/x"));
	assert_true(has_file(world, "h:/x", "cpuacct.usage"));
	assert_int_equal(grp_hierarchy_umount(world->core, "default", NULL), -EBUSY);
	assert_int_equal(grp_hierarchy_umount(world->core, "nosuch", NULL), -ENOENT);
	assert_int_equal(world_rmdir(world, "h:/x"), 0);
	assert_int_equal(grp_hierarchy_umount(world->core, "h", NULL), 0);
	assert_int_equal(mount(world, "n", "none"), 0);
	assert_false(has_file(world, "n:/", "cpuacct.usage"));
	assert_true(has_file(world, "n:/", "tasks"));
}

static void all_slots(void **state)
{
	struct world world;
	char name[] = "ha";

	(void)state;
	world_open(&world, 64, 8);
	for (int i = 1; i < GRP_HIERARCHIES_MAX; i++, name[1]++)
		assert_int_equal(mount(&world, name, "cpuacct"), 0);
	assert_int_equal(mount(&world, "more", "cpuacct"), -ENOSPC);
	assert_int_equal(grp_hierarchy_umount(world.core, "hc", NULL), 0);
	assert_int_equal(mount(&world, "more", "cpuacct"), 0);
	world_close(&world);
}

int main(void)
{
#define TEST(FUNCTION) cmocka_unit_test_setup_teardown(FUNCTION, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(names),
		TEST(specs),
		TEST(paths),
		TEST(rmdir_order),
		TEST(rename_errors),
		TEST(capacity),
		TEST(ids_are_never_reused),
		TEST(permissions),
		TEST(hierarchies),
		cmocka_unit_test(all_slots),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
