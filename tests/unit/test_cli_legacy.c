/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The texts by which programs of old times find control groups, made up from what
 * the agent lists.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/cleanup_json.h"
#include "../../cli/legacy.h"

static json_t *all_of_them(void)
{
	return json_pack(
		"[{s:s, s:[], s:b, s:[s]}, {s:s, s:[s], s:b, s:[s, s]}, {s:s, s:[], s:b, s:[]},"
		" {s:s, s:[], s:b, s:[s]}]",
		"name", "default", "aliases", "mounted", 1, "subsystems", "debug", "name", "one",
		"aliases", "uno", "mounted", 1, "subsystems", "cpuset", "cpuacct", "name", "two",
		"aliases", "mounted", 0, "subsystems", "name", "three", "aliases", "mounted", 1,
		"subsystems", "cpuacct");
}

static char *names_of(const json_t *chosen)
{
	char *names = NULL;
	size_t length = 0, i;
	FILE *out = open_memstream(&names, &length);
	const json_t *hierarchy;

	json_array_foreach(chosen, i, hierarchy)
		fprintf(out, "%s ", json_string_value(json_object_get(hierarchy, "name")));
	fclose(out);
	return names;
}

static void chooses(void **state)
{
	static const struct {
		const char *names, *expected;
		const char *missing; /* where in @names */
	} cases[] = {
		{ NULL, "default one three ", NULL },
		{ "three,one", "three one ", NULL },
		{ "uno", "one ", NULL },
		{ "one,two", NULL, "two" },
		{ "nosuch,one", NULL, "nosuch,one" },
		{ "on", NULL, "on" },
		{ "", "", NULL },
	};
	_cleanup_json_ json_t *all = all_of_them();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const char *missing;
		_cleanup_json_ json_t *chosen = grp_legacy_choose(all, cases[i].names, &missing);
		_cleanup_free_ char *names = names_of(chosen);

		assert_int_equal(chosen != NULL, cases[i].expected != NULL);
		if (cases[i].expected)
			assert_string_equal(names, cases[i].expected);
		if (cases[i].missing)
			assert_string_equal(missing, cases[i].missing);
		else
			assert_null(missing);
	}
}

static void a_subsystem_is_the_first_ones(void **state)
{
	_cleanup_json_ json_t *all = all_of_them();

	(void)state;
	assert_true(grp_legacy_owns(all, 1, "cpuacct"));
	assert_false(grp_legacy_owns(all, 3, "cpuacct"));
	assert_false(grp_legacy_owns(all, 0, "cpuacct"));
	assert_false(grp_legacy_owns(all, 1, "cpu"));
}

static void mounts(void **state)
{
	_cleanup_json_ json_t *all = all_of_them();
	const char *missing;
	_cleanup_json_ json_t *chosen = grp_legacy_choose(all, "one,three", &missing);
	_cleanup_free_ char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);

	(void)state;
	grp_legacy_mounts(chosen,
			  "proc /proc proc rw 0 0\n"
			  "tmpfs /sys/fs/cgroup tmpfs rw 0 0\n"
			  "x /sys/fs/cgroup/a ext4 rw 0 0\n"
			  "x /sys/fs/cgroupies ext4 rw 0 0\n"
			  "cgroup /dev/cpuset cgroup rw,cpuset 0 0\n"
			  "cgroup2 /c cgroup2 rw 0 0\n"
			  "last /x ext4 rw 0 0\n",
			  out);
	fclose(out);
	assert_string_equal(text,
			    "proc /proc proc rw 0 0\n"
			    "x /sys/fs/cgroupies ext4 rw 0 0\n"
			    "last /x ext4 rw 0 0\n"
			    "tmpfs /sys/fs/cgroup tmpfs rw,nosuid,nodev,noexec,mode=755 0 0\n"
			    "cgroup /sys/fs/cgroup/one cgroup rw,nosuid,nodev,noexec,relatime,"
			    "cpuset,cpuacct,name=one 0 0\n"
			    "cgroup /sys/fs/cgroup/three cgroup rw,nosuid,nodev,noexec,relatime,"
			    "name=three 0 0\n");
}

static void controllers(void **state)
{
	_cleanup_json_ json_t *all = all_of_them();
	const char *missing;
	_cleanup_json_ json_t *chosen = grp_legacy_choose(all, "three,one", &missing);
	_cleanup_json_ json_t *subsystems =
		json_pack("[{s:s, s:s, s:i, s:b}, {s:s, s:s, s:i, s:b}, {s:s, s:s, s:i, s:b},"
			  " {s:s, s:s, s:i, s:b}]",
			  "name", "cpuacct", "hierarchy", "one", "groups", 5, "enabled", 1, "name",
			  "cpuacct", "hierarchy", "three", "groups", 7, "enabled", 1, "name",
			  "cpuset", "hierarchy", "one", "groups", 5, "enabled", 0, "name", "debug",
			  "hierarchy", "default", "groups", 1, "enabled", 1);
	_cleanup_free_ char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);

	(void)state;
	grp_legacy_controllers(chosen, subsystems, out);
	fclose(out);
	assert_string_equal(text, "#subsys_name\thierarchy\tnum_cgroups\tenabled\n"
				  "cpuacct\t1\t7\t1\n"
				  "cpuset\t2\t5\t0\n");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(chooses),
		cmocka_unit_test(a_subsystem_is_the_first_ones),
		cmocka_unit_test(mounts),
		cmocka_unit_test(controllers),
	};

	return cmocka_run_group_tests_name("cli_legacy", tests, NULL, NULL);
}
