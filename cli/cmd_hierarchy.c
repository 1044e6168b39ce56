/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Hierarchies and what is bound to them: remount, umount, mounts, hierarchies,
 * subsystems. mount is in cmd_mount.c.
 */
#include "ctl.h"

static const struct grp_option remount_options[] = {
	{ 'o', "options", "OPTIONS", "subsystems to bind and flags, separated by commas" },
	{},
};

static int run_remount(struct grp_ctl *ctl, const struct grp_args *args)
{
	const char *options = grp_args_value(args, 'o');

	return grp_ctl_do(ctl, "Remount",
			  json_pack("{s:o, s:o*}", "name", grp_args_text(args->argv[0]), "options",
				    options ? grp_args_text(options) : NULL),
			  args->argv[0]);
}

const struct grp_verb grp_verb_remount = {
	.name = "remount",
	.usage = "[-o OPTIONS] NAME",
	.summary = "bind other subsystems to a hierarchy",
	.help = "Makes the subsystems of hierarchy NAME those of OPTIONS, which are as for mount. That\n"
		"needs a hierarchy without groups but its root; nothing that stands in the root is\n"
		"lost. noprefix has to be repeated. A release agent that is given replaces the old\n"
		"one. A remount that changes no subsystem is allowed at any time.\n",
	.example = "$ grpctl remount -o none project\n",
	.subject = GRP_SUBJECT_HIERARCHIES,
	.min_args = 1,
	.max_args = 1,
	.options = remount_options,
	.run = run_remount,
};

static int run_umount(struct grp_ctl *ctl, const struct grp_args *args)
{
	return grp_ctl_do(ctl, "Unmount", json_pack("{s:o}", "name", grp_args_text(args->argv[0])),
			  args->argv[0]);
}

const struct grp_verb grp_verb_umount = {
	.name = "umount",
	.usage = "NAME",
	.summary = "remove a hierarchy",
	.help = "Removes hierarchy NAME, if it has other names only this one. With groups below its\n"
		"root it goes on out of sight, with its members and its subsystems, until the last of\n"
		"them is removed (rmdir NAME:/... finds them) or it is mounted again with the same\n"
		"subsystems. Hierarchy default always stays.\n",
	.example = "$ grpctl umount project\n",
	.subject = GRP_SUBJECT_HIERARCHIES,
	.min_args = 1,
	.max_args = 1,
	.run = run_umount,
};

static int run_mounts(struct grp_ctl *ctl, const struct grp_args *args)
{
	static const struct grp_column columns[] = {
		{ "NAME", "name", GRP_CELL_TEXT },
		{ "HIERARCHY", "hierarchy", GRP_CELL_TEXT },
		{ "OPTIONS", "options", GRP_CELL_TEXT },
		{ "AT", "directories", GRP_CELL_TEXT },
		{},
	};
	static const struct grp_listing listing = { "ListMounts", "mounts", columns };

	return grp_ctl_list(ctl, &listing, json_object(), NULL);
}

const struct grp_verb grp_verb_mounts = {
	.name = "mounts",
	.usage = "",
	.summary = "list the names of hierarchies with their options",
	.help = "Prints one line for each name: the first name of its hierarchy, and the options: the\n"
		"subsystems that are bound, noprefix, clone_children, release_agent=PATH; and the\n"
		"directories where the hierarchy is seen as files (mount --at).\n",
	.example = "$ grpctl mounts\n",
	.subject = GRP_SUBJECT_HIERARCHIES,
	.prints = true,
	.run = run_mounts,
};

static int run_hierarchies(struct grp_ctl *ctl, const struct grp_args *args)
{
	static const struct grp_column columns[] = {
		{ "HIERARCHY", "name", GRP_CELL_TEXT },
		{ "GROUPS", "groups", GRP_CELL_COUNT },
		{ "TASKS", "tasks", GRP_CELL_COUNT },
		{ "MOUNTED", "mounted", GRP_CELL_TEXT },
		{ "SUBSYSTEMS", "subsystems", GRP_CELL_TEXT },
		{ "ALIASES", "aliases", GRP_CELL_TEXT },
		{},
	};
	static const struct grp_listing listing = { "ListHierarchies", "hierarchies", columns };

	return grp_ctl_list(ctl, &listing, json_object(), NULL);
}

const struct grp_verb grp_verb_hierarchies = {
	.name = "hierarchies",
	.usage = "",
	.summary = "list hierarchies with their size and subsystems",
	.help = "Prints one line for each hierarchy: number of groups, of tasks, whether it is mounted\n"
		"or only kept alive by its groups, the subsystems bound to it, its other names.\n",
	.example = "$ grpctl hierarchies\n",
	.subject = GRP_SUBJECT_HIERARCHIES,
	.prints = true,
	.run = run_hierarchies,
};

static int run_subsystems(struct grp_ctl *ctl, const struct grp_args *args)
{
	static const struct grp_column columns[] = {
		{ "SUBSYSTEM", "name", GRP_CELL_TEXT },
		{ "HIERARCHY", "hierarchy", GRP_CELL_TEXT },
		{ "GROUPS", "groups", GRP_CELL_COUNT },
		{ "ENABLED", "enabled", GRP_CELL_TEXT },
		{ "SHAREABLE", "shareable", GRP_CELL_TEXT },
		{},
	};
	static const struct grp_listing listing = { "ListSubsystems", "subsystems", columns };

	return grp_ctl_list(ctl, &listing, json_object(), NULL);
}

const struct grp_verb grp_verb_subsystems = {
	.name = "subsystems",
	.usage = "",
	.summary = "list subsystems and the hierarchies they are bound to",
	.help = "Prints one line for each subsystem and each hierarchy that it is bound to: number of\n"
		"groups there, whether it is enabled (file SUBSYSTEM_enabled of the root), whether it\n"
		"can be bound to several hierarchies at once.\n",
	.example = "$ grpctl subsystems\n",
	.subject = GRP_SUBJECT_HIERARCHIES,
	.prints = true,
	.run = run_subsystems,
};
