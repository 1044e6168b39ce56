/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Killed between any two updates of mount, remount, umount or the rmdir that ends an
 * unmounted hierarchy: the next start finds it wholly done or wholly undone. And when
 * the store refuses an update, so does the agent that goes on.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/subsystem.h"
#include "world.h"

/* --- what there is, as a text ------------------------------------------------------------ */

struct text {
	char data[8192];
	size_t len;
};

static void __attribute__((format(printf, 2, 3))) add(struct text *text, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	text->len += (size_t)vsnprintf(text->data + text->len, sizeof(text->data) - text->len,
				       format, args);
	va_end(args);
	assert_true(text->len < sizeof(text->data));
}

static void describe_groups(struct world *world, const struct grp_hierarchy *hierarchy,
			    struct text *text)
{
	for (struct grp_group *group = hierarchy->root; group;
	     group = grp_group_next(hierarchy->root, group)) {
		char path[GRP_PATH_MAX];

		assert_true(grp_group_path(group, path, sizeof(path)) > 0);
		add(text, " %s flags=%x tasks=%d", path, group->flags & ~GRP_GROUP_ENTERED,
		    (int)grp_group_tasks(world->core, group));
		for (unsigned int i = 0; i < grp_n_subsystems; i++)
			if (grp_subsystem_state(group, i))
				add(text, " %s", grp_subsystems[i]->name);
		add(text, "\n");
	}
}

/* Every hierarchy, in no order that a slot could change. */
static void describe(struct world *world, struct text *text)
{
	static const char *const known[] = { "default", "a", "b", "c" };
	unsigned int found = 0;

	text->len = 0;
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		struct grp_hierarchy *hierarchy = grp_hierarchy_find(world->core, known[i]);

		if (!hierarchy || strcmp(hierarchy->name, known[i]) != 0)
			continue;
		found++;
		add(text, "%s:", known[i]);
		for (unsigned int n = 1; n < hierarchy->n_names; n++)
			add(text, " %s", hierarchy->names[n]);
		add(text, " bound=%x flags=%x agent='%s'\n",
		    grp_hierarchy_subsystems(world->core, hierarchy), hierarchy->flags,
		    hierarchy->release_agent);
		describe_groups(world, hierarchy, text);
		if (world_find(world, "a:/") == hierarchy->root &&
		    grp_file_find(world->core, hierarchy->root, "xa.setting", NULL))
			world_holds(world, "a:/", "xa.setting", "42\n");
	}
	for (unsigned int slot = 0; slot < GRP_HIERARCHIES_MAX; slot++)
		if (grp_hierarchy_at(world->core, slot))
			found--;
	assert_int_equal(found, 0);
}

/* --- operations -------------------------------------------------------------------------- */

struct operation {
	const char *name;
	void (*before)(struct world *world);
	int (*run)(struct world *world);
};

static void nothing(struct world *world)
{
	(void)world;
}

static void mount_a(struct world *world)
{
	assert_int_equal(grp_hierarchy_mount(world->core, "a", "xa,xs", NULL), 0);
}

static void mount_a_with_groups(struct world *world)
{
	mount_a(world);
	world_mkdir(world, "a:/g");
	assert_int_equal(world_move(world, "a:/g", 10, true), 0);
}

static void mount_twice(struct world *world)
{
	mount_a_with_groups(world);
	assert_int_equal(grp_hierarchy_mount(world->core, "b", "xa,xs", NULL), 0);
}

static void unmount_with_groups(struct world *world)
{
	mount_a_with_groups(world);
	assert_int_equal(grp_hierarchy_umount(world->core, "a", NULL), 0);
}

/* A dead task holds a removed group still when the hierarchy ends. */
static void leave_a_dying_group(struct world *world)
{
	mount_a_with_groups(world);
	fake_task_exit(world->fake, 10);
	assert_int_equal(world_rmdir(world, "a:/g"), 0);
}

/* "default" has grown, so states are made for its groups when xa comes back. */
static void grow_default(struct world *world)
{
	mount_a(world);
	world_mkdir(world, "/g");
	world_mkdir(world, "/g/h");
}

static int run_mount(struct world *world)
{
	return grp_hierarchy_mount(world->core, "a", "xa,xs,clone_children,release_agent=/bin/x",
				   NULL);
}

static int run_mount_alias(struct world *world)
{
	return grp_hierarchy_mount(world->core, "b", "xa,xs", NULL);
}

static int run_umount(struct world *world)
{
	return grp_hierarchy_umount(world->core, "a", NULL);
}

static int run_remount(struct world *world)
{
	return grp_hierarchy_remount(world->core, "a", "xb,release_agent=/bin/y", NULL);
}

