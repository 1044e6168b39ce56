/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Changes are made all or none: whichever update of the store fails, everything is
 * as before; wherever the agent is killed, the next one can do the rest.
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
#include "configuration_help.h"
#include "core/release.h"
#include "front/connection.h"

#define UPDATES_MAX 500

static const char before[] = CONFIGURATION(
	"{'name': 'default', 'groups': [{'path': '/', 'owner': 4, 'files': {'tasks': {'owner': 0},"
	" 'cgroup.procs': {'owner': 0}}}, {'path': '/a', 'owner': 7,"
	" 'settings': {'cgroup.max.descendants': '0'}, 'files': {'tasks': {'mode': '0600'}}}]},"
	"{'name': 'empty', 'subsystems': ['xs'], 'release_agent': '/bin/old', 'groups': ["
	" {'path': '/'}]},"
	"{'name': 'h', 'subsystems': ['cpuacct', 'xs'], 'groups': [{'path': '/', 'mode': '0750',"
	" 'settings': {'notify_on_release': '1', 'xs.setting': '4'}}, {'path': '/a'}]}");

/* Something of every kind. */
static const char after[] = CONFIGURATION(
	"{'name': 'default', 'groups': [{'path': '/', 'settings': {'auto_delete': '1'}},"
	" {'path': '/a', 'file_owner': 8, 'settings': {'cgroup.max.descendants': '0',"
	" 'cgroup.max.depth': '0'}, 'files': {'cgroup.procs': {'owner': 9}}},"
	" {'path': '/a/b', 'owner': 3, 'mode': '0700'}]},"
	"{'name': 'empty', 'subsystems': ['cpuacct'], 'release_agent': '/bin/new', 'groups': ["
	" {'path': '/', 'settings': {'cpuacct_enabled': '0'}}, {'path': '/x'}, {'path': '/x/y'}]},"
	"{'name': 'h', 'subsystems': ['cpuacct', 'xs'], 'groups': [{'path': '/', 'group': 6},"
	" {'path': '/a', 'settings': {'xs.inherited': '3'}}, {'path': '/b'},"
	" {'path': '/b/c', 'settings': {'notify_on_release': '1'}}]},"
	"{'name': 'new', 'subsystems': ['xs'], 'release_agent': '/bin/sh', 'groups': ["
	" {'path': '/', 'owner': 5, 'settings': {'xs.setting': '9'}},"
	" {'path': '/a', 'files': {'xs.setting': {'mode': '0666'}}}]}");

/* The agent is killed and started again. */
static void restart(struct method_fixture *f)
{
	struct fake_kernel *kernel = f->fake->kernel;
	struct grp_core **core = &f->fake->agent.core;

	grp_core_free(*core);
	kernel->updates_left = -1;
	kernel->fail_at = 0;
	kernel->n_graces = 0; /* whoever waited for them is gone */
	assert_int_equal(grp_core_new(&fake_kernel_ops, kernel, &kernel->view, core), 0);
	assert_int_equal(grp_core_load(*core, NULL), 0);
}

static json_t *saved(struct method_fixture *f)
{
	return method_get(f, "GetConfiguration", "{}", "configuration");
}

static void assert_saved(struct method_fixture *f, const char *text)
{
	_cleanup_json_ json_t *is = saved(f), *expected = configuration_parse(text);

	configuration_equal(is, expected);
}

/* Whether it was applied; if not, that it failed by the store, and where. */
static bool apply(struct method_fixture *f, const char *text, const char *end)
{
	_cleanup_json_ json_t *answer = configuration_call(f, "ApplyConfiguration", text);
	const json_t *failed = json_object_get(answer, "parameters");
	const char *message;

	if (!json_object_get(answer, "error"))
		return true;
	message = method_text(failed, "message");
	assert_string_equal(method_text(failed, "errno"), "ECANCELED");
	assert_int_equal(strncmp(message, "hierarchies[", 12), 0);
	assert_non_null(strstr(message, end));
	return false;
}

