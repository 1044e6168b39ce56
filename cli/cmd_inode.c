/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Owners and modes of groups and of their control files: chown, chmod.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/cleanup_json.h"
#include "ctl.h"
#include "mode.h"
#include "owner.h"

/* "GROUP" or "GROUP FILE" as it was written, for messages. NULL: no memory, then without. */
static char *words_of(const struct grp_args *args)
{
	const char *file = args->argc > 2 ? args->argv[2] : NULL;
	char *words;

	return asprintf(&words, "%s%s%s", args->argv[1], file ? " " : "", file ?: "") < 0 ? NULL :
											    words;
}

static json_t *file_of(const struct grp_args *args)
{
	return args->argc > 2 ? grp_args_text(args->argv[2]) : NULL;
}

/* --- chown ---------------------------------------------------------------------------- */

static json_t *id_of(int64_t id)
{
	return id == GRP_OWNER_KEEP ? NULL : json_integer(id);
}

static int run_chown(struct grp_ctl *ctl, const struct grp_args *args)
{
	_cleanup_free_ char *item = words_of(args), *wrong = NULL;
	bool alone = grp_args_value(args, 'd');
	struct grp_owner owner;
	int r = grp_owner_parse(args->argv[0], &owner, &wrong);

	if (alone && args->argc > 2)
		return grp_ctl_usage(ctl, "--directory is of the group: no FILE with it");
	if (r == -EINVAL)
		return grp_ctl_usage(ctl, "an owner is written USER, USER:GROUP or :GROUP");
	if (r == -ENOENT)
		return grp_ctl_fail(ctl, wrong, "No such user or group of users", "ENOENT");
	if (r < 0)
		return grp_ctl_fail_errno(ctl, item, -r);
	return grp_ctl_do(ctl, "ChangeOwner",
			  json_pack("{s:o, s:o*, s:o*, s:o*, s:o*}", "group",
				    grp_args_text(args->argv[1]), "file", file_of(args), "uid",
				    id_of(owner.uid), "gid", id_of(owner.gid), "members",
				    alone || args->argc > 2 ? NULL : json_true()),
			  item);
}

static const struct grp_option chown_options[] = {
	{ 'd', "directory", NULL, "the group itself, without its tasks and cgroup.procs" },
	{},
};

const struct grp_verb grp_verb_chown = {
	.name = "chown",
	.usage = "[-d] USER[:GROUP] GROUP [FILE]",
	.summary = "give a group, or a control file of it, to a user",
	.help = "Makes USER the owner of the group, and GROUP, a group of users, its group; USER: is the\n"
		"login group of USER, :GROUP changes the group only. Both are names or numbers. Without\n"
		"FILE the control files tasks and cgroup.procs go along: USER can then make groups in it\n"
		"and attach tasks of his to it, which is to delegate it; limits and settings stay with\n"
		"whom they belong to. Groups below it are not changed.\n\n"
		"Only root changes USER. The owner may choose a GROUP that he is a member of.\n",
	.example = "$ grpctl chown alice:staff /lab/alice\n"
		   "$ grpctl chown :staff /lab/alice cpuacct.usage\n",
	.subject = GRP_SUBJECT_GROUPS,
	.min_args = 2,
	.max_args = 3,
	.options = chown_options,
	.run = run_chown,
};

/* --- chmod ---------------------------------------------------------------------------- */

/* The object that has the mode: the group's stat, or that of a file in it. */
static const json_t *find_mode(const json_t *stat, const char *name)
{
	const json_t *file;
	size_t i;

	if (!name)
		return json_object_get(stat, "mode");
	json_array_foreach(json_object_get(stat, "files"), i, file) {
		const char *is = json_string_value(json_object_get(file, "name"));

		if (is && !strcmp(is, name))
			return json_object_get(file, "mode");
	}
	return NULL;
}

/* What the mode is now, as chmod(1) looks before it changes. */
static int present_mode(struct grp_ctl *ctl, const struct grp_args *args, const char *item,
			unsigned int *ret_mode)
{
	const char *file = args->argc > 2 ? args->argv[2] : NULL;
	_cleanup_json_ json_t *reply = NULL;
	const json_t *mode;
	int status = grp_ctl_call(ctl, "StatGroup",
				  json_pack("{s:o}", "group", grp_args_text(args->argv[1])), item,
				  &reply);

	if (status)
		return status;
	mode = find_mode(json_object_get(reply, "stat"), file);
	if (!json_is_integer(mode))
		return grp_ctl_fail(ctl, item, "No such control file, or none that may be seen",
				    "ENOENT");
	*ret_mode = (unsigned int)json_integer_value(mode);
	return GRP_EXIT_DONE;
}

static int run_chmod(struct grp_ctl *ctl, const struct grp_args *args)
{
	_cleanup_free_ char *item = words_of(args);
	struct grp_mode_base base = { .umask = umask(0), .directory = args->argc < 3 };
	const char *text = args->argv[0];
	unsigned int mode;
	int status;

	(void)umask(base.umask);
	if (grp_mode_apply(text, NULL, &mode) < 0)
		return grp_ctl_usage(ctl, "not a mode: %s", text);
	if (!grp_mode_is_octal(text)) {
		status = present_mode(ctl, args, item, &base.mode);
		if (status)
			return status;
		(void)grp_mode_apply(text, &base, &mode);
	}
	return grp_ctl_do(ctl, "ChangeMode",
			  json_pack("{s:o, s:i, s:o*}", "group", grp_args_text(args->argv[1]),
				    "mode", (int)mode, "file", file_of(args)),
			  item);
}

const struct grp_verb grp_verb_chmod = {
	.name = "chmod",
	.usage = "MODE GROUP [FILE]",
	.summary = "change the permissions of a group, or of a control file of it",
	.help = "MODE is octal, or changes as chmod(1) takes them: u+w,g=rx,o-rwx. Of a group: r to list\n"
		"the groups in it, w (with x) to make, rename and remove them, x to reach what is in it;\n"
		"of a file: r to get, w to set. Who may write tasks may attach threads of his, who may\n"
		"write cgroup.procs processes. Root may do everything. Only root and the owner change\n"
		"the mode. A MODE that begins with - has -- in front of it.\n",
	.example = "$ grpctl chmod 0750 /lab/alice\n"
		   "$ grpctl chmod g+w /lab/alice tasks\n",
	.subject = GRP_SUBJECT_GROUPS,
	.min_args = 2,
	.max_args = 3,
	.run = run_chmod,
};
