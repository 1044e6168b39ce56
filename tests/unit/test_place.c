/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * CPU placement over a kernel in memory: what a task gets, what it wished, what others
 * rewrite, what the kernel refuses; an agent killed before any of its updates; on
 * kernels that keep what was asked for and on those that do not.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/event.h"
#include "core/place.h"
#include "core/place_memory.h"
#include "world.h"

#define TURN_NS 1000000000ULL
#define SECOND_NS 1000000000ULL

static struct world world;
static bool keeps;
static unsigned int violations;

static void on_event(const struct grp_watch_event *event, void *data)
{
	violations += event->kind == GRP_WATCH_PLACEMENT;
}

/* Bit n is CPU n. */
static struct grp_mask cpus(uint64_t bits)
{
	struct grp_mask mask = { .words = { bits } };

	return mask;
}

static void open_world(void)
{
	world_open(&world, 32, 32);
	world.fake->keeps_asked = keeps;
	world.fake->clock_ns = 1000 * SECOND_NS;
	fake_task_old(world.fake, 1, 1);
	fake_kernel_ops.pass(world.fake, GRP_PASS_SEED, NULL, NULL, NULL, NULL);
	(void)world_mkdir(&world, "/a");
	(void)world_mkdir(&world, "/b");
	for (uint32_t tid = 10; tid < 13; tid++)
		(void)fake_task_fork(world.fake, 1, tid, 10);
	violations = 0;
	grp_core_set_sink(world.core, on_event, NULL);
}

static int setup_old(void **state)
{
	keeps = false;
	open_world();
	return 0;
}

static int setup_kept(void **state)
{
	keeps = true;
	open_world();
	return 0;
}

static int teardown(void **state)
{
	world_close(&world);
	return 0;
}

static void allow(const char *spec, uint64_t bits)
{
	const struct grp_mask mask = cpus(bits);

	assert_int_equal(grp_place_set_cpus(world.core, world_find(&world, spec), &mask), 0);
}

/* Turns of the loop, until nothing is due. */
static void run(void)
{
	for (unsigned int i = 0; grp_place_due(world.core); i++) {
		uint64_t due = grp_place_due(world.core);

		assert_true(i < 1000);
		if (world.fake->clock_ns < due)
			world.fake->clock_ns = due;
		assert_int_equal(grp_place_step(world.core, TURN_NS), 0);
		/* The claim is shared. */
		assert_int_equal(grp_memory_step(world.core, TURN_NS), 0);
	}
	assert_true(grp_place_settled(world.core, grp_place_ticket(world.core)));
}

static void move(const char *spec, pid_t tid, bool whole)
{
	assert_int_equal(world_move(&world, spec, tid, whole), 0);
	grp_place_touch(world.core, world_find(&world, spec));
}

static void has(uint32_t tid, uint64_t bits)
{
	struct grp_mask mask = fake_task_cpus(world.fake, tid);

	assert_int_equal(mask.words[0], bits);
}

static void ask(uint32_t tid, uint64_t bits)
{
	const struct grp_mask mask = cpus(bits);

	assert_int_equal(fake_task_ask(world.fake, tid, &mask), 0);
}

static void tell(uint32_t tid)
{
	const struct grp_place_event event = {
		.event.kind = GRP_EVENT_PLACE, .tid = tid, .how = GRP_PLACE_HOW_ASKED, .by_tgid = 77
	};

	grp_core_event(world.core, &event.event);
}

static struct grp_place_figures figures(void)
{
	struct grp_place_figures figures;

	grp_place_figures(world.core, &figures);
	return figures;
}

#define ALL 7 /* the world has three */

/* --- tests ------------------------------------------------------------------------------------- */

static void unconfined_costs_nothing(void **state)
{
	run();
	allow("/a", ALL);
	move("/a", 10, true);
	run();
	assert_int_equal(world.fake->affinities, 0);
	assert_false(world.fake->watches);
	assert_false(world.fake->claimed);
	/* One look at the start, and none for the move. */
	assert_int_equal(world.fake->placed_passes, 1);
}

