/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Events of the core: each operation tells once what it did, a refused one tells
 * nothing, and emptiness is told by the counts, whatever the kernel's events say.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/event.h"
#include "world.h"

#define LOG_SIZE 4096

static const struct grp_caller alice = { .uid = 7, .gid = 7, .pid = 70 };
static struct world world;
static char log_text[LOG_SIZE];
static struct grp_watch_event last;

static void add(const char *text)
{
	size_t length = strlen(log_text);

	assert_true(length + strlen(text) < LOG_SIZE);
	snprintf(log_text + length, LOG_SIZE - length, "%s", text);
}

static void add_member(const struct grp_watch_member *member, const struct grp_watch_event *event)
{
	const void *at = (const char *)event + member->offset;
	char buf[GRP_PATH_MAX], text[GRP_PATH_MAX + 64];

	switch (member->type) {
	case GRP_WATCH_NUMBER:
		if (*(const uint64_t *)at == GRP_WATCH_UNKNOWN)
			return;
		(void)snprintf(buf, sizeof(buf), "%lu", *(const uint64_t *)at);
		break;
	case GRP_WATCH_GROUP:
		if (!*(const struct grp_group *const *)at)
			return;
		assert_true(grp_group_path(*(const struct grp_group *const *)at, buf, sizeof(buf)) >
			    0);
		break;
	default:
		if (!*(const char *const *)at)
			return;
		(void)snprintf(buf, sizeof(buf), "%s", *(const char *const *)at);
	}
	(void)snprintf(text, sizeof(text), " %s=%s", member->name, buf);
	add(text);
}

/* "mkdir default:/a uid=0;" ; of a rmdir only the group, its figures are in last. */
static void on_event(const struct grp_watch_event *event, void *data)
{
	const struct grp_watch_row *row = &grp_watch_rows[event->kind];
	char path[GRP_PATH_MAX];

	assert_ptr_equal(data, &world);
	last = *event;
	assert_true(grp_group_path(event->group, path, sizeof(path)) > 0);
	add(row->name);
	add(" ");
	add(event->group->hierarchy->name);
	add(":");
	add(path);
	for (const struct grp_watch_member *m = row->members; m && m->name; m++)
		if (event->kind != GRP_WATCH_RMDIR)
			add_member(m, event);
	add("; ");
}

static void expect(const char *text)
{
	assert_string_equal(log_text, text);
	log_text[0] = '\0';
}

static int setup(void **state)
{
	world_open(&world, 32, 16);
	fake_task_old(world.fake, 1, 1);
	fake_kernel_ops.pass(world.fake, GRP_PASS_SEED, NULL, NULL, NULL, NULL);
	log_text[0] = '\0';
	grp_core_set_sink(world.core, on_event, &world);
	return 0;
}

static int teardown(void **state)
{
	world_close(&world);
	return 0;
}

/* The kernel's events reach the core. */
static void tell_events(void)
{
	for (size_t i = 0; i < world.fake->n_events; i++)
		grp_core_event(world.core, &world.fake->events[i]);
	world.fake->n_events = 0;
}

static int attach(const char *spec, const struct grp_task_id *id, const struct grp_caller *caller)
{
	struct grp_target target = {};

	assert_int_equal(grp_target_add(&target, world_find(&world, spec)), 0);
	return grp_attach(world.core, &target, id, caller, NULL, NULL);
}

static void every_kind_has_a_name(void **state)
{
	for (unsigned int kind = 0; kind < GRP_WATCH_MAX; kind++)
		assert_non_null(grp_watch_rows[kind].name);
}

static void groups(void **state)
{
	struct grp_group *open = world_mkdir(&world, "/open");

	expect("mkdir default:/open uid=0; ");
	open->inode.mode = 0777;
	assert_int_equal(grp_group_make(world.core, open, "a", 0755, &alice, NULL, NULL), 0);
	expect("mkdir default:/open/a uid=7 pid=70; ");
	assert_int_equal(grp_group_rename(world.core, world_find(&world, "/open/a"), "/open/b",
					  &alice, NULL),
			 0);
	expect("mv default:/open/b uid=7 pid=70 from=/open/a; ");
	assert_int_equal(grp_group_remove(world.core, world_find(&world, "/open/b"), &alice, NULL),
			 0);
	expect("rmdir default:/open/b; ");
	assert_int_equal(last.uid, 7);
	assert_int_equal(last.pid, 70);
}

