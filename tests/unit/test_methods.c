/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the methods do, over the real core and a kernel in memory: replies have
 * the declared shape, errors their errno and item, jobs end as they should.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/cleanup_json.h"
#include "fake_agent.h"
#include "front/connection.h"
#include "front/introspect.h"
#include "front/methods.h"

struct fixture {
	struct fake_agent *fake;
	struct fake_client client;
};

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	fixture->fake = fake_agent_new(32, 8);
	fake_client_open(fixture->fake, &fixture->client);
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	fake_client_close(&fixture->client);
	fake_agent_free(fixture->fake);
	free(fixture);
	return 0;
}

static json_t *call(struct fixture *f, const char *method, const char *parameters)
{
	json_t *value = json_loads(parameters, 0, NULL);

	assert_non_null(value);
	return fake_client_call(&f->client, method, value);
}

/* The member of a successful reply; new reference. */
static json_t *get(struct fixture *f, const char *method, const char *parameters, const char *key)
{
	_cleanup_json_ json_t *reply = fake_parameters(call(f, method, parameters));
	json_t *value = json_object_get(reply, key);

	assert_non_null(value);
	return json_incref(value);
}

/* A bulk request of which every item succeeds. */
static void all(struct fixture *f, const char *method, const char *parameters)
{
	_cleanup_json_ json_t *failures = get(f, method, parameters, "failures");

	if (json_array_size(failures))
		fail_msg("%s %s: %s", method, parameters, json_dumps(failures, 0));
}

/* A bulk request of which one item fails. */
static void one_fails(struct fixture *f, const char *method, const char *parameters,
		      const char *item, const char *number)
{
	_cleanup_json_ json_t *failures = get(f, method, parameters, "failures");
	const json_t *failure = json_array_get(failures, 0);

	if (json_array_size(failures) != 1)
		fail_msg("%s %s: %s", method, parameters, json_dumps(failures, 0));
	assert_string_equal(json_string_value(json_object_get(failure, "item")), item);
	assert_string_equal(json_string_value(json_object_get(failure, "errno")), number);
	assert_true(json_string_length(json_object_get(failure, "message")) > 0);
}

static json_int_t number(const json_t *object, const char *key)
{
	assert_true(json_is_integer(json_object_get(object, key)));
	return json_integer_value(json_object_get(object, key));
}

static const char *text(const json_t *object, const char *key)
{
	assert_true(json_is_string(json_object_get(object, key)));
	return json_string_value(json_object_get(object, key));
}

/* Names of the groups of a listing, each followed by a blank. */
static void assert_groups(struct fixture *f, const char *parameters, const char *expected)
{
	_cleanup_json_ json_t *groups = get(f, "ListGroups", parameters, "groups");
	char names[1000] = "";
	const json_t *group;
	size_t i;

	json_array_foreach(groups, i, group) {
		strncat(names, text(group, "group"), sizeof(names) - strlen(names) - 2);
		strcat(names, " ");
	}
	assert_string_equal(names, expected);
}

/* --- the interface file and the table say the same ----------------------------- */

static const char *const type_texts[GRP_PARAM_TYPES_MAX] = {
	[GRP_PARAM_STRING] = "string",
	[GRP_PARAM_STRINGS] = "[]string",
	[GRP_PARAM_BOOL] = "bool",
	[GRP_PARAM_INT] = "int",
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
	struct fixture *f = *state;

	fake_task_fork(f->fake->kernel, 0, 10, 10);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		_cleanup_json_ json_t *value =
			get(f, rows[i].method, rows[i].parameters, rows[i].key);

		assert_type(json_is_array(value) ? json_array_get(value, 0) : value, rows[i].type);
	}
}

/* --- hierarchies and groups ---------------------------------------------------- */

