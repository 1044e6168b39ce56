/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The table of methods and what is checked before a handler runs. It says the
 * same as include/grp/org.grpagent.varlink; a test compares the two.
 */
#include "front/methods.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "agent.h"
#include "front/connection.h"
#include "front/introspect.h"

#define NEEDED(name_, type_)                                               \
	{                                                                  \
		.name = (name_), .type = GRP_PARAM_##type_, .needed = true \
	}
#define OPTIONAL(name_, type_)                             \
	{                                                  \
		.name = (name_), .type = GRP_PARAM_##type_ \
	}
#define NUMBER(name_, min_, max_)                                                    \
	{                                                                            \
		.name = (name_), .type = GRP_PARAM_INT, .min = (min_), .max = (max_) \
	}

#define NEEDED_NUMBER(name_, min_, max_)                                               \
	{                                                                              \
		.name = (name_), .type = GRP_PARAM_INT, .needed = true, .min = (min_), \
		.max = (max_)                                                          \
	}

/* Of a user or a group of users; one more stands for "as it is". */
#define ID_MAX (UINT32_MAX - 1)
/* The highest signal is SIGRTMAX of the kernel; 0 only asks. */
#define SIGNAL_MAX 64

const struct grp_method grp_methods[] = {
	{ .name = "Ping", .handler = grp_method_ping, .flags = GRP_METHOD_EARLY },
	{ .name = "GetStatus",
	  .handler = grp_method_get_status,
	  .params = { OPTIONAL("audit", BOOL) } },
	{ .name = "ListFeatures", .handler = grp_method_list_features },
	{ .name = "ListHierarchies", .handler = grp_method_list_hierarchies },
	{ .name = "ListSubsystems", .handler = grp_method_list_subsystems },
	{ .name = "ListMounts", .handler = grp_method_list_mounts },
	{ .name = "Mount",
	  .handler = grp_method_mount,
	  .flags = GRP_METHOD_ROOT | GRP_METHOD_CHANGES,
	  .params = { NEEDED("name", STRING), OPTIONAL("options", STRING) } },
	{ .name = "Remount",
	  .handler = grp_method_remount,
	  .flags = GRP_METHOD_ROOT | GRP_METHOD_CHANGES,
	  .params = { NEEDED("name", STRING), OPTIONAL("options", STRING) } },
	{ .name = "Unmount",
	  .handler = grp_method_unmount,
	  .flags = GRP_METHOD_ROOT | GRP_METHOD_CHANGES,
	  .params = { NEEDED("name", STRING) } },
	{ .name = "ServeMount",
	  .handler = grp_method_serve_mount,
	  .flags = GRP_METHOD_ROOT | GRP_METHOD_CHANGES,
	  .params = { OPTIONAL("hierarchy", STRING), NEEDED("directory", STRING) } },
	{ .name = "MakeGroups",
	  .handler = grp_method_make_groups,
	  .flags = GRP_METHOD_CHANGES,
	  .params = { NEEDED("groups", STRINGS), OPTIONAL("parents", BOOL),
		      NUMBER("mode", 0, 07777), NUMBER("umask", 0, 0777) } },
	{ .name = "RemoveGroups",
	  .handler = grp_method_remove_groups,
	  .flags = GRP_METHOD_CHANGES,
	  .params = { NEEDED("groups", STRINGS), OPTIONAL("recursive", BOOL),
		      OPTIONAL("kill", BOOL) } },
	{ .name = "RenameGroup",
	  .handler = grp_method_rename_group,
	  .flags = GRP_METHOD_CHANGES,
	  .params = { NEEDED("from", STRING), NEEDED("to", STRING) } },
	{ .name = "ListGroups",
	  .handler = grp_method_list_groups,
	  .params = { OPTIONAL("group", STRING), OPTIONAL("recursive", BOOL) } },
	{ .name = "StatGroup",
	  .handler = grp_method_stat_group,
	  .params = { NEEDED("group", STRING) } },
	{ .name = "ChangeOwner",
	  .handler = grp_method_change_owner,
	  .flags = GRP_METHOD_CHANGES,
	  .params = { NEEDED("group", STRING), OPTIONAL("file", STRING), NUMBER("uid", 0, ID_MAX),
		      NUMBER("gid", 0, ID_MAX), OPTIONAL("members", BOOL) } },
	{ .name = "ChangeMode",
	  .handler = grp_method_change_mode,
	  .flags = GRP_METHOD_CHANGES,
	  .params = { NEEDED("group", STRING), NEEDED_NUMBER("mode", 0, 07777),
		      OPTIONAL("file", STRING) } },
	{ .name = "Attach",
	  .handler = grp_method_attach,
	  .flags = GRP_METHOD_CHANGES,
	  .params = { NEEDED("groups", STRINGS), NEEDED("pids", STRINGS), OPTIONAL("thread", BOOL),
		      OPTIONAL("from", STRING) } },
	{ .name = "CanAttach",
	  .handler = grp_method_can_attach,
	  .params = { NEEDED("groups", STRINGS), OPTIONAL("thread", BOOL) } },
	{ .name = "Clone",
	  .handler = grp_method_clone,
	  .flags = GRP_METHOD_CHANGES,
	  .params = { OPTIONAL("pid", STRING), OPTIONAL("thread", BOOL),
		      OPTIONAL("subsystem", STRING), OPTIONAL("groups", STRINGS) } },
	{ .name = "ListTasks",
	  .handler = grp_method_list_tasks,
	  .params = { NEEDED("group", STRING), OPTIONAL("recursive", BOOL),
		      OPTIONAL("processes", BOOL) } },
	{ .name = "WhichTasks",
	  .handler = grp_method_which_tasks,
	  .params = { NEEDED("pids", STRINGS) } },
	{ .name = "ReadFile",
	  .handler = grp_method_read_file,
	  .params = { NEEDED("group", STRING), NEEDED("file", STRING) } },
	{ .name = "WriteFile",
	  .handler = grp_method_write_file,
	  .flags = GRP_METHOD_CHANGES,
	  .params = { NEEDED("group", STRING), NEEDED("file", STRING), NEEDED("value", STRING) } },
	{ .name = "GetUsage",
	  .handler = grp_method_get_usage,
	  .params = { OPTIONAL("group", STRING), OPTIONAL("recursive", BOOL) } },
	{ .name = "Kill",
	  .handler = grp_method_kill,
	  .flags = GRP_METHOD_CHANGES | GRP_METHOD_WAITS,
	  .params = { NEEDED("group", STRING), OPTIONAL("recursive", BOOL),
		      NUMBER("signal", 0, SIGNAL_MAX) } },
	{ .name = "Wait",
	  .handler = grp_method_wait,
	  .flags = GRP_METHOD_WAITS,
	  .params = { NEEDED("group", STRING), OPTIONAL("recursive", BOOL) } },
	{ .name = "Watch",
	  .handler = grp_method_watch,
	  .flags = GRP_METHOD_STREAMS | GRP_METHOD_WAITS,
	  .params = { OPTIONAL("group", STRING) } },
	{ .name = "GetConfiguration",
	  .handler = grp_method_get_configuration,
	  .flags = GRP_METHOD_ROOT },
	{ .name = "CompareConfiguration",
	  .handler = grp_method_compare_configuration,
	  .flags = GRP_METHOD_ROOT,
	  .params = { NEEDED("configuration", CONFIGURATION), OPTIONAL("continued", BOOL) } },
	/* Logs its changes itself, and nothing when there are none. */
	{ .name = "ApplyConfiguration",
	  .handler = grp_method_apply_configuration,
	  .flags = GRP_METHOD_ROOT,
	  .params = { NEEDED("configuration", CONFIGURATION), OPTIONAL("continued", BOOL) } },
};

