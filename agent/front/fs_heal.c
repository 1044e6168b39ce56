/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Mounts that the agent makes itself: those of its configuration, and again those that
 * were there when it ended. What is mounted in its own mount namespace is written down
 * in its run directory; a start takes away what has nobody to answer and mounts anew.
 *
 * Paths are walked by a forked child only: they may lead over a mount that the agent
 * itself serves, or over one that nobody does.
 */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utlist.h>

#include "agent.h"
#include "base/cleanup.h"
#include "base/cleanup_json.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mount_list.h"
#include "base/text.h"
#include "front/fs_internal.h"

#define TYPE "fuse.grpfs"
#define ALL "*"
#define FILE_NAME "mounts"
/* How long a start waits for its mounts; they go on after that. */
#define START_USEC 5000000ULL
#define STOP_MSEC 2000
/* What may be mounted over each other at one place. */
#define STACK_MAX 64

/* One that a child is making. */
struct grp_fs_mounting {
	struct grp_fs *fs;
	struct grp_fs_mounting *prev, *next;
	char *hierarchy; /* "*": all */
	char *directory;
	int device;
	sd_event_source *child;
};

/* --- what is mounted (in a child) ------------------------------------------------------- */

/* \ooo in the kernel's list of mounts, in place. */
static void unescape(char *text)
{
	char *to = text;

	for (const char *from = text; *from; to++) {
		if (from[0] == '\\' && from[1] >= '0' && from[1] <= '3' && from[2] && from[3]) {
			*to = (char)((from[1] - '0') << 6 | (from[2] - '0') << 3 | (from[3] - '0'));
			from += 4;
		} else {
			*to = *from++;
		}
	}
	*to = '\0';
}

/* Of a line of mountinfo: 1: @source of our type is at @directory; 0: another; -1: elsewhere. */
static int look_at(char *line, const char *directory, const char *source)
{
	char *save = NULL, *word = strtok_r(line, " \n", &save);
	const char *type;

	for (unsigned int i = 0; word && i < 4; i++)
		word = strtok_r(NULL, " \n", &save);
	if (!word)
		return -1;
	unescape(word);
	if (strcmp(word, directory) != 0)
		return -1;
	while (word && strcmp(word, "-") != 0)
		word = strtok_r(NULL, " \n", &save);
	type = word ? strtok_r(NULL, " \n", &save) : NULL;
	word = type ? strtok_r(NULL, " \n", &save) : NULL;
	if (!word)
		return 0;
	unescape(word);
	return !strcmp(type, TYPE) && !strcmp(word, source);
}

/* Whether what is on top at a directory is ours. */
static bool is_ours(const char *directory, const char *source)
{
	_cleanup_fclose_ FILE *mounts = fopen("/proc/self/mountinfo", "re");
	_cleanup_free_ char *line = NULL;
	size_t allocated = 0;
	int top = 0;

	while (mounts && getline(&line, &allocated, mounts) > 0) {
		int r = look_at(line, directory, source);

		if (r >= 0)
			top = r;
	}
	return top > 0;
}

static void clear_stale(const char *directory, const char *source)
{
	for (unsigned int i = 0; i < STACK_MAX && is_ours(directory, source); i++)
		if (umount2(directory, MNT_DETACH | UMOUNT_NOFOLLOW) < 0)
			return;
}

static char *source_of(const char *instance, const char *hierarchy)
{
	char *source;

	return asprintf(&source, "%s:%s", instance, strcmp(hierarchy, ALL) ? hierarchy : "") < 0 ?
		       NULL :
		       source;
}

/* Return: an exit status: errno, or 0. */
static int mount_in_child(const struct grp_fs_mounting *mounting)
{
	char *source = source_of(mounting->fs->agent->config.instance, mounting->hierarchy);
	char data[160];

	if (!source)
		return ENOMEM;
	/* The child must not hold the agent's clients or other mounts. */
	if (mounting->device > 3)
		(void)close_range(3, (unsigned int)mounting->device - 1, 0);
	(void)close_range((unsigned int)mounting->device + 1, ~0U, 0);
	clear_stale(mounting->directory, source);
	(void)snprintf(data, sizeof(data),
		       "fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other,default_permissions",
		       mounting->device);
	if (mount(source, mounting->directory, TYPE, MS_NOSUID | MS_NODEV | MS_NOEXEC, data) < 0)
		return errno;
	return 0;
}

