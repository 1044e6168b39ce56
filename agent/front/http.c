/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * /metrics over HTTP. One connection is one request: it is closed after the
 * answer and has a longest life, so that nobody can keep one. While its snapshot is taken
 * it is suspended; then the text is made as it is sent, a piece in each turn of the loop.
 *
 * H1  At most one snapshot is taken at a time; requests that come meanwhile wait for the
 *     next one, so what they get is never older than they are.
 * H2  At most SCRAPES_MAX requests wait or are being sent; that bounds the
 *     memory of slow readers, which is a snapshot each.
 */
#include "front/http.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-event.h>
#include <utlist.h>

#include "base/address.h"
#include "base/clock.h"
#include "front/http_page.h"
#include "front/http_stream.h"
#include "turn.h"

/* A turn may take 2 ms; some of it is for the last step of a slice. */
#define SLICE_NS 750000
#define CONNECTIONS_MAX 32
/* So much of an answer is handed over at a time, and fills the memory of a slow reader's socket. */
#define SEND_BYTES (256 * 1024)
/* Half of it is for the piece that is being sent. */
#define CONNECTION_MEMORY_BYTES (128 * 1024)
#define CONNECTION_IDLE_S 10
#define LIFETIME_MS 30000
#define SCRAPES_MAX 8
#define BACKLOG 64
#define TIMER_ACCURACY_US 50000

enum connection_state {
	CONNECTION_OPEN, /* the request is not complete */
	CONNECTION_WAITING, /* for the next snapshot */
	CONNECTION_SERVED, /* from the one under way */
	CONNECTION_ANSWERED,
};

struct connection {
	struct connection *prev, *next; /* in order of arrival */
	struct MHD_Connection *mhd;
	enum connection_state state;
	enum grp_metrics_format format;
	bool scrape; /* counted in n_scrapes */
	bool shut; /* its time was over */
	uint64_t deadline_us;
	int fd; /* of mhd */
};

struct grp_http {
	struct grp_http_options options;
	char address[GRP_ADDRESS_MAX];
	uint16_t port;
	struct MHD_Daemon *daemon;
	sd_event_source *io, *timer; /* libmicrohttpd's descriptor and timeout */
	sd_event_source *deadline; /* of the eldest connection */
	struct grp_turn work; /* wanted while there is something to take, to send or to free */
	struct connection *connections;
	unsigned int n_scrapes;
	bool ending; /* nobody is suspended any more */
	bool taking; /* a snapshot is under way */
	bool took; /* in the last turn: the next one is for what is sent */
	struct grp_http_streams streams;
};

/* --- answers ---------------------------------------------------------------------- */

/* @response: taken over; NULL: there is no memory for one. */
static enum MHD_Result answer(struct connection *connection, unsigned int status,
			      struct MHD_Response *response)
{
	enum MHD_Result result;