static void test_mount(void **state)
{
	struct fixture *f = *state;
	struct grp_caller *caller = &f->fake->agent.server->connections->caller;
	_cleanup_json_ json_t *mounts = NULL;

	fake_agent_idle(f->fake);
	json_decref(fake_parameters(call(f, "Ping", "{}")));
	caller = &f->fake->agent.server->connections->caller;
	caller->uid = 0;
	json_decref(
		fake_parameters(call(f, "Mount", "{\"name\":\"jobs\",\"options\":\"cpuacct\"}")));
	mounts = get(f, "ListMounts", "{}", "mounts");
	assert_int_equal(json_array_size(mounts), 2);
	assert_string_equal(text(json_array_get(mounts, 1), "name"), "jobs");
	assert_true(fake_is_failed(call(f, "Mount", "{\"name\":\"a/b\"}"), "EINVAL"));
	assert_true(fake_is_failed(call(f, "Unmount", "{\"name\":\"none\"}"), "ENOENT"));
	json_decref(fake_parameters(call(f, "Unmount", "{\"name\":\"jobs\"}")));
	caller->uid = 12345;
	assert_true(fake_is_failed(call(f, "Mount", "{\"name\":\"jobs\"}"), "EPERM"));
	assert_true(fake_is_failed(call(f, "Unmount", "{\"name\":\"default\"}"), "EPERM"));
}

/* Where there is a call, its client is uid 0: what is under test is not rights. */
static void be_root(struct fixture *f)
{
	json_decref(fake_parameters(call(f, "Ping", "{}")));
	f->fake->agent.server->connections->caller.uid = 0;
}

static void test_groups(void **state)
{
	struct fixture *f = *state;

	be_root(f);
	all(f, "MakeGroups", "{\"groups\":[\"/b\",\"/a\",\"default:/a/z\",\"/a/c\"]}");
	assert_groups(f, "{\"group\":\"/\"}", "/a /b ");
	assert_groups(f, "{\"group\":\"/a\"}", "/a/c /a/z ");
	assert_groups(f, "{\"group\":\"/a\",\"recursive\":true}", "/a /a/c /a/z ");
	assert_groups(f, "{}", "/ ");
	assert_groups(f, "{\"recursive\":true}", "/ /a /a/c /a/z /b ");
	assert_true(fake_is_failed(call(f, "ListGroups", "{\"group\":\"/x\"}"), "ENOENT"));
	assert_true(fake_is_failed(call(f, "ListGroups", "{\"group\":\"x\"}"), "EINVAL"));
	assert_true(fake_is_failed(call(f, "StatGroup", "{\"group\":\"none:/\"}"), "ENOENT"));
	/* The others are tried. */
	one_fails(f, "MakeGroups", "{\"groups\":[\"/a\",\"/d\"]}", "/a", "EEXIST");
	one_fails(f, "MakeGroups", "{\"groups\":[\"/n/o\"]}", "/n/o", "ENOENT");
	one_fails(f, "MakeGroups", "{\"groups\":[\"/tasks\"]}", "/tasks", "EEXIST");
	one_fails(f, "MakeGroups", "{\"groups\":[\"/a\\\\x00\"]}", "/a\\x00", "EINVAL");
	one_fails(f, "MakeGroups", "{\"groups\":[\"/a\\n\"]}", "/a\n", "EINVAL");
	json_decref(fake_parameters(call(f, "RenameGroup", "{\"from\":\"/d\",\"to\":\"/e\"}")));
	assert_true(fake_is_failed(call(f, "RenameGroup", "{\"from\":\"/e\",\"to\":\"/a\"}"),
				   "EEXIST"));
	one_fails(f, "RemoveGroups", "{\"groups\":[\"/a\",\"/e\"]}", "/a", "EBUSY");
	one_fails(f, "RemoveGroups", "{\"groups\":[\"/\"],\"recursive\":true}", "/", "EBUSY");
	assert_groups(f, "{\"recursive\":true}", "/ /a /a/c /a/z /b ");
	all(f, "RemoveGroups", "{\"groups\":[\"/a\",\"/b\"],\"recursive\":true}");
	assert_groups(f, "{\"recursive\":true}", "/ ");
}

