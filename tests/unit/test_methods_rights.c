/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who may call what: owners and modes by the methods, and that every method that
 * shows or changes something asks for the right that the kernel would ask for.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup_json.h"
#include "front/connection.h"
#include "front/server.h"
#include "method_help.h"

#define ALICE 1
#define BOB 2

/* The client is this user from now on, in a group of users of the same number. */
static void be(struct method_fixture *f, uid_t uid)
{
	struct grp_caller *caller;

	method_be_root(f);
	caller = &f->fake->agent.server->connections->caller;
	caller->uid = uid;
	caller->gid = uid;
	caller->groups = NULL;
	caller->n_groups = 0;
	caller->pidns = 0;
}

static void ok(struct method_fixture *f, const char *method, const char *parameters)
{
	json_decref(fake_parameters(method_call(f, method, parameters)));
}

static void fails(struct method_fixture *f, const char *method, const char *parameters,
		  const char *number)
{
	if (!fake_is_failed(method_call(f, method, parameters), number))
		fail_msg("%s %s", method, parameters);
}

static json_int_t stat_number(struct method_fixture *f, const char *parameters, const char *key)
{
	_cleanup_json_ json_t *stat = method_get(f, "StatGroup", parameters, "stat");

	return method_number(stat, key);
}

/* A number of a control file of /a. */
static json_int_t file_number(struct method_fixture *f, const char *name, const char *key)
{
	_cleanup_json_ json_t *stat = method_get(f, "StatGroup", "{\"group\":\"/a\"}", "stat");
	const json_t *file;
	size_t i;

	json_array_foreach(json_object_get(stat, "files"), i, file)
		if (!strcmp(method_text(file, "name"), name))
			return method_number(file, key);
	fail_msg("no file %s", name);
	return -1;
}

static void test_change(void **state)
{
	struct method_fixture *f = *state;

	be(f, 0);
	method_all(f, "MakeGroups", "{\"groups\":[\"/a\"]}");
	ok(f, "ChangeOwner", "{\"group\":\"/a\",\"uid\":1,\"gid\":7,\"members\":true}");
	assert_int_equal(stat_number(f, "{\"group\":\"/a\"}", "uid"), 1);
	assert_int_equal(stat_number(f, "{\"group\":\"/a\"}", "gid"), 7);
	assert_int_equal(file_number(f, "tasks", "uid"), 1);
	assert_int_equal(file_number(f, "cgroup.procs", "gid"), 7);
	assert_int_equal(file_number(f, "cpuacct.usage", "uid"), 0);
	ok(f, "ChangeOwner", "{\"group\":\"/a\",\"file\":\"cpuacct.usage\",\"uid\":4294967294}");
	assert_int_equal(file_number(f, "cpuacct.usage", "uid"), 4294967294LL);
	assert_int_equal(file_number(f, "cpuacct.usage", "gid"), 0);
	ok(f, "ChangeMode", "{\"group\":\"/a\",\"mode\":0}");
	ok(f, "ChangeMode", "{\"group\":\"/a\",\"mode\":256,\"file\":\"tasks\"}");
	assert_int_equal(stat_number(f, "{\"group\":\"/a\"}", "mode"), 0);
	assert_int_equal(file_number(f, "tasks", "mode"), 0400);
	fails(f, "ChangeMode", "{\"group\":\"/a\",\"mode\":0,\"file\":\"nosuch\"}", "ENOENT");
	fails(f, "ChangeMode", "{\"group\":\"/nosuch\",\"mode\":0}", "ENOENT");
	assert_true(fake_is_error(method_call(f, "ChangeMode", "{\"group\":\"/a\"}"),
				  GRP_WIRE_ERROR_PARAMETER));
	assert_true(fake_is_error(method_call(f, "ChangeOwner",
					      "{\"group\":\"/a\",\"uid\":4294967295}"),
				  GRP_WIRE_ERROR_PARAMETER));
	be(f, BOB);
	fails(f, "ChangeOwner", "{\"group\":\"/a\",\"uid\":2}", "EPERM");
	fails(f, "ChangeMode", "{\"group\":\"/a\",\"mode\":511}", "EPERM");
}

static void test_umask(void **state)
{
	struct method_fixture *f = *state;

	be(f, 0);
	method_all(f, "MakeGroups", "{\"groups\":[\"/u/v\"],\"parents\":true,\"umask\":63}");
	assert_int_equal(stat_number(f, "{\"group\":\"/u\"}", "mode"), 0700);
	assert_int_equal(stat_number(f, "{\"group\":\"/u/v\"}", "mode"), 0700);
	method_all(f, "MakeGroups", "{\"groups\":[\"/w/x\"],\"parents\":true,\"umask\":511}");
	assert_int_equal(stat_number(f, "{\"group\":\"/w\"}", "mode"), 0300);
	assert_int_equal(stat_number(f, "{\"group\":\"/w/x\"}", "mode"), 0);
	method_all(f, "MakeGroups", "{\"groups\":[\"/y\"],\"mode\":511,\"umask\":63}");
	assert_int_equal(stat_number(f, "{\"group\":\"/y\"}", "mode"), 0777);
	method_all(f, "MakeGroups", "{\"groups\":[\"/z\"]}");
	assert_int_equal(stat_number(f, "{\"group\":\"/z\"}", "mode"), 0755);
}

