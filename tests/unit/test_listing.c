/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Groups and tasks told in pieces: more than one piece has, in order, each with what is below it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "base/cleanup_json.h"
#include "bystander.h"
#include "method_help.h"

#define GROUPS 25U
#define MANY 20000

/* Names that differ in their first bytes, behind them, and in how long they are. */
static void test_order(void **state)
{
	struct method_fixture *f = *state;

	method_be_root(f);
	method_all(f, "MakeGroups",
		   "{\"groups\":[\"/x\",\"/x/same-prefix-b\",\"/x/same-prefix-a\",\"/x/b\","
		   "\"/x/same-pre\",\"/x/same-pref\",\"/x/\\\\xff\",\"/x/A\",\"/x/ab\"]}");
	method_assert_groups(f, "{\"group\":\"/x\"}",
			     "/x/A /x/ab /x/b /x/same-pre /x/same-pref /x/same-prefix-a "
			     "/x/same-prefix-b /x/\\xff ");
}

static void test_pieces(void **state)
{
	struct method_fixture *f = *state;
	_cleanup_json_ json_t *usage = NULL;
	char text[100];

	method_be_root(f);
	for (unsigned int i = 0; i < GROUPS; i++) {
		(void)snprintf(text, sizeof(text), "{\"groups\":[\"/g%02u\"]}", i);
		method_all(f, "MakeGroups", text);
	}
	fake_task_fork(f->fake->kernel, 0, 50, 50);
	fake_task_fork(f->fake->kernel, 50, 51, 50);
	fake_task_fork(f->fake->kernel, 0, 60, 60);
	method_all(f, "Attach", "{\"groups\":[\"/g07\"],\"pids\":[\"50\",\"60\"]}");
	usage = method_get(f, "GetUsage", "{\"group\":\"/\",\"recursive\":true}", "usage");
	assert_int_equal(json_array_size(usage), GROUPS + 1);
	for (unsigned int i = 0; i < GROUPS; i++) {
		const json_t *row = json_array_get(usage, i + 1);

		(void)snprintf(text, sizeof(text), "/g%02u", i);
		assert_string_equal(method_text(row, "group"), text);
		assert_int_equal(method_number(row, "tasks"), i == 7 ? 3 : 0);
		assert_int_equal(method_number(row, "processes"), i == 7 ? 2 : 0);
	}
}

/* More tasks than others should wait for are not looked at in one piece. */
static void test_tasks_in_pieces(void **state)
{
	struct method_fixture *f = *state;
	_cleanup_json_ json_t *usage = NULL;
	unsigned int passes;

	method_be_root(f);
	method_all(f, "MakeGroups", "{\"groups\":[\"/g\"]}");
	fake_task_fork(f->fake->kernel, 0, 50, 50);
	method_all(f, "Attach", "{\"groups\":[\"/g\"],\"pids\":[\"50\"]}");
	for (unsigned int i = 1; i < 300; i++)
		fake_task_fork(f->fake->kernel, 50, 50 + i, 50);
	passes = f->fake->kernel->whole_passes;
	usage = method_get(f, "GetUsage", "{\"group\":\"/g\"}", "usage");
	assert_int_equal(method_number(json_array_get(usage, 0), "tasks"), 300);
	assert_int_equal(method_number(json_array_get(usage, 0), "processes"), 1);
	assert_int_equal(f->fake->kernel->whole_passes, passes);
}

/* Nor does anybody wait until it is whole. */
static void test_others_meanwhile(void **state)
{
	struct method_fixture *f = *state;
	char byte;

	method_be_root(f);
	fake_task_threads(f->fake->kernel, 1000, MANY);
	fake_client_send_text(&f->client, "{\"method\":\"org.grpagent.ListTasks\",\"parameters\":"
					  "{\"group\":\"/\"}}");
	while (!f->fake->kernel->passes[GRP_PASS_LIST])
		assert_return_code(sd_event_run(f->fake->agent.event, 1000), 0);
	assert_in_range(bystander_wait(f->fake->agent.event), 1, BYSTANDER_TURNS);
	assert_int_equal(recv(f->client.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT), -1);
	json_decref(fake_parameters(fake_client_receive(&f->client)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		METHOD_TEST(test_order),
		METHOD_TEST(test_pieces),
		METHOD_TEST(test_tasks_in_pieces),
		METHOD_TEST(test_others_meanwhile),
	};

	return cmocka_run_group_tests_name("listing", tests, NULL, NULL);
}
