/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Groups looked at: ls, tree, stat.
 */
#include <errno.h>

#include "base/cleanup_json.h"
#include "ctl.h"

#define DEFAULT_ROOT "/"

static const char *group_of(const struct grp_args *args)
{
	return args->argc ? args->argv[0] : DEFAULT_ROOT;
}

static const struct grp_column ls_columns[] = {
	{ "GROUP", NULL, GRP_CELL_GROUP },
	{ "TASKS", "tasks", GRP_CELL_COUNT },
	{ "CPU(subtree)", "usage_ns", GRP_CELL_NS },
	{},
};

static const struct grp_column ls_long_columns[] = {
	{ "MODE", "mode", GRP_CELL_MODE },
	{ "OWNER", NULL, GRP_CELL_OWNER },
	{ "FLAGS", "flags", GRP_CELL_TEXT },
	{ "CHILDREN", "children", GRP_CELL_COUNT },
	{ "TASKS", "tasks", GRP_CELL_COUNT },
	{ "TASKS(subtree)", "subtree_tasks", GRP_CELL_COUNT },
	{ "CPU(own)", "usage_own_ns", GRP_CELL_NS },
	{ "CPU(subtree)", "usage_ns", GRP_CELL_NS },
	{ "GROUP", NULL, GRP_CELL_GROUP },
	{},
};

static int run_ls(struct grp_ctl *ctl, const struct grp_args *args)
{
	const char *name = group_of(args);
	const struct grp_listing listing = {
		.method = "ListGroups",
		.key = "groups",
		.columns = grp_args_value(args, 'l') ? ls_long_columns : ls_columns,
	};

	return grp_ctl_list(ctl, &listing, json_pack("{s:o}", "group", grp_args_text(name)), name);
}

static const struct grp_option ls_options[] = {
	{ 'l', "long", NULL, "mode, owner as user:group, flags, children and own time as well" },
	{},
};

const struct grp_verb grp_verb_ls = {
	.name = "ls",
	.usage = "[-l] [GROUP]",
	.summary = "list the groups directly below a group",
	.help = "Prints one line for each child of GROUP (without it: of the root of hierarchy\n"
		"default): its members, and the CPU time of its subtree.\n",
	.example = "$ grpctl ls\n"
		   "$ grpctl ls -l /shop\n",
	.subject = GRP_SUBJECT_GROUPS,
	.prints = true,
	.max_args = 1,
	.options = ls_options,
	.run = run_ls,
};

static const struct grp_column tree_columns[] = {
	{ "GROUP", NULL, GRP_CELL_LEAF },
	{ "TASKS", "tasks", GRP_CELL_COUNT },
	{ "CPU(own)", "usage_own_ns", GRP_CELL_NS },
	{ "CPU(subtree)", "usage_ns", GRP_CELL_NS },
	{},
};

static int run_tree(struct grp_ctl *ctl, const struct grp_args *args)
{
	_cleanup_json_ json_t *reply = NULL;
	const char *name = group_of(args);
	const json_t *rows;
	int status;

	status = grp_ctl_call(ctl, "ListGroups",
			      json_pack("{s:o, s:b}", "group", grp_args_text(name), "recursive", 1),
			      name, &reply);
	if (status)
		return status;
	rows = json_object_get(reply, "groups");
	if (!json_is_array(rows))
		return grp_ctl_shown(ctl, -EPROTO);
	if (ctl->json)
		return grp_ctl_shown(ctl, grp_out_json(rows));
	return grp_ctl_shown(ctl, grp_out_tree(rows, tree_columns));
}

const struct grp_verb grp_verb_tree = {
	.name = "tree",
	.usage = "[GROUP]",
	.summary = "draw a group and all below it",
	.help = "Draws the subtree of GROUP (without it: of the root of hierarchy default), with\n"
		"members and CPU time, own and of the subtree. Below the first line a group is shown\n"
		"by its last name only.\n",
	.example = "$ grpctl tree\n"
		   "$ grpctl tree project:/\n",
	.subject = GRP_SUBJECT_GROUPS,
	.prints = true,
	.max_args = 1,
	.run = run_tree,
};

static const struct grp_column stat_lines[] = {
	{ "Group:", NULL, GRP_CELL_GROUP },
	{ "Id:", "id", GRP_CELL_TEXT },
	{ "Created:", "created_ns", GRP_CELL_CLOCK },
	{ "Last activity:", "last_activity_ns", GRP_CELL_CLOCK },
	{ "Owner:", NULL, GRP_CELL_OWNER },
	{ "Mode:", "mode", GRP_CELL_MODE },
	{ "Flags:", "flags", GRP_CELL_TEXT },
	{ "Children:", "children", GRP_CELL_TEXT },
	{ "Descendants:", "descendants", GRP_CELL_TEXT },
	{ "Tasks:", "tasks", GRP_CELL_TEXT },
	{ "Peak tasks:", "peak_tasks", GRP_CELL_TEXT },
	{ "Processes:", "processes", GRP_CELL_TEXT },
	{ "Chargers:", "chargers", GRP_CELL_TEXT },
	{ "References:", "references", GRP_CELL_TEXT },
	{ "CPU, own:", "usage_own_ns", GRP_CELL_NS },
	{ "CPU, subtree:", "usage_ns", GRP_CELL_NS },
	{},
};

static const struct grp_column file_columns[] = {
	{ "MODE", "mode", GRP_CELL_MODE }, { "OWNER", NULL, GRP_CELL_OWNER },
	{ "FILE", "name", GRP_CELL_TEXT }, { "UNIT", "unit", GRP_CELL_TEXT },
	{ "HELP", "help", GRP_CELL_TEXT }, {},
};

static int show_stat(const json_t *stat)
{
	int r = grp_out_record(stat, stat_lines);

	if (r < 0)
		return r;
	(void)putchar('\n');
	return grp_out_table(json_object_get(stat, "files"), file_columns);
}

static int run_stat(struct grp_ctl *ctl, const struct grp_args *args)
{
	_cleanup_json_ json_t *reply = NULL;
	const json_t *stat;
	int status;

	status = grp_ctl_call(ctl, "StatGroup",
			      json_pack("{s:o}", "group", grp_args_text(args->argv[0])),
			      args->argv[0], &reply);
	if (status)
		return status;
	stat = json_object_get(reply, "stat");
	if (!json_is_object(stat))
		return grp_ctl_shown(ctl, -EPROTO);
	return grp_ctl_shown(ctl, ctl->json ? grp_out_json(stat) : show_stat(stat));
}

const struct grp_verb grp_verb_stat = {
	.name = "stat",
	.usage = "GROUP",
	.summary = "show all about one group, with its control files",
	.help = "Prints owner, mode, counts and time of GROUP, then its control files, which get and\n"
		"set read and write. Chargers are its tasks and those that are just ending, whose\n"
		"last slice of time is yet to be charged: when there are none, the time of an empty\n"
		"group is final. References are held by subsystems and keep GROUP from being removed.\n",
	.example = "$ grpctl stat /shop\n",
	.subject = GRP_SUBJECT_GROUPS,
	.prints = true,
	.min_args = 1,
	.max_args = 1,
	.run = run_stat,
};
