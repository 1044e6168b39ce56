/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Must hold 3 of the store: killed between any two updates of any operation, the
 * next start finds a consistent tree, the operation wholly done or wholly undone,
 * an attach rolled forward, and every nanosecond where it was. Each operation is
 * cut off after 0, 1, 2... updates until it comes through.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "world.h"

/* What the tasks of fill() have used in all, and where. */
#define USED_X 1000
#define USED_Y 300
#define USED_ROOT 7
#define USED (USED_X + USED_Y + USED_ROOT)

/*
 * /a/x had task 10 (dead now, folded or not), /a/y has task 11, root task 1; task
 * 11 is in other:/p as well. The middle one of three threads 20, 21, 22 is in /a/y.
 * /a/bare never had a task.
 */
static void fill(struct world *world)
{
	struct grp_error error = {};

	assert_int_equal(grp_hierarchy_mount(world->core, "other", "none", &error), 0);
	world_mkdir(world, "/a");
	world_mkdir(world, "/a/x");
	world_mkdir(world, "/a/y");
	world_mkdir(world, "/a/bare");
	world_mkdir(world, "other:/p");
	for (uint32_t tid = 10; tid <= 11; tid++)
		fake_task_fork(world->fake, 1, tid, tid);
	for (uint32_t tid = 20; tid <= 22; tid++)
		fake_task_fork(world->fake, 1, tid, 20);
	assert_int_equal(world_move(world, "/a/x", 10, true), 0);
	assert_int_equal(world_move(world, "/a/y", 11, true), 0);
	assert_int_equal(world_move(world, "other:/p", 11, true), 0);
	assert_int_equal(world_move(world, "/a/y", 21, false), 0);
	fake_task_run(world->fake, 10, 0, 400);
	fake_task_run(world->fake, 10, 2, USED_X - 400);
	fake_task_run(world->fake, 11, 1, USED_Y);
	fake_task_run(world->fake, 1, 1, USED_ROOT);
	fake_task_exit(world->fake, 10);
	fake_task_reap(world->fake, 10);
}

static void check_sums(struct world *world)
{
	assert_int_equal(world_tree(world, "/"), USED);
	assert_int_equal(world_tree(world, "/a"), USED_X + USED_Y);
	assert_int_equal(world_own(world, "/a"), 0);
	assert_int_equal(world_own(world, "/"), USED_ROOT);
	assert_int_equal(world_tree(world, "other:/"), USED);
	assert_int_equal(world_own(world, "other:/p"), USED_Y);
}

struct operation {
	const char *name;
	int (*run)(struct world *world);
	/* After a restart; @done: whether the call had come through. */
	void (*check)(struct world *world, bool done);
};

static int run_mkdir(struct world *world)
{
	return grp_group_make(world->core, world_find(world, "/a"), "new", 0750, &world_root, NULL,
			      NULL);
}

static void check_mkdir(struct world *world, bool done)
{
	struct grp_group *group = world_find(world, "/a/new");

	assert_true(group || !done);
	if (group)
		assert_int_equal(group->inode.mode, 0750);
}

static int run_rmdir(struct world *world)
{
	int r = world_rmdir(world, "/a/x");

	if (!r && grp_core_collect(world->core) < 0)
		return -ECANCELED;
	(void)fake_grace_end(world->fake);
	/* on_grace() has no one to tell of an error. */
	return r ?: world->fake->updates_left ? 0 : -ECANCELED;
}

static void check_rmdir(struct world *world, bool done)
{
	if (done)
		assert_null(world_find(world, "/a/x"));
	if (world_find(world, "/a/x"))
		assert_int_equal(world_own(world, "/a/x"), USED_X);
}

static int run_rmdir_bare(struct world *world)
{
	return world_rmdir(world, "/a/bare");
}

static void check_rmdir_bare(struct world *world, bool done)
{
	assert_int_equal(!world_find(world, "/a/bare"), done);
}

static int run_mv(struct world *world)
{
	return grp_group_rename(world->core, world_find(world, "/a/y"), "/a/z", &world_root, NULL);
}

static void check_mv(struct world *world, bool done)
{
	struct grp_group *old = world_find(world, "/a/y"), *new = world_find(world, "/a/z");

	assert_true(!old != !new);
	assert_true(new || !done);
	assert_int_equal(world_own(world, new ? "/a/z" : "/a/y"), USED_Y);
	assert_int_equal(world_tasks(world, new ? "/a/z" : "/a/y"), 2);
}

static int run_mount(struct world *world)
{
	return grp_hierarchy_mount(world->core, "third", "cpuacct", NULL);
}

static void check_mount(struct world *world, bool done)
{
	assert_true(grp_hierarchy_find(world->core, "third") || !done);
	if (!grp_hierarchy_find(world->core, "third"))
		return;
	assert_int_equal(world_tree(world, "third:/"), USED);
	assert_int_equal(world_tasks(world, "third:/"), 5);
}

static int run_attach(struct world *world)
{
	return world_move(world, "/a/x", 20, true);
}

static unsigned int in_x(struct world *world)
{
	return world_tasks(world, "/a/x");
}

static void check_attach(struct world *world, bool done)
{
	unsigned int n = in_x(world);

	/* All or, when it was not begun, nothing: never one or two of three. */
	assert_true(n == 3 || (n == 0 && !done));
	assert_int_equal(world->fake->journal[GRP_JOURNAL_ENTRY_ATTACH].op, GRP_JOURNAL_NONE);
}

