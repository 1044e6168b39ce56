/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Watch: what a watcher gets and when, what he must not see, and what becomes of
 * one who does not read. The core is real, the kernel in memory; operations are
 * done on the core itself where the loop must not run meanwhile.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup_json.h"
#include "core/event.h"
#include "front/connection.h"
#include "front/introspect.h"
#include "front/watch.h"
#include "method_help.h"

#define STRANGER 12345

static const struct grp_caller root = { .pid = 4711 };

static struct grp_group *find(struct method_fixture *f, const char *spec)
{
	struct grp_group *group = NULL;

	assert_int_equal(grp_group_find(f->fake->agent.core, spec, NULL, &group), 0);
	return group;
}

static void make(struct method_fixture *f, const char *parent, const char *name)
{
	assert_int_equal(grp_group_make(f->fake->agent.core, find(f, parent), name, 0755, &root,
					NULL, NULL),
			 0);
}

static void destroy(struct method_fixture *f, const char *spec)
{
	assert_int_equal(grp_group_remove(f->fake->agent.core, find(f, spec), &root, NULL), 0);
}

static void send_watch(struct fake_client *client, const char *parameters)
{
	char text[256];

	(void)snprintf(text, sizeof(text),
		       "{\"method\":\"org.grpagent.Watch\",\"parameters\":%s,\"more\":true}",
		       parameters);
	fake_client_send_text(client, text);
}

/* A watcher who knows that he is one; its user is uid 0, or another. */
static void watch_as(struct method_fixture *f, struct fake_client *client, uid_t uid,
		     const char *parameters)
{
	_cleanup_json_ json_t *reply = NULL;

	fake_client_open(f->fake, client);
	json_decref(fake_parameters(fake_client_call(client, "Ping", NULL)));
	/* The newest connection is the last of the list. */
	f->fake->agent.server->connections->prev->caller.uid = uid;
	send_watch(client, parameters);
	reply = fake_client_receive(client);
	assert_true(json_is_true(json_object_get(reply, "continues")));
	assert_null(json_object_get(json_object_get(reply, "parameters"), "event"));
}

/* The next event; new reference. */
static json_t *next_event(struct fake_client *client)
{
	_cleanup_json_ json_t *reply = fake_client_receive(client);
	json_t *event = json_object_get(json_object_get(reply, "parameters"), "event");

	assert_true(json_is_true(json_object_get(reply, "continues")));
	assert_non_null(event);
	return json_incref(event);
}

static uint64_t expect(struct fake_client *client, const char *kind, const char *group)
{
	_cleanup_json_ json_t *event = next_event(client);
	const char *got = json_string_value(json_object_get(event, "group"));

	if (strcmp(method_text(event, "event"), kind) || !got || strcmp(got, group))
		fail_msg("not %s %s: %s", kind, group, json_dumps(event, 0));
	assert_true(method_number(event, "time_ns") > 0);
	return method_number(event, "seq");
}

static uint64_t expect_lost(struct fake_client *client, json_int_t count)
{
	_cleanup_json_ json_t *event = next_event(client);

	assert_string_equal(method_text(event, "event"), "lost");
	assert_int_equal(method_number(event, "count"), count);
	assert_int_equal(json_object_size(event), 4);
	return method_number(event, "seq");
}

