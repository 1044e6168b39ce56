/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Owners and modes: the rules of chmod(2) and chown(2), who may reach what, what a
 * group that is handed over takes along, and that it survives a restart (CONT-5,
 * CONT-6). What the kernel itself answers is compared in delegation.bats.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/inode.h"
#include "world.h"

#define KEEP ((uid_t)-1)

static const gid_t team = 100;
static const struct grp_caller alice = { .uid = 1, .gid = 1, .groups = &team, .n_groups = 1 };
static const struct grp_caller bob = { .uid = 2, .gid = 2 };

static int setup(void **state)
{
	static struct world world;

	world_open(&world, 32, 8);
	fake_task_old(world.fake, 1, 1);
	fake_kernel_ops.pass(world.fake, GRP_PASS_SEED, NULL, NULL, NULL, NULL);
	*state = &world;
	return 0;
}

static int teardown(void **state)
{
	world_close(*state);
	return 0;
}

static int chown_as(struct world *world, const struct grp_caller *caller, const char *spec,
		    const char *file, uid_t uid, gid_t gid)
{
	const struct grp_inode_change change = {
		.core = world->core,
		.group = world_find(world, spec),
		.file = file,
		.caller = caller,
	};

	return grp_inode_chown(&change, uid, gid);
}

static int hand_over(struct world *world, const struct grp_caller *caller, const char *spec,
		     uid_t uid, gid_t gid)
{
	const struct grp_inode_change change = {
		.core = world->core,
		.group = world_find(world, spec),
		.members = true,
		.caller = caller,
	};

	return grp_inode_chown(&change, uid, gid);
}

static int chmod_as(struct world *world, const struct grp_caller *caller, const char *spec,
		    const char *file, mode_t mode)
{
	const struct grp_inode_change change = {
		.core = world->core,
		.group = world_find(world, spec),
		.file = file,
		.caller = caller,
	};

	return grp_inode_chmod(&change, mode);
}

static struct grp_inode inode_of(struct world *world, const char *spec, const char *file)
{
	struct grp_group *group = world_find(world, spec);
	struct grp_file_ref ref;
	struct grp_inode inode;

	assert_non_null(group);
	if (!file)
		return group->inode;
	assert_true(grp_file_find(world->core, group, file, &ref));
	grp_file_inode(world->core, group, &ref, &inode);
	return inode;
}

static void assert_inode(struct world *world, const char *spec, const char *file, uid_t uid,
			 gid_t gid, mode_t mode)
{
	struct grp_inode inode = inode_of(world, spec, file);

	assert_int_equal(inode.uid, uid);
	assert_int_equal(inode.gid, gid);
	assert_int_equal(inode.mode, mode);
}

/* --- the rules ----------------------------------------------------------------------- */

/* The rows of the probe of a v1 directory of the kernel. */
static void chown_rules(void **state)
{
	static const struct {
		const struct grp_caller *caller;
		uid_t uid;
		gid_t gid;
		int r;
	} cases[] = {
		{ &alice, 1, KEEP, 0 },	      { &alice, KEEP, team, 0 },
		{ &alice, 1, team, 0 },	      { &alice, KEEP, 1, 0 },
		{ &alice, KEEP, KEEP, 0 },    { &alice, KEEP, 200, -EPERM },
		{ &alice, 2, KEEP, -EPERM },  { &alice, 2, team, -EPERM },
		{ &alice, 0, KEEP, -EPERM },  { &bob, 1, KEEP, -EPERM },
		{ &bob, 2, KEEP, -EPERM },    { &bob, KEEP, 2, -EPERM },
		{ &bob, KEEP, team, -EPERM }, { &world_root, 7, 200, 0 },
		{ &world_root, KEEP, 8, 0 },
	};
	static const char *const files[] = { NULL, "tasks", "cpuacct.usage" };
	struct world *world = *state;

	world_mkdir(world, "/a");
	for (size_t f = 0; f < sizeof(files) / sizeof(*files); f++)
		for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
			struct grp_inode now;

			assert_int_equal(chown_as(world, &world_root, "/a", files[f], 1, 1), 0);
			assert_int_equal(chown_as(world, cases[i].caller, "/a", files[f],
						  cases[i].uid, cases[i].gid),
					 cases[i].r);
			now = inode_of(world, "/a", files[f]);
			assert_int_equal(now.uid,
					 cases[i].r || cases[i].uid == KEEP ? 1 : cases[i].uid);
			assert_int_equal(now.gid,
					 cases[i].r || cases[i].gid == KEEP ? 1 : cases[i].gid);
		}
}

