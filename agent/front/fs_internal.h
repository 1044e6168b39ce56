/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shared by the files of the control filesystem. Nodes are numbers that say what they
 * are: nothing is kept for one that the kernel knows, so that there is nothing to
 * count, to leak, or to lose with the agent. Only open files and directories have
 * state, found by a number of theirs.
 */
#ifndef GRP_FRONT_FS_INTERNAL_H
#define GRP_FRONT_FS_INTERNAL_H

#define FUSE_USE_VERSION 35

#include <fuse_lowlevel.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <systemd/sd-event.h>
#include <uthash.h>

#include "core/core.h"
#include "core/file.h"
#include "front/fs.h"

struct grp_fs_mount {
	struct grp_fs *fs;
	struct grp_fs_mount *prev, *next;
	char *hierarchy; /* name; NULL: all of them */
	char *directory;
	bool own; /* in the agent's mount namespace */
	uint32_t pidns; /* whose ids the kernel tells; 0: ours */
	int device; /* /dev/fuse, as it was mounted */
	struct fuse_session *session; /* over a clone of it */
	sd_event_source *io;
	struct fuse_buf buf;
	struct grp_fs_write *writes; /* that go on */
	struct grp_fs_listing *listings; /* so do these */
	uint64_t references; /* to nodes, held by the kernel */
};

struct grp_fs {
	struct grp_agent *agent;
	struct grp_fs_mount *mounts;
	struct grp_fs_mounting *mountings; /* that a child is making */
	struct grp_fs_handle *handles; /* by id */
	struct grp_fs_user *users;
	uint64_t next_handle;
	uint32_t pidns; /* inode of our own */
	unsigned int n_mounts;
	uint64_t requests, refused, interrupted;
};

/* --- fs_heal.c: mounts of the agent's own ----------------------------------------------- */

/* grp_fs_remember() - writes down what is to be mounted again. */
void grp_fs_remember(struct grp_fs *fs);

/* grp_fs_clear() - takes away what is written down; nobody serves it any more. */
void grp_fs_clear(const char *run_dir, const char *instance);

/* grp_fs_mountings_drop() - nobody waits for the children. */
void grp_fs_mountings_drop(struct grp_fs *fs);

/* --- fs_request.c: who asks, and what becomes of it ----------------------------------- */

struct grp_fs_request {
	fuse_req_t req;
	struct grp_fs_mount *mount;
	struct grp_core *core;
	struct grp_caller caller;
	gid_t *groups; /* of caller */
	struct grp_error error;
};

/* grp_fs_request_init() - the caller is looked at. @ids: also his pid namespace. */
void grp_fs_request_init(struct grp_fs_request *request, fuse_req_t req, bool ids);
void grp_fs_request_done(struct grp_fs_request *request);
#define _cleanup_request_ __attribute__((cleanup(grp_fs_request_done)))

/* grp_fs_reply() - the end of a request that has no other answer: @r is 0 or -errno. */
void grp_fs_reply(fuse_req_t req, int r);

/**
 * grp_fs_changed() - the end of what was to change something: it is logged, and told
 * to who watches, before it is answered.
 * @what: "mkdir", ...; @name: in @group or of it; may be NULL.
 */
void grp_fs_changed(const struct grp_fs_request *request, const char *what,
		    const struct grp_group *group, const char *name, int result);

/* --- fs_node.c: numbers -------------------------------------------------------------- */

enum grp_fs_kind {
	GRP_FS_GROUP,
	GRP_FS_FILE,
	GRP_FS_TOP, /* above the hierarchies of a combined mount */
	GRP_FS_PROC,
	GRP_FS_PROC_CONTAINERS,
	GRP_FS_PROC_TASK,
};

struct grp_fs_node {
	enum grp_fs_kind kind;
	fuse_ino_t ino; /* as the kernel knows it, but for the root */
	struct grp_group *group; /* NULL: it has been removed */
	struct grp_file_ref ref; /* of a file; ref.file NULL: it stands there no more */
	pid_t pid; /* of a task, in our pid namespace */
};

/* grp_fs_node() - from a number that the kernel was told before; never fails. */
void grp_fs_node(struct grp_fs_mount *mount, fuse_ino_t ino, struct grp_fs_node *ret_node);

/* grp_fs_group_node(), grp_fs_file_node() - of what is there. */
void grp_fs_group_node(struct grp_group *group, struct grp_fs_node *ret_node);
void grp_fs_file_node(struct grp_group *group, const struct grp_file_ref *ref,
		      struct grp_fs_node *ret_node);

/* grp_fs_proc_node() - of one of the kinds that are of no group. @pid: of a task, else 0. */
void grp_fs_proc_node(enum grp_fs_kind kind, pid_t pid, struct grp_fs_node *ret_node);

/* grp_fs_root() - root group of the hierarchy of a mount; NULL: there is none now. */
struct grp_group *grp_fs_root(struct grp_fs_mount *mount);

/* grp_fs_node_is_dir() - of a kind that has entries. */
bool grp_fs_node_is_dir(const struct grp_fs_node *node);

