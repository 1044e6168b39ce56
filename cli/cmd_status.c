/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The agent itself and what this kernel offers: status, features, ping.
 */
#include <errno.h>
#include <string.h>

#include "base/cleanup_json.h"
#include "ctl.h"

static const struct grp_column status_lines[] = {
	{ "Instance:", "instance", GRP_CELL_TEXT },
	{ "Version:", "version", GRP_CELL_TEXT },
	{ "State:", "state", GRP_CELL_TEXT },
	{ "Pid:", "pid", GRP_CELL_TEXT },
	{ "Generation:", "generation", GRP_CELL_TEXT },
	{ "Started:", "started_ns", GRP_CELL_CLOCK },
	{ "Hierarchies:", "hierarchies", GRP_CELL_TEXT },
	{ "Groups:", "groups", GRP_CELL_TEXT },
	{ "Sets:", "sets", GRP_CELL_TEXT },
	{ "Connections:", "connections", GRP_CELL_TEXT },
	{ "Memory:", "memory_bytes", GRP_CELL_BYTES },
	{ "Events lost:", "events_lost", GRP_CELL_TEXT },
	{ "Audit corrections:", "audit_corrections", GRP_CELL_TEXT },
	{ "Groups file:", "groups_file", GRP_CELL_TEXT },
	{},
};

static const struct grp_column capacity_columns[] = {
	{ "CAPACITY", "name", GRP_CELL_TEXT },
	{ "USED", "used", GRP_CELL_COUNT },
	{ "LIMIT", "limit", GRP_CELL_COUNT },
	{ "MEMORY(full)", "bytes", GRP_CELL_BYTES },
	{},
};

/* The same rows, of those whose name begins so. */
#define MAP_PREFIX "map:"

static const struct grp_column map_columns[] = {
	{ "MAP", "name", GRP_CELL_TEXT },
	{ "LIMIT", "limit", GRP_CELL_COUNT },
	{ "MEMORY", "bytes", GRP_CELL_BYTES },
	{},
};

static const struct grp_column program_columns[] = {
	{ "PROGRAM", "name", GRP_CELL_TEXT },
	{ "RUNS", "runs", GRP_CELL_COUNT },
	{ "TIME", "run_ns", GRP_CELL_NS },
	{ "TIME/RUN", "run_ns", GRP_CELL_RUN },
	{},
};

/* A blank line in front of a table that has lines. */
static int show_part(const json_t *rows, const struct grp_column *columns)
{
	if (!json_array_size(rows))
		return 0;
	(void)putchar('\n');
	return grp_out_table(rows, columns);
}

static int show_map(json_t *object, const char *key_title, const char *value_title)
{
	if (!json_object_size(object))
		return 0;
	(void)putchar('\n');
	return grp_out_map(object, key_title, value_title);
}

/* A map under its own name; NULL: no memory. */
static json_t *map_row(json_t *row, const char *name)
{
	json_t *map = json_copy(row);

	if (map && json_object_set_new(map, "name", json_string(name)) < 0) {
		json_decref(map);
		return NULL;
	}
	return map;
}

/* What a capacity costs when it is used up is not what a map takes now: two tables. */
static int show_capacities(const json_t *rows)
{
	_cleanup_json_ json_t *capacities = json_array(), *maps = json_array();
	const size_t prefix = strlen(MAP_PREFIX);
	json_t *row;
	size_t i;
	int r;

	json_array_foreach(rows, i, row) {
		const char *name = json_string_value(json_object_get(row, "name")) ?: "";
		bool is_map = !strncmp(name, MAP_PREFIX, prefix);

		r = is_map ? json_array_append_new(maps, map_row(row, name + prefix)) :
			     json_array_append(capacities, row);
		if (r < 0)
			return -ENOMEM;
	}
	r = show_part(capacities, capacity_columns);
	return r ?: show_part(maps, map_columns);
}

