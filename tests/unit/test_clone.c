/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Clone (CLONE-1...3, RACE-9): mkdir and attach as one operation, over the real core and
 * a kernel in memory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/cleanup_json.h"
#include "front/connection.h"
#include "front/server.h"
#include "method_help.h"

/* Process 10 with threads 10 and 11, in /a. */
static struct method_fixture *begin(void **state)
{
	struct method_fixture *f = *state;

	method_be_root(f);
	fake_task_fork(f->fake->kernel, 0, 10, 10);
	fake_task_fork(f->fake->kernel, 10, 11, 10);
	fake_task_fork(f->fake->kernel, 0, 20, 20);
	method_all(f, "MakeGroups", "{\"groups\":[\"/a\",\"/b\"],\"mode\":511}");
	method_all(f, "Attach", "{\"groups\":[\"/a\"],\"pids\":[\"10\"]}");
	return f;
}

/* The groups that are made, each followed by a blank. */
static void makes(struct method_fixture *f, const char *parameters, const char *expected)
{
	_cleanup_json_ json_t *groups = method_get(f, "Clone", parameters, "groups");
	char names[200] = "";
	size_t n = 0, i;
	const json_t *group;

	json_array_foreach(groups, i, group)
		n += (size_t)snprintf(names + n, sizeof(names) - n, "%s ",
				      json_string_value(group));
	assert_string_equal(names, expected);
}

static void fails(struct method_fixture *f, const char *parameters, const char *number)
{
	if (!fake_is_failed(method_call(f, "Clone", parameters), number))
		fail_msg("Clone %s", parameters);
}

static json_int_t stat_number(struct method_fixture *f, const char *group, const char *key)
{
	_cleanup_json_ json_t *parameters = json_pack("{s:s}", "group", group);
	_cleanup_json_ json_t *reply =
		fake_parameters(fake_client_call(&f->client, "StatGroup", TAKE_PTR(parameters)));

	return method_number(json_object_get(reply, "stat"), key);
}

static void write_file(struct method_fixture *f, const char *group, const char *file,
		       const char *value)
{
	json_decref(fake_parameters(fake_client_call(&f->client, "WriteFile",
						     json_pack("{s:s, s:s, s:s}", "group", group,
							       "file", file, "value", value))));
}

static void mount(struct method_fixture *f, const char *name, const char *options)
{
	json_decref(fake_parameters(fake_client_call(
		&f->client, "Mount", json_pack("{s:s, s:s}", "name", name, "options", options))));
}

static void a_child_of_the_present_group(void **state)
{
	struct method_fixture *f = begin(state);

	makes(f, "{\"pid\":\"10\"}", "default:/a/node_10 ");
	assert_int_equal(stat_number(f, "/a/node_10", "tasks"), 2);
	assert_int_equal(stat_number(f, "/a/node_10", "mode"), 0755);
	/* One thread alone, by its own number, and deeper each time. */
	makes(f, "{\"pid\":\"11\",\"thread\":true}", "default:/a/node_10/node_11 ");
	assert_int_equal(stat_number(f, "/a/node_10", "tasks"), 1);
	makes(f, "{\"pid\":\"10\"}", "default:/a/node_10/node_10 ");
	assert_int_equal(stat_number(f, "/a/node_10/node_10", "tasks"), 2);
}

static void of_groups_that_are_named(void **state)
{
	struct method_fixture *f = begin(state);

	mount(f, "h", "none");
	makes(f, "{\"pid\":\"10\",\"groups\":[\"/b\",\"h:/\"]}", "default:/b/node_10 h:/node_10 ");
	assert_int_equal(stat_number(f, "/b/node_10", "tasks"), 2);
	assert_int_equal(stat_number(f, "h:/node_10", "tasks"), 2);
	fails(f, "{\"pid\":\"10\",\"groups\":[\"/a\",\"/b\"]}", "EINVAL");
	fails(f, "{\"pid\":\"10\",\"groups\":[\"/nosuch\"]}", "ENOENT");
	fails(f, "{\"pid\":\"10\",\"groups\":[\"/a\"],\"subsystem\":\"xa\"}", "EINVAL");
	/* The second cannot be made: nor is the first. */
	json_decref(fake_parameters(method_call(f, "MakeGroups", "{\"groups\":[\"h:/node_20\"]}")));
	fails(f, "{\"pid\":\"20\",\"groups\":[\"/b\",\"h:/\"]}", "EEXIST");
	method_assert_groups(f, "{\"group\":\"/b\"}", "/b/node_10 ");
}

/* CLONE-2: where the subsystem is; nowhere, and no error, if that is not mounted. */
static void by_subsystem(void **state)
{
	struct method_fixture *f = begin(state);

	fails(f, "{\"pid\":\"10\",\"subsystem\":\"nosuch\"}", "ENOENT");
	makes(f, "{\"pid\":\"10\",\"subsystem\":\"xs\"}", "default:/a/node_10 ");
	method_all(f, "Attach", "{\"groups\":[\"/\"],\"pids\":[\"10\"]}");
	method_all(f, "RemoveGroups", "{\"groups\":[\"/a\",\"/b\"],\"recursive\":true}");
	mount(f, "h", "xa");
	makes(f, "{\"pid\":\"10\",\"subsystem\":\"xa\"}", "h:/node_10 ");
	json_decref(fake_parameters(method_call(f, "Unmount", "{\"name\":\"h\"}")));
	makes(f, "{\"pid\":\"20\",\"subsystem\":\"xa\"}", "");
	makes(f, "{\"pid\":\"99\",\"subsystem\":\"xa\"}", "");
}

