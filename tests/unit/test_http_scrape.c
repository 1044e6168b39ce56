/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Snapshots behind /metrics: taken in pieces, shared, sent in pieces; and that the loop
 * goes on while somebody does not read.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/cleanup.h"
#include "bystander.h"
#include "front/http_stream.h"
#include "http_help.h"

/* As in http.c: requests that wait or are being sent. */
#define SCRAPES_MAX 8
/* As in http_stream.c; and the head of an answer or a chunk. */
#define TURN_BYTES (64 * 1024)
#define HEAD_BYTES 300
/* A document that no socket buffer takes whole. */
#define MANY_GROUPS 20000

static void test_failed_snapshot(void **state)
{
	struct http_fixture *fixture = *state;
	struct http_client client;

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
static void until_taking(struct http_fixture *fixture)
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
	struct http_client clients[2];
	struct http_fixture *fixture = *state;

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

/* Whoever shares the loop is not kept waiting for the end of it, nor of the text. */
static void test_others_have_their_turn(void **state)
{
	struct http_fixture *fixture = *state;
	struct http_client client = open_client(fixture, GET("/metrics"));

	fixture->pieces = 1000000;
	fixture->n_groups = MANY_GROUPS;
	until_taking(fixture);
	assert_in_range(bystander_wait(fixture->event), 1, BYSTANDER_TURNS);
	assert_int_not_equal(fixture->left, 0);
	while (!client.len) {
		assert_true(sd_event_run(fixture->event, 1000) >= 0);
		receive(&client);
	}
	assert_in_range(bystander_wait(fixture->event), 1, BYSTANDER_TURNS);
	(void)serve(fixture, &client, 1);
	close_client(&client);
}

/* A piece that takes long begins a turn of its own, however little time the one before took. */
static void test_long_pieces(void **state)
{
	struct http_fixture *fixture = *state;
	struct http_client client = open_client(fixture, GET("/metrics"));
	unsigned int left;

	fixture->more = 2;
	fixture->pieces = 50;
	until_taking(fixture);
	while (fixture->left) {
		left = fixture->left;
		assert_true(sd_event_run(fixture->event, 1000000) >= 0);
		assert_in_range(left - fixture->left, 0, 1);
	}
	(void)serve(fixture, &client, 1);
	assert_begins(client.text, STATUS_200);
	close_client(&client);
}

/* One that is under way when the end comes is dropped, and who waits for it is told. */
static void test_end_in_the_midst_of_a_snapshot(void **state)
{
	struct http_fixture *fixture = *state;
	struct http_client client = open_client(fixture, GET("/metrics"));

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
	struct http_client clients[SCRAPES_MAX];
	struct http_fixture *fixture = *state;

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
	struct http_client clients[SCRAPES_MAX], late;
	struct http_fixture *fixture = *state;
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

/* Somebody else is served while there is more of a document than its socket takes. */
static void test_others_meanwhile(void **state)
{
	struct http_client client, other;
	struct http_fixture *fixture = *state;

	fixture->n_groups = MANY_GROUPS;
	client = open_client(fixture, GET("/metrics"));
	while (!fixture->taken)
		assert_true(sd_event_run(fixture->event, 1000) >= 0);
	other = ask(fixture, GET("/"));
	assert_begins(other.text, "HTTP/1.1 404 ");
	(void)serve(fixture, &client, 1);
	assert_begins(client.text, STATUS_200);
	close_client(&other);
	close_client(&client);
}

static bool has_more(struct http_client *client)
{
	size_t len = client->len;

	if (!client->ended)
		receive(client);
	return client->len != len;
}

/*
 * A piece of a snapshot and what is sent to others would each fill a turn. They come in turns of
 * their own, and neither waits for the end of the other.
 */
static void test_take_and_send_alternate(void **state)
{
	struct http_client reader, other;
	struct http_fixture *fixture = *state;
	unsigned int took = 0, sent = 0;

	fixture->n_groups = MANY_GROUPS;
	reader = open_client(fixture, GET("/metrics"));
	while (!reader.len) {
		assert_true(sd_event_run(fixture->event, 1000) >= 0);
		receive(&reader);
	}
	fixture->pieces = 1000000;
	other = open_client(fixture, GET("/metrics"));
	until_taking(fixture);
	while (fixture->left && !reader.ended) {
		unsigned int left = fixture->left;
		bool takes, sends;

		while (has_more(&reader))
			;
		assert_true(sd_event_run(fixture->event, 1000000) >= 0);
		takes = fixture->left != left;
		sends = has_more(&reader);
		assert_false(takes && sends);
		took += takes;
		sent += sends;
	}
	assert_true(took > 1);
	assert_true(sent > 1);
	fixture->pieces = 0;
	fixture->left = fixture->left ? 1 : 0;
	(void)serve(fixture, &other, 1);
	close_client(&reader);
	close_client(&other);
}

/* What one turn makes and sends is bounded, however many there are to send to. */
static void test_pieces(void **state)
{
	struct http_client clients[SCRAPES_MAX];
	struct http_fixture *fixture = *state;
	size_t done = 0;

	fixture->n_groups = MANY_GROUPS;
	for (size_t i = 0; i < SCRAPES_MAX; i++)
		clients[i] = open_client(fixture, GET("/metrics"));
	while (done < SCRAPES_MAX) {
		size_t before = 0, after = 0;

		assert_true(sd_event_run(fixture->event, 1000000) >= 0);
		done = 0;
		for (size_t i = 0; i < SCRAPES_MAX; i++) {
			before += clients[i].len;
			receive(&clients[i]);
			after += clients[i].len;
			done += clients[i].ended;
		}
		assert_in_range(after - before, 0, TURN_BYTES + SCRAPES_MAX * HEAD_BYTES);
	}
	for (size_t i = 0; i < SCRAPES_MAX; i++) {
		free(body_of(&clients[i]));
		close_client(&clients[i]);
	}
}

/* What was sent is freed in pieces, however many have sent it. */
static void test_sweep(void **state)
{
	struct grp_http_streams streams = { 0 };
	struct http_fixture *fixture = *state;
	struct grp_metrics *metrics;
	unsigned int turns = 0;

	fixture->n_groups = MANY_GROUPS;
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(http_take(fixture, &metrics), 0);
		grp_http_snapshot_unref(grp_http_snapshot_new(&streams, metrics));
	}
	while (grp_http_streams_sweep(&streams))
		turns++;
	assert_in_range(turns, 2 * 10, 2 * MANY_GROUPS);
	assert_null(streams.unused);
}

/* H1: who asks while another is still being sent gets what is newer than his request. */
static void test_a_slow_reader_keeps_his_snapshot_to_himself(void **state)
{
	struct http_fixture *fixture = *state;
	struct http_client slow, other;
	_cleanup_free_ char *body = NULL;
	unsigned int turns = 0;

	fixture->n_groups = MANY_GROUPS;
	slow = open_client(fixture, GET("/metrics"));
	while (sd_event_run(fixture->event, 0) > 0)
		assert_true(turns++ < 1000000);
	fixture->n_groups = 1;
	other = ask(fixture, GET("/metrics"));
	assert_non_null(strstr(other.text, "group=\"/group\"} 2\n"));
	(void)serve(fixture, &slow, 1);
	body = body_of(&slow);
	assert_non_null(strstr(body, "group=\"/group\"} 1\n"));
	assert_null(strstr(body, "group=\"/group\"} 2\n"));
	close_client(&other);
	close_client(&slow);
}

/* Nothing is left to do when everybody is answered: no turn without a reason. */
static void test_idle(void **state)
{
	struct http_client client = ask(*state, GET("/metrics"));
	struct http_fixture *fixture = *state;
	unsigned int turns = 0;

	close_client(&client);
	while (sd_event_run(fixture->event, 100000) > 0)
		assert_true(turns++ < 10);
}

static void test_ends_while_somebody_waits(void **state)
{
	struct http_fixture *fixture = *state;
	struct http_client clients[2];

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_failed_snapshot, http_setup, http_teardown),
		cmocka_unit_test_setup_teardown(test_snapshot_in_pieces, http_setup, http_teardown),
		cmocka_unit_test_setup_teardown(test_others_have_their_turn, http_setup,
						http_teardown),
		cmocka_unit_test_setup_teardown(test_long_pieces, http_setup, http_teardown),
		cmocka_unit_test_setup_teardown(test_end_in_the_midst_of_a_snapshot, http_setup,
						http_teardown),
		cmocka_unit_test_setup_teardown(test_sharing, http_setup, http_teardown),
		cmocka_unit_test_setup_teardown(test_slow_readers, http_setup, http_teardown),
		cmocka_unit_test_setup_teardown(test_others_meanwhile, http_setup, http_teardown),
		cmocka_unit_test_setup_teardown(test_take_and_send_alternate, http_setup,
						http_teardown),
		cmocka_unit_test_setup_teardown(test_pieces, http_setup, http_teardown),
		cmocka_unit_test_setup_teardown(test_sweep, http_setup, http_teardown),
		cmocka_unit_test_setup_teardown(test_a_slow_reader_keeps_his_snapshot_to_himself,
						http_setup, http_teardown),
		cmocka_unit_test_setup_teardown(test_idle, http_setup, http_teardown),
		cmocka_unit_test_setup_teardown(test_ends_while_somebody_waits, http_setup,
						http_teardown),
	};

	return cmocka_run_group_tests_name("http_scrape", tests, NULL, NULL);
}
