/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Methods about tasks, usage and control files, over the real core and a kernel
 * in memory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/cleanup_json.h"
#include "core/place.h"
#include "front/connection.h"
#include "method_help.h"

/* --- tasks ----------------------------------------------------------------------- */

static void test_attach(void **state)
{
	struct method_fixture *f = *state;
	struct fake_kernel *kernel = f->fake->kernel;
	_cleanup_json_ json_t *moved = NULL, *tasks = NULL, *places = NULL, *again = NULL;

	method_be_root(f);
	fake_task_fork(kernel, 0, 10, 10);
	fake_task_fork(kernel, 10, 11, 10);
	fake_task_fork(kernel, 10, 20, 20);
	method_all(f, "MakeGroups", "{\"groups\":[\"/a\",\"/b\"]}");
	moved = method_get(f, "Attach", "{\"groups\":[\"/a\"],\"pids\":[\"10\",\"20\"]}", "moved");
	assert_int_equal(json_integer_value(moved), 3);
	tasks = method_get(f, "ListTasks", "{\"group\":\"/a\"}", "tasks");
	assert_int_equal(json_array_size(tasks), 3);
	assert_int_equal(method_number(json_array_get(tasks, 1), "pid"), 11);
	assert_string_equal(method_text(json_array_get(tasks, 1), "group"), "/a");
	method_all(f, "Attach", "{\"groups\":[\"/b\"],\"pids\":[\"11\"],\"thread\":true}");
	again = method_get(f, "ListTasks",
			   "{\"group\":\"/\",\"recursive\":true,\"processes\":true}", "tasks");
	assert_int_equal(json_array_size(again), 2);
	places = method_get(f, "WhichTasks", "{\"pids\":[\"11\"]}", "placements");
	assert_string_equal(
		method_text(json_array_get(json_object_get(json_array_get(places, 0), "places"), 0),
			    "group"),
		"/b");
	method_one_fails(f, "Attach", "{\"groups\":[\"/a\"],\"pids\":[\"10\",\"99\"]}", "99",
			 "ESRCH");
	method_one_fails(f, "Attach", "{\"groups\":[\"/a\"],\"pids\":[\"-5\"]}", "-5", "ESRCH");
	method_one_fails(f, "Attach", "{\"groups\":[\"/a\"],\"pids\":[\"x\"]}", "x", "EINVAL");
	method_one_fails(f, "Attach", "{\"groups\":[\"/a\"],\"pids\":[\"10@1\"]}", "10@1", "ESRCH");
	method_one_fails(f, "WhichTasks", "{\"pids\":[\"10\",\"99\"]}", "99", "ESRCH");
	assert_true(fake_is_failed(method_call(f, "Attach", "{\"groups\":[],\"pids\":[\"10\"]}"),
				   "EINVAL"));
	assert_true(fake_is_failed(method_call(f, "Attach",
					       "{\"groups\":[\"/a\",\"/b\"],\"pids\":[\"10\"]}"),
				   "EINVAL"));
	assert_true(fake_is_failed(
		method_call(f, "Attach", "{\"groups\":[\"/a\"],\"pids\":[\"10\"],\"from\":\"/b\"}"),
		"EINVAL"));
	method_all(f, "Attach", "{\"groups\":[\"/b\"],\"pids\":[],\"from\":\"/a\"}");
	json_decref(tasks);
	tasks = method_get(f, "ListTasks", "{\"group\":\"/a\"}", "tasks");
	assert_int_equal(json_array_size(tasks), 0);
}

/* So that two calls of the kernel's are needed, and the last item is behind them. */
#define MANY (GRP_BATCH_MAX + 20)

/* Many are moved at once; those that cannot be are told, each by its name and in the order. */
static void test_attach_many(void **state)
{
	static const struct {
		size_t at;
		const char *item, *error;
	} bad[] = {
		{ 3, "9999", "ESRCH" },
		{ 7, "x", "EINVAL" },
		{ 11, "1000@1", "ESRCH" },
		{ MANY - 1, "-5", "ESRCH" },
	};
	struct method_fixture *f = *state;
	struct fake_kernel *kernel = f->fake->kernel;
	_cleanup_json_ json_t *reply = NULL, *pids = json_array(), *parameters = NULL;
	_cleanup_free_ char *text = NULL;
	char number[16];

	method_be_root(f);
	json_decref(
		fake_parameters(method_call(f, "Mount", "{\"name\":\"h\",\"options\":\"none\"}")));
	method_all(f, "MakeGroups", "{\"groups\":[\"h:/a\"]}");
	for (uint32_t i = 0; i < MANY; i++) {
		fake_task_fork(kernel, 0, 1000 + i, 1000 + i);
		(void)snprintf(number, sizeof(number), "%u", 1000 + i);
		assert_int_equal(json_array_append_new(pids, json_string(number)), 0);
	}
	/* One that is moved by itself, as it has threads. */
	fake_task_fork(kernel, 1020, 5000, 1020);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(json_array_set_new(pids, bad[i].at, json_string(bad[i].item)), 0);
	parameters = json_pack("{s:[s], s:O}", "groups", "h:/a", "pids", pids);
	text = json_dumps(parameters, 0);
	reply = fake_parameters(method_call(f, "Attach", text));
	assert_int_equal(method_number(reply, "moved"), MANY - 4 + 1);
	assert_int_equal(kernel->batches, 4);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		const json_t *failure = json_array_get(json_object_get(reply, "failures"), i);

		assert_string_equal(method_text(failure, "item"), bad[i].item);
		assert_string_equal(method_text(failure, "errno"), bad[i].error);
	}
	assert_int_equal(json_array_size(json_object_get(reply, "failures")), 4);
}

