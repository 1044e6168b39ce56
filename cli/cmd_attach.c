/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which task is where: attach, clone, ps, which.
 */
#include <errno.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/cleanup_json.h"
#include "ctl.h"

static json_t *attach_parameters(const struct grp_args *args, const char *from)
{
	return json_pack("{s:o, s:o, s:o*, s:o*}", "groups", grp_args_groups(args->argv[0]), "pids",
			 grp_args_texts(&args->argv[1], args->argc - 1), "thread",
			 grp_args_flag(args, GRP_OPTION_THREAD), "from",
			 from ? grp_args_text(from) : NULL);
}

/* Whether the groups let anybody in. */
static int run_can_attach(struct grp_ctl *ctl, const struct grp_args *args, const char *from)
{
	_cleanup_json_ json_t *reply = NULL;
	int status;

	if (from || args->argc > 1)
		return grp_ctl_usage(ctl,
				     "--dry-run asks about the groups: no PID, no --from with it");
	status = grp_ctl_call(ctl, "CanAttach",
			      json_pack("{s:o, s:o*}", "groups", grp_args_groups(args->argv[0]),
					"thread", grp_args_flag(args, GRP_OPTION_THREAD)),
			      args->argv[0], &reply);
	if (status || !ctl->json)
		return status;
	return grp_ctl_shown(ctl, grp_out_json(reply));
}

static int run_attach(struct grp_ctl *ctl, const struct grp_args *args)
{
	_cleanup_json_ json_t *reply = NULL;
	const char *from = grp_args_value(args, GRP_OPTION_FROM);
	int status;

	if (grp_args_value(args, GRP_OPTION_DRY_RUN))
		return run_can_attach(ctl, args, from);
	if (from && (args->argc > 1 || grp_args_value(args, GRP_OPTION_THREAD)))
		return grp_ctl_usage(ctl, "--from takes every member: no PID, no --thread with it");
	if (!from && args->argc < 2)
		return grp_ctl_usage(ctl, "a PID is missing");
	status = grp_ctl_call(ctl, "Attach", attach_parameters(args, from), args->argv[0], &reply);
	if (status)
		return status;
	if (ctl->json)
		status = grp_ctl_shown(ctl, grp_out_json(reply));
	return grp_ctl_failures(ctl, reply, NULL) ?: status;
}

static const struct grp_option attach_options[] = {
	{ GRP_OPTION_THREAD, "thread", NULL, "only the threads named, not their processes" },
	{ GRP_OPTION_FROM, "from", "GROUP", "every member of this group instead of PIDs" },
	{ GRP_OPTION_DRY_RUN, "dry-run", NULL, "move nobody, say whether anybody could enter" },
	{},
};

const struct grp_verb grp_verb_attach = {
	.name = "attach",
	.usage = "[--thread] GROUP[,GROUP...] PID...  |  attach --from GROUP GROUP[,GROUP...]"
		 "  |  attach --dry-run [--thread] GROUP[,GROUP...]",
	.summary = "move processes or threads into groups",
	.help = "Moves each PID with all its threads, those being born included. Several groups of\n"
		"different hierarchies, separated by commas, are entered in one step. A PID may be\n"
		"written PID@STARTTIME (field 22 of /proc/PID/stat) against reuse; 0 is the caller.\n"
		"All are tried; those that cannot be moved are reported, one line each.\n"
		"With --dry-run nobody is moved: it fails as it would for any task, when you may not\n"
		"write there or a subsystem lets nobody in.\n",
	.example = "$ grpctl attach /shop/web 4711\n"
		   "$ grpctl attach /shop/web,project:/alpha 4711 4712\n"
		   "$ grpctl attach --from /shop/web /shop/db\n",
	.subject = GRP_SUBJECT_TASKS,
	.prints = true,
	.min_args = 1,
	.max_args = GRP_VERB_ARGS_ANY,
	.options = attach_options,
	.run = run_attach,
};

