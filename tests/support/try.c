/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * try OPERATION ARGUMENT...
 *
 * Does one system call on files, as the table below has them, and prints how it
 * ended: 0, or the name of the error. A shell does not tell: its own redirections
 * open with O_CREAT, and its echo hides the error of a write. Ends with 0 in both
 * cases; with another status it could not try.
 */
#include <fcntl.h>
#include <sched.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "support.h"

static const char usage[] = "try OPERATION ARGUMENT...";

#define MODE_NEW 0755

/* The names that an open may have, separated by commas. */
static const struct {
	const char *name;
	int flag;
} open_flags[] = {
	{ "rdonly", O_RDONLY }, { "wronly", O_WRONLY }, { "rdwr", O_RDWR },
	{ "creat", O_CREAT },	{ "excl", O_EXCL },	{ "trunc", O_TRUNC },
	{ "append", O_APPEND }, { "dir", O_DIRECTORY }, { "path", O_PATH },
};

static int flags_of(const char *names)
{
	int flags = O_CLOEXEC;

	while (*names) {
		size_t length = strcspn(names, ","), i;

		for (i = 0; i < sizeof(open_flags) / sizeof(*open_flags); i++)
			if (strlen(open_flags[i].name) == length &&
			    !memcmp(open_flags[i].name, names, length))
				break;
		if (i == sizeof(open_flags) / sizeof(*open_flags))
			die_usage(usage);
		flags |= open_flags[i].flag;
		names += length + (names[length] == ',');
	}
	return flags;
}

static mode_t mode_of(const char *octal)
{
	char *end;
	unsigned long mode = strtoul(octal, &end, 8);

	if (!*octal || *end || mode > 07777)
		die_usage(usage);
	return (mode_t)mode;
}

/* One write of all of @text; a short one would be a defect of the file system. */
static int put(const char *path, int flags, const char *text)
{
	size_t length = strlen(text);
	int fd = open(path, flags | O_CLOEXEC);
	ssize_t written;

	if (fd < 0)
		return -1;
	written = write(fd, text, length);
	if (written >= 0 && (size_t)written != length) {
		fprintf(stderr, "try: %zd of %zu bytes written\n", written, length);
		exit(EXIT_FAILURE);
	}
	return written < 0 ? -1 : close(fd);
}

static int do_write(char **arg)
{
	return put(arg[0], O_WRONLY, arg[1]);
}

static int do_append(char **arg)
{
	return put(arg[0], O_WRONLY | O_APPEND, arg[1]);
}

static int do_trunc_write(char **arg)
{
	return put(arg[0], O_WRONLY | O_TRUNC, arg[1]);
}

/* The offset that a write comes with means nothing to a control file. */
static int do_pwrite(char **arg)
{
	int fd = open(arg[0], O_WRONLY | O_CLOEXEC);

	return fd < 0 || pwrite(fd, arg[2], strlen(arg[2]), (off_t)number(arg[1], 1 << 30)) < 0 ?
		       -1 :
		       close(fd);
}

static int do_read(char **arg)
{
	char byte;
	int fd = open(arg[0], O_RDONLY | O_CLOEXEC);

	return fd < 0 || read(fd, &byte, 1) < 0 ? -1 : close(fd);
}

static int do_open(char **arg)
{
	int fd = open(arg[0], flags_of(arg[1]), 0644);

	return fd < 0 ? -1 : close(fd);
}

static int do_mkdir(char **arg)
{
	return mkdir(arg[0], MODE_NEW);
}

static int do_mkdir_mode(char **arg)
{
	return mkdir(arg[0], mode_of(arg[1]));
}

static int do_rmdir(char **arg)
{
	return rmdir(arg[0]);
}

/* rmdir of a name below a directory that is open: "." is refused by rmdir(1) itself. */
static int do_rmdirat(char **arg)
{
	int fd = open(arg[0], O_DIRECTORY | O_CLOEXEC);

	return fd < 0 || unlinkat(fd, arg[1], AT_REMOVEDIR) ? -1 : close(fd);
}

/* DIR FILE: the file is open while its group is removed. */
static int open_and_rmdir(char **arg, int flags)
{
	int dir = open(arg[0], O_DIRECTORY | O_CLOEXEC);
	int fd = dir < 0 ? -1 : openat(dir, arg[1], flags | O_CLOEXEC);

	if (fd < 0 || rmdir(arg[0]))
		die(arg[0]);
	return fd;
}

static int do_rmdir_read(char **arg)
{
	char byte;
	int fd = open_and_rmdir(arg, O_RDONLY);

	return read(fd, &byte, 1) < 0 ? -1 : close(fd);
}

static int do_rmdir_write(char **arg)
{
	int fd = open_and_rmdir(arg, O_WRONLY);

	return write(fd, arg[2], strlen(arg[2])) < 0 ? -1 : close(fd);
}

static int do_rename(char **arg)
{
	return rename(arg[0], arg[1]);
}

