/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Owners and modes, see inode.h. A group's record holds its own and those of its two
 * files of members, so that handing a subtree over is one update; any other file
 * that was given away is a stored value of kind INODE.
 */
#include "core/inode.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "core/internal.h"

#define FILE_BITS 0777

/* --- access ------------------------------------------------------------------------- */

void grp_inode_init(struct grp_group *group, const struct grp_inode *inode)
{
	group->inode = *inode;
	group->file_uid = inode->uid;
	group->file_gid = inode->gid;
	for (size_t i = 0; i < GRP_MEMBER_FILES; i++)
		group->member_files[i] =
			(struct grp_inode){ inode->uid, inode->gid, GRP_MEMBER_FILE_MODE };
}

static bool in_group(const struct grp_caller *caller, gid_t gid)
{
	bool is = caller->gid == gid;

	for (size_t i = 0; !is && i < caller->n_groups; i++)
		is = caller->groups[i] == gid;
	return is;
}

/* How far the bits that count for the caller are shifted: of owner, group, others. */
static unsigned int shift_of(const struct grp_inode *inode, const struct grp_caller *caller)
{
	if (caller->uid == inode->uid)
		return 6;
	return in_group(caller, inode->gid) ? 3 : 0;
}

bool grp_access(const struct grp_inode *inode, const struct grp_caller *caller, int mask)
{
	return !caller->uid || !((unsigned int)mask & ~(inode->mode >> shift_of(inode, caller)));
}

int grp_inode_refuse(const struct grp_group *group, const char *file, const struct grp_inode *inode,
		     const struct grp_caller *caller, int mask, struct grp_error *error)
{
	unsigned int shift = shift_of(inode, caller);
	unsigned int missing = (unsigned int)mask & ~(inode->mode >> shift);
	char path[GRP_SHOWN_PATH_SIZE], bits[4] = "";
	size_t n = 0;

	for (unsigned int i = 0; i < 3; i++)
		if (missing & (4U >> i))
			bits[n++] = "rwx"[i];
	return grp_error_set(error, EACCES,
			     "uid %u needs %c+%s on %s%s%s, which has uid %u, gid %u, mode %04o",
			     (unsigned int)caller->uid, "ogu"[shift / 3], bits, file ?: "",
			     file ? " of " : "", grp_group_shown_path(group, path),
			     (unsigned int)inode->uid, (unsigned int)inode->gid,
			     (unsigned int)inode->mode);
}

static int check(const struct grp_group *group, const struct grp_caller *caller, int mask,
		 struct grp_error *error)
{
	return grp_access(&group->inode, caller, mask) ?
		       0 :
		       grp_inode_refuse(group, NULL, &group->inode, caller, mask, error);
}

/* From the top, as the kernel walks: the first that refuses is named. */
static int check_above(const struct grp_group *group, const struct grp_caller *caller,
		       struct grp_error *error)
{
	const struct grp_group *refuses = NULL;

	for (const struct grp_group *g = group->parent; g; g = g->parent)
		if (!grp_access(&g->inode, caller, GRP_SEARCH))
			refuses = g;
	return refuses ? check(refuses, caller, GRP_SEARCH, error) : 0;
}

int grp_group_access(const struct grp_group *group, const struct grp_caller *caller, int mask,
		     struct grp_error *error)
{
	int r = check_above(group, caller, error);

	return r ?: check(group, caller, mask, error);
}

int grp_group_may_remove(const struct grp_group *group, const struct grp_caller *caller,
			 struct grp_error *error)
{
	const struct grp_inode *parent = &group->parent->inode;
	int r = grp_group_access(group->parent, caller, GRP_WRITE | GRP_SEARCH, error);

	if (r || !(parent->mode & S_ISVTX) || !caller->uid || caller->uid == group->inode.uid ||
	    caller->uid == parent->uid)
		return r;
	return grp_error_set(error, EPERM,
			     "it belongs to uid %u, and the group above is sticky: its names are "
			     "changed by their owners only",
			     (unsigned int)group->inode.uid);
}

