/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * agent/core/topology.c, words in lists; and agent/kernel/topology.c, which reads
 * them from a copy of sysfs that is made here.
 */
#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "core/topology.h"
#include "kernel/internal.h"

#define ROWS(table) (sizeof(table) / sizeof(*(table)))

/* --- words ---------------------------------------------------------------------- */

/* CPUs 0-3 on node 0, 4-7 on node 2; node 1 has none, node 3 no memory; 6 is offline. */
static struct grp_topology *machine(void)
{
	struct grp_topology *topology = calloc(1, sizeof(*topology));

	assert_non_null(topology);
	topology->n_cpus = 8;
	topology->n_nodes_max = 64;
	grp_mask_fill(&topology->online, 8);
	grp_mask_unset(&topology->online, 6);
	grp_mask_fill(&topology->nodes, 3);
	for (uint16_t cpu = 0; cpu < 8; cpu++)
		topology->cpus[cpu] = (struct grp_topology_cpu){ .node = cpu / 4 * 2,
								 .package = cpu / 4,
								 .core = cpu / 2 };
	return topology;
}

static void test_words(void **state)
{
	static const struct {
		enum grp_list_kind kind;
		const char *text;
		int result;
		const char *list;
	} rows[] = {
		{ GRP_LIST_CPUS, "0-2", 0, "0-2" },
		{ GRP_LIST_CPUS, "6", 0, "6" },
		{ GRP_LIST_CPUS, "all", 0, "0-5,7" },
		{ GRP_LIST_CPUS, "node:0", 0, "0-3" },
		{ GRP_LIST_CPUS, "node:2\n", 0, "4-5,7" },
		{ GRP_LIST_CPUS, "node:1", -EINVAL, NULL },
		{ GRP_LIST_CPUS, "package:1", 0, "4-5,7" },
		{ GRP_LIST_CPUS, "core:3", 0, "7" },
		{ GRP_LIST_CPUS, "core:0,core:2 7", 0, "0-1,4-5,7" },
		{ GRP_LIST_CPUS, "core:4", -EINVAL, NULL },
		{ GRP_LIST_CPUS, "core:65535", -EINVAL, NULL },
		{ GRP_LIST_CPUS, "core:", -EINVAL, NULL },
		{ GRP_LIST_CPUS, "core:1x", -EINVAL, NULL },
		{ GRP_LIST_CPUS, "Core:1", -EINVAL, NULL },
		{ GRP_LIST_CPUS, "socket:1", -EINVAL, NULL },
		{ GRP_LIST_CPUS, "!0", 0, "1-5,7" },
		{ GRP_LIST_CPUS, " !node:0,7", 0, "4-5" },
		{ GRP_LIST_CPUS, "!all", 0, "" },
		{ GRP_LIST_CPUS, "!", 0, "0-5,7" },
		{ GRP_LIST_CPUS, "!!0", -EINVAL, NULL },
		{ GRP_LIST_CPUS, "0,!1", -EINVAL, NULL },
		{ GRP_LIST_CPUS, "!8", -ERANGE, NULL },
		{ GRP_LIST_CPUS, "node:0,8", -ERANGE, NULL },
		{ GRP_LIST_CPUS, "4294967296,core:1", -EOVERFLOW, NULL },
		{ GRP_LIST_NODES, "all", 0, "0-2" },
		{ GRP_LIST_NODES, "node:1", 0, "1" },
		{ GRP_LIST_NODES, "node:3", -EINVAL, NULL },
		{ GRP_LIST_NODES, "package:1", 0, "2" },
		{ GRP_LIST_NODES, "core:0,1", 0, "0-1" },
		{ GRP_LIST_NODES, "!node:1", 0, "0,2" },
		{ GRP_LIST_NODES, "64", -ERANGE, NULL },
	};
	_cleanup_free_ struct grp_topology *topology = machine();

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct grp_error error = {};
		_cleanup_free_ char *text = NULL;
		struct grp_mask mask = { 0 };
		int r = grp_list_parse(topology, rows[i].kind, rows[i].text, &mask, &error);

		if (r != rows[i].result)
			print_error("%s\n", rows[i].text);
		assert_int_equal(r, rows[i].result);
		text = grp_mask_text(&mask);
		assert_non_null(text);
		assert_string_equal(text, rows[i].list ?: "");
	}
}

/* --- sysfs ------------------------------------------------------------------------ */

static char dir[64];

static int setup(void **state)
{
	(void)snprintf(dir, sizeof(dir), "/tmp/test_topology.XXXXXX");
	assert_non_null(mkdtemp(dir));
	return 0;
}

