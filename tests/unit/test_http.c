/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * /metrics over HTTP with a made-up snapshot: answers, limits, sharing, and that
 * the loop goes on while somebody does not read. Clients are sockets of this
 * process, served between turns of the loop.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-event.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/address.h"
#include "base/cleanup.h"
#include "front/http.h"

/* As in http.c: requests that wait or are being sent. */
#define SCRAPES_MAX 8
/* A document that no socket buffer takes whole. */
#define MANY_GROUPS 20000
#define DEADLINE_S 60

struct fixture {
	sd_event *event;
	struct grp_http *http;
	size_t n_groups; /* of the next snapshot */
	unsigned int taken;
	unsigned int pieces; /* that a snapshot is taken in, besides the last */
	unsigned int left; /* of the one under way */
	int fail_with; /* 0: a snapshot can be taken */
};

/* A client and what it has got so far. */
struct client {
	int fd;
	char *text;
	size_t len, allocated;
	bool ended;
};

static int take(void *data, struct grp_metrics **ret_metrics)
{
	struct fixture *fixture = data;
	struct grp_metrics *metrics;

	if (fixture->left == 0) {
		fixture->taken++;
		fixture->left = fixture->pieces + 1;
	}
	if (--fixture->left)
		return 1;
	if (fixture->fail_with)
		return fixture->fail_with;
	metrics = calloc(1, sizeof(*metrics));
	assert_non_null(metrics);
	metrics->n_groups = fixture->n_groups;
	metrics->groups = calloc(fixture->n_groups, sizeof(*metrics->groups));
	assert_non_null(metrics->groups);
	for (size_t i = 0; i < fixture->n_groups; i++) {
		metrics->groups[i].hierarchy = strdup("default");
		metrics->groups[i].path = strdup("/group");
		metrics->groups[i].tasks = fixture->taken;
	}
	*ret_metrics = metrics;
	return 0;
}

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	struct grp_error error;

	assert_non_null(fixture);
	fixture->n_groups = 1;
	assert_true(sd_event_new(&fixture->event) >= 0);
	assert_int_equal(grp_http_new(&(struct grp_http_options){ .event = fixture->event,
								  .address = "127.0.0.1:0",
								  .take = take,
								  .data = fixture },
				      &error, &fixture->http),
			 0);
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	grp_http_free(fixture->http);
	sd_event_unref(fixture->event);
	free(fixture);
	return 0;
}

static struct client open_client(struct fixture *fixture, const char *request)
{
	struct client client = { .fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) };
	struct sockaddr_storage address;
	socklen_t len;

	assert_true(client.fd >= 0);
	assert_int_equal(grp_address_parse(grp_http_address(fixture->http), &address, &len), 0);
	assert_int_equal(connect(client.fd, (const struct sockaddr *)&address, len), 0);
	assert_int_equal(send(client.fd, request, strlen(request), 0), strlen(request));
	return client;
}

static void close_client(struct client *client)
{
	(void)close(client->fd);
	free(client->text);
}

static void receive(struct client *client)
{
	char bytes[65536];
	ssize_t n = recv(client->fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	if (n < 0) {
		assert_true(errno == EAGAIN || errno == ECONNRESET);
		client->ended = errno == ECONNRESET;
		return;
	}
	client->ended = n == 0;
	if (client->len + (size_t)n >= client->allocated) {
		client->allocated = 2 * client->allocated + sizeof(bytes) + 1;
		client->text = realloc(client->text, client->allocated);
		assert_non_null(client->text);
	}
	memcpy(client->text + client->len, bytes, (size_t)n);
	client->len += (size_t)n;
	client->text[client->len] = '\0';
}

/* Turns of the loop until the answers are whole. Return: number of turns. */
static unsigned int serve(struct fixture *fixture, struct client *clients, size_t n)
{
	time_t end = time(NULL) + DEADLINE_S;
	unsigned int turns = 0;

	for (size_t done = 0; done < n; turns++) {
		assert_true(time(NULL) < end);
		assert_true(sd_event_run(fixture->event, 1000) >= 0);
		done = 0;
		for (size_t i = 0; i < n; i++) {
			if (!clients[i].ended)
				receive(&clients[i]);
			done += clients[i].ended;
		}
	}
	return turns;
}

/* One request and its answer; the client is to be closed. */
static struct client ask(struct fixture *fixture, const char *request)
{
	struct client client = open_client(fixture, request);

	(void)serve(fixture, &client, 1);
	assert_non_null(client.text);
	return client;
}

static void assert_begins(const char *text, const char *begin)
{
	if (strncmp(text, begin, strlen(begin)))
		fail_msg("expected %s, got %s", begin, text);
}

#define GET(path) "GET " path " HTTP/1.1\r\nHost: x\r\n\r\n"
#define STATUS_200 "HTTP/1.1 200 OK\r\n"
#define STATUS_503 "HTTP/1.1 503 "

static void test_get(void **state)
{
	struct client client = ask(*state, GET("/metrics"));
	struct fixture *fixture = *state;

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
	struct client client = ask(*state, GET("/metrics?name=x"));

	assert_begins(client.text, STATUS_200);
	close_client(&client);
}

static void test_openmetrics_when_asked_for(void **state)
{
	struct client client = ask(*state,
				   "GET /metrics HTTP/1.1\r\nHost: x\r\nAccept: "
				   "application/openmetrics-text; version=1.0.0,*/*;q=0.1\r\n\r\n");

	assert_non_null(strstr(client.text,
			       "\r\nContent-Type: application/openmetrics-text; version=1.0.0;"));
	assert_string_equal(client.text + client.len - strlen("\n# EOF\n"), "\n# EOF\n");
	close_client(&client);
}

static void test_head(void **state)
{
	struct client client = ask(*state, "HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n");

	assert_begins(client.text, STATUS_200);
	assert_non_null(strstr(client.text, "\r\nContent-Length: "));
	assert_string_equal(client.text + client.len - 4, "\r\n\r\n");
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
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		struct client client = ask(fixture, refusals[i].request);

		assert_begins(client.text, refusals[i].status);
		assert_non_null(strstr(client.text, refusals[i].header));
		close_client(&client);
	}
	assert_int_equal(fixture->taken, 0);
}