/* Who has moved them is answered when those who came are on their CPUs, as for one. */
static void test_attach_many_is_placed(void **state)
{
	struct method_fixture *f = *state;
	struct grp_core *core = f->fake->agent.core;
	struct grp_group *group;

	method_be_root(f);
	json_decref(
		fake_parameters(method_call(f, "Mount", "{\"name\":\"h\",\"options\":\"none\"}")));
	method_all(f, "MakeGroups", "{\"groups\":[\"h:/a\"]}");
	fake_task_fork(f->fake->kernel, 0, 10, 10);
	fake_task_fork(f->fake->kernel, 0, 11, 11);
	group = grp_hierarchy_find(core, "h")->root->children;
	grp_place_touch(core, group);
	assert_false(grp_place_settled(core, grp_place_ticket(core)));
	method_all(f, "Attach", "{\"groups\":[\"h:/a\"],\"pids\":[\"10\",\"11\"]}");
	assert_int_equal(f->fake->kernel->batches, 2);
	assert_true(grp_place_settled(core, grp_place_ticket(core)));
}

/* TASK-10: the question without a task. */
static void test_can_attach(void **state)
{
	struct method_fixture *f = *state;
	struct grp_caller *caller;

	method_be_root(f);
	caller = &f->fake->agent.server->connections->caller;
	method_all(f, "MakeGroups", "{\"groups\":[\"/a\",\"/b\"]}");
	json_decref(
		fake_parameters(method_call(f, "Mount", "{\"name\":\"h\",\"options\":\"none\"}")));
	json_decref(fake_parameters(method_call(f, "CanAttach", "{\"groups\":[\"/a\",\"h:/\"]}")));
	json_decref(fake_parameters(method_call(
		f, "WriteFile", "{\"group\":\"/a\",\"file\":\"xb.veto\",\"value\":\"EDOM\"}")));
	assert_true(fake_is_failed(method_call(f, "CanAttach", "{\"groups\":[\"h:/\",\"/a\"]}"),
				   "EDOM"));
	json_decref(fake_parameters(method_call(f, "CanAttach", "{\"groups\":[\"/b\"]}")));
	assert_true(fake_is_failed(method_call(f, "CanAttach", "{\"groups\":[]}"), "EINVAL"));
	assert_true(fake_is_failed(method_call(f, "CanAttach", "{\"groups\":[\"/a\",\"/b\"]}"),
				   "EINVAL"));
	/* The file that would be written to decides. */
	json_decref(fake_parameters(method_call(
		f, "ChangeMode", "{\"group\":\"/b\",\"file\":\"tasks\",\"mode\":438}")));
	caller->uid = caller->gid = 5;
	json_decref(fake_parameters(
		method_call(f, "CanAttach", "{\"groups\":[\"/b\"],\"thread\":true}")));
	assert_true(fake_is_failed(method_call(f, "CanAttach", "{\"groups\":[\"/b\"]}"), "EACCES"));
}

static void assert_command(struct method_fixture *f, const char *parameters, size_t i,
			   const char *expected)
{
	_cleanup_json_ json_t *tasks = method_get(f, "ListTasks", parameters, "tasks");

	assert_string_equal(method_text(json_array_get(tasks, i), "command"), expected);
}

/* Names are bytes; of a process it is the leader's, or of the first thread there is. */
static void test_commands(void **state)
{
	static const char by_process[] = "{\"group\":\"/\",\"processes\":true}";
	struct method_fixture *f = *state;
	struct fake_kernel *kernel = f->fake->kernel;

	method_be_root(f);
	/* Numbers have gone round: the leader's is not the lowest. */
	(void)snprintf(fake_task_fork(kernel, 0, 12, 12)->comm, GRP_COMM_SIZE, "leader");
	(void)snprintf(fake_task_fork(kernel, 12, 11, 12)->comm, GRP_COMM_SIZE, "b");
	(void)snprintf(fake_task_fork(kernel, 12, 10, 12)->comm, GRP_COMM_SIZE, "a\xff\\ \xc3");
	assert_command(f, "{\"group\":\"/\"}", 0, "a\\xff\\\\ \\xc3");
	assert_command(f, "{\"group\":\"/\"}", 2, "leader");
	assert_command(f, by_process, 0, "leader");
	method_all(f, "MakeGroups", "{\"groups\":[\"/a\"]}");
	method_all(f, "Attach", "{\"groups\":[\"/a\"],\"pids\":[\"12\"],\"thread\":true}");
	assert_command(f, by_process, 0, "a\\xff\\\\ \\xc3");
}

