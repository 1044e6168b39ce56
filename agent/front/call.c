/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One method call, see call.h.
 */
#include "front/call.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"
#include "base/cleanup.h"
#include "base/cleanup_json.h"
#include "base/clock.h"
#include "base/parse.h"
#include "base/text.h"
#include "front/change_log.h"
#include "front/connection.h"
#include "front/jobs.h"
#include "front/methods.h"
#include "front/watch.h"

/* --- life and answers -------------------------------------------------------- */

int grp_call_new(struct grp_agent *agent, struct grp_connection *connection, json_t *message,
		 struct grp_call **ret_call)
{
	_cleanup_json_ json_t *owned = message;
	struct grp_wire_call wire;
	struct grp_call *call;
	int r;

	r = grp_wire_call_parse(owned, &wire);
	if (r < 0)
		return r;
	call = calloc(1, sizeof(*call));
	if (!call)
		return -ENOMEM;
	call->agent = agent;
	call->connection = connection;
	call->caller = &connection->caller;
	call->message = TAKE_PTR(owned);
	call->wire = wire;
	call->begun_usec = grp_now_usec();
	*ret_call = call;
	return 0;
}

static void call_free(struct grp_call *call)
{
	struct grp_connection *connection = call->connection;

	grp_job_free(call->job);
	if (call->waiting)
		grp_connection_wait_end(connection);
	grp_json_text_done(&call->text);
	json_decref(call->message);
	free(call);
	grp_connection_done(connection);
}

static bool changes(const struct grp_call *call)
{
	return call->method && call->method->flags & GRP_METHOD_CHANGES;
}

void grp_call_cancel(struct grp_call *call)
{
	if (!call)
		return;
	if (changes(call))
		grp_change_log_abandoned(call);
	call_free(call);
}

static void answer(struct grp_call *call, json_t *message)
{
	_cleanup_json_ json_t *owned = message;

	if (call->wire.oneway)
		return;
	if (owned)
		grp_connection_send(call->connection, owned);
	else
		call->connection->dead = true; /* no memory: better closed than unanswered */
}

static json_t *failed_new(const struct grp_call *call, int result)
{
	_cleanup_json_ json_t *failed = json_object();

	if (!failed || grp_failure_set(failed, result, &call->error) < 0)
		return NULL;
	if (call->item && json_object_set_new(failed, "item", json_string(call->item)) < 0)
		return NULL;
	return grp_wire_error_new(GRP_WIRE_ERROR_FAILED, TAKE_PTR(failed));
}

static void answer_text(struct grp_call *call)
{
	size_t len = call->text.len;

	if (!call->wire.oneway)
		grp_connection_send_bytes(call->connection, TAKE_PTR(call->text.bytes), len);
}

void grp_call_text_begin(struct grp_call *call, const char *key)
{
	grp_json_text_raw(&call->text, "{\"parameters\":{");
	grp_json_text_string(&call->text, key);
	grp_json_text_raw(&call->text, ":[");
}

int grp_call_text_end(struct grp_call *call)
{
	grp_json_text_add(&call->text, "]}}", sizeof("]}}"));
	return call->text.failed ? -ENOMEM : 0;
}

void grp_call_finish(struct grp_call *call, int result, json_t *reply)
{
	if (changes(call))
		grp_change_log(call, result, reply);
	if (call->method && !(call->method->flags & GRP_METHOD_STREAMS))
		grp_watch_deliver(call->connection->server->watch);
	if (result < 0) {
		json_decref(reply);
		answer(call, failed_new(call, result));
	} else if (call->text.len) {
		answer_text(call);
	} else {
		answer(call, grp_wire_reply_new(reply ?: json_object(), false));
	}
	call_free(call);
}

void grp_call_error(struct grp_call *call, const char *name, const char *key, const char *value)
{
	_cleanup_json_ json_t *parameters = json_object();

	if (parameters && key && json_object_set_new(parameters, key, json_string(value)) < 0)
		answer(call, NULL);
	else
		answer(call, grp_wire_error_new(name, TAKE_PTR(parameters)));
	call_free(call);
}

/* --- parameters -------------------------------------------------------------- */

const char *grp_call_string(const struct grp_call *call, const char *name)
{
	return json_string_value(json_object_get(call->wire.parameters, name));
}

json_t *grp_call_array(const struct grp_call *call, const char *name)
{
	json_t *value = json_object_get(call->wire.parameters, name);

	return json_is_array(value) ? value : NULL;
}

