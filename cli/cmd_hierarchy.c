/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Hierarchies and what is bound to them: mount, umount, mounts, hierarchies,
 * subsystems.
 */
#include "ctl.h"

static int run_mount(struct grp_ctl *ctl, const struct grp_args *args)
{
	const char *options = grp_args_value(args, 'o');

	return grp_ctl_do(ctl, "Mount",
			  json_pack("{s:o, s:o*}", "name", grp_args_text(args->argv[0]), "options",
				    options ? grp_args_text(options) : NULL),
			  args->argv[0]);
}

static const struct grp_option mount_options[] = {
	{ 'o', "options", "OPTIONS", "subsystems to bind and flags, separated by commas" },
	{},
};

const struct grp_verb grp_verb_mount = {
	.name = "mount",
	.usage = "[-o OPTIONS] NAME",
	.summary = "make a hierarchy",
	.help = "Makes hierarchy NAME, in which every task starts in the root group. NAME has up to\n"
		"64 of the characters A-Z a-z 0-9 _ . - and is how groups of it are written:\n"
		"NAME:/path. OPTIONS are the subsystems to bind, such as cpuacct, or none for no\n"
		"subsystem at all; without -o all there are, which must not be bound elsewhere if they\n"
		"are not shareable. An existing NAME with the same options is left as it is.\n",
	.example = "$ grpctl mount -o cpuacct project\n",
	.subject = GRP_SUBJECT_HIERARCHIES,
	.min_args = 1,
	.max_args = 1,
	.options = mount_options,
	.run = run_mount,
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
	.help = "Removes hierarchy NAME. With groups below its root it is put out of sight only, and\n"
		"goes with the last of them; mount with its options shows it again. Hierarchy default\n"
		"always stays.\n",
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
		{ "OPTIONS", "options", GRP_CELL_TEXT },
		{},
	};
	static const struct grp_listing listing = { "ListMounts", "mounts", columns };

	return grp_ctl_list(ctl, &listing, json_object(), NULL);
}

const struct grp_verb grp_verb_mounts = {
	.name = "mounts",
	.usage = "",
	.summary = "list hierarchies with the options they were made with",
	.help = "Prints one line for each hierarchy: its name and its options.\n",
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
		{ "SUBSYSTEMS", "subsystems", GRP_CELL_TEXT },
		{},
	};
	static const struct grp_listing listing = { "ListHierarchies", "hierarchies", columns };

	return grp_ctl_list(ctl, &listing, json_object(), NULL);
}

const struct grp_verb grp_verb_hierarchies = {
	.name = "hierarchies",
	.usage = "",
	.summary = "list hierarchies with their size and subsystems",
	.help = "Prints one line for each hierarchy: number of groups, of tasks, and the subsystems\n"
		"bound to it.\n",
	.example = "$ grpctl hierarchies\n",
	.subject = GRP_SUBJECT_HIERARCHIES,
	.prints = true,
	.run = run_hierarchies,
};

static int run_subsystems(struct grp_ctl *ctl, const struct grp_args *args)
{
	static const struct grp_column columns[] = {
		{ "SUBSYSTEM", "name", GRP_CELL_TEXT },
		{ "GROUPS", "groups", GRP_CELL_COUNT },
		{ "ENABLED", "enabled", GRP_CELL_TEXT },
		{ "SHAREABLE", "shareable", GRP_CELL_TEXT },
		{ "HIERARCHIES", "hierarchies", GRP_CELL_TEXT },
		{},
	};
	static const struct grp_listing listing = { "ListSubsystems", "subsystems", columns };

	return grp_ctl_list(ctl, &listing, json_object(), NULL);
}

const struct grp_verb grp_verb_subsystems = {
	.name = "subsystems",
	.usage = "",
	.summary = "list subsystems and the hierarchies they are bound to",
	.help = "Prints one line for each subsystem: number of groups, whether it is enabled, whether\n"
		"it can be bound to several hierarchies at once, and those it is bound to.\n",
	.example = "$ grpctl subsystems\n",
	.subject = GRP_SUBJECT_HIERARCHIES,
	.prints = true,
	.run = run_subsystems,
};
