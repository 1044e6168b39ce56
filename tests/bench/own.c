/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An agent inside this program, on the real kernel: what it does itself is measured
 * from the request in hand to the reply in hand, without sockets, and each turn of
 * its loop is timed. Nothing is replaced: it is the agent with everything in it.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent.h"
#include "bench.h"
#include "front/call.h"
#include "front/connection.h"
#include "front/http.h"
#include "front/methods.h"
#include "front/wire.h"

#define DRAIN_BYTES (256UL * 1024)
#define TURN_US 1000
#define DEADLINE_S 120

struct bench_own {
	struct grp_agent *agent;
	struct grp_connection *connection;
	int fd; /* the client's end */
	char instance[80];
	char drain[DRAIN_BYTES];
};

/* --- life ------------------------------------------------------------------------ */

static int make_config(const char *instance, struct grp_config *ret_config)
{
	char program[] = "bench", name[] = "--instance", copy[80];
	char metrics[] = "--metrics", address[] = "127.0.0.1:0";
	char groups[] = "--capacity-groups", number[] = "32768";
	char *argv[] = { program, name, copy, metrics, address, groups, number, NULL };
	struct grp_error error = { 0 };

	(void)snprintf(copy, sizeof(copy), "%s", instance);
	if (grp_config_parse(sizeof(argv) / sizeof(*argv) - 1, argv, ret_config, &error))
		return bench_fail(-EINVAL, "%s", error.message);
	return 0;
}

/* The agent hears of signals by descriptor; this program has no time to look there. */
static void unblock(void)
{
	sigset_t ends;

	(void)sigemptyset(&ends);
	(void)sigaddset(&ends, SIGTERM);
	(void)sigaddset(&ends, SIGINT);
	(void)sigprocmask(SIG_UNBLOCK, &ends, NULL);
}

static int connect_own(struct bench_own *own)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s", own->agent->run_dir,
		       GRP_SOCKET_NAME);
	own->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (own->fd < 0 || connect(own->fd, (const struct sockaddr *)&address, sizeof(address)))
		return bench_fail(-errno, "%s", address.sun_path);
	for (unsigned int i = 0; i < 100 && !own->agent->server->connections; i++)
		(void)sd_event_run(own->agent->event, TURN_US);
	own->connection = own->agent->server->connections;
	return own->connection ? 0 : bench_fail(-ETIMEDOUT, "the agent takes nobody");
}

int bench_own_open(const struct bench *bench, const char *tag, struct bench_own **ret_own)
{
	struct bench_own *own = calloc(1, sizeof(*own));
	struct grp_config config = { 0 };
	struct grp_error error = { 0 };
	int r;

	if (!own)
		return -ENOMEM;
	*ret_own = own;
	own->fd = -1;
	(void)snprintf(own->instance, sizeof(own->instance), "%s-%s", bench->instance, tag);
	r = make_config(own->instance, &config);
	if (!r)
		r = grp_agent_new(&config, &error, &own->agent);
	grp_config_done(&config);
	unblock();
	if (r)
		return bench_fail(r, "%s", error.message);
	return connect_own(own);
}

void bench_own_close(const struct bench *bench, struct bench_own *own)
{
	if (!own)
		return;
	if (own->fd >= 0)
		(void)close(own->fd);
	grp_agent_free(own->agent);
	(void)bench_unload(bench, own->instance);
	free(own);
}

/* --- the loop ----------------------------------------------------------------------- */

static void take_time(struct bench_time *ret_time)
{
	ret_time->cpu = bench_now(CLOCK_THREAD_CPUTIME_ID);
	ret_time->wall = bench_now(CLOCK_MONOTONIC);
}

static struct bench_time since(const struct bench_time *start)
{
	struct bench_time now;

	take_time(&now);
	return (struct bench_time){ now.cpu - start->cpu, now.wall - start->wall };
}

/* One turn: what it takes once it was woken. Adds to the sum, raises the longest. */
static void turn(struct bench_own *own, uint64_t wait_us, struct bench_turns *turns)
{
	sd_event *event = own->agent->event;
	struct bench_time start, took;
	int r = sd_event_prepare(event);

	if (r == 0)
		r = sd_event_wait(event, wait_us);
	if (r <= 0)
		return;
	take_time(&start);
	(void)sd_event_dispatch(event);
	took = since(&start);
	turns->sum.cpu += took.cpu;
	turns->sum.wall += took.wall;
	if (took.cpu > turns->longest.cpu)
		turns->longest = took;
	turns->n++;
}