/* Nothing below /a can be reached, whatever is asked; nothing tells what there is. */
static void test_search(void **state)
{
	static const struct {
		const char *method, *before, *after;
	} calls[] = {
		{ "StatGroup", "{\"group\":\"", "\"}" },
		{ "ListGroups", "{\"group\":\"", "\"}" },
		{ "GetUsage", "{\"group\":\"", "\"}" },
		{ "ListTasks", "{\"group\":\"", "\"}" },
		{ "ReadFile", "{\"group\":\"", "\",\"file\":\"cpuacct.usage\"}" },
		{ "WriteFile", "{\"group\":\"", "\",\"file\":\"tasks\",\"value\":\"0\"}" },
		{ "ChangeMode", "{\"group\":\"", "\",\"mode\":0}" },
		{ "ChangeOwner", "{\"group\":\"", "\",\"gid\":2}" },
		{ "Attach", "{\"groups\":[\"", "\"],\"pids\":[\"0\"]}" },
		{ "Attach", "{\"groups\":[\"/\"],\"pids\":[],\"from\":\"", "\"}" },
		{ "CanAttach", "{\"groups\":[\"", "\"]}" },
		{ "Kill", "{\"group\":\"", "\"}" },
		{ "Wait", "{\"group\":\"", "\"}" },
		{ "RenameGroup", "{\"from\":\"", "\",\"to\":\"/a/new\"}" },
	};
	static const char *const groups[] = { "/a/b", "/a/b/c", "/a/nosuch" };
	struct method_fixture *f = *state;
	char parameters[200];

	be(f, 0);
	method_all(f, "MakeGroups", "{\"groups\":[\"/a/b/c\"],\"parents\":true,\"mode\":511}");
	ok(f, "ChangeMode", "{\"group\":\"/a\",\"mode\":510}");
	be(f, BOB);
	for (size_t g = 0; g < sizeof(groups) / sizeof(*groups); g++)
		for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
			(void)snprintf(parameters, sizeof(parameters), "%s%s%s", calls[i].before,
				       groups[g], calls[i].after);
			fails(f, calls[i].method, parameters, "EACCES");
		}
	method_one_fails(f, "RemoveGroups", "{\"groups\":[\"/a/b/c\"]}", "/a/b/c", "EACCES");
	method_one_fails(f, "RemoveGroups", "{\"groups\":[\"/a/nosuch\"]}", "/a/nosuch", "EACCES");
	method_one_fails(f, "MakeGroups", "{\"groups\":[\"/a/b\"]}", "/a/b", "EACCES");
	method_one_fails(f, "MakeGroups", "{\"groups\":[\"/a/n/m\"],\"parents\":true}", "/a/n/m",
			 "EACCES");
	/* The group itself is there to be seen, its content not. */
	assert_int_equal(stat_number(f, "{\"group\":\"/a\"}", "mode"), 0776);
	fails(f, "ListGroups", "{\"group\":\"/a\"}", "EACCES");
	fails(f, "Kill", "{\"group\":\"/a\"}", "EACCES");
}

static void test_lists(void **state)
{
	struct method_fixture *f = *state;
	_cleanup_json_ json_t *usage = NULL, *stat = NULL;

	be(f, 0);
	method_all(f, "MakeGroups", "{\"groups\":[\"/a/b/c\",\"/d/e\"],\"parents\":true}");
	ok(f, "ChangeMode", "{\"group\":\"/a/b\",\"mode\":489}"); /* 0751 */
	be(f, BOB);
	method_assert_groups(f, "{\"group\":\"/\",\"recursive\":true}", "/ /a /a/b /d /d/e ");
	method_assert_groups(f, "{\"recursive\":true}", "/ /a /a/b /d /d/e ");
	usage = method_get(f, "GetUsage", "{\"recursive\":true}", "usage");
	assert_int_equal(json_array_size(usage), 5);
	fails(f, "ListGroups", "{\"group\":\"/a/b\"}", "EACCES");
	fails(f, "ListGroups", "{\"group\":\"/a/b\",\"recursive\":true}", "EACCES");
	fails(f, "GetUsage", "{\"group\":\"/a/b\",\"recursive\":true}", "EACCES");
	/* By its name it can be reached. */
	assert_int_equal(stat_number(f, "{\"group\":\"/a/b/c\"}", "children"), 0);
	be(f, 0);
	ok(f, "ChangeMode", "{\"group\":\"/a/b\",\"mode\":484}"); /* 0744 */
	be(f, BOB);
	stat = method_get(f, "StatGroup", "{\"group\":\"/a/b\"}", "stat");
	assert_int_equal(json_array_size(json_object_get(stat, "files")), 0);
}

