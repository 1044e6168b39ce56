/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fsop: one system call on a file system, and the name of its errno, or "ok".
 *
 *	fsop mkdir|rmdir|unlink|create|mknod|symlink|truncate|read|xattr PATH
 *	fsop renew PATH			rmdir and mkdir
 *	fsop rename|link PATH PATH
 *	fsop write PATH TEXT		opened with O_TRUNC, as the shell's > does
 *	fsop append PATH TEXT
 *	fsop big PATH BYTES		one write of that many
 *	fsop enter DIR FILE		a second thread writes 0 to FILE there; who of this process is
 *					listed in DIR/tasks then: "leader", "thread", or both
 *	fsop list N PATH		N listings, few names a call; prints what is wrong: a name that is
 *					there twice, an error; then how many names of those that begin
 *					with "steady" there were, the fewest and the most
 *	fsop watch N PATH		inotify: "ready", then N events, a line each
 *
 * Before the operation: --fsuid UID, --fsgid GID, --groups GID[,GID...]: called with these, while
 * the other ids stay. SIGUSR1 interrupts a call.
 */
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/fsuid.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "support.h"

#define USAGE "fsop [--fsuid UID] [--fsgid GID] [--groups GID,...] OPERATION PATH [ARGUMENT]"
#define GROUPS_MAX 65536

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

static int renew(const char *path)
{
	return rmdir(path) ?: make_dir(path);
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
	{ "renew", renew },
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

/* --- listings ----------------------------------------------------------------------------- */

#define NAMES_MAX 4096
#define FEW_BYTES 512

/* As getdents64(2) has it. */
struct entry {
	uint64_t ino;
	int64_t off;
	unsigned short len;
	unsigned char type;
	char name[];
};

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Return: of names; they are owned by the caller. */
static size_t list_once(const char *path, char **names)
{
	char buf[FEW_BYTES] __attribute__((aligned(8)));
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	size_t n = 0;
	long len;

	if (fd < 0)
		die(path);
	while ((len = syscall(SYS_getdents64, fd, buf, sizeof(buf))) > 0)
		for (char *at = buf; at < buf + len && n < NAMES_MAX;
		     at += ((struct entry *)at)->len)
			names[n++] = strdup(((struct entry *)at)->name);
	if (len < 0)
		printf("error %s\n", strerrorname_np(errno));
	(void)close(fd);
	qsort(names, n, sizeof(*names), compare);
	return n;
}

static int list(uint64_t times, const char *path)
{
	static char *names[NAMES_MAX];
	size_t fewest = NAMES_MAX, most = 0;

	while (times--) {
		size_t n = list_once(path, names), steady = 0;

		for (size_t i = 0; i < n; i++) {
			steady += !strncmp(names[i], "steady", 6);
			if (i && !strcmp(names[i - 1], names[i]))
				printf("twice %s\n", names[i]);
		}
		for (size_t i = 0; i < n; i++)
			free(names[i]);
		fewest = steady < fewest ? steady : fewest;
		most = steady > most ? steady : most;
	}
	printf("%zu %zu\n", fewest, most);
	return 0;
}

/* --- two threads ------------------------------------------------------------------------ */

struct enter {
	char **argv;
	int error;
	bool leader, thread;
};

static void look(struct enter *enter, const char *directory)
{
	char path[4096], line[32];
	FILE *tasks;

	(void)snprintf(path, sizeof(path), "%s/tasks", directory);
	tasks = fopen(path, "re");
	if (!tasks)
		die(path);
	while (fgets(line, sizeof(line), tasks)) {
		pid_t tid = (pid_t)strtol(line, NULL, 10);

		enter->leader |= tid == getpid();
		enter->thread |= tid == gettid();
	}
	(void)fclose(tasks);
}

static void *run_enter(void *data)
{
	struct enter *enter = data;
	char path[4096];

	(void)snprintf(path, sizeof(path), "%s/%s", enter->argv[2], enter->argv[3]);
	if (write_to(path, 0, "0", 1))
		enter->error = errno;
	else
		look(enter, enter->argv[2]);
	return NULL;
}

static int enter(char **argv)
{
	struct enter enter = { .argv = argv };
	pthread_t thread;

	errno = pthread_create(&thread, NULL, run_enter, &enter);
	if (errno || pthread_join(thread, NULL))
		die("thread");
	if (enter.error)
		puts(strerrorname_np(enter.error));
	else
		printf("%s%s%s\n", enter.leader ? "leader" : "",
		       enter.leader && enter.thread ? " " : "", enter.thread ? "thread" : "");
	return 0;
}

/* --- one -------------------------------------------------------------------------------- */

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

/* --- who calls ----------------------------------------------------------------------------- */

static void set_groups(char *list)
{
	static gid_t groups[GROUPS_MAX];
	size_t n = 0;
	char *rest = NULL;

	for (char *group = strtok_r(list, ",", &rest); group && n < GROUPS_MAX;
	     group = strtok_r(NULL, ",", &rest))
		groups[n++] = (gid_t)number(group, UINT32_MAX);
	if (setgroups(n, groups))
		die("setgroups");
}

static void on_signal(int signal)
{
	(void)signal;
}

/* Without SA_RESTART. */
static void catch_signal(void)
{
	const struct sigaction action = { .sa_handler = on_signal };

	if (sigaction(SIGUSR1, &action, NULL))
		die("sigaction");
}

/* Options, of which the user is set last: others need his rights. Return: what follows them. */
static char **become(char **argv)
{
	uint64_t uid = 0, gid = 0;

	for (; argv[1] && argv[2] && !strncmp(argv[1], "--", 2); argv += 2) {
		if (!strcmp(argv[1], "--fsuid"))
			uid = number(argv[2], UINT32_MAX);
		else if (!strcmp(argv[1], "--fsgid"))
			gid = number(argv[2], UINT32_MAX);
		else if (!strcmp(argv[1], "--groups"))
			set_groups(argv[2]);
		else
			die_usage(USAGE);
	}
	if (gid)
		(void)setfsgid((gid_t)gid);
	if (uid)
		(void)setfsuid((uid_t)uid);
	return argv;
}

int main(int argc, char **argv)
{
	char **all = argv;

	catch_signal();
	argv = become(argv);
	argc -= (int)(argv - all);
	if (argc < 3)
		die_usage(USAGE);
	if (!strcmp(argv[1], "watch") && argc == 4)
		return watch(number(argv[2], 1000), argv[3]);
	if (!strcmp(argv[1], "list") && argc == 4)
		return list(number(argv[2], 1000000), argv[3]);
	if (!strcmp(argv[1], "enter") && argc == 4)
		return enter(argv);
	puts(run(argv) ? strerrorname_np(errno) : "ok");
	return 0;
}
