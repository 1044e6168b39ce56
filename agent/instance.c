/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The run directory of an instance and its lock: one agent at a time.
 */
#include "instance.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent.h"
#include "base/cleanup.h"

/* A run directory may be removed by --unload while we open it: then again. */
#define LOCK_TRIES 16

static int make_run_dir(const char *instance, struct grp_error *error, char **ret_path)
{
	const char *base = secure_getenv(GRP_RUN_BASE_ENV);
	_cleanup_free_ char *path = NULL;

	if (!base || !*base)
		base = GRP_RUN_BASE;
	if (asprintf(&path, "%s/%s", base, instance) < 0)
		path = NULL;
	if (!path)
		return -ENOMEM;
	if ((mkdir(base, 0755) < 0 && errno != EEXIST) ||
	    (mkdir(path, 0755) < 0 && errno != EEXIST)) {
		int number = errno;

		return grp_error_set(error, number, "cannot make %s: %s%s", path, strerror(number),
				     geteuid() ? "; grpagent must run as root" : "");
	}
	*ret_path = TAKE_PTR(path);
	return 0;
}

static char *path_in(const char *directory, const char *name)
{
	char *path;

	return asprintf(&path, "%s/%s", directory, name) < 0 ? NULL : path;
}

void grp_instance_remove(const char *directory, const char *name)
{
	_cleanup_free_ char *path = path_in(directory, name);

	if (path)
		(void)unlink(path);
}

/* Whether @fd is still what @path names. */
static bool is_same(int fd, const char *path)
{
	struct stat a, b;

	return fstat(fd, &a) == 0 && stat(path, &b) == 0 && a.st_dev == b.st_dev &&
	       a.st_ino == b.st_ino;
}

/* Return: 1: locked, 0: it was removed meanwhile, -errno. */
static int try_lock(const char *instance, struct grp_error *error, char **ret_path, int *ret_fd)
{
	const struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	_cleanup_free_ char *path = NULL, *lock = NULL;
	_cleanup_close_ int fd = -1;
	int r = make_run_dir(instance, error, &path);

	if (!path)
		return r;
	lock = path_in(path, GRP_LOCK_NAME);
	if (!lock)
		return -ENOMEM;
	/* Nobody but root can open it: whoever can, could keep the agent out. */
	fd = open(lock, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0) {
		r = -errno;
		return grp_error_set(error, -r, "%s: %s%s", lock, strerror(-r),
				     geteuid() ? "; grpagent must run as root" : "");
	}
	/* Of this kind it is the process that holds it: a child that was just forked does not. */
	if (fcntl(fd, F_SETLK, &whole) < 0) {
		r = -errno;
		if (r == -EAGAIN || r == -EACCES)
			return grp_error_set(error, EALREADY,
					     "another agent runs instance '%s' (%s/lock is locked)",
					     instance, path);
		return grp_error_set(error, -r, "cannot lock %s: %s", path, strerror(-r));
	}
	if (!is_same(fd, lock))
		return 0;
	*ret_path = TAKE_PTR(path);
	*ret_fd = TAKE_FD(fd);
	return 1;
}

int grp_instance_lock(const char *instance, struct grp_error *error, char **ret_path, int *ret_fd)
{
	for (unsigned int i = 0; i < LOCK_TRIES; i++) {
		int r = try_lock(instance, error, ret_path, ret_fd);

		if (r != 0)
			return r < 0 ? r : 0;
	}
	return grp_error_set(error, EBUSY, "the run directory of instance '%s' keeps vanishing",
			     instance);
}
