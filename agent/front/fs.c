/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Mounts that are served, see fs.h: their descriptors in the loop, libfuse's sessions
 * over them. What a request means is in fs_dir.c and fs_file.c.
 *
 * A session reads from a clone of the descriptor that was mounted. When the agent is
 * killed, the kernel ends the requests that it had taken, and only these; whoever holds
 * the other descriptor keeps the mount alive.
 */
#include "front/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <utlist.h>

#include "agent.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "front/connection.h"
#include "front/fs_internal.h"
#include "grp/ids.h"

/* Requests of one mount in a turn; then others are looked at. */
#define TURN_REQUESTS 16
/* More than a write may have (FILE-4), so that none comes in two. */
#define WRITE_MAX (128U * 1024)

/* --- the session ------------------------------------------------------------------------ */

static void op_init(void *data, struct fuse_conn_info *conn)
{
	conn->max_write = WRITE_MAX;
	conn->want &= ~(unsigned int)(FUSE_CAP_SPLICE_READ | FUSE_CAP_SPLICE_WRITE |
				      FUSE_CAP_SPLICE_MOVE | FUSE_CAP_READDIRPLUS |
				      FUSE_CAP_READDIRPLUS_AUTO);
}

static int open_session(struct grp_fs_mount *mount, int fd)
{
	char name[] = "grpfs", path[32];
	char *argv[] = { name, NULL };
	struct fuse_args args = FUSE_ARGS_INIT(1, argv);
	struct fuse_lowlevel_ops ops = { .init = op_init };

	grp_fs_dir_ops(&ops);
	grp_fs_file_ops(&ops);
	grp_fs_write_op(&ops);
	mount->session = fuse_session_new(&args, &ops, sizeof(ops), mount);
	fuse_opt_free_args(&args);
	if (!mount->session)
		return -ENOMEM;
	/* libfuse's way to say that it is mounted already. */
	(void)snprintf(path, sizeof(path), "/dev/fd/%d", fd);
	return fuse_session_mount(mount->session, path) ? -EINVAL : 0;
}

/* The session owns it from then on. */
static int clone_device(int device, int *ret_fd)
{
	_cleanup_close_ int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC | O_NONBLOCK);
	uint32_t from = (uint32_t)device;

	if (fd < 0)
		return -errno;
	if (ioctl(fd, FUSE_DEV_IOC_CLONE, &from) < 0)
		return -errno;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/* --- the loop -------------------------------------------------------------------------------- */

static void mount_free(struct grp_fs_mount *mount)
{
	struct grp_fs *fs = mount->fs;

	grp_fs_writes_drop(mount);
	grp_fs_listings_drop(mount);
	grp_fs_handles_drop(mount);
	sd_event_source_disable_unref(mount->io);
	if (mount->session)
		fuse_session_destroy(mount->session);
	free(mount->buf.mem);
	if (mount->device >= 0)
		(void)close(mount->device);
	DL_DELETE(fs->mounts, mount);
	fs->n_mounts--;
	free(mount->hierarchy);
	free(mount->directory);
	free(mount);
}

/* Return: whether there may be more. */
static bool take_request(struct grp_fs_mount *mount)
{
	int n = fuse_session_receive_buf(mount->session, &mount->buf);

	if (n <= 0)
		return false;
	mount->fs->requests++;
	fuse_session_process_buf(mount->session, &mount->buf);
	return true;
}

static int on_io(sd_event_source *source, int fd, uint32_t revents, void *data)
{
	struct grp_fs_mount *mount = data;
	struct grp_fs *fs = mount->fs;
	unsigned int n = 0;
	bool own;

	while (n < TURN_REQUESTS && take_request(mount))
		n++;
	if (!fuse_session_exited(mount->session) && !(revents & EPOLLERR && !n))
		return 0;
	GRP_LOG_INFO("the mount at %s has ended", mount->directory);
	own = mount->own;
	mount_free(mount);
	if (own)
		grp_fs_remember(fs);
	return 0;
}

/* --- mounts ---------------------------------------------------------------------------------- */

static int copy_wish(struct grp_fs_mount *mount, const struct grp_fs_wish *wish)
{
	mount->pidns = wish->pidns;
	mount->own = wish->own;
	mount->directory = strdup(wish->directory);
	if (wish->hierarchy)
		mount->hierarchy = strdup(wish->hierarchy);
	return mount->directory && (!wish->hierarchy || mount->hierarchy) ? 0 : -ENOMEM;
}

static int start(struct grp_fs_mount *mount, const struct grp_fs_wish *wish)
{
	_cleanup_close_ int fd = -1;
	int r = copy_wish(mount, wish);

	if (r == 0)
		r = clone_device(mount->device, &fd);
	if (r == 0)
		r = open_session(mount, fd);
	if (r < 0)
		return r;
	r = sd_event_add_io(mount->fs->agent->event, &mount->io, fd, EPOLLIN, on_io, mount);
	(void)TAKE_FD(fd);
	return r < 0 ? r : 0;
}

