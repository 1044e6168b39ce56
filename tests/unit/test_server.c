/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The socket: hostile and clumsy clients, order, and that the others are served
 * meanwhile. Limits are in test_server_limits.c, methods in test_methods.c.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/cleanup_json.h"
#include "bystander.h"
#include "fake_agent.h"
#include "front/connection.h"
#include "front/server.h"

#define CONNECTIONS 8
#define STREAMS 4

#define ROWS(table) (sizeof(table) / sizeof(*(table)))

static int setup(void **state)
{
	*state = fake_agent_new(CONNECTIONS, STREAMS);
	return 0;
}

static int teardown(void **state)
{
	fake_agent_free(*state);
	return 0;
}

static unsigned int connections(const struct fake_agent *fake)
{
	struct grp_server_figures figures;

	grp_server_figures(fake->agent.server, &figures);
	return figures.connections;
}

/* Whether the agent still answers somebody new. */
static void assert_served(struct fake_agent *fake)
{
	struct fake_client client;

	fake_client_open(fake, &client);
	json_decref(fake_parameters(fake_client_call(&client, "Ping", NULL)));
	fake_client_close(&client);
	fake_agent_idle(fake);
}

static void test_ping(void **state)
{
	struct fake_agent *fake = *state;
	_cleanup_json_ json_t *reply = NULL;
	struct fake_client client;
	char path[128];
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s/%s", fake->dir, GRP_SOCKET_NAME);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0666);
	fake_client_open(fake, &client);
	reply = fake_parameters(fake_client_call(&client, "Ping", NULL));
	assert_string_equal(json_string_value(json_object_get(reply, "instance")), "unit");
	assert_string_equal(json_string_value(json_object_get(reply, "version")), GRP_VERSION);
	assert_int_equal(connections(fake), 1);
	fake_client_close(&client);
	fake_agent_idle(fake);
	assert_int_equal(connections(fake), 0);
}

static void test_introspection(void **state)
{
	struct fake_client client;
	_cleanup_json_ json_t *info = NULL, *ours = NULL;

	fake_client_open(*state, &client);
	fake_client_send_text(&client, "{\"method\":\"org.varlink.service.GetInfo\"}");
	info = fake_parameters(fake_client_receive(&client));
	assert_int_equal(json_array_size(json_object_get(info, "interfaces")), 2);
	fake_client_send_text(&client,
			      "{\"method\":\"org.varlink.service.GetInterfaceDescription\","
			      "\"parameters\":{\"interface\":\"org.grpagent\"}}");
	ours = fake_parameters(fake_client_receive(&client));
	assert_non_null(strstr(json_string_value(json_object_get(ours, "description")),
			       "interface org.grpagent\n"));
	fake_client_send_text(&client,
			      "{\"method\":\"org.varlink.service.GetInterfaceDescription\","
			      "\"parameters\":{\"interface\":\"org.none\"}}");
	assert_true(fake_is_error(fake_client_receive(&client), GRP_WIRE_ERROR_NO_INTERFACE));
	fake_client_send_text(&client,
			      "{\"method\":\"org.varlink.service.GetInterfaceDescription\"}");
	assert_true(fake_is_error(fake_client_receive(&client), GRP_WIRE_ERROR_PARAMETER));
	fake_client_close(&client);
}

