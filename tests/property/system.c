/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The agent under test and the clients of its users. See system.h.
 */
#include "system.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "client.h"

#define START_SECONDS 60
#define CLIENTS 8

static struct {
	const char *program, *instance;
	char socket[128];
	pid_t pid;
} agent;

/* One connection a user; its rights are those at the time of connecting. */
static struct user {
	uid_t uid;
	bool open;
	struct grp_ctl_client client;
} users[CLIENTS];

void broken(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vfprintf(stderr, format, args);
	va_end(args);
	(void)fputc('\n', stderr);
	exit(EXIT_FAILURE);
}

/* --- life ---------------------------------------------------------------------------------- */

/*
 * A child that the killed agent had just forked may have its socket for a moment,
 * so that a connection can be made which nobody will answer.
 */
static int ping(struct user *user)
{
	json_t *message = grp_wire_call_new(GRP_WIRE_INTERFACE ".Ping", NULL), *reply = NULL;
	int r = message ? grp_ctl_client_send(&user->client, message) : -ENOMEM;

	if (!r)
		r = grp_ctl_client_receive(&user->client, &reply);
	json_decref(message);
	json_decref(reply);
	return r;
}

static int try_connect(struct user *user)
{
	int r;

	if (setresgid(user->uid, user->uid, 0) || setresuid(user->uid, user->uid, 0))
		broken("cannot be user %u: %s", (unsigned int)user->uid, strerror(errno));
	r = grp_ctl_client_open(&user->client, agent.socket);
	if (setresuid(0, 0, 0) || setresgid(0, 0, 0))
		broken("cannot be root again: %s", strerror(errno));
	if (!r) {
		r = ping(user);
		if (r)
			grp_ctl_client_close(&user->client);
	}
	user->open = r == 0;
	return r;
}

static struct user *find_user(uid_t uid)
{
	struct user *user = users;

	while (user->open && user->uid != uid)
		user++;
	if (user == users + CLIENTS)
		broken("too many users");
	user->uid = uid;
	return user;
}

static struct user *open_user(uid_t uid)
{
	struct user *user = find_user(uid);
	int r = user->open ? 0 : try_connect(user);

	if (r)
		broken("cannot reach the agent at %s: %s", agent.socket, strerror(-r));
	return user;
}

static void spawn(void)
{
	agent.pid = fork();
	if (agent.pid < 0)
		broken("fork: %s", strerror(errno));
	if (agent.pid)
		return;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)execl(agent.program, agent.program, "--instance", agent.instance, "--metrics", "none",
		    (char *)NULL);
	_exit(127);
}

void agent_start(const char *program, const char *instance)
{
	const struct timespec pause = { 0, 5000000 };
	time_t end = time(NULL) + START_SECONDS;
	struct user *user = find_user(0);

	agent.program = program;
	agent.instance = instance;
	(void)snprintf(agent.socket, sizeof(agent.socket), "/run/grpagent/%s/control.sock",
		       instance);
	spawn();
	while (try_connect(user)) {
		if (waitpid(agent.pid, NULL, WNOHANG) == agent.pid)
			broken("the agent has ended by itself");
		if (time(NULL) > end)
			broken("the agent does not answer within %d s", START_SECONDS);
		(void)nanosleep(&pause, NULL);
	}
}

void agent_kill(void)
{
	for (struct user *user = users; user < users + CLIENTS; user++) {
		if (user->open)
			grp_ctl_client_close(&user->client);
		*user = (struct user){ .open = false };
	}
	(void)kill(agent.pid, SIGKILL);
	(void)waitpid(agent.pid, NULL, 0);
}

/* --- calls ----------------------------------------------------------------------------------- */

static int number_of(const char *name)
{
	for (int i = 1; i < 256; i++)
		if (strerrorname_np(i) && !strcmp(strerrorname_np(i), name))
			return i;
	broken("no errno is called %s", name);
}

static void send_call(struct user *user, const char *method, json_t *parameters)
{
	char full[64];
	json_t *message;

	(void)snprintf(full, sizeof(full), GRP_WIRE_INTERFACE ".%s", method);
	message = grp_wire_call_new(full, parameters);
	if (!message || grp_ctl_client_send(&user->client, message))
		broken("cannot send %s", method);
	json_decref(message);
}

/* Of the request as a whole, or of the one item of a bulk request. */
static int failure_of(const struct grp_wire_reply *reply, const char *method)
{
	const json_t *object = reply->parameters;

	if (reply->error && strcmp(reply->error, GRP_WIRE_ERROR_FAILED) != 0)
		broken("%s: %s", method, reply->error);
	if (!reply->error)
		object = json_array_get(json_object_get(reply->parameters, "failures"), 0);
	return object ? number_of(json_string_value(json_object_get(object, "errno"))) : 0;
}

/* No answer: what has become of the agent? */
static _Noreturn void no_answer(const char *method, int r)
{
	const struct timespec pause = { 0, 100000000 };
	int status = 0;

	(void)nanosleep(&pause, NULL);
	if (waitpid(agent.pid, &status, WNOHANG) != agent.pid)
		broken("no answer to %s: %s; the agent runs", method, strerror(-r));
	broken("no answer to %s: %s; the agent has ended, %s %d", method, strerror(-r),
	       WIFSIGNALED(status) ? "by signal" : "status",
	       WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
}

int agent_call(uid_t uid, const char *method, json_t *parameters, json_t **ret_reply)
{
	struct user *user = open_user(uid);
	struct grp_wire_reply reply;
	json_t *message;
	int r;

	send_call(user, method, parameters);
	r = grp_ctl_client_receive(&user->client, &message);
	if (r || grp_wire_reply_parse(message, &reply))
		no_answer(method, r);
	r = failure_of(&reply, method);
	if (ret_reply)
		*ret_reply = json_incref(reply.parameters);
	json_decref(message);
	return r;
}

void agent_call_and_kill(uid_t uid, const char *method, json_t *parameters)
{
	send_call(open_user(uid), method, parameters);
	agent_kill();
	agent_start(agent.program, agent.instance);
}
