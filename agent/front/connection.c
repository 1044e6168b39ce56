/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One client, see connection.h. Calls are carried out one at a time and in
 * order; between two of them the loop looks at the other clients. While a reply
 * is unsent or a call is pending nothing more is read, so a client that sends
 * much or takes nothing only stops itself.
 */
#include "front/connection.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utlist.h>

#include "agent.h"
#include "base/cleanup.h"
#include "base/cleanup_json.h"
#include "base/log.h"
#include "front/call.h"
#include "front/jobs.h"
#include "front/methods.h"

static unsigned int allowance(uid_t uid, unsigned int limit)
{
	return uid ? limit : limit * GRP_ROOT_FACTOR;
}

/* --- going out --------------------------------------------------------------- */

static size_t unsent(const struct grp_connection *c)
{
	return c->out_end - c->out_start;
}

static void drop_output(struct grp_connection *c)
{
	c->user->unsent_bytes -= unsent(c);
	free(c->out);
	c->out = NULL;
	c->out_start = c->out_end = 0;
}

/* Adds bytes behind what is unsent; takes them over. */
static int queue(struct grp_connection *c, char *bytes, size_t len)
{
	_cleanup_free_ char *owned = bytes;
	char *joined;

	if (c->user->unsent_bytes + len > allowance(c->caller.uid, 1) * GRP_WIRE_REPLY_MAX)
		return -ENOBUFS;
	if (!c->out) {
		c->out = TAKE_PTR(owned);
	} else {
		joined = malloc(unsent(c) + len);
		if (!joined)
			return -ENOMEM;
		memcpy(joined, c->out + c->out_start, unsent(c));
		memcpy(joined + unsent(c), owned, len);
		free(c->out);
		c->out = joined;
		c->out_end = unsent(c);
		c->out_start = 0;
	}
	c->out_end += len;
	c->user->unsent_bytes += len;
	return 0;
}

static void drop_client(struct grp_connection *c, int result)
{
	GRP_LOG_WARNING("client of uid %u, pid %d is dropped: cannot keep its reply: %s",
			c->caller.uid, (int)c->caller.pid, strerror(-result));
	c->dead = true;
}

void grp_connection_send_bytes(struct grp_connection *c, char *bytes, size_t len)
{
	int r;

	if (c->dead || c->hung_up) {
		free(bytes);
		return;
	}
	r = queue(c, bytes, len);
	if (r < 0)
		drop_client(c, r);
}

void grp_connection_send(struct grp_connection *c, const json_t *message)
{
	char *bytes;
	size_t len;
	int r;

	if (c->dead || c->hung_up)
		return;
	r = grp_wire_encode(message, &bytes, &len);
	if (r < 0)
		drop_client(c, r);
	else
		grp_connection_send_bytes(c, bytes, len);
}

static void flush(struct grp_connection *c)
{
	ssize_t n;

	if (!c->out)
		return;
	n = send(c->fd, c->out + c->out_start, unsent(c), MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n < 0) {
		if (errno != EAGAIN && errno != EINTR && errno != ENOBUFS)
			c->hung_up = true;
		return;
	}
	c->out_start += (size_t)n;
	c->user->unsent_bytes -= (size_t)n;
	if (c->out_start == c->out_end)
		drop_output(c);
}

/* A stream goes on as fast as its reader takes it, a piece at a time. */
static void stream(struct grp_connection *c)
{
	struct grp_job *job = c->call ? c->call->job : NULL;
	bool sent;

	c->streaming = false;
	if (!job || !job->type->refill || c->out || c->hung_up || c->dead)
		return;
	sent = job->type->refill(job);
	flush(c);
	c->streaming = sent && !c->out;
}

void grp_connection_wake(struct grp_connection *c)
{
	if (c->running || grp_turn_want(&c->work) == 0)
		return;
	/* No memory: the hang-up leads to its end. */
	c->dead = true;
	(void)shutdown(c->fd, SHUT_RDWR);
	(void)sd_event_source_set_enabled(c->io, SD_EVENT_ON);
}

/* Whatever comes of it, its own handler sees to it. */
void grp_connection_push(struct grp_connection *c)
{
	flush(c);
	stream(c);
	grp_connection_wake(c);
}

