/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Groups made, removed and renamed: mkdir, rmdir, mv.
 */
#include <sys/stat.h>

#include "ctl.h"

static int run_mkdir(struct grp_ctl *ctl, const struct grp_args *args)
{
	const char *text = grp_args_value(args, 'm');
	const mode_t mask = umask(0);
	unsigned int mode = 0;

	(void)umask(mask);
	if (text && grp_args_mode(text, &mode) < 0)
		return grp_ctl_usage(ctl, "not an octal mode: %s", text);
	return grp_ctl_bulk(ctl, "MakeGroups",
			    json_pack("{s:o, s:o*, s:o*, s:i}", "groups",
				      grp_args_texts(args->argv, args->argc), "parents",
				      grp_args_flag(args, 'p'), "mode",
				      text ? json_integer(mode) : NULL, "umask", (int)mask));
}

static const struct grp_option mkdir_options[] = {
	{ 'p', "parents", NULL, "make missing parents; a group that exists is no error" },
	{ 'm', "mode", "MODE", "permissions in octal, as 0775" },
	{},
};

const struct grp_verb grp_verb_mkdir = {
	.name = "mkdir",
	.usage = "[-p] [-m MODE] GROUP...",
	.summary = "make groups",
	.help = "Makes each GROUP, owned by the caller, with the permissions that the umask leaves or, with\n"
		"-m, with exactly these. All are tried; those that cannot be made are reported, one line\n"
		"each.\n",
	.example = "$ grpctl mkdir -p /shop/web /shop/db\n"
		   "$ grpctl mkdir -m 0770 project:/alpha\n",
	.subject = GRP_SUBJECT_GROUPS,
	.min_args = 1,
	.max_args = GRP_VERB_ARGS_ANY,
	.options = mkdir_options,
	.run = run_mkdir,
};

static int run_rmdir(struct grp_ctl *ctl, const struct grp_args *args)
{
	return grp_ctl_bulk(ctl, "RemoveGroups",
			    json_pack("{s:o, s:o*, s:o*}", "groups",
				      grp_args_texts(args->argv, args->argc), "recursive",
				      grp_args_flag(args, 'r'), "kill",
				      grp_args_flag(args, GRP_OPTION_KILL)));
}

static const struct grp_option rmdir_options[] = {
	{ 'r', "recursive", NULL, "the groups below it as well, deepest first" },
	{ GRP_OPTION_KILL, "kill", NULL, "kill members until there are none" },
	{},
};

const struct grp_verb grp_verb_rmdir = {
	.name = "rmdir",
	.usage = "[-r] [--kill] GROUP...",
	.summary = "remove groups",
	.help = "Removes each GROUP, which must have neither tasks nor groups below it. What it used\n"
		"stays in the subtree time of its parent. All are tried; those that cannot be removed\n"
		"are reported, one line each.\n",
	.example = "$ grpctl rmdir /shop/db\n"
		   "$ grpctl rmdir -r --kill /shop\n",
	.subject = GRP_SUBJECT_GROUPS,
	.min_args = 1,
	.max_args = GRP_VERB_ARGS_ANY,
	.options = rmdir_options,
	.run = run_rmdir,
};

static int run_mv(struct grp_ctl *ctl, const struct grp_args *args)
{
	return grp_ctl_do(ctl, "RenameGroup",
			  json_pack("{s:o, s:o}", "from", grp_args_text(args->argv[0]), "to",
				    grp_args_text(args->argv[1])),
			  args->argv[0]);
}

const struct grp_verb grp_verb_mv = {
	.name = "mv",
	.usage = "GROUP GROUP",
	.summary = "rename a group",
	.help = "Gives the first GROUP the name of the second one, which must have the same parent.\n"
		"Both are written in full.\n",
	.example = "$ grpctl mv /shop/web /shop/frontend\n",
	.subject = GRP_SUBJECT_GROUPS,
	.min_args = 2,
	.max_args = 2,
	.run = run_mv,
};