/* Whether bytes are there already, without a round of the loop. */
static bool has_bytes(const struct fake_client *client)
{
	char byte;

	return recv(client->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 1;
}

static void assert_silent(struct method_fixture *f, const struct fake_client *client)
{
	fake_agent_idle(f->fake);
	assert_false(has_bytes(client));
	assert_int_equal(client->reader.start, client->reader.end);
}

static struct grp_watch_figures figures(const struct method_fixture *f)
{
	struct grp_watch_figures ret;

	grp_watch_figures(f->fake->agent.server->watch, &ret);
	return ret;
}

/* --- the declared type and the table say the same ------------------------------------- */

static void test_type(void **state)
{
	const char *source = grp_introspect_interface(GRP_WIRE_INTERFACE);
	const char *begin = strstr(source, "\ntype Event ("), *end = strchr(begin, ')');
	char field[64];
	const char *at;

	for (unsigned int kind = 0; kind < GRP_WATCH_MAX; kind++)
		for (const struct grp_watch_member *m = grp_watch_rows[kind].members; m && m->name;
		     m++) {
			(void)snprintf(field, sizeof(field), "\n  %s: ?%s", m->name,
				       m->type == GRP_WATCH_NUMBER ? "int" : "string");
			at = strstr(begin, field);
			if (!at || at > end)
				fail_msg("Event has no%s", field);
		}
}

/* --- what a watcher sees ---------------------------------------------------------------- */

static void test_before_the_reply(void **state)
{
	struct method_fixture *f = *state;
	struct fake_client watcher;
	_cleanup_json_ json_t *event = NULL;
	uint64_t seq;

	method_be_root(f);
	assert_false(grp_watched(f->fake->agent.core));
	watch_as(f, &watcher, 0, "{}");
	method_all(f, "MakeGroups", "{\"groups\":[\"/a\",\"/a/b\"]}");
	assert_true(has_bytes(&watcher));
	seq = expect(&watcher, "mkdir", "/a");
	assert_int_equal(expect(&watcher, "mkdir", "/a/b"), seq + 1);
	json_decref(fake_parameters(
		method_call(f, "RenameGroup", "{\"from\":\"/a/b\",\"to\":\"/a/c\"}")));
	assert_true(has_bytes(&watcher));
	event = next_event(&watcher);
	assert_string_equal(method_text(event, "event"), "mv");
	assert_string_equal(method_text(event, "hierarchy"), "default");
	assert_string_equal(method_text(event, "from"), "/a/b");
	assert_int_equal(method_number(event, "seq"), seq + 2);
	assert_int_equal(method_number(event, "uid"), 0);
	assert_true(method_number(event, "pid") > 0);
	method_one_fails(f, "RemoveGroups", "{\"groups\":[\"/a\"]}", "/a", "EBUSY");
	assert_silent(f, &watcher);
	fake_client_close(&watcher);
	fake_agent_idle(f->fake);
	assert_int_equal(figures(f).watchers, 0);
	assert_false(grp_watched(f->fake->agent.core));
}

static void test_empty(void **state)
{
	struct method_fixture *f = *state;
	struct fake_client watcher;

	method_be_root(f);
	make(f, "/", "a");
	fake_task_fork(f->fake->kernel, 0, 10, 10);
	fake_task_fork(f->fake->kernel, 0, 11, 11);
	watch_as(f, &watcher, 0, "{}");
	json_decref(fake_parameters(
		method_call(f, "Attach", "{\"groups\":[\"/a\"],\"pids\":[\"10\"]}")));
	expect(&watcher, "attach", "/a");
	fake_task_exit(f->fake->kernel, 10);
	fake_agent_events(f->fake);
	expect(&watcher, "empty", "/a");
	fake_client_close(&watcher);
}

static void test_subtree(void **state)
{
	struct method_fixture *f = *state;
	struct fake_client watcher, other;
	_cleanup_json_ json_t *end = NULL, *ping = NULL;

	method_be_root(f);
	make(f, "/", "a");
	watch_as(f, &watcher, 0, "{\"group\":\"/a\"}");
	watch_as(f, &other, 0, "{\"group\":\"/\"}");
	make(f, "/", "b");
	make(f, "/a", "c");
	expect(&watcher, "mkdir", "/a/c");
	destroy(f, "/a/c");
	destroy(f, "/a");
	expect(&watcher, "rmdir", "/a/c");
	expect(&watcher, "rmdir", "/a");
	/* There is nothing more to come: the connection is free for other calls. */
	end = fake_client_receive(&watcher);
	assert_null(json_object_get(end, "continues"));
	assert_null(json_object_get(end, "error"));
	assert_null(json_object_get(json_object_get(end, "parameters"), "event"));
	ping = fake_parameters(fake_client_call(&watcher, "Ping", NULL));
	assert_int_equal(figures(f).watchers, 1);
	expect(&other, "mkdir", "/b");
	expect(&other, "mkdir", "/a/c");
	fake_client_close(&watcher);
	fake_client_close(&other);
}

/* Rights are those at the time of the event, of the group and all above it. */
static void test_rights(void **state)
{
	struct method_fixture *f = *state;
	struct fake_client watcher, refused;
	_cleanup_json_ json_t *event = NULL;

	method_be_root(f);
	make(f, "/", "open");
	make(f, "/", "closed");
	fake_task_fork(f->fake->kernel, 0, 10, 10);
	fake_task_fork(f->fake->kernel, 0, 11, 11);
	find(f, "/closed")->inode.mode = 0700;
	watch_as(f, &watcher, STRANGER, "{}");
	fake_client_open(f->fake, &refused);
	json_decref(fake_parameters(fake_client_call(&refused, "Ping", NULL)));
	f->fake->agent.server->connections->prev->caller.uid = STRANGER;
	send_watch(&refused, "{\"group\":\"/closed\"}");
	assert_true(fake_is_failed(fake_client_receive(&refused), "EACCES"));
	make(f, "/closed", "x");
	destroy(f, "/closed/x");
	json_decref(fake_parameters(
		method_call(f, "Attach", "{\"groups\":[\"/closed\"],\"pids\":[\"10\"]}")));
	assert_silent(f, &watcher);
	/* Where to is seen, not where from. */
	json_decref(fake_parameters(
		method_call(f, "Attach", "{\"groups\":[\"/open\"],\"pids\":[\"10\"]}")));
	event = next_event(&watcher);
	assert_string_equal(method_text(event, "group"), "/open");
	assert_int_equal(method_number(event, "moved"), 1);
	assert_null(json_object_get(event, "from"));
	find(f, "/closed")->inode.mode = 0711;
	make(f, "/closed", "y");
	expect(&watcher, "mkdir", "/closed/y");
	fake_client_close(&watcher);
	fake_client_close(&refused);
}

/* --- who does not read --------------------------------------------------------------------- */

static void make_many(struct method_fixture *f, unsigned int from, unsigned int to)
{
	char name[16];

	for (; from < to; from++) {
		(void)snprintf(name, sizeof(name), "g%u", from);
		make(f, "/", name);
	}
}

static void test_overflow(void **state)
{
	struct method_fixture *f = *state;
	struct fake_client watcher, filtered;
	uint64_t first, lost;

	method_be_root(f);
	make(f, "/", "a");
	watch_as(f, &watcher, 0, "{}");
	watch_as(f, &filtered, 0, "{\"group\":\"/a\"}");
	/* Between rounds of the loop nobody can read: 8 events are kept. */
	make(f, "/a", "x");
	make_many(f, 0, 100);
	lost = expect_lost(&watcher, 101 - FAKE_WATCH_BACKLOG);
	first = expect(&watcher, "mkdir", "/g92");
	assert_int_equal(first, lost + 1);
	for (unsigned int i = 93; i < 100; i++) {
		char path[16];

		(void)snprintf(path, sizeof(path), "/g%u", i);
		assert_int_equal(expect(&watcher, "mkdir", path), ++first);
	}
	/* Only what was for it. */
	expect_lost(&filtered, 1);
	assert_int_equal(figures(f).lost, 101 - FAKE_WATCH_BACKLOG + 1);
	/* It goes on. */
	make(f, "/a", "y");
	assert_int_equal(expect(&watcher, "mkdir", "/a/y"), first + 1);
	expect(&filtered, "mkdir", "/a/y");
	fake_client_close(&watcher);
	fake_client_close(&filtered);
}

/*
 * A socket that is full: the reader is behind by what it holds and no more is kept.
 * All that happened is either told or counted, in order.
 */
static void test_slow_reader(void **state)
{
	struct method_fixture *f = *state;
	const int small = 1;
	struct fake_client watcher;
	uint64_t seen = 0, last = 0, total = 0;

	method_be_root(f);
	watch_as(f, &watcher, 0, "{}");
	assert_int_equal(setsockopt(f->fake->agent.server->connections->prev->fd, SOL_SOCKET,
				    SO_SNDBUF, &small, sizeof(small)),
			 0);
	for (; total < 500; total++) {
		make(f, "/", "a");
		destroy(f, "/a");
		fake_agent_idle(f->fake);
	}
	assert_true(figures(f).lost > 0);
	assert_true(f->fake->agent.server->connections->prev->user->unsent_bytes < 100000);
	/* Others are served. */
	json_decref(fake_parameters(method_call(f, "Ping", "{}")));
	while (seen < 2 * total) {
		_cleanup_json_ json_t *event = next_event(&watcher);

		assert_true((uint64_t)method_number(event, "seq") > last);
		last = method_number(event, "seq");
		seen += strcmp(method_text(event, "event"), "lost") ? 1 :
								      method_number(event, "count");
	}
	assert_int_equal(seen, 2 * total);
	assert_silent(f, &watcher);
	fake_client_close(&watcher);
}

/* Long paths: the ring is bounded in bytes as well. */
static void test_long_paths(void **state)
{
	struct method_fixture *f = *state;
	char name[251], path[GRP_PATH_MAX] = "/";
	struct fake_client watcher;
	unsigned int n = 16;
	size_t length;

	memset(name, 'n', sizeof(name));
	name[250] = '\0';
	method_be_root(f);
	watch_as(f, &watcher, 0, "{}");
	for (unsigned int i = 0; i < n; i++) {
		make(f, path, name);
		length = strlen(path);
		snprintf(path + length, sizeof(path) - length, "%s%s", i ? "/" : "", name);
	}
	/* 8 KiB hold the last two of 4 KB, not more. */
	expect_lost(&watcher, n - 2);
	json_decref(next_event(&watcher));
	json_decref(next_event(&watcher));
	assert_silent(f, &watcher);
	fake_client_close(&watcher);
}

/* --- limits ----------------------------------------------------------------------------------- */

static void test_limits(void **state)
{
	struct method_fixture *f = *state;
	struct fake_client watchers[9], more;

	method_be_root(f);
	assert_true(fake_is_error(method_call(f, "Watch", "{}"), GRP_WIRE_ERROR_EXPECTED_MORE));
	for (unsigned int i = 0; i < 8; i++)
		watch_as(f, &watchers[i], geteuid(), "{}");
	fake_client_open(f->fake, &more);
	send_watch(&more, "{}");
	assert_true(fake_is_failed(fake_client_receive(&more), "EUSERS"));
	/* The bit of one who has gone is another's, with nothing left in it. */
	make(f, "/", "a");
	fake_client_close(&watchers[3]);
	fake_agent_idle(f->fake);
	watch_as(f, &watchers[3], geteuid(), "{}");
	make(f, "/", "b");
	expect(&watchers[3], "mkdir", "/b");
	for (unsigned int i = 0; i < 8; i++)
		fake_client_close(&watchers[i]);
	fake_client_close(&more);
	fake_agent_idle(f->fake);
	assert_int_equal(figures(f).watchers, 0);
}

static void test_group_is_checked(void **state)
{
	struct method_fixture *f = *state;
	struct fake_client client;

	fake_client_open(f->fake, &client);
	send_watch(&client, "{\"group\":\"/nosuch\"}");
	assert_true(fake_is_failed(fake_client_receive(&client), "ENOENT"));
	send_watch(&client, "{\"group\":\"nosuch\"}");
	assert_true(fake_is_failed(fake_client_receive(&client), "EINVAL"));
	fake_client_close(&client);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_type),   METHOD_TEST(test_before_the_reply),
		METHOD_TEST(test_empty),       METHOD_TEST(test_subtree),
		METHOD_TEST(test_rights),      METHOD_TEST(test_overflow),
		METHOD_TEST(test_slow_reader), METHOD_TEST(test_long_paths),
		METHOD_TEST(test_limits),      METHOD_TEST(test_group_is_checked),
	};

	return cmocka_run_group_tests_name("watch", tests, NULL, NULL);
}
