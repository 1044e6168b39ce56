/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Directories of the control filesystem: names, listings, and making, removing and
 * renaming groups. That the caller may do so by the modes, the kernel has checked
 * (default_permissions); the core looks once more.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"
#include "base/cleanup.h"
#include "front/fs_internal.h"
#include "front/jobs.h"

/* --- names ---------------------------------------------------------------------------- */

static int find_in_group(struct grp_core *core, struct grp_group *group, const char *name,
			 struct grp_fs_node *ret_node)
{
	struct grp_group *child = grp_group_child(core, group, name);
	struct grp_file_ref ref;

	if (child)
		grp_fs_group_node(child, ret_node);
	else if (grp_file_find(core, group, name, &ref))
		grp_fs_file_node(group, &ref, ret_node);
	else
		return -ENOENT;
	return 0;
}

static int find(struct grp_fs_mount *mount, fuse_ino_t parent, const char *name,
		struct grp_fs_node *ret_node)
{
	struct grp_fs_node node;

	if (strlen(name) > GRP_NAME_MAX)
		return -ENAMETOOLONG;
	grp_fs_node(mount, parent, &node);
	if (node.kind == GRP_FS_TOP || node.kind == GRP_FS_PROC)
		return grp_fs_proc_find(mount, &node, name, ret_node);
	if (node.kind != GRP_FS_GROUP)
		return -ENOTDIR;
	return node.group ? find_in_group(mount->fs->agent->core, node.group, name, ret_node) :
			    -ENOENT;
}

/* Nothing is remembered by the kernel: others change the tree behind its back. */
static void reply_entry(fuse_req_t req, const struct grp_fs_node *node)
{
	struct fuse_entry_param entry = { .ino = node->ino };
	struct grp_fs_mount *mount = fuse_req_userdata(req);

	grp_fs_attributes(mount, node, &entry.attr);
	if (fuse_reply_entry(req, &entry) == 0)
		mount->references++;
}

/* There is nothing to free: the number shows whether the kernel keeps what nobody uses. */
static void forget(struct grp_fs_mount *mount, uint64_t n)
{
	mount->references -= n < mount->references ? n : mount->references;
}

static void op_forget(fuse_req_t req, fuse_ino_t ino, uint64_t n)
{
	forget(fuse_req_userdata(req), n);
	fuse_reply_none(req);
}

static void op_forget_multi(fuse_req_t req, size_t n, struct fuse_forget_data *nodes)
{
	for (size_t i = 0; i < n; i++)
		forget(fuse_req_userdata(req), nodes[i].nlookup);
	fuse_reply_none(req);
}

static void op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct grp_fs_node node;
	int r = find(fuse_req_userdata(req), parent, name, &node);

	if (r == -ENOENT)
		(void)fuse_reply_err(req, ENOENT);
	else if (r < 0)
		grp_fs_reply(req, r);
	else
		reply_entry(req, &node);
}

/* --- listings ----------------------------------------------------------------------------- */

struct list {
	struct grp_fs_handle *handle;
	struct grp_group *group;
};

static int list_file(const struct grp_file_ref *ref, void *data)
{
	const struct list *list = data;
	struct grp_fs_node node;

	grp_fs_file_node(list->group, ref, &node);
	return grp_fs_handle_add(list->handle, ref->name, &node);
}

static int list_group(struct grp_core *core, struct grp_fs_handle *handle, struct grp_group *group)
{
	struct list list = { .handle = handle, .group = group };
	struct grp_fs_node node;
	int r = grp_file_each(core, group, list_file, &list);

	for (struct grp_group *child = group->children; r == 0 && child; child = child->next) {
		if (child->dying)
			continue;
		grp_fs_group_node(child, &node);
		r = grp_fs_handle_add(handle, child->name, &node);
	}
	return r;
}