/* Errors that leave the connection as it was. */
static void test_wrong_calls(void **state)
{
	static const struct {
		const char *text, *error, *key, *value;
	} rows[] = {
		{ "{\"method\":\"org.grpagent.Nothing\"}", GRP_WIRE_ERROR_NO_METHOD, "method",
		  "org.grpagent.Nothing" },
		{ "{\"method\":\"org.varlink.service.Nothing\"}", GRP_WIRE_ERROR_NO_METHOD,
		  "method", "org.varlink.service.Nothing" },
		{ "{\"method\":\"org.none.Ping\"}", GRP_WIRE_ERROR_NO_INTERFACE, "interface",
		  "org.none" },
		{ "{\"method\":\"Ping\"}", GRP_WIRE_ERROR_NO_METHOD, "method", "Ping" },
		{ "{\"method\":\"\"}", GRP_WIRE_ERROR_NO_METHOD, "method", "" },
		{ "{\"method\":\"org.grpagent.Ping\",\"upgrade\":true}",
		  GRP_WIRE_ERROR_NOT_IMPLEMENTED, "method", "org.grpagent.Ping" },
		{ "{\"method\":\"org.grpagent.Ping\",\"parameters\":{\"x\":1}}",
		  GRP_WIRE_ERROR_PARAMETER, "parameter", "x" },
		{ "{\"method\":\"org.grpagent.StatGroup\"}", GRP_WIRE_ERROR_PARAMETER, "parameter",
		  "group" },
		{ "{\"method\":\"org.grpagent.StatGroup\",\"parameters\":{\"group\":7}}",
		  GRP_WIRE_ERROR_PARAMETER, "parameter", "group" },
		{ "{\"method\":\"org.grpagent.StatGroup\",\"parameters\":{\"group\":null}}",
		  GRP_WIRE_ERROR_PARAMETER, "parameter", "group" },
		{ "{\"method\":\"org.grpagent.MakeGroups\",\"parameters\":{\"groups\":[\"/a\",1]}}",
		  GRP_WIRE_ERROR_PARAMETER, "parameter", "groups" },
		{ "{\"method\":\"org.grpagent.MakeGroups\",\"parameters\":{\"groups\":\"/a\"}}",
		  GRP_WIRE_ERROR_PARAMETER, "parameter", "groups" },
		{ "{\"method\":\"org.grpagent.MakeGroups\",\"parameters\":"
		  "{\"groups\":[],\"mode\":4096}}",
		  GRP_WIRE_ERROR_PARAMETER, "parameter", "mode" },
		{ "{\"method\":\"org.grpagent.MakeGroups\",\"parameters\":"
		  "{\"groups\":[],\"mode\":9223372036854775807}}",
		  GRP_WIRE_ERROR_PARAMETER, "parameter", "mode" },
		{ "{\"method\":\"org.grpagent.MakeGroups\",\"parameters\":"
		  "{\"groups\":[],\"mode\":1.5}}",
		  GRP_WIRE_ERROR_PARAMETER, "parameter", "mode" },
		{ "{\"method\":\"org.grpagent.MakeGroups\",\"parameters\":"
		  "{\"groups\":[],\"parents\":1}}",
		  GRP_WIRE_ERROR_PARAMETER, "parameter", "parents" },
		{ "{\"method\":\"org.grpagent.Kill\",\"parameters\":"
		  "{\"group\":\"/\",\"signal\":-1}}",
		  GRP_WIRE_ERROR_PARAMETER, "parameter", "signal" },
	};
	struct fake_client client;

	fake_client_open(*state, &client);
	for (size_t i = 0; i < ROWS(rows); i++) {
		_cleanup_json_ json_t *answer = NULL;
		const json_t *parameters;

		fake_client_send_text(&client, rows[i].text);
		answer = fake_client_receive(&client);
		parameters = json_object_get(answer, "parameters");
		assert_true(fake_is_error(json_incref(answer), rows[i].error));
		assert_string_equal(json_string_value(json_object_get(parameters, rows[i].key)),
				    rows[i].value);
	}
	json_decref(fake_parameters(fake_client_call(&client, "Ping", NULL)));
	fake_client_close(&client);
}

/* A method name longer than any interface of ours. */
static void test_long_method(void **state)
{
	char text[5000] = "{\"method\":\"";
	struct fake_client client;

	memset(text + strlen(text), 'a', 4000);
	memcpy(text + strlen(text), ".b\"}", 5);
	fake_client_open(*state, &client);
	fake_client_send_text(&client, text);
	assert_true(fake_is_error(fake_client_receive(&client), GRP_WIRE_ERROR_NO_METHOD));
	fake_client_close(&client);
}

/* Not a call: an answer if possible, then the end. */
static void test_malformed(void **state)
{
	static const char *const rows[] = {
		"",
		"[]",
		"null",
		"{}",
		"GET / HTTP/1.1",
		"{\"method\":1}",
		"{\"method\":\"\xff\"}",
		"{\"method\":",
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct fake_client client;

		fake_client_open(*state, &client);
		fake_client_send_text(&client, rows[i]);
		fake_client_send_text(&client, "{\"method\":\"org.grpagent.Ping\"}");
		assert_true(fake_is_failed(fake_client_receive(&client), "EBADMSG"));
		assert_null(fake_client_receive(&client));
		fake_client_close(&client);
		assert_served(*state);
	}
	assert_int_equal(connections(*state), 0);
}

static void test_nested(void **state)
{
	const size_t size = 1000000;
	_cleanup_free_ char *text = malloc(size + 1);
	struct fake_client client;

	memset(text, '[', size);
	text[size] = '\0';
	fake_client_open(*state, &client);
	fake_client_send(&client, text, size + 1);
	assert_true(fake_is_failed(fake_client_receive(&client), "EBADMSG"));
	assert_null(fake_client_receive(&client));
	fake_client_close(&client);
	assert_served(*state);
}

