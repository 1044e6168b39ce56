/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The end of sets and groups when things go wrong on the way: overlapping grace
 * periods, no grace period to be had, updates that fail without a SIGKILL, chargers
 * that were taken back once too often, intents that cannot be carried out.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "world.h"

#define USED 1000

static void begin(struct world *world, unsigned int sets)
{
	world_open(world, 64, sets);
	fake_task_old(world->fake, 1, 1);
	fake_kernel_ops.pass(world->fake, GRP_PASS_SEED, NULL, NULL, NULL, NULL);
	world_mkdir(world, "/a");
	world_mkdir(world, "/a/x");
	world_mkdir(world, "/b");
	fake_task_fork(world->fake, 1, 10, 10);
	fake_task_fork(world->fake, 1, 11, 11);
}

static void end_task(struct world *world, uint32_t tid)
{
	fake_task_exit(world->fake, tid);
	fake_task_reap(world->fake, tid);
}

static struct grp_set *set_of(struct world *world, pid_t tid)
{
	const struct grp_task_id id = { .tid = tid };
	struct grp_member member;

	assert_int_equal(grp_task_find(world->core, &id, NULL, &member), 0);
	return member.set;
}

static void check_empty(struct world *world)
{
	struct grp_core_figures figures;

	grp_core_figures(world->core, &figures);
	assert_int_equal(figures.retired_sets, 0);
	assert_int_equal(figures.dying_groups, 0);
}

/* A fold that failed at one update goes on under its number: nothing counts twice. */
static void failed_fold_goes_on(void **state)
{
	(void)state;
	for (long left = 0; left < 16; left++) {
		struct world world;

		begin(&world, 16);
		assert_int_equal(world_move(&world, "/a/x", 10, true), 0);
		fake_task_run(world.fake, 10, 0, USED);
		end_task(&world, 10);
		assert_int_equal(world_rmdir(&world, "/a/x"), 0);
		assert_true(grp_core_collect(world.core) >= 0);
		world.fake->updates_left = left;
		(void)fake_grace_end(world.fake);
		world.fake->updates_left = -1;
		world_collect(&world);
		check_empty(&world);
		assert_int_equal(world_tree(&world, "/a"), USED);
		assert_int_equal(grp_hierarchy_mount(world.core, "late", "none", NULL), 0);
		assert_int_equal(world_tree(&world, "late:/"), USED);
		world_restart(&world);
		assert_int_equal(world_tree(&world, "/a"), USED);
		assert_int_equal(world_tree(&world, "/"), USED);
		world_close(&world);
	}
}

/*
 * Set A waits for a grace period; then B's last charger goes; then A's period ends.
 * A hook may have read B's word before its charger went and add to its cell now:
 * B must not be folded before a period of its own.
 */
static void each_set_has_its_own_grace_period(void **state)
{
	struct world world;
	struct grp_set *b;

	(void)state;
	begin(&world, 16);
	assert_int_equal(world_move(&world, "/a/x", 10, true), 0);
	assert_int_equal(world_move(&world, "/b", 11, true), 0);
	b = set_of(&world, 11);
	end_task(&world, 10);
	fake_task_exit(world.fake, 11);
	assert_int_equal(world_rmdir(&world, "/a/x"), 0);
	assert_int_equal(world_rmdir(&world, "/b"), 0);
	assert_int_equal(grp_core_collect(world.core), 1);
	assert_int_equal(world.fake->n_graces, 1);
	fake_task_reap(world.fake, 11);
	assert_int_equal(grp_core_collect(world.core), 1);
	assert_int_equal(world.fake->n_graces, 1);
	/* The end of A's period; B's begins there. */
	assert_int_equal(fake_grace_end(world.fake), 1);
	assert_int_equal(b->state, GRP_SET_RETIRED);
	assert_int_equal(fake_grace_end(world.fake), 1);
	assert_int_equal(b->state, GRP_SET_FREE);
	world_collect(&world);
	check_empty(&world);
	world_close(&world);
}

static void no_grace_period_to_be_had(void **state)
{
	struct world world;

	(void)state;
	begin(&world, 16);
	assert_int_equal(world_move(&world, "/b", 10, true), 0);
	end_task(&world, 10);
	assert_int_equal(world_rmdir(&world, "/b"), 0);
	world.fake->n_graces = FAKE_GRACES_MAX; /* as when fork() is refused */
	assert_true(grp_core_collect(world.core) < 0);
	world.fake->n_graces = 0;
	world_collect(&world);
	check_empty(&world);
	world_close(&world);
}