static int show_status(const json_t *status)
{
	int r = grp_out_record(status, status_lines);

	if (!r)
		r = show_capacities(json_object_get(status, "capacities"));
	if (!r)
		r = show_part(json_object_get(status, "programs"), program_columns);
	if (!r)
		r = show_map(json_object_get(status, "counters"), "COUNTER", "VALUE");
	return r ?: show_map(json_object_get(status, "config"), "SETTING", "VALUE");
}

static int run_status(struct grp_ctl *ctl, const struct grp_args *args)
{
	_cleanup_json_ json_t *reply = NULL;
	const json_t *object;
	int status;

	status = grp_ctl_call(ctl, "GetStatus",
			      json_pack("{s:o*}", "audit", grp_args_flag(args, GRP_OPTION_AUDIT)),
			      NULL, &reply);
	if (status)
		return status;
	object = json_object_get(reply, "status");
	if (!json_is_object(object))
		return grp_ctl_shown(ctl, -EPROTO);
	return grp_ctl_shown(ctl, ctl->json ? grp_out_json(object) : show_status(object));
}

static const struct grp_option status_options[] = {
	{ GRP_OPTION_AUDIT, "audit", NULL, "compare all counts with a full pass first" },
	{},
};

const struct grp_verb grp_verb_status = {
	.name = "status",
	.usage = "[--audit]",
	.summary = "show the health of the agent",
	.help = "Prints what the agent holds, how full its tables are, how long its programs run in the\n"
		"kernel (counted only while sysctl kernel.bpf_stats_enabled is 1), its counters and\n"
		"its settings. A set is one combination of groups, one of each hierarchy, that tasks\n"
		"are in; the generation counts the starts of the agent. Memory is what the kernel\n"
		"holds for its maps now (before Linux 6.4: when they are full), as the log says at a\n"
		"start; MEMORY(full) what a capacity costs once all of it is used. Events lost are\n"
		"made up for by the agent; audit corrections must stay 0.\n",
	.example = "$ grpctl status\n"
		   "$ grpctl status --audit --json\n",
	.subject = GRP_SUBJECT_AGENT,
	.prints = true,
	.options = status_options,
	.run = run_status,
};

static int run_features(struct grp_ctl *ctl, const struct grp_args *args)
{
	static const struct grp_column columns[] = {
		{ "FEATURE", "name", GRP_CELL_TEXT },
		{ "AVAILABLE", "available", GRP_CELL_TEXT },
		{ "NEEDED", "needed", GRP_CELL_TEXT },
		{ "REASON", "reason", GRP_CELL_TEXT },
		{},
	};
	static const struct grp_listing listing = { "ListFeatures", "features", columns };

	return grp_ctl_list(ctl, &listing, json_object(), NULL);
}

const struct grp_verb grp_verb_features = {
	.name = "features",
	.usage = "",
	.summary = "list what this kernel offers, and why not",
	.help = "Prints one line for each feature of the kernel that the agent has a use for: whether\n"
		"it is there, whether the agent cannot do without it, and if it is not there, why. The\n"
		"agent looks once, when it is asked for the first time.\n",
	.example = "$ grpctl features\n",
	.subject = GRP_SUBJECT_AGENT,
	.prints = true,
	.run = run_features,
};

static int run_ping(struct grp_ctl *ctl, const struct grp_args *args)
{
	static const struct grp_column lines[] = {
		{ "Instance:", "instance", GRP_CELL_TEXT },
		{ "Version:", "version", GRP_CELL_TEXT },
		{},
	};
	_cleanup_json_ json_t *reply = NULL;
	int status = grp_ctl_call(ctl, "Ping", json_object(), NULL, &reply);

	if (status)
		return status;
	return grp_ctl_shown(ctl, ctl->json ? grp_out_json(reply) : grp_out_record(reply, lines));
}

const struct grp_verb grp_verb_ping = {
	.name = "ping",
	.usage = "",
	.summary = "ask whether the agent answers",
	.help = "Prints instance and version of the agent. Exit code 3 when nobody answers, which is so\n"
		"while the agent is starting as well.\n",
	.example = "$ grpctl ping\n",
	.subject = GRP_SUBJECT_AGENT,
	.prints = true,
	.run = run_ping,
};