/* --- coming in --------------------------------------------------------------- */

/* The stream cannot be trusted any further: say why, then close. */
static void refuse_stream(struct grp_connection *c, int result)
{
	struct grp_error error = { 0 };
	_cleanup_json_ json_t *message = NULL;
	_cleanup_json_ json_t *failed = json_object();

	if (result == -EMSGSIZE)
		(void)grp_error_set(&error, EMSGSIZE, "a request may have at most %lu bytes",
				    GRP_WIRE_CALL_MAX);
	else if (result == -EBADMSG)
		(void)grp_error_set(&error, EBADMSG,
				    "a request is one JSON object with \"method\"");
	c->closing = true;
	if (failed && grp_failure_set(failed, result, &error) == 0)
		message = grp_wire_error_new(GRP_WIRE_ERROR_FAILED, TAKE_PTR(failed));
	if (message)
		grp_connection_send(c, message);
}

static void take_call(struct grp_connection *c)
{
	json_t *message;
	int r;

	r = grp_wire_reader_next(&c->in, &message);
	c->backlog = r > 0 && grp_wire_reader_has_more(&c->in);
	if (r > 0)
		r = grp_call_new(c->server->agent, c, message, &c->call);
	if (r < 0) {
		refuse_stream(c, r);
		return;
	}
	if (c->call)
		grp_methods_dispatch(c->call);
}

/* Calls are taken when nothing of the ones before is left to do. */
static bool may_take(const struct grp_connection *c)
{
	return !c->call && !c->closing && !c->dead && !c->out;
}

/* --- the loop ---------------------------------------------------------------- */

static bool is_over(const struct grp_connection *c)
{
	if (c->dead)
		return true;
	if (c->call || c->out)
		return false;
	return c->closing || (c->ended && !c->backlog);
}

/* What to be woken for next. A failure here is the end of the connection. */
static int arm(struct grp_connection *c)
{
	bool again = c->streaming || (c->backlog && may_take(c));
	uint32_t events = 0;
	int r;

	if (may_take(c) && !c->backlog && !c->ended)
		events |= EPOLLIN;
	if (c->out)
		events |= EPOLLOUT;
	if (!again)
		grp_turn_drop(&c->work);
	r = again ? grp_turn_want(&c->work) : 0;
	if (r < 0)
		return r;
	/* A hang-up is told again and again: not while only a job can go on. */
	if (c->hung_up && !events)
		return sd_event_source_set_enabled(c->io, SD_EVENT_OFF);
	r = sd_event_source_set_io_events(c->io, events);
	return r < 0 ? r : sd_event_source_set_enabled(c->io, SD_EVENT_ON);
}

/* Nobody waits for the answer; what was not to be answered goes on. */
static void hang_up(struct grp_connection *c)
{
	c->hung_up = true;
	drop_output(c);
	if (c->call && !c->call->wire.oneway) {
		grp_call_cancel(c->call);
		c->dead = true;
	}
}

static int run(struct grp_connection *c)
{
	c->running = true;
	if (may_take(c) && c->backlog)
		take_call(c);
	flush(c);
	stream(c);
	if (c->hung_up)
		hang_up(c);
	c->running = false;
	if (is_over(c) || arm(c) < 0)
		grp_connection_free(c);
	return 0;
}

static int on_work(void *data)
{
	return run(data);
}

/*
 * Closing a descriptor that somebody has passed may wait for him: only root's are
 * taken. Those of others the kernel drops.
 */
static ssize_t fill(struct grp_connection *c)
{
	if (c->caller.uid)
		return grp_wire_reader_fill(&c->in, c->fd);
	return grp_wire_reader_fill_fd(&c->in, c->fd, &c->passed);
}

static void drop_passed(struct grp_connection *c)
{
	if (c->passed >= 0)
		(void)close(c->passed);
	c->passed = -1;
}

static int on_io(sd_event_source *source, int fd, uint32_t revents, void *data)
{
	struct grp_connection *c = data;
	ssize_t n;

	if ((revents & EPOLLIN) && may_take(c) && !c->backlog) {
		n = fill(c);
		if (n > 0)
			c->backlog = true;
		else if (n != -EAGAIN)
			c->ended = true;
	}
	if (revents & (EPOLLHUP | EPOLLERR))
		c->hung_up = true;
	return run(c);
}

