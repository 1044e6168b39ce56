/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cgroup.max.descendants and cgroup.max.depth: what can be written, whom they stop,
 * whose they stay.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/inode.h"
#include "world.h"

static const struct grp_caller alice = { .uid = 1, .gid = 1 };

static int setup(void **state)
{
	static struct world world;

	world_open(&world, 32, 8);
	*state = &world;
	return 0;
}

static int teardown(void **state)
{
	world_close(*state);
	return 0;
}

static void assert_file(struct world *world, const char *spec, const char *file,
			const char *expected)
{
	assert_string_equal(world_read(world, spec, file), expected);
}

static void limit_texts(void **state)
{
	static const struct {
		const char *text;
		int r;
		const char *shown;
	} cases[] = {
		{ "3", 0, "3\n" },
		{ "max", 0, "max\n" },
		{ " 4 \n", 0, "4\n" },
		{ "0x10", 0, "16\n" },
		{ "+5", 0, "5\n" },
		{ "\tmax\n", 0, "max\n" },
		{ "0", 0, "0\n" },
		{ "7", 0, "7\n" },
		{ "", -EINVAL, "7\n" },
		{ "x", -EINVAL, "7\n" },
		{ "1 2", -EINVAL, "7\n" },
		{ "maximum", -EINVAL, "7\n" },
		{ "-1", -ERANGE, "7\n" },
		{ "-", -EINVAL, "7\n" },
		{ "2147483648", -ERANGE, "7\n" },
		{ "99999999999999999999", -ERANGE, "7\n" },
		{ "2147483647", 0, "max\n" },
	};
	static const char *const files[] = { "cgroup.max.descendants", "cgroup.max.depth" };
	struct world *world = *state;

	world_mkdir(world, "/a");
	for (size_t f = 0; f < 2; f++) {
		assert_file(world, "/a", files[f], "max\n");
		assert_false(grp_file_find(world->core, world_find(world, "/"), files[f], NULL));
		for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
			assert_int_equal(world_write(world, "/a", files[f], cases[i].text),
					 cases[i].r);
			assert_file(world, "/a", files[f], cases[i].shown);
		}
	}
}

static void descendants(void **state)
{
	struct world *world = *state;
	struct grp_error error = {};

	world_mkdir(world, "/a");
	assert_int_equal(world_write(world, "/a", "cgroup.max.descendants", "3"), 0);
	world_mkdir(world, "/a/b");
	world_mkdir(world, "/a/b/c");
	world_mkdir(world, "/a/b/c/d");
	assert_int_equal(world_make_as(world, &world_root, "/a", "e"), -EAGAIN);
	assert_int_equal(grp_group_make(world->core, world_find(world, "/a/b/c"), "e", 0755,
					&world_root, &error, NULL),
			 -EAGAIN);
	assert_string_equal(error.message, "cgroup.max.descendants of default:/a is 3");
	world_restart(world);
	assert_int_equal(world_find(world, "/a")->n_descendants, 3);
	assert_int_equal(world_make_as(world, &world_root, "/a/b", "e"), -EAGAIN);
	assert_int_equal(world_rmdir(world, "/a/b/c/d"), 0);
	world_mkdir(world, "/a/e");
	/* Below what there is: only new ones are refused. */
	assert_int_equal(world_write(world, "/a", "cgroup.max.descendants", "1"), 0);
	assert_int_equal(world_rmdir(world, "/a/e"), 0);
	assert_int_equal(world_make_as(world, &world_root, "/a", "e"), -EAGAIN);
	assert_int_equal(world_write(world, "/a", "cgroup.max.descendants", "max"), 0);
	world_mkdir(world, "/a/e");
	world_mkdir(world, "/outside");
	assert_int_equal(world_find(world, "/")->n_descendants, 5);
}

/* As cgroup v2: 0 is no group below at all, 1 are children only. */
static void depth(void **state)
{
	struct world *world = *state;

	world_mkdir(world, "/a");
	assert_int_equal(world_write(world, "/a", "cgroup.max.depth", "0"), 0);
	assert_int_equal(world_make_as(world, &world_root, "/a", "b"), -EAGAIN);
	assert_int_equal(world_write(world, "/a", "cgroup.max.depth", "2"), 0);
	world_mkdir(world, "/a/b");
	world_mkdir(world, "/a/b/c");
	assert_int_equal(world_make_as(world, &world_root, "/a/b/c", "d"), -EAGAIN);
	world_restart(world);
	assert_int_equal(world_make_as(world, &world_root, "/a/b/c", "d"), -EAGAIN);
	assert_int_equal(world_make_as(world, &world_root, "/a/b", "d"), 0);
}

/* Who got a subtree cannot lift what was set for it. */
static void limits_stay_the_givers(void **state)
{
	struct world *world = *state;
	struct grp_inode_change change = {
		.core = world->core,
		.group = world_mkdir(world, "/a"),
		.members = true,
		.caller = &world_root,
	};

	assert_int_equal(world_write(world, "/a", "cgroup.max.descendants", "2"), 0);
	assert_int_equal(grp_inode_chown(&change, 1, 1), 0);
	assert_int_equal(world_make_as(world, &alice, "/a", "b"), 0);
	assert_int_equal(world_make_as(world, &alice, "/a", "c"), 0);
	assert_int_equal(world_make_as(world, &alice, "/a", "d"), -EAGAIN);
	assert_int_equal(world_write_as(world, &alice, "/a", "cgroup.max.descendants", "max"),
			 -EACCES);
	change.caller = &alice;
	change.file = "cgroup.max.descendants";
	assert_int_equal(grp_inode_chmod(&change, 0666), -EPERM);
	assert_int_equal(grp_inode_chown(&change, 1, (gid_t)-1), -EPERM);
	assert_int_equal(world_write_as(world, &alice, "/a/b", "cgroup.max.descendants", "5"), 0);
	assert_int_equal(world_make_as(world, &alice, "/a/b", "d"), -EAGAIN);
}

int main(void)
{
#define TEST(FUNCTION) cmocka_unit_test_setup_teardown(FUNCTION, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(limit_texts),
		TEST(descendants),
		TEST(depth),
		TEST(limits_stay_the_givers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