/* --- files ------------------------------------------------------------------------------ */

static const char *const member_files[GRP_MEMBER_FILES] = {
	[GRP_MEMBER_TASKS] = "tasks",
	[GRP_MEMBER_PROCS] = "cgroup.procs",
};

/* In the group's record; NULL: not that one. */
static struct grp_inode *in_record(struct grp_group *group, const struct grp_file_ref *ref)
{
	for (size_t i = 0; !ref->subsystem && i < GRP_MEMBER_FILES; i++)
		if (!strcmp(ref->key, member_files[i]))
			return &group->member_files[i];
	return NULL;
}

bool grp_file_is_of_members(const struct grp_file_ref *ref)
{
	struct grp_group any;

	return in_record(&any, ref);
}

void grp_file_inode(struct grp_core *core, struct grp_group *group, const struct grp_file_ref *ref,
		    struct grp_inode *ret_inode)
{
	const struct grp_inode *recorded = in_record(group, ref);
	const struct grp_value_entry *entry =
		recorded ? NULL : grp_value_find(core, group, GRP_VALUE_INODE, ref->key);
	struct grp_value_inode stored;

	if (recorded) {
		*ret_inode = *recorded;
		return;
	}
	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): a file stands in a group */
	*ret_inode = (struct grp_inode){ group->file_uid, group->file_gid, ref->file->mode };
	if (!entry || entry->len != sizeof(stored))
		return;
	memcpy(&stored, entry->data, sizeof(stored));
	*ret_inode = (struct grp_inode){ stored.uid, stored.gid, stored.mode };
}

/* What is in the record changes by storing that; on failure it is as before. */
static int put_recorded(struct grp_core *core, struct grp_group *group, struct grp_inode *inode,
			const struct grp_inode *value)
{
	const struct grp_inode old = *inode;
	int r;

	*inode = *value;
	r = grp_group_store(core, group);
	if (r)
		*inode = old;
	return r;
}

static int put_file(struct grp_core *core, struct grp_group *group, const struct grp_file_ref *ref,
		    const struct grp_inode *inode)
{
	const struct grp_value_inode value = { inode->uid, inode->gid, inode->mode };
	struct grp_inode *recorded = in_record(group, ref);

	if (recorded)
		return put_recorded(core, group, recorded, inode);
	/* As it was made: nothing needs to be stored. */
	if (inode->uid == group->file_uid && inode->gid == group->file_gid &&
	    inode->mode == ref->file->mode)
		return grp_value_drop(core, group, GRP_VALUE_INODE, ref->key);
	return grp_value_put(core, group, GRP_VALUE_INODE, ref->key, &value, sizeof(value));
}

/* --- changes ------------------------------------------------------------------------------ */

/* The thing itself and what it has now. */
struct subject {
	struct grp_file_ref ref; /* of a file */
	struct grp_inode inode;
};

static int find_subject(const struct grp_inode_change *change, struct subject *ret)
{
	int r = check_above(change->group, change->caller, change->error);

	if (!change->file) {
		ret->inode = change->group->inode;
		return r;
	}
	if (!r)
		r = check(change->group, change->caller, GRP_SEARCH, change->error);
	if (!r && !grp_file_find(change->core, change->group, change->file, &ret->ref))
		r = grp_error_set(change->error, ENOENT,
				  "no file '%s' here; 'grpctl stat' lists them", change->file);
	if (!r)
		grp_file_inode(change->core, change->group, &ret->ref, &ret->inode);
	return r;
}

/* Of a failed update: nothing has changed. */
static int not_stored(const struct grp_inode_change *change, int r)
{
	if (r == -ENOSPC)
		return grp_error_set(change->error, ENOSPC,
				     "no room to store it (setting capacity-groups)");
	return r ? grp_error_set(change->error, -r, "cannot store it: %s", strerror(-r)) : 0;
}