bool grp_call_flag(const struct grp_call *call, const char *name)
{
	return json_is_true(json_object_get(call->wire.parameters, name));
}

json_int_t grp_call_number(const struct grp_call *call, const char *name, json_int_t otherwise)
{
	const json_t *value = json_object_get(call->wire.parameters, name);

	return json_is_integer(value) ? json_integer_value(value) : otherwise;
}

static int find_group(struct grp_call *call, const char *text, bool unmounted,
		      struct grp_group **ret_group)
{
	const struct grp_lookup lookup = { .core = call->agent->core,
					   .caller = call->caller,
					   .unmounted = unmounted,
					   .error = &call->error };
	_cleanup_free_ char *spec = NULL;
	int r;

	r = grp_text_unescape(text, &spec, NULL);
	if (r == -EINVAL)
		r = grp_error_set(&call->error, EINVAL, "\\x00 cannot be in a name");
	if (r == 0)
		r = grp_group_lookup(&lookup, spec, ret_group);
	if (r < 0)
		call->item = text;
	return r;
}

int grp_call_group(struct grp_call *call, const char *text, struct grp_group **ret_group)
{
	return find_group(call, text, false, ret_group);
}

int grp_call_group_any(struct grp_call *call, const char *text, struct grp_group **ret_group)
{
	return find_group(call, text, true, ret_group);
}

int grp_call_task(struct grp_call *call, const char *text, struct grp_task_id *ret_id)
{
	struct grp_task_id id = { .tid = 0 };
	int r;

	r = grp_parse_task_id(text, &id.tid, &id.start_ticks);
	if (r == -EINVAL)
		return grp_error_set(&call->error, EINVAL, "not a PID or PID@STARTTIME");
	if (r < 0)
		return r;
	id.self = !id.tid;
	if (id.self)
		id.tid = call->caller->pid;
	else
		r = grp_task_resolve(call->agent->core, call->caller, id.tid, &id.tid);
	if (r == 0 && id.tid <= 0)
		r = -ESRCH;
	if (r == 0)
		*ret_id = id;
	return r;
}

/* --- failures ---------------------------------------------------------------- */

/* What strerror() says is not always what the reader can act on. */
static const struct {
	int number;
	const char *message;
} advice[] = {
	{ EPERM, "Operation not permitted: this needs root" },
	{ EACCES, "Permission denied by the mode of the group, or the task is another user's" },
	{ ESRCH, "No such task" },
	{ ENOENT, "No such group" },
	{ ETIMEDOUT, "It did not become stable in time: try again" },
	{ ENOMEM, "The agent has not enough memory: try again" },
};

static const char *message_of(int number)
{
	for (size_t i = 0; i < sizeof(advice) / sizeof(*advice); i++)
		if (advice[i].number == number)
			return advice[i].message;
	return strerrordesc_np(number) ?: "Unknown error";
}

int grp_failure_set(json_t *object, int result, const struct grp_error *error)
{
	_cleanup_free_ char *text = NULL;
	const char *message = message_of(-result);
	int r;

	if (error && error->number == -result && error->message[0])
		message = error->message;
	/* A reason may hold the raw bytes of a name, or end in half of one. */
	r = grp_text_fix_utf8(message, strlen(message), &text);
	if (r < 0)
		return r;
	if (json_object_set_new(object, "errno", json_string(grp_errno_name(-result))) < 0 ||
	    json_object_set_new(object, "message", json_string(text)) < 0)
		return -ENOMEM;
	return 0;
}

int grp_failure_add(json_t *failures, const char *item, int result, const struct grp_error *error)
{
	_cleanup_json_ json_t *failure = json_object();

	if (!failure || json_object_set_new(failure, "item", json_string(item)) < 0 ||
	    grp_failure_set(failure, result, error) < 0)
		return -ENOMEM;
	return json_array_append(failures, failure) < 0 ? -ENOMEM : 0;
}

/* --- names ------------------------------------------------------------------- */

int grp_group_text(const struct grp_group *group, char **ret_text)
{
	char path[GRP_PATH_MAX];
	ssize_t len = grp_group_path(group, path, sizeof(path));

	if (len < 0)
		return (int)len;
	return grp_text_escape(path, (size_t)len, ret_text);
}

int grp_group_text_full(const struct grp_group *group, char **ret_text)
{
	_cleanup_free_ char *path = NULL;
	int r = grp_group_text(group, &path);

	if (r < 0)
		return r;
	return asprintf(ret_text, "%s:%s", group->hierarchy->name, path) < 0 ? -ENOMEM : 0;
}
