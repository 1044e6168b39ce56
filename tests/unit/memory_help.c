/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * See memory_help.h.
 */
#include <linux/mempolicy.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "memory_help.h"

struct world world;

void open_world(void)
{
	world_open(&world, 32, 32);
	world.fake->clock_ns = 1000 * SECOND_NS;
	world.fake->topology->nodes.words[0] = ALL;
	fake_task_old(world.fake, 1, 1);
	fake_kernel_ops.pass(world.fake, GRP_PASS_SEED, NULL, NULL, NULL, NULL);
	(void)world_mkdir(&world, "/a");
	(void)world_mkdir(&world, "/b");
	for (uint32_t tid = 10; tid < 13; tid++)
		(void)fake_task_fork(world.fake, 1, tid, 10);
}

int memory_setup(void **state)
{
	open_world();
	return 0;
}

int memory_teardown(void **state)
{
	world_close(&world);
	return 0;
}

void say(const char *spec, uint32_t mode, uint64_t nodes, bool migrates)
{
	const struct grp_memory memory = { .places = mode != MPOL_BIND || nodes != ALL,
					   .migrates = migrates,
					   .mode = mode,
					   .nodes = { .words = { nodes } } };

	assert_int_equal(grp_memory_set(world.core, world_find(&world, spec), &memory), 0);
}

/* Turns of the loop until nothing is due before @end_ns, with replies as they are asked for. */
static void run_until(uint64_t end_ns)
{
	for (unsigned int i = 0;; i++) {
		uint64_t due = grp_memory_due(world.core);
		bool any = fake_helper_reply(world.fake, GRP_HELPER_POLICY, true);

		any = fake_helper_reply(world.fake, GRP_HELPER_PAGES, true) || any;
		assert_true(i < 100000);
		if (!any && (!due || due > end_ns))
			return;
		if (due && due <= end_ns && world.fake->clock_ns < due)
			world.fake->clock_ns = due;
		assert_int_equal(grp_memory_step(world.core, TURN_NS), 0);
		/* The claim is shared. */
		assert_int_equal(grp_place_step(world.core, TURN_NS), 0);
	}
}

/* Not so long that anything is tried twice. */
void run(void)
{
	run_until(world.fake->clock_ns + SECOND_NS / 20);
}

void run_for(unsigned int seconds)
{
	uint64_t end = world.fake->clock_ns + seconds * SECOND_NS;

	run_until(end);
	world.fake->clock_ns = end;
}

void move(const char *spec, pid_t tid, bool whole)
{
	struct grp_target target = {};
	const struct grp_task_id id = { .tid = tid, .whole = whole };

	assert_int_equal(grp_target_add(&target, world_find(&world, spec)), 0);
	assert_int_equal(grp_attach(world.core, &target, &id, &world_root, NULL, NULL), 0);
	/* What the subsystem does of itself when it is bound. */
	const struct grp_attach attach = { .core = world.core, .group = world_find(&world, spec) };

	grp_memory_attached(&attach);
}

struct fake_task *task(uint32_t tid)
{
	return fake_task_find(world.fake, tid);
}

void set(uint32_t tid, uint32_t mode, uint64_t nodes)
{
	task(tid)->policy = mode;
	task(tid)->nodes = nodes;
}

void has(uint32_t tid, uint32_t mode, uint64_t nodes)
{
	assert_int_equal(task(tid)->policy, mode);
	assert_int_equal(task(tid)->nodes, nodes);
}

struct grp_place_figures figures(void)
{
	struct grp_place_figures figures;

	grp_place_figures(world.core, &figures);
	return figures;
}
