/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Usage: sums over CPUs, sets and subtrees, what removed groups leave, values that
 * never fall, the split into user and system, the reset of cpuacct.usage, and the audit
 * of the counts.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "world.h"

static int setup(void **state)
{
	static struct world world;

	world_open_populated(&world, 32, 16);
	*state = &world;
	return 0;
}

static int teardown(void **state)
{
	world_close(*state);
	return 0;
}

static void sums(void **state)
{
	struct world *world = *state;

	fake_task_run(world->fake, 10, 0, 1);
	fake_task_run(world->fake, 11, 1, 20);
	fake_task_run(world->fake, 12, 2, 300);
	fake_task_run(world->fake, 1, 0, 4000);
	assert_int_equal(world_own(world, "/a"), 1);
	assert_int_equal(world_own(world, "/a/b"), 320);
	assert_int_equal(world_tree(world, "/a"), 321);
	assert_int_equal(world_tree(world, "/"), 4321);
	assert_int_equal(world_own(world, "/"), 4000);
	assert_int_equal(world_tree(world, "other:/p"), 300);
	assert_int_equal(world_own(world, "other:/"), 4021);
	/* Charged where it ran. */
	struct grp_base_cpu cpus[WORLD_CPUS];
	assert_int_equal(grp_usage_percpu(world->core, world_find(world, "/a"), true, cpus), 0);
	assert_int_equal(cpus[0].cell.time_ns, 1);
	assert_int_equal(cpus[1].cell.time_ns, 20);
	assert_int_equal(cpus[2].cell.time_ns, 300);
}

static void end_and_remove(struct world *world, uint32_t tid)
{
	fake_task_exit(world->fake, tid);
	fake_task_reap(world->fake, tid);
}

static void removed_groups_stay_in_the_subtree(void **state)
{
	struct world *world = *state;

	fake_task_run(world->fake, 11, 1, 20);
	fake_task_run(world->fake, 12, 2, 300);
	end_and_remove(world, 11);
	/* 12 is a zombie: its set is held, its last slice still comes. */
	fake_task_exit(world->fake, 12);
	assert_int_equal(world_rmdir(world, "/a/b"), 0);
	assert_int_equal(world_tree(world, "/a"), 320);
	assert_int_equal(world_own(world, "/a"), 0);
	world_collect(world);
	fake_task_run(world->fake, 12, 0, 5);
	assert_int_equal(world_tree(world, "/a"), 325);
	fake_task_reap(world->fake, 12);
	world_collect(world);
	assert_int_equal(world_tree(world, "/a"), 325);
	assert_int_equal(world_own(world, "other:/p"), 305);
	/* Everything that was held has been given back. */
	struct grp_core_figures figures;
	grp_core_figures(world->core, &figures);
	assert_int_equal(figures.dying_groups, 0);
	assert_int_equal(figures.retired_sets, 0);
	/* A later hierarchy starts with all that was ever charged. */
	assert_int_equal(grp_hierarchy_mount(world->core, "late", "cpuacct", NULL), 0);
	assert_int_equal(world_tree(world, "late:/"), 325);
	/* And the next removal, with what it inherited. */
	end_and_remove(world, 10);
	assert_int_equal(world_rmdir(world, "/a"), 0);
	world_collect(world);
	assert_int_equal(world_tree(world, "/"), 325);
	assert_int_equal(world_own(world, "/"), 0);
}

/* A set is used again only after chargers and a grace period; then it starts at 0. */
static void reused_set_starts_at_zero(void **state)
{
	struct world *world = *state;

	fake_task_run(world->fake, 11, 1, 20);
	end_and_remove(world, 11);
	fake_task_exit(world->fake, 12);
	fake_task_reap(world->fake, 12);
	assert_int_equal(world_rmdir(world, "/a/b"), 0);
	world_collect(world);
	for (uint32_t i = 0; i < 14; i++) {
		char spec[] = "/ga";

		spec[2] = (char)('a' + i);
		world_mkdir(world, spec);
		fake_task_fork(world->fake, 1, 300 + i, 300 + i);
		if (world_move(world, spec, 300 + i, true))
			break;
		assert_int_equal(world_tree(world, spec), 0);
	}
	assert_int_equal(world_tree(world, "/"), 20);
}

