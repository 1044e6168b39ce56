/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A real agent in a process of its own, and a client that is as cheap as one can be:
 * requests are text, replies are read up to their end and not parsed.
 */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

#define RUN_DIR "/run/grpagent"
/* Only so that nothing hangs: a guest without KVM beside another takes a minute. */
#define START_S 300
#define TRY_US 200
#define READ_BYTES (1UL << 20)
/* Room for every row; the defaults are for machines with fewer groups. */
#define CAPACITY_GROUPS "32768"

static char agent_path[PATH_MAX];

static void build_path(const struct bench *bench)
{
	(void)snprintf(agent_path, sizeof(agent_path), "%s/grpagent", bench->build);
}

static _Noreturn void exec_agent(struct bench_agent *agent)
{
	char name[] = "--instance", metrics[] = "--metrics", none[] = "none";
	char groups[] = "--capacity-groups", number[] = CAPACITY_GROUPS;
	char mount[] = "--mount";
	char *const argv[] = { agent_path,   name,   agent->instance, metrics,
			       none,	     groups, number,	      agent->mount ? mount : NULL,
			       agent->mount, NULL };

	/* Quiet as long as all goes well. */
	if (!getenv("BENCH_VERBOSE") && !freopen("/dev/null", "w", stderr))
		_exit(126);
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	execv(agent_path, argv);
	_exit(127);
}

static int connect_once(const char *instance)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(address.sun_path, sizeof(address.sun_path), RUN_DIR "/%s/control.sock",
		       instance);
	if (fd >= 0 && !connect(fd, (const struct sockaddr *)&address, sizeof(address)))
		return fd;
	if (fd >= 0)
		(void)close(fd);
	return -1;
}

static int connect_agent(struct bench_agent *agent)
{
	double end = bench_now(CLOCK_MONOTONIC) + START_S * 1e9;

	while ((agent->fd = connect_once(agent->instance)) < 0) {
		if (waitpid(agent->pid, NULL, WNOHANG) == agent->pid) {
			agent->pid = 0;
			return bench_fail(-ESRCH, "%s: the agent has ended", agent->instance);
		}
		if (bench_now(CLOCK_MONOTONIC) > end)
			return bench_fail(-ETIMEDOUT, "%s: the agent does not answer",
					  agent->instance);
		(void)usleep(TRY_US);
	}
	return 0;
}

int bench_agent_restart(const struct bench *bench, struct bench_agent *agent)
{
	bench_agent_stop(agent);
	build_path(bench);
	agent->pid = fork();
	if (!agent->pid)
		exec_agent(agent);
	if (agent->pid < 0) {
		agent->pid = 0;
		return bench_fail(-errno, "fork");
	}
	return connect_agent(agent);
}

int bench_agent_start(const struct bench *bench, const char *tag, struct bench_agent *ret_agent)
{
	*ret_agent = (struct bench_agent){ .fd = -1, .mount = ret_agent->mount };
	(void)snprintf(ret_agent->instance, sizeof(ret_agent->instance), "%s-%s", bench->instance,
		       tag);
	ret_agent->reply = malloc(READ_BYTES);
	if (!ret_agent->reply)
		return -ENOMEM;
	return bench_agent_restart(bench, ret_agent);
}

void bench_agent_stop(struct bench_agent *agent)
{
	if (agent->fd >= 0)
		(void)close(agent->fd);
	agent->fd = -1;
	if (!agent->pid)
		return;
	(void)kill(agent->pid, SIGTERM);
	(void)waitpid(agent->pid, NULL, 0);
	agent->pid = 0;
}

int bench_unload(const struct bench *bench, const char *instance)
{
	char name[] = "--instance", unload[] = "--unload", copy[80];
	char *const argv[] = { agent_path, name, copy, unload, NULL };
	int status = 0;
	pid_t pid = 0;

	build_path(bench);
	(void)snprintf(copy, sizeof(copy), "%s", instance);
	if (bench_spawn(argv, &pid) || waitpid(pid, &status, 0) != pid)
		return -EIO;
	return status ? -EBUSY : 0;
}

void bench_agent_end(const struct bench *bench, struct bench_agent *agent)
{
	if (!agent->instance[0])
		return;
	bench_agent_stop(agent);
	(void)bench_unload(bench, agent->instance);
	free(agent->reply);
	*agent = (struct bench_agent){ .fd = -1 };
}

/* --- requests --------------------------------------------------------------------- */

static int send_all(int fd, const char *bytes, size_t len)
{
	while (len) {
		ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);

		if (n < 0 && errno != EINTR)
			return -errno;
		bytes += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
	}
	return 0;
}

/* One reply; its beginning and its end stay in agent->reply. */
static int receive(struct bench_agent *agent, size_t *ret_bytes)
{
	size_t bytes = 0;
	ssize_t n;

	do {
		n = recv(agent->fd, agent->reply, READ_BYTES, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -ECONNRESET;
		bytes += (size_t)n;
	} while (n < 0 || agent->reply[n - 1]);
	*ret_bytes = bytes;
	return 0;
}

int bench_agent_call(struct bench_agent *agent, const char *method, const char *parameters,
		     size_t *ret_bytes)
{
	size_t size = strlen(parameters) + 128, bytes = 0;
	char *request = malloc(size);
	int n, r;

	if (!request)
		return -ENOMEM;
	n = snprintf(request, size, "{\"method\":\"org.grpagent.%s\",\"parameters\":%s}", method,
		     parameters);
	r = send_all(agent->fd, request, (size_t)n + 1);
	free(request);
	if (!r)
		r = receive(agent, &bytes);
	if (r)
		return bench_fail(r, "%s", method);
	if (strstr(agent->reply, "\"error\":") || strstr(agent->reply, "\"errno\":"))
		return bench_fail(-EPROTO, "%s: %.300s", method, agent->reply);
	if (ret_bytes)
		*ret_bytes = bytes;
	return 0;
}

/* --- text of requests ------------------------------------------------------------------ */

char *bench_groups(const char *form, unsigned int first, unsigned int n)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return NULL;
	(void)fputs("{\"groups\":[", out);
	for (unsigned int i = 0; i < n; i++) {
		(void)fputs(i ? ",\"" : "\"", out);
		(void)fprintf(out, "%s%u\"", form, first + i);
	}
	(void)fputs("]}", out);
	return fclose(out) ? NULL : text;
}

char *bench_chain(const char *hierarchy, unsigned int levels)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return NULL;
	(void)fprintf(out, "%s:", hierarchy);
	for (unsigned int i = 0; i < levels; i++)
		(void)fputs("/l", out);
	return fclose(out) ? NULL : text;
}