static int check(const struct grp_fs *fs, const struct grp_fs_wish *wish, struct grp_error *error)
{
	const struct grp_hierarchy *hierarchy;

	if (fs->n_mounts >= GRP_FS_MOUNTS_MAX)
		return grp_error_set(error, EMFILE, "%u mounts are served, as many as there may be",
				     fs->n_mounts);
	if (!wish->hierarchy || wish->unmade)
		return 0;
	hierarchy = grp_hierarchy_find(fs->agent->core, wish->hierarchy);
	if (hierarchy && !(hierarchy->flags & GRP_HIERARCHY_UNMOUNTED))
		return 0;
	return grp_error_set(error, ENOENT,
			     "no hierarchy '%s'; 'grpctl mount -o cpuacct %s' makes it",
			     wish->hierarchy, wish->hierarchy);
}

int grp_fs_serve(struct grp_fs *fs, int fd, const struct grp_fs_wish *wish, struct grp_error *error)
{
	_cleanup_close_ int device = fd;
	struct grp_fs_mount *mount;
	int r = check(fs, wish, error);

	if (r < 0)
		return r;
	mount = calloc(1, sizeof(*mount));
	if (!mount)
		return -ENOMEM;
	mount->fs = fs;
	mount->device = TAKE_FD(device);
	DL_APPEND(fs->mounts, mount);
	fs->n_mounts++;
	r = start(mount, wish);
	if (r < 0) {
		mount_free(mount);
		return grp_error_set(error, -r, "cannot serve the mount: %s", strerror(-r));
	}
	if (mount->own)
		grp_fs_remember(fs);
	return 0;
}

int grp_fs_each(const struct grp_fs *fs, int (*fn)(const struct grp_fs_wish *wish, void *data),
		void *data)
{
	const struct grp_fs_mount *mount;
	int r = 0;

	for (mount = fs ? fs->mounts : NULL; r == 0 && mount; mount = mount->next) {
		const struct grp_fs_wish wish = { .hierarchy = mount->hierarchy,
						  .directory = mount->directory };

		r = fn(&wish, data);
	}
	return r;
}

/* --- life ---------------------------------------------------------------------------------------- */

static const int levels[] = {
	[FUSE_LOG_EMERG] = LOG_ERR,	  [FUSE_LOG_ALERT] = LOG_ERR,
	[FUSE_LOG_CRIT] = LOG_ERR,	  [FUSE_LOG_ERR] = LOG_WARNING,
	[FUSE_LOG_WARNING] = LOG_WARNING, [FUSE_LOG_NOTICE] = LOG_INFO,
	[FUSE_LOG_INFO] = LOG_INFO,	  [FUSE_LOG_DEBUG] = LOG_DEBUG,
};

static void on_log(enum fuse_log_level level, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));
static void on_log(enum fuse_log_level level, const char *format, va_list args)
{
	_cleanup_free_ char *text = NULL;

	if (vasprintf(&text, format, args) < 0) {
		text = NULL;
		return;
	}
	text[strcspn(text, "\n")] = '\0';
	grp_log(levels[level], "%s, ignoring", text);
}

int grp_fs_new(struct grp_agent *agent, struct grp_fs **ret_fs)
{
	struct grp_fs *fs = calloc(1, sizeof(*fs));
	int r;

	if (!fs)
		return -ENOMEM;
	fs->agent = agent;
	/* Not one that an earlier agent has given out. */
	fs->next_handle = grp_clock_ns(CLOCK_MONOTONIC);
	r = grp_peer_pidns(0, &fs->pidns);
	if (r < 0) {
		free(fs);
		return r;
	}
	fuse_set_log_func(on_log);
	*ret_fs = fs;
	return 0;
}

void grp_fs_free(struct grp_fs *fs)
{
	bool own = false;

	if (!fs)
		return;
	grp_fs_mountings_drop(fs);
	for (const struct grp_fs_mount *mount = fs->mounts; mount; mount = mount->next)
		own = own || mount->own;
	/* The kernel lets nobody wait for us any more: no path is blocked then. */
	while (fs->mounts)
		mount_free(fs->mounts);
	if (own)
		grp_fs_clear(fs->agent->run_dir, fs->agent->config.instance);
	free(fs);
}

void grp_fs_figures(const struct grp_fs *fs, struct grp_fs_figures *ret_figures)
{
	*ret_figures = (struct grp_fs_figures){ 0 };
	if (!fs)
		return;
	ret_figures->mounts = fs->n_mounts;
	ret_figures->handles = HASH_COUNT(fs->handles);
	ret_figures->requests = fs->requests;
	ret_figures->refused = fs->refused;
	ret_figures->interrupted = fs->interrupted;
	for (const struct grp_fs_mount *mount = fs->mounts; mount; mount = mount->next)
		ret_figures->references += mount->references;
}
