/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The snapshot of all groups, which is taken in pieces: it says the same as who asks for
 * each group, whatever is removed or made between two pieces.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/snapshot.h"
#include "world.h"

/* So that there are several pieces. */
#define FILLERS 150
#define LATER 70
/* As in snapshot.c; and more groups than that, a multiple of the above. */
#define ROOM_AT_ONCE 2048
#define ROWS_AT_ONCE 32
#define MANY 3000

static int setup(void **state)
{
	static struct world world;

	world_open_populated(&world, 4096, 16);
	*state = &world;
	return 0;
}

static int teardown(void **state)
{
	world_close(*state);
	return 0;
}

/* So many pieces, or all. Return: 1: there are more. */
static int steps(struct grp_snapshot *snapshot, unsigned int n)
{
	int r = 1;

	while (n-- && r > 0)
		r = grp_snapshot_step(snapshot);
	assert_true(r >= 0);
	return r;
}

static struct grp_snapshot take(struct world *world)
{
	struct grp_snapshot snapshot;

	assert_int_equal(grp_snapshot_begin(world->core, &snapshot), 0);
	assert_int_equal(steps(&snapshot, ~0U), 0);
	return snapshot;
}

static const struct grp_snapshot_row *row_of(const struct grp_snapshot *snapshot,
					     const struct grp_group *group)
{
	for (size_t i = 0; i < snapshot->n; i++)
		if (snapshot->rows[i].group.id == group->id)
			return &snapshot->rows[i];
	return NULL;
}

static void snapshot_says_the_same(void **state)
{
	static const char *const specs[] = { "/", "/a", "/a/b", "other:/", "other:/p" };
	struct world *world = *state;
	struct grp_snapshot snapshot;

	fake_task_run(world->fake, 10, 0, 1);
	fake_task_run(world->fake, 11, 1, 20);
	fake_task_run(world->fake, 12, 2, 300);
	/* Two threads of one process in /a: one process there. */
	fake_task_fork(world->fake, 10, 50, 10);
	world_mkdir(world, "/a/gone");
	assert_int_equal(world_move(world, "/a/gone", 50, false), 0);
	fake_task_run(world->fake, 50, 1, 4000);
	assert_int_equal(world_move(world, "/a", 50, false), 0);
	assert_int_equal(world_rmdir(world, "/a/gone"), 0);
	snapshot = take(world);
	assert_int_equal(snapshot.n, 5);
	for (size_t i = 0; i < 5; i++) {
		const struct grp_group *group = world_find(world, specs[i]);
		const struct grp_snapshot_row *row = row_of(&snapshot, group);

		assert_non_null(row);
		assert_int_equal(row->own.time_ns, world_own(world, specs[i]));
		assert_int_equal(row->tree_ns, world_tree(world, specs[i]));
		assert_int_equal(row->tasks, world_tasks(world, specs[i]));
	}
	assert_int_equal(row_of(&snapshot, world_find(world, "/a"))->tasks, 2);
	assert_int_equal(row_of(&snapshot, world_find(world, "/a"))->processes, 1);
	assert_int_equal(row_of(&snapshot, world_find(world, "/a/b"))->processes, 2);
	assert_int_equal(row_of(&snapshot, world_find(world, "other:/"))->processes, 3);
	assert_int_equal(row_of(&snapshot, world_find(world, "/"))->tree_ns, 4321);
	grp_snapshot_done(&snapshot);
}

/* The list of all groups begins a step, so that who shares his time can begin a turn with it. */
static void list_is_announced(void **state)
{
	struct world *world = *state;
	struct grp_snapshot snapshot;
	int r;

	assert_int_equal(grp_snapshot_begin(world->core, &snapshot), 0);
	do {
		assert_int_equal(snapshot.n, 0);
		r = grp_snapshot_step(&snapshot);
	} while (r == 1);
	assert_int_equal(r, GRP_SNAPSHOT_LONG);
	assert_int_equal(snapshot.n, 0);
	r = grp_snapshot_step(&snapshot);
	assert_int_not_equal(snapshot.n, 0);
	assert_int_equal(r, 0);
	grp_snapshot_done(&snapshot);
}

static void fill(struct world *world)
{
	char spec[16];

	for (unsigned int i = 0; i < FILLERS; i++) {
		(void)snprintf(spec, sizeof(spec), "/f%u", i);
		world_mkdir(world, spec);
	}
}

/* One of those that are listed on the other side of it. */
static void later(struct world *world, unsigned int i, bool make)
{
	char spec[16];

	(void)snprintf(spec, sizeof(spec), "/l%u", i);
	if (make)
		world_mkdir(world, spec);
	else
		assert_int_equal(world_rmdir(world, spec), 0);
}

