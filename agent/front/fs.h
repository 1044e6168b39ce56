/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The control filesystem: a hierarchy, or all of them, at a mount point in the shape
 * of a v1 control-group mount. A view of the core's groups and control files, by
 * libfuse's low-level interface inside the agent's loop; it keeps nothing of its own
 * but what is open.
 */
#ifndef GRP_FRONT_FS_H
#define GRP_FRONT_FS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

struct grp_agent;
struct grp_fs;

/**
 * grp_fs_new() - no mount is served yet.
 * @agent: borrowed for the life of it; event, core and server are used.
 * @ret_fs: owned by the caller, grp_fs_free().
 * Return: 0; -ENOMEM; -errno of /proc.
 */
int grp_fs_new(struct grp_agent *agent, struct grp_fs **ret_fs);

/* grp_fs_free() - unmounts what is mounted in our mount namespace, serves no more; NULL is fine. */
void grp_fs_free(struct grp_fs *fs);

/**
 * grp_fs_start() - mounts what the configuration says, and what was mounted in our mount
 * namespace when an agent of this instance last ended; some seconds are waited for that.
 * What cannot be mounted is logged.
 * Return: 0; -ENOMEM; -errno of the loop.
 */
int grp_fs_start(struct grp_fs *fs);

/*
 * grp_fs_unload() - an agent that was killed has left mounts: they are taken away.
 * Context: no agent of the instance runs.
 */
void grp_fs_unload(const char *run_dir, const char *instance);

/* What is to be seen at a mount point. */
struct grp_fs_wish {
	const char *hierarchy; /* name; NULL: every hierarchy, and proc */
	const char *directory; /* where, as users call it; never opened */
	uint32_t pidns; /* of who has mounted it, if it is not ours; else 0 */
	bool own; /* in the agent's mount namespace: mounted again at the next start */
	bool unmade; /* the hierarchy need not be there yet */
};

/**
 * grp_fs_serve() - answer the requests of a mount.
 * @fd: /dev/fuse, as it was given to mount(2); taken over, also on failure.
 * Return: 0; -ENOENT: no such hierarchy is mounted; -EINVAL: @fd is no such
 * descriptor; -EMFILE: GRP_FS_MOUNTS_MAX; -ENOMEM.
 * Context: loop.
 */
int grp_fs_serve(struct grp_fs *fs, int fd, const struct grp_fs_wish *wish,
		 struct grp_error *error);

/* grp_fs_each() - every mount that is served; stops at !0, which it returns. */
int grp_fs_each(const struct grp_fs *fs, int (*fn)(const struct grp_fs_wish *wish, void *data),
		void *data);

struct grp_fs_figures {
	unsigned int mounts;
	unsigned int handles; /* files and directories that are open */
	uint64_t references; /* of the kernel to groups and files: lookups that it has not forgotten */
	/* Since the start: */
	uint64_t requests;
	uint64_t refused; /* of them: answered with an error; a name that is not there is none */
	uint64_t interrupted; /* writes whose writer did not wait for their end */
};
/* grp_fs_figures() - for status; @fs may be NULL: all zero. */
void grp_fs_figures(const struct grp_fs *fs, struct grp_fs_figures *ret_figures);

#endif