/* grp_fs_attributes() - as stat(2) shows them. What was removed has no link. */
void grp_fs_attributes(struct grp_fs_mount *mount, const struct grp_fs_node *node,
		       struct stat *ret_stat);

/* --- fs_handle.c: what is open ---------------------------------------------------------- */

/* An entry of a directory that was opened. */
struct grp_fs_entry {
	fuse_ino_t ino;
	bool directory;
	char *name; /* owned */
};

struct grp_fs_handle {
	uint64_t id;
	struct grp_fs_mount *mount;
	struct grp_fs_user *user; /* that pays for it */
	size_t bytes; /* counted there */
	struct grp_caller caller; /* who has opened it */
	gid_t *groups; /* of caller */
	char *text; /* of a file, as last read; owned */
	size_t len;
	bool has_text;
	struct grp_fs_entry *entries; /* of a directory */
	size_t n_entries;
	UT_hash_handle hh;
};

/**
 * grp_fs_handle_new() - somebody opens something; his credentials stay with it.
 * Return: 0; -ENOMEM, also when all that its user has open is too much.
 */
int grp_fs_handle_new(struct grp_fs_request *request, struct grp_fs_handle **ret_handle);
void grp_fs_handle_free(struct grp_fs *fs, struct grp_fs_handle *handle);

/* grp_fs_handle_find() - NULL: of an agent that has ended. */
struct grp_fs_handle *grp_fs_handle_find(struct grp_fs *fs, uint64_t id);

/* grp_fs_handle_set_text() - what was read; taken over. -ENOMEM as above. */
int grp_fs_handle_set_text(struct grp_fs_handle *handle, char *text, size_t len);

/* grp_fs_handle_add() - one more entry. -ENOMEM as above. */
int grp_fs_handle_add(struct grp_fs_handle *handle, const char *name,
		      const struct grp_fs_node *node);
void grp_fs_handle_clear(struct grp_fs_handle *handle);

/* grp_fs_handles_drop() - all of a mount that has ended. */
void grp_fs_handles_drop(struct grp_fs_mount *mount);

/* --- fs_proc.c: above the hierarchies of a combined mount ----------------------------------- */

/* grp_fs_proc_find() - an entry of TOP or PROC. -ENOENT. */
int grp_fs_proc_find(struct grp_fs_mount *mount, const struct grp_fs_node *directory,
		     const char *name, struct grp_fs_node *ret_node);

/*
 * grp_fs_proc_list() - the entries of TOP or PROC, without the two of every directory;
 * of PROC without those of tasks.
 */
int grp_fs_proc_list(struct grp_fs_mount *mount, struct grp_fs_handle *handle,
		     const struct grp_fs_node *directory);

/* grp_fs_proc_add() - entries of PROC: the processes of these. -ENOMEM. */
int grp_fs_proc_add(struct grp_fs_handle *handle, struct grp_members *members);

/* grp_fs_proc_read() - what a file there holds; malloc'ed. -ESRCH: the task is gone. */
int grp_fs_proc_read(struct grp_fs_mount *mount, const struct grp_fs_node *node, char **ret_text,
		     size_t *ret_len);

/* --- fs_dir.c, fs_file.c: operations -------------------------------------------------------- */

/* grp_fs_reply_entries() - of a directory, from this one on, as much as there is room for. */
void grp_fs_reply_entries(fuse_req_t req, const struct grp_fs_handle *handle, size_t size,
			  size_t from);

/* grp_fs_dir_ops(), grp_fs_file_ops() - fill in theirs. */
void grp_fs_dir_ops(struct fuse_lowlevel_ops *ops);
void grp_fs_file_ops(struct fuse_lowlevel_ops *ops);

/* --- fs_listing.c ----------------------------------------------------------------------------- */

/**
 * grp_fs_listing_open() - who opens a file of members to read it is answered when they are found.
 * @handle: taken over unless it fails. @fi: of the answer.
 * Return: 0: it is answered later; -ENOMEM, -errno of the kernel.
 */
int grp_fs_listing_open(struct grp_fs_request *request, struct grp_fs_handle *handle,
			const struct grp_fs_node *node, const struct fuse_file_info *fi);

/**
 * grp_fs_listing_readdir() - so is who begins to read directory proc, by all processes.
 * @handle: of the directory; has its other entries. @size: of the answer.
 * Return: as grp_fs_listing_open().
 */
int grp_fs_listing_readdir(fuse_req_t req, const struct grp_fs_handle *handle, size_t size);

/* grp_fs_listings_drop() - those of a mount that has ended. */
void grp_fs_listings_drop(struct grp_fs_mount *mount);

/* --- fs_write.c ------------------------------------------------------------------------------- */

void grp_fs_write_op(struct fuse_lowlevel_ops *ops);

/* grp_fs_writes_drop() - those of a mount that has ended: nobody waits for them. */
void grp_fs_writes_drop(struct grp_fs_mount *mount);

#endif