static int run_attach_members(struct world *world)
{
	struct grp_target target = {};

	assert_int_equal(grp_target_add(&target, world_find(world, "/a/x")), 0);
	return grp_attach_members(world->core, &target, world_find(world, "/a/y"), &world_root,
				  NULL, NULL);
}

static void check_attach_members(struct world *world, bool done)
{
	unsigned int n = in_x(world);

	assert_true(n == 2 || (n == 0 && !done));
	assert_int_equal(n + world_tasks(world, "/a/y"), 2);
}

static int run_reset(struct world *world)
{
	return grp_usage_reset(world->core, world_find(world, "/a"));
}

static void check_reset(struct world *world, bool done)
{
	struct grp_base_cpu cpus[WORLD_CPUS];
	uint64_t sum = 0;

	assert_int_equal(grp_usage_baseline(world->core, world_find(world, "/a"), cpus), 0);
	for (unsigned int i = 0; i < WORLD_CPUS; i++)
		sum += cpus[i].cell.time_ns;
	assert_true(sum == USED_X + USED_Y || (!sum && !done));
}

static const struct operation operations[] = {
	{ "mkdir", run_mkdir, check_mkdir },
	{ "rmdir with folding", run_rmdir, check_rmdir },
	{ "rmdir of a bare group", run_rmdir_bare, check_rmdir_bare },
	{ "mv", run_mv, check_mv },
	{ "mount", run_mount, check_mount },
	{ "attach of a process", run_attach, check_attach },
	{ "attach of all members", run_attach_members, check_attach_members },
	{ "reset", run_reset, check_reset },
};

/* Return: whether the operation came through with so many updates. */
static bool cut_off(const struct operation *operation, long updates)
{
	struct world world;
	int r;

	world_open(&world, 64, 32);
	fake_task_old(world.fake, 1, 1);
	assert_int_equal(fake_kernel_ops.pass(world.fake, GRP_PASS_SEED, NULL, NULL, NULL, NULL),
			 0);
	fill(&world);
	check_sums(&world);
	world.fake->updates_left = updates;
	r = operation->run(&world);
	assert_true(!r || r == -ECANCELED);
	world_restart(&world);
	check_sums(&world);
	operation->check(&world, !r);
	world_collect(&world);
	check_sums(&world);
	operation->check(&world, !r);
	/* And once more: what was recovered is itself consistent. */
	world_restart(&world);
	check_sums(&world);
	operation->check(&world, !r);
	world_close(&world);
	return !r;
}

static void every_prefix_is_recoverable(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(operations) / sizeof(*operations); i++) {
		long updates = 0;

		while (!cut_off(&operations[i], updates))
			assert_true(++updates < 100);
		print_message("# %s: %ld prefixes\n", operations[i].name, updates);
		assert_true(updates > 0);
	}
}

/* umount decides by one update; its clean-up touches every set that knew it. */
static void umount_is_recoverable(void **state)
{
	bool done = false;

	(void)state;
	for (long updates = 0; !done; updates++) {
		struct world world;

		assert_true(updates < 100);
		world_open(&world, 64, 32);
		fake_task_old(world.fake, 1, 1);
		fake_kernel_ops.pass(world.fake, GRP_PASS_SEED, NULL, NULL, NULL, NULL);
		fill(&world);
		assert_int_equal(world_move(&world, "other:/", 11, true), 0);
		assert_int_equal(world_rmdir(&world, "other:/p"), 0);
		world.fake->updates_left = updates;
		done = !grp_hierarchy_umount(world.core, "other", NULL);
		world_restart(&world);
		assert_true(!done || !grp_hierarchy_find(world.core, "other"));
		assert_int_equal(world_tree(&world, "/"), USED);
		assert_int_equal(world_tree(&world, "/a"), USED_X + USED_Y);
		/* The slot can be used again, and begins with all tasks in its root. */
		if (!grp_hierarchy_find(world.core, "other"))
			assert_int_equal(grp_hierarchy_mount(world.core, "other", "none", NULL), 0);
		assert_int_equal(world_tasks(&world, "other:/"), 5);
		assert_int_equal(world_tree(&world, "other:/"), USED);
		world_close(&world);
	}
}

/* A fold that begins after a restart must not be taken for one already done. */
static void folds_go_on_after_restarts(void **state)
{
	struct world world;
	uint64_t expected = 0;

	(void)state;
	world_open(&world, 64, 32);
	fake_task_old(world.fake, 1, 1);
	fake_kernel_ops.pass(world.fake, GRP_PASS_SEED, NULL, NULL, NULL, NULL);
	for (uint32_t i = 0; i < 40; i++) {
		world_mkdir(&world, "/g");
		fake_task_fork(world.fake, 1, 100 + i, 100 + i);
		assert_int_equal(world_move(&world, "/g", 100 + i, true), 0);
		fake_task_run(world.fake, 100 + i, i % WORLD_CPUS, 1 + i);
		expected += 1 + i;
		fake_task_exit(world.fake, 100 + i);
		fake_task_reap(world.fake, 100 + i);
		assert_int_equal(world_rmdir(&world, "/g"), 0);
		world_collect(&world);
		assert_int_equal(world_tree(&world, "/"), expected);
		if (i % 3 == 0)
			world_restart(&world);
		assert_int_equal(world_tree(&world, "/"), expected);
		assert_int_equal(world_own(&world, "/"), 0);
	}
	world_close(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_prefix_is_recoverable),
		cmocka_unit_test(umount_is_recoverable),
		cmocka_unit_test(folds_go_on_after_restarts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