/* 0 is the caller: that is this very process. */
static void test_caller(void **state)
{
	struct method_fixture *f = *state;
	_cleanup_json_ json_t *places = NULL;

	method_be_root(f);
	fake_task_fork(f->fake->kernel, 0, (uint32_t)getpid(), (uint32_t)getpid());
	places = method_get(f, "WhichTasks", "{\"pids\":[\"0\"]}", "placements");
	assert_int_equal(method_number(json_array_get(places, 0), "pid"), getpid());
}

/* Ids of the caller's namespace; what is not visible there is left out. */
static void test_pidns(void **state)
{
	struct method_fixture *f = *state;
	struct fake_task *inside = fake_task_fork(f->fake->kernel, 0, 10, 10);
	_cleanup_json_ json_t *tasks = NULL, *places = NULL;

	fake_task_fork(f->fake->kernel, 0, 11, 11);
	inside->pidns = 77;
	inside->ns_tid = inside->ns_tgid = 2;
	method_be_root(f);
	f->fake->agent.server->connections->caller.pidns = 77;
	tasks = method_get(f, "ListTasks", "{\"group\":\"/\"}", "tasks");
	assert_int_equal(json_array_size(tasks), 1);
	assert_int_equal(method_number(json_array_get(tasks, 0), "pid"), 2);
	places = method_get(f, "WhichTasks", "{\"pids\":[\"2\"]}", "placements");
	assert_int_equal(method_number(json_array_get(places, 0), "pid"), 2);
	method_one_fails(f, "WhichTasks", "{\"pids\":[\"11\"]}", "11", "ESRCH");
	method_one_fails(f, "WhichTasks", "{\"pids\":[\"10\"]}", "10", "ESRCH");
}

static void test_usage(void **state)
{
	struct method_fixture *f = *state;
	struct fake_kernel *kernel = f->fake->kernel;
	_cleanup_json_ json_t *usage = NULL, *file = NULL;
	const json_t *a, *b;

	method_be_root(f);
	fake_task_fork(kernel, 0, 10, 10);
	fake_task_fork(kernel, 10, 11, 10);
	method_all(f, "MakeGroups", "{\"groups\":[\"/a\",\"/a/b\"]}");
	method_all(f, "Attach", "{\"groups\":[\"/a\"],\"pids\":[\"10\"]}");
	fake_task_run(kernel, 10, 0, 1000);
	method_all(f, "Attach", "{\"groups\":[\"/a/b\"],\"pids\":[\"10\"],\"thread\":true}");
	fake_task_run(kernel, 10, 1, 500);
	usage = method_get(f, "GetUsage", "{\"group\":\"/a\",\"recursive\":true}", "usage");
	assert_int_equal(json_array_size(usage), 2);
	a = json_array_get(usage, 0);
	b = json_array_get(usage, 1);
	assert_int_equal(method_number(a, "usage_ns"), 1500);
	assert_int_equal(method_number(a, "usage_own_ns"), 1000);
	assert_int_equal(method_number(a, "user_ns") + method_number(a, "system_ns"), 1500);
	assert_int_equal(method_number(a, "tasks"), 1);
	assert_int_equal(method_number(a, "processes"), 1);
	assert_int_equal(method_number(b, "usage_ns"), 500);
	file = method_get(f, "ReadFile", "{\"group\":\"/a\",\"file\":\"cpuacct.usage\"}",
			  "content");
	assert_string_equal(json_string_value(file), "1500\n");
}

static void test_files(void **state)
{
	struct method_fixture *f = *state;

	method_be_root(f);
	method_all(f, "MakeGroups", "{\"groups\":[\"/a\"]}");
	fake_task_fork(f->fake->kernel, 0, 10, 10);
	json_decref(fake_parameters(method_call(
		f, "WriteFile", "{\"group\":\"/a\",\"file\":\"tasks\",\"value\":\"10\"}")));
	json_decref(method_get(f, "ReadFile", "{\"group\":\"/a\",\"file\":\"tasks\"}", "content"));
	assert_true(fake_is_failed(
		method_call(f, "ReadFile", "{\"group\":\"/a\",\"file\":\"none\"}"), "ENOENT"));
	assert_true(fake_is_failed(
		method_call(f, "WriteFile", "{\"group\":\"/a\",\"file\":\"../a\",\"value\":\"\"}"),
		"ENOENT"));
	assert_true(
		fake_is_failed(method_call(f, "WriteFile",
					   "{\"group\":\"/a\",\"file\":\"tasks\",\"value\":\"x\"}"),
			       "EIO"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		METHOD_TEST(test_attach),
		METHOD_TEST(test_attach_many),
		METHOD_TEST(test_attach_many_is_placed),
		METHOD_TEST(test_can_attach),
		METHOD_TEST(test_commands),
		METHOD_TEST(test_caller),
		METHOD_TEST(test_pidns),
		METHOD_TEST(test_usage),
		METHOD_TEST(test_files),
	};

	return cmocka_run_group_tests_name("methods_task", tests, NULL, NULL);
}