static void test_endless(void **state)
{
	const size_t size = 2 * GRP_WIRE_CALL_MAX;
	_cleanup_free_ char *text = malloc(size);
	struct fake_client client;

	memset(text, '{', size);
	fake_client_open(*state, &client);
	fake_client_send(&client, text, size);
	assert_true(fake_is_failed(fake_client_receive(&client), "EMSGSIZE"));
	assert_null(fake_client_receive(&client));
	fake_client_close(&client);
	assert_served(*state);
}

/* Half a request holds nobody up; when its client goes, so does the half. */
static void test_half(void **state)
{
	struct fake_client half;

	fake_client_open(*state, &half);
	fake_client_send(&half, "{\"method\":\"org", 14);
	assert_served(*state);
	assert_int_equal(connections(*state), 1);
	assert_int_equal(shutdown(half.fd, SHUT_WR), 0);
	assert_null(fake_client_receive(&half));
	fake_client_close(&half);
	assert_int_equal(connections(*state), 0);
}

static void test_pipelined(void **state)
{
	const unsigned int n = 100; /* what a socket takes without being read */
	struct fake_client client;

	fake_client_open(*state, &client);
	for (unsigned int i = 0; i < n; i++) {
		fake_client_send_text(&client, "{\"method\":\"org.grpagent.Ping\"}");
		fake_client_send_text(&client, "{\"method\":\"org.none.X\"}");
	}
	for (unsigned int i = 0; i < n; i++) {
		json_decref(fake_parameters(fake_client_receive(&client)));
		assert_true(
			fake_is_error(fake_client_receive(&client), GRP_WIRE_ERROR_NO_INTERFACE));
	}
	fake_client_close(&client);
}

/* The rest of a request may come later than what was read with the one before it, or never. */
static void test_one_and_a_half(void **state)
{
	static const char pings[] = "{\"method\":\"org.grpagent.Ping\"}\0"
				    "{\"method\":\"org.grpagent.Ping\"}";
	const size_t first = 3 * sizeof(pings) / 4;
	struct fake_client client;

	for (unsigned int comes = 0; comes < 2; comes++) {
		fake_client_open(*state, &client);
		fake_client_send(&client, pings, first);
		json_decref(fake_parameters(fake_client_receive(&client)));
		fake_agent_idle(*state);
		if (comes) {
			fake_client_send(&client, pings + first, sizeof(pings) - first);
			json_decref(fake_parameters(fake_client_receive(&client)));
		}
		assert_return_code(shutdown(client.fd, SHUT_WR), errno);
		assert_null(fake_client_receive(&client));
		fake_client_close(&client);
	}
}

/* Answers that have come since. */
static unsigned int count_answers(const struct fake_client *client)
{
	unsigned int n = 0;
	char bytes[4096];
	ssize_t len;

	while ((len = recv(client->fd, bytes, sizeof(bytes), 0)) > 0)
		for (ssize_t i = 0; i < len; i++)
			n += bytes[i] == '\0';
	return n;
}

/* Nobody waits until all that another one has sent at once is answered. */
static void test_others_meanwhile(void **state)
{
	static const char ping[] = "{\"method\":\"org.grpagent.Ping\"}";
	const unsigned int n = 100; /* what a socket takes */
	struct fake_agent *fake = *state;
	unsigned int answered = 0;
	struct fake_client client;

	fake_client_open(fake, &client);
	for (unsigned int i = 0; i < n; i++)
		assert_int_equal(send(client.fd, ping, sizeof(ping), 0), sizeof(ping));
	while (!answered) {
		assert_return_code(sd_event_run(fake->agent.event, 1000), 0);
		answered += count_answers(&client);
	}
	assert_in_range(bystander_wait(fake->agent.event), 1, BYSTANDER_TURNS);
	answered += count_answers(&client);
	assert_in_range(answered, 1, 1 + BYSTANDER_TURNS);
	fake_agent_idle(fake);
	assert_int_equal(answered + count_answers(&client), n);
	fake_client_close(&client);
}

/* Who has sent all and closed its half still gets every answer. */
static void test_half_closed(void **state)
{
	struct fake_client client;

	fake_client_open(*state, &client);
	for (unsigned int i = 0; i < 10; i++)
		fake_client_send_text(&client, "{\"method\":\"org.grpagent.Ping\"}");
	assert_int_equal(shutdown(client.fd, SHUT_WR), 0);
	for (unsigned int i = 0; i < 10; i++)
		json_decref(fake_parameters(fake_client_receive(&client)));
	assert_null(fake_client_receive(&client));
	fake_client_close(&client);
}

