/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The directory under bpffs where an instance keeps its maps and links. Only
 * names and paths: what is pinned there is made elsewhere.
 *
 *   /sys/fs/bpf/grpagent/NAME/MAP
 *   /sys/fs/bpf/grpagent/NAME/links-GENERATION/HOOK
 */
#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "kernel/internal.h"

#define BPFFS "/sys/fs/bpf"
#define BPFFS_MAGIC 0xcafe4a11
#define LINKS "links-"
#define DIRECTORY_TRIES 16

/*
 * Order of attaching: what charges and counts down comes before what counts up,
 * so that no task is born into a generation that would miss its end.
 */
const char *const grp_link_names[] = { "on_switch",  "on_exit", "on_free", "on_exec",
				       "on_newtask", "on_fork", NULL };

const char grp_link_reclaim[] = "on_reclaim";
const char *const grp_notice_names[] = { "on_migrate", "on_wakeup_new", "on_asked",
					 "on_asked_syscall", NULL };

static void _cleanup_closedir_p(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}
#define _cleanup_closedir_ __attribute__((cleanup(_cleanup_closedir_p)))

static int make_dir(const char *path)
{
	return mkdir(path, 0700) && errno != EEXIST ? -errno : 0;
}

/* By path, or what is open. */
static bool is_bpffs(int fd)
{
	struct statfs fs;

	return !(fd < 0 ? statfs(BPFFS, &fs) : fstatfs(fd, &fs)) &&
	       (unsigned int)fs.f_type == BPFFS_MAGIC;
}

/*
 * Each mount is a file system of its own and hides the one below. So of agents that start
 * at the same moment one mounts, under a lock of the directory that all see before.
 */
