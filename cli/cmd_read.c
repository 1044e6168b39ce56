/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Values of groups: get, set, usage.
 */
#include <errno.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/cleanup_json.h"
#include "ctl.h"

/* "GROUP FILE" as it was written, for messages. NULL: no memory, then without. */
static char *words_of(const struct grp_args *args)
{
	char *words;

	return asprintf(&words, "%s %s", args->argv[0], args->argv[1]) < 0 ? NULL : words;
}

static int run_get(struct grp_ctl *ctl, const struct grp_args *args)
{
	_cleanup_free_ char *item = words_of(args);
	_cleanup_json_ json_t *reply = NULL;
	const json_t *content;
	int status;

	status = grp_ctl_call(ctl, "ReadFile",
			      json_pack("{s:o, s:o}", "group", grp_args_text(args->argv[0]), "file",
					grp_args_text(args->argv[1])),
			      item, &reply);
	if (status)
		return status;
	if (ctl->json)
		return grp_ctl_shown(ctl, grp_out_json(reply));
	content = json_object_get(reply, "content");
	if (!json_is_string(content))
		return grp_ctl_shown(ctl, -EPROTO);
	/* A write that failed is noticed at the end. */
	(void)fwrite(json_string_value(content), 1, json_string_length(content), stdout);
	return GRP_EXIT_DONE;
}

const struct grp_verb grp_verb_get = {
	.name = "get",
	.usage = "GROUP FILE",
	.summary = "print a control file",
	.help = "Prints exactly what control file FILE of GROUP holds. stat GROUP lists the files.\n",
	.example = "$ grpctl get /shop cpuacct.usage\n"
		   "$ grpctl get /shop/web cgroup.procs\n",
	.subject = GRP_SUBJECT_VALUES,
	.prints = true,
	.min_args = 2,
	.max_args = 2,
	.run = run_get,
};

static int run_set(struct grp_ctl *ctl, const struct grp_args *args)
{
	_cleanup_free_ char *item = words_of(args);

	return grp_ctl_do(ctl, "WriteFile",
			  json_pack("{s:o, s:o, s:o}", "group", grp_args_text(args->argv[0]),
				    "file", grp_args_text(args->argv[1]), "value",
				    grp_args_text(args->argv[2])),
			  item);
}

const struct grp_verb grp_verb_set = {
	.name = "set",
	.usage = "GROUP FILE VALUE",
	.summary = "write a control file",
	.help = "Writes VALUE to control file FILE of GROUP in one write. A VALUE that begins with -\n"
		"has -- in front of GROUP.\n",
	.example = "$ grpctl set /shop cpuacct.usage 0\n",
	.subject = GRP_SUBJECT_VALUES,
	.min_args = 3,
	.max_args = 3,
	.run = run_set,
};

static int run_usage(struct grp_ctl *ctl, const struct grp_args *args)
{
	static const struct grp_listing listing = { "GetUsage", "usage", grp_out_usage };
	const char *name = args->argc ? args->argv[0] : NULL;

	return grp_ctl_list(ctl, &listing,
			    json_pack("{s:o*, s:o*}", "group", name ? grp_args_text(name) : NULL,
				      "recursive", grp_args_flag(args, 'r')),
			    name);
}

static const struct grp_option usage_options[] = {
	{ 'r', "recursive", NULL, "a line for each group below it as well" },
	{},
};

const struct grp_verb grp_verb_usage = {
	.name = "usage",
	.usage = "[-r] [GROUP]",
	.summary = "show the CPU time of a group",
	.help = "Prints the CPU time of GROUP (without it: of the root of every hierarchy), of its own\n"
		"tasks and of its whole subtree, with the split into user and system time. It is the\n"
		"sum of what the kernel charged the tasks, exact to the nanosecond; a task that runs\n"
		"at this moment may be behind by one tick.\n",
	.example = "$ grpctl usage\n"
		   "$ grpctl usage -r /shop\n"
		   "$ grpctl usage --json /shop\n",
	.subject = GRP_SUBJECT_VALUES,
	.prints = true,
	.max_args = 1,
	.options = usage_options,
	.run = run_usage,
};
