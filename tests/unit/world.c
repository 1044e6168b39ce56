/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * See world.h.
 */
#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

const struct grp_caller world_root;

static void load(struct world *world)
{
	struct grp_error error = {};

	assert_int_equal(
		grp_core_new(&fake_kernel_ops, world->fake, &world->fake->view, &world->core), 0);
	assert_int_equal(grp_core_load(world->core, &error), 0);
}

void world_open(struct world *world, unsigned int groups, unsigned int sets)
{
	world->fake = fake_kernel_new(WORLD_CPUS, groups, sets);
	load(world);
}

void world_open_populated(struct world *world, unsigned int groups, unsigned int sets)
{
	world_open(world, groups, sets);
	fake_task_old(world->fake, 1, 1);
	fake_kernel_ops.pass(world->fake, GRP_PASS_SEED, NULL, NULL, NULL, NULL);
	assert_int_equal(grp_hierarchy_mount(world->core, "other", "none", NULL), 0);
	world_mkdir(world, "/a");
	world_mkdir(world, "/a/b");
	world_mkdir(world, "other:/p");
	for (uint32_t tid = 10; tid < 13; tid++)
		fake_task_fork(world->fake, 1, tid, tid);
	assert_int_equal(world_move(world, "/a", 10, true), 0);
	assert_int_equal(world_move(world, "/a/b", 11, true), 0);
	assert_int_equal(world_move(world, "/a/b", 12, true), 0);
	assert_int_equal(world_move(world, "other:/p", 12, true), 0);
}

void world_close(struct world *world)
{
	grp_core_free(world->core);
	fake_kernel_free(world->fake);
}

void world_restart(struct world *world)
{
	grp_core_free(world->core);
	world->fake->updates_left = -1;
	world->fake->n_graces = 0; /* whoever waited for them is gone */
	load(world);
}

struct grp_group *world_find(struct world *world, const char *spec)
{
	struct grp_group *group = NULL;

	(void)grp_group_find(world->core, spec, NULL, &group);
	return group;
}

struct grp_group *world_find_any(struct world *world, const char *spec)
{
	const struct grp_lookup lookup = { .core = world->core, .unmounted = true };
	struct grp_group *group = NULL;

	(void)grp_group_lookup(&lookup, spec, &group);
	return group;
}

struct grp_group *world_mkdir(struct world *world, const char *spec)
{
	const struct grp_lookup lookup = { .core = world->core };
	struct grp_group *group;
	struct grp_place place;

	assert_int_equal(grp_group_lookup_place(&lookup, spec, &place), 0);
	assert_int_equal(grp_group_make(world->core, place.parent, place.name, 0755, &world_root,
					NULL, &group),
			 0);
	return group;
}

int world_make_as(struct world *world, const struct grp_caller *caller, const char *parent,
		  const char *name)
{
	return grp_group_make(world->core, world_find(world, parent), name, 0755, caller, NULL,
			      NULL);
}

int world_rmdir(struct world *world, const char *spec)
{
	struct grp_group *group;
	int r = grp_group_find(world->core, spec, NULL, &group);

	return r ?: grp_group_remove(world->core, group, &world_root, NULL);
}

int world_move(struct world *world, const char *spec, pid_t tid, bool whole)
{
	const struct grp_task_id id = { .tid = tid, .whole = whole };
	struct grp_target target = {};

	assert_int_equal(grp_target_add(&target, world_find(world, spec)), 0);
	return grp_attach(world->core, &target, &id, &world_root, NULL, NULL);
}

static uint64_t read_usage(struct world *world, const char *spec, bool subtree)
{
	struct grp_group *group = world_find(world, spec);
	struct grp_usage usage;

	assert_non_null(group);
	assert_int_equal(grp_usage_read(world->core, group, subtree, &usage), 0);
	assert_int_equal(usage.user_ns + usage.system_ns, usage.time_ns);
	return usage.time_ns;
}

uint64_t world_own(struct world *world, const char *spec)
{
	return read_usage(world, spec, false);
}

uint64_t world_tree(struct world *world, const char *spec)
{
	return read_usage(world, spec, true);
}

uint64_t world_tasks(struct world *world, const char *spec)
{
	return grp_group_tasks(world->core, world_find(world, spec));
}

int world_write(struct world *world, const char *spec, const char *file, const char *text)
{
	return world_write_as(world, &world_root, spec, file, text);
}

int world_write_as(struct world *world, const struct grp_caller *caller, const char *spec,
		   const char *file, const char *text)
{
	const struct grp_file_access access = { .core = world->core,
						.group = world_find(world, spec),
						.caller = caller };

	assert_non_null(access.group);
	return grp_file_write(&access, file, text, strlen(text));
}

char *world_read(struct world *world, const char *spec, const char *file)
{
	const struct grp_file_access access = { .core = world->core,
						.group = world_find(world, spec),
						.caller = &world_root };
	static char buf[8192];
	char *text = NULL;
	size_t len = 0;

	assert_non_null(access.group);
	assert_int_equal(grp_file_read(&access, file, &text, &len), 0);
	assert_true(len < sizeof(buf));
	memcpy(buf, text, len + 1);
	free(text);
	return buf;
}

void world_holds(struct world *world, const char *spec, const char *file, const char *expected)
{
	assert_string_equal(world_read(world, spec, file), expected);
}

void world_collect(struct world *world)
{
	do
		assert_true(grp_core_collect(world->core) >= 0);
	while (fake_grace_end(world->fake));
}
