/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * CPUs and memory of this machine, from sysfs. What a kernel without NUMA, or a
 * machine without such a file, does not tell is filled in as it is then: all
 * memory is node 0, each CPU a core of its own.
 */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "kernel/internal.h"

#define SYSFS "/sys/devices/system"
#define STATUS "/proc/self/status"
/* CONFIG_NODES_SHIFT of distribution kernels, where it cannot be seen. */
#define NODES_MAX_DEFAULT 1024

/* The first line without its newline; owned by the caller. */
static int read_line(const char *dir, const char *name, char **ret_line)
{
	_cleanup_fclose_ FILE *stream = NULL;
	_cleanup_free_ char *line = NULL;
	char path[PATH_MAX];
	size_t size = 0;

	if (snprintf(path, sizeof(path), "%s/%s", dir, name) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	stream = fopen(path, "re");
	if (!stream)
		return -errno;
	if (getline(&line, &size, stream) < 0)
		return -EIO;
	line[strcspn(line, "\n")] = '\0';
	*ret_line = TAKE_PTR(line);
	return 0;
}

bool grp_topology_is_tickless(void)
{
	_cleanup_free_ char *line = NULL;

	(void)read_line(SYSFS, "cpu/nohz_full", &line);
	/* without such CPUs it is empty, "(null)", or not there */
	return line && isdigit((unsigned char)*line);
}

static int read_list(const char *dir, const char *name, struct grp_mask *ret_mask)
{
	_cleanup_free_ char *line = NULL;
	int r = read_line(dir, name, &line);

	return r ?: grp_mask_parse(line, GRP_MASK_BITS, ret_mask);
}

static unsigned int read_kernel_max(const char *dir)
{
	_cleanup_free_ char *line = NULL;
	uint64_t last;

	if (read_line(dir, "cpu/kernel_max", &line) ||
	    grp_parse_u64(line, 0, GRP_MASK_BITS - 1, &last))
		return GRP_MASK_BITS;
	return (unsigned int)last + 1;
}

/* As wide as the kernel prints a mask of nodes. */
static unsigned int read_nodes_max(void)
{
	static const char key[] = "Mems_allowed:";
	_cleanup_fclose_ FILE *stream = fopen(STATUS, "re");
	_cleanup_free_ char *line = NULL;
	unsigned int digits = 0;
	size_t size = 0;

	while (stream && !digits && getline(&line, &size, stream) >= 0)
		if (!strncmp(line, key, sizeof(key) - 1))
			for (const char *c = line + sizeof(key) - 1; *c; c++)
				digits += isxdigit((unsigned char)*c) ? 1 : 0;
	return digits ? digits * 4 : NODES_MAX_DEFAULT;
}

static void read_nodes(const char *dir, struct grp_topology *ret)
{
	struct grp_mask online, cpus;

	if (read_list(dir, "node/has_memory", &ret->nodes) || grp_mask_empty(&ret->nodes)) {
		ret->nodes = (struct grp_mask){ 0 };
		grp_mask_set(&ret->nodes, 0);
	}
	if (read_list(dir, "node/online", &online)) {
		for (unsigned int cpu = 0; cpu < ret->n_cpus; cpu++)
			ret->cpus[cpu].node = 0;
		return;
	}
	grp_mask_for_each(node, &online)
	{
		char name[64];

		(void)snprintf(name, sizeof(name), "node/node%u/cpulist", node);
		if (read_list(dir, name, &cpus))
			continue;
		grp_mask_for_each(cpu, &cpus) ret->cpus[cpu].node = (uint16_t)node;
	}
}

/* The first of the CPUs that share something with @cpu, which a file lists. */
static unsigned int first_of(const char *dir, unsigned int cpu, const char *file)
{
	struct grp_mask siblings;
	char name[64];

	(void)snprintf(name, sizeof(name), "cpu/cpu%u/topology/%s", cpu, file);
	if (read_list(dir, name, &siblings) || grp_mask_empty(&siblings))
		return cpu;
	return grp_mask_next(&siblings, 0);
}

/* Whoever comes first gives the number, the others share it. */
static void read_places(const char *dir, struct grp_topology *ret)
{
	uint16_t cores = 0, packages = 0;

	grp_mask_for_each(cpu, &ret->online)
	{
		unsigned int first = first_of(dir, cpu, "thread_siblings_list");

		ret->cpus[cpu].core = first < cpu ? ret->cpus[first].core : cores++;
		first = first_of(dir, cpu, "core_siblings_list");
		ret->cpus[cpu].package = first < cpu ? ret->cpus[first].package : packages++;
	}
}

int grp_topology_read_at(const char *dir, struct grp_topology *ret)
{
	struct grp_mask possible;
	int r = read_list(dir, "cpu/possible", &possible);

	if (!r)
		r = read_list(dir, "cpu/online", &ret->online);
	if (r)
		return r;
	for (unsigned int cpu = 0; cpu < GRP_MASK_BITS; cpu++)
		ret->cpus[cpu] = (struct grp_topology_cpu){
			.node = GRP_TOPOLOGY_UNKNOWN,
			.package = GRP_TOPOLOGY_UNKNOWN,
			.core = GRP_TOPOLOGY_UNKNOWN,
		};
	ret->n_cpus = 0;
	grp_mask_for_each(cpu, &possible) ret->n_cpus = cpu + 1;
	ret->n_cpus_max = read_kernel_max(dir);
	ret->n_nodes_max = read_nodes_max();
	read_nodes(dir, ret);
	read_places(dir, ret);
	return 0;
}

int grp_topology_read(void *kernel, struct grp_topology *ret)
{
	(void)kernel;
	return grp_topology_read_at(SYSFS, ret);
}
