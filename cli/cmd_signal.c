/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Ending what runs in a group, and waiting for its end: kill, wait.
 */
#include <errno.h>
#include <signal.h>

#include "base/cleanup_json.h"
#include "ctl.h"

static int run_kill(struct grp_ctl *ctl, const struct grp_args *args)
{
	_cleanup_json_ json_t *reply = NULL;
	const char *name = grp_args_value(args, 's');
	int number = SIGTERM, status;

	if (name && grp_args_signal(name, &number) < 0)
		return grp_ctl_usage(ctl, "not a signal: %s", name);
	status = grp_ctl_call(ctl, "Kill",
			      json_pack("{s:o, s:o*, s:i}", "group", grp_args_text(args->argv[0]),
					"recursive", grp_args_flag(args, 'r'), "signal", number),
			      args->argv[0], &reply);
	if (status || !ctl->json)
		return status;
	return grp_ctl_shown(ctl, grp_out_json(reply));
}

static const struct grp_option kill_options[] = {
	{ 'r', "recursive", NULL, "members of the groups below it as well" },
	{ 's', "signal", "SIGNAL", "name, with or without SIG, or number; TERM without it" },
	{},
};

const struct grp_verb grp_verb_kill = {
	.name = "kill",
	.usage = "[-r] [-s SIGNAL] GROUP",
	.summary = "send a signal to every process in a group",
	.help = "Sends SIGNAL once to each process that has a member in GROUP, as far as the caller\n"
		"may signal it. With -s KILL it goes on until no member is left, also against a fork\n"
		"bomb. grpctl itself is no exception if it is a member. Real-time signals are given by\n"
		"number. Prints nothing, with --json how many processes were signalled.\n",
	.example = "$ grpctl kill /shop/web\n"
		   "$ grpctl kill -r -s KILL /shop\n",
	.subject = GRP_SUBJECT_TASKS,
	.prints = true,
	.min_args = 1,
	.max_args = 1,
	.options = kill_options,
	.run = run_kill,
};

static int run_wait(struct grp_ctl *ctl, const struct grp_args *args)
{
	_cleanup_json_ json_t *reply = NULL, *rows = NULL;
	json_t *usage;
	int status;

	status = grp_ctl_call(ctl, "Wait",
			      json_pack("{s:o, s:o*}", "group", grp_args_text(args->argv[0]),
					"recursive", grp_args_flag(args, 'r')),
			      args->argv[0], &reply);
	if (status)
		return status;
	usage = json_object_get(reply, "usage");
	if (!json_is_object(usage))
		return grp_ctl_shown(ctl, -EPROTO);
	if (ctl->json)
		return grp_ctl_shown(ctl, grp_out_json(usage));
	rows = json_pack("[O]", usage);
	return grp_ctl_shown(ctl, rows ? grp_out_table(rows, grp_out_usage) : -ENOMEM);
}

static const struct grp_option wait_options[] = {
	{ 'r', "recursive", NULL, "until the groups below it are empty as well" },
	{},
};

const struct grp_verb grp_verb_wait = {
	.name = "wait",
	.usage = "[-r] GROUP",
	.summary = "wait until a group is empty, then show what it used",
	.help = "Waits until GROUP has no member, which may be at once, and prints its usage then.\n",
	.example = "$ grpctl wait -r /shop\n",
	.subject = GRP_SUBJECT_TASKS,
	.prints = true,
	.min_args = 1,
	.max_args = 1,
	.options = wait_options,
	.run = run_wait,
};
