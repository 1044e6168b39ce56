/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Attach and listing over the kernel in memory: threads of one process in several
 * sets, births during a pass, atomic placement, errors (TASK-*).
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

	world_open(&world, 32, 16);
	fake_task_old(world.fake, 1, 1);
	fake_kernel_ops.pass(world.fake, GRP_PASS_SEED, NULL, NULL, NULL, NULL);
	for (uint32_t tid = 10; tid < 14; tid++)
		fake_task_fork(world.fake, 1, tid, 10);
	world_mkdir(&world, "/a");
	world_mkdir(&world, "/b");
	assert_int_equal(grp_hierarchy_mount(world.core, "o", "none", NULL), 0);
	world_mkdir(&world, "o:/p");
	*state = &world;
	return 0;
}

static int teardown(void **state)
{
	world_close(*state);
	return 0;
}

static void thread_and_process(void **state)
{
	assert_int_equal(world_move(*state, "/a", 12, false), 0);
	assert_int_equal(world_tasks(*state, "/a"), 1);
	/* Named by any of its threads, and from two sets at once. */
	assert_int_equal(world_move(*state, "/b", 13, true), 0);
	assert_int_equal(world_tasks(*state, "/a"), 0);
	assert_int_equal(world_tasks(*state, "/b"), 4);
	assert_int_equal(world_move(*state, "/b", 13, true), 0);
	assert_int_equal(world_tasks(*state, "/b"), 4);
	assert_int_equal(world_tasks(*state, "/"), 1);
}

static void two_hierarchies_at_once(void **state)
{
	struct world *world = *state;
	const struct grp_task_id id = { .tid = 10, .whole = true };
	struct grp_target target = {};
	unsigned int moved;

	assert_int_equal(grp_target_add(&target, world_find(world, "/a")), 0);
	assert_int_equal(grp_target_add(&target, world_find(world, "o:/p")), 0);
	assert_int_equal(grp_target_add(&target, world_find(world, "/b")), -EINVAL);
	assert_int_equal(grp_attach(world->core, &target, &id, &world_root, NULL, &moved), 0);
	assert_int_equal(moved, 4);
	assert_int_equal(world_tasks(world, "/a"), 4);
	assert_int_equal(world_tasks(world, "o:/p"), 4);
	/* One hierarchy alone leaves the other. */
	assert_int_equal(world_move(world, "/b", 11, false), 0);
	assert_int_equal(world_tasks(world, "o:/p"), 4);
}

static void born_in_the_middle(struct fake_kernel *fake, enum grp_pass kind, void *data)
{
	unsigned int *births = data;

	if (kind == GRP_PASS_MOVE && *births) {
		fake_task_fork(fake, 11, 100 + *births, 10);
		--*births;
	}
}

static void births_during_the_pass(void **state)
{
	struct world *world = *state;
	unsigned int births = 3;

	world->fake->before_pass = born_in_the_middle;
	world->fake->before_pass_data = &births;
	assert_int_equal(world_move(world, "/a", 10, true), 0);
	world->fake->before_pass = NULL;
	assert_int_equal(world_tasks(world, "/a") + births, 4 + 3);
}

/* A listing does not tell of a thread that is being born. */
static void unborn_when_listed(struct fake_kernel *fake, enum grp_pass kind, void *data)
{
	(void)data;
	fake_task_find(fake, 11)->state = kind == GRP_PASS_LIST ? GRP_STATE_UNCLAIMED :
								  GRP_STATE_ALIVE;
}

/* All that are listed are there already, but not all are listed. */
static void not_all_are_listed(void **state)
{
	struct world *world = *state;

	assert_int_equal(world_move(world, "/a", 10, true), 0);
	assert_int_equal(world_move(world, "/b", 11, false), 0);
	world->fake->before_pass = unborn_when_listed;
	assert_int_equal(world_move(world, "/a", 10, true), 0);
	world->fake->before_pass = NULL;
	assert_int_equal(world_tasks(world, "/a"), 4);
	assert_int_equal(world_tasks(world, "/b"), 0);
}