static void intent_without_room_does_not_stop_the_start(void **state)
{
	struct world world;

	(void)state;
	begin(&world, 2);
	assert_int_equal(world_move(&world, "/a", 10, true), 0);
	world.fake->updates_left = 1; /* the intent */
	assert_int_equal(world_move(&world, "/b", 11, true), -ENOSPC);
	assert_int_equal(world.fake->journal[GRP_JOURNAL_ENTRY_ATTACH].op, GRP_JOURNAL_ATTACH);
	world_restart(&world);
	assert_int_equal(world.fake->journal[GRP_JOURNAL_ENTRY_ATTACH].op, GRP_JOURNAL_NONE);
	assert_int_equal(world_tasks(&world, "/b"), 0);
	assert_int_equal(world_tasks(&world, "/a"), 1);
	world_close(&world);
}

/* TASK-8 holds for an intent that is carried out by the next agent. */
static void intent_keeps_its_user(void **state)
{
	const struct grp_caller user = { .uid = 1000, .gid = 1000 };
	const struct grp_task_id id = { .tid = 10, .whole = true };
	struct grp_target target = {};
	struct world world;

	(void)state;
	begin(&world, 16);
	world_find(&world, "/b")->file_uid = user.uid;
	assert_int_equal(grp_target_add(&target, world_find(&world, "/b")), 0);
	assert_int_equal(grp_attach(world.core, &target, &id, &user, NULL, NULL), -EACCES);
	world.fake->updates_left = 1;
	assert_true(grp_attach(world.core, &target, &id, &user, NULL, NULL) < 0);
	world.fake->groups[world_find(&world, "/b")->id].uid = user.uid;
	world_restart(&world);
	assert_int_equal(world_tasks(&world, "/b"), 0);
	world_close(&world);
}

/* A charger taken back as missed, whose free hook came after all. */
static void chargers_below_zero(void **state)
{
	struct world world;
	struct grp_set *set;

	(void)state;
	begin(&world, 16);
	assert_int_equal(world_move(&world, "/a/x", 10, true), 0);
	fake_task_run(world.fake, 10, 0, USED);
	set = set_of(&world, 10);
	end_task(&world, 10);
	world.fake->counts[set->id].chargers = -1;
	assert_int_equal(world_rmdir(&world, "/a/x"), 0);
	world_collect(&world);
	check_empty(&world);
	assert_int_equal(set->state, GRP_SET_FREE);
	assert_int_equal(world.fake->counts[set->id].members, 0);
	/* Whoever gets the id next starts with nothing. */
	assert_int_equal(world_move(&world, "/b", 11, true), 0);
	assert_ptr_equal(set_of(&world, 11), set);
	assert_int_equal(world_own(&world, "/b"), 0);
	assert_int_equal(world_tree(&world, "/a"), USED);
	world_close(&world);
}

/* What nothing refers to and leaves nothing behind needs no mark first. */
static void bare_group_goes_by_one_update(void **state)
{
	struct world world;
	unsigned long before;

	(void)state;
	begin(&world, 16);
	world_mkdir(&world, "/a/bare");
	before = world.fake->updates;
	assert_int_equal(world_rmdir(&world, "/a/bare"), 0);
	assert_int_equal(world.fake->updates - before, 1);
	check_empty(&world);
	world_restart(&world);
	assert_null(world_find(&world, "/a/bare"));
	world_close(&world);
}

/* A live set whose count went below zero is mended, not taken for a dead one. */
static void audit_mends_a_negative_count(void **state)
{
	struct world world;
	struct grp_set *set;
	unsigned int corrections;

	(void)state;
	begin(&world, 16);
	assert_int_equal(world_move(&world, "/b", 10, true), 0);
	set = set_of(&world, 10);
	world.fake->counts[set->id].members = -1;
	assert_int_equal(grp_core_audit(world.core, &corrections), 0);
	assert_int_equal(corrections, 1);
	assert_int_equal(world_tasks(&world, "/b"), 1);
	world_close(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(failed_fold_goes_on),
		cmocka_unit_test(each_set_has_its_own_grace_period),
		cmocka_unit_test(no_grace_period_to_be_had),
		cmocka_unit_test(intent_without_room_does_not_stop_the_start),
		cmocka_unit_test(intent_keeps_its_user),
		cmocka_unit_test(chargers_below_zero),
		cmocka_unit_test(bare_group_goes_by_one_update),
		cmocka_unit_test(audit_mends_a_negative_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
