/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * exec: this very process enters the groups, becomes the user and then the
 * command. Nothing of the command runs outside, and no descriptor of ours is
 * left to it.
 */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup_json.h"
#include "base/parse.h"
#include "ctl.h"
#include "mem_policy.h"

/* The whole process that asks. */
#define CALLER "0"

/* By name, else by number. NULL with errno 0: there is none. */
static const struct passwd *find_user(const char *user)
{
	const struct passwd *entry;
	uint64_t uid;

	errno = 0;
	entry = getpwnam(user);
	if (entry || grp_parse_u64(user, 0, UINT32_MAX - 1, &uid) < 0)
		return entry;
	errno = 0;
	return getpwuid((uid_t)uid);
}

/* How the groups are entered: themselves, or a new child of each. */
struct entry {
	const char *method;
	json_t *parameters;
	const char *item; /* what the user wrote; NULL: nothing */
};

static struct entry plan_entry(const struct grp_args *args, const char *groups)
{
	const char *subsystem = grp_args_value(args, GRP_OPTION_SUBSYSTEM);

	if (!grp_args_value(args, GRP_OPTION_CLONE))
		return (struct entry){ "Attach",
				       json_pack("{s:o, s:[s]}", "groups", grp_args_groups(groups),
						 "pids", CALLER),
				       groups };
	return (struct entry){ "Clone",
			       json_pack("{s:s, s:o*, s:o*}", "pid", CALLER, "groups",
					 groups ? grp_args_groups(groups) : NULL, "subsystem",
					 subsystem ? grp_args_text(subsystem) : NULL),
			       groups ?: subsystem };
}

static int enter(struct grp_ctl *ctl, const struct grp_args *args, const char *groups)
{
	struct entry entry = plan_entry(args, groups);
	_cleanup_json_ json_t *reply = NULL;
	int status = grp_ctl_call(ctl, entry.method, entry.parameters, entry.item, &reply);

	if (!status && json_object_get(reply, "failures"))
		status = grp_ctl_failures(ctl, reply, groups);
	if (!status)
		status = grp_mem_policy_take(ctl);
	grp_ctl_client_close(&ctl->client);
	return status;
}

static int become(const struct grp_ctl *ctl, const struct passwd *user)
{
	if (initgroups(user->pw_name, user->pw_gid) < 0 || setgid(user->pw_gid) < 0 ||
	    setuid(user->pw_uid) < 0)
		return grp_ctl_fail_errno(ctl, user->pw_name, errno);
	return GRP_EXIT_DONE;
}

/*
 * "GROUP [--] COMMAND", or "-- COMMAND" with --clone.
 * @ret_groups: NULL: none. Return: the command; NULL: said what is wrong.
 */
static char **split(const struct grp_ctl *ctl, const struct grp_args *args, const char **ret_groups)
{
	/* There is always a word before these; options end at the first "--". */
	bool none = grp_args_value(args, GRP_OPTION_CLONE) && !strcmp(args->argv[-1], "--");
	char **command = none ? args->argv : &args->argv[1];
	const char *wrong = NULL;

	if (!none && command[0] && !strcmp(command[0], "--"))
		command++;
	else if (!none && command[0] && command[0][0] == '-')
		wrong = "options stand before GROUP";
	if (!wrong && !command[0])
		wrong = "the command is missing";
	if (!wrong && grp_args_value(args, GRP_OPTION_SUBSYSTEM) && !none)
		wrong = "--subsys goes with --clone and no GROUP: exec --clone --subsys NAME -- COMMAND";
	if (wrong) {
		(void)grp_ctl_usage(ctl, "%s", wrong);
		return NULL;
	}
	*ret_groups = none ? NULL : args->argv[0];
	return command;
}

static int run_exec(struct grp_ctl *ctl, const struct grp_args *args)
{
	const char *name = grp_args_value(args, GRP_OPTION_USER), *groups = NULL;
	const struct passwd *user = NULL;
	char **command = split(ctl, args, &groups);
	int status;

	if (!command)
		return GRP_EXIT_USAGE;
	if (name)
		user = find_user(name);
	if (name && !user)
		return errno ? grp_ctl_fail_errno(ctl, name, errno) :
			       grp_ctl_fail(ctl, name, "No such user", "ENOENT");
	status = enter(ctl, args, groups);
	if (!status && user)
		status = become(ctl, user);
	if (status)
		return status;
	(void)execvp(command[0], command);
	status = errno == ENOENT ? GRP_EXIT_NOT_FOUND : GRP_EXIT_NOT_EXECUTABLE;
	(void)grp_ctl_fail_errno(ctl, command[0], errno);
	return status;
}

static const struct grp_option exec_options[] = {
	{ GRP_OPTION_USER, "user", "USER", "become this user (name or number) once inside" },
	{ GRP_OPTION_CLONE, "clone", NULL, "enter a new child node_PID of each group" },
	{ GRP_OPTION_SUBSYSTEM, "subsys", "NAME",
	  "with --clone: in the hierarchy of subsystem NAME" },
	{},
};

const struct grp_verb grp_verb_exec = {
	.name = "exec",
	.usage = "[--user USER] [--clone] GROUP[,GROUP...] -- COMMAND [ARG...]  |  "
		 "exec [--user USER] --clone [--subsys NAME] -- COMMAND [ARG...]",
	.summary = "run a command in groups",
	.help = "Enters the groups and then runs COMMAND in place of itself: COMMAND and all it starts\n"
		"is inside from its first instruction. Several groups must be of different\n"
		"hierarchies. With --user it takes over user, group and supplementary groups of USER\n"
		"(not the environment), which needs root. Options stand before GROUP.\n\n"
		"With --clone a child node_PID of each group is made and entered, PID being the number\n"
		"of COMMAND; without GROUP, of the group of hierarchy default (--subsys: of the\n"
		"hierarchy that the subsystem is bound to) that grpctl is in.\n\n"
		"In a group of subsystem cpuset COMMAND has the memory policy of the group.\n\n"
		"Exit code: 125 when anything fails before COMMAND runs, wrong usage and an agent that\n"
		"is not reachable included; 126 when COMMAND cannot be run; 127 when it is not found;\n"
		"else COMMAND's own.\n",
	.example = "$ grpctl exec /shop/web -- make -j4\n"
		   "$ grpctl exec --user nobody /shop/web,project:/alpha -- id\n"
		   "$ grpctl exec --clone /shop/web -- make -j4\n",
	.subject = GRP_SUBJECT_TASKS,
	.runs_command = true,
	.min_args = 1,
	.max_args = GRP_VERB_ARGS_ANY,
	.options = exec_options,
	.run = run_exec,
};