static void all_threads_and_their_children(void **state)
{
	allow("/a", 1);
	move("/a", 10, true);
	run();
	for (uint32_t tid = 10; tid < 13; tid++)
		has(tid, 1);
	has(1, ALL);
	assert_true(world.fake->watches);
	assert_true(world.fake->claimed);
	(void)fake_task_fork(world.fake, 11, 20, 10);
	has(20, 1);
	allow("/a", 6);
	run();
	has(10, 6);
	has(20, 6);
	/* Nothing to do is nothing done. */
	world.fake->affinities = 0;
	grp_place_touch(world.core, world_find(&world, "/a"));
	run();
	assert_int_equal(world.fake->affinities, 0);
}

static void own_wish_is_kept_and_given_back(void **state)
{
	ask(11, 2);
	allow("/a", 3);
	allow("/b", 4);
	move("/a", 10, true);
	run();
	has(10, 3);
	has(11, 2);
	(void)fake_task_fork(world.fake, 11, 20, 10);
	/* Nothing of its wish is there: all that the group has. */
	move("/b", 10, true);
	run();
	has(11, 4);
	has(20, 4);
	(void)fake_task_fork(world.fake, 11, 21, 10);
	move("/a", 10, true);
	run();
	has(11, 2);
	has(20, 2);
	has(21, 2);
	has(10, 3);
	move("/", 10, true);
	run();
	has(10, ALL);
	has(11, 2);
	has(20, 2);
	has(21, 2);
	assert_false(world.fake->watches);
	assert_false(world.fake->claimed);
	assert_int_equal(violations, 0);
}

static void widened_is_put_right_and_remembered(void **state)
{
	allow("/a", 3);
	move("/a", 10, true);
	run();
	ask(10, 6);
	tell(10);
	run();
	has(10, 2);
	assert_int_equal(violations, 1);
	assert_int_equal(figures().repairs, 1);
	assert_true(world.fake->looks > 0);
	/* Within the group: its own business. */
	ask(11, 1);
	tell(11);
	run();
	has(11, 1);
	assert_int_equal(violations, 1);
	move("/", 10, true);
	run();
	has(10, 6);
	has(11, 1);
	has(12, ALL);
}

/* An event that was lost is made up for by one for all. */
static void one_event_for_all(void **state)
{
	allow("/a", 1);
	move("/a", 10, true);
	run();
	ask(12, 2);
	tell(0);
	run();
	has(12, 1);
	assert_int_equal(violations, 1);
}

static void fight_is_not_for_ever(void **state)
{
	uint64_t begin;

	allow("/a", 1);
	move("/a", 10, true);
	run();
	begin = world.fake->clock_ns;
	for (unsigned int i = 0; i < 100; i++) {
		ask(10, 2);
		tell(10);
		run();
		has(10, 1);
	}
	assert_true(figures().repairs >= 90);
	assert_true(figures().fights > 80);
	/* As many as that take minutes: pauses of a second at last. */
	assert_true(world.fake->clock_ns - begin > 60 * SECOND_NS);
	/* And the group is settled meanwhile. */
	ask(10, 2);
	grp_place_touch(world.core, world_find(&world, "/a"));
	assert_int_equal(grp_place_step(world.core, TURN_NS), 0);
	assert_true(grp_place_settled(world.core, grp_place_ticket(world.core)));
}

/* The kernel's own cpuset has CPU 2 only. */
static void kernel_cpuset_is_no_violation(void **state)
{
	world.fake->allowed = cpus(4);
	allow("/a", 1);
	allow("/b", 6);
	move("/a", 10, true);
	run();
	has(10, 4);
	assert_true(figures().refused > 0);
	move("/b", 10, true);
	run();
	has(10, 4);
	tell(10);
	run();
	assert_int_equal(violations, 0);
	move("/", 10, true);
	run();
	has(10, 4);
	world.fake->allowed = cpus(0);
	if (keeps)
		has(10, ALL);
}

static void hotplug_and_back(void **state)
{
	struct grp_mask online = cpus(ALL & ~2);

	allow("/a", 2);
	move("/a", 10, true);
	run();
	has(10, 2);
	/* The kernel gives a task that lost its last CPU all that there are. */
	fake_task_find(world.fake, 10)->asked = false;
	grp_place_set_online(world.core, &online);
	allow("/a", 5);
	run();
	online = cpus(ALL);
	grp_place_set_online(world.core, &online);
	allow("/a", 2);
	run();
	has(10, 2);
	has(11, 2);
	move("/", 10, true);
	run();
	has(10, ALL);
	has(11, ALL);
}