void grp_connection_done(struct grp_connection *c)
{
	c->call = NULL;
	drop_passed(c);
	grp_connection_wake(c);
}

/* --- life -------------------------------------------------------------------- */

static int add_sources(struct grp_connection *c)
{
	sd_event *event;
	int r;

	event = sd_event_source_get_event(c->server->listen);
	r = sd_event_add_io(event, &c->io, c->fd, EPOLLIN, on_io, c);
	grp_turn_init(&c->work, event, on_work, c);
	return r < 0 ? r : 0;
}

static struct grp_user *find_user(const struct grp_server *server, uid_t uid)
{
	struct grp_user *user;

	HASH_FIND(hh, server->users, &uid, sizeof(uid), user);
	return user;
}

static struct grp_user *get_user(struct grp_server *server, uid_t uid)
{
	struct grp_user *user = find_user(server, uid);

	if (user)
		return user;
	user = calloc(1, sizeof(*user));
	if (!user)
		return NULL;
	user->uid = uid;
	HASH_ADD(hh, server->users, uid, sizeof(uid), user);
	return user;
}

int grp_connection_new(struct grp_server *server, int fd, const struct grp_caller *caller,
		       gid_t *groups, struct grp_connection **ret_connection)
{
	struct grp_connection *c = calloc(1, sizeof(*c));
	struct grp_user *user = c ? get_user(server, caller->uid) : NULL;
	int r;

	if (!user) {
		free(c);
		free(groups);
		(void)close(fd);
		return -ENOMEM;
	}
	c->server = server;
	c->user = user;
	c->fd = fd;
	c->passed = -1;
	c->caller = *caller;
	c->groups = groups;
	grp_wire_reader_init(&c->in, GRP_WIRE_CALL_MAX);
	user->connections++;
	server->n_connections++;
	DL_APPEND(server->connections, c);
	r = add_sources(c);
	if (r < 0) {
		grp_connection_free(c);
		return r;
	}
	*ret_connection = c;
	return 0;
}

void grp_connection_free(struct grp_connection *c)
{
	struct grp_server *server = c->server;

	if (c->call)
		grp_call_cancel(c->call);
	drop_output(c);
	sd_event_source_disable_unref(c->io);
	grp_turn_drop(&c->work);
	grp_wire_reader_done(&c->in);
	json_decref(c->staged);
	DL_DELETE(server->connections, c);
	server->n_connections--;
	if (!--c->user->connections) {
		HASH_DEL(server->users, c->user);
		free(c->user);
	}
	drop_passed(c);
	(void)close(c->fd);
	free(c->groups);
	free(c);
}

/* --- limits ------------------------------------------------------------------ */

int grp_connection_room(const struct grp_server *server, uid_t uid, struct grp_error *error)
{
	const struct grp_user *user = find_user(server, uid);
	unsigned int limit = allowance(uid, server->agent->config.connections_per_uid);
	unsigned int total = GRP_CONNECTIONS_MAX + (uid ? 0 : GRP_CONNECTIONS_ROOT);

	if (user && user->connections >= limit)
		return grp_error_set(error, EUSERS,
				     "uid %u has %u connection%s, as many as connections-per-uid "
				     "allows: close some",
				     uid, user->connections, grp_plural(user->connections));
	if (server->n_connections >= total)
		return grp_error_set(error, EUSERS, "the agent has %u connections: try again",
				     server->n_connections);
	return 0;
}

int grp_connection_wait(struct grp_connection *c, struct grp_error *error)
{
	unsigned int limit = allowance(c->caller.uid, c->server->agent->config.streams_per_uid);

	if (c->user->waiting >= limit)
		return grp_error_set(error, EUSERS,
				     "uid %u has %u request%s waiting, as many as streams-per-uid "
				     "allows",
				     c->caller.uid, c->user->waiting, grp_plural(c->user->waiting));
	c->user->waiting++;
	c->server->n_waiting++;
	return 0;
}

void grp_connection_wait_end(struct grp_connection *c)
{
	c->user->waiting--;
	c->server->n_waiting--;
}