static int do_unlink(char **arg)
{
	return unlink(arg[0]);
}

static int do_symlink(char **arg)
{
	return symlink(arg[0], arg[1]);
}

static int do_link(char **arg)
{
	return link(arg[0], arg[1]);
}

static int do_mknod(char **arg)
{
	return mknod(arg[0], S_IFREG | 0644, 0);
}

static int do_mkfifo(char **arg)
{
	return mkfifo(arg[0], 0644);
}

static int do_truncate(char **arg)
{
	return truncate(arg[0], (off_t)number(arg[1], 1 << 30));
}

static int do_chmod(char **arg)
{
	return chmod(arg[0], mode_of(arg[1]));
}

static int do_chown(char **arg)
{
	return chown(arg[0], (uid_t)number(arg[1], UINT32_MAX), (gid_t)number(arg[2], UINT32_MAX));
}

static int do_stat(char **arg)
{
	struct stat info;

	return stat(arg[0], &info);
}

static int do_lstat(char **arg)
{
	struct stat info;

	return lstat(arg[0], &info);
}

static int do_statfs(char **arg)
{
	struct statfs info;

	return statfs(arg[0], &info);
}

static int do_access(char **arg)
{
	return access(arg[0], F_OK);
}

static int do_readlink(char **arg)
{
	char target[256];

	return readlink(arg[0], target, sizeof(target)) < 0 ? -1 : 0;
}

static int do_chdir(char **arg)
{
	return chdir(arg[0]);
}

static int do_utimens(char **arg)
{
	return utimensat(AT_FDCWD, arg[0], NULL, 0);
}

static int do_getxattr(char **arg)
{
	char value[256];

	return getxattr(arg[0], arg[1], value, sizeof(value)) < 0 ? -1 : 0;
}

static int do_listxattr(char **arg)
{
	char names[4096];

	return listxattr(arg[0], names, sizeof(names)) < 0 ? -1 : 0;
}

static int do_execve(char **arg)
{
	char *argv[] = { arg[0], NULL };

	return execve(arg[0], argv, argv + 1);
}

static int do_inotify(char **arg)
{
	int fd = inotify_init1(IN_CLOEXEC);

	return fd < 0 || inotify_add_watch(fd, arg[0], IN_ALL_EVENTS) < 0 ? -1 : close(fd);
}

/* PID CPU[,CPU...] */
static int do_affinity(char **arg)
{
	cpu_set_t set;
	char *cpu, *rest = NULL;

	CPU_ZERO(&set);
	for (cpu = strtok_r(arg[1], ",", &rest); cpu; cpu = strtok_r(NULL, ",", &rest))
		CPU_SET(number(cpu, CPU_SETSIZE - 1), &set);
	return sched_setaffinity((pid_t)number(arg[0], INT32_MAX), sizeof(set), &set);
}

static const struct {
	const char *name;
	int n_args;
	int (*run)(char **arg); /* as a system call: -1 and errno */
} operations[] = {
	{ "write", 2, do_write },
	{ "append", 2, do_append },
	{ "trunc-write", 2, do_trunc_write },
	{ "pwrite", 3, do_pwrite },
	{ "read", 1, do_read },
	{ "open", 2, do_open },
	{ "mkdir", 1, do_mkdir },
	{ "mkdir-mode", 2, do_mkdir_mode },
	{ "rmdir", 1, do_rmdir },
	{ "rmdirat", 2, do_rmdirat },
	{ "rmdir-read", 2, do_rmdir_read },
	{ "rmdir-write", 3, do_rmdir_write },
	{ "rename", 2, do_rename },
	{ "unlink", 1, do_unlink },
	{ "symlink", 2, do_symlink },
	{ "link", 2, do_link },
	{ "mknod", 1, do_mknod },
	{ "mkfifo", 1, do_mkfifo },
	{ "truncate", 2, do_truncate },
	{ "chmod", 2, do_chmod },
	{ "chown", 3, do_chown },
	{ "stat", 1, do_stat },
	{ "lstat", 1, do_lstat },
	{ "statfs", 1, do_statfs },
	{ "access", 1, do_access },
	{ "readlink", 1, do_readlink },
	{ "chdir", 1, do_chdir },
	{ "utimens", 1, do_utimens },
	{ "getxattr", 2, do_getxattr },
	{ "listxattr", 1, do_listxattr },
	{ "execve", 1, do_execve },
	{ "inotify", 1, do_inotify },
	{ "affinity", 2, do_affinity },
};

int main(int argc, char **argv)
{
	size_t i;

	(void)umask(0);
	for (i = 0; i < sizeof(operations) / sizeof(*operations); i++)
		if (argc > 1 && !strcmp(argv[1], operations[i].name) &&
		    argc == operations[i].n_args + 2)
			break;
	if (i == sizeof(operations) / sizeof(*operations))
		die_usage(usage);
	puts(operations[i].run(argv + 2) ? strerrorname_np(errno) : "0");
	return 0;
}
