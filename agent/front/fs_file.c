/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Control files of the control filesystem, as they are opened and read, and owners and
 * modes of all that is in it. What is written is in fs_write.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"
#include "base/cleanup.h"
#include "core/inode.h"
#include "front/fs_internal.h"

/* --- attributes --------------------------------------------------------------------------- */

static void reply_attributes(fuse_req_t req, const struct grp_fs_node *node)
{
	struct stat st;

	grp_fs_attributes(fuse_req_userdata(req), node, &st);
	(void)fuse_reply_attr(req, &st, 0);
}

static void op_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct grp_fs_node node;

	grp_fs_node(fuse_req_userdata(req), ino, &node);
	reply_attributes(req, &node);
}

/* Sizes and times are taken and change nothing: `>` and touch work. */
static int change(struct grp_fs_request *request, const struct grp_fs_node *node,
		  const struct stat *attr, int to_set)
{
	const char *file = node->kind == GRP_FS_FILE ? node->ref.name : NULL;
	const struct grp_inode_change change = {
		.core = request->core,
		.group = node->group,
		.file = file,
		.caller = &request->caller,
		.error = &request->error,
	};
	int r = 0;

	if (to_set & (FUSE_SET_ATTR_UID | FUSE_SET_ATTR_GID)) {
		r = grp_inode_chown(&change, to_set & FUSE_SET_ATTR_UID ? attr->st_uid : (uid_t)-1,
				    to_set & FUSE_SET_ATTR_GID ? attr->st_gid : (gid_t)-1);
		grp_fs_changed(request, "chown", node->group, file, r);
	}
	if (r == 0 && to_set & FUSE_SET_ATTR_MODE) {
		r = grp_inode_chmod(&change, attr->st_mode & 07777);
		grp_fs_changed(request, "chmod", node->group, file, r);
	}
	return r;
}

static void op_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *attr, int to_set,
		       struct fuse_file_info *fi)
{
	struct grp_fs_request request _cleanup_request_;
	struct grp_fs_node node;
	int r = 0;

	grp_fs_request_init(&request, req, false);
	grp_fs_node(request.mount, ino, &node);
	if (node.kind != GRP_FS_GROUP && node.kind != GRP_FS_FILE)
		r = -EPERM;
	else if (!node.group || (node.kind == GRP_FS_FILE && !node.ref.file))
		r = -ENODEV;
	else
		r = change(&request, &node, attr, to_set);
	if (r < 0)
		grp_fs_reply(req, r);
	else
		reply_attributes(req, &node);
}

/* --- reading --------------------------------------------------------------------------------- */

static int read_text(struct grp_fs_mount *mount, const struct grp_caller *caller,
		     const struct grp_fs_node *node, char **ret_text, size_t *ret_len)
{
	const struct grp_file_access access = {
		.core = mount->fs->agent->core,
		.group = node->group,
		.caller = caller,
	};

	if (node->kind != GRP_FS_FILE)
		return grp_fs_proc_read(mount, node, ret_text, ret_len);
	if (!node->group || !node->ref.file)
		return -ENODEV;
	return grp_file_read(&access, node->ref.name, ret_text, ret_len);
}

static int take(struct grp_fs_handle *handle, const struct grp_fs_node *node)
{
	char *text = NULL;
	size_t len;
	int r = read_text(handle->mount, &handle->caller, node, &text, &len);

	return r < 0 ? r : grp_fs_handle_set_text(handle, text, len);
}

/* Who is a member is told as it was when the file was opened (TASK-2). */
static bool is_snapshot(const struct grp_fs_node *node)
{
	return node->kind == GRP_FS_FILE && node->ref.file && grp_file_is_of_members(&node->ref);
}

/* Return: 0: it is answered later. */
static int open_listing(struct grp_fs_request *request, struct grp_fs_handle *handle,
			const struct grp_fs_node *node, const struct fuse_file_info *fi)
{
	const struct grp_file_access access = {
		.core = request->core,
		.group = node->group,
		.caller = &handle->caller,
	};
	int r = grp_file_check(&access, node->ref.name, GRP_READ);

	return r ?: grp_fs_listing_open(request, handle, node, fi);
}

/* Return: 0; 1: it is answered later. */
static int open_node(struct grp_fs_request *request, fuse_ino_t ino, struct fuse_file_info *fi)
{
	bool later = false;
	struct grp_fs_handle *handle;
	struct grp_fs_node node;
	int r;

	grp_fs_node(request->mount, ino, &node);
	if (node.kind == GRP_FS_FILE && (!node.group || !node.ref.file))
		return -ENODEV;
	r = grp_fs_handle_new(request, &handle);
	if (r < 0)
		return r;
	fi->fh = handle->id;
	fi->direct_io = 1; /* its size is 0, whatever it holds */
	if (is_snapshot(&node) && (fi->flags & O_ACCMODE) != O_WRONLY) {
		later = true;
		r = open_listing(request, handle, &node, fi);
	}
	if (r < 0)
		grp_fs_handle_free(request->mount->fs, handle);
	return r ?: later;
}

static void op_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct grp_fs_request request _cleanup_request_;
	struct grp_fs_handle *handle;
	int r;

	grp_fs_request_init(&request, req, true);
	r = open_node(&request, ino, fi);
	if (r > 0)
		return;
	if (r < 0) {
		grp_fs_reply(req, r);
		return;
	}
	handle = grp_fs_handle_find(request.mount->fs, fi->fh);
	/* One whose caller is gone will not be closed. */
	if (fuse_reply_open(req, fi) < 0 && handle)
		grp_fs_handle_free(request.mount->fs, handle);
}

/* From its beginning it is read anew, so that one who looks again sees what is now. */
static int read_handle(struct grp_fs_handle *handle, const struct grp_fs_node *node, off_t off)
{
	if (node->kind == GRP_FS_FILE && (!node->group || !node->ref.file))
		return -ENODEV;
	if (handle->has_text && (off || is_snapshot(node)))
		return 0;
	return take(handle, node);
}

static void op_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
		    struct fuse_file_info *fi)
{
	struct grp_fs_mount *mount = fuse_req_userdata(req);
	struct grp_fs_handle *handle = grp_fs_handle_find(mount->fs, fi->fh);
	struct grp_fs_node node;
	size_t left;
	int r = -ESTALE;

	grp_fs_node(mount, ino, &node);
	if (handle)
		r = read_handle(handle, &node, off);
	if (r < 0) {
		grp_fs_reply(req, r);
		return;
	}
	left = (size_t)off < handle->len ? handle->len - (size_t)off : 0;
	(void)fuse_reply_buf(req, left ? handle->text + off : NULL, left < size ? left : size);
}

/* --- the end ---------------------------------------------------------------------------------------- */

static void op_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct grp_fs_mount *mount = fuse_req_userdata(req);
	struct grp_fs_handle *handle = grp_fs_handle_find(mount->fs, fi->fh);

	if (handle)
		grp_fs_handle_free(mount->fs, handle);
	grp_fs_reply(req, 0);
}

void grp_fs_file_ops(struct fuse_lowlevel_ops *ops)
{
	ops->getattr = op_getattr;
	ops->setattr = op_setattr;
	ops->open = op_open;
	ops->read = op_read;
	ops->release = op_release;
}