static void kernel_threads_veto(void **state)
{
	const struct grp_caller root = { .uid = 0 };
	struct grp_member member = { .tid = 30, .fixed = true };
	struct grp_attach attach = { .core = world.core,
				     .group = world_find(&world, "/a"),
				     .tasks = &member,
				     .n = 1,
				     .caller = &root };

	allow("/a", ALL);
	assert_int_equal(grp_place_can_attach(&attach), 0);
	allow("/a", 1);
	assert_int_equal(grp_place_can_attach(&attach), -EINVAL);
	member.fixed = false;
	assert_int_equal(grp_place_can_attach(&attach), 0);
	/* Claimed, but nobody has come. */
	run();
	assert_false(world.fake->claimed);
	world.fake->claimed_elsewhere = true;
	assert_int_equal(grp_place_can_attach(&attach), -EBUSY);
}

/* --- a SIGKILL before any update -------------------------------------------------------------- */

static void prepare(void)
{
	ask(11, 2);
	allow("/a", 3);
	allow("/b", 4);
	move("/a", 10, true);
	run();
	ask(12, 6);
	move("/b", 10, true);
}

static void again(void)
{
	world.fake->updates_left = -1;
	world_restart(&world);
	allow("/a", 3);
	allow("/b", 4);
	run();
	has(10, 4);
	has(11, 4);
	has(12, 4);
	move("/", 10, true);
	run();
	has(10, ALL);
	has(11, 2);
	has(12, 6);
}

static void killed_anywhere(void **state)
{
	bool ended = false;

	for (long n = 0; !ended; n++) {
		world_close(&world);
		open_world();
		prepare();
		world.fake->updates_left = n;
		for (unsigned int i = 0; i < 50 && grp_place_due(world.core); i++)
			if (grp_place_step(world.core, TURN_NS))
				break;
		ended = world.fake->updates_left > 0;
		again();
		assert_true(n < 1000);
	}
}

static void release_gives_all_back(void **state)
{
	unsigned int left = 1;

	prepare();
	run();
	has(10, 4);
	grp_core_free(world.core);
	world.core = NULL;
	assert_int_equal(grp_place_release(&fake_kernel_ops, world.fake, &world.fake->view, &left),
			 0);
	has(10, ALL);
	has(11, 2);
	has(12, 6);
	for (size_t i = 0; i < world.fake->n_tasks; i++)
		assert_int_equal(world.fake->tasks[i].place, 0);
	assert_int_equal(left, 0);
}

/* Without programs nobody takes up a task that was born without being seen. */
static void release_awaits_births_only(void **state)
{
	struct fake_task *task;
	unsigned int left = 1;
	int r;

	prepare();
	run();
	task = fake_task_old(world.fake, 50, 50);
	grp_core_free(world.core);
	world.core = NULL;
	task->start_ns = UINT64_MAX / 2;
	r = grp_place_release(&fake_kernel_ops, world.fake, &world.fake->view, &left);
	assert_int_equal(r, -ETIMEDOUT);
	task->start_ns = 1;
	r = grp_place_release(&fake_kernel_ops, world.fake, &world.fake->view, &left);
	assert_int_equal(r, 0);
	has(10, ALL);
	assert_int_equal(left, 0);
}

#define BOTH(test)                                              \
	{ #test "_old", test, setup_old, teardown, NULL },      \
	{                                                       \
#test "_kept", test, setup_kept, teardown, NULL \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(unconfined_costs_nothing),
		BOTH(all_threads_and_their_children),
		BOTH(own_wish_is_kept_and_given_back),
		BOTH(widened_is_put_right_and_remembered),
		BOTH(one_event_for_all),
		BOTH(fight_is_not_for_ever),
		BOTH(kernel_cpuset_is_no_violation),
		BOTH(hotplug_and_back),
		BOTH(kernel_threads_veto),
		BOTH(killed_anywhere),
		BOTH(release_gives_all_back),
		BOTH(release_awaits_births_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