/* --- the file -------------------------------------------------------------------------------- */

static char *file_path(const struct grp_fs *fs, const char *suffix)
{
	char *path;

	return asprintf(&path, "%s/" FILE_NAME "%s", fs->agent->run_dir, suffix) < 0 ? NULL : path;
}

static int add_line(json_t *array, const char *hierarchy, const char *directory)
{
	_cleanup_free_ char *text = NULL;
	int r = grp_text_escape(directory, strlen(directory), &text);

	if (r < 0)
		return r;
	return json_array_append_new(array, json_pack("[s, s]", hierarchy, text)) < 0 ? -ENOMEM : 0;
}

void grp_fs_remember(struct grp_fs *fs)
{
	_cleanup_free_ char *path = file_path(fs, ""), *new = file_path(fs, ".new");
	_cleanup_json_ json_t *array = json_array();
	const struct grp_fs_mounting *mounting;
	const struct grp_fs_mount *mount;
	int r = array && path && new ? 0 : -ENOMEM;

	for (mount = fs->mounts; r == 0 && mount; mount = mount->next)
		if (mount->own)
			r = add_line(array, mount->hierarchy ?: ALL, mount->directory);
	for (mounting = fs->mountings; r == 0 && mounting; mounting = mounting->next)
		r = add_line(array, mounting->hierarchy, mounting->directory);
	if (r == 0 && (json_dump_file(array, new, JSON_COMPACT) < 0 || rename(new, path) < 0))
		r = -EIO;
	if (r < 0)
		GRP_LOG_WARNING("mounts are not written down in %s: %s, ignoring", path ?: "?",
				strerror(-r));
}

/* --- mounting ------------------------------------------------------------------------------- */

static void mounting_free(struct grp_fs_mounting *mounting)
{
	DL_DELETE(mounting->fs->mountings, mounting);
	sd_event_source_disable_unref(mounting->child);
	if (mounting->device >= 0)
		(void)close(mounting->device);
	free(mounting->hierarchy);
	free(mounting->directory);
	free(mounting);
}

static int on_child(sd_event_source *source, const siginfo_t *info, void *data)
{
	struct grp_fs_mounting *mounting = data;
	struct grp_fs *fs = mounting->fs;
	const struct grp_fs_wish wish = {
		.hierarchy = strcmp(mounting->hierarchy, ALL) ? mounting->hierarchy : NULL,
		.directory = mounting->directory,
		.own = true,
		.unmade = true,
	};
	struct grp_error error = { .number = 0 };
	int r = info->si_code == CLD_EXITED ? -info->si_status : -ECHILD;

	if (r == 0)
		r = grp_fs_serve(fs, TAKE_FD(mounting->device), &wish, &error);
	if (r < 0)
		GRP_LOG_WARNING("cannot mount at %s: %s, ignoring", mounting->directory,
				error.message[0] ? error.message : strerror(-r));
	mounting_free(mounting);
	grp_fs_remember(fs);
	return 0;
}

static int start_child(struct grp_fs_mounting *mounting)
{
	pid_t pid;
	int r;

	mounting->device = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	if (mounting->device < 0)
		return -errno;
	pid = fork();
	if (pid < 0)
		return -errno;
	if (!pid)
		_exit(mount_in_child(mounting));
	r = sd_event_add_child(mounting->fs->agent->event, &mounting->child, pid, WEXITED, on_child,
			       mounting);
	return r < 0 ? r : 0;
}

/* One place is mounted once, as was said first. */
static int begin(struct grp_fs *fs, const char *hierarchy, const char *directory)
{
	struct grp_fs_mounting *mounting;
	int r;

	DL_FOREACH(fs->mountings, mounting)
		if (!strcmp(mounting->directory, directory))
			return 0;
	mounting = calloc(1, sizeof(*mounting));
	if (!mounting)
		return -ENOMEM;
	*mounting = (struct grp_fs_mounting){
		.fs = fs,
		.device = -1,
		.hierarchy = strdup(hierarchy),
		.directory = strdup(directory),
	};
	DL_APPEND(fs->mountings, mounting);
	r = mounting->hierarchy && mounting->directory ? start_child(mounting) : -ENOMEM;
	if (r == 0)
		return 0;
	GRP_LOG_WARNING("cannot mount at %s: %s, ignoring", directory, strerror(-r));
	mounting_free(mounting);
	return r == -ENOMEM ? r : 0;
}

