/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For tests of /metrics over HTTP: a server with a made-up snapshot, and clients that are
 * sockets of this process, served between turns of the loop.
 */
#ifndef GRP_TEST_HTTP_HELP_H
#define GRP_TEST_HTTP_HELP_H

#include <stdbool.h>
#include <stddef.h>
#include <systemd/sd-event.h>

#include "front/http.h"

struct http_fixture {
	sd_event *event;
	struct grp_http *http;
	size_t n_groups; /* of the next snapshot */
	unsigned int taken;
	unsigned int pieces; /* that a snapshot is taken in, besides the last */
	unsigned int left; /* of the one under way */
	int more; /* what a piece that is not the last says */
	int fail_with; /* 0: a snapshot can be taken */
};

/* A client and what it has got so far. */
struct http_client {
	int fd;
	char *text;
	size_t len, allocated;
	bool ended;
};

#define GET(path) "GET " path " HTTP/1.1\r\nHost: x\r\n\r\n"
#define STATUS_200 "HTTP/1.1 200 OK\r\n"
#define STATUS_503 "HTTP/1.1 503 "

int http_setup(void **state);
int http_teardown(void **state);
/* As struct grp_http_options has it. */
int http_take(void *data, struct grp_metrics **ret_metrics);

struct http_client open_client(struct http_fixture *fixture, const char *request);
void close_client(struct http_client *client);
/* What is there of the answer. */
void receive(struct http_client *client);
/* Turns of the loop until the answers are whole. Return: number of turns. */
unsigned int serve(struct http_fixture *fixture, struct http_client *clients, size_t n);
/* One request and its answer; the client is to be closed. */
struct http_client ask(struct http_fixture *fixture, const char *request);
/* The body of a whole answer that came in chunks; owned by the caller. */
char *body_of(const struct http_client *client);
void assert_begins(const char *text, const char *begin);

#endif
