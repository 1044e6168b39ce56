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
#include "core/unfinished.h"
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

static void hold_back(struct fake_kernel *fake, enum grp_pass kind, void *data)
{
	struct fake_task *task = fake_task_find(fake, 501);

	(void)data;
	if (task)
		task->state = kind == GRP_PASS_MOVE ? GRP_STATE_UNCLAIMED : GRP_STATE_ALIVE;
}

static unsigned int sets_live(const struct world *world)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < world->fake->view.capacity_sets; i++)
		n += world->fake->sets[i].state == GRP_RECORD_LIVE;
	return n;
}

/* Nobody who is there, or may be moved: nothing is written, and a release that runs goes on. */
static void nobody_comes(void **state)
{
	const struct grp_caller caller = { .uid = 7, .gid = 7 };
	const pid_t theirs[] = { 100, 101 }, gone[] = { 998, 999 };
	struct world *world = *state;
	struct grp_group *group = world_find(world, "o:/q");
	unsigned long updates;
	unsigned int sets;
	bool done[2];

	group->release_run = 5;
	for (size_t i = 0; i < GRP_MEMBER_FILES; i++)
		group->member_files[i].uid = 7;
	updates = world->fake->updates;
	sets = sets_live(world);
	assert_int_equal(each_as(world, "o:/q", theirs, 2, &caller, done), 0);
	assert_int_equal(each_as(world, "o:/q", gone, 2, &world_root, done), 0);
	world->fake->one_by_one = true;
	assert_int_equal(each_as(world, "o:/q", theirs, 2, &world_root, done), -EOPNOTSUPP);
	assert_int_equal(world->fake->updates, updates);
	assert_int_equal(sets_live(world), sets);
	assert_int_equal(group->release_run, 5);
	group->release_run = 0;
}

/* In more sets than are planned at a time: the rest goes by itself. */
static void in_many_sets(void **state)
{
	struct world *world = *state;
	char spec[] = "/g/a";
	pid_t tids[20];

	for (int i = 0; i < 20; i++) {
		spec[3] = (char)('a' + i);
		world_mkdir(world, spec);
		tids[i] = FIRST + 3 * i + 1;
		assert_int_equal(world_move(world, spec, tids[i], true), 0);
	}
	assert_int_equal(each(world, "o:/q", tids, 20), 16);
	assert_int_equal(world_tasks(world, "o:/q"), 16);
}

/* As if it had made a thread just before the swap: the rest of it comes at once. */
static void get_thread(struct fake_kernel *fake, struct grp_scan_record *record, void *data)
{
	(void)data;
	if (record->tid != 100 || record->verdict != GRP_VERDICT_MOVED)
		return;
	fake_task_fork(fake, 1, 501, 100);
	record->nr_threads = 2;
}

static void thread_in_the_midst(void **state)
{
	const pid_t tids[] = { 100, 101 };
	struct world *world = *state;

	world->fake->after_each = get_thread;
	assert_int_equal(each(world, "o:/q", tids, 2), 2);
	assert_int_equal(world_tasks(world, "o:/q"), 3);
}

/* ... and cannot be moved yet: it is noted, for whoever goes on. */
static void thread_that_stays(void **state)
{
	const pid_t tids[] = { 100, 103 };
	struct world *world = *state;
	struct grp_journal record = {};
	bool done[2];

	world->fake->after_each = get_thread;
	world->fake->before_pass = hold_back;
	fake_task_fork(world->fake, 1, 502, 502);
	assert_int_equal(each_as(world, "o:/q", tids, 2, &world_root, done), 0);
	world->fake->before_pass = NULL;
	world->fake->after_each = NULL;
	assert_false(done[0]);
	assert_true(done[1]);
	assert_true(grp_unfinished_next(world->core, &record));
	assert_int_equal(record.tid, 100);
	fake_task_find(world->fake, 501)->state = GRP_STATE_ALIVE;
	world_restart(world);
	assert_int_equal(world_tasks(world, "o:/q"), 3);
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
		TEST(nobody_comes),	     TEST(in_many_sets),
		TEST(thread_in_the_midst),   TEST(thread_that_stays),
		TEST(others_go_one_by_one),  TEST(not_while_one_goes_on),
		TEST(killed_at_each_update),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