static void everything_of_a_group(void **state)
{
	struct world *world = *state;
	struct grp_target target = {};
	unsigned int moved, births = 3;

	assert_int_equal(world_move(world, "/a", 10, true), 0);
	assert_int_equal(world_move(world, "o:/p", 12, false), 0);
	assert_int_equal(grp_target_add(&target, world_find(world, "/b")), 0);
	world->fake->before_pass = born_in_the_middle;
	world->fake->before_pass_data = &births;
	assert_int_equal(grp_attach_members(world->core, &target, world_find(world, "/a"),
					    &world_root, NULL, &moved),
			 0);
	world->fake->before_pass = NULL;
	assert_int_equal(world_tasks(world, "/a"), 0);
	assert_int_equal(world_tasks(world, "/b") + births, 4 + 3);
	assert_int_equal(world_tasks(world, "o:/p"), 1);
	/* To itself, or to another hierarchy only, is no move out of it. */
	assert_int_equal(grp_attach_members(world->core, &target, world_find(world, "/b"),
					    &world_root, NULL, NULL),
			 -EINVAL);
	assert_int_equal(grp_attach_members(world->core, &target, world_find(world, "o:/p"),
					    &world_root, NULL, NULL),
			 -EINVAL);
}

static int attach_as(struct world *world, const struct grp_task_id *id, uid_t uid)
{
	const struct grp_caller caller = { .uid = uid, .gid = uid };
	struct grp_target target = {};

	assert_int_equal(grp_target_add(&target, world_find(world, "/a")), 0);
	return grp_attach(world->core, &target, id, &caller, NULL, NULL);
}

static void errors(void **state)
{
	struct world *world = *state;
	struct grp_task_id id = { .tid = 999, .whole = true };

	assert_int_equal(attach_as(world, &id, 0), -ESRCH);
	id.tid = -5;
	assert_int_equal(attach_as(world, &id, 0), -ESRCH);
	id.tid = 10;
	fake_task_find(world->fake, 10)->start_ns = 70 * 10000000ULL;
	id.start_ticks = 71;
	assert_int_equal(attach_as(world, &id, 0), -ESRCH);
	id.start_ticks = 70;
	assert_int_equal(attach_as(world, &id, 0), 0);
	/* Not its group; then its group but not its task; then both. */
	id.tid = 11;
	id.start_ticks = 0;
	assert_int_equal(attach_as(world, &id, 7), -EACCES);
	for (size_t i = 0; i < GRP_MEMBER_FILES; i++)
		world_find(world, "/a")->member_files[i].uid = 7;
	assert_int_equal(world_move(world, "/b", 10, true), 0);
	assert_int_equal(attach_as(world, &id, 7), -EACCES);
	assert_int_equal(world_tasks(world, "/a"), 0);
	for (uint32_t tid = 10; tid < 14; tid++)
		fake_task_find(world->fake, tid)->suid = 7;
	assert_int_equal(attach_as(world, &id, 7), 0);
	fake_task_exit(world->fake, 11);
	id.whole = false;
	assert_int_equal(attach_as(world, &id, 0), -ESRCH);
	/* A process whose leader has exited still has its other threads. */
	fake_task_exit(world->fake, 10);
	id.tid = 10;
	id.whole = true;
	assert_int_equal(world_move(world, "/b", 12, false), 0);
	assert_int_equal(attach_as(world, &id, 0), 0);
	assert_int_equal(world_tasks(world, "/a"), 2);
}

static void out_of_sets(void **state)
{
	struct world *world = *state;
	struct grp_error error = {};
	int r = 0, n = 0;

	/* 16 sets, one of them root's: 15 threads, each in a group of its own. */
	for (; !r && n < 20; n++) {
		char spec[] = "/ga";
		const struct grp_task_id id = { .tid = 200 + n };
		struct grp_target target = {};

		spec[2] = (char)('a' + n);
		fake_task_fork(world->fake, 1, 200 + n, 200 + n);
		world_mkdir(world, spec);
		assert_int_equal(grp_target_add(&target, world_find(world, spec)), 0);
		r = grp_attach(world->core, &target, &id, &world_root, &error, NULL);
	}
	assert_int_equal(r, -ENOSPC);
	assert_int_equal(n, 16);
	assert_non_null(strstr(error.message, "capacity-sets"));
	/* Unmoved, and still counted where it was; nothing of the others changed. */
	assert_int_equal(world_tasks(world, "/gp"), 0);
	assert_int_equal(world_tasks(world, "/go"), 1);
	assert_int_equal(world_tasks(world, "/"), 6);
	/* An id comes back when its last task is gone and waited for. */
	fake_task_exit(world->fake, 203);
	fake_task_reap(world->fake, 203);
	world_collect(world);
	assert_int_equal(world_move(world, "/gp", 215, false), 0);
}

