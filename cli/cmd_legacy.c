/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * legacy: a command that finds the agent's hierarchies where control groups of
 * version 1 were. All is done in a mount namespace that ends with it: nobody else
 * sees anything of it, and nothing is left behind.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/cleanup_json.h"
#include "ctl.h"
#include "legacy.h"
#include "show.h"

#define MOUNT_FLAGS (MS_NOSUID | MS_NODEV | MS_NOEXEC)
#define REAL_MOUNTS "/proc/self/mounts"

/* --- what programs read ------------------------------------------------------------------ */

static char *read_whole(const char *path)
{
	_cleanup_fclose_ FILE *in = fopen(path, "re");
	char *text = NULL;
	size_t room = 0;

	/* No file of /proc has a NUL in it, so this is the whole. */
	if (!in || getdelim(&text, &room, '\0', in) < 0) {
		free(text);
		return NULL;
	}
	return text;
}

/*
 * Lays @file over @target itself: /proc/mounts is a symbolic link, which mount(2) would
 * follow to the list of one process.
 */
static int lay_over(const char *file, const char *target)
{
	_cleanup_close_ int tree =
		(int)syscall(SYS_open_tree, AT_FDCWD, file, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	if (tree < 0 ||
	    syscall(SYS_move_mount, tree, "", AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return -errno;
	return 0;
}

/* @print: of grp_legacy_mounts() or grp_legacy_controllers(); @source: its second argument. */
static int put_text(const char *file, const json_t *chosen, const char *real,
		    const json_t *subsystems)
{
	_cleanup_fclose_ FILE *out = fopen(file, "we");

	if (!out)
		return -errno;
	if (real)
		grp_legacy_mounts(chosen, real, out);
	else
		grp_legacy_controllers(chosen, subsystems, out);
	return fflush(out) < 0 ? -errno : 0;
}

/* The files lie in a file system of their own that is seen nowhere else afterwards. */
static int put_texts(const struct grp_ctl *ctl, const json_t *chosen, const json_t *subsystems)
{
	static const char mounts[] = GRP_LEGACY_ROOT "/mounts";
	static const char controllers[] = GRP_LEGACY_ROOT "/cgroups";
	_cleanup_free_ char *real = read_whole(REAL_MOUNTS);
	int r;

	if (!real)
		return grp_ctl_fail_errno(ctl, REAL_MOUNTS, errno);
	if (mount("tmpfs", GRP_LEGACY_ROOT, "tmpfs", MOUNT_FLAGS, "mode=755") < 0)
		return grp_ctl_fail_errno(ctl, GRP_LEGACY_ROOT, errno);
	r = put_text(mounts, chosen, real, NULL) ?: put_text(controllers, chosen, NULL, subsystems);
	if (r < 0)
		return grp_ctl_fail_errno(ctl, GRP_LEGACY_ROOT, -r);
	r = lay_over(mounts, "/proc/mounts") ?: lay_over(controllers, "/proc/cgroups");
	if (r < 0)
		return grp_ctl_fail_errno(ctl, "/proc", -r);
	if (umount2(GRP_LEGACY_ROOT, MNT_DETACH) < 0)
		return grp_ctl_fail_errno(ctl, GRP_LEGACY_ROOT, errno);
	return GRP_EXIT_DONE;
}

/* --- the directories ------------------------------------------------------------------------ */

/* As distributions had it: a link for each subsystem that has a hierarchy with others. */
static int link_subsystems(const json_t *chosen, size_t i, const char *name)
{
	const json_t *subsystem;
	size_t j;

	json_array_foreach(json_object_get(json_array_get(chosen, i), "subsystems"), j, subsystem) {
		_cleanup_free_ char *path = NULL;

		if (!grp_legacy_owns(chosen, i, json_string_value(subsystem)))
			continue;
		if (asprintf(&path, GRP_LEGACY_ROOT "/%s", json_string_value(subsystem)) < 0) {
			path = NULL;
			return -ENOMEM;
		}
		/* A hierarchy may have the name of a subsystem. */
		if (symlink(name, path) < 0 && errno != EEXIST)
			return -errno;
	}
	return 0;
}

static int show_one(struct grp_ctl *ctl, const json_t *hierarchy)
{
	const char *name = json_string_value(json_object_get(hierarchy, "name"));
	_cleanup_free_ char *path = NULL;

	if (asprintf(&path, GRP_LEGACY_ROOT "/%s", name) < 0) {
		path = NULL;
		return grp_ctl_fail_errno(ctl, name, ENOMEM);
	}
	if (mkdir(path, 0755) < 0)
		return grp_ctl_fail_errno(ctl, path, errno);
	return grp_ctl_show(ctl, name, path);
}

static int show_all(struct grp_ctl *ctl, const json_t *chosen)
{
	const json_t *hierarchy;
	int status = GRP_EXIT_DONE, r = 0;
	size_t i;

	if (mount("tmpfs", GRP_LEGACY_ROOT, "tmpfs", MOUNT_FLAGS, "mode=755") < 0)
		return grp_ctl_fail_errno(ctl, GRP_LEGACY_ROOT, errno);
	json_array_foreach(chosen, i, hierarchy)
		if (!status)
			status = show_one(ctl, hierarchy);
	for (i = 0; !status && !r && i < json_array_size(chosen); i++)
		r = link_subsystems(
			chosen, i,
			json_string_value(json_object_get(json_array_get(chosen, i), "name")));
	return r < 0 ? grp_ctl_fail_errno(ctl, GRP_LEGACY_ROOT, -r) : status;
}

/* --- the verb --------------------------------------------------------------------------------- */

static json_t *choose(const struct grp_ctl *ctl, const json_t *reply, const char *names)
{
	const char *missing;
	json_t *chosen = grp_legacy_choose(json_object_get(reply, "hierarchies"), names, &missing);

	if (!chosen && missing)
		(void)grp_ctl_fail_errno(ctl, missing, ENOENT);
	else if (!chosen)
		(void)grp_ctl_fail_errno(ctl, NULL, ENOMEM);
	return chosen;
}

static int enter(struct grp_ctl *ctl, const char *names)
{
	_cleanup_json_ json_t *hierarchies = NULL, *subsystems = NULL, *chosen = NULL;
	int status = grp_ctl_call(ctl, "ListHierarchies", json_object(), NULL, &hierarchies);

	if (!status)
		status = grp_ctl_call(ctl, "ListSubsystems", json_object(), NULL, &subsystems);
	if (status)
		return status;
	chosen = choose(ctl, hierarchies, names);
	if (!chosen)
		return GRP_EXIT_FAILED;
	/* What others mount from now on is seen, what is mounted here is not seen by them. */
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
		return grp_ctl_fail_errno(ctl, "mount namespace", errno);
	return put_texts(ctl, chosen, json_object_get(subsystems, "subsystems")) ?:
		       show_all(ctl, chosen);
}

static int run_legacy(struct grp_ctl *ctl, const struct grp_args *args)
{
	int status;

	/* There is always a word before these; options end at the first "--". */
	if (strcmp(args->argv[-1], "--") != 0)
		return grp_ctl_usage(ctl, "-- stands before the command");
	status = enter(ctl, grp_args_value(args, GRP_OPTION_HIERARCHY));
	grp_ctl_client_close(&ctl->client);
	if (status)
		return status;
	(void)execvp(args->argv[0], args->argv);
	status = errno == ENOENT ? GRP_EXIT_NOT_FOUND : GRP_EXIT_NOT_EXECUTABLE;
	(void)grp_ctl_fail_errno(ctl, args->argv[0], errno);
	return status;
}

static const struct grp_option legacy_options[] = {
	{ GRP_OPTION_HIERARCHY, "hierarchy", "NAME[,NAME...]", "only these, in this order" },
	{},
};

const struct grp_verb grp_verb_legacy = {
	.name = "legacy",
	.usage = "[--hierarchy NAME[,NAME...]] -- COMMAND [ARG...]",
	.summary = "run a command made for control groups of version 1",
	.help = "Runs COMMAND in a mount namespace of its own, in which the hierarchies are where\n"
		"control groups of version 1 were: each is a directory of /sys/fs/cgroup, with links\n"
		"by the names of its subsystems, and /proc/mounts and /proc/cgroups name them instead\n"
		"of the kernel's own, which cannot be seen. The tools of libcgroup, cset and scripts\n"
		"that look there work. A subsystem that is bound to several hierarchies belongs to\n"
		"the first of them; --hierarchy says which are seen, and in which order.\n\n"
		"/proc/PID/cgroup, /proc/PID/cpuset and /proc/PID/mounts stay the kernel's: 'grpctl\n"
		"which' tells the groups of a task. Groups and where tasks are outlast COMMAND, the\n"
		"directories do not. Needs root.\n\n"
		"Exit code: as exec.\n",
	.example = "$ grpctl legacy -- cgcreate -g cpuacct:shop/web\n"
		   "$ grpctl legacy -- cset set --list\n"
		   "$ grpctl legacy --hierarchy project -- bash\n",
	.subject = GRP_SUBJECT_HIERARCHIES,
	.runs_command = true,
	.min_args = 1,
	.max_args = GRP_VERB_ARGS_ANY,
	.options = legacy_options,
	.run = run_legacy,
};