static void test_get_with_body(void **state)
{
	struct client client = ask(*state, "GET /metrics HTTP/1.1\r\nHost: x\r\n"
					   "Content-Length: 3\r\n\r\nabc");

	assert_begins(client.text, STATUS_200);
	close_client(&client);
}

static void test_half_request_stops_nobody(void **state)
{
	struct client half = open_client(*state, "GET /metrics HTTP/1.1\r\nHo");
	struct client client = ask(*state, GET("/metrics"));

	assert_begins(client.text, STATUS_200);
	close_client(&client);
	close_client(&half);
}

/* A client that keeps saying a little is cut off all the same. */
static void test_lifetime(void **state)
{
	struct fixture *fixture = *state;
	struct client client;
	struct grp_http_options options = {
		.event = fixture->event,
		.address = "127.0.0.1:0",
		.take = take,
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

static void test_failed_snapshot(void **state)
{
	struct fixture *fixture = *state;
	struct client client;

	fixture->fail_with = -ENOMEM;
	client = ask(fixture, GET("/metrics"));
	assert_begins(client.text, "HTTP/1.1 500 ");
	close_client(&client);
	fixture->fail_with = 0;
	client = ask(fixture, GET("/metrics"));
	assert_begins(client.text, STATUS_200);
	close_client(&client);
}

/* Until a snapshot is under way. */
static void until_taking(struct fixture *fixture)
{
	unsigned int turns = 0;

	while (!fixture->left) {
		assert_true(turns++ < 1000);
		assert_true(sd_event_run(fixture->event, 1000000) >= 0);
	}
}

/*
 * A snapshot of so many pieces that it takes several turns. Who asks in the middle of it gets
 * the next one, which has nothing older than the request; who has asked before gets this one.
 */
static void test_snapshot_in_pieces(void **state)
{
	struct client clients[2];
	struct fixture *fixture = *state;

	fixture->pieces = 1000000;
	clients[0] = open_client(fixture, GET("/metrics"));
	until_taking(fixture);
	assert_int_equal(fixture->taken, 1);
	clients[1] = open_client(fixture, GET("/metrics"));
	/* The loop comes round meanwhile. */
	assert_true(serve(fixture, clients, 2) > 3);
	assert_non_null(strstr(clients[0].text, "group=\"/group\"} 1\n"));
	assert_non_null(strstr(clients[1].text, "group=\"/group\"} 2\n"));
	assert_int_equal(fixture->taken, 2);
	for (size_t i = 0; i < 2; i++)
		close_client(&clients[i]);
}

/* One that is under way when the end comes is dropped, and who waits for it is told. */
static void test_end_in_the_midst_of_a_snapshot(void **state)
{
	struct fixture *fixture = *state;
	struct client client = open_client(fixture, GET("/metrics"));

	fixture->pieces = 1000000;
	until_taking(fixture);
	grp_http_free(fixture->http);
	fixture->http = NULL;
	(void)serve(fixture, &client, 1);
	assert_begins(client.text, STATUS_503);
	close_client(&client);
}

/* Both forms are shown from one snapshot if they are asked for together. */
static void test_sharing(void **state)
{
	struct client clients[SCRAPES_MAX];
	struct fixture *fixture = *state;

	for (size_t i = 0; i < SCRAPES_MAX; i++)
		clients[i] = open_client(fixture,
					 i % 2 ? GET("/metrics") :
						 "GET /metrics HTTP/1.1\r\nHost: x\r\n"
						 "Accept: application/openmetrics-text\r\n\r\n");
	(void)serve(fixture, clients, SCRAPES_MAX);
	for (size_t i = 0; i < SCRAPES_MAX; i++) {
		assert_begins(clients[i].text, STATUS_200);
		close_client(&clients[i]);
	}
	assert_true(fixture->taken < SCRAPES_MAX);
}

/* Who does not read keeps a place, and only that; who comes when none is left is told so. */
static void test_slow_readers(void **state)
{
	struct client clients[SCRAPES_MAX], late;
	struct fixture *fixture = *state;
	unsigned int turns = 0;

	fixture->n_groups = MANY_GROUPS;
	for (size_t i = 0; i < SCRAPES_MAX - 1; i++)
		clients[i] = open_client(fixture, GET("/metrics"));
	clients[SCRAPES_MAX - 1] = ask(fixture, GET("/metrics"));
	assert_begins(clients[SCRAPES_MAX - 1].text, STATUS_200);
	close_client(&clients[SCRAPES_MAX - 1]);

	clients[SCRAPES_MAX - 1] = open_client(fixture, GET("/metrics"));
	while (sd_event_run(fixture->event, 0) > 0)
		assert_true(turns++ < 1000000);
	late = ask(fixture, GET("/metrics"));
	assert_begins(late.text, STATUS_503);
	close_client(&late);

	(void)serve(fixture, clients, SCRAPES_MAX);
	for (size_t i = 0; i < SCRAPES_MAX; i++) {
		assert_begins(clients[i].text, STATUS_200);
		close_client(&clients[i]);
	}
}

/* Somebody else's events are served between the slices of a large document. */
static void test_slices(void **state)
{
	struct client client, other;
	struct fixture *fixture = *state;

	fixture->n_groups = MANY_GROUPS;
	client = open_client(fixture, GET("/metrics"));
	while (!fixture->taken)
		assert_true(sd_event_run(fixture->event, 1000) >= 0);
	other = ask(fixture, GET("/"));
	assert_begins(other.text, "HTTP/1.1 404 ");
	receive(&client);
	assert_int_equal(client.len, 0); /* not whole yet */
	(void)serve(fixture, &client, 1);
	assert_begins(client.text, STATUS_200);
	close_client(&other);
	close_client(&client);
}

/* Nothing is left to do when everybody is answered: no turn without a reason. */
static void test_idle(void **state)
{
	struct client client = ask(*state, GET("/metrics"));
	struct fixture *fixture = *state;
	unsigned int turns = 0;

	close_client(&client);
	while (sd_event_run(fixture->event, 100000) > 0)
		assert_true(turns++ < 10);
}

static void test_ends_while_somebody_waits(void **state)
{
	struct fixture *fixture = *state;
	struct client clients[2];

	fixture->n_groups = MANY_GROUPS;
	clients[0] = open_client(fixture, GET("/metrics"));
	while (!fixture->taken)
		assert_true(sd_event_run(fixture->event, 1000) >= 0);
	clients[1] = open_client(fixture, GET("/metrics"));
	assert_true(sd_event_run(fixture->event, 1000) >= 0);
	grp_http_free(fixture->http);
	fixture->http = NULL;
	for (size_t i = 0; i < 2; i++)
		close_client(&clients[i]);
}

static void test_address_in_use(void **state)
{
	struct fixture *fixture = *state;
	struct grp_http *http = NULL;
	struct grp_error error = { 0 };
	const struct grp_http_options options = {
		.event = fixture->event,
		.address = grp_http_address(fixture->http),
		.take = take,
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
		cmocka_unit_test_setup_teardown(test_get, setup, teardown),
		cmocka_unit_test_setup_teardown(test_query_is_ignored, setup, teardown),
		cmocka_unit_test_setup_teardown(test_openmetrics_when_asked_for, setup, teardown),
		cmocka_unit_test_setup_teardown(test_head, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refusals, setup, teardown),
		cmocka_unit_test_setup_teardown(test_get_with_body, setup, teardown),
		cmocka_unit_test_setup_teardown(test_half_request_stops_nobody, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lifetime, setup, teardown),
		cmocka_unit_test_setup_teardown(test_failed_snapshot, setup, teardown),
		cmocka_unit_test_setup_teardown(test_snapshot_in_pieces, setup, teardown),
		cmocka_unit_test_setup_teardown(test_end_in_the_midst_of_a_snapshot, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_sharing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_slow_readers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_slices, setup, teardown),
		cmocka_unit_test_setup_teardown(test_idle, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ends_while_somebody_waits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_address_in_use, setup, teardown),
	};

	return cmocka_run_group_tests_name("http", tests, NULL, NULL);
}