static void listing(void **state)
{
	struct world *world = *state;
	struct grp_members members = {};

	world_mkdir(world, "/a/c");
	assert_int_equal(world_move(world, "/a", 10, true), 0);
	assert_int_equal(world_move(world, "/a/c", 11, false), 0);
	fake_task_exit(world->fake, 13);
	assert_int_equal(
		grp_group_members(world->core, world_find(world, "/a"), false, NULL, &members), 0);
	assert_int_equal(members.n, 2);
	assert_int_equal(members.items[0].tid, 10);
	assert_int_equal(members.items[1].tid, 12);
	grp_members_done(&members);
	assert_int_equal(
		grp_group_members(world->core, world_find(world, "/a"), true, NULL, &members), 0);
	assert_int_equal(members.n, 3);
	grp_members_processes(&members);
	assert_int_equal(members.n, 1);
	assert_int_equal(members.items[0].tid, 10);
	grp_members_done(&members);
}

static void exiting_task_keeps_its_place(void **state)
{
	struct world *world = *state;
	const struct grp_task_id id = { .tid = 10 };
	struct grp_member member;

	assert_int_equal(world_move(world, "/a", 10, true), 0);
	fake_task_exit(world->fake, 10);
	assert_int_equal(grp_task_find(world->core, &id, NULL, &member), 0);
	assert_true(member.exiting);
	assert_ptr_equal(grp_member_group(world->core, &member,
					  grp_hierarchy_find(world->core, "default")),
			 world_find(world, "/a"));
}

static void other_pid_namespace(void **state)
{
	struct world *world = *state;
	const struct grp_caller caller = { .pidns = 77 };
	struct fake_task *task = fake_task_find(world->fake, 12);
	pid_t tid;

	task->pidns = 77;
	task->ns_tid = 3;
	assert_int_equal(grp_task_resolve(world->core, &caller, 3, &tid), 0);
	assert_int_equal(tid, 12);
	assert_int_equal(grp_task_resolve(world->core, &caller, 12, &tid), -ESRCH);
	assert_int_equal(grp_task_resolve(world->core, &caller, 0, &tid), -ESRCH);
	assert_int_equal(grp_task_resolve(world->core, &world_root, 12, &tid), 0);
}

/* TASK-5, 6, 7 at the file itself: errno of every kind of bad text. */
static void tasks_file(void **state)
{
	static const struct {
		const char *text;
		int r;
	} cases[] = {
		{ "abc", -EIO },  { "", -EIO },		{ "-", -EIO },
		{ "0x1f", -EIO }, { "0abc", -EIO },	{ "-0", -EIO },
		{ "-5", -ESRCH }, { "999999", -ESRCH }, { "99999999999999999999999999", -ESRCH },
		{ "12 34", 0 },	  { " +12\n", 0 },	{ "12xyz", 0 },
		{ "0\n", 0 },
	};
	struct world *world = *state;
	const struct grp_caller caller = { .pid = 13 };
	const struct grp_file_access access = { .core = world->core,
						.group = world_find(world, "/a"),
						.caller = &caller };

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_int_equal(grp_file_write(&access, "tasks", cases[i].text,
						strlen(cases[i].text)),
				 cases[i].r);
	/* 12 by the first number, 13 by the plain 0. */
	assert_int_equal(world_tasks(world, "/a"), 2);
}

int main(void)
{
#define TEST(FUNCTION) cmocka_unit_test_setup_teardown(FUNCTION, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(thread_and_process),
		TEST(two_hierarchies_at_once),
		TEST(births_during_the_pass),
		TEST(not_all_are_listed),
		TEST(everything_of_a_group),
		TEST(errors),
		TEST(out_of_sets),
		TEST(listing),
		TEST(exiting_task_keeps_its_place),
		TEST(other_pid_namespace),
		TEST(tasks_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