	connection->state = CONNECTION_ANSWERED;
	if (!response)
		return MHD_NO;
	result = MHD_queue_response(connection->mhd, status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result send_page(struct connection *connection, enum grp_http_page page)
{
	unsigned int status;
	struct MHD_Response *response = grp_http_page(page, &status);

	return answer(connection, status, response);
}

/* Ends the wait of all connections in @state. */
static void answer_page(struct grp_http *http, enum connection_state state, enum grp_http_page page)
{
	struct connection *connection;

	DL_FOREACH(http->connections, connection) {
		if (connection->state != state)
			continue;
		(void)send_page(connection, page);
		MHD_resume_connection(connection->mhd);
	}
}

static void send_stream(struct grp_http *http, struct connection *connection,
			struct grp_http_snapshot *snapshot)
{
	struct MHD_Response *response = snapshot ? grp_http_stream(snapshot, connection->format) :
						   NULL;

	if (response)
		(void)answer(connection, MHD_HTTP_OK, response);
	else
		(void)send_page(connection, GRP_HTTP_FAILED);
}

/* Takes the metrics over. */
static void answer_streams(struct grp_http *http, struct grp_metrics *metrics)
{
	struct grp_http_snapshot *snapshot = grp_http_snapshot_new(&http->streams, metrics);
	struct connection *connection;

	DL_FOREACH(http->connections, connection) {
		if (connection->state != CONNECTION_SERVED)
			continue;
		send_stream(http, connection, snapshot);
		MHD_resume_connection(connection->mhd);
	}
	grp_http_snapshot_unref(snapshot);
}

/* --- libmicrohttpd in the loop ------------------------------------------------------ */

/* Does what there is to do now, and arms the timer only if there is a timeout. */
static int pump(struct grp_http *http)
{
	MHD_UNSIGNED_LONG_LONG timeout_ms;
	int r;

	(void)MHD_run(http->daemon);
	if (MHD_get_timeout(http->daemon, &timeout_ms) != MHD_YES)
		return sd_event_source_set_enabled(http->timer, SD_EVENT_OFF);
	/* The next piece: others have their turn first. */
	if (timeout_ms == 0 && grp_turn_want(&http->work) == 0)
		return 0;
	r = sd_event_source_set_time(http->timer, grp_now_usec() + timeout_ms * 1000);
	if (r < 0)
		return r;
	return sd_event_source_set_enabled(http->timer, SD_EVENT_ONESHOT);
}

static int on_io(sd_event_source *source, int fd, uint32_t revents, void *data)
{
	return pump(data);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *data)
{
	return pump(data);
}

static int arm_deadline(struct grp_http *http)
{
	struct connection *connection;
	int r;

	DL_FOREACH(http->connections, connection) {
		if (connection->shut)
			continue;
		r = sd_event_source_set_time(http->deadline, connection->deadline_us);
		if (r < 0)
			return r;
		return sd_event_source_set_enabled(http->deadline, SD_EVENT_ONESHOT);
	}
	return sd_event_source_set_enabled(http->deadline, SD_EVENT_OFF);
}

/* A reader that takes a byte now and then is never idle: its time is over some day. */
static int on_deadline(sd_event_source *source, uint64_t usec, void *data)
{
	struct grp_http *http = data;
	struct connection *connection;
	uint64_t now = grp_now_usec();

	DL_FOREACH(http->connections, connection) {
		if (connection->shut || connection->deadline_us > now)
			continue;
		connection->shut = true;
		(void)shutdown(connection->fd, SHUT_RDWR);
	}
	(void)arm_deadline(http);
	return pump(http);
}

/* --- snapshots -------------------------------------------------------------------------- */

static bool has_waiting(const struct grp_http *http)
{
	const struct connection *connection;

	DL_FOREACH(http->connections, connection)
		if (connection->state == CONNECTION_WAITING)
			return true;
	return false;
}

static void take_slice(struct grp_http *http)
{
	uint64_t end = grp_now_usec() + SLICE_NS / 1000;
	struct grp_metrics *metrics = NULL;
	struct connection *connection;
	int r;

	DL_FOREACH(http->connections, connection)
		if (!http->taking && connection->state == CONNECTION_WAITING)
			connection->state = CONNECTION_SERVED;
	do
		r = http->options.take(http->options.data, &metrics);
	while (r == 1 && grp_now_usec() < end);
	http->taking = r > 0;
	if (r < 0)
		answer_page(http, CONNECTION_SERVED, GRP_HTTP_FAILED);
	else if (r == 0)
		answer_streams(http, metrics);
}

static int on_work(void *data)
{
	struct grp_http *http = data;
	bool wanted = http->taking || has_waiting(http);
	bool more;
	int r;

	/* Either would fill a turn: they alternate. */
	http->took = wanted && !http->took;
	if (http->took) {
		take_slice(http);
		return grp_turn_want(&http->work);
	}
	more = grp_http_streams_sweep(&http->streams);
	r = wanted || more ? grp_turn_want(&http->work) : 0;
	return pump(http) ?: r;
}

/* --- connections ---------------------------------------------------------------------------- */

static struct connection *connection_new(struct grp_http *http, struct MHD_Connection *mhd)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct connection *connection = calloc(1, sizeof(*connection));
	const int send_bytes = SEND_BYTES;

	if (!connection)
		return NULL;
	connection->mhd = mhd;
	connection->fd = info ? info->connect_fd : -1;
	(void)setsockopt(connection->fd, SOL_SOCKET, SO_SNDBUF, &send_bytes, sizeof(send_bytes));
	connection->deadline_us = grp_now_usec() + http->options.lifetime_ms * 1000ULL;
	DL_APPEND(http->connections, connection);
	(void)arm_deadline(http);
	return connection;
}

static void connection_free(struct grp_http *http, struct connection *connection)
{
	if (!connection)
		return;
	DL_DELETE(http->connections, connection);
	/*
	 * With room for another one the library listens again, from its next run on; and what
	 * it was sent may be unused now.
	 */
	(void)grp_turn_want(&http->work);
	if (connection->scrape)
		http->n_scrapes--;
	free(connection);
	(void)arm_deadline(http);
}

static void on_connection(void *data, struct MHD_Connection *mhd, void **context,
			  enum MHD_ConnectionNotificationCode code)
{
	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		*context = connection_new(data, mhd);
		return;
	}
	connection_free(data, *context);
	*context = NULL;
}

static enum grp_metrics_format wanted_format(struct MHD_Connection *mhd)
{
	const char *accept =
		MHD_lookup_connection_value(mhd, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT);

	return accept && strcasestr(accept, "application/openmetrics-text") ?
		       GRP_METRICS_OPENMETRICS :
		       GRP_METRICS_CLASSIC;
}

