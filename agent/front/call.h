/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One method call from its message to its answer: what handlers get, how they
 * look at parameters and how they say that something failed. Knows neither
 * framing nor sockets; the connection behind it only takes messages.
 */
#ifndef GRP_FRONT_CALL_H
#define GRP_FRONT_CALL_H

#include <jansson.h>
#include <stdbool.h>

#include "base/error.h"
#include "core/core.h"
#include "front/json_text.h"
#include "front/wire.h"

struct grp_agent;
struct grp_connection;
struct grp_job;
struct grp_method;

struct grp_call {
	struct grp_agent *agent;
	struct grp_connection *connection; /* borrowed; outlives the call */
	const struct grp_caller *caller; /* of the connection */
	json_t *message; /* owned */
	struct grp_wire_call wire; /* borrowed from message */
	uint64_t begun_usec; /* when it was taken up */
	const struct grp_method *method; /* NULL: not of our interface */
	struct grp_job *job; /* that will answer; NULL: none */
	struct grp_json_text text; /* the whole answer as it goes out; empty: none */
	struct grp_error error; /* reason, for a result below 0 */
	const char *item; /* what failed; borrowed from message, may be NULL */
	bool waiting; /* counted against streams-per-uid */
};

/* Result of a handler that has started a job: it answers later. */
#define GRP_CALL_LATER 1

/**
 * grp_call_new() - a message that came in.
 * @connection: answers go there.
 * @message: taken over, also on failure.
 * Return: 0; -EBADMSG: not a call; -ENOMEM.
 */
int grp_call_new(struct grp_agent *agent, struct grp_connection *connection, json_t *message,
		 struct grp_call **ret_call);

/**
 * grp_call_finish() - answer and free a call; logs it if it was to change
 * something.
 * @result: 0: success; below: Failed with this errno, call->error and ->item.
 * @reply: parameters of the answer, taken over; NULL: none.
 */
void grp_call_finish(struct grp_call *call, int result, json_t *reply);

/*
 * A large answer as text, for a handler that leaves its reply NULL: {"KEY":[ and what
 * follows is written to call->text between the two. Return: 0; -ENOMEM.
 */
void grp_call_text_begin(struct grp_call *call, const char *key);
int grp_call_text_end(struct grp_call *call);

/**
 * grp_call_error() - answer with an error of the protocol and free the call.
 * @name: GRP_WIRE_ERROR_*. @key, @value: its one parameter; NULL: none.
 */
void grp_call_error(struct grp_call *call, const char *name, const char *key, const char *value);

/* grp_call_cancel() - free without an answer: the client is gone. NULL is allowed. */
void grp_call_cancel(struct grp_call *call);

/*
 * Parameters by name, after the method's table was checked; null is absent.
 * NULL, false or @otherwise when absent. Borrowed from the message.
 */
const char *grp_call_string(const struct grp_call *call, const char *name);
json_t *grp_call_array(const struct grp_call *call, const char *name);
bool grp_call_flag(const struct grp_call *call, const char *name);
json_int_t grp_call_number(const struct grp_call *call, const char *name, json_int_t otherwise);

/**
 * grp_call_group() - "[HIERARCHY:]/path" in escaped form to a group, of which the
 * caller may search the way.
 * @text: borrowed from the message; becomes call->item when it fails.
 * Return: as grp_group_lookup(); -ENOMEM.
 */
int grp_call_group(struct grp_call *call, const char *text, struct grp_group **ret_group);

/* grp_call_group_any() - the same, also of a hierarchy that is not mounted. */
int grp_call_group_any(struct grp_call *call, const char *text, struct grp_group **ret_group);

/**
 * grp_call_task() - "PID" or "PID@STARTTIME" of the caller's pid namespace.
 * Return: 0; -EINVAL: no id; -ESRCH: none such that the caller can see.
 */
int grp_call_task(struct grp_call *call, const char *text, struct grp_task_id *ret_id);

/**
 * grp_failure_add() - one item of a bulk request that failed.
 * @failures: array of Failure.
 * @item: as the caller wrote it; valid UTF-8.
 * @error: reason, may be NULL. Return: 0; -ENOMEM.
 */
int grp_failure_add(json_t *failures, const char *item, int result, const struct grp_error *error);

/**
 * grp_failure_set() - errno and message into an object, as Failed and Failure
 * have them.
 * @error: reason, may be NULL or of another number: then the number's own text.
 * Return: 0; -ENOMEM.
 */
int grp_failure_set(json_t *object, int result, const struct grp_error *error);

/* Path of a group in escaped form, owned by the caller. Return: 0; -ENOMEM, -ENAMETOOLONG. */
int grp_group_text(const struct grp_group *group, char **ret_text);

/* "HIERARCHY:/path" in escaped form, to name a group in a failure. */
int grp_group_text_full(const struct grp_group *group, char **ret_text);

#endif