static size_t count_tasks(struct method_fixture *f, const char *parameters)
{
	_cleanup_json_ json_t *tasks = method_get(f, "ListTasks", parameters, "tasks");

	return json_array_size(tasks);
}

/* Modes say whose tasks are listed; "which" tells everybody. */
static void test_tasks(void **state)
{
	struct method_fixture *f = *state;
	_cleanup_json_ json_t *placements = NULL;

	be(f, 0);
	method_all(f, "MakeGroups", "{\"groups\":[\"/a/b\"],\"parents\":true}");
	fake_task_fork(f->fake->kernel, 0, 10, 10);
	fake_task_fork(f->fake->kernel, 0, 11, 11);
	ok(f, "Attach", "{\"groups\":[\"/a\"],\"pids\":[\"10\"]}");
	ok(f, "Attach", "{\"groups\":[\"/a/b\"],\"pids\":[\"11\"]}");
	ok(f, "ChangeMode", "{\"group\":\"/a/b\",\"mode\":416,\"file\":\"tasks\"}"); /* 0640 */
	be(f, BOB);
	assert_int_equal(count_tasks(f, "{\"group\":\"/a\"}"), 1);
	assert_int_equal(count_tasks(f, "{\"group\":\"/a\",\"recursive\":true}"), 1);
	fails(f, "ListTasks", "{\"group\":\"/a/b\"}", "EACCES");
	fails(f, "ReadFile", "{\"group\":\"/a/b\",\"file\":\"tasks\"}", "EACCES");
	fails(f, "Attach", "{\"groups\":[\"/a\"],\"pids\":[],\"from\":\"/a/b\"}", "EACCES");
	/* Processes are another file. */
	assert_int_equal(count_tasks(f, "{\"group\":\"/a/b\",\"processes\":true}"), 1);
	placements = method_get(f, "WhichTasks", "{\"pids\":[\"11\"]}", "placements");
	assert_int_equal(json_array_size(placements), 1);
	be(f, 0);
	assert_int_equal(count_tasks(f, "{\"group\":\"/a\",\"recursive\":true}"), 2);
}

/* Root of another pid namespace reaches what is in that, and not its init. */
static void test_namespace(void **state)
{
	struct method_fixture *f = *state;
	struct fake_task *task;

	be(f, 0);
	method_all(f, "MakeGroups", "{\"groups\":[\"/a\",\"/b\"]}");
	fake_task_fork(f->fake->kernel, 0, 10, 10);
	ok(f, "Attach", "{\"groups\":[\"/a\"],\"pids\":[\"10\"]}");
	f->fake->agent.server->connections->caller.pidns = 77;
	fails(f, "Attach", "{\"groups\":[\"/b\"],\"pids\":[],\"from\":\"/a\"}", "EACCES");
	fails(f, "Kill", "{\"group\":\"/a\",\"signal\":0}", "EPERM");
	task = fake_task_find(f->fake->kernel, 10);
	task->pidns = 77;
	task->ns_tid = task->ns_tgid = 1;
	fails(f, "Kill", "{\"group\":\"/a\",\"signal\":0}", "EPERM");
	ok(f, "Attach", "{\"groups\":[\"/b\"],\"pids\":[],\"from\":\"/a\"}");
	assert_int_equal(stat_number(f, "{\"group\":\"/b\"}", "tasks"), 1);
}

/* What is below and cannot be seen is neither named nor removed. */
static void test_remove(void **state)
{
	struct method_fixture *f = *state;

	be(f, 0);
	method_all(f, "MakeGroups", "{\"groups\":[\"/a/b/hidden\"],\"parents\":true}");
	ok(f, "ChangeOwner", "{\"group\":\"/a\",\"uid\":1}");
	ok(f, "ChangeMode", "{\"group\":\"/a/b\",\"mode\":448}"); /* 0700 */
	ok(f, "ChangeMode", "{\"group\":\"/\",\"mode\":511}");
	be(f, ALICE);
	method_one_fails(f, "RemoveGroups", "{\"groups\":[\"/a\"],\"recursive\":true}",
			 "default:/a/b", "EBUSY");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		METHOD_TEST(test_change), METHOD_TEST(test_umask), METHOD_TEST(test_search),
		METHOD_TEST(test_lists),  METHOD_TEST(test_tasks), METHOD_TEST(test_namespace),
		METHOD_TEST(test_remove),
	};

	return cmocka_run_group_tests_name("rights", tests, NULL, NULL);
}