const size_t grp_n_methods = sizeof(grp_methods) / sizeof(*grp_methods);

/* --- checking ---------------------------------------------------------------- */

static bool are_strings(const json_t *value)
{
	const json_t *item;
	size_t i;

	if (!json_is_array(value))
		return false;
	json_array_foreach(value, i, item)
		if (!json_is_string(item))
			return false;
	return true;
}

static bool is_valid(const struct grp_param *param, const json_t *value)
{
	if (!value || json_is_null(value))
		return !param->needed;
	switch (param->type) {
	case GRP_PARAM_STRING:
		return json_is_string(value);
	case GRP_PARAM_STRINGS:
		return are_strings(value);
	case GRP_PARAM_BOOL:
		return json_is_boolean(value);
	case GRP_PARAM_INT:
		return json_is_integer(value) && json_integer_value(value) >= param->min &&
		       json_integer_value(value) <= param->max;
	case GRP_PARAM_CONFIGURATION:
		return json_is_object(value);
	case GRP_PARAM_TYPES_MAX:
		break;
	}
	return false;
}

static const struct grp_param *find_param(const struct grp_method *method, const char *name)
{
	for (const struct grp_param *param = method->params; param->name; param++)
		if (!strcmp(param->name, name))
			return param;
	return NULL;
}

