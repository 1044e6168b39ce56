/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The agent's socket, see server.h. What happens on an accepted connection is
 * in connection.c.
 */
#include "front/server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent.h"
#include "base/cleanup.h"
#include "base/cleanup_json.h"
#include "base/log.h"
#include "front/call.h"
#include "front/connection.h"

/* Clients that wait until the loop comes round. */
#define BACKLOG 128
/* Out of descriptors or memory: when to look again. */
#define RESUME_USEC 100000
/* The socket under this name is not listened to yet. */
#define NEW_SUFFIX ".new"

/* --- accepting --------------------------------------------------------------- */

/* One small message fits a fresh socket; if not, the client sees it closed. */
static void refuse(int fd, int result, const struct grp_error *error)
{
	_cleanup_json_ json_t *message = NULL;
	_cleanup_json_ json_t *failed = json_object();
	_cleanup_free_ char *bytes = NULL;
	size_t len;

	if (failed && grp_failure_set(failed, result, error) == 0)
		message = grp_wire_error_new(GRP_WIRE_ERROR_FAILED, TAKE_PTR(failed));
	if (message && grp_wire_encode(message, &bytes, &len) == 0)
		(void)send(fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static int take_client(struct grp_server *server, int client)
{
	_cleanup_close_ int fd = client;
	_cleanup_free_ gid_t *groups = NULL;
	struct grp_connection *connection;
	struct grp_error error = { 0 };
	struct grp_caller caller;
	int r;

	r = grp_peer_get(fd, server->pidns, &caller, &groups);
	if (r < 0)
		return r;
	r = grp_connection_room(server, caller.uid, &error);
	if (r < 0) {
		GRP_LOG_DEBUG("client of uid %u, pid %d refused: %s", caller.uid, (int)caller.pid,
			      error.message);
		server->refused++;
		refuse(fd, r, &error);
		return 0;
	}
	server->accepted++;
	return grp_connection_new(server, TAKE_FD(fd), &caller, TAKE_PTR(groups), &connection);
}

/* Whoever is in the queue stays there; without this pause the loop would spin. */
static void pause_listening(struct grp_server *server, int reason)
{
	GRP_LOG_WARNING("cannot accept a client: %s, retrying", strerror(reason));
	if (sd_event_source_set_time_relative(server->resume, RESUME_USEC) < 0 ||
	    sd_event_source_set_enabled(server->resume, SD_EVENT_ONESHOT) < 0)
		return;
	(void)sd_event_source_set_enabled(server->listen, SD_EVENT_OFF);
}

static int on_resume(sd_event_source *source, uint64_t usec, void *data)
{
	struct grp_server *server = data;

	return sd_event_source_set_enabled(server->listen, SD_EVENT_ON);
}

static bool is_exhausted(int number)
{
	return number == EMFILE || number == ENFILE || number == ENOBUFS || number == ENOMEM;
}

static int on_client(sd_event_source *source, int listen_fd, uint32_t revents, void *data)
{
	struct grp_server *server = data;
	int fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	int r;

	if (fd < 0) {
		if (is_exhausted(errno))
			pause_listening(server, errno);
		return 0;
	}
	r = take_client(server, fd);
	if (r < 0)
		GRP_LOG_WARNING("cannot take a client: %s, ignoring", strerror(-r));
	return 0;
}

/* --- life -------------------------------------------------------------------- */

static int make_address(const struct grp_server *server, const char *suffix,
			struct sockaddr_un *ret_address)
{
	int n;

	*ret_address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	n = snprintf(ret_address->sun_path, sizeof(ret_address->sun_path), "%s/%s%s",
		     server->agent->run_dir, GRP_SOCKET_NAME, suffix);
	return n < (int)sizeof(ret_address->sun_path) ? 0 : -ENAMETOOLONG;
}

/* The name appears when the socket listens already: that is readiness. */
static int open_socket(struct grp_server *server)
{
	_cleanup_close_ int fd = -1;
	struct sockaddr_un address, final;
	int r;

	r = make_address(server, NEW_SUFFIX, &address);
	if (r == 0)
		r = make_address(server, "", &final);
	if (r < 0)
		return r;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (unlink(address.sun_path) < 0 && errno != ENOENT)
		return -errno;
	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	if (chmod(address.sun_path, 0666) < 0 || listen(fd, BACKLOG) < 0 ||
	    rename(address.sun_path, final.sun_path) < 0) {
		r = -errno;
		(void)unlink(address.sun_path);
		return r;
	}
	server->bound = true;
	server->fd = TAKE_FD(fd);
	return 0;
}

static int add_sources(struct grp_server *server)
{
	sd_event *event = server->agent->event;
	int r;

	r = sd_event_add_io(event, &server->listen, server->fd, EPOLLIN, on_client, server);
	if (r >= 0)
		r = sd_event_add_time(event, &server->resume, CLOCK_MONOTONIC, 0, 0, on_resume,
				      server);
	if (r >= 0)
		r = sd_event_source_set_enabled(server->resume, SD_EVENT_OFF);
	return r < 0 ? r : 0;
}

int grp_server_new(struct grp_agent *agent, struct grp_server **ret_server, struct grp_error *error)
{
	struct grp_server *server = calloc(1, sizeof(*server));
	int r;

	if (!server)
		return -ENOMEM;
	server->agent = agent;
	server->fd = -1;
	r = grp_peer_pidns(0, &server->pidns);
	if (r == 0)
		r = grp_watch_new(agent, &server->watch);
	if (r == 0)
		r = open_socket(server);
	if (r == 0)
		r = add_sources(server);
	if (r < 0) {
		grp_server_free(server);
		return grp_error_set(error, -r, "cannot make the socket %s/%s: %s", agent->run_dir,
				     GRP_SOCKET_NAME, strerror(-r));
	}
	*ret_server = server;
	return 0;
}

void grp_server_free(struct grp_server *server)
{
	struct sockaddr_un address;

	if (!server)
		return;
	while (server->connections)
		grp_connection_free(server->connections);
	grp_watch_free(server->watch);
	sd_event_source_disable_unref(server->listen);
	sd_event_source_disable_unref(server->resume);
	if (server->bound && make_address(server, "", &address) == 0)
		(void)unlink(address.sun_path);
	if (server->fd >= 0)
		(void)close(server->fd);
	free(server);
}

void grp_server_figures(const struct grp_server *server, struct grp_server_figures *ret_figures)
{
	*ret_figures = (struct grp_server_figures){ 0 };
	if (!server)
		return;
	ret_figures->connections = server->n_connections;
	ret_figures->waiting = server->n_waiting;
	ret_figures->accepted = server->accepted;
	ret_figures->refused = server->refused;
	grp_watch_figures(server->watch, &ret_figures->watch);
}