/* Return: rows of groups that are there. */
static size_t nothing_is_counted_twice(const struct world *world,
				       const struct grp_snapshot *snapshot)
{
	size_t n = 0;

	for (size_t i = 0; i < snapshot->n; i++) {
		const struct grp_snapshot_row *row = &snapshot->rows[i];
		struct grp_group *group = grp_group_by_id(world->core, row->group.id);
		struct grp_usage usage;

		if (!group || group->dying)
			continue;
		n++;
		assert_int_equal(grp_usage_read(world->core, group, true, &usage), 0);
		assert_int_equal(usage.time_ns, row->tree_ns);
		assert_int_equal(grp_usage_read(world->core, group, false, &usage), 0);
		assert_int_equal(usage.time_ns, row->own.time_ns);
	}
	return n;
}

/*
 * What a removed group had used goes to its parent. When the group's own row was made before
 * that, the parent's would have it twice; and as what is shown never falls, for ever.
 */
static void group_is_removed_meanwhile(void **state)
{
	struct world *world = *state;
	unsigned int pieces = 0;
	struct grp_snapshot snapshot;
	uint64_t used = 0;
	int more = 1;

	fill(world);
	for (unsigned int after = 0; more; after++) {
		world_mkdir(world, "/gone");
		assert_int_equal(world_move(world, "/gone", 10, false), 0);
		fake_task_run(world->fake, 10, 1, 100);
		used += 100;
		assert_int_equal(world_move(world, "/a", 10, false), 0);
		assert_int_equal(grp_snapshot_begin(world->core, &snapshot), 0);
		more = steps(&snapshot, after);
		assert_int_equal(world_rmdir(world, "/gone"), 0);
		world_collect(world);
		assert_null(world_find(world, "/gone"));
		if (more)
			assert_int_equal(steps(&snapshot, ~0U), 0);
		else
			pieces = after;
		grp_snapshot_done(&snapshot);
		snapshot = take(world);
		assert_int_equal(row_of(&snapshot, world_find(world, "/"))->tree_ns, used);
		assert_int_equal(nothing_is_counted_twice(world, &snapshot), 5 + FILLERS);
		grp_snapshot_done(&snapshot);
	}
	assert_true(pieces > 3);
}

/* What is there of it grows while it is taken. Return: rows of groups that are there. */
static size_t nothing_is_more_than_there_is(const struct world *world,
					    const struct grp_snapshot *snapshot)
{
	size_t n = 0;

	for (size_t i = 0; i < snapshot->n; i++) {
		const struct grp_snapshot_row *row = &snapshot->rows[i];
		struct grp_group *group = grp_group_at(world->core, row->group);
		struct grp_usage usage;

		if (!group || group->dying)
			continue;
		n++;
		assert_int_equal(grp_usage_read(world->core, group, true, &usage), 0);
		assert_in_range(row->tree_ns, row->own.time_ns, usage.time_ns);
	}
	return n;
}

/* The same of one with a child, that is listed before all others or behind all. */
static void tree_is_removed_meanwhile(struct world *world, bool last)
{
	struct grp_snapshot snapshot;
	uint64_t used = 0;
	int more = 1;

	for (unsigned int after = 0; more; after++) {
		world_mkdir(world, "/gone");
		world_mkdir(world, "/gone/child");
		for (unsigned int i = 0; i < 2; i++) {
			assert_int_equal(world_move(world, i ? "/gone" : "/gone/child", 10, false),
					 0);
			fake_task_run(world->fake, 10, 1, 100);
			used += 100;
		}
		assert_int_equal(world_move(world, "/a", 10, false), 0);
		for (unsigned int i = 0; last && i < LATER; i++)
			later(world, i, true);
		assert_int_equal(grp_snapshot_begin(world->core, &snapshot), 0);
		more = steps(&snapshot, after);
		assert_int_equal(world_rmdir(world, "/gone/child"), 0);
		if (after % 2 && more)
			more = steps(&snapshot, 1);
		assert_int_equal(world_rmdir(world, "/gone"), 0);
		world_collect(world);
		assert_null(world_find(world, "/gone"));
		if (more)
			assert_int_equal(steps(&snapshot, ~0U), 0);
		assert_int_equal(row_of(&snapshot, world_find(world, "/"))->tree_ns, used);
		(void)nothing_is_counted_twice(world, &snapshot);
		grp_snapshot_done(&snapshot);
		for (unsigned int i = 0; last && i < LATER; i++)
			later(world, i, false);
		world_collect(world);
	}
}

static void trees_are_removed_meanwhile(void **state)
{
	fill(*state);
	tree_is_removed_meanwhile(*state, false);
	world_close(*state);
	world_open_populated(*state, 4096, 16);
	fill(*state);
	tree_is_removed_meanwhile(*state, true);
}