static int run_last_rmdir(struct world *world)
{
	struct grp_group *group = world_find_any(world, "a:/g");
	int r;

	/* Of an operation of two steps, rmdir is the first; what follows has no client. */
	assert_non_null(group);
	fake_task_exit(world->fake, 10);
	fake_task_reap(world->fake, 10);
	r = grp_group_remove(world->core, group, &world_root, NULL);
	(void)grp_core_collect(world->core);
	return r;
}

static const struct operation operations[] = {
	{ "mount", nothing, run_mount },
	{ "mount of the same set", mount_a_with_groups, run_mount_alias },
	{ "mount of what was kept alive", unmount_with_groups, run_mount_alias },
	{ "umount", mount_a, run_umount },
	{ "umount while a dead task holds a group", leave_a_dying_group, run_umount },
	{ "umount that gives back to groups", grow_default, run_umount },
	{ "umount with groups", mount_a_with_groups, run_umount },
	{ "umount of one name", mount_twice, run_umount },
	{ "remount", mount_a, run_remount },
	{ "rmdir of the last group", unmount_with_groups, run_last_rmdir },
};

static void open_world(struct world *world, const struct operation *operation)
{
	world_open(world, 64, 32);
	fake_task_old(world->fake, 1, 1);
	assert_int_equal(fake_kernel_ops.pass(world->fake, GRP_PASS_SEED, NULL, NULL, NULL, NULL),
			 0);
	fake_task_fork(world->fake, 1, 10, 10);
	assert_int_equal(world_write(world, "/", "xa.setting", "42"), 0);
	operation->before(world);
}

/* Number of updates that the whole operation takes; the states around it. */
static long measure(const struct operation *operation, struct text *before, struct text *after)
{
	struct world world;
	unsigned long updates;

	open_world(&world, operation);
	describe(&world, before);
	updates = world.fake->updates;
	assert_int_equal(operation->run(&world), 0);
	world_collect(&world);
	updates = world.fake->updates - updates;
	describe(&world, after);
	assert_string_not_equal(before->data, after->data);
	world_close(&world);
	return (long)updates;
}

static bool same_but_for_tasks(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
		/* Whether a task has ended is not the operation's doing. */
		if (!strncmp(a, "tasks=", 6) && !strncmp(b, "tasks=", 6)) {
			a += strcspn(a, " \n");
			b += strcspn(b, " \n");
		}
	}
	return *a == *b;
}

static void check(struct world *world, const struct text *before, const struct text *after,
		  bool done)
{
	struct text now;

	describe(world, &now);
	if (same_but_for_tasks(now.data, after->data))
		return;
	if (done || !same_but_for_tasks(now.data, before->data))
		fail_msg("%s\nis neither\n%s\nnor\n%s", now.data, done ? "" : before->data,
			 after->data);
}

static void killed_at(const struct operation *operation, long updates, const struct text *before,
		      const struct text *after)
{
	struct world world;
	int r;

	open_world(&world, operation);
	world.fake->updates_left = updates;
	r = operation->run(&world);
	assert_true(!r || r == -ECANCELED);
	world_restart(&world);
	world_collect(&world);
	check(&world, before, after, !r);
	world_restart(&world);
	check(&world, before, after, !r);
	/* The slot and the names can be used again. */
	assert_int_equal(grp_hierarchy_mount(world.core, "c", "none", NULL), 0);
	assert_true(world_tasks(&world, "c:/") > 0);
	world_close(&world);
}

static void every_prefix_is_recoverable(void **state)
{
	static struct text before, after;

	(void)state;
	for (size_t i = 0; i < sizeof(operations) / sizeof(*operations); i++) {
		long n = measure(&operations[i], &before, &after);

		print_message("# %s: %ld updates\n", operations[i].name, n);
		assert_true(n > 0);
		for (long updates = 0; updates <= n; updates++)
			killed_at(&operations[i], updates, &before, &after);
	}
}

/* The store works again, and the same agent goes on. */
static void refused_at(const struct operation *operation, long updates, const struct text *before,
		       const struct text *after)
{
	struct world world;
	int r;

	open_world(&world, operation);
	world.fake->updates_left = updates;
	r = operation->run(&world);
	assert_true(!r || r == -ECANCELED);
	world.fake->updates_left = -1;
	world_collect(&world);
	check(&world, before, after, !r);
	world_restart(&world);
	check(&world, before, after, !r);
	world_close(&world);
}

static void every_failure_is_undone(void **state)
{
	static struct text before, after;

	(void)state;
	for (size_t i = 0; i < sizeof(operations) / sizeof(*operations); i++) {
		long n = measure(&operations[i], &before, &after);

		for (long updates = 0; updates <= n; updates++)
			refused_at(&operations[i], updates, &before, &after);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_prefix_is_recoverable),
		cmocka_unit_test(every_failure_is_undone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
