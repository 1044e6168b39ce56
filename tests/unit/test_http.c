/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * /metrics over HTTP with a made-up snapshot: requests, answers and limits. See
 * test_http_scrape.c for the snapshots.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <cmocka.h>

#include "base/cleanup.h"
#include "http_help.h"

/* As in http.c. */
#define CONNECTIONS_MAX 32

static void test_get(void **state)
{
	struct http_client client = ask(*state, GET("/metrics"));
	struct http_fixture *fixture = *state;

	assert_begins(client.text, STATUS_200);
	assert_non_null(strstr(client.text, "\r\nContent-Type: text/plain; version=0.0.4;"));
	assert_non_null(strstr(client.text, "\r\nConnection: close\r\n"));
	assert_non_null(strstr(client.text,
			       "\ntaskgroup_tasks{hierarchy=\"default\",group=\"/group\"} 1\n"));
	assert_int_equal(fixture->taken, 1);
	close_client(&client);
}

static void test_query_is_ignored(void **state)
{
	struct http_client client = ask(*state, GET("/metrics?name=x"));

	assert_begins(client.text, STATUS_200);
	close_client(&client);
}

static void test_openmetrics_when_asked_for(void **state)
{
	struct http_client client =
		ask(*state, "GET /metrics HTTP/1.1\r\nHost: x\r\nAccept: "
			    "application/openmetrics-text; version=1.0.0,*/*;q=0.1\r\n\r\n");
	_cleanup_free_ char *body = NULL;

	assert_non_null(strstr(client.text,
			       "\r\nContent-Type: application/openmetrics-text; version=1.0.0;"));
	body = body_of(&client);
	assert_string_equal(body + strlen(body) - strlen("\n# EOF\n"), "\n# EOF\n");
	close_client(&client);
}

static void test_head(void **state)
{
	struct http_client client = ask(*state, "HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n");

	assert_begins(client.text, STATUS_200);
	assert_non_null(strstr(client.text, "\r\nContent-Type: text/plain; version=0.0.4;"));
	assert_string_equal(strstr(client.text, "\r\n\r\n"), "\r\n\r\n");
	close_client(&client);
}

/* It knows no chunks: the answer ends with the connection. */
static void test_http_1_0(void **state)
{
	struct http_client client = ask(*state, "GET /metrics HTTP/1.0\r\n\r\n");
	const char *last = "taskgroup_tasks{hierarchy=\"default\",group=\"/group\"} 1\n";

	assert_begins(client.text, STATUS_200);
	assert_null(strstr(client.text, "chunked"));
	assert_begins(strstr(client.text, "\r\n\r\n"), "\r\n\r\n# HELP ");
	assert_non_null(strstr(client.text, last));
	assert_int_equal(client.text[client.len - 1], '\n');
	close_client(&client);
}

struct refusal {
	const char *request, *status, *header;
};

static void test_refusals(void **state)
{
	static const struct refusal refusals[] = {
		{ GET("/"), "HTTP/1.1 404 ", "\r\n" },
		{ GET("/metrics/"), "HTTP/1.1 404 ", "\r\n" },
		{ GET("/metricsfoo"), "HTTP/1.1 404 ", "\r\n" },
		{ "POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc",
		  "HTTP/1.1 405 ", "\r\nAllow: GET, HEAD\r\n" },
		{ "DELETE /metrics HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 405 ",
		  "\r\nAllow: GET, HEAD\r\n" },
	};
	struct http_fixture *fixture = *state;

	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		struct http_client client = ask(fixture, refusals[i].request);

		assert_begins(client.text, refusals[i].status);
		assert_non_null(strstr(client.text, refusals[i].header));
		close_client(&client);
	}
	assert_int_equal(fixture->taken, 0);
}

static void test_get_with_body(void **state)
{
	struct http_client client = ask(*state, "GET /metrics HTTP/1.1\r\nHost: x\r\n"
						"Content-Length: 3\r\n\r\nabc");

	assert_begins(client.text, STATUS_200);
	close_client(&client);
}

static void test_half_request_stops_nobody(void **state)
{
	struct http_client half = open_client(*state, "GET /metrics HTTP/1.1\r\nHo");
	struct http_client client = ask(*state, GET("/metrics"));

	assert_begins(client.text, STATUS_200);
	close_client(&client);
	close_client(&half);
}

/* A client that keeps saying a little is cut off all the same. */
static void test_lifetime(void **state)
{
	struct http_fixture *fixture = *state;
	struct http_client client;
	struct grp_http_options options = {
		.event = fixture->event,
		.address = "127.0.0.1:0",
		.take = http_take,
		.data = fixture,
		.lifetime_ms = 300,
	};

	grp_http_free(fixture->http);
	assert_int_equal(grp_http_new(&options, NULL, &fixture->http), 0);
	client = open_client(fixture, "GET /metrics HTTP/1.1\r\nX: ");
	while (!client.ended) {
		(void)send(client.fd, "x", 1, MSG_NOSIGNAL);
		assert_true(sd_event_run(fixture->event, 20000) >= 0);
		receive(&client);
	}
	close_client(&client);
}

/*
 * While there are as many connections as may be, the library does not listen; it begins again
 * at its next run. When all of them ended in one run, nothing led to another.
 */
static void test_all_end_at_once(void **state)
{
	struct http_client clients[CONNECTIONS_MAX], late;
	struct http_fixture *fixture = *state;

	for (size_t i = 0; i < CONNECTIONS_MAX; i++)
		clients[i] = open_client(fixture, "GET /metrics HT");
	while (sd_event_run(fixture->event, 100000) > 0)
		;
	for (size_t i = 0; i < CONNECTIONS_MAX; i++)
		close_client(&clients[i]);
	late = ask(fixture, GET("/metrics"));
	assert_begins(late.text, STATUS_200);
	close_client(&late);
}

static void test_address_in_use(void **state)
{
	struct http_fixture *fixture = *state;
	struct grp_http *http = NULL;
	struct grp_error error = { 0 };
	const struct grp_http_options options = {
		.event = fixture->event,
		.address = grp_http_address(fixture->http),
		.take = http_take,
		.data = fixture,
	};

	assert_int_not_equal(grp_http_port(fixture->http), 0);
	assert_int_equal(grp_http_new(&options, &error, &http), -EADDRINUSE);
	assert_null(http);
	assert_non_null(strstr(error.message, grp_http_address(fixture->http)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_get, http_setup, http_teardown),
		cmocka_unit_test_setup_teardown(test_query_is_ignored, http_setup, http_teardown),
		cmocka_unit_test_setup_teardown(test_openmetrics_when_asked_for, http_setup,
						http_teardown),
		cmocka_unit_test_setup_teardown(test_head, http_setup, http_teardown),
		cmocka_unit_test_setup_teardown(test_http_1_0, http_setup, http_teardown),
		cmocka_unit_test_setup_teardown(test_refusals, http_setup, http_teardown),
		cmocka_unit_test_setup_teardown(test_get_with_body, http_setup, http_teardown),
		cmocka_unit_test_setup_teardown(test_half_request_stops_nobody, http_setup,
						http_teardown),
		cmocka_unit_test_setup_teardown(test_lifetime, http_setup, http_teardown),
		cmocka_unit_test_setup_teardown(test_all_end_at_once, http_setup, http_teardown),
		cmocka_unit_test_setup_teardown(test_address_in_use, http_setup, http_teardown),
	};

	return cmocka_run_group_tests_name("http", tests, NULL, NULL);
}