/* With one removed before each piece it comes to its end all the same, in pieces. */
static void groups_are_removed_all_the_time(void **state)
{
	struct world *world = *state;
	struct grp_snapshot snapshot;
	unsigned int n = 0;
	size_t unmade;
	int more;

	fill(world);
	assert_int_equal(grp_snapshot_begin(world->core, &snapshot), 0);
	do {
		unmade = snapshot.unmade;
		world_mkdir(world, "/gone");
		assert_int_equal(world_move(world, "/gone", 10, false), 0);
		fake_task_run(world->fake, 10, 1, 100);
		assert_int_equal(world_move(world, "/a", 10, false), 0);
		assert_int_equal(world_rmdir(world, "/gone"), 0);
		world_collect(world);
		assert_true(n++ < 3 + (5 + FILLERS) / ROWS_AT_ONCE);
		more = steps(&snapshot, 1);
		assert_true(!unmade || unmade - snapshot.unmade <= ROWS_AT_ONCE);
	} while (more);
	assert_true(n > FILLERS / ROWS_AT_ONCE);
	assert_int_equal(row_of(&snapshot, world_find(world, "/"))->tree_ns, 100 * n);
	assert_int_equal(nothing_is_more_than_there_is(world, &snapshot), 5 + FILLERS);
	grp_snapshot_done(&snapshot);
}

static void hierarchy_is_removed_meanwhile(void **state)
{
	struct world *world = *state;
	struct grp_snapshot snapshot;

	fill(world);
	fake_task_run(world->fake, 12, 2, 300);
	assert_int_equal(grp_snapshot_begin(world->core, &snapshot), 0);
	/* The tasks are counted, some times are read. */
	assert_int_equal(steps(&snapshot, 2), 1);
	assert_int_equal(snapshot.n, 5 + FILLERS);
	assert_true(snapshot.unmade && snapshot.unmade < snapshot.n);
	assert_int_equal(world_move(world, "other:/", 12, true), 0);
	assert_int_equal(world_rmdir(world, "other:/p"), 0);
	assert_int_equal(grp_hierarchy_umount(world->core, "other", NULL), 0);
	world_collect(world);
	world_mkdir(world, "/new");
	assert_int_equal(steps(&snapshot, ~0U), 0);
	assert_null(row_of(&snapshot, world_find(world, "/new")));
	assert_int_equal(nothing_is_counted_twice(world, &snapshot), 3 + FILLERS);
	grp_snapshot_done(&snapshot);
}

/* There was no room for them when it began. */
static void groups_are_made_meanwhile(void **state)
{
	struct world *world = *state;
	struct grp_snapshot snapshot;

	assert_int_equal(grp_snapshot_begin(world->core, &snapshot), 0);
	fill(world);
	assert_true(snapshot.room < FILLERS);
	assert_int_equal(steps(&snapshot, ~0U), 0);
	assert_int_equal(nothing_is_counted_twice(world, &snapshot), 5 + FILLERS);
	grp_snapshot_done(&snapshot);
}

/* Memory for the list of all groups is used before, in pieces, not by the step that makes it. */
static void room_is_made_before(void **state)
{
	struct world *world = *state;
	struct grp_snapshot snapshot;
	size_t before;
	int r;

	for (unsigned int i = 0; i < MANY / FILLERS; i++) {
		char spec[32];

		(void)snprintf(spec, sizeof(spec), "/m%u", i);
		world_mkdir(world, spec);
		for (unsigned int j = 1; j < FILLERS; j++) {
			(void)snprintf(spec, sizeof(spec), "/m%u/%u", i, j);
			world_mkdir(world, spec);
		}
	}
	assert_int_equal(grp_snapshot_begin(world->core, &snapshot), 0);
	assert_int_equal(snapshot.room, 5 + MANY);
	do {
		before = snapshot.ready;
		r = grp_snapshot_step(&snapshot);
		assert_in_range(snapshot.ready - before, 0, ROOM_AT_ONCE);
	} while (r == 1);
	assert_int_equal(r, GRP_SNAPSHOT_LONG);
	assert_int_equal(snapshot.ready, 5 + MANY);
	assert_int_equal(steps(&snapshot, ~0U), 0);
	assert_int_equal(snapshot.n, 5 + MANY);
	grp_snapshot_done(&snapshot);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(snapshot_says_the_same, setup, teardown),
		cmocka_unit_test_setup_teardown(list_is_announced, setup, teardown),
		cmocka_unit_test_setup_teardown(group_is_removed_meanwhile, setup, teardown),
		cmocka_unit_test_setup_teardown(trees_are_removed_meanwhile, setup, teardown),
		cmocka_unit_test_setup_teardown(groups_are_removed_all_the_time, setup, teardown),
		cmocka_unit_test_setup_teardown(hierarchy_is_removed_meanwhile, setup, teardown),
		cmocka_unit_test_setup_teardown(groups_are_made_meanwhile, setup, teardown),
		cmocka_unit_test_setup_teardown(room_is_made_before, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
