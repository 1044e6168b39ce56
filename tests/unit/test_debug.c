/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Subsystem debug (DBG-1...3), and that it is bound to one hierarchy at a time.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "world.h"

/* Root task 1; processes 10 and 11 in /a, 12 in /a and other:/p. */
static int setup(void **state)
{
	static struct world world;

	world_open(&world, 32, 16);
	fake_task_old(world.fake, 1, 1);
	fake_kernel_ops.pass(world.fake, GRP_PASS_SEED, NULL, NULL, NULL, NULL);
	assert_int_equal(grp_hierarchy_mount(world.core, "other", "none", NULL), 0);
	world_mkdir(&world, "/a");
	world_mkdir(&world, "other:/p");
	for (uint32_t tid = 10; tid < 13; tid++) {
		fake_task_fork(world.fake, 1, tid, tid);
		assert_int_equal(world_move(&world, "/a", (pid_t)tid, true), 0);
	}
	assert_int_equal(world_move(&world, "other:/p", 12, true), 0);
	*state = &world;
	return 0;
}

static int teardown(void **state)
{
	world_close(*state);
	return 0;
}

static uint64_t number(struct world *world, const char *spec, const char *file)
{
	char *text = world_read(world, spec, file), *end;
	uint64_t value = strtoull(text, &end, 10);

	assert_string_equal(end, "\n");
	return value;
}

/* What a task reads. Return: the errno, when it fails. */
static int read_as(struct world *world, pid_t pid, const char *file, uint64_t *ret)
{
	const struct grp_caller caller = { .pid = pid };
	const struct grp_file_access access = { .core = world->core,
						.group = world_find(world, "/"),
						.caller = &caller };
	char *text;
	size_t len;
	int r = grp_file_read(&access, file, &text, &len);

	if (r)
		return r;
	*ret = strtoull(text, NULL, 10);
	free(text);
	return 0;
}

static void taskcount(void **state)
{
	struct world *world = *state;

	assert_int_equal(number(world, "/a", "debug.taskcount"), 3);
	assert_int_equal(number(world, "/", "debug.taskcount"), 1);
	fake_task_exit(world->fake, 10);
	assert_int_equal(number(world, "/a", "debug.taskcount"), 2);
}

/* 0 exactly when the group can be removed. */
static void refcount(void **state)
{
	struct world *world = *state;

	/* 10 and 11 share a set, 12 has one of its own. */
	assert_int_equal(number(world, "/a", "debug.refcount"), 2);
	fake_task_exit(world->fake, 12);
	assert_int_equal(number(world, "/a", "debug.refcount"), 1);
	world_mkdir(world, "/a/b");
	world_mkdir(world, "/a/c");
	assert_int_equal(number(world, "/a", "debug.refcount"), 3);
	grp_group_hold(world_find(world, "/a"));
	assert_int_equal(number(world, "/a", "debug.refcount"), 4);
	assert_int_equal(world_rmdir(world, "/a/b"), 0);
	assert_int_equal(world_rmdir(world, "/a/c"), 0);
	fake_task_exit(world->fake, 10);
	fake_task_exit(world->fake, 11);
	assert_int_equal(number(world, "/a", "debug.refcount"), 1);
	assert_int_equal(world_rmdir(world, "/a"), -EBUSY);
	grp_group_release(world->core, world_find(world, "/a"));
	assert_int_equal(number(world, "/a", "debug.refcount"), 0);
	assert_int_equal(world_rmdir(world, "/a"), 0);
}

