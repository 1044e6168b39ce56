/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An agent without a kernel, see fake_agent.h.
 */
#include "fake_agent.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/cleanup_json.h"
#include "base/log.h"
#include "front/jobs.h"
#include "front/server.h"

#define DEADLINE_MS 10000
#define ROUND_USEC 1000

static uint64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

struct fake_agent *fake_agent_new(unsigned int connections, unsigned int streams)
{
	struct fake_agent *fake = calloc(1, sizeof(*fake));
	struct grp_agent *agent = &fake->agent;

	grp_log_set_level(LOG_EMERG);
	assert_non_null(fake);
	(void)snprintf(fake->dir, sizeof(fake->dir), "/tmp/grp-unit-XXXXXX");
	assert_non_null(mkdtemp(fake->dir));
	/* The limits of uid 0 are four times those set. */
	agent->config = (struct grp_config){
		.instance = strdup("unit"),
		.watch_backlog = FAKE_WATCH_BACKLOG,
		.connections_per_uid = geteuid() ? connections : (connections + 3) / 4,
		.streams_per_uid = geteuid() ? streams : (streams + 3) / 4,
	};
	agent->run_dir = fake->dir;
	agent->lock_fd = -1;
	agent->ready = true;
	assert_return_code(sd_event_new(&agent->event), 0);
	fake->kernel = fake_kernel_new(2, 1024, 64);
	assert_int_equal(
		grp_core_new(&fake_kernel_ops, fake->kernel, &fake->kernel->view, &agent->core), 0);
	assert_int_equal(grp_core_load(agent->core, NULL), 0);
	assert_int_equal(grp_server_new(agent, &agent->server, NULL), 0);
	return fake;
}

void fake_agent_free(struct fake_agent *fake)
{
	grp_server_free(fake->agent.server);
	grp_core_free(fake->agent.core);
	sd_event_unref(fake->agent.event);
	fake_kernel_free(fake->kernel);
	json_decref(fake->agent.features);
	free(fake->agent.config.instance);
	assert_int_equal(rmdir(fake->dir), 0);
	free(fake);
}

void fake_agent_idle(struct fake_agent *fake)
{
	uint64_t end = now_ms() + DEADLINE_MS;

	while (sd_event_run(fake->agent.event, ROUND_USEC) > 0)
		assert_true(now_ms() < end);
}

void fake_agent_events(struct fake_agent *fake)
{
	for (size_t i = 0; i < fake->kernel->n_events; i++)
		grp_core_event(fake->agent.core, &fake->kernel->events[i]);
	fake->kernel->n_events = 0;
	grp_jobs_event(&fake->agent);
}

void fake_client_open(struct fake_agent *fake, struct fake_client *client)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s", fake->dir,
		       GRP_SOCKET_NAME);
	client->fake = fake;
	grp_wire_reader_init(&client->reader, GRP_WIRE_REPLY_MAX);
	client->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_return_code(client->fd, errno);
	assert_return_code(connect(client->fd, (const struct sockaddr *)&address, sizeof(address)),
			   errno);
}

void fake_client_close(struct fake_client *client)
{
	grp_wire_reader_done(&client->reader);
	(void)close(client->fd);
	client->fd = -1;
}

void fake_client_send(struct fake_client *client, const void *bytes, size_t len)
{
	uint64_t end = now_ms() + DEADLINE_MS;
	const char *at = bytes;

	while (len) {
		ssize_t n = send(client->fd, at, len, MSG_NOSIGNAL);

		assert_true(now_ms() < end);
		if (n < 0 && errno == EPIPE)
			return;
		if (n > 0) {
			at += n;
			len -= (size_t)n;
		} else {
			assert_int_equal(errno, EAGAIN);
			(void)sd_event_run(client->fake->agent.event, ROUND_USEC);
		}
	}
}

void fake_client_send_text(struct fake_client *client, const char *text)
{
	fake_client_send(client, text, strlen(text) + 1);
}

json_t *fake_client_receive(struct fake_client *client)
{
	uint64_t end = now_ms() + DEADLINE_MS;
	json_t *message = NULL;

	for (;;) {
		ssize_t n;

		if (grp_wire_reader_next(&client->reader, &message) > 0)
			return message;
		n = grp_wire_reader_fill(&client->reader, client->fd);
		if (n == 0 || n == -ECONNRESET)
			return NULL;
		assert_true(n > 0 || n == -EAGAIN);
		assert_true(now_ms() < end);
		if (n < 0)
			(void)sd_event_run(client->fake->agent.event, ROUND_USEC);
	}
}

json_t *fake_client_call(struct fake_client *client, const char *method, json_t *parameters)
{
	_cleanup_free_ char *name = NULL, *bytes = NULL;
	_cleanup_json_ json_t *message = NULL;
	size_t len;

	assert_true(asprintf(&name, "%s.%s", GRP_WIRE_INTERFACE, method) > 0);
	message = grp_wire_call_new(name, parameters);
	assert_non_null(message);
	assert_int_equal(grp_wire_encode(message, &bytes, &len), 0);
	fake_client_send(client, bytes, len);
	return fake_client_receive(client);
}

bool fake_is_failed(json_t *answer, const char *name)
{
	_cleanup_json_ json_t *owned = answer;
	const json_t *parameters = json_object_get(owned, "parameters");
	const char *number = json_string_value(json_object_get(parameters, "errno"));
	const char *message = json_string_value(json_object_get(parameters, "message"));
	bool is = number && message && *message && !strcmp(number, name);

	if (!is)
		print_error("not %s: %s\n", name, owned ? json_dumps(owned, 0) : "hung up");
	return is && fake_is_error(json_incref(owned), GRP_WIRE_ERROR_FAILED);
}

bool fake_is_error(json_t *answer, const char *error)
{
	_cleanup_json_ json_t *owned = answer;
	const char *name = json_string_value(json_object_get(owned, "error"));

	if (!name || strcmp(name, error))
		print_error("not %s: %s\n", error, owned ? json_dumps(owned, 0) : "hung up");
	return name && !strcmp(name, error);
}

json_t *fake_parameters(json_t *answer)
{
	_cleanup_json_ json_t *owned = answer;

	if (!owned || json_object_get(owned, "error"))
		fail_msg("no success: %s", owned ? json_dumps(owned, 0) : "hung up");
	return json_incref(json_object_get(owned, "parameters"));
}