static enum MHD_Result start_scrape(struct grp_http *http, struct connection *connection)
{
	if (http->ending)
		return send_page(connection, GRP_HTTP_ENDING);
	if (http->n_scrapes == SCRAPES_MAX)
		return send_page(connection, GRP_HTTP_BUSY);
	if (grp_turn_want(&http->work) < 0)
		return send_page(connection, GRP_HTTP_FAILED);
	http->n_scrapes++;
	connection->scrape = true;
	connection->format = wanted_format(connection->mhd);
	connection->state = CONNECTION_WAITING;
	MHD_suspend_connection(connection->mhd);
	return MHD_YES;
}

static enum MHD_Result on_request(void *data, struct MHD_Connection *mhd, const char *url,
				  const char *method, const char *version, const char *upload,
				  size_t *upload_size, void **request)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct connection *connection = info ? info->socket_context : NULL;

	if (!connection || connection->state != CONNECTION_OPEN)
		return MHD_NO;
	if (*request) {
		/* A body that nobody asked for is dropped piece by piece. */
		if (*upload_size) {
			*upload_size = 0;
			return MHD_YES;
		}
		if (!strcmp(method, MHD_HTTP_METHOD_HEAD))
			return answer(connection, MHD_HTTP_OK,
				      grp_http_stream_head(wanted_format(mhd)));
		return start_scrape(data, connection);
	}
	/* The first call for a request has its head only; errors need not more. */
	*request = connection;
	if (strcmp(url, GRP_HTTP_METRICS_PATH))
		return send_page(connection, GRP_HTTP_NOT_FOUND);
	if (strcmp(method, MHD_HTTP_METHOD_GET) && strcmp(method, MHD_HTTP_METHOD_HEAD))
		return send_page(connection, GRP_HTTP_BAD_METHOD);
	return MHD_YES;
}

/* --- life --------------------------------------------------------------------------------------- */

static int start_daemon(struct grp_http *http)
{
	struct sockaddr_storage bound;
	int fd = grp_address_listen(http->options.address, BACKLOG, &bound);

	if (fd < 0)
		return fd;
	http->port = grp_address_port(&bound);
	(void)grp_address_format(&bound, http->address);
	/* It owns the socket from here on, also when it fails. */
	http->daemon = MHD_start_daemon(
		MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_request, http,
		MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX,
		MHD_OPTION_CONNECTION_TIMEOUT, CONNECTION_IDLE_S,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY_BYTES,
		MHD_OPTION_NOTIFY_CONNECTION, on_connection, http, MHD_OPTION_END);
	return http->daemon ? 0 : -ENOMEM;
}

static int add_sources(struct grp_http *http)
{
	const union MHD_DaemonInfo *info =
		MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	sd_event *event = http->options.event;
	int r;

	if (!info)
		return -EOPNOTSUPP;
	r = sd_event_add_io(event, &http->io, info->epoll_fd, EPOLLIN, on_io, http);
	if (r >= 0)
		r = sd_event_add_time(event, &http->timer, CLOCK_MONOTONIC, 0, TIMER_ACCURACY_US,
				      on_timer, http);
	if (r >= 0)
		r = sd_event_source_set_enabled(http->timer, SD_EVENT_OFF);
	if (r >= 0)
		r = sd_event_add_time(event, &http->deadline, CLOCK_MONOTONIC, 0, TIMER_ACCURACY_US,
				      on_deadline, http);
	if (r >= 0)
		r = sd_event_source_set_enabled(http->deadline, SD_EVENT_OFF);
	grp_turn_init(&http->work, event, on_work, http);
	return r < 0 ? r : 0;
}

int grp_http_new(const struct grp_http_options *options, struct grp_error *error,
		 struct grp_http **ret_http)
{
	struct grp_http *http = calloc(1, sizeof(*http));
	int r;

	if (!http)
		return -ENOMEM;
	http->options = *options;
	if (!http->options.lifetime_ms)
		http->options.lifetime_ms = LIFETIME_MS;
	r = start_daemon(http);
	if (r == 0)
		r = add_sources(http);
	if (r < 0) {
		grp_http_free(http);
		return grp_error_set(error, -r, "%s: %s", options->address, strerror(-r));
	}
	http->options.address = NULL; /* the caller's; our own is in address */
	*ret_http = http;
	return 0;
}

void grp_http_free(struct grp_http *http)
{
	if (!http)
		return;
	/* It must not be stopped while a connection is suspended. */
	http->ending = true;
	answer_page(http, CONNECTION_WAITING, GRP_HTTP_ENDING);
	answer_page(http, CONNECTION_SERVED, GRP_HTTP_ENDING);
	if (http->daemon) {
		(void)MHD_run(http->daemon);
		MHD_stop_daemon(http->daemon);
	}
	sd_event_source_disable_unref(http->io);
	sd_event_source_disable_unref(http->timer);
	sd_event_source_disable_unref(http->deadline);
	grp_turn_drop(&http->work);
	while (grp_http_streams_sweep(&http->streams))
		;
	free(http);
}

uint16_t grp_http_port(const struct grp_http *http)
{
	return http ? http->port : 0;
}

const char *grp_http_address(const struct grp_http *http)
{
	return http->address;
}