static void test_oneway(void **state)
{
	struct fake_agent *fake = *state;
	struct fake_client client;

	fake_client_open(fake, &client);
	json_decref(fake_parameters(fake_client_call(&client, "Ping", NULL)));
	fake->agent.server->connections->caller.uid = 0;
	fake_client_send_text(&client, "{\"method\":\"org.grpagent.Ping\",\"oneway\":true}");
	fake_client_send_text(&client, "{\"method\":\"org.none.X\",\"oneway\":true}");
	fake_client_send_text(&client, "{\"method\":\"org.grpagent.MakeGroups\",\"oneway\":true,"
				       "\"parameters\":{\"groups\":[\"/a\",\"/b\"]}}");
	/* The answer that comes is that of the call that wants one. */
	json_decref(fake_parameters(fake_client_call(&client, "Ping", NULL)));
	fake_client_send_text(&client, "{\"method\":\"org.grpagent.MakeGroups\",\"oneway\":true,"
				       "\"parameters\":{\"groups\":[\"/c\"]}}");
	/* Also when nobody is there any more. */
	fake_client_close(&client);
	fake_agent_idle(fake);
	assert_int_equal(connections(fake), 0);
	assert_non_null(grp_group_child(
		fake->agent.core, grp_hierarchy_find(fake->agent.core, "default")->root, "c"));
	assert_non_null(grp_group_child(
		fake->agent.core, grp_hierarchy_find(fake->agent.core, "default")->root, "a"));
}

/* One who takes nothing stops itself only, and costs one reply of memory. */
static void test_never_reads(void **state)
{
	static const char text[] = "{\"method\":\"org.varlink.service.GetInterfaceDescription\","
				   "\"parameters\":{\"interface\":\"org.grpagent\"}}";
	struct fake_client client;
	size_t sent = 0;

	fake_client_open(*state, &client);
	for (unsigned int quiet = 0; quiet < 20; quiet++) {
		while (send(client.fd, text, sizeof(text), MSG_NOSIGNAL) == sizeof(text)) {
			sent += sizeof(text);
			quiet = 0;
		}
		assert_true(sent < 4 * GRP_WIRE_CALL_MAX);
		fake_agent_idle(*state);
		assert_served(*state);
	}
	assert_int_equal(connections(*state), 1);
	fake_client_close(&client);
	fake_agent_idle(*state);
	assert_int_equal(connections(*state), 0);
}

static void test_starting(void **state)
{
	struct fake_agent *fake = *state;
	struct fake_client client;

	fake->agent.ready = false;
	fake_client_open(fake, &client);
	json_decref(fake_parameters(fake_client_call(&client, "Ping", NULL)));
	assert_true(fake_is_error(fake_client_call(&client, "ListHierarchies", NULL),
				  GRP_WIRE_ERROR_STARTING));
	fake_client_send_text(&client, "{\"method\":\"org.varlink.service.GetInfo\"}");
	json_decref(fake_parameters(fake_client_receive(&client)));
	fake->agent.ready = true;
	json_decref(fake_parameters(fake_client_call(&client, "ListHierarchies", NULL)));
	fake_client_close(&client);
}

/* Random bytes, random pieces: no crash, and others are served. */
static void test_noise(void **state)
{
	static const char *const words[] = {
		"{",	       "}",
		"\"method\":", "\"org.grpagent.Ping\"",
		",",	       "\"parameters\":",
		"[",	       "]",
		"null",	       "1e9",
		"\"",	       "\\u0000",
		"\xff",	       "true",
		"\"oneway\":", " ",
	};
	char text[600];

	srand(7);
	for (unsigned int i = 0; i < 300; i++) {
		struct fake_client client;
		size_t n = 0;

		fake_client_open(*state, &client);
		for (unsigned int k = 0; k < 20; k++) {
			const char *word = words[(size_t)rand() % ROWS(words)];

			if (rand() % 6 == 0)
				text[n++] = '\0';
			memcpy(text + n, word, strlen(word));
			n += strlen(word);
		}
		fake_client_send(&client, text, n);
		(void)sd_event_run(client.fake->agent.event, 0);
		fake_client_close(&client);
		fake_agent_idle(*state);
	}
	assert_served(*state);
	assert_int_equal(connections(*state), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_ping),	   TEST(test_introspection),
		TEST(test_wrong_calls),	   TEST(test_long_method),
		TEST(test_malformed),	   TEST(test_nested),
		TEST(test_endless),	   TEST(test_half),
		TEST(test_pipelined),	   TEST(test_others_meanwhile),
		TEST(test_one_and_a_half), TEST(test_half_closed),
		TEST(test_oneway),	   TEST(test_never_reads),

		TEST(test_starting),

		TEST(test_noise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
