/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the methods do, over the real core and a kernel in memory: replies have
 * the declared shape, errors their errno and item. Tasks are in
 * test_methods_task.c, what is answered later in test_jobs.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/cleanup_json.h"
#include "front/connection.h"
#include "front/introspect.h"
#include "front/methods.h"
#include "method_help.h"

/* --- the interface file and the table say the same ----------------------------- */

static const char *const type_texts[GRP_PARAM_TYPES_MAX] = {
	[GRP_PARAM_STRING] = "string",
	[GRP_PARAM_STRINGS] = "[]string",
	[GRP_PARAM_BOOL] = "bool",
	[GRP_PARAM_INT] = "int",
	[GRP_PARAM_CONFIGURATION] = "Configuration",
};

/* "Name(a: string, b: ?bool) ->" without blanks, as the file should have it. */
static void describe(const struct grp_method *method, char *buf, size_t size)
{
	const struct grp_param *param = method->params;
	size_t n = (size_t)snprintf(buf, size, "method%s(", method->name);

	for (; param->name; param++)
		n += (size_t)snprintf(buf + n, size - n, "%s%s:%s%s",
				      param == method->params ? "" : ",", param->name,
				      param->needed ? "" : "?", type_texts[param->type]);
	(void)snprintf(buf + n, size - n, ")->");
}

static void test_table(void **state)
{
	const char *source = grp_introspect_interface(GRP_WIRE_INTERFACE);
	_cleanup_free_ char *packed = calloc(1, strlen(source) + 1);
	size_t n = 0, methods = 0;
	char expected[500];

	for (const char *at = source; *at; at++)
		if (*at != ' ' && *at != '\n')
			packed[n++] = *at;
	for (const char *at = source; (at = strstr(at, "\nmethod ")); at++)
		methods++;
	assert_int_equal(methods, grp_n_methods);
	for (size_t i = 0; i < grp_n_methods; i++) {
		describe(&grp_methods[i], expected, sizeof(expected));
		if (!strstr(packed, expected))
			fail_msg("not in the interface: %s", expected);
	}
}

/* Every field of a declared type, no other, of the declared kind. */
static void assert_type(const json_t *object, const char *type)
{
	const char *source = grp_introspect_interface(GRP_WIRE_INTERFACE);
	char head[64], field[64];
	const char *begin, *end, *key;
	size_t fields = 0;
	json_t *value;

	(void)snprintf(head, sizeof(head), "\ntype %s (", type);
	begin = strstr(source, head);
	assert_non_null(begin);
	end = strchr(begin, ')');
	for (const char *at = begin; at < end; at++)
		fields += *at == ':';
	assert_int_equal(json_object_size(object), fields);
	json_object_foreach((json_t *)(uintptr_t)object, key, value) {
		const char *at;

		(void)snprintf(field, sizeof(field), "%s: %s", key,
			       json_is_string(value)  ? "string" :
			       json_is_integer(value) ? "int" :
			       json_is_boolean(value) ? "bool" :
							"[");
		at = strstr(begin, field);
		if (!at || at > end)
			fail_msg("%s has no %s", type, field);
	}
}

static void test_types(void **state)
{
	static const struct {
		const char *method, *parameters, *key, *type;
	} rows[] = {
		{ "ListHierarchies", "{}", "hierarchies", "Hierarchy" },
		{ "ListSubsystems", "{}", "subsystems", "Subsystem" },
		{ "ListMounts", "{}", "mounts", "Mount" },
		{ "ListFeatures", "{}", "features", "Feature" },
		{ "ListGroups", "{}", "groups", "Group" },
		{ "StatGroup", "{\"group\":\"/\"}", "stat", "GroupStat" },
		{ "ListTasks", "{\"group\":\"/\"}", "tasks", "Task" },
		{ "WhichTasks", "{\"pids\":[\"10\"]}", "placements", "Placement" },
		{ "GetUsage", "{}", "usage", "Usage" },
		{ "GetStatus", "{}", "status", "Status" },
	};
	struct method_fixture *f = *state;

	fake_task_fork(f->fake->kernel, 0, 10, 10);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		_cleanup_json_ json_t *value =
			method_get(f, rows[i].method, rows[i].parameters, rows[i].key);

		assert_type(json_is_array(value) ? json_array_get(value, 0) : value, rows[i].type);
	}
}

