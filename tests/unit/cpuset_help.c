/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * See cpuset_help.h.
 */
#include "cpuset_help.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "subsys/cpuset.h"

int cpuset_setup(void **state)
{
	static struct world world;
	struct grp_topology *topology;

	world = (struct world){ .fake = fake_kernel_new(CPUSET_CPUS, 256, 64) };
	topology = world.fake->topology;
	for (uint16_t cpu = 0; cpu < CPUSET_CPUS; cpu++)
		topology->cpus[cpu] = (struct grp_topology_cpu){ .node = cpu / 4,
								 .package = cpu / 4,
								 .core = cpu / 2 };
	grp_mask_fill(&topology->nodes, 2);
	world_restart(&world);
	fake_task_old(world.fake, 1, 1);
	fake_kernel_ops.pass(world.fake, GRP_PASS_SEED, NULL, NULL, NULL, NULL);
	assert_int_equal(grp_hierarchy_mount(world.core, "c", "cpuset", NULL), 0);
	*state = &world;
	return 0;
}

int cpuset_teardown(void **state)
{
	world_close(*state);
	return 0;
}

void cpuset_online(struct world *world, const char *list)
{
	struct grp_mask *online = &world->fake->topology->online;

	assert_int_equal(grp_mask_parse(list, CPUSET_CPUS, online), 0);
	assert_int_equal(grp_cpuset_topology_changed(world->core), 0);
}

void cpuset_group(struct world *world, const char *spec, const char *cpus, const char *mems)
{
	world_mkdir(world, spec);
	if (cpus)
		assert_int_equal(cpuset_write(world, spec, "cpus", cpus), 0);
	if (mems)
		assert_int_equal(cpuset_write(world, spec, "mems", mems), 0);
}

static const char *visible(const char *file)
{
	static char name[GRP_FILE_VISIBLE_MAX];

	(void)snprintf(name, sizeof(name), "cpuset.%s", file);
	return name;
}

void cpuset_holds(struct world *world, const char *spec, const char *file, const char *expected)
{
	char *text = world_read(world, spec, visible(file));
	size_t len = strlen(text);

	assert_true(len && text[len - 1] == '\n');
	text[len - 1] = '\0';
	assert_string_equal(text, expected);
}

int cpuset_write(struct world *world, const char *spec, const char *file, const char *text)
{
	return world_write(world, spec, visible(file), text);
}