static int mount_bpffs(struct grp_error *error)
{
	_cleanup_close_ int fd = open(BPFFS, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return grp_error_set(error, EOPNOTSUPP,
				     BPFFS " is missing: this kernel has no BPF file system");
	if (is_bpffs(fd))
		return 0;
	if (flock(fd, LOCK_EX))
		return grp_error_set(error, errno, "cannot lock " BPFFS ": %s", strerror(errno));
	if (is_bpffs(-1))
		return 0;
	if (mount("bpf", BPFFS, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700"))
		return grp_error_set(error, errno,
				     "cannot mount the BPF file system at " BPFFS
				     ": %s; grpagent needs root",
				     strerror(errno));
	return 0;
}

/* Who unloads the last instance takes the upper one away, at any moment. */
static int make_dirs(const char *dir)
{
	int r = -ENOENT;

	for (unsigned int i = 0; r == -ENOENT && i < DIRECTORY_TRIES; i++)
		r = make_dir(BPFFS "/grpagent") ?: make_dir(dir);
	return r;
}

int grp_pins_open(const char *instance, struct grp_error *error, char **ret_dir)
{
	_cleanup_free_ char *dir = NULL;
	int r = mount_bpffs(error);

	if (r)
		return r;
	if (asprintf(&dir, BPFFS "/grpagent/%s", instance) < 0)
		return -ENOMEM;
	r = make_dirs(dir);
	if (r)
		return grp_error_set(error, -r, "cannot make %s: %s", dir, strerror(-r));
	*ret_dir = TAKE_PTR(dir);
	return 0;
}

int grp_pins_path(char *buf, size_t size, const char *dir, unsigned int generation,
		  const char *name)
{
	int n;

	if (generation)
		n = snprintf(buf, size, "%s/" LINKS "%u%s%s", dir, generation, name ? "/" : "",
			     name ?: "");
	else
		n = snprintf(buf, size, "%s/%s", dir, name ?: "");
	return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

/* 0: not the name of a generation. */
static unsigned int parse_generation(const char *name)
{
	uint64_t n;

	if (strncmp(name, LINKS, strlen(LINKS)) ||
	    grp_parse_u64(name + strlen(LINKS), 1, UINT_MAX, &n))
		return 0;
	return n;
}

int grp_pins_generation(const char *dir, unsigned int *ret_generation)
{
	_cleanup_closedir_ DIR *d = opendir(dir);
	unsigned int highest = 0, n;
	struct dirent *entry;

	if (!d)
		return -errno;
	while ((entry = readdir(d))) {
		n = parse_generation(entry->d_name);
		if (n > highest)
			highest = n;
	}
	*ret_generation = highest;
	return 0;
}

int grp_pins_drop_link(const char *dir, unsigned int generation, const char *name)
{
	char path[PATH_MAX];
	int r = grp_pins_path(path, sizeof(path), dir, generation, name);

	if (r)
		return r;
	return unlink(path) && errno != ENOENT ? -errno : 0;
}

/* The last one first. */
static int drop_links(const char *dir, unsigned int generation, const char *const *names)
{
	size_t i;
	int r = 0;

	for (i = 0; names[i]; i++)
		;
	while (!r && i--)
		r = grp_pins_drop_link(dir, generation, names[i]);
	return r;
}

static int drop_generation(const char *dir, unsigned int generation)
{
	char path[PATH_MAX];
	int r = grp_pins_drop_link(dir, generation, grp_link_reclaim);

	if (!r)
		r = drop_links(dir, generation, grp_notice_names);
	if (!r)
		r = drop_links(dir, generation, grp_link_names);
	if (r)
		return r;
	r = grp_pins_path(path, sizeof(path), dir, generation, NULL);
	if (r)
		return r;
	return rmdir(path) && errno != ENOENT ? -errno : 0;
}

int grp_pins_drop_links(const char *dir, unsigned int below)
{
	_cleanup_closedir_ DIR *d = opendir(dir);
	struct dirent *entry;
	unsigned int n;
	int r;

	if (!d)
		return -errno;
	while ((entry = readdir(d))) {
		n = parse_generation(entry->d_name);
		if (!n || n >= below)
			continue;
		r = drop_generation(dir, n);
		if (r)
			return r;
	}
	return 0;
}

int grp_pins_drop_all(const char *dir)
{
	_cleanup_closedir_ DIR *d = opendir(dir);
	struct dirent *entry;
	int r;

	if (!d)
		return errno == ENOENT ? 0 : -errno;
	r = grp_pins_drop_links(dir, UINT_MAX);
	if (r)
		return r;
	while ((entry = readdir(d))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		if (unlinkat(dirfd(d), entry->d_name, 0) && errno != ENOENT)
			return -errno;
	}
	return 0;
}

/* This update decides: what is not yet removed is never adopted again. */
static int forget_meta(const char *dir)
{
	static const struct grp_meta none;
	_cleanup_close_ int fd = -1;
	char path[PATH_MAX];
	uint32_t zero = 0;
	int r = grp_pins_path(path, sizeof(path), dir, 0, grp_store_names[GRP_STORE_META]);

	if (r)
		return r;
	fd = bpf_obj_get(path);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	return bpf_map_update_elem(fd, &zero, &none, BPF_ANY) ? -errno : 0;
}

/* Its task storage; negative: there is none. */
static int open_tasks(const char *dir)
{
	char path[PATH_MAX];

	return grp_pins_path(path, sizeof(path), dir, 0, "tasks") ? -1 : bpf_obj_get(path);
}

int grp_bpf_unload(const char *instance, struct grp_error *error)
{
	_cleanup_close_ int tasks = -1;
	char dir[PATH_MAX];
	int r = grp_pins_path(dir, sizeof(dir), BPFFS "/grpagent", 0, instance);

	if (!r)
		r = forget_meta(dir);
	if (!r)
		r = grp_notice_drop_claim(instance);
	if (!r) {
		tasks = open_tasks(dir);
		r = grp_pins_drop_all(dir);
	}
	if (!r && tasks >= 0)
		grp_storage_give_up(tasks);
	if (!r && rmdir(dir) && errno != ENOENT)
		r = -errno;
	if (r)
		return grp_error_set(error, -r, "cannot remove the pins in %s: %s", dir,
				     strerror(-r));
	/* The parent stays while other instances are in it. */
	if (rmdir(BPFFS "/grpagent") && errno != ENOTEMPTY && errno != ENOENT && errno != EBUSY)
		return grp_error_set(error, errno, "cannot remove " BPFFS "/grpagent: %s",
				     strerror(errno));
	return 0;
}