static void current_set(void **state)
{
	struct world *world = *state;
	uint64_t set = 0, other = 0, tasks = 0;

	assert_int_equal(read_as(world, 10, "debug.current_set", &set), 0);
	assert_int_equal(set, fake_task_find(world->fake, 10)->set);
	assert_int_equal(read_as(world, 10, "debug.current_set_refcount", &tasks), 0);
	assert_int_equal(tasks, 2);
	/* Equal placement, equal set; another placement in any hierarchy, another set. */
	assert_int_equal(read_as(world, 11, "debug.current_set", &other), 0);
	assert_int_equal(other, set);
	assert_int_equal(read_as(world, 12, "debug.current_set", &other), 0);
	assert_true(other != set);
	assert_int_equal(read_as(world, 12, "debug.current_set_refcount", &tasks), 0);
	assert_int_equal(tasks, 1);
	assert_int_equal(world_move(world, "other:/p", 11, true), 0);
	assert_int_equal(read_as(world, 11, "debug.current_set", &set), 0);
	assert_int_equal(set, other);
}

/* Of another pid namespace, or gone: it is an error, not somebody else's set. */
static void reader_that_nobody_sees(void **state)
{
	struct world *world = *state;
	uint64_t set;

	assert_int_equal(read_as(world, 0, "debug.current_set", &set), -ESRCH);
	assert_int_equal(read_as(world, 99, "debug.current_set", &set), -ESRCH);
	assert_int_equal(read_as(world, 99, "debug.current_set_refcount", &set), -ESRCH);
}

static void releasable(void **state)
{
	struct world *world = *state;

	assert_int_equal(number(world, "/a", "debug.releasable"), 0);
	assert_int_equal(world_write(world, "/a", "notify_on_release", "1"), 0);
	assert_int_equal(number(world, "/a", "debug.releasable"), 1);
	world_mkdir(world, "/a/b");
	assert_int_equal(number(world, "/a/b", "notify_on_release"), 1);
	assert_int_equal(number(world, "/a/b", "debug.releasable"), 0);
	assert_int_equal(number(world, "/", "debug.releasable"), 0);
}

static void read_only(void **state)
{
	static const char *const names[] = { "debug.taskcount", "debug.refcount",
					     "debug.current_set", "debug.current_set_refcount",
					     "debug.releasable" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		assert_int_equal(world_write(*state, "/a", names[i], "0"), -EINVAL);
}

static bool has_debug(struct world *world, const char *spec)
{
	return grp_file_find(world->core, world_find(world, spec), "debug.taskcount", NULL);
}

static void bound_once(void **state)
{
	struct world *world = *state;
	struct grp_error error = {};

	/* "default" keeps it while it has groups. */
	assert_int_equal(grp_hierarchy_mount(world->core, "d", "debug", &error), -EBUSY);
	assert_non_null(strstr(error.message, "'debug' stays in hierarchy 'default'"));
	for (uint32_t tid = 10; tid < 13; tid++)
		fake_task_exit(world->fake, tid);
	assert_int_equal(world_rmdir(world, "/a"), 0);
	assert_int_equal(grp_hierarchy_mount(world->core, "d", "debug", NULL), 0);
	assert_true(has_debug(world, "d:/"));
	assert_false(has_debug(world, "/"));
	assert_int_equal(number(world, "d:/", "debug.taskcount"), 1);
	/* The same set is the same tree, another that has it is refused. */
	world_mkdir(world, "d:/x");
	assert_int_equal(grp_hierarchy_mount(world->core, "e", "debug", NULL), 0);
	assert_non_null(world_find(world, "e:/x"));
	assert_int_equal(grp_hierarchy_mount(world->core, "f", "debug,cpuacct", NULL), -EBUSY);
	world_restart(world);
	assert_true(has_debug(world, "d:/x"));
	assert_false(has_debug(world, "/"));
	assert_int_equal(world_rmdir(world, "d:/x"), 0);
	assert_int_equal(grp_hierarchy_umount(world->core, "e", NULL), 0);
	assert_int_equal(grp_hierarchy_umount(world->core, "d", NULL), 0);
	assert_true(has_debug(world, "/"));
}

int main(void)
{
#define TEST(FUNCTION) cmocka_unit_test_setup_teardown(FUNCTION, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(taskcount),  TEST(refcount),  TEST(current_set), TEST(reader_that_nobody_sees),
		TEST(releasable), TEST(read_only), TEST(bound_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
