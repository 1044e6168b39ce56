/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * See release_help.h.
 */
#include "release_help.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/release.h"

int release_write_as(struct world *world, const char *spec, const char *file, const char *text,
		     const struct grp_caller *caller)
{
	const struct grp_file_access access = { .core = world->core,
						.group = world_find(world, spec),
						.caller = caller };

	return grp_file_write(&access, file, text, strlen(text));
}

int release_put(struct world *world, const char *spec, const char *file, const char *text)
{
	return release_write_as(world, spec, file, text, &world_root);
}

void release_holds(struct world *world, const char *spec, const char *file, const char *expected)
{
	const struct grp_file_access access = { .core = world->core,
						.group = world_find(world, spec),
						.caller = &world_root };
	char *text = NULL;
	size_t len;

	assert_int_equal(grp_file_read(&access, file, &text, &len), 0);
	assert_string_equal(text, expected);
	free(text);
}

void release_pump(struct world *world)
{
	for (size_t i = 0; i < world->fake->n_events; i++)
		grp_core_event(world->core, &world->fake->events[i]);
	world->fake->n_events = 0;
}

/* The groups that are due now, one after the other, as "kind:name ..." */
const char *release_due(struct world *world)
{
	static const char *const words[] = {
		[GRP_RELEASE_RUN] = "run", [GRP_RELEASE_REMOVE] = "remove"
	};
	static uint64_t run = 1000;
	static char text[4096];
	size_t len = 0;

	release_pump(world);
	text[0] = '\0';
	for (enum grp_release kind = GRP_RELEASE_RUN; kind < GRP_RELEASE_MAX; kind++) {
		struct grp_group *group;

		while ((group = grp_release_next(world->core, kind))) {
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s:%s",
						len ? " " : "", words[kind], group->name);
			if (kind == GRP_RELEASE_RUN)
				assert_int_equal(grp_release_started(world->core, group, ++run), 0);
			else
				assert_int_equal(
					grp_group_remove(world->core, group, &world_root, NULL), 0);
		}
		assert_false(grp_release_waits(world->core, kind));
	}
	return text;
}

void release_enter(struct world *world, const char *spec, uint32_t tid)
{
	fake_task_fork(world->fake, 1, tid, tid);
	assert_int_equal(world_move(world, spec, tid, true), 0);
}

void release_leave(struct world *world, uint32_t tid)
{
	fake_task_exit(world->fake, tid);
	fake_task_reap(world->fake, tid);
}

bool release_marked(struct world *world, const char *spec)
{
	return world_find(world, spec)->flags & GRP_GROUP_ENTERED;
}

void release_open(struct world *world)
{
	world_open(world, 512, 512);
	fake_task_old(world->fake, 1, 1);
	assert_int_equal(fake_kernel_ops.pass(world->fake, GRP_PASS_SEED, NULL, NULL, NULL, NULL),
			 0);
	assert_int_equal(release_put(world, "/", "release_agent", RELEASE_AGENT "\n"), 0);
	world_mkdir(world, "/g");
}

int release_setup(void **state)
{
	static struct world world;

	release_open(&world);
	*state = &world;
	return 0;
}

int release_teardown(void **state)
{
	world_close(*state);
	return 0;
}
