/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Calls and their outcome, see ctl.h.
 */
#include "ctl.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/cleanup_json.h"
#include "base/clock.h"
#include "base/error.h"
#include "owner.h"

/* How long an agent that is starting is waited for, and how often it is asked. */
#define STARTING_LIMIT_NS 5000000000ULL
#define STARTING_STEP_NS 50000000L

/* Errors of the Varlink service itself: they come without an errno. */
static const struct {
	const char *name;
	const char *parameter; /* of the error: what it is about */
	const char *message;
	int number;
} service_errors[] = {
	{ GRP_WIRE_ERROR_NO_INTERFACE, "interface",
	  "The agent does not know this interface; is it older than grpctl?", EOPNOTSUPP },
	{ GRP_WIRE_ERROR_NO_METHOD, "method",
	  "The agent does not know this method; is it older than grpctl?", EOPNOTSUPP },
	{ GRP_WIRE_ERROR_NOT_IMPLEMENTED, "method", "The agent does not implement this method",
	  EOPNOTSUPP },
	{ GRP_WIRE_ERROR_PARAMETER, "parameter", "The agent does not take this parameter", EINVAL },
	{ GRP_WIRE_SERVICE ".PermissionDenied", NULL, "Permission denied", EACCES },
};

int grp_ctl_fail(const struct grp_ctl *ctl, const char *item, const char *message,
		 const char *errno_name)
{
	_cleanup_free_ char *line = NULL, *explained = NULL;

	if (grp_owner_explain(message, &explained) < 0 ||
	    grp_out_error_line(ctl->verb->name, item, explained, errno_name, &line) < 0)
		(void)fprintf(stderr, "grpctl: %s: Cannot allocate memory (ENOMEM)\n",
			      ctl->verb->name);
	else
		(void)fputs(line, stderr);
	return GRP_EXIT_FAILED;
}

int grp_ctl_fail_errno(const struct grp_ctl *ctl, const char *item, int number)
{
	return grp_ctl_fail(ctl, item, strerror(number), grp_errno_name(number));
}

int grp_ctl_usage(const struct grp_ctl *ctl, const char *format, ...)
{
	const char *verb = ctl->verb ? ctl->verb->name : "";
	const bool known = ctl->verb && strcmp(verb, "help");
	const char *colon = ctl->verb ? ": " : "", *blank = known ? " " : "";
	_cleanup_free_ char *what = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&what, format, args) < 0)
		what = NULL;
	va_end(args);
	(void)fprintf(stderr, "grpctl: %s%s%s\nTry 'grpctl help%s%s'.\n", verb, colon,
		      what ?: "wrong usage", blank, known ? verb : "");
	return GRP_EXIT_USAGE;
}

/* Nobody answers, or not any more. */
static int unreachable(const struct grp_ctl *ctl, const char *path, const char *why, int number)
{
	(void)fprintf(stderr, "grpctl: %s: the agent of instance %s %s at %s", ctl->verb->name,
		      ctl->instance, why, path);
	if (number)
		(void)fprintf(stderr, ": %s (%s)", strerror(number), grp_errno_name(number));
	/* Its socket is the last that it makes. */
	(void)fprintf(stderr,
		      "\nStart it as root (grpagent --instance %s), or try again if it is just "
		      "starting.\n",
		      ctl->instance);
	return GRP_EXIT_UNREACHABLE;
}

static int not_understood(const struct grp_ctl *ctl, const char *item)
{
	return grp_ctl_fail(ctl, item, "The agent's answer is not understood", "EPROTO");
}

/* Sends and receives, connecting first where needed. Prints failures. */
static int exchange(struct grp_ctl *ctl, const json_t *request, json_t **ret_message)
{
	_cleanup_free_ char *path = NULL;
	int r = 0;

	if (asprintf(&path, "%s/%s/control.sock", ctl->run_dir, ctl->instance) < 0) {
		path = NULL;
		return grp_ctl_fail_errno(ctl, NULL, ENOMEM);
	}
	if (ctl->client.fd < 0)
		r = grp_ctl_client_open(&ctl->client, path);
	if (r < 0)
		return unreachable(ctl, path, "is not reachable", -r);
	r = grp_ctl_client_send_fd(&ctl->client, request, ctl->passed > 0 ? ctl->passed : -1);
	if (!r)
		r = grp_ctl_client_receive(&ctl->client, ret_message);
	if (r == -EBADMSG)
		return not_understood(ctl, NULL);
	if (r == -E2BIG || r == -EMSGSIZE || r == -ENOMEM)
		return grp_ctl_fail_errno(ctl, NULL, -r);
	if (r < 0)
		return unreachable(ctl, path, "hung up before it answered", -r);
	return GRP_EXIT_DONE;
}

