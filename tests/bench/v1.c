/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Groups of the kernel's own (v1), the other side of many rows: of cpuacct unless a
 * stage says otherwise.
 * All lie below one directory of ours.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <mntent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "bench.h"

static char v1_root[PATH_MAX], v1_top[PATH_MAX], v1_name[128];
static const char *v1_controller = "cpuacct";

void bench_v1_init(const char *name)
{
	(void)snprintf(v1_name, sizeof(v1_name), "grpagent-%s", name);
}

void bench_v1_use(const char *controller)
{
	v1_controller = controller;
	v1_root[0] = v1_top[0] = '\0';
}

static bool is_wanted(const struct mntent *entry)
{
	return !strcmp(entry->mnt_type, "cgroup") && hasmntopt(entry, v1_controller);
}

static int find_root(void)
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	const struct mntent *entry;

	if (!mounts)
		return -errno;
	while (!v1_root[0] && (entry = getmntent(mounts)))
		if (is_wanted(entry))
			(void)snprintf(v1_root, sizeof(v1_root), "%s", entry->mnt_dir);
	(void)endmntent(mounts);
	return v1_root[0] ? 0 : -EOPNOTSUPP;
}

int bench_v1_make(const char *name, char *path, size_t size)
{
	int n;

	if (!v1_root[0] && find_root())
		return -EOPNOTSUPP;
	if (!v1_top[0]) {
		n = snprintf(v1_top, sizeof(v1_top), "%s/%s", v1_root, v1_name);
		if (n < 0 || (size_t)n >= sizeof(v1_top) ||
		    (mkdir(v1_top, 0755) && errno != EEXIST))
			return bench_fail(-errno, "%s", v1_top);
	}
	n = snprintf(path, size, "%s%s%s", v1_top, name[0] ? "/" : "", name);
	if (n < 0 || (size_t)n >= size)
		return -ENAMETOOLONG;
	if (name[0] && mkdir(path, 0755))
		return bench_fail(-errno, "mkdir %s", path);
	return 0;
}

int bench_v1_put(const char *group, const char *file, const char *text)
{
	_cleanup_close_ int fd = -1;
	char path[PATH_MAX];
	int n = snprintf(path, sizeof(path), "%s/%s", group, file);

	if (n < 0 || (size_t)n >= sizeof(path))
		return -ENAMETOOLONG;
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	return write(fd, text, strlen(text)) == (ssize_t)strlen(text) ? 0 : -errno;
}

int bench_v1_write(const char *group, const char *file, pid_t pid)
{
	char text[16];

	(void)snprintf(text, sizeof(text), "%d", (int)pid);
	return bench_v1_put(group, file, text);
}

int bench_v1_read(const char *group, const char *file)
{
	_cleanup_close_ int fd = -1;
	char path[PATH_MAX], text[4096];
	int n = snprintf(path, sizeof(path), "%s/%s", group, file);

	if (n < 0 || (size_t)n >= sizeof(path))
		return -ENAMETOOLONG;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	return read(fd, text, sizeof(text)) < 0 ? -errno : 0;
}

/* What is left in a group is ours, or was born to it; it goes back to where it came from. */
static void empty(const char *group)
{
	char path[PATH_MAX];
	FILE *procs;
	int pid;

	if (snprintf(path, sizeof(path), "%s/cgroup.procs", group) >= (int)sizeof(path))
		return;
	procs = fopen(path, "re");
	/* NOLINTNEXTLINE(cert-err34-c): the kernel's own list of numbers */
	while (procs && fscanf(procs, "%d", &pid) == 1)
		(void)bench_v1_write(v1_root, "cgroup.procs", pid);
	if (procs)
		(void)fclose(procs);
}

static int remove_one(const char *path, const struct stat *stat, int type, struct FTW *ftw)
{
	(void)stat;
	(void)ftw;
	if (type != FTW_DP)
		return 0;
	empty(path);
	for (unsigned int i = 0; rmdir(path) && errno == EBUSY && i < 1000; i++)
		(void)usleep(10000);
	return 0;
}

void bench_v1_clean(void)
{
	char path[PATH_MAX + 256];

	if (!v1_root[0] && find_root())
		return;
	(void)snprintf(path, sizeof(path), "%s/%s", v1_root, v1_name);
	(void)nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	v1_top[0] = '\0';
}