/* Who runs grpctl: the shell, as a rule. */
static json_t *parent(void)
{
	return json_sprintf("%d", (int)getppid());
}

static int run_clone(struct grp_ctl *ctl, const struct grp_args *args)
{
	const char *subsystem = grp_args_value(args, GRP_OPTION_SUBSYSTEM);
	const char *pid = args->argc ? args->argv[0] : NULL;
	_cleanup_json_ json_t *reply = NULL;
	const json_t *groups, *group;
	size_t i;
	int status = grp_ctl_call(ctl, "Clone",
				  json_pack("{s:o, s:o*, s:o*}", "pid",
					    pid ? grp_args_text(pid) : parent(), "thread",
					    grp_args_flag(args, GRP_OPTION_THREAD), "subsystem",
					    subsystem ? grp_args_text(subsystem) : NULL),
				  pid, &reply);

	if (status)
		return status;
	groups = json_object_get(reply, "groups");
	if (!json_is_array(groups))
		return grp_ctl_shown(ctl, -EPROTO);
	if (ctl->json)
		return grp_ctl_shown(ctl, grp_out_json(groups));
	json_array_foreach(groups, i, group) {
		_cleanup_free_ char *text = NULL;

		if (grp_cell_safe(json_string_value(group) ?: "", &text) < 0)
			return grp_ctl_shown(ctl, -ENOMEM);
		(void)printf("%s\n", text);
	}
	return GRP_EXIT_DONE;
}

static const struct grp_option clone_options[] = {
	{ GRP_OPTION_SUBSYSTEM, "subsys", "NAME", "in the hierarchy this subsystem is bound to" },
	{ GRP_OPTION_THREAD, "thread", NULL, "only the thread named, not its process" },
	{},
};

const struct grp_verb grp_verb_clone = {
	.name = "clone",
	.usage = "[--thread] [--subsys NAME] [PID]",
	.summary = "move a process into a new child of its group",
	.help = "Makes a group node_PID, mode 0755, below the group that process PID is in and moves\n"
		"it there, as one operation: if it cannot be moved, the group goes again. Prints the\n"
		"new group. Without PID it is the process that runs grpctl, such as a shell. The\n"
		"hierarchy is default, or the one that subsystem NAME is bound to; nothing is done,\n"
		"and that is no error, if that one is not mounted. mkdir and attach must be allowed.\n",
	.example = "$ grpctl clone\n"
		   "$ grpctl clone --subsys cpuacct 4711\n",
	.subject = GRP_SUBJECT_TASKS,
	.prints = true,
	.min_args = 0,
	.max_args = 1,
	.options = clone_options,
	.run = run_clone,
};

static const struct grp_column thread_columns[] = {
	{ "PID", "pid", GRP_CELL_COUNT }, /* of the thread */
	{ "TGID", "tgid", GRP_CELL_COUNT },
	{ "CPU", "cpu_ns", GRP_CELL_NS },
	{ "GROUP", NULL, GRP_CELL_GROUP },
	{ "COMMAND", "command", GRP_CELL_TEXT },
	{},
};

static const struct grp_column process_columns[] = {
	{ "PID", "pid", GRP_CELL_COUNT },
	{ "CPU", "cpu_ns", GRP_CELL_NS },
	{ "GROUP", NULL, GRP_CELL_GROUP },
	{ "COMMAND", "command", GRP_CELL_TEXT },
	{},
};

static int run_ps(struct grp_ctl *ctl, const struct grp_args *args)
{
	const struct grp_listing listing = {
		.method = "ListTasks",
		.key = "tasks",
		.columns = grp_args_value(args, 'p') ? process_columns : thread_columns,
	};

	return grp_ctl_list(ctl, &listing,
			    json_pack("{s:o, s:o*, s:o*}", "group", grp_args_text(args->argv[0]),
				      "recursive", grp_args_flag(args, 'r'), "processes",
				      grp_args_flag(args, 'p')),
			    args->argv[0]);
}