static void refused_is_not_told(void **state)
{
	const struct grp_task_id id = { .tid = 10, .whole = true }, nobody = { .tid = 99 };

	world_mkdir(&world, "/a");
	world_mkdir(&world, "/b");
	fake_task_fork(world.fake, 1, 10, 10);
	assert_int_equal(world_move(&world, "/a", 10, true), 0);
	log_text[0] = '\0';
	assert_int_equal(grp_group_make(world.core, world_find(&world, "/"), "a", 0755, &world_root,
					NULL, NULL),
			 -EEXIST);
	assert_int_equal(grp_group_make(world.core, world_find(&world, "/"), "c", 0755, &alice,
					NULL, NULL),
			 -EACCES);
	assert_int_equal(grp_group_rename(world.core, world_find(&world, "/a"), "/b", &world_root,
					  NULL),
			 -EEXIST);
	assert_int_equal(world_rmdir(&world, "/a"), -EBUSY);
	assert_int_equal(attach("/b", &id, &alice), -EACCES);
	assert_int_equal(attach("/b", &nobody, &world_root), -ESRCH);
	expect("");
	/* Nor is what the store has refused. */
	world.fake->updates_left = 0;
	assert_int_equal(grp_group_make(world.core, world_find(&world, "/"), "c", 0755, &world_root,
					NULL, NULL),
			 -ECANCELED);
	assert_int_equal(grp_group_rename(world.core, world_find(&world, "/b"), "/c", &world_root,
					  NULL),
			 -ECANCELED);
	assert_int_equal(world_rmdir(&world, "/b"), -ECANCELED);
	assert_int_equal(attach("/b", &id, &world_root), -ECANCELED);
	expect("");
}

static void one_for_a_process(void **state)
{
	const struct grp_task_id whole = { .tid = 10, .whole = true }, thread = { .tid = 11 };

	world_mkdir(&world, "/a");
	world_mkdir(&world, "/b");
	for (unsigned int i = 0; i < 3; i++)
		fake_task_fork(world.fake, 1, 10 + i, 10);
	log_text[0] = '\0';
	assert_int_equal(attach("/a", &whole, &world_root), 0);
	expect("attach default:/a uid=0 from=/ moved=3; ");
	/* Who is there already is not moved: VER-8 */
	assert_int_equal(attach("/a", &whole, &world_root), 0);
	expect("");
	assert_int_equal(attach("/b", &thread, &world_root), 0);
	expect("attach default:/b uid=0 from=/a moved=1; ");
	/* From several groups: from which is not one answer. */
	assert_int_equal(attach("/", &whole, &world_root), 0);
	expect("attach default:/ uid=0 moved=3; empty default:/b; empty default:/a; ");
	tell_events();
	expect("");
}

static void one_for_each_hierarchy(void **state)
{
	struct grp_target target = {};
	const struct grp_task_id id = { .tid = 10, .whole = true };

	assert_int_equal(grp_hierarchy_mount(world.core, "h", "none", NULL), 0);
	world_mkdir(&world, "/a");
	world_mkdir(&world, "h:/x");
	world_mkdir(&world, "h:/y");
	fake_task_fork(world.fake, 1, 10, 10);
	fake_task_fork(world.fake, 1, 11, 11);
	log_text[0] = '\0';
	assert_int_equal(world_move(&world, "h:/x", 10, true), 0);
	expect("attach h:/x uid=0 from=/ moved=1; ");
	assert_int_equal(grp_target_add(&target, world_find(&world, "/a")), 0);
	assert_int_equal(grp_target_add(&target, world_find(&world, "h:/x")), 0);
	/* In h it was there. */
	assert_int_equal(grp_attach(world.core, &target, &id, &world_root, NULL, NULL), 0);
	expect("attach default:/a uid=0 from=/ moved=1; ");
	assert_int_equal(world_move(&world, "/a", 11, true), 0);
	log_text[0] = '\0';
	/* Of both in /a one is in h:/x. */
	target = (struct grp_target){};
	assert_int_equal(grp_target_add(&target, world_find(&world, "/")), 0);
	assert_int_equal(grp_target_add(&target, world_find(&world, "h:/x")), 0);
	assert_int_equal(grp_attach_members(world.core, &target, world_find(&world, "/a"), &alice,
					    NULL, NULL),
			 -EACCES);
	expect("");
	assert_int_equal(grp_attach_members(world.core, &target, world_find(&world, "/a"),
					    &world_root, NULL, NULL),
			 0);
	expect("attach default:/ uid=0 from=/a moved=2; attach h:/x uid=0 from=/ moved=1; "
	       "empty default:/a; ");
}

static void empty_is_told_once(void **state)
{
	world_mkdir(&world, "/a");
	fake_task_fork(world.fake, 1, 10, 10);
	fake_task_fork(world.fake, 1, 11, 11);
	assert_int_equal(world_move(&world, "/a", 10, true), 0);
	assert_int_equal(world_move(&world, "/a", 11, true), 0);
	log_text[0] = '\0';
	fake_task_exit(world.fake, 10);
	tell_events();
	expect("");
	fake_task_exit(world.fake, 11);
	expect("");
	/* Late, and doubled. */
	world.fake->events[world.fake->n_events] = world.fake->events[0];
	world.fake->n_events++;
	tell_events();
	expect("empty default:/a; ");
	assert_int_equal(world_rmdir(&world, "/a"), 0);
	expect("rmdir default:/a; ");
}

