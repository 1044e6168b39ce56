/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Owners and modes of groups and of their control files: the rules of chmod(2) and
 * chown(2), and who may do what by them (CONT-5, CONT-6). Files are asked about with
 * grp_file_check() of file.h.
 */
#ifndef GRP_CORE_INODE_H
#define GRP_CORE_INODE_H

#include <stdbool.h>
#include <sys/types.h>

#include "core/core.h"

struct grp_file_ref;

/* --- access ----------------------------------------------------------------------- */

/* What grp_access() is asked for, as bits. */
enum grp_access_mask {
	GRP_SEARCH = 1,
	GRP_WRITE = 2,
	GRP_READ = 4,
};

/* grp_access() - the rules of a directory or file, supplementary groups included. */
bool grp_access(const struct grp_inode *inode, const struct grp_caller *caller, int mask);

/**
 * grp_group_access() - @mask on a group, and search on all above it; 0: only that.
 * Return: 0; -EACCES with a reason that says who lacks what, and whose the group is.
 */
int grp_group_access(const struct grp_group *group, const struct grp_caller *caller, int mask,
		     struct grp_error *error);

/**
 * grp_group_may_remove() - may the caller take a name out of the group above, for
 * rmdir and mv? Not for roots. Return: 0; -EACCES; -EPERM: the sticky bit is in the way.
 */
int grp_group_may_remove(const struct grp_group *group, const struct grp_caller *caller,
			 struct grp_error *error);

/*
 * grp_group_next_listed() - as grp_group_next(), without what is below groups that
 * the caller may not read and search.
 */
struct grp_group *grp_group_next_listed(const struct grp_group *top, const struct grp_group *at,
					const struct grp_caller *caller);

/* --- changes ---------------------------------------------------------------------- */

/* Whose owner or mode is to be changed, and who asks. */
struct grp_inode_change {
	struct grp_core *core;
	struct grp_group *group;
	const char *file; /* control file, by its visible name; NULL: the group itself */
	bool members; /* chown of the group itself: its files of members as well */
	const struct grp_caller *caller;
	struct grp_error *error;
};

/**
 * grp_inode_chown() - another owner, group or both; one update of the store.
 * @uid, @gid: -1: as it is.
 * With ->members it hands the group over: what may be done by writing "tasks" and
 * "cgroup.procs" goes along, settings and limits stay with whom they belong to.
 * Return: 0; -EPERM: only root changes the owner; the group is changed by root, and
 * by the owner to one that he is a member of; -EACCES: no search permission;
 * -ENOENT: no such file; -ENOSPC: setting capacity-groups; -errno: nothing has changed.
 */
int grp_inode_chown(const struct grp_inode_change *change, uid_t uid, gid_t gid);

/**
 * grp_inode_chmod() - other permissions; one update of the store.
 * @mode: a file has 0777 only; a group also the sticky bit, and the other two bits,
 * which mean nothing.
 * Return: 0; -EPERM: neither root nor the owner; -EINVAL: more than these bits; as
 * grp_inode_chown().
 */
int grp_inode_chmod(const struct grp_inode_change *change, mode_t mode);

/* grp_file_is_of_members() - is it one of those that go along with ->members? */
bool grp_file_is_of_members(const struct grp_file_ref *ref);

/**
 * grp_inode_refuse() - -EACCES, with a reason that says who lacks which permission
 * of what, and whose that is.
 * @file: of the group; NULL: the group itself. @inode: of that.
 * @mask: what was asked for.
 */
int grp_inode_refuse(const struct grp_group *group, const char *file, const struct grp_inode *inode,
		     const struct grp_caller *caller, int mask, struct grp_error *error);

#endif
