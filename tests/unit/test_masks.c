/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Masks and policies by number: each once, kept over a restart, given up when no
 * task names them and room is wanted, and never before.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/masks.h"
#include "world.h"

#define SECOND_NS 1000000000ULL

static struct world world;

static int setup(void **state)
{
	world_open(&world, 8, 4);
	fake_task_old(world.fake, 1, 1);
	fake_kernel_ops.pass(world.fake, GRP_PASS_SEED, NULL, NULL, NULL, NULL);
	world.fake->clock_ns = 1000 * SECOND_NS;
	return 0;
}

static int teardown(void **state)
{
	world_close(&world);
	return 0;
}

/* The mask of a number that is not 0: its bits, and some far up. */
static struct grp_mask mask_of(uint64_t n)
{
	struct grp_mask mask = { .words = { n, 0, n } };

	return mask;
}

static uint32_t id_of(uint64_t n)
{
	const struct grp_mask mask = mask_of(n);
	uint32_t id = 0;

	assert_int_equal(grp_masks_cpus(world.core, &mask, &id), 0);
	assert_true(id);
	return id;
}

static void assert_mask(uint32_t id, uint64_t n)
{
	const struct grp_mask_entry *entry = grp_masks_find(world.core, id);
	struct grp_mask expected = mask_of(n), mask;

	assert_non_null(entry);
	assert_int_equal(entry->kind, GRP_MASK_CPUS);
	mask = grp_mask_kept(&entry->mask);
	assert_true(grp_mask_equal(&mask, &expected));
}

static void each_is_there_once(void **state)
{
	uint32_t a = id_of(1), b = id_of(2);

	assert_int_not_equal(a, b);
	assert_int_equal(id_of(1), a);
	assert_int_equal(id_of(2), b);
	assert_int_equal(grp_masks_used(world.core), 2);
	assert_mask(a, 1);
	assert_mask(b, 2);
	assert_null(grp_masks_find(world.core, 0));
	assert_null(grp_masks_find(world.core, GRP_MASKS_MAX + 1));
}

static void policies_differ_by_all_they_are(void **state)
{
	const struct grp_mask_entry kinds[] = {
		{ .kind = GRP_MASK_CPUS },
		{ .kind = GRP_MASK_POLICY },
		{ .kind = GRP_MASK_POLICY, .mode = 1 },
		{ .kind = GRP_MASK_POLICY, .mode = 1, .flags = 1 },
	};
	const struct grp_mask mask = mask_of(1);
	uint32_t id[4], again;

	for (unsigned int i = 0; i < 4; i++)
		assert_int_equal(grp_masks_id(world.core, &kinds[i], &mask, &id[i]), 0);
	for (unsigned int i = 0; i < 4; i++) {
		assert_int_equal(grp_masks_id(world.core, &kinds[i], &mask, &again), 0);
		assert_int_equal(again, id[i]);
	}
	assert_int_equal(grp_masks_used(world.core), 4);
	assert_int_equal(grp_masks_find(world.core, id[3])->flags, 1);
}

static void they_outlive_the_agent(void **state)
{
	uint32_t a = id_of(5), b = id_of(6);

	world_restart(&world);
	assert_int_equal(grp_masks_used(world.core), 2);
	assert_mask(a, 5);
	assert_mask(b, 6);
	assert_int_equal(id_of(6), b);
}

static void failed_update_leaves_nothing(void **state)
{
	const struct grp_mask mask = mask_of(7);
	uint32_t id;

	world.fake->fail_at = world.fake->updates + 1;
	assert_int_equal(grp_masks_cpus(world.core, &mask, &id), -ECANCELED);
	assert_int_equal(grp_masks_used(world.core), 0);
	(void)id_of(7);
	assert_int_equal(grp_masks_used(world.core), 1);
}

static void fill(void)
{
	for (uint64_t n = 1; n <= GRP_MASKS_MAX; n++)
		(void)id_of(n);
	assert_int_equal(grp_masks_used(world.core), GRP_MASKS_MAX);
}

static void full_table_gives_up_what_nobody_names(void **state)
{
	struct fake_task *task = fake_task_find(world.fake, 1);
	const struct grp_mask another = mask_of(GRP_MASKS_MAX + 1);
	uint32_t wish, applied, id;

	fill();
	wish = id_of(17);
	applied = id_of(18);
	task->place = grp_place_with(0, GRP_PLACE_CPU,
				     grp_place_make(wish, applied | GRP_PLACE_CHANGING));
	/* All were asked for just now: any may be on its way to a task. */
	assert_int_equal(grp_masks_cpus(world.core, &another, &id), -ENOSPC);
	world.fake->clock_ns += 3600 * SECOND_NS;
	/* A task that is being born will name what its parent had. */
	task = fake_task_old(world.fake, 2, 2);
	assert_int_equal(grp_masks_cpus(world.core, &another, &id), -ENOSPC);
	fake_kernel_ops.pass(world.fake, GRP_PASS_SEED, NULL, NULL, NULL, NULL);
	task->place = grp_place_with(0, GRP_PLACE_MEM, grp_place_make(0, 19));
	assert_int_equal(grp_masks_cpus(world.core, &another, &id), 0);
	assert_int_equal(grp_masks_used(world.core), 4);
	assert_mask(wish, 17);
	assert_mask(applied, 18);
	assert_non_null(grp_masks_find(world.core, 19));
	world_restart(&world);
	assert_int_equal(grp_masks_used(world.core), 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_is_there_once, setup, teardown),
		cmocka_unit_test_setup_teardown(policies_differ_by_all_they_are, setup, teardown),
		cmocka_unit_test_setup_teardown(they_outlive_the_agent, setup, teardown),
		cmocka_unit_test_setup_teardown(failed_update_leaves_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(full_table_gives_up_what_nobody_names, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