static void test_one_fails(void **state)
{
	struct method_fixture *f = *state;
	struct fake_kernel *kernel = f->fake->kernel;
	unsigned int n = 1;
	bool done = false;

	configuration_applied(f, before);
	assert_saved(f, before);
	for (; !done && n < UPDATES_MAX; n++) {
		kernel->fail_at = kernel->updates + n;
		done = apply(f, after, "");
		kernel->fail_at = 0;
		assert_saved(f, done ? after : before);
		assert_false(grp_release_waits(f->fake->agent.core, GRP_RELEASE_REMOVE));
		restart(f);
		assert_saved(f, done ? after : before);
	}
	assert_true(n > 30 && n < UPDATES_MAX);
}

static void test_killed(void **state)
{
	struct method_fixture *f = *state;
	unsigned int n = 1;
	bool done = false;

	for (; !done && n < UPDATES_MAX; n++) {
		configuration_applied(f, before);
		f->fake->kernel->updates_left = n;
		done = apply(f, after, "");
		restart(f);
		configuration_applied(f, after);
		assert_saved(f, after);
		method_all(f, "RemoveGroups",
			   "{\"groups\":[\"/a/b\",\"empty:/x\",\"h:/b\",\"new:/a\"],"
			   "\"recursive\":true}");
		json_decref(method_call(f, "Unmount", "{\"name\":\"new\"}"));
		configuration_applied(f, before);
		assert_saved(f, before);
	}
	assert_true(n > 30 && n < UPDATES_MAX);
}

/* When not even that works, it is said. */
static void test_cannot_undo(void **state)
{
	struct method_fixture *f = *state;

	configuration_applied(f, before);
	f->fake->kernel->updates_left = 5;
	assert_false(apply(f, after, "could not be undone"));
	f->fake->kernel->updates_left = -1;
}

/* A group that waits for its first task is not released by what was taken back. */
static void test_marks(void **state)
{
	static const char child[] = CONFIGURATION(
		"{'name': 'default', 'groups': [{'path': '/p/c'}, {'path': '/p/c/d'}]}");
	struct method_fixture *f = *state;
	struct fake_kernel *kernel = f->fake->kernel;
	unsigned int n = 1;

	configuration_applied(f, CONFIGURATION("{'name': 'default', 'groups': [{'path': '/p', "
					       "'settings': {'auto_delete': '1'}}]}"));
	for (;; n++) {
		kernel->fail_at = kernel->updates + n;
		if (apply(f, child, ""))
			break;
		assert_false(grp_release_waits(f->fake->agent.core, GRP_RELEASE_REMOVE));
		restart(f);
		assert_false(grp_release_waits(f->fake->agent.core, GRP_RELEASE_REMOVE));
		method_assert_groups(f, "{\"group\":\"/\",\"recursive\":true}", "/ /p ");
	}
	assert_true(n > 2);
}

/* Others than root can neither read it nor change anything. */
static void test_rights(void **state)
{
	static const char *const methods[] = { "GetConfiguration", "CompareConfiguration",
					       "ApplyConfiguration" };
	struct method_fixture *f = *state;
	unsigned long updates = f->fake->kernel->updates;

	f->fake->agent.server->connections->caller.uid = 1000;
	for (size_t i = 0; i < sizeof(methods) / sizeof(*methods); i++) {
		json_t *parameters =
			i ? json_pack("{s:o}", "configuration", configuration_parse(after)) : NULL;

		assert_true(fake_is_failed(fake_client_call(&f->client, methods[i], parameters),
					   "EPERM"));
	}
	assert_int_equal(f->fake->kernel->updates, updates);
}

/* A class of changes that has to be fast: the whole agent waits for it. */
static void test_many(void **state)
{
	struct method_fixture *f = *state;
	_cleanup_json_ json_t *wish = configuration_of_groups(1000);
	_cleanup_free_ char *text = json_dumps(wish, 0);
	unsigned long updates = f->fake->kernel->updates;

	configuration_applied(f, text);
	/* A group is one update when all is as preset. */
	assert_true(f->fake->kernel->updates - updates < 1100);
	configuration_same(f, text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CONFIGURATION_TEST(test_one_fails),   CONFIGURATION_TEST(test_killed),
		CONFIGURATION_TEST(test_cannot_undo), CONFIGURATION_TEST(test_marks),
		CONFIGURATION_TEST(test_rights),      CONFIGURATION_TEST(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