/* --- hierarchies and groups ---------------------------------------------------- */

static void test_mount(void **state)
{
	struct method_fixture *f = *state;
	_cleanup_json_ json_t *mounts = NULL;
	struct grp_caller *caller;

	method_be_root(f);
	caller = &f->fake->agent.server->connections->caller;
	json_decref(fake_parameters(
		method_call(f, "Mount", "{\"name\":\"jobs\",\"options\":\"cpuacct\"}")));
	mounts = method_get(f, "ListMounts", "{}", "mounts");
	assert_int_equal(json_array_size(mounts), 2);
	assert_string_equal(method_text(json_array_get(mounts, 1), "name"), "jobs");
	assert_true(fake_is_failed(method_call(f, "Mount", "{\"name\":\"a/b\"}"), "EINVAL"));
	assert_true(fake_is_failed(method_call(f, "Unmount", "{\"name\":\"none\"}"), "ENOENT"));
	json_decref(fake_parameters(method_call(f, "Unmount", "{\"name\":\"jobs\"}")));
	caller->uid = 12345;
	assert_true(fake_is_failed(method_call(f, "Mount", "{\"name\":\"jobs\"}"), "EPERM"));
	assert_true(fake_is_failed(method_call(f, "Unmount", "{\"name\":\"default\"}"), "EPERM"));
}

static void test_groups(void **state)
{
	struct method_fixture *f = *state;

	method_be_root(f);
	method_all(f, "MakeGroups", "{\"groups\":[\"/b\",\"/a\",\"default:/a/z\",\"/a/c\"]}");
	method_assert_groups(f, "{\"group\":\"/\"}", "/a /b ");
	method_assert_groups(f, "{\"group\":\"/a\"}", "/a/c /a/z ");
	method_assert_groups(f, "{\"group\":\"/a\",\"recursive\":true}", "/a /a/c /a/z ");
	method_assert_groups(f, "{}", "/ ");
	method_assert_groups(f, "{\"recursive\":true}", "/ /a /a/c /a/z /b ");
	assert_true(fake_is_failed(method_call(f, "ListGroups", "{\"group\":\"/x\"}"), "ENOENT"));
	assert_true(fake_is_failed(method_call(f, "ListGroups", "{\"group\":\"x\"}"), "EINVAL"));
	assert_true(
		fake_is_failed(method_call(f, "StatGroup", "{\"group\":\"none:/\"}"), "ENOENT"));
	/* The others are tried. */
	method_one_fails(f, "MakeGroups", "{\"groups\":[\"/a\",\"/d\"]}", "/a", "EEXIST");
	method_one_fails(f, "MakeGroups", "{\"groups\":[\"/n/o\"]}", "/n/o", "ENOENT");
	method_one_fails(f, "MakeGroups", "{\"groups\":[\"/tasks\"]}", "/tasks", "EEXIST");
	method_one_fails(f, "MakeGroups", "{\"groups\":[\"/a\\\\x00\"]}", "/a\\x00", "EINVAL");
	method_one_fails(f, "MakeGroups", "{\"groups\":[\"/a\\n\"]}", "/a\n", "EINVAL");
	json_decref(
		fake_parameters(method_call(f, "RenameGroup", "{\"from\":\"/d\",\"to\":\"/e\"}")));
	assert_true(fake_is_failed(method_call(f, "RenameGroup", "{\"from\":\"/e\",\"to\":\"/a\"}"),
				   "EEXIST"));
	method_one_fails(f, "RemoveGroups", "{\"groups\":[\"/a\",\"/e\"]}", "/a", "EBUSY");
	method_one_fails(f, "RemoveGroups", "{\"groups\":[\"/\"],\"recursive\":true}", "/",
			 "EBUSY");
	method_assert_groups(f, "{\"recursive\":true}", "/ /a /a/c /a/z /b ");
	method_all(f, "RemoveGroups", "{\"groups\":[\"/a\",\"/b\"],\"recursive\":true}");
	method_assert_groups(f, "{\"recursive\":true}", "/ ");
}