/* A removal does not overtake it, and a lost one is found. */
static void empty_without_an_event(void **state)
{
	world_mkdir(&world, "/a");
	world_mkdir(&world, "/b");
	fake_task_fork(world.fake, 1, 10, 10);
	fake_task_fork(world.fake, 1, 11, 11);
	assert_int_equal(world_move(&world, "/a", 10, true), 0);
	assert_int_equal(world_move(&world, "/b", 11, true), 0);
	log_text[0] = '\0';
	fake_task_exit(world.fake, 10);
	assert_int_equal(world_rmdir(&world, "/a"), 0);
	expect("empty default:/a; rmdir default:/a; ");
	fake_task_exit(world.fake, 11);
	world.fake->n_events = 0;
	assert_true(grp_core_collect(world.core) >= 0);
	expect("");
	world.fake->stats[GRP_STAT_EVENTS_LOST]++;
	assert_true(grp_core_collect(world.core) >= 0);
	expect("empty default:/b; ");
}

/* A count that an audit has to mend to 0 sends no event. */
static void empty_by_an_audit(void **state)
{
	unsigned int corrections;
	struct grp_count *count;

	world_mkdir(&world, "/a");
	fake_task_fork(world.fake, 1, 10, 10);
	assert_int_equal(world_move(&world, "/a", 10, true), 0);
	count = &world.fake->counts[fake_task_find(world.fake, 10)->set];
	fake_task_exit(world.fake, 10);
	world.fake->n_events = 0;
	count->members++;
	log_text[0] = '\0';
	assert_int_equal(grp_core_audit(world.core, &corrections), 0);
	assert_int_equal(corrections, 1);
	expect("empty default:/a; ");
}

/* Who has tasks at the start of an agent is known. */
static void empty_after_a_restart(void **state)
{
	world_mkdir(&world, "/a");
	world_mkdir(&world, "/b");
	fake_task_fork(world.fake, 1, 10, 10);
	assert_int_equal(world_move(&world, "/a", 10, true), 0);
	world_restart(&world);
	grp_core_set_sink(world.core, on_event, &world);
	log_text[0] = '\0';
	fake_task_exit(world.fake, 10);
	tell_events();
	expect("empty default:/a; ");
}

static void figures(void **state)
{
	struct grp_usage own, tree;
	struct grp_group *group;

	world_mkdir(&world, "/a");
	world_mkdir(&world, "/a/b");
	fake_task_fork(world.fake, 1, 10, 10);
	assert_int_equal(world_move(&world, "/a", 10, true), 0);
	fake_task_run(world.fake, 10, 0, 5000);
	fake_task_fork(world.fake, 10, 11, 11);
	fake_task_run(world.fake, 11, 1, 301);
	assert_int_equal(world_move(&world, "/a/b", 11, true), 0);
	fake_task_run(world.fake, 11, 1, 40);
	fake_task_exit(world.fake, 11);
	fake_task_reap(world.fake, 11);
	assert_int_equal(world_rmdir(&world, "/a/b"), 0);
	assert_int_equal(last.usage_own_ns, 40);
	assert_int_equal(last.peak_tasks, 1);
	world_collect(&world);
	fake_task_exit(world.fake, 10);
	fake_task_reap(world.fake, 10);
	group = world_find(&world, "/a");
	assert_int_equal(grp_usage_read(world.core, group, false, &own), 0);
	assert_int_equal(grp_usage_read(world.core, group, true, &tree), 0);
	assert_int_equal(tree.time_ns, 5341);
	assert_int_equal(world_rmdir(&world, "/a"), 0);
	assert_int_equal(last.kind, GRP_WATCH_RMDIR);
	assert_int_equal(last.usage_ns, tree.time_ns);
	assert_int_equal(last.usage_own_ns, own.time_ns);
	assert_int_equal(last.user_ns, tree.user_ns);
	assert_int_equal(last.system_ns, tree.system_ns);
	assert_int_equal(last.forks, 1);
	assert_int_equal(last.execs, 0);
	assert_int_equal(last.exits, 1);
	assert_int_equal(last.switches, 2);
	assert_int_equal(last.migrations, 0);
	assert_int_equal(last.peak_tasks, 2);
	assert_true(last.lived_ns < 3600000000000ULL);
}

static void release(void **state)
{
	struct grp_group *group = world_mkdir(&world, "/a");

	log_text[0] = '\0';
	grp_emit_release(world.core, group, GRP_WATCH_RELEASE_AGENT);
	grp_emit_release(world.core, group, GRP_WATCH_RELEASE_DELETE);
	expect("release default:/a action=agent; release default:/a action=delete; ");
}

int main(void)
{
#define TEST(FUNCTION) cmocka_unit_test_setup_teardown(FUNCTION, setup, teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_has_a_name),
		TEST(groups),
		TEST(refused_is_not_told),
		TEST(one_for_a_process),
		TEST(one_for_each_hierarchy),
		TEST(empty_is_told_once),
		TEST(empty_without_an_event),
		TEST(empty_by_an_audit),
		TEST(empty_after_a_restart),
		TEST(figures),
		TEST(release),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
