/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Methods about the configuration as a whole: save, diff, apply. They are answered
 * at once, so that no other client sees anything between before and after.
 */
#include <errno.h>

#include "agent.h"
#include "base/cleanup.h"
#include "base/cleanup_json.h"
#include "front/configuration.h"
#include "front/connection.h"
#include "front/methods.h"

int grp_method_get_configuration(struct grp_call *call, json_t **ret_reply)
{
	_cleanup_json_ json_t *configuration = NULL;
	struct grp_declaration *declaration;
	int r = grp_declaration_take(call->agent->core, &declaration);

	if (r < 0)
		return r;
	configuration = grp_configuration_new(declaration);
	grp_declaration_free(declaration);
	*ret_reply = configuration ? json_pack("{s:O}", "configuration", configuration) : NULL;
	return *ret_reply ? 0 : -ENOMEM;
}

/* --- in parts -------------------------------------------------------------------- */

static json_t *last_of(const json_t *array)
{
	size_t n = json_array_size(array);

	return n ? json_array_get(array, n - 1) : NULL;
}

static bool same_name(const json_t *a, const json_t *b)
{
	const json_t *name = json_object_get(a, "name");

	return name && json_equal(name, json_object_get(b, "name"));
}

/* What is added is not looked at: who reads all of it will complain. */
static int join(json_t *staged, const json_t *part)
{
	json_t *hierarchies = json_object_get(staged, "hierarchies"), *hierarchy;
	const json_t *last = last_of(hierarchies);
	int r = 0;
	size_t i;

	json_array_foreach(json_object_get(part, "hierarchies"), i, hierarchy) {
		if (!i && same_name(last, hierarchy))
			r |= json_array_extend(json_object_get(last, "groups"),
					       json_object_get(hierarchy, "groups"));
		else
			r |= json_array_append(hierarchies, hierarchy);
	}
	return r < 0 ? -EINVAL : 0;
}

/* The parts before and this one, as one; new reference. */
static int collect(struct grp_call *call, json_t **ret_configuration)
{
	struct grp_connection *connection = call->connection;
	json_t *part = json_object_get(call->wire.parameters, "configuration");
	_cleanup_json_ json_t *staged = TAKE_PTR(connection->staged);
	int r;

	if (!staged) {
		connection->staged_bytes = 0;
		*ret_configuration = json_incref(part);
		return 0;
	}
	r = join(staged, part);
	if (r < 0)
		return grp_error_set(&call->error, EINVAL,
				     "the parts of the configuration do not fit together");
	*ret_configuration = TAKE_PTR(staged);
	return 0;
}

/* Kept until the next call; its connection is the owner. */
static int stage(struct grp_call *call, json_t *configuration)
{
	struct grp_connection *connection = call->connection;
	const json_t *part = json_object_get(call->wire.parameters, "configuration");

	connection->staged_bytes += json_dumpb(part, NULL, 0, JSON_COMPACT);
	if (connection->staged_bytes > GRP_WIRE_REPLY_MAX)
		return grp_error_set(&call->error, EMSGSIZE,
				     "a configuration may have at most %lu bytes",
				     GRP_WIRE_REPLY_MAX);
	connection->staged = json_incref(configuration);
	return 0;
}

static int run(struct grp_call *call, enum grp_configuration_mode mode, json_t **ret_reply)
{
	_cleanup_json_ json_t *configuration = NULL;
	_cleanup_json_ json_t *changes = NULL;
	int r = collect(call, &configuration);

	if (r < 0)
		return r;
	if (grp_call_flag(call, "continued")) {
		changes = json_array();
		r = stage(call, configuration);
	} else {
		r = grp_configuration_run(call->agent, configuration, mode, call->caller,
					  &call->error, &changes);
	}
	if (r < 0)
		return r;
	*ret_reply = json_pack("{s:O}", "changes", changes);
	return *ret_reply ? 0 : -ENOMEM;
}

int grp_method_compare_configuration(struct grp_call *call, json_t **ret_reply)
{
	return run(call, GRP_CONFIGURATION_COMPARE, ret_reply);
}

int grp_method_apply_configuration(struct grp_call *call, json_t **ret_reply)
{
	return run(call, GRP_CONFIGURATION_APPLY, ret_reply);
}
