/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What errors say to people: the way out, how something was probably meant, one
 * task and two tasks. Which errno comes when is in the tests of each subject.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "world.h"

static int setup(void **state)
{
	static struct world world;

	world_open(&world, 64, 8);
	assert_int_equal(grp_hierarchy_mount(world.core, "jobs", "none", NULL), 0);
	*state = &world;
	return 0;
}

static int teardown(void **state)
{
	world_close(*state);
	return 0;
}

static void assert_said(const struct grp_error *error, const char *expected)
{
	if (!strstr(error->message, expected))
		fail_msg("said: %s, expected: %s", error->message, expected);
}

static void test_form(void **state)
{
	static const struct {
		const char *spec, *said;
	} cases[] = {
		{ "shop", "did you mean '/shop'?" },
		{ "shop/web/", "did you mean '/shop/web/'?" },
		{ "jobs", "did you mean 'jobs:/'?" },
		{ "jobs/a", "did you mean 'jobs:/a'?" },
		{ "jobs:", "did you mean 'jobs:/'?" },
		{ "jobs:a/b", "did you mean 'jobs:/a/b'?" },
		{ "nosuch:a", "did you mean 'nosuch:/a'?" },
		{ "", "[HIERARCHY:]/path" },
		{ ":a", "[HIERARCHY:]/path" },
	};
	const struct world *world = *state;
	struct grp_group *group;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct grp_error error = {};

		assert_int_equal(grp_group_find(world->core, cases[i].spec, &error, &group),
				 -EINVAL);
		assert_said(&error, cases[i].said);
	}
}

/* Neither repeated nor run over. */
static void test_long_form(void **state)
{
	const struct world *world = *state;
	struct grp_error error = {};
	struct grp_group *group;
	char spec[2000];

	memset(spec, 'x', sizeof(spec) - 1);
	spec[sizeof(spec) - 1] = '\0';
	assert_int_equal(grp_group_find(world->core, spec, &error, &group), -EINVAL);
	assert_string_equal(error.message, "a group is written [HIERARCHY:]/path");
}

static void assert_busy(struct world *world, const char *spec, const char *said)
{
	struct grp_error error = {};

	assert_int_equal(grp_group_remove(world->core, world_find(world, spec), &world_root,
					  &error),
			 -EBUSY);
	assert_said(&error, said);
}

static void test_busy(void **state)
{
	struct world *world = *state;

	world_mkdir(world, "/a");
	world_mkdir(world, "/a/b");
	assert_busy(world, "/a", "it has 1 group below it: remove it first");
	world_mkdir(world, "/a/c");
	assert_busy(world, "/a", "it has 2 groups below it: remove them first");
	fake_task_fork(world->fake, 0, 10, 10);
	assert_int_equal(world_move(world, "/a/b", 10, true), 0);
	assert_busy(world, "/a/b", "it has 1 task: attach it");
	fake_task_fork(world->fake, 10, 11, 11);
	assert_busy(world, "/a/b", "it has 2 tasks: attach them");
}

static void test_remount(void **state)
{
	struct world *world = *state;
	struct grp_error error = {};

	world_mkdir(world, "jobs:/a");
	assert_int_equal(grp_hierarchy_remount(world->core, "jobs", "cpuacct", &error), -EBUSY);
	assert_said(&error, "it has 1 group below its root: remove it first, with "
			    "'grpctl rmdir -r jobs:/...'");
	world_mkdir(world, "jobs:/a/b");
	assert_int_equal(grp_hierarchy_remount(world->core, "jobs", "cpuacct", &error), -EBUSY);
	assert_said(&error, "it has 2 groups below its root: remove them first");
}

/* Whose group it was, of several that were to be entered. */
static void test_attach(void **state)
{
	const struct grp_caller caller = { .uid = 1000, .gid = 1000 };
	const struct grp_task_id id = { .tid = 10 };
	struct world *world = *state;
	struct grp_target target = {};
	struct grp_error error = {};

	fake_task_fork(world->fake, 0, 10, 10);
	assert_int_equal(grp_target_add(&target, world_mkdir(world, "jobs:/a")), 0);
	assert_int_equal(grp_attach(world->core, &target, &id, &caller, &error, NULL), -EACCES);
	assert_said(&error, "uid 1000 needs o+w on tasks of jobs:/a, which has uid 0, gid 0, mode "
			    "0644");
}

/* The first numbers that differ are told, and the way out. */
static void test_meta(void **state)
{
	static const struct {
		struct grp_meta other; /* 0: as it is */
		int r;
		const char *said;
	} cases[] = {
		{ { .layout = 99 }, -EPROTO, "layout 99, not " },
		{ { .cpus = 1 }, -EINVAL, "for 1 possible CPU, this machine has 3: " },
		{ { .cpus = 17 }, -EINVAL, "for 17 possible CPUs, this machine has 3: " },
		{ { .capacity_groups = 77 },
		  -EINVAL,
		  "groups 77 and capacity-sets 8, not 64 and 8: " },
		{ { .capacity_sets = 9 }, -EINVAL, "groups 64 and capacity-sets 9, not 64 and 8: " },
	};
	const struct world *world = *state;
	const struct grp_meta good = world->fake->meta;
	struct grp_meta *meta = &world->fake->meta;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct grp_meta *other = &cases[i].other;
		struct grp_error error = {};

		meta->layout = other->layout ?: good.layout;
		meta->cpus = other->cpus ?: good.cpus;
		meta->capacity_groups = other->capacity_groups ?: good.capacity_groups;
		meta->capacity_sets = other->capacity_sets ?: good.capacity_sets;
		assert_int_equal(grp_core_load(world->core, &error), cases[i].r);
		assert_said(&error, cases[i].said);
		assert_said(&error, "'grpagent --unload'");
	}
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_form),    TEST(test_long_form), TEST(test_busy),
		TEST(test_remount), TEST(test_attach),	  TEST(test_meta),
	};

	return cmocka_run_group_tests_name("reasons", tests, NULL, NULL);
}