/* All that is there at this moment, so that none is shown twice whatever happens. */
static int list(struct grp_fs_mount *mount, struct grp_fs_handle *handle,
		const struct grp_fs_node *node)
{
	int r;

	grp_fs_handle_clear(handle);
	r = grp_fs_handle_add(handle, ".", node);
	if (r == 0)
		r = grp_fs_handle_add(handle, "..", node);
	if (r == 0 && node->kind == GRP_FS_GROUP && node->group)
		r = list_group(mount->fs->agent->core, handle, node->group);
	else if (r == 0 && node->kind != GRP_FS_GROUP)
		r = grp_fs_proc_list(mount, handle, node);
	return r;
}

static void op_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct grp_fs_request request _cleanup_request_;
	struct grp_fs_handle *handle;
	int r;

	grp_fs_request_init(&request, req, true);
	r = grp_fs_handle_new(&request, &handle);
	if (r < 0) {
		grp_fs_reply(req, r);
		return;
	}
	fi->fh = handle->id;
	/* One whose caller is gone will not be closed. */
	if (fuse_reply_open(req, fi) < 0)
		grp_fs_handle_free(request.mount->fs, handle);
}

void grp_fs_reply_entries(fuse_req_t req, const struct grp_fs_handle *handle, size_t size,
			  size_t from)
{
	_cleanup_free_ char *buf = malloc(size);
	size_t n = 0;

	if (!buf) {
		grp_fs_reply(req, -ENOMEM);
		return;
	}
	for (size_t i = from; i < handle->n_entries; i++) {
		const struct grp_fs_entry *entry = &handle->entries[i];
		const struct stat st = { .st_ino = entry->ino,
					 .st_mode = entry->directory ? S_IFDIR : S_IFREG };
		size_t len =
			fuse_add_direntry(req, buf + n, size - n, entry->name, &st, (off_t)i + 1);

		if (len > size - n)
			break;
		n += len;
	}
	(void)fuse_reply_buf(req, buf, n);
}

static void op_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
		       struct fuse_file_info *fi)
{
	struct grp_fs_mount *mount = fuse_req_userdata(req);
	struct grp_fs_handle *handle = grp_fs_handle_find(mount->fs, fi->fh);
	struct grp_fs_node node;
	int r = handle ? 0 : -ESTALE;

	grp_fs_node(mount, ino, &node);
	if (r == 0 && !off)
		r = list(mount, handle, &node);
	if (r == 0 && !off && node.kind == GRP_FS_PROC) {
		r = grp_fs_listing_readdir(req, handle, size);
		if (r == 0)
			return;
	}
	if (r < 0)
		grp_fs_reply(req, r);
	else
		grp_fs_reply_entries(req, handle, size, (size_t)off);
}

static void op_releasedir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct grp_fs_mount *mount = fuse_req_userdata(req);
	struct grp_fs_handle *handle = grp_fs_handle_find(mount->fs, fi->fh);

	if (handle)
		grp_fs_handle_free(mount->fs, handle);
	grp_fs_reply(req, 0);
}

/* --- groups ----------------------------------------------------------------------------------- */

/* Return: 0; -EPERM: nothing is made in the views of /proc; -ENOENT: it was removed. */
static int find_parent(struct grp_fs_mount *mount, fuse_ino_t ino, struct grp_group **ret_group)
{
	struct grp_fs_node node;

	grp_fs_node(mount, ino, &node);
	if (node.kind != GRP_FS_GROUP)
		return -EPERM;
	if (!node.group)
		return -ENOENT;
	*ret_group = node.group;
	return 0;
}

static void op_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
	struct grp_fs_request request _cleanup_request_;
	struct grp_group *above = NULL, *group = NULL;
	struct grp_fs_node node;
	int r;

	grp_fs_request_init(&request, req, false);
	r = find_parent(request.mount, parent, &above);
	if (r == 0) {
		r = grp_group_make(request.core, above, name, mode, &request.caller, &request.error,
				   &group);
		grp_fs_changed(&request, "mkdir", above, name, r);
	}
	if (r < 0) {
		grp_fs_reply(req, r);
		return;
	}
	grp_fs_group_node(group, &node);
	reply_entry(req, &node);
}

