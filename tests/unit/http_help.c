/* SPDX-License-Identifier: GPL-2.0-only */
#include "http_help.h"

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
#include "front/metrics.h"

#define DEADLINE_S 60

int http_take(void *data, struct grp_metrics **ret_metrics)
{
	struct http_fixture *fixture = data;
	struct grp_metrics *metrics;

	if (fixture->left == 0) {
		fixture->taken++;
		fixture->left = fixture->pieces + 1;
	}
	if (--fixture->left)
		return fixture->more;
	if (fixture->fail_with)
		return fixture->fail_with;
	metrics = calloc(1, sizeof(*metrics));
	assert_non_null(metrics);
	metrics->n_groups = fixture->n_groups;
	metrics->groups = calloc(fixture->n_groups, sizeof(*metrics->groups));
	assert_non_null(metrics->groups);
	for (size_t i = 0; i < fixture->n_groups; i++) {
		assert_int_equal(
			grp_metrics_labels("default", "/group", &metrics->groups[i].labels), 0);
		metrics->groups[i].tasks = fixture->taken;
	}
	*ret_metrics = metrics;
	return 0;
}

int http_setup(void **state)
{
	struct http_fixture *fixture = calloc(1, sizeof(*fixture));
	struct grp_error error;

	assert_non_null(fixture);
	fixture->n_groups = 1;
	fixture->more = 1;
	assert_true(sd_event_new(&fixture->event) >= 0);
	assert_int_equal(grp_http_new(&(struct grp_http_options){ .event = fixture->event,
								  .address = "127.0.0.1:0",
								  .take = http_take,
								  .data = fixture },
				      &error, &fixture->http),
			 0);
	*state = fixture;
	return 0;
}

int http_teardown(void **state)
{
	struct http_fixture *fixture = *state;

	grp_http_free(fixture->http);
	sd_event_unref(fixture->event);
	free(fixture);
	return 0;
}

struct http_client open_client(struct http_fixture *fixture, const char *request)
{
	struct http_client client = { .fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) };
	struct sockaddr_storage address;
	socklen_t len;

	assert_true(client.fd >= 0);
	assert_int_equal(grp_address_parse(grp_http_address(fixture->http), &address, &len), 0);
	assert_int_equal(connect(client.fd, (const struct sockaddr *)&address, len), 0);
	assert_int_equal(send(client.fd, request, strlen(request), 0), strlen(request));
	return client;
}

void close_client(struct http_client *client)
{
	(void)close(client->fd);
	free(client->text);
}

void receive(struct http_client *client)
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

unsigned int serve(struct http_fixture *fixture, struct http_client *clients, size_t n)
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

struct http_client ask(struct http_fixture *fixture, const char *request)
{
	struct http_client client = open_client(fixture, request);

	(void)serve(fixture, &client, 1);
	assert_non_null(client.text);
	return client;
}

char *body_of(const struct http_client *client)
{
	const char *at = strstr(client->text, "\r\n\r\n") + 4;
	char *body = calloc(1, client->len), *end;
	size_t len = 0, chunk;

	assert_non_null(body);
	assert_non_null(strstr(client->text, "\r\nTransfer-Encoding: chunked\r\n"));
	while ((chunk = strtoul(at, &end, 16))) {
		assert_memory_equal(end, "\r\n", 2);
		memcpy(body + len, end + 2, chunk);
		len += chunk;
		at = end + 2 + chunk + 2;
	}
	/* The end is said: an answer that was cut off is not taken for a whole one. */
	assert_string_equal(at, "0\r\n\r\n");
	return body;
}

void assert_begins(const char *text, const char *begin)
{
	if (strncmp(text, begin, strlen(begin)))
		fail_msg("expected %s, got %s", begin, text);
}