static void test_parents(void **state)
{
	struct fixture *f = *state;
	_cleanup_json_ json_t *stat = NULL, *above = NULL;

	be_root(f);
	all(f, "MakeGroups", "{\"groups\":[\"/a/b//c/\"],\"parents\":true,\"mode\":448}");
	all(f, "MakeGroups", "{\"groups\":[\"/a/b/c\",\"/\",\"/a\"],\"parents\":true}");
	stat = get(f, "StatGroup", "{\"group\":\"/a/b/c\"}", "stat");
	above = get(f, "StatGroup", "{\"group\":\"/a/b\"}", "stat");
	assert_int_equal(number(stat, "mode"), 0700);
	assert_int_equal(number(above, "mode"), 0755);
	assert_int_equal(number(above, "children"), 1);
	one_fails(f, "MakeGroups", "{\"groups\":[\"/a/./c\"],\"parents\":true}", "/a/./c",
		  "EINVAL");
	one_fails(f, "MakeGroups", "{\"groups\":[\"a\"],\"parents\":true}", "a", "EINVAL");
}

/* Bytes that are not UTF-8, backslashes, quotes: the same both ways. */
static void test_names(void **state)
{
	struct fixture *f = *state;

	be_root(f);
	all(f, "MakeGroups", "{\"groups\":[\"/\\\\xff\\\"q\",\"/b\\\\\\\\s\",\"/c\\\\,d\"]}");
	assert_groups(f, "{\"group\":\"/\"}", "/b\\\\s /c,d /\\xff\"q ");
	assert_non_null(grp_group_child(f->fake->agent.core,
					grp_hierarchy_find(f->fake->agent.core, "default")->root,
					"\xff\"q"));
	all(f, "RemoveGroups", "{\"groups\":[\"/\\\\xff\\\"q\",\"/b\\\\\\\\s\",\"/c\\\\,d\"]}");
}

static void test_many(void **state)
{
	struct fixture *f = *state;
	_cleanup_json_ json_t *groups = json_array(), *listed = NULL;
	char name[64];

	be_root(f);
	for (unsigned int i = 0; i < 1000; i++) {
		(void)snprintf(name, sizeof(name), "/g%u", i);
		json_array_append_new(groups, json_string(name));
	}
	json_decref(fake_parameters(
		fake_client_call(&f->client, "MakeGroups", json_pack("{s:O}", "groups", groups))));
	listed = get(f, "GetUsage", "{\"recursive\":true}", "usage");
	assert_int_equal(json_array_size(listed), 1001);
	/* The table of the fake holds 1024. */
	for (unsigned int i = 0; i < 30; i++) {
		(void)snprintf(name, sizeof(name), "{\"groups\":[\"/h%u\"]}", i);
		if (i < 23)
			all(f, "MakeGroups", name);
	}
	one_fails(f, "MakeGroups", "{\"groups\":[\"/more\"]}", "/more", "ENOSPC");
	json_decref(fake_parameters(fake_client_call(&f->client, "RemoveGroups",
						     json_pack("{s:O}", "groups", groups))));
}

/* --- tasks ----------------------------------------------------------------------- */