static void test_parents(void **state)
{
	struct method_fixture *f = *state;
	_cleanup_json_ json_t *stat = NULL, *above = NULL;

	method_be_root(f);
	method_all(f, "MakeGroups", "{\"groups\":[\"/a/b//c/\"],\"parents\":true,\"mode\":448}");
	method_all(f, "MakeGroups", "{\"groups\":[\"/a/b/c\",\"/\",\"/a\"],\"parents\":true}");
	stat = method_get(f, "StatGroup", "{\"group\":\"/a/b/c\"}", "stat");
	above = method_get(f, "StatGroup", "{\"group\":\"/a/b\"}", "stat");
	assert_int_equal(method_number(stat, "mode"), 0700);
	assert_int_equal(method_number(above, "mode"), 0755);
	assert_int_equal(method_number(above, "children"), 1);
	method_one_fails(f, "MakeGroups", "{\"groups\":[\"/a/./c\"],\"parents\":true}", "/a/./c",
			 "EINVAL");
	method_one_fails(f, "MakeGroups", "{\"groups\":[\"a\"],\"parents\":true}", "a", "EINVAL");
}

/* Bytes that are not UTF-8, backslashes, quotes: the same both ways. */
static void test_names(void **state)
{
	struct method_fixture *f = *state;

	method_be_root(f);
	method_all(f, "MakeGroups",
		   "{\"groups\":[\"/\\\\xff\\\"q\",\"/b\\\\\\\\s\",\"/c\\\\,d\"]}");
	method_assert_groups(f, "{\"group\":\"/\"}", "/b\\\\s /c,d /\\xff\"q ");
	assert_non_null(grp_group_child(f->fake->agent.core,
					grp_hierarchy_find(f->fake->agent.core, "default")->root,
					"\xff\"q"));
	method_all(f, "RemoveGroups",
		   "{\"groups\":[\"/\\\\xff\\\"q\",\"/b\\\\\\\\s\",\"/c\\\\,d\"]}");
}

static void test_many(void **state)
{
	struct method_fixture *f = *state;
	_cleanup_json_ json_t *groups = json_array(), *listed = NULL;
	char name[64];

	method_be_root(f);
	for (unsigned int i = 0; i < 1000; i++) {
		(void)snprintf(name, sizeof(name), "/g%u", i);
		json_array_append_new(groups, json_string(name));
	}
	json_decref(fake_parameters(
		fake_client_call(&f->client, "MakeGroups", json_pack("{s:O}", "groups", groups))));
	listed = method_get(f, "GetUsage", "{\"recursive\":true}", "usage");
	assert_int_equal(json_array_size(listed), 1001);
	/* The table of the fake holds 1024. */
	for (unsigned int i = 0; i < 30; i++) {
		(void)snprintf(name, sizeof(name), "{\"groups\":[\"/h%u\"]}", i);
		if (i < 23)
			method_all(f, "MakeGroups", name);
	}
	method_one_fails(f, "MakeGroups", "{\"groups\":[\"/more\"]}", "/more", "ENOSPC");
	json_decref(fake_parameters(fake_client_call(&f->client, "RemoveGroups",
						     json_pack("{s:O}", "groups", groups))));
}

static void test_status(void **state)
{
	struct method_fixture *f = *state;
	_cleanup_json_ json_t *status = NULL;

	method_be_root(f);
	status = method_get(f, "GetStatus", "{\"audit\":true}", "status");
	assert_string_equal(method_text(status, "instance"), "unit");
	assert_string_equal(method_text(status, "state"), "running");
	assert_int_equal(method_number(status, "pid"), getpid());
	assert_int_equal(method_number(status, "connections"), 1);
	assert_int_equal(method_number(json_object_get(status, "counters"), "audits"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table), METHOD_TEST(test_types),	 METHOD_TEST(test_mount),
		METHOD_TEST(test_groups),     METHOD_TEST(test_parents), METHOD_TEST(test_names),
		METHOD_TEST(test_many),	      METHOD_TEST(test_status),
	};

	return cmocka_run_group_tests_name("methods", tests, NULL, NULL);
}