static int put(const struct grp_inode_change *change, const struct subject *subject,
	       const struct grp_inode *inode)
{
	int r = change->file ?
			put_file(change->core, change->group, &subject->ref, inode) :
			put_recorded(change->core, change->group, &change->group->inode, inode);

	return not_stored(change, r);
}

/* chown_ok() and chgrp_ok() of the kernel. */
static int check_chown(const struct grp_inode_change *change, const char *file,
		       const struct grp_inode *inode, uid_t uid, gid_t gid)
{
	const struct grp_caller *caller = change->caller;
	bool owns = caller->uid == inode->uid;
	const char *of = file ? " of it" : "";

	if (!caller->uid)
		return 0;
	if (uid != (uid_t)-1 && !(owns && uid == inode->uid))
		return grp_error_set(change->error, EPERM, "only root may give %s%s to a user",
				     file ?: "it", of);
	if (gid == (gid_t)-1 || (owns && (gid == inode->gid || in_group(caller, gid))))
		return 0;
	if (owns)
		return grp_error_set(change->error, EPERM, "uid %u is no member of gid %u",
				     (unsigned int)caller->uid, (unsigned int)gid);
	return grp_error_set(change->error, EPERM,
			     "only root and the owner, uid %u, may change the group of %s%s",
			     (unsigned int)inode->uid, file ?: "it", of);
}

static void give(struct grp_inode *inode, uid_t uid, gid_t gid)
{
	if (uid != (uid_t)-1)
		inode->uid = uid;
	if (gid != (gid_t)-1)
		inode->gid = gid;
}

/* Group and files of members: all are in the one record. */
static int hand_over(const struct grp_inode_change *change, uid_t uid, gid_t gid)
{
	struct grp_group *group = change->group;
	const struct grp_inode old = group->inode;
	struct grp_inode old_files[GRP_MEMBER_FILES];
	int r = 0;

	for (size_t i = 0; !r && i < GRP_MEMBER_FILES; i++)
		r = check_chown(change, member_files[i], &group->member_files[i], uid, gid);
	if (r)
		return r;
	memcpy(old_files, group->member_files, sizeof(old_files));
	give(&group->inode, uid, gid);
	for (size_t i = 0; i < GRP_MEMBER_FILES; i++)
		give(&group->member_files[i], uid, gid);
	r = grp_group_store(change->core, group);
	if (!r)
		return 0;
	group->inode = old;
	memcpy(group->member_files, old_files, sizeof(old_files));
	return not_stored(change, r);
}

int grp_inode_chown(const struct grp_inode_change *change, uid_t uid, gid_t gid)
{
	struct subject subject;
	int r = find_subject(change, &subject);

	if (!r)
		r = check_chown(change, change->file, &subject.inode, uid, gid);
	if (r)
		return r;
	if (!change->file && change->members)
		return hand_over(change, uid, gid);
	give(&subject.inode, uid, gid);
	return put(change, &subject, &subject.inode);
}

int grp_inode_chmod(const struct grp_inode_change *change, mode_t mode)
{
	const struct grp_caller *caller = change->caller;
	struct subject subject;
	int r = find_subject(change, &subject);

	if (r)
		return r;
	if (change->file && mode & ~(mode_t)FILE_BITS)
		return grp_error_set(change->error, EINVAL, "a control file has no bits but 0777");
	if (caller->uid && caller->uid != subject.inode.uid)
		return grp_error_set(change->error, EPERM,
				     "only root and the owner, uid %u, may change the mode",
				     (unsigned int)subject.inode.uid);
	/* As chmod(2): who is no member of its group cannot set that bit. */
	if (caller->uid && !in_group(caller, subject.inode.gid))
		mode &= ~(mode_t)S_ISGID;
	subject.inode.mode = mode & 07777;
	return put(change, &subject, &subject.inode);
}
