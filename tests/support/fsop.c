/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fsop: one system call on a file system, and the name of its errno, or "ok".
 *
 *	fsop mkdir|rmdir|unlink|create|mknod|symlink|truncate|read|xattr PATH
 *	fsop rename|link PATH PATH
 *	fsop write PATH TEXT		opened with O_TRUNC, as the shell's > does
 *	fsop append PATH TEXT
 *	fsop big PATH BYTES		one write of that many
 *	fsop watch N PATH		inotify: "ready", then N events, a line each
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "support.h"

#define USAGE "fsop OPERATION PATH [ARGUMENT]"

static int write_to(const char *path, int flags, const char *text, size_t len)
{
	int fd = open(path, O_WRONLY | flags);

	if (fd < 0)
		return -1;
	return write(fd, text, len) == (ssize_t)len ? close(fd) : -1;
}

static int read_from(const char *path)
{
	char buf[4096];
	int fd = open(path, O_RDONLY);

	return fd < 0 || read(fd, buf, sizeof(buf)) < 0 ? -1 : close(fd);
}

static int set_xattr(const char *path)
{
	return setxattr(path, "user.grp", "1", 1, 0);
}

static int make_dir(const char *path)
{
	return mkdir(path, 0755);
}

static int create(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0644);

	return fd < 0 ? -1 : close(fd);
}

static int make_fifo(const char *path)
{
	return mknod(path, S_IFIFO | 0644, 0);
}

static int make_symlink(const char *path)
{
	return symlink("x", path);
}

static int cut(const char *path)
{
	return truncate(path, 0);
}

static const struct {
	const char *name;
	int (*run)(const char *path);
} simple[] = {
	{ "mkdir", make_dir }, { "rmdir", rmdir },     { "unlink", unlink },
	{ "create", create },  { "mknod", make_fifo }, { "symlink", make_symlink },
	{ "truncate", cut },   { "read", read_from },  { "xattr", set_xattr },
};

static int big(const char *path, const char *bytes)
{
	size_t n = number(bytes, 1 << 24);
	char *text = malloc(n);
	int r, error;

	if (!text)
		die("malloc");
	memset(text, '1', n);
	r = write_to(path, 0, text, n);
	error = errno;
	free(text);
	errno = error;
	return r;
}

static int run(char **argv)
{
	for (size_t i = 0; i < sizeof(simple) / sizeof(simple[0]); i++)
		if (!strcmp(argv[1], simple[i].name))
			return simple[i].run(argv[2]);
	if (!argv[3])
		die_usage(USAGE);
	if (!strcmp(argv[1], "rename"))
		return rename(argv[2], argv[3]);
	if (!strcmp(argv[1], "link"))
		return link(argv[2], argv[3]);
	if (!strcmp(argv[1], "write"))
		return write_to(argv[2], O_TRUNC, argv[3], strlen(argv[3]));
	if (!strcmp(argv[1], "append"))
		return write_to(argv[2], O_APPEND, argv[3], strlen(argv[3]));
	if (!strcmp(argv[1], "big"))
		return big(argv[2], argv[3]);
	die_usage(USAGE);
}

static const char *event_name(uint32_t mask)
{
	return mask & IN_CREATE	  ? "create" :
	       mask & IN_DELETE	  ? "delete" :
	       mask & IN_MOVED_TO ? "moved" :
	       mask & IN_MODIFY	  ? "modify" :
				    "other";
}

static int watch(uint64_t n, const char *path)
{
	char buf[sizeof(struct inotify_event) + 4096]
		__attribute__((aligned(__alignof__(struct inotify_event))));
	int fd = inotify_init1(IN_CLOEXEC);

	if (fd < 0 ||
	    inotify_add_watch(fd, path, IN_CREATE | IN_DELETE | IN_MOVED_TO | IN_MODIFY) < 0)
		die(path);
	puts("ready");
	fflush(stdout);
	while (n) {
		const char *at = buf;
		ssize_t len = read(fd, buf, sizeof(buf));

		if (len <= 0)
			die("read");
		for (; n && at < buf + len; n--) {
			const struct inotify_event *event = (const void *)at;

			printf("%s %s\n", event_name(event->mask), event->len ? event->name : "");
			at += sizeof(*event) + event->len;
		}
		fflush(stdout);
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc < 3)
		die_usage(USAGE);
	if (!strcmp(argv[1], "watch") && argc == 4)
		return watch(number(argv[2], 1000), argv[3]);
	puts(run(argv) ? strerrorname_np(errno) : "ok");
	return 0;
}