static const struct grp_option ps_options[] = {
	{ 'r', "recursive", NULL, "members of the groups below it as well" },
	{ 'p', "processes", NULL, "processes instead of threads" },
	{},
};

const struct grp_verb grp_verb_ps = {
	.name = "ps",
	.usage = "[-r] [-p] GROUP",
	.summary = "list the members of a group",
	.help = "Prints one line for each thread (-p: process) in GROUP: its ids, its CPU time since it\n"
		"was born, wherever that was spent, its group, and the name in /proc/PID/comm. Tasks\n"
		"of other pid namespaces are not shown.\n",
	.example = "$ grpctl ps /shop/web\n"
		   "$ grpctl ps -r -p /shop\n",
	.subject = GRP_SUBJECT_TASKS,
	.prints = true,
	.min_args = 1,
	.max_args = 1,
	.options = ps_options,
	.run = run_ps,
};

/* "cpuacct,name=HIERARCHY:/path", then " exiting" for a task that is. */
static int show_place(const json_t *place, bool exiting)
{
	static const struct grp_column subsystems = { "", "subsystems", GRP_CELL_TEXT };
	static const struct grp_column group = { "", NULL, GRP_CELL_GROUP };
	_cleanup_free_ char *bound = NULL, *path = NULL;
	int r = grp_cell_text(place, &subsystems, &bound);

	if (!r)
		r = grp_cell_text(place, &group, &path);
	if (r < 0)
		return r;
	if (json_array_size(json_object_get(place, "subsystems")))
		(void)printf("%s,", bound);
	(void)printf("name=%s%s\n", path, exiting ? " exiting" : "");
	return 0;
}

static int show_placements(const json_t *placements, bool headed)
{
	const json_t *placement, *place;
	size_t i, k;

	json_array_foreach(placements, i, placement) {
		bool exiting = json_is_true(json_object_get(placement, "exiting"));

		if (headed)
			(void)printf("%" JSON_INTEGER_FORMAT ":\n",
				     json_integer_value(json_object_get(placement, "pid")));
		json_array_foreach(json_object_get(placement, "places"), k, place) {
			int r = show_place(place, exiting);

			if (r < 0)
				return r;
		}
	}
	return 0;
}

static int run_which(struct grp_ctl *ctl, const struct grp_args *args)
{
	_cleanup_json_ json_t *reply = NULL;
	const json_t *placements;
	int status;

	status = grp_ctl_call(ctl, "WhichTasks",
			      json_pack("{s:o}", "pids", grp_args_texts(args->argv, args->argc)),
			      args->argc == 1 ? args->argv[0] : NULL, &reply);
	if (status)
		return status;
	placements = json_object_get(reply, "placements");
	if (!json_is_array(placements))
		return grp_ctl_shown(ctl, -EPROTO);
	status = grp_ctl_shown(ctl, ctl->json ? grp_out_json(placements) :
						show_placements(placements, args->argc > 1));
	return grp_ctl_failures(ctl, reply, NULL) ?: status;
}

const struct grp_verb grp_verb_which = {
	.name = "which",
	.usage = "PID...",
	.summary = "show the groups of a task, one line per hierarchy",
	.help = "Prints for each hierarchy its subsystems and the group, as in\n"
		"cpuacct,name=default:/shop/web; a hierarchy without subsystems prints name=... only.\n"
		"Several PIDs have a line PID: in front of each. A task that is exiting, or a zombie,\n"
		"shows the group it was in last and the word exiting.\n",
	.example = "$ grpctl which 4711\n"
		   "$ grpctl which --json 4711 4712\n",
	.subject = GRP_SUBJECT_TASKS,
	.prints = true,
	.min_args = 1,
	.max_args = GRP_VERB_ARGS_ANY,
	.run = run_which,
};