static int drop(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

static int teardown(void **state)
{
	return nftw(dir, drop, 8, FTW_DEPTH | FTW_PHYS);
}

/* A file of one line, with the folders above it. */
static void put(const char *name, const char *line)
{
	char path[PATH_MAX];
	FILE *out;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	for (char *slash = path + strlen(dir) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		(void)mkdir(path, 0755);
		*slash = '/';
	}
	out = fopen(path, "we");
	assert_non_null(out);
	(void)fprintf(out, "%s\n", line);
	assert_int_equal(fclose(out), 0);
}

static void put_cpu(unsigned int cpu, const char *core, const char *package)
{
	char name[64];

	(void)snprintf(name, sizeof(name), "cpu/cpu%u/topology/thread_siblings_list", cpu);
	put(name, core);
	(void)snprintf(name, sizeof(name), "cpu/cpu%u/topology/core_siblings_list", cpu);
	put(name, package);
}

static void assert_mask(const struct grp_mask *mask, const char *list)
{
	_cleanup_free_ char *text = grp_mask_text(mask);

	assert_non_null(text);
	assert_string_equal(text, list);
}

static void test_read(void **state)
{
	_cleanup_free_ struct grp_topology *topology = calloc(1, sizeof(*topology));
	static const struct grp_topology_cpu expected[] = {
		{ 0, 0, 0 },
		{ 0, 1, 1 },
		{ 2, 0, 0 },
		{ 2, GRP_TOPOLOGY_UNKNOWN, GRP_TOPOLOGY_UNKNOWN },
		{ GRP_TOPOLOGY_UNKNOWN, 1, 2 },
	};

	assert_non_null(topology);
	put("cpu/possible", "0-7");
	put("cpu/online", "0-2,4");
	put("cpu/kernel_max", "511");
	put("node/has_memory", "2");
	put("node/online", "0,2");
	put("node/node0/cpulist", "0-1");
	put("node/node2/cpulist", "2-3");
	put_cpu(0, "0,2", "0,2");
	put_cpu(1, "1", "1,4");
	put_cpu(2, "0,2", "0,2");
	put_cpu(4, "4", "1,4");
	assert_int_equal(grp_topology_read_at(dir, topology), 0);
	assert_int_equal(topology->n_cpus, 8);
	assert_int_equal(topology->n_cpus_max, 512);
	assert_mask(&topology->online, "0-2,4");
	assert_mask(&topology->nodes, "2");
	assert_memory_equal(topology->cpus, expected, sizeof(expected));
}

/* A kernel that tells the least. */
static void test_read_little(void **state)
{
	_cleanup_free_ struct grp_topology *topology = calloc(1, sizeof(*topology));
	static const struct grp_topology_cpu expected[] = { { 0, 0, 0 }, { 0, 1, 1 } };

	assert_non_null(topology);
	assert_int_equal(grp_topology_read_at(dir, topology), -ENOENT);
	put("cpu/possible", "0-1");
	assert_int_equal(grp_topology_read_at(dir, topology), -ENOENT);
	put("cpu/online", "0-1");
	assert_int_equal(grp_topology_read_at(dir, topology), 0);
	assert_int_equal(topology->n_cpus_max, GRP_MASK_BITS);
	assert_mask(&topology->nodes, "0");
	assert_memory_equal(topology->cpus, expected, sizeof(expected));
}

/* And this one. */
static void test_read_here(void **state)
{
	_cleanup_free_ struct grp_topology *topology = calloc(1, sizeof(*topology));
	long online = sysconf(_SC_NPROCESSORS_ONLN);

	assert_non_null(topology);
	assert_int_equal(grp_topology_read(NULL, topology), 0);
	assert_int_equal(grp_mask_weight(&topology->online), online);
	assert_true(topology->n_cpus >= (unsigned long)online);
	assert_true(topology->n_cpus_max >= topology->n_cpus);
	assert_true(topology->n_nodes_max >= 1 && topology->n_nodes_max <= GRP_MASK_BITS);
	assert_false(grp_mask_empty(&topology->nodes));
	grp_mask_for_each(cpu, &topology->online)
	{
		assert_true(topology->cpus[cpu].core <= cpu);
		assert_true(topology->cpus[cpu].package <= topology->cpus[cpu].core);
		assert_true(topology->cpus[cpu].node < topology->n_nodes_max);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test_setup_teardown(test_read, setup, teardown),
		cmocka_unit_test_setup_teardown(test_read_little, setup, teardown),
		cmocka_unit_test(test_read_here),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