static int begin_configured(struct grp_fs *fs)
{
	const char *at = fs->agent->config.mount;
	int r = 1;

	while (r > 0 && at && strcmp(at, "none") != 0) {
		_cleanup_free_ char *hierarchy = NULL, *directory = NULL;

		r = grp_mount_list_next(&at, &hierarchy, &directory);
		if (r > 0 && begin(fs, hierarchy, directory) < 0)
			r = -ENOMEM;
		if (r == 0)
			break;
	}
	return r < 0 ? r : 0;
}

static int begin_remembered(struct grp_fs *fs)
{
	_cleanup_free_ char *path = file_path(fs, "");
	_cleanup_json_ json_t *array = path ? json_load_file(path, 0, NULL) : NULL;
	const json_t *line;
	int r = 0;
	size_t i;

	json_array_foreach(array, i, line) {
		const char *hierarchy = json_string_value(json_array_get(line, 0));
		const char *text = json_string_value(json_array_get(line, 1));
		_cleanup_free_ char *directory = NULL;

		if (r == 0 && hierarchy && text && !grp_text_unescape(text, &directory, NULL))
			r = begin(fs, hierarchy, directory);
	}
	return r;
}

int grp_fs_start(struct grp_fs *fs)
{
	uint64_t now = grp_now_usec(), end = now + START_USEC;
	int r = begin_configured(fs);

	if (r == 0)
		r = begin_remembered(fs);
	for (; r >= 0 && fs->mountings && now < end; now = grp_now_usec()) {
		if (sd_event_get_state(fs->agent->event) == SD_EVENT_FINISHED)
			break;
		r = sd_event_run(fs->agent->event, end - now);
	}
	return r < 0 ? r : 0;
}

/* --- the end ------------------------------------------------------------------------------------ */

/* Those that the file has: the agent that served them has ended, or is about to. */
static void clear_remembered(const char *run_dir, const char *instance)
{
	char path[4096];
	const json_t *line;
	json_t *array;
	size_t i;

	(void)snprintf(path, sizeof(path), "%s/" FILE_NAME, run_dir);
	array = json_load_file(path, 0, NULL);
	json_array_foreach(array, i, line) {
		const char *hierarchy = json_string_value(json_array_get(line, 0));
		const char *text = json_string_value(json_array_get(line, 1));
		_cleanup_free_ char *directory = NULL, *source = NULL;

		if (!hierarchy || !text || grp_text_unescape(text, &directory, NULL) < 0)
			continue;
		source = source_of(instance, hierarchy);
		if (source)
			clear_stale(directory, source);
	}
	json_decref(array);
}

void grp_fs_clear(const char *run_dir, const char *instance)
{
	struct pollfd ended = { .fd = -1, .events = POLLIN };
	pid_t pid = fork();

	if (pid < 0)
		return;
	if (!pid) {
		(void)close_range(3, ~0U, 0);
		clear_remembered(run_dir, instance);
		_exit(0);
	}
	/* It may stand before somebody else's dead server: not for ever. */
	ended.fd = pidfd_open(pid, 0);
	if (ended.fd >= 0 && poll(&ended, 1, STOP_MSEC) == 0)
		(void)kill(pid, SIGKILL);
	if (ended.fd >= 0)
		(void)close(ended.fd);
	(void)waitpid(pid, NULL, WNOHANG);
}

void grp_fs_unload(const char *run_dir, const char *instance)
{
	char path[4096];

	grp_fs_clear(run_dir, instance);
	(void)snprintf(path, sizeof(path), "%s/" FILE_NAME, run_dir);
	(void)unlink(path);
}

void grp_fs_mountings_drop(struct grp_fs *fs)
{
	while (fs->mountings)
		mounting_free(fs->mountings);
}