static void chmod_rules(void **state)
{
	struct world *world = *state;

	world_mkdir(world, "/a");
	assert_int_equal(chown_as(world, &world_root, "/a", NULL, 1, 1), 0);
	assert_int_equal(chmod_as(world, &alice, "/a", NULL, 0700), 0);
	assert_int_equal(chmod_as(world, &bob, "/a", NULL, 0777), -EPERM);
	assert_inode(world, "/a", NULL, 1, 1, 0700);
	/* The files are still root's. */
	assert_int_equal(chmod_as(world, &alice, "/a", "tasks", 0666), -EPERM);
	assert_int_equal(chmod_as(world, &bob, "/a", "tasks", 0666), -EACCES);
	assert_int_equal(chmod_as(world, &world_root, "/a", "tasks", 0666), 0);
	assert_int_equal(chmod_as(world, &world_root, "/a", "cpuacct.usage", 0), 0);
	assert_int_equal(chmod_as(world, &world_root, "/a", "nosuch", 0), -ENOENT);
	assert_int_equal(chmod_as(world, &world_root, "/a", "tasks", 01666), -EINVAL);
	assert_inode(world, "/a", "tasks", 0, 0, 0666);
	assert_inode(world, "/a", "cpuacct.usage", 0, 0, 0);
	/* All bits of a directory, but the group's only by its members. */
	assert_int_equal(chmod_as(world, &alice, "/a", NULL, 07777), 0);
	assert_inode(world, "/a", NULL, 1, 1, 07777);
	assert_int_equal(chown_as(world, &world_root, "/a", NULL, KEEP, 200), 0);
	assert_int_equal(chmod_as(world, &alice, "/a", NULL, 02777), 0);
	assert_inode(world, "/a", NULL, 1, 200, 0777);
}

static void modes_of_mkdir(void **state)
{
	static const mode_t modes[] = { 0444, 0000, 0755, 01777 };
	struct world *world = *state;
	char name[] = "m0";

	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++, name[1]++) {
		struct grp_group *group;

		assert_int_equal(grp_group_make(world->core, world_find(world, "/"), name, modes[i],
						&world_root, NULL, &group),
				 0);
		assert_int_equal(group->inode.mode, modes[i]);
	}
}

/* --- reaching things ------------------------------------------------------------------- */

static int lookup_as(struct world *world, const struct grp_caller *caller, const char *spec,
		     struct grp_error *error)
{
	const struct grp_lookup lookup = { .core = world->core, .caller = caller, .error = error };
	struct grp_group *group;

	return grp_group_lookup(&lookup, spec, &group);
}

/* Whatever is there or is not. */
static void no_search_no_names(void **state)
{
	struct world *world = *state;
	struct grp_error error = {};
	struct grp_place place;
	const struct grp_lookup lookup = { .core = world->core, .caller = &bob };

	world_mkdir(world, "/a");
	world_mkdir(world, "/a/b");
	world_mkdir(world, "/a/b/c");
	assert_int_equal(chmod_as(world, &world_root, "/a", NULL, 0754), 0);
	assert_int_equal(lookup_as(world, &bob, "/a", NULL), 0);
	assert_int_equal(lookup_as(world, &bob, "/a/b", &error), -EACCES);
	assert_string_equal(error.message,
			    "uid 2 needs o+x on default:/a, which has uid 0, gid 0, mode 0754");
	assert_int_equal(lookup_as(world, &bob, "/a/nosuch", NULL), -EACCES);
	assert_int_equal(lookup_as(world, &bob, "/a/b/c", NULL), -EACCES);
	assert_int_equal(lookup_as(world, &world_root, "/a/b/c", NULL), 0);
	assert_int_equal(grp_group_lookup_place(&lookup, "/a/b", &place), -EACCES);
	assert_int_equal(grp_group_lookup_place(&lookup, "/a/b/d", &place), -EACCES);
	assert_int_equal(chown_as(world, &bob, "/a/b", NULL, KEEP, 2), -EACCES);
	assert_int_equal(chmod_as(world, &bob, "/a/b/c", NULL, 0777), -EACCES);
	assert_int_equal(lookup_as(world, &bob, "/a/", NULL), 0);
}