static void test_attach(void **state)
{
	struct fixture *f = *state;
	struct fake_kernel *kernel = f->fake->kernel;
	_cleanup_json_ json_t *moved = NULL, *tasks = NULL, *places = NULL, *again = NULL;

	be_root(f);
	fake_task_fork(kernel, 0, 10, 10);
	fake_task_fork(kernel, 10, 11, 10);
	fake_task_fork(kernel, 10, 20, 20);
	all(f, "MakeGroups", "{\"groups\":[\"/a\",\"/b\"]}");
	moved = get(f, "Attach", "{\"groups\":[\"/a\"],\"pids\":[\"10\",\"20\"]}", "moved");
	assert_int_equal(json_integer_value(moved), 3);
	tasks = get(f, "ListTasks", "{\"group\":\"/a\"}", "tasks");
	assert_int_equal(json_array_size(tasks), 3);
	assert_int_equal(number(json_array_get(tasks, 1), "pid"), 11);
	assert_string_equal(text(json_array_get(tasks, 1), "group"), "/a");
	all(f, "Attach", "{\"groups\":[\"/b\"],\"pids\":[\"11\"],\"thread\":true}");
	again = get(f, "ListTasks", "{\"group\":\"/\",\"recursive\":true,\"processes\":true}",
		    "tasks");
	assert_int_equal(json_array_size(again), 2);
	places = get(f, "WhichTasks", "{\"pids\":[\"11\"]}", "placements");
	assert_string_equal(
		text(json_array_get(json_object_get(json_array_get(places, 0), "places"), 0),
		     "group"),
		"/b");
	one_fails(f, "Attach", "{\"groups\":[\"/a\"],\"pids\":[\"10\",\"99\"]}", "99", "ESRCH");
	one_fails(f, "Attach", "{\"groups\":[\"/a\"],\"pids\":[\"-5\"]}", "-5", "ESRCH");
	one_fails(f, "Attach", "{\"groups\":[\"/a\"],\"pids\":[\"x\"]}", "x", "EINVAL");
	one_fails(f, "Attach", "{\"groups\":[\"/a\"],\"pids\":[\"10@1\"]}", "10@1", "ESRCH");
	one_fails(f, "WhichTasks", "{\"pids\":[\"10\",\"99\"]}", "99", "ESRCH");
	assert_true(
		fake_is_failed(call(f, "Attach", "{\"groups\":[],\"pids\":[\"10\"]}"), "EINVAL"));
	assert_true(fake_is_failed(
		call(f, "Attach", "{\"groups\":[\"/a\",\"/b\"],\"pids\":[\"10\"]}"), "EINVAL"));
	assert_true(fake_is_failed(call(f, "Attach",
					"{\"groups\":[\"/a\"],\"pids\":[\"10\"],\"from\":\"/b\"}"),
				   "EINVAL"));
	all(f, "Attach", "{\"groups\":[\"/b\"],\"pids\":[],\"from\":\"/a\"}");
	json_decref(tasks);
	tasks = get(f, "ListTasks", "{\"group\":\"/a\"}", "tasks");
	assert_int_equal(json_array_size(tasks), 0);
}

/* 0 is the caller: that is this very process. */
static void test_caller(void **state)
{
	struct fixture *f = *state;
	_cleanup_json_ json_t *places = NULL;

	be_root(f);
	fake_task_fork(f->fake->kernel, 0, (uint32_t)getpid(), (uint32_t)getpid());
	places = get(f, "WhichTasks", "{\"pids\":[\"0\"]}", "placements");
	assert_int_equal(number(json_array_get(places, 0), "pid"), getpid());
}

/* Ids of the caller's namespace; what is not visible there is left out. */
static void test_pidns(void **state)
{
	struct fixture *f = *state;
	struct fake_task *inside = fake_task_fork(f->fake->kernel, 0, 10, 10);
	_cleanup_json_ json_t *tasks = NULL, *places = NULL;

	fake_task_fork(f->fake->kernel, 0, 11, 11);
	inside->pidns = 77;
	inside->ns_tid = inside->ns_tgid = 2;
	be_root(f);
	f->fake->agent.server->connections->caller.pidns = 77;
	tasks = get(f, "ListTasks", "{\"group\":\"/\"}", "tasks");
	assert_int_equal(json_array_size(tasks), 1);
	assert_int_equal(number(json_array_get(tasks, 0), "pid"), 2);
	places = get(f, "WhichTasks", "{\"pids\":[\"2\"]}", "placements");
	assert_int_equal(number(json_array_get(places, 0), "pid"), 2);
	one_fails(f, "WhichTasks", "{\"pids\":[\"11\"]}", "11", "ESRCH");
	one_fails(f, "WhichTasks", "{\"pids\":[\"10\"]}", "10", "ESRCH");
}