static void nothing_stays_of_a_failure(void **state)
{
	struct method_fixture *f = begin(state);
	struct grp_caller *caller = &f->fake->agent.server->connections->caller;

	fails(f, "{\"pid\":\"99\"}", "ESRCH");
	fails(f, "{\"pid\":\"x\"}", "EINVAL");
	method_all(f, "MakeGroups", "{\"groups\":[\"/a/node_10\"]}");
	fails(f, "{\"pid\":\"10\"}", "EEXIST");
	method_all(f, "RemoveGroups", "{\"groups\":[\"/a/node_10\"]}");
	write_file(f, "/", "xb.create_error", "EDOM");
	fails(f, "{\"pid\":\"10\"}", "EDOM");
	write_file(f, "/", "xb.create_error", "0");
	/* Making is allowed, moving somebody else's task is not. */
	fake_task_find(f->fake->kernel, 10)->uid = 7;
	caller->uid = caller->gid = 5;
	fails(f, "{\"pid\":\"10\"}", "EACCES");
	/* And in its parent not even making. */
	fails(f, "{\"pid\":\"20\"}", "EACCES");
	caller->uid = caller->gid = 0;
	method_assert_groups(f, "{\"group\":\"/a\"}", "");
	assert_int_equal(stat_number(f, "/a", "tasks"), 2);
	/* One thread is denied when the other has moved: it comes back. */
	fake_task_find(f->fake->kernel, 10)->uid = fake_task_find(f->fake->kernel, 10)->suid = 5;
	caller->uid = caller->gid = 5;
	fails(f, "{\"pid\":\"10\"}", "EACCES");
	caller->uid = caller->gid = 0;
	method_assert_groups(f, "{\"group\":\"/a\"}", "");
	assert_int_equal(stat_number(f, "/a", "tasks"), 2);
}

/* Process 10 cannot be moved for as many passes as one try has; then it is in /b. */
struct race {
	unsigned int passes;
	uint16_t to;
};

#define PASSES_OF_A_TRY 16

static void move_away(struct fake_kernel *fake, struct race *race)
{
	for (uint32_t tid = 10; tid <= 11; tid++) {
		struct fake_task *task = fake_task_find(fake, tid);

		task->state = GRP_STATE_ALIVE;
		fake->counts[task->set].members--;
		fake->counts[task->set].chargers--;
		fake->counts[race->to].members++;
		fake->counts[race->to].chargers++;
		task->set = race->to;
	}
}

static void before_pass(struct fake_kernel *fake, enum grp_pass kind, void *data)
{
	struct race *race = data;

	if (kind == GRP_PASS_MOVE && race->passes < PASSES_OF_A_TRY) {
		race->passes++;
		for (uint32_t tid = 10; tid <= 11; tid++)
			fake_task_find(fake, tid)->state = GRP_STATE_UNCLAIMED;
	} else if (kind == GRP_PASS_LIST && race->passes == PASSES_OF_A_TRY) {
		race->passes++;
		move_away(fake, race);
	}
}

/* CLONE-3, RACE-9: it starts anew there, and what was made goes. */
static void moved_meanwhile(void **state)
{
	struct method_fixture *f = begin(state);
	struct race race = { 0 };

	method_all(f, "Attach", "{\"groups\":[\"/b\"],\"pids\":[\"20\"]}");
	race.to = fake_task_find(f->fake->kernel, 20)->set;
	f->fake->kernel->before_pass = before_pass;
	f->fake->kernel->before_pass_data = &race;
	makes(f, "{\"pid\":\"10\"}", "default:/b/node_10 ");
	f->fake->kernel->before_pass = NULL;
	assert_int_equal(race.passes, PASSES_OF_A_TRY + 1);
	method_assert_groups(f, "{\"group\":\"/a\"}", "");
	assert_int_equal(stat_number(f, "/b/node_10", "tasks"), 2);
	assert_int_equal(stat_number(f, "/b", "tasks"), 1);
}

/* The client does not wait for the end: nothing stays. */
static void the_client_hangs_up(void **state)
{
	struct method_fixture *f = begin(state);
	static const char call[] =
		"{\"method\":\"org.grpagent.Clone\",\"parameters\":{\"pid\":\"10\"}}";
	struct race race = { 0 };
	struct fake_client other;

	f->fake->kernel->before_pass = before_pass;
	f->fake->kernel->before_pass_data = &race;
	fake_client_open(f->fake, &other);
	json_decref(fake_parameters(fake_client_call(&other, "Ping", NULL)));
	f->fake->agent.server->connections->caller.uid = 0;
	f->fake->agent.server->connections->prev->caller.uid = 0;
	fake_client_send(&other, call, sizeof(call));
	while (race.passes < PASSES_OF_A_TRY)
		fake_agent_idle(f->fake);
	fake_client_close(&other);
	fake_agent_idle(f->fake);
	f->fake->kernel->before_pass = NULL;
	method_assert_groups(f, "{\"group\":\"/a\"}", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		METHOD_TEST(a_child_of_the_present_group),
		METHOD_TEST(of_groups_that_are_named),
		METHOD_TEST(by_subsystem),
		METHOD_TEST(nothing_stays_of_a_failure),
		METHOD_TEST(moved_meanwhile),
		METHOD_TEST(the_client_hangs_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
