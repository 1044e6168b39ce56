/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Numbers of nodes: the id of a group, which is never used again, and in the low bits
 * which of its files, 0 for the directory itself. What is not of a group has numbers
 * that no group can have. They are what stat(2) shows as well.
 */
#include <stdlib.h>
#include <string.h>

#include "agent.h"
#include "front/fs_internal.h"

#define GROUP_SHIFT 16
#define FILE_MASK 0xffffU
/* Below the first group's; 1 is the root. */
#define INO_PROC 2
#define INO_CONTAINERS 3
/* Above the last group's. */
#define INO_TASKS (1ULL << 62)

#define BLOCK_SIZE 4096
#define NSEC_PER_SEC 1000000000ULL

struct grp_group *grp_fs_root(struct grp_fs_mount *mount)
{
	struct grp_hierarchy *hierarchy =
		grp_hierarchy_find(mount->fs->agent->core, mount->hierarchy);

	return hierarchy && !(hierarchy->flags & GRP_HIERARCHY_UNMOUNTED) ? hierarchy->root : NULL;
}

void grp_fs_group_node(struct grp_group *group, struct grp_fs_node *ret_node)
{
	*ret_node = (struct grp_fs_node){
		.kind = GRP_FS_GROUP,
		.ino = (uint64_t)group->id << GROUP_SHIFT,
		.group = group,
	};
}

void grp_fs_file_node(struct grp_group *group, const struct grp_file_ref *ref,
		      struct grp_fs_node *ret_node)
{
	grp_fs_group_node(group, ret_node);
	ret_node->kind = GRP_FS_FILE;
	ret_node->ino |= grp_file_number(ref);
	ret_node->ref = *ref;
}

void grp_fs_proc_node(enum grp_fs_kind kind, pid_t pid, struct grp_fs_node *ret_node)
{
	static const fuse_ino_t numbers[] = {
		[GRP_FS_TOP] = FUSE_ROOT_ID,
		[GRP_FS_PROC] = INO_PROC,
		[GRP_FS_PROC_CONTAINERS] = INO_CONTAINERS,
		[GRP_FS_PROC_TASK] = INO_TASKS,
	};

	*ret_node = (struct grp_fs_node){
		.kind = kind,
		.ino = numbers[kind] + (fuse_ino_t)pid,
		.pid = pid,
	};
}

/* The root of one hierarchy; without it there is nothing to see. */
static void root_node(struct grp_fs_mount *mount, struct grp_fs_node *ret_node)
{
	struct grp_group *root = grp_fs_root(mount);

	*ret_node = (struct grp_fs_node){ .kind = GRP_FS_GROUP, .ino = FUSE_ROOT_ID };
	if (root)
		grp_fs_group_node(root, ret_node);
}

static void special_node(struct grp_fs_mount *mount, fuse_ino_t ino, struct grp_fs_node *ret_node)
{
	if (ino >= INO_TASKS)
		grp_fs_proc_node(GRP_FS_PROC_TASK, (pid_t)(ino - INO_TASKS), ret_node);
	else if (ino == INO_PROC)
		grp_fs_proc_node(GRP_FS_PROC, 0, ret_node);
	else if (ino == INO_CONTAINERS)
		grp_fs_proc_node(GRP_FS_PROC_CONTAINERS, 0, ret_node);
	else if (mount->hierarchy)
		root_node(mount, ret_node);
	else
		grp_fs_proc_node(GRP_FS_TOP, 0, ret_node);
}

void grp_fs_node(struct grp_fs_mount *mount, fuse_ino_t ino, struct grp_fs_node *ret_node)
{
	struct grp_core *core = mount->fs->agent->core;
	unsigned int number = ino & FILE_MASK;
	struct grp_fs_node node = { .kind = number ? GRP_FS_FILE : GRP_FS_GROUP, .ino = ino };

	if (ino >= INO_TASKS || ino >> GROUP_SHIFT == 0) {
		special_node(mount, ino, ret_node);
		return;
	}
	node.group = grp_group_by_id(core, (uint32_t)(ino >> GROUP_SHIFT));
	if (node.group && node.group->dying)
		node.group = NULL;
	if (node.group && number && !grp_file_at(core, node.group, number, &node.ref))
		node.ref.file = NULL;
	*ret_node = node;
}

bool grp_fs_node_is_dir(const struct grp_fs_node *node)
{
	return node->kind == GRP_FS_GROUP || node->kind == GRP_FS_TOP || node->kind == GRP_FS_PROC;
}

static void set_times(struct stat *st, uint64_t ns)
{
	const struct timespec time = { .tv_sec = (time_t)(ns / NSEC_PER_SEC),
				       .tv_nsec = (long)(ns % NSEC_PER_SEC) };

	st->st_atim = st->st_mtim = st->st_ctim = time;
}

static void take_inode(struct stat *st, const struct grp_inode *inode)
{
	st->st_uid = inode->uid;
	st->st_gid = inode->gid;
	st->st_mode |= inode->mode;
}

void grp_fs_attributes(struct grp_fs_mount *mount, const struct grp_fs_node *node,
		       struct stat *ret_stat)
{
	bool directory = grp_fs_node_is_dir(node);
	struct grp_agent *agent = mount->fs->agent;
	struct stat st = {
		.st_ino = node->ino,
		.st_mode = directory ? S_IFDIR : S_IFREG,
		.st_blksize = BLOCK_SIZE,
	};
	struct grp_inode inode;

	set_times(&st, node->group ? node->group->created_ns : agent->started_ns);
	if (node->kind == GRP_FS_GROUP && node->group) {
		take_inode(&st, &node->group->inode);
		st.st_nlink = 2 + node->group->n_children;
	} else if (node->kind == GRP_FS_FILE && node->group && node->ref.file) {
		grp_file_inode(agent->core, node->group, &node->ref, &inode);
		take_inode(&st, &inode);
		st.st_nlink = 1;
	} else if (node->kind != GRP_FS_GROUP && node->kind != GRP_FS_FILE) {
		st.st_mode |= directory ? 0555 : 0444;
		st.st_nlink = directory ? 2 : 1;
	}
	*ret_stat = st;
}