static void test_usage(void **state)
{
	struct fixture *f = *state;
	struct fake_kernel *kernel = f->fake->kernel;
	_cleanup_json_ json_t *usage = NULL, *file = NULL;
	const json_t *a, *b;

	be_root(f);
	fake_task_fork(kernel, 0, 10, 10);
	fake_task_fork(kernel, 10, 11, 10);
	all(f, "MakeGroups", "{\"groups\":[\"/a\",\"/a/b\"]}");
	all(f, "Attach", "{\"groups\":[\"/a\"],\"pids\":[\"10\"]}");
	fake_task_run(kernel, 10, 0, 1000);
	all(f, "Attach", "{\"groups\":[\"/a/b\"],\"pids\":[\"10\"],\"thread\":true}");
	fake_task_run(kernel, 10, 1, 500);
	usage = get(f, "GetUsage", "{\"group\":\"/a\",\"recursive\":true}", "usage");
	assert_int_equal(json_array_size(usage), 2);
	a = json_array_get(usage, 0);
	b = json_array_get(usage, 1);
	assert_int_equal(number(a, "usage_ns"), 1500);
	assert_int_equal(number(a, "usage_own_ns"), 1000);
	assert_int_equal(number(a, "user_ns") + number(a, "system_ns"), 1500);
	assert_int_equal(number(a, "tasks"), 1);
	assert_int_equal(number(a, "processes"), 1);
	assert_int_equal(number(b, "usage_ns"), 500);
	file = get(f, "ReadFile", "{\"group\":\"/a\",\"file\":\"cpuacct.usage\"}", "content");
	assert_string_equal(json_string_value(file), "1500\n");
}

static void test_files(void **state)
{
	struct fixture *f = *state;

	be_root(f);
	all(f, "MakeGroups", "{\"groups\":[\"/a\"]}");
	fake_task_fork(f->fake->kernel, 0, 10, 10);
	json_decref(fake_parameters(
		call(f, "WriteFile", "{\"group\":\"/a\",\"file\":\"tasks\",\"value\":\"10\"}")));
	json_decref(get(f, "ReadFile", "{\"group\":\"/a\",\"file\":\"tasks\"}", "content"));
	assert_true(fake_is_failed(call(f, "ReadFile", "{\"group\":\"/a\",\"file\":\"none\"}"),
				   "ENOENT"));
	assert_true(fake_is_failed(call(f, "WriteFile",
					"{\"group\":\"/a\",\"file\":\"../a\",\"value\":\"\"}"),
				   "ENOENT"));
	assert_true(fake_is_failed(call(f, "WriteFile",
					"{\"group\":\"/a\",\"file\":\"tasks\",\"value\":\"x\"}"),
				   "EIO"));
}

/* --- jobs ------------------------------------------------------------------------ */

static pid_t start_child(struct fake_kernel *kernel)
{
	pid_t pid = fork();

	if (pid == 0) {
		(void)signal(SIGTERM, SIG_DFL);
		for (;;)
			(void)pause();
	}
	assert_true(pid > 0);
	fake_task_fork(kernel, 0, (uint32_t)pid, (uint32_t)pid);
	return pid;
}