/* What the client's end has; the last bytes stay in own->drain. */
static size_t drain(struct bench_own *own)
{
	size_t bytes = 0;
	ssize_t n;

	while ((n = read(own->fd, own->drain, sizeof(own->drain))) > 0)
		bytes += (size_t)n;
	return bytes;
}

/* --- requests ------------------------------------------------------------------------- */

/* From the request in hand to the reply in hand, or to the job that will give it. */
static int hand_over(struct bench_own *own, const char *request, size_t len,
		     struct bench_time *ret_time)
{
	struct grp_connection *c = own->connection;
	json_t *message = NULL;
	struct bench_time start;
	int r;

	take_time(&start);
	r = grp_wire_reader_put(&c->in, request, len);
	if (!r)
		r = grp_wire_reader_next(&c->in, &message);
	if (r > 0)
		r = grp_call_new(own->agent, c, message, &c->call);
	if (!r)
		grp_methods_dispatch(c->call);
	*ret_time = since(&start);
	return r < 0 ? bench_fail(r, "%s", request) : 0;
}

static bool has_failed(const char *text, size_t len)
{
	return memmem(text, len, "\"errno\":", 8) || memmem(text, len, "\"error\":", 8);
}

int bench_own_call(struct bench_own *own, const char *method, const char *parameters,
		   struct bench_reply *ret_reply)
{
	size_t size = strlen(parameters) + 128;
	struct grp_connection *c = own->connection;
	struct bench_turns turns = { 0 };
	double end = bench_now(CLOCK_MONOTONIC) + DEADLINE_S * 1e9;
	char *request = malloc(size);
	int n, r;

	if (!request)
		return -ENOMEM;
	n = snprintf(request, size, "{\"method\":\"org.grpagent.%s\",\"parameters\":%s}", method,
		     parameters);
	*ret_reply = (struct bench_reply){ 0 };
	r = hand_over(own, request, (size_t)n + 1, &ret_reply->time);
	free(request);
	if (r)
		return r;
	turns.longest = ret_reply->time;
	while (c->call && bench_now(CLOCK_MONOTONIC) < end) {
		turn(own, TURN_US, &turns);
		ret_reply->bytes += drain(own);
	}
	ret_reply->time.cpu += turns.sum.cpu;
	ret_reply->time.wall += turns.sum.wall;
	/* What is left only has to go out. */
	while (c->out && bench_now(CLOCK_MONOTONIC) < end) {
		turn(own, TURN_US, &turns);
		ret_reply->bytes += drain(own);
	}
	ret_reply->longest = turns.longest;
	if (c->call || c->out || !ret_reply->bytes)
		return bench_fail(-ETIMEDOUT, "%s", method);
	if (ret_reply->bytes <= sizeof(own->drain) && has_failed(own->drain, ret_reply->bytes))
		return bench_fail(-EPROTO, "%s: %.300s", method, own->drain);
	return 0;
}

void bench_own_settle(struct bench_own *own, unsigned int turns)
{
	struct bench_turns ignored = { 0 };

	for (unsigned int i = 0; i < turns; i++)
		turn(own, 0, &ignored);
}

/* --- scrapes ------------------------------------------------------------------------------ */

/* "ADDRESS:PORT" of the loopback that the agent has told. */
static int scrape_client(const char *address, int out)
{
	char command[256], buffer[65536];
	size_t bytes = 0;
	FILE *curl;
	size_t n;

	(void)snprintf(command, sizeof(command), "exec curl -sS http://%s/metrics", address);
	curl = popen(command, "re"); /* NOLINT(cert-env33-c): nothing in it is a stranger's */
	if (!curl)
		return 1;
	while ((n = fread(buffer, 1, sizeof(buffer), curl)) > 0)
		bytes += n;
	if (pclose(curl) || write(out, &bytes, sizeof(bytes)) != sizeof(bytes))
		return 1;
	return 0;
}

int bench_own_scrape(struct bench_own *own, struct bench_reply *ret_reply)
{
	struct bench_turns turns = { 0 };
	int ends[2], status = 1;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC))
		return bench_fail(-errno, "pipe");
	pid = fork();
	if (!pid)
		_exit(scrape_client(own->agent->config.metrics, ends[1]));
	(void)close(ends[1]);
	while (pid > 0 && waitpid(pid, &status, WNOHANG) == 0)
		turn(own, TURN_US, &turns);
	*ret_reply = (struct bench_reply){ .time = turns.sum, .longest = turns.longest };
	if (status || read(ends[0], &ret_reply->bytes, sizeof(size_t)) != sizeof(size_t))
		status = 1;
	(void)close(ends[0]);
	return pid < 0 || status ? bench_fail(-EIO, "a scrape") : 0;
}