static void control_files_are_no_groups(void **state)
{
	struct world *world = *state;
	const struct grp_lookup lookup = { .core = world->core };
	struct grp_place place;

	assert_int_equal(lookup_as(world, NULL, "/tasks", NULL), -ENOTDIR);
	assert_int_equal(lookup_as(world, NULL, "/cpuacct.usage/x", NULL), -ENOTDIR);
	assert_int_equal(grp_group_lookup_place(&lookup, "/tasks/x", &place), -ENOTDIR);
	assert_int_equal(world_rmdir(world, "/tasks"), -ENOTDIR);
	assert_int_equal(world_rmdir(world, "/nosuch"), -ENOENT);
}

/* The bits of one class count, even where another one would have more. */
static void classes(void **state)
{
	static const struct {
		const struct grp_caller *caller;
		mode_t mode;
		int mask;
		bool allowed;
	} cases[] = {
		{ &alice, 0700, 7, true },
		{ &alice, 0077, GRP_READ, false },
		{ &bob, 0007, 7, true },
		{ &bob, 0770, GRP_READ, false },
		{ &bob, 0005, GRP_READ | GRP_SEARCH, true },
		{ &bob, 0004, GRP_READ | GRP_SEARCH, false },
		{ &world_root, 0000, 7, true },
	};
	const struct grp_caller carol = { .uid = 3, .gid = 3, .groups = &team, .n_groups = 1 };
	struct grp_inode inode = { .uid = 1, .gid = team };

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		inode.mode = cases[i].mode;
		assert_int_equal(grp_access(&inode, cases[i].caller, cases[i].mask),
				 cases[i].allowed);
	}
	/* By a supplementary group. */
	inode.mode = 0070;
	assert_true(grp_access(&inode, &carol, 7));
	inode.mode = 0707;
	assert_false(grp_access(&inode, &carol, GRP_READ));
}

static int remove_as(struct world *world, const struct grp_caller *caller, const char *spec)
{
	return grp_group_remove(world->core, world_find(world, spec), caller, NULL);
}

static int rename_as(struct world *world, const struct grp_caller *caller, const char *from,
		     const char *to)
{
	return grp_group_rename(world->core, world_find(world, from), to, caller, NULL);
}

/* EEXIST before EACCES, but EACCES before everything that tells more. */
static void order_of_errors(void **state)
{
	struct world *world = *state;

	world_mkdir(world, "/a");
	world_mkdir(world, "/a/x");
	world_mkdir(world, "/b");
	assert_int_equal(world_make_as(world, &bob, "/", "a"), -EEXIST);
	assert_int_equal(world_make_as(world, &bob, "/", "tasks"), -EEXIST);
	assert_int_equal(world_make_as(world, &bob, "/", "new"), -EACCES);
	assert_int_equal(remove_as(world, &bob, "/a"), -EACCES);
	assert_int_equal(remove_as(world, &bob, "/b"), -EACCES);
	assert_int_equal(rename_as(world, &bob, "/a", "/b"), -EACCES);
	assert_int_equal(rename_as(world, &bob, "/a/x", "/b/x"), -EACCES);
	assert_int_equal(rename_as(world, &bob, "/a", "/tasks"), -EACCES);
	assert_int_equal(rename_as(world, &bob, "/a", "/a/x/y"), -EINVAL);
}

