/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * mount: makes a hierarchy, and shows it as files. It is grpctl that mounts, in its own
 * mount namespace; the agent is given the descriptor by which requests are answered.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "ctl.h"
#include "show.h"

#define DEVICE "/dev/fuse"
#define TYPE "fuse.grpfs"

/* --- as files ----------------------------------------------------------------------- */

static int mount_device(int device, const char *source, const char *directory)
{
	char data[160];

	(void)snprintf(data, sizeof(data),
		       "fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other,default_permissions",
		       device);
	if (mount(source, directory, TYPE, MS_NOSUID | MS_NODEV | MS_NOEXEC, data) < 0)
		return -errno;
	return 0;
}

/* @name: of the hierarchy; NULL: all of them. */
static int serve(struct grp_ctl *ctl, const char *name, const char *directory)
{
	return grp_ctl_do(ctl, "ServeMount",
			  json_pack("{s:o*, s:o}", "hierarchy", name ? grp_args_text(name) : NULL,
				    "directory", grp_args_text(directory)),
			  name ?: directory);
}

int grp_ctl_show(struct grp_ctl *ctl, const char *name, const char *at)
{
	_cleanup_free_ char *directory = realpath(at, NULL), *source = NULL;
	_cleanup_close_ int device = -1;
	int r, status;

	if (!directory)
		return grp_ctl_fail_errno(ctl, at, errno);
	if (asprintf(&source, "%s:%s", ctl->instance, name ?: "") < 0) {
		source = NULL;
		return grp_ctl_fail_errno(ctl, at, ENOMEM);
	}
	device = open(DEVICE, O_RDWR | O_CLOEXEC);
	if (device < 0)
		return grp_ctl_fail_errno(ctl, DEVICE, errno);
	r = mount_device(device, source, directory);
	if (r < 0)
		return grp_ctl_fail_errno(ctl, at, -r);
	ctl->passed = device;
	status = serve(ctl, name, directory);
	ctl->passed = 0;
	/* What nobody answers must not stay. */
	if (status)
		(void)umount2(directory, MNT_DETACH | UMOUNT_NOFOLLOW);
	return status;
}

/* --- the verb ----------------------------------------------------------------------------- */

static int make(struct grp_ctl *ctl, const char *name, const char *options)
{
	return grp_ctl_do(ctl, "Mount",
			  json_pack("{s:o, s:o*}", "name", grp_args_text(name), "options",
				    options ? grp_args_text(options) : NULL),
			  name);
}

static int run_mount(struct grp_ctl *ctl, const struct grp_args *args)
{
	const char *options = grp_args_value(args, 'o'), *at = grp_args_value(args, GRP_OPTION_AT);
	const char *name = args->argc ? args->argv[0] : NULL;
	bool all = grp_args_value(args, GRP_OPTION_ALL);
	int status = GRP_EXIT_DONE;

	if (all && (!at || name || options))
		return grp_ctl_usage(ctl, "--all goes with --at DIR only");
	if (!all && !name)
		return grp_ctl_usage(ctl, "too few arguments: mount %s", ctl->verb->usage);
	/* What is there already needs no options to be shown. */
	if (name && (options || !at))
		status = make(ctl, name, options);
	return status || !at ? status : grp_ctl_show(ctl, name, at);
}

static const struct grp_option mount_options[] = {
	{ 'o', "options", "OPTIONS", "subsystems to bind and flags, separated by commas" },
	{ GRP_OPTION_AT, "at", "DIR", "show it as files at directory DIR" },
	{ GRP_OPTION_ALL, "all", NULL, "with --at: all hierarchies, and proc" },
	{},
};

const struct grp_verb grp_verb_mount = {
	.name = "mount",
	.usage = "[-o OPTIONS] [--at DIR] NAME | --at DIR --all",
	.summary = "make a hierarchy, give one another name, or show it as files",
	.help = "Makes hierarchy NAME, in which every task starts in the root group. NAME has up to\n"
		"64 of the characters A-Z a-z 0-9 _ . - and is how groups of it are written:\n"
		"NAME:/path. OPTIONS are separated by commas:\n\n"
		"  SUBSYSTEM           bind it; 'grpctl subsystems' lists them\n"
		"  all                 bind all of them; so does mount without -o\n"
		"  none                bind none\n"
		"  noprefix            its files are called usage, not cpuacct.usage\n"
		"  clone_children      set cgroup.clone_children in its root\n"
		"  release_agent=PATH  run PATH for each group that is released\n\n"
		"A subsystem that is not shareable is in one hierarchy at a time. An equal set with\n"
		"such a one is the same hierarchy under one more name; also one that was unmounted\n"
		"and is kept alive by its groups. An existing NAME with the same options is left as\n"
		"it is.\n\n"
		"With --at the hierarchy is mounted at DIR as a control filesystem: groups are\n"
		"directories, control files are files. It is then made only if -o is given. umount(8)\n"
		"ends that. With --all every hierarchy is a directory of DIR.\n",
	.example = "$ grpctl mount -o cpuacct project\n"
		   "$ grpctl mount -o none,release_agent=/usr/local/sbin/released job\n"
		   "$ grpctl mount --at /mnt/project project\n",
	.subject = GRP_SUBJECT_HIERARCHIES,
	.min_args = 0,
	.max_args = 1,
	.options = mount_options,
	.run = run_mount,
};