static void op_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct grp_fs_request request _cleanup_request_;
	struct grp_fs_node node;
	int r;

	grp_fs_request_init(&request, req, false);
	r = find(request.mount, parent, name, &node);
	if (r == 0 && node.kind != GRP_FS_GROUP)
		r = grp_fs_node_is_dir(&node) ? -EPERM : -ENOTDIR;
	if (r == 0) {
		struct grp_group *above = node.group->parent ?: node.group;

		grp_jobs_observe(request.mount->fs->agent);
		r = grp_group_remove(request.core, node.group, &request.caller, &request.error);
		grp_fs_changed(&request, "rmdir", above, name, r);
	}
	grp_fs_reply(req, r);
}

/* To a place that is given by its parent: the core wants the path. */
static int rename_group(struct grp_fs_request *request, struct grp_group *group,
			const struct grp_group *to, const char *name)
{
	const char *hierarchy = to->hierarchy->name;
	_cleanup_free_ char *spec = NULL;
	char path[GRP_PATH_MAX];

	if (grp_group_path(to, path, sizeof(path)) < 0)
		return -ENAMETOOLONG;
	if (asprintf(&spec, "%s:%s/%s", hierarchy, path, name) < 0) {
		spec = NULL;
		return -ENOMEM;
	}
	return grp_group_rename(request->core, group, spec, &request->caller, &request->error);
}

static void op_rename(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t new_parent,
		      const char *new_name, unsigned int flags)
{
	struct grp_fs_request request _cleanup_request_;
	struct grp_group *to = NULL;
	struct grp_fs_node node;
	int r;

	grp_fs_request_init(&request, req, false);
	r = find(request.mount, parent, name, &node);
	if (r == 0 && node.kind != GRP_FS_GROUP)
		r = grp_fs_node_is_dir(&node) ? -EPERM : -ENOTDIR;
	if (r == 0 && flags & ~(unsigned int)RENAME_NOREPLACE)
		r = -EINVAL;
	if (r == 0)
		r = find_parent(request.mount, new_parent, &to);
	if (r == 0) {
		r = rename_group(&request, node.group, to, new_name);
		grp_fs_changed(&request, "rename", to, new_name, r);
	}
	grp_fs_reply(req, r);
}

/* --- what is not done here (CONT-11) -------------------------------------------------------------- */

static void op_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t rdev)
{
	/* Regular files are what create() is for; of other kinds there are none. */
	grp_fs_reply(req, S_ISREG(mode) ? -EACCES : -EPERM);
}

static void op_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
		      struct fuse_file_info *fi)
{
	grp_fs_reply(req, -EACCES);
}

static void op_unlink(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	grp_fs_reply(req, -EPERM);
}

static void op_symlink(fuse_req_t req, const char *link, fuse_ino_t parent, const char *name)
{
	grp_fs_reply(req, -EPERM);
}

static void op_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t parent, const char *name)
{
	grp_fs_reply(req, -EPERM);
}

static void op_statfs(fuse_req_t req, fuse_ino_t ino)
{
	const struct statvfs st = { .f_bsize = 4096, .f_frsize = 4096, .f_namemax = GRP_NAME_MAX };

	(void)fuse_reply_statfs(req, &st);
}

void grp_fs_dir_ops(struct fuse_lowlevel_ops *ops)
{
	ops->lookup = op_lookup;
	ops->forget = op_forget;
	ops->forget_multi = op_forget_multi;
	ops->opendir = op_opendir;
	ops->readdir = op_readdir;
	ops->releasedir = op_releasedir;
	ops->mkdir = op_mkdir;
	ops->rmdir = op_rmdir;
	ops->rename = op_rename;
	ops->mknod = op_mknod;
	ops->create = op_create;
	ops->unlink = op_unlink;
	ops->symlink = op_symlink;
	ops->link = op_link;
	ops->statfs = op_statfs;
}