static void sticky(void **state)
{
	struct world *world = *state;

	world_mkdir(world, "/tmp");
	assert_int_equal(chmod_as(world, &world_root, "/tmp", NULL, 01777), 0);
	assert_int_equal(world_make_as(world, &alice, "/tmp", "alices"), 0);
	assert_int_equal(world_make_as(world, &bob, "/tmp", "bobs"), 0);
	assert_int_equal(remove_as(world, &bob, "/tmp/alices"), -EPERM);
	assert_int_equal(rename_as(world, &bob, "/tmp/alices", "/tmp/mine"), -EPERM);
	assert_int_equal(rename_as(world, &bob, "/tmp/bobs", "/tmp/mine"), 0);
	assert_int_equal(remove_as(world, &bob, "/tmp/mine"), 0);
	assert_int_equal(remove_as(world, &world_root, "/tmp/alices"), 0);
	assert_int_equal(chmod_as(world, &world_root, "/tmp", NULL, 0777), 0);
	assert_int_equal(world_make_as(world, &alice, "/tmp", "alices"), 0);
	assert_int_equal(remove_as(world, &bob, "/tmp/alices"), 0);
}

/* --- handing over -------------------------------------------------------------------------- */

static void what_goes_along(void **state)
{
	struct world *world = *state;

	world_mkdir(world, "/a");
	assert_int_equal(chmod_as(world, &world_root, "/a", "tasks", 0640), 0);
	assert_int_equal(hand_over(world, &world_root, "/a", 1, team), 0);
	assert_inode(world, "/a", NULL, 1, team, 0755);
	assert_inode(world, "/a", "tasks", 1, team, 0640);
	assert_inode(world, "/a", "cgroup.procs", 1, team, 0644);
	/* Limits and settings stay. */
	assert_inode(world, "/a", "cgroup.max.descendants", 0, 0, 0644);
	assert_inode(world, "/a", "cgroup.max.depth", 0, 0, 0644);
	assert_inode(world, "/a", "cpuacct.usage", 0, 0, 0644);
	/* What is made inside is all the new owner's. */
	assert_int_equal(world_make_as(world, &alice, "/a", "b"), 0);
	assert_inode(world, "/a/b", NULL, 1, 1, 0755);
	assert_inode(world, "/a/b", "cpuacct.usage", 1, 1, 0644);
	assert_inode(world, "/a/b", "tasks", 1, 1, 0644);
	/* He may pass it on to a group of users, not to a user. */
	assert_int_equal(hand_over(world, &alice, "/a", KEEP, 1), 0);
	assert_inode(world, "/a", "cgroup.procs", 1, 1, 0644);
	assert_int_equal(hand_over(world, &alice, "/a", 2, KEEP), -EPERM);
	/* All or nothing. */
	assert_int_equal(chown_as(world, &world_root, "/a", "tasks", 0, 0), 0);
	assert_int_equal(hand_over(world, &alice, "/a", KEEP, team), -EPERM);
	assert_inode(world, "/a", NULL, 1, 1, 0755);
	assert_inode(world, "/a", "cgroup.procs", 1, 1, 0644);
	/* The group alone. */
	assert_int_equal(chown_as(world, &alice, "/a", NULL, KEEP, team), 0);
	assert_inode(world, "/a", NULL, 1, team, 0755);
	assert_inode(world, "/a", "cgroup.procs", 1, 1, 0644);
}

static void everything_survives(void **state)
{
	struct world *world = *state;

	world_mkdir(world, "/a");
	assert_int_equal(hand_over(world, &world_root, "/a", 1, team), 0);
	assert_int_equal(chmod_as(world, &alice, "/a", NULL, 01750), 0);
	assert_int_equal(chmod_as(world, &alice, "/a", "tasks", 0), 0);
	assert_int_equal(chown_as(world, &world_root, "/a", "cpuacct.usage", 1, 1), 0);
	assert_int_equal(chmod_as(world, &alice, "/a", "cpuacct.usage", 0600), 0);
	world_restart(world);
	assert_inode(world, "/a", NULL, 1, team, 01750);
	assert_inode(world, "/a", "tasks", 1, team, 0);
	assert_inode(world, "/a", "cgroup.procs", 1, team, 0644);
	assert_inode(world, "/a", "cpuacct.usage", 1, 1, 0600);
	/* As it was made: nothing is stored for it any more. */
	assert_int_equal(chown_as(world, &world_root, "/a", "cpuacct.usage", 0, 0), 0);
	assert_int_equal(chmod_as(world, &world_root, "/a", "cpuacct.usage", 0644), 0);
	assert_null(world_find(world, "/a")->values);
	assert_int_equal(world_rmdir(world, "/a"), 0);
	world_restart(world);
	assert_null(world_find(world, "/a"));
}