static void nothing_shown_falls(void **state)
{
	struct world *world = *state;
	struct grp_usage before, after;
	struct grp_group *a = world_find(world, "/a");

	/* All user, then the ticks say system: shown user time must not fall. */
	fake_task_run(world->fake, 10, 0, 1000);
	for (uint32_t i = 0; i < world->fake->view.capacity_sets * WORLD_CPUS; i++)
		if (world->fake->cells[i].time_ns) {
			world->fake->modes[i].user_ns = 1000;
			world->fake->modes[i].system_ns = 0;
		}
	assert_int_equal(grp_usage_read(world->core, a, false, &before), 0);
	assert_int_equal(before.user_ns, 1000);
	for (uint32_t i = 0; i < world->fake->view.capacity_sets * WORLD_CPUS; i++)
		if (world->fake->cells[i].time_ns)
			world->fake->modes[i].system_ns = 3000;
	assert_int_equal(grp_usage_read(world->core, a, false, &after), 0);
	assert_true(after.user_ns >= before.user_ns && after.system_ns >= before.system_ns);
	assert_int_equal(after.user_ns + after.system_ns, after.time_ns);
	fake_task_run(world->fake, 10, 0, 9000);
	world_restart(world);
	a = world_find(world, "/a");
	assert_int_equal(grp_usage_read(world->core, a, false, &before), 0);
	assert_true(before.user_ns >= after.user_ns && before.system_ns >= after.system_ns);
	/* A read between the claim and the addition misses a slice for nanoseconds. */
	for (uint32_t i = 0; i < world->fake->view.capacity_sets * WORLD_CPUS; i++)
		world->fake->cells[i].time_ns /= 2;
	assert_int_equal(world_own(world, "/a"), 10000);
	world_restart(world);
	assert_int_equal(world_own(world, "/a"), 10000);
}

static uint64_t read_number(struct world *world, const char *file)
{
	return strtoull(world_read(world, "/a", file), NULL, 10);
}

static void reset(void **state)
{
	struct world *world = *state;
	const struct grp_file_access access = { .core = world->core,
						.group = world_find(world, "/a"),
						.caller = &world_root };
	static const char *const bad[] = { "1", "10", "-1", "a", "00", " 0", "" };

	fake_task_run(world->fake, 11, 1, 500);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(grp_file_write(&access, "cpuacct.usage", bad[i], strlen(bad[i])),
				 -EINVAL);
	assert_int_equal(read_number(world, "cpuacct.usage"), 500);
	assert_int_equal(grp_file_write(&access, "cpuacct.usage_own", "0", 1), -EINVAL);
	assert_int_equal(grp_file_write(&access, "nosuch", "0", 1), -ENOENT);
	assert_int_equal(grp_file_write(&access, "cpuacct.usage", "0\n", 2), 0);
	assert_int_equal(read_number(world, "cpuacct.usage"), 0);
	assert_int_equal(read_number(world, "cpuacct.usage_percpu"), 0);
	assert_int_equal(read_number(world, "cpuacct.usage_user"), 0);
	/* Not what others show. */
	assert_int_equal(world_tree(world, "/a"), 500);
	fake_task_run(world->fake, 11, 1, 7);
	assert_int_equal(read_number(world, "cpuacct.usage"), 7);
	world_restart(world);
	assert_int_equal(read_number(world, "cpuacct.usage"), 7);
}

static void change_counts(struct fake_kernel *fake, enum grp_pass kind, void *data)
{
	struct grp_count *count = data;

	(void)fake;
	if (kind == GRP_PASS_LIST)
		count->changes++;
}

static void audit(void **state)
{
	struct world *world = *state;
	uint16_t set = fake_task_find(world->fake, 10)->set;
	unsigned int corrections;
	int64_t right = world->fake->counts[set].members;

	assert_int_equal(grp_core_audit(world->core, &corrections), 0);
	assert_int_equal(corrections, 0);
	world->fake->counts[set].members += 3;
	/* A set that changes during the pass is not judged. */
	world->fake->before_pass = change_counts;
	world->fake->before_pass_data = &world->fake->counts[set];
	assert_int_equal(grp_core_audit(world->core, &corrections), 0);
	assert_int_equal(corrections, 0);
	world->fake->before_pass = NULL;
	assert_int_equal(grp_core_audit(world->core, &corrections), 0);
	assert_int_equal(corrections, 1);
	assert_int_equal(world->fake->counts[set].members, right);
	assert_int_equal(grp_core_audit(world->core, &corrections), 0);
	assert_int_equal(corrections, 0);
}

int main(void)
{
#define TEST(FUNCTION) cmocka_unit_test_setup_teardown(FUNCTION, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(sums),
		TEST(removed_groups_stay_in_the_subtree),
		TEST(reused_set_starts_at_zero),
		TEST(nothing_shown_falls),
		TEST(reset),
		TEST(audit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