/* Lets an agent that is starting get on. False: it had all the time there is. */
static bool wait_for_start(struct grp_ctl *ctl, uint64_t deadline_ns)
{
	const struct timespec step = { .tv_nsec = STARTING_STEP_NS };
	struct pollfd pollfd = { .fd = ctl->client.fd, .events = POLLIN | POLLRDHUP };

	if (grp_clock_ns(CLOCK_MONOTONIC) >= deadline_ns)
		return false;
	/* Nothing is to come but the end of this agent: then ask its successor. */
	if (ppoll(&pollfd, 1, &step, NULL) > 0)
		grp_ctl_client_close(&ctl->client);
	return true;
}

static const char *text_at(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

/* The text of an errno by its name, for an error that brings none. */
static const char *message_of(const char *message, const char *errno_name)
{
	if (message && *message)
		return message;
	for (int i = 1; i < 4096 && errno_name; i++) {
		const char *name = strerrorname_np(i);

		if (name && !strcmp(name, errno_name))
			return strerror(i);
	}
	return "The agent gives no reason";
}

/* Prints an error reply other than Starting. */
static int report(const struct grp_ctl *ctl, const char *error, const json_t *parameters,
		  const char *item)
{
	const char *name = text_at(parameters, "errno");

	if (!strcmp(error, GRP_WIRE_ERROR_FAILED))
		return grp_ctl_fail(ctl, text_at(parameters, "item") ?: item,
				    message_of(text_at(parameters, "message"), name),
				    name ?: "EPROTO");
	for (size_t i = 0; i < sizeof(service_errors) / sizeof(*service_errors); i++) {
		const char *key = service_errors[i].parameter;

		if (!strcmp(error, service_errors[i].name))
			return grp_ctl_fail(ctl, (key ? text_at(parameters, key) : NULL) ?: item,
					    service_errors[i].message,
					    grp_errno_name(service_errors[i].number));
	}
	return grp_ctl_fail(ctl, error, "The agent answers with an error not known here", "EPROTO");
}

/* Varlink lets empty parameters out. */
static int take_parameters(const struct grp_ctl *ctl, const struct grp_wire_reply *reply,
			   const char *item, json_t **ret_reply)
{
	json_t *parameters = reply->parameters ? json_incref(reply->parameters) : json_object();

	if (!parameters)
		return grp_ctl_fail_errno(ctl, item, ENOMEM);
	*ret_reply = parameters;
	return GRP_EXIT_DONE;
}

/* Repeats a request until the agent has started. @ret_continues: more is to come. */
static int call(struct grp_ctl *ctl, const json_t *request, const char *item, bool *ret_continues,
		json_t **ret_reply)
{
	uint64_t deadline_ns = grp_clock_ns(CLOCK_MONOTONIC) + STARTING_LIMIT_NS;

	do {
		_cleanup_json_ json_t *message = NULL;
		struct grp_wire_reply reply;
		int status = exchange(ctl, request, &message);

		if (status)
			return status;
		if (grp_wire_reply_parse(message, &reply) < 0)
			return not_understood(ctl, item);
		*ret_continues = reply.continues;
		if (!reply.error)
			return take_parameters(ctl, &reply, item, ret_reply);
		if (strcmp(reply.error, GRP_WIRE_ERROR_STARTING))
			return report(ctl, reply.error, reply.parameters, item);
	} while (wait_for_start(ctl, deadline_ns));
	(void)fprintf(stderr, "grpctl: %s: the agent of instance %s is still starting; try again\n",
		      ctl->verb->name, ctl->instance);
	return GRP_EXIT_UNREACHABLE;
}

/* Takes over @parameters. NULL: no memory. */
static json_t *new_request(const char *method, json_t *parameters)
{
	_cleanup_json_ json_t *owned = parameters;
	_cleanup_free_ char *name = NULL;

	if (asprintf(&name, GRP_WIRE_INTERFACE ".%s", method) < 0)
		name = NULL;
	return owned && name ? grp_wire_call_new(name, TAKE_PTR(owned)) : NULL;
}

int grp_ctl_call(struct grp_ctl *ctl, const char *method, json_t *parameters, const char *item,
		 json_t **ret_reply)
{
	_cleanup_json_ json_t *request = new_request(method, parameters);
	bool continues;

	if (!request)
		return grp_ctl_fail_errno(ctl, item, ENOMEM);
	return call(ctl, request, item, &continues, ret_reply);
}

/* The next reply of a stream. */
static int receive(struct grp_ctl *ctl, const char *item, bool *ret_continues, json_t **ret_reply)
{
	_cleanup_json_ json_t *message = NULL;
	struct grp_wire_reply reply;
	int r = grp_ctl_client_receive_for(&ctl->client, STDOUT_FILENO, &message);

	if (r == -EPIPE)
		return GRP_EXIT_DONE;
	if (r == -ECONNRESET) {
		(void)fprintf(stderr,
			      "grpctl: %s: the agent of instance %s has ended; what happens from "
			      "now on is not shown\n",
			      ctl->verb->name, ctl->instance);
		return GRP_EXIT_UNREACHABLE;
	}
	if (r == -EBADMSG || (r == 0 && grp_wire_reply_parse(message, &reply) < 0))
		return not_understood(ctl, item);
	if (r < 0)
		return grp_ctl_fail_errno(ctl, item, -r);
	*ret_continues = reply.continues;
	return reply.error ? report(ctl, reply.error, reply.parameters, item) :
			     take_parameters(ctl, &reply, item, ret_reply);
}

int grp_ctl_stream(struct grp_ctl *ctl, const char *method, json_t *parameters, const char *item,
		   int (*show)(const struct grp_ctl *ctl, const json_t *reply))
{
	_cleanup_json_ json_t *request = new_request(method, parameters), *reply = NULL;
	bool continues = false;
	int r, status;

	if (!request || json_object_set_new(request, "more", json_true()) < 0)
		return grp_ctl_fail_errno(ctl, item, ENOMEM);
	status = call(ctl, request, item, &continues, &reply);
	while (!status && reply) {
		r = show(ctl, reply);
		json_decref(TAKE_PTR(reply));
		if (r == -EPIPE)
			grp_out_drop();
		if (r < 0)
			return r == -EPIPE ? GRP_EXIT_DONE : grp_ctl_shown(ctl, r);
		if (continues)
			status = receive(ctl, item, &continues, &reply);
	}
	return status;
}

int grp_ctl_do(struct grp_ctl *ctl, const char *method, json_t *parameters, const char *item)
{
	_cleanup_json_ json_t *reply = NULL;

	return grp_ctl_call(ctl, method, parameters, item, &reply);
}

int grp_ctl_failures(const struct grp_ctl *ctl, const json_t *reply, const char *item)
{
	const json_t *failures = json_object_get(reply, "failures"), *failure;
	int status = GRP_EXIT_DONE;
	size_t i;

	json_array_foreach(failures, i, failure) {
		const char *name = text_at(failure, "errno");

		status = grp_ctl_fail(ctl, item ?: text_at(failure, "item"),
				      message_of(text_at(failure, "message"), name),
				      name ?: "EPROTO");
	}
	return status;
}

int grp_ctl_bulk(struct grp_ctl *ctl, const char *method, json_t *parameters)
{
	_cleanup_json_ json_t *reply = NULL;
	int status = grp_ctl_call(ctl, method, parameters, NULL, &reply);

	return status ?: grp_ctl_failures(ctl, reply, NULL);
}

int grp_ctl_shown(const struct grp_ctl *ctl, int r)
{
	return r < 0 ? grp_ctl_fail_errno(ctl, NULL, -r) : GRP_EXIT_DONE;
}

int grp_ctl_list(struct grp_ctl *ctl, const struct grp_listing *listing, json_t *parameters,
		 const char *item)
{
	_cleanup_json_ json_t *reply = NULL;
	const json_t *rows;
	int status = grp_ctl_call(ctl, listing->method, parameters, item, &reply);

	if (status)
		return status;
	rows = json_object_get(reply, listing->key);
	if (!json_is_array(rows))
		return grp_ctl_shown(ctl, -EPROTO);
	if (ctl->json)
		return grp_ctl_shown(ctl, grp_out_json(rows));
	return grp_ctl_shown(ctl, grp_out_table(rows, listing->columns));
}
