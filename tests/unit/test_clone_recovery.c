/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A clone into two hierarchies, killed between any two updates: the next start finds
 * both children with the whole process in them, or neither (CLONE-1, A5).
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/clone.h"
#include "world.h"

static const char *const parents[] = { "/a", "h:/" };
static const char *const children[] = { "/a/node_10", "h:/node_10" };

/* Process 10 with threads 10 and 11 in /a; what is made there is released (REL-1). */
static void open_world(struct world *world)
{
	world_open(world, 64, 32);
	fake_task_old(world->fake, 1, 1);
	fake_kernel_ops.pass(world->fake, GRP_PASS_SEED, NULL, NULL, NULL, NULL);
	world_mkdir(world, "/a");
	assert_int_equal(world_write(world, "/a", "notify_on_release", "1"), 0);
	assert_int_equal(world_write(world, "/a", "xa.inherited", "3"), 0);
	assert_int_equal(grp_hierarchy_mount(world->core, "h", "none", NULL), 0);
	fake_task_fork(world->fake, 1, 10, 10);
	fake_task_fork(world->fake, 10, 11, 10);
	assert_int_equal(world_move(world, "/a", 10, true), 0);
}

static struct grp_value_clone intent_of(struct world *world, struct grp_target *target)
{
	struct grp_value_clone intent = { .tid = 10, .whole = 1 };

	*target = (struct grp_target){};
	intent.start_ns = fake_task_find(world->fake, 10)->start_ns;
	for (size_t i = 0; i < 2; i++)
		intent.slots |= 1U << world_find(world, parents[i])->hierarchy->slot;
	return intent;
}

/* What front/job_clone.c does in one turn, up to a failure. */
static int make_and_move(struct world *world, struct grp_target *target)
{
	const struct grp_task_id id = { .tid = 10, .whole = true };
	struct grp_value_clone intent = intent_of(world, target);
	int r = 0;

	for (size_t i = 0; !r && i < 2; i++) {
		const struct grp_clone_child child = { .parent = world_find(world, parents[i]),
						       .name = "node_10",
						       .mode = 0755,
						       .caller = &world_root };
		struct grp_group *made;

		r = grp_clone_make(world->core, &child, &intent, NULL, &made);
		if (!r)
			assert_int_equal(grp_target_add(target, made), 0);
	}
	return r ?: grp_attach(world->core, target, &id, &world_root, NULL, NULL);
}

static int run(struct world *world)
{
	struct grp_target target;
	int r = make_and_move(world, &target);

	return r ?: grp_clone_commit(world->core, &target);
}

static void undo(struct world *world, const struct grp_target *target)
{
	for (unsigned int slot = GRP_HIERARCHIES_MAX; slot-- > 0;)
		if (target->group[slot])
			(void)grp_clone_undo(world->core, target->group[slot]);
}

static bool has_intents(const struct world *world)
{
	for (size_t i = 0; i < world->fake->n_values; i++)
		if (world->fake->values[i].used &&
		    world->fake->values[i].key.kind == GRP_VALUE_CLONE)
			return true;
	return false;
}

/* Return: whether it was done. @threads: of the process that are alive. */
static bool check(struct world *world, unsigned int threads)
{
	bool done = world_find(world, children[0]);

	assert_int_equal(!!world_find(world, children[1]), done);
	assert_false(has_intents(world));
	assert_int_equal(world->fake->journal[GRP_JOURNAL_ENTRY_ATTACH].op, GRP_JOURNAL_NONE);
	for (size_t i = 0; done && i < 2; i++)
		assert_int_equal(world_tasks(world, children[i]), threads);
	if (done)
		world_holds(world, children[0], "xa.inherited", "3\n");
	assert_int_equal(world_tasks(world, "/a"), done ? 0 : threads);
	assert_int_equal(world_tasks(world, "h:/"), done ? 1 : 1 + threads);
	return done;
}

static void end_process(struct world *world)
{
	for (uint32_t tid = 10; tid <= 11; tid++) {
		fake_task_exit(world->fake, tid);
		fake_task_reap(world->fake, tid);
	}
}

/* Return: whether the clone came through with so many updates. */
static bool killed_after(long updates, bool ended, unsigned int *done)
{
	struct world world;
	int r;

	open_world(&world);
	world.fake->updates_left = updates;
	r = run(&world);
	assert_true(!r || r == -ECANCELED);
	if (ended)
		end_process(&world);
	world_restart(&world);
	*done += check(&world, ended ? 0 : 2);
	assert_true(r || world_find(&world, children[0]));
	world_restart(&world);
	(void)check(&world, ended ? 0 : 2);
	/* It can be done now, or is. */
	if (!ended && !world_find(&world, children[0]))
		assert_int_equal(run(&world), 0);
	world_close(&world);
	return !r;
}

static void every_prefix_is_recoverable(void **state)
{
	(void)state;
	for (unsigned int ended = 0; ended < 2; ended++) {
		unsigned int done = 0;
		long updates = 0;

		while (!killed_after(updates, ended, &done))
			updates++;
		print_message("# %ld prefixes, %u done\n", updates, done);
		assert_true(updates > 6 && done && done < updates);
	}
}

/* The agent waits for the next try: one thread has moved, one cannot be moved yet. */
static void killed_while_it_waits(void **state)
{
	struct grp_target target;
	struct world world;

	(void)state;
	open_world(&world);
	fake_task_find(world.fake, 11)->state = GRP_STATE_UNCLAIMED;
	assert_int_equal(make_and_move(&world, &target), -EAGAIN);
	assert_int_equal(world_tasks(&world, "/a"), 1);
	fake_task_find(world.fake, 11)->state = GRP_STATE_ALIVE;
	world_restart(&world);
	assert_true(check(&world, 2));
	world_close(&world);
}

/* It gives up, and is killed in the midst of that. */
static void killed_while_it_is_undone(void **state)
{
	(void)state;
	for (long updates = 0; updates < 12; updates++) {
		struct grp_target target;
		struct world world;

		open_world(&world);
		assert_int_equal(make_and_move(&world, &target), 0);
		world.fake->updates_left = updates;
		undo(&world, &target);
		world_restart(&world);
		(void)check(&world, 2);
		world_close(&world);
	}
}

/* Somebody else's task keeps a child: it is his now. */
static void what_others_use_stays(void **state)
{
	struct grp_target target;
	struct world world;

	(void)state;
	open_world(&world);
	assert_int_equal(make_and_move(&world, &target), 0);
	world_mkdir(&world, "/a/node_10/others");
	undo(&world, &target);
	assert_non_null(world_find(&world, children[0]));
	assert_null(world_find(&world, children[1]));
	assert_false(has_intents(&world));
	world_restart(&world);
	assert_non_null(world_find(&world, children[0]));
	assert_int_equal(world_tasks(&world, "/a"), 2);
	world_close(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_prefix_is_recoverable),
		cmocka_unit_test(killed_while_it_waits),
		cmocka_unit_test(killed_while_it_is_undone),
		cmocka_unit_test(what_others_use_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