/* Name of the first parameter that is wrong; NULL: none. */
static const char *wrong_parameter(const struct grp_call *call)
{
	const char *name;
	json_t *value;

	for (const struct grp_param *param = call->method->params; param->name; param++)
		if (!is_valid(param, json_object_get(call->wire.parameters, param->name)))
			return param->name;
	json_object_foreach(call->wire.parameters, name, value)
		if (!find_param(call->method, name))
			return name;
	return NULL;
}

static const struct grp_method *find_method(const char *name)
{
	for (size_t i = 0; i < grp_n_methods; i++)
		if (!strcmp(grp_methods[i].name, name))
			return &grp_methods[i];
	return NULL;
}

/* --- dispatching ------------------------------------------------------------- */

/* Rights and limits, as an errno. */
static int admit(struct grp_call *call)
{
	int r;

	if (call->method->flags & GRP_METHOD_ROOT && call->caller->uid)
		return grp_error_set(&call->error, EPERM, "%s needs root", call->method->name);
	if (!(call->method->flags & GRP_METHOD_WAITS))
		return 0;
	r = grp_connection_wait(call->connection, &call->error);
	call->waiting = r == 0;
	return r;
}

static void carry_out(struct grp_call *call)
{
	json_t *reply = NULL;
	int r = admit(call);

	if (r == 0)
		r = call->method->handler(call, &reply);
	if (r != GRP_CALL_LATER)
		grp_call_finish(call, r, reply);
}

static void dispatch_ours(struct grp_call *call, const char *name)
{
	const char *wrong;

	call->method = find_method(name);
	if (!call->method) {
		grp_call_error(call, GRP_WIRE_ERROR_NO_METHOD, "method", call->wire.method);
		return;
	}
	if (!call->agent->ready && !(call->method->flags & GRP_METHOD_EARLY)) {
		grp_call_error(call, GRP_WIRE_ERROR_STARTING, NULL, NULL);
		return;
	}
	wrong = wrong_parameter(call);
	if (wrong)
		grp_call_error(call, GRP_WIRE_ERROR_PARAMETER, "parameter", wrong);
	else if (call->method->flags & GRP_METHOD_STREAMS && !call->wire.more)
		grp_call_error(call, GRP_WIRE_ERROR_EXPECTED_MORE, NULL, NULL);
	else
		carry_out(call);
}

void grp_methods_dispatch(struct grp_call *call)
{
	const char *method = call->wire.method, *dot = strrchr(method, '.');
	size_t len = dot ? (size_t)(dot - method) : 0;
	char interface[256];

	if (call->wire.upgrade) {
		grp_call_error(call, GRP_WIRE_ERROR_NOT_IMPLEMENTED, "method", method);
		return;
	}
	if (!dot || len >= sizeof(interface)) {
		grp_call_error(call, GRP_WIRE_ERROR_NO_METHOD, "method", method);
		return;
	}
	memcpy(interface, method, len);
	interface[len] = '\0';
	if (!strcmp(interface, GRP_WIRE_INTERFACE))
		dispatch_ours(call, dot + 1);
	else if (!strcmp(interface, GRP_WIRE_SERVICE))
		grp_introspect_dispatch(call, dot + 1);
	else
		grp_call_error(call, GRP_WIRE_ERROR_NO_INTERFACE, "interface", interface);
}