/* A handover is one update: before it nothing has changed, after it everything. */
static void handed_over_at_once(void **state)
{
	struct world *world = *state;

	world_mkdir(world, "/a");
	world->fake->updates_left = 0;
	assert_int_equal(hand_over(world, &world_root, "/a", 1, 1), -ECANCELED);
	assert_inode(world, "/a", NULL, 0, 0, 0755);
	assert_inode(world, "/a", "tasks", 0, 0, 0644);
	world_restart(world);
	assert_inode(world, "/a", NULL, 0, 0, 0755);
	assert_inode(world, "/a", "tasks", 0, 0, 0644);
	world->fake->updates_left = 1;
	assert_int_equal(hand_over(world, &world_root, "/a", 1, 1), 0);
	world_restart(world);
	assert_inode(world, "/a", NULL, 1, 1, 0755);
	assert_inode(world, "/a", "tasks", 1, 1, 0644);
	assert_inode(world, "/a", "cgroup.procs", 1, 1, 0644);
}

static void failed_updates_change_nothing(void **state)
{
	struct world *world = *state;

	world_mkdir(world, "/a");
	world->fake->updates_left = 0;
	assert_int_equal(chmod_as(world, &world_root, "/a", NULL, 0), -ECANCELED);
	assert_int_equal(chmod_as(world, &world_root, "/a", "tasks", 0), -ECANCELED);
	assert_int_equal(chmod_as(world, &world_root, "/a", "cpuacct.usage", 0), -ECANCELED);
	assert_inode(world, "/a", NULL, 0, 0, 0755);
	assert_inode(world, "/a", "tasks", 0, 0, 0644);
	assert_inode(world, "/a", "cpuacct.usage", 0, 0, 0644);
}

/* --- listing ----------------------------------------------------------------------------------- */

static void hidden_subtrees(void **state)
{
	static const char *const seen[] = { "", "a", "b", "y", "open" };
	struct world *world = *state;
	struct grp_group *root = world_find(world, "/"), *at = root;
	size_t n = 0;

	world_mkdir(world, "/a");
	world_mkdir(world, "/a/x");
	world_mkdir(world, "/a/x/deep");
	world_mkdir(world, "/b");
	world_mkdir(world, "/b/y");
	world_mkdir(world, "/b/y/deep");
	world_mkdir(world, "/open");
	assert_int_equal(chmod_as(world, &world_root, "/a", NULL, 0751), 0);
	assert_int_equal(chmod_as(world, &world_root, "/b/y", NULL, 0744), 0);
	for (; at; at = grp_group_next_listed(root, at, &bob), n++)
		assert_string_equal(at->name, seen[n]);
	assert_int_equal(n, sizeof(seen) / sizeof(*seen));
	for (n = 0, at = root; at; at = grp_group_next_listed(root, at, &world_root))
		n++;
	assert_int_equal(n, 8);
	assert_null(grp_group_next_listed(world_find(world, "/a"), world_find(world, "/a"), &bob));
}

int main(void)
{
#define TEST(FUNCTION) cmocka_unit_test_setup_teardown(FUNCTION, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(chown_rules),
		TEST(chmod_rules),
		TEST(modes_of_mkdir),
		TEST(no_search_no_names),
		TEST(control_files_are_no_groups),
		TEST(classes),
		TEST(order_of_errors),
		TEST(sticky),
		TEST(what_goes_along),
		TEST(everything_survives),
		TEST(handed_over_at_once),
		TEST(failed_updates_change_nothing),
		TEST(hidden_subtrees),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
