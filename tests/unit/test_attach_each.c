/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Attach of many tasks in one call of the kernel's: who is moved by it, who is left for an
 * attach of his own, and what a SIGKILL at each update of the store leaves.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/attach_each.h"
#include "core/event.h"
#include "core/release.h"
#include "release_help.h"

#define N 200
#define FIRST 100

/*
 * Hierarchy o, where no subsystem looks at tasks, with groups /p and /q; processes 100 to 299,
 * every third of them in o:/p.
 */
static int setup(void **state)
{
	struct world *world;

	assert_int_equal(release_setup(state), 0);
	world = *state;
	assert_int_equal(grp_hierarchy_mount(world->core, "o", "none", NULL), 0);
	world_mkdir(world, "o:/p");
	world_mkdir(world, "o:/q");
	for (uint32_t tid = FIRST; tid < FIRST + N; tid++) {
		fake_task_fork(world->fake, 1, tid, tid);
		if (tid % 3 == 0)
			assert_int_equal(world_move(world, "o:/p", (pid_t)tid, true), 0);
	}
	return 0;
}

static int each_as(struct world *world, const char *spec, const pid_t *tids, size_t n,
		   const struct grp_caller *caller, bool *done)
{
	struct grp_target target = {};

	memset(done, 1, n * sizeof(*done));
	world->fake->batches = 0;
	memset(world->fake->passes, 0, sizeof(world->fake->passes));
	assert_int_equal(grp_target_add(&target, world_find(world, spec)), 0);
	return grp_attach_each(world->core, &target, tids, n, true, caller, done);
}

static unsigned int each(struct world *world, const char *spec, const pid_t *tids, size_t n)
{
	unsigned int sum = 0;
	bool done[N];

	assert_int_equal(each_as(world, spec, tids, n, &world_root, done), 0);
	for (size_t i = 0; i < n; i++)
		sum += done[i];
	return sum;
}

static void all_tids(pid_t tids[N])
{
	for (int i = 0; i < N; i++)
		tids[i] = FIRST + i;
}

struct heard {
	unsigned int events, from_p, from_root;
	uint64_t moved;
};

static void hear(const struct grp_watch_event *event, void *data)
{
	struct heard *heard = data;

	if (event->kind != GRP_WATCH_ATTACH)
		return;
	assert_string_equal(event->group->name, "q");
	heard->events++;
	heard->moved += event->moved;
	heard->from_p += event->source && event->source->parent;
	heard->from_root += event->source && !event->source->parent;
}

/* One call to learn which sets they are in, one to move them; each is told by itself. */
static void all_in_two_calls(void **state)
{
	struct heard heard = { .events = 0 };
	struct world *world = *state;
	pid_t tids[N];

	all_tids(tids);
	grp_core_set_sink(world->core, hear, &heard);
	assert_int_equal(each(world, "o:/q", tids, N), N);
	assert_int_equal(world->fake->batches, 2);
	assert_int_equal(world->fake->passes[GRP_PASS_LIST], 0);
	assert_int_equal(world->fake->passes[GRP_PASS_MOVE], 0);
	assert_int_equal(world_tasks(world, "o:/q"), N);
	assert_int_equal(world_tasks(world, "o:/p"), 0);
	assert_int_equal(heard.events, N);
	assert_int_equal(heard.moved, N);
	assert_int_equal(heard.from_p, 66);
	assert_int_equal(heard.from_root, N - 66);
	/* Once more changes nothing and tells nobody. */
	assert_int_equal(each(world, "o:/q", tids, N), N);
	assert_int_equal(heard.events, N);
	assert_int_equal(world_tasks(world, "o:/q"), N);
}