/* Waits for a real child's end and tells the fake kernel. Return: its signal. */
static int end_child(struct fake_kernel *kernel, pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	fake_task_exit(kernel, (uint32_t)pid);
	fake_task_reap(kernel, (uint32_t)pid);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void attach_pid(struct fixture *f, pid_t pid)
{
	char parameters[100];

	(void)snprintf(parameters, sizeof(parameters), "{\"groups\":[\"/a\"],\"pids\":[\"%d\"]}",
		       (int)pid);
	all(f, "Attach", parameters);
}

static void test_kill(void **state)
{
	struct fixture *f = *state;
	struct fake_kernel *kernel = f->fake->kernel;
	_cleanup_json_ json_t *signalled = NULL, *answer = NULL;
	pid_t one, two;

	be_root(f);
	all(f, "MakeGroups", "{\"groups\":[\"/a\"]}");
	one = start_child(kernel);
	two = start_child(kernel);
	attach_pid(f, one);
	/* Once and at once; the child outside is not meant. */
	signalled = get(f, "Kill", "{\"group\":\"/a\",\"signal\":15}", "signalled");
	assert_int_equal(json_integer_value(signalled), 1);
	assert_int_equal(end_child(kernel, one), SIGTERM);
	assert_int_equal(kill(two, 0), 0);
	/* SIGKILL is answered when nobody is left. */
	attach_pid(f, two);
	fake_client_send_text(&f->client, "{\"method\":\"org.grpagent.Kill\",\"parameters\":"
					  "{\"group\":\"/\",\"recursive\":true,\"signal\":9}}");
	fake_agent_idle(f->fake);
	assert_int_equal(f->fake->agent.server->n_waiting, 1);
	assert_int_equal(end_child(kernel, two), SIGKILL);
	fake_agent_events(f->fake);
	answer = fake_parameters(fake_client_receive(&f->client));
	assert_int_equal(number(answer, "signalled"), 1);
	assert_int_equal(f->fake->agent.server->n_waiting, 0);
}

/* kill(2) would refuse: so do we, and the processes of others live on. */
static void test_kill_denied(void **state)
{
	struct fixture *f = *state;
	struct fake_kernel *kernel = f->fake->kernel;
	pid_t pid = start_child(kernel);
	struct fake_task *task = fake_task_find(kernel, (uint32_t)pid);

	be_root(f);
	task->uid = task->suid = 1;
	f->fake->agent.server->connections->caller.uid = 4711;
	assert_true(fake_is_failed(call(f, "Kill", "{\"group\":\"/\",\"signal\":9}"), "EPERM"));
	assert_int_equal(kill(pid, 0), 0);
	task->suid = 4711;
	json_decref(fake_parameters(call(f, "Kill", "{\"group\":\"/\",\"signal\":15}")));
	assert_int_equal(end_child(kernel, pid), SIGTERM);
}

/* An id that is another process by now: nobody is hit. */
static void change_start(struct fake_kernel *fake, enum grp_pass kind, void *data)
{
	struct fake_task *task = fake_task_find(fake, *(const uint32_t *)data);

	if (task)
		task->start_ns++;
}

static void test_kill_reused(void **state)
{
	struct fixture *f = *state;
	struct fake_kernel *kernel = f->fake->kernel;
	_cleanup_json_ json_t *signalled = NULL;
	pid_t pid = start_child(kernel);
	uint32_t tid = (uint32_t)pid;

	be_root(f);
	kernel->before_pass = change_start;
	kernel->before_pass_data = &tid;
	signalled = get(f, "Kill", "{\"group\":\"/\",\"signal\":9}", "signalled");
	assert_int_equal(json_integer_value(signalled), 0);
	kernel->before_pass = NULL;
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(end_child(kernel, pid), SIGKILL);
}

static void test_remove_kill(void **state)
{
	struct fixture *f = *state;
	struct fake_kernel *kernel = f->fake->kernel;
	_cleanup_json_ json_t *answer = NULL;
	pid_t pid = start_child(kernel);

	be_root(f);
	all(f, "MakeGroups", "{\"groups\":[\"/a\",\"/a/b\"]}");
	attach_pid(f, pid);
	one_fails(f, "RemoveGroups", "{\"groups\":[\"/a/b\",\"/a\"]}", "/a", "EBUSY");
	all(f, "MakeGroups", "{\"groups\":[\"/a/b\"]}");
	fake_client_send_text(&f->client,
			      "{\"method\":\"org.grpagent.RemoveGroups\",\"parameters\":"
			      "{\"groups\":[\"/a\"],\"recursive\":true,\"kill\":true}}");
	fake_agent_idle(f->fake);
	assert_int_equal(end_child(kernel, pid), SIGKILL);
	fake_agent_events(f->fake);
	answer = fake_parameters(fake_client_receive(&f->client));
	assert_int_equal(json_array_size(json_object_get(answer, "failures")), 0);
	assert_groups(f, "{\"recursive\":true}", "/ ");
}

static void test_wait(void **state)
{
	struct fixture *f = *state;
	struct fake_kernel *kernel = f->fake->kernel;
	_cleanup_json_ json_t *answer = NULL;
	struct fake_client other;

	be_root(f);
	all(f, "MakeGroups", "{\"groups\":[\"/a\",\"/a/b\"]}");
	/* Nobody is there: at once. */
	json_decref(fake_parameters(call(f, "Wait", "{\"group\":\"/a\",\"recursive\":true}")));
	fake_task_fork(kernel, 0, 10, 10);
	all(f, "Attach", "{\"groups\":[\"/a/b\"],\"pids\":[\"10\"]}");
	json_decref(fake_parameters(call(f, "Wait", "{\"group\":\"/a\"}")));
	fake_client_open(f->fake, &other);
	fake_client_send_text(&other, "{\"method\":\"org.grpagent.Wait\",\"parameters\":"
				      "{\"group\":\"/a\",\"recursive\":true}}");
	fake_agent_idle(f->fake);
	fake_task_run(kernel, 10, 0, 4000);
	fake_task_exit(kernel, 10);
	fake_agent_events(f->fake);
	/* Its last slice comes after it has left. */
	fake_task_run(kernel, 10, 0, 77);
	fake_task_reap(kernel, 10);
	answer = fake_parameters(fake_client_receive(&other));
	assert_int_equal(number(json_object_get(answer, "usage"), "usage_ns"), 4077);
	fake_client_close(&other);
}

/* Whoever removes the group has told the waiter before. */
static void test_wait_and_remove(void **state)
{
	struct fixture *f = *state;
	struct fake_kernel *kernel = f->fake->kernel;
	_cleanup_json_ json_t *answer = NULL;
	struct fake_client other;

	be_root(f);
	all(f, "MakeGroups", "{\"groups\":[\"/a\"]}");
	fake_task_fork(kernel, 0, 10, 10);
	all(f, "Attach", "{\"groups\":[\"/a\"],\"pids\":[\"10\"]}");
	fake_client_open(f->fake, &other);
	fake_client_send_text(&other, "{\"method\":\"org.grpagent.Wait\",\"parameters\":"
				      "{\"group\":\"/a\"}}");
	fake_agent_idle(f->fake);
	fake_task_exit(kernel, 10);
	fake_task_reap(kernel, 10);
	/* No event was seen. */
	all(f, "RemoveGroups", "{\"groups\":[\"/a\"]}");
	answer = fake_parameters(fake_client_receive(&other));
	assert_string_equal(text(json_object_get(answer, "usage"), "group"), "/a");
	fake_client_close(&other);
}

static void test_status(void **state)
{
	struct fixture *f = *state;
	_cleanup_json_ json_t *status = NULL;

	be_root(f);
	status = get(f, "GetStatus", "{\"audit\":true}", "status");
	assert_string_equal(text(status, "instance"), "unit");
	assert_string_equal(text(status, "state"), "running");
	assert_int_equal(number(status, "pid"), getpid());
	assert_int_equal(number(status, "connections"), 1);
	assert_int_equal(number(json_object_get(status, "counters"), "audits"), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		TEST(test_types),
		TEST(test_mount),
		TEST(test_groups),
		TEST(test_parents),
		TEST(test_names),
		TEST(test_many),
		TEST(test_attach),
		TEST(test_caller),
		TEST(test_pidns),
		TEST(test_usage),
		TEST(test_files),
		TEST(test_kill),
		TEST(test_kill_denied),
		TEST(test_kill_reused),
		TEST(test_remove_kill),
		TEST(test_wait),
		TEST(test_wait_and_remove),
		TEST(test_status),
	};

	return cmocka_run_group_tests_name("methods", tests, NULL, NULL);
}