static void what_is_more_is_left(void **state)
{
	const pid_t tids[] = { 100, 999, 101, 0, 102, 103, 100 };
	const struct grp_caller caller = { .uid = 7, .gid = 7 };
	struct world *world = *state;
	bool done[7];

	fake_task_fork(world->fake, 101, 501, 101);
	fake_task_exit(world->fake, 102);
	assert_int_equal(each_as(world, "o:/q", tids, 7, &world_root, done), 0);
	assert_memory_equal(done, ((bool[]){ true, false, false, false, false, true, true }), 7);
	assert_int_equal(world_tasks(world, "o:/q"), 2);
	/* As another user: nothing without the file's mode, then only tasks of his own. */
	assert_int_equal(each_as(world, "o:/p", tids, 7, &caller, done), 0);
	assert_memory_equal(done, (bool[7]){}, 7);
	assert_int_equal(world->fake->batches, 0);
	for (size_t i = 0; i < GRP_MEMBER_FILES; i++)
		world_find(world, "o:/p")->member_files[i].uid = 7;
	fake_task_find(world->fake, 103)->uid = 7;
	assert_int_equal(each_as(world, "o:/p", tids, 7, &caller, done), 0);
	assert_memory_equal(done, ((bool[]){ false, false, false, false, false, true, false }), 7);
}

/* Subsystems of "default" look at each task; some kernels take one at a time. */
static void others_go_one_by_one(void **state)
{
	struct world *world = *state;
	pid_t tids[N];
	bool done[N];

	all_tids(tids);
	assert_int_equal(each(world, "/g", tids, N), 0);
	assert_int_equal(world->fake->batches, 0);
	world->fake->one_by_one = true;
	assert_int_equal(each_as(world, "o:/q", tids, N, &world_root, done), -EOPNOTSUPP);
	assert_int_equal(world_tasks(world, "o:/q"), 0);
	assert_int_equal(world->fake->journal[GRP_JOURNAL_ENTRY_ATTACH].op, GRP_JOURNAL_NONE);
	for (int i = 0; i < N; i++)
		assert_false(done[i]);
}

static void hold_back(struct fake_kernel *fake, enum grp_pass kind, void *data)
{
	(void)data;
	fake_task_find(fake, 501)->state = kind == GRP_PASS_MOVE ? GRP_STATE_UNCLAIMED :
								   GRP_STATE_ALIVE;
}

/* Half an attach that goes on later must not take back what came after it. */
static void not_while_one_goes_on(void **state)
{
	const pid_t tids[] = { 100, 103 };
	struct world *world = *state;

	fake_task_fork(world->fake, 101, 501, 101);
	world->fake->before_pass = hold_back;
	assert_int_equal(world_move(world, "o:/q", 101, true), -EAGAIN);
	world->fake->before_pass = NULL;
	assert_int_equal(each(world, "o:/p", tids, 2), 0);
	assert_int_equal(world->fake->batches, 0);
}

/*
 * Killed at each update: journal, set, mark, end of journal. Whoever is in the group then
 * makes it a group that was entered, and nobody else does.
 */
static void killed_at_each_update(void **state)
{
	static const pid_t tids[] = { 100, 101, 103 };
	struct grp_target target;
	struct world *world;
	unsigned int moved = 0;
	long n = 0;
	bool done[3];
	int r;

	do {
		world = *state;
		assert_int_equal(release_put(world, "o:/q", "notify_on_release", "1"), 0);
		target = (struct grp_target){};
		assert_int_equal(grp_target_add(&target, world_find(world, "o:/q")), 0);
		world->fake->updates_left = n++;
		r = grp_attach_each(world->core, &target, tids, 3, true, &world_root, done);
		world_restart(world);
		assert_int_equal(world->fake->journal[GRP_JOURNAL_ENTRY_ATTACH].op,
				 GRP_JOURNAL_NONE);
		assert_int_equal(release_marked(world, "o:/q"), world_tasks(world, "o:/q") > 0);
		assert_true(world_tasks(world, "o:/q") == 0 || world_tasks(world, "o:/q") == 3);
		moved += world_tasks(world, "o:/q") == 3;
		assert_int_equal(r ? -ECANCELED : 0, r);
		assert_int_equal(release_teardown(state), 0);
		assert_int_equal(setup(state), 0);
	} while (r);
	/* Journal, set, mark, end of the journal. */
	assert_int_equal(n, 5);
	assert_int_equal(moved, 2);
}

int main(void)
{
#define TEST(FUNCTION) cmocka_unit_test_setup_teardown(FUNCTION, setup, release_teardown)
	const struct CMUnitTest tests[] = {
		TEST(all_in_two_calls),	     TEST(what_is_more_is_left),
		TEST(others_go_one_by_one),  TEST(not_while_one_goes_on),
		TEST(killed_at_each_update),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
