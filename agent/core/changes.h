/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From a configuration to the changes that make the tree so: found and checked
 * first, then carried out all or none. Nothing is ever removed, no task is moved.
 */
#ifndef GRP_CORE_CHANGES_H
#define GRP_CORE_CHANGES_H

#include "core/declaration.h"

struct grp_changes;

enum grp_change_kind {
	GRP_CHANGE_ADD,
	GRP_CHANGE_SET,
	GRP_CHANGE_ONLY, /* no change: there is what the configuration does not mention */
	GRP_CHANGE_KINDS,
};

/* One line of a difference; all borrowed from the changes. */
struct grp_change_view {
	enum grp_change_kind kind;
	const char *hierarchy;
	const char *group; /* path, raw bytes; NULL: it is about the hierarchy */
	const char *file; /* control file: its content, or its @name; NULL: none */
	const char *name; /* "owner", "subsystems", ...; NULL: none */
	const char *from; /* NULL: there was nothing */
	const char *to; /* NULL: no value */
};

/**
 * grp_changes_make() - compares and checks; the tree stays as it is.
 * @wish: borrowed, also by the result; its groups' ->live are overwritten.
 * @error: begins with the place: "hierarchies[0].groups[3].mode: ...".
 * @ret_changes: owned by the caller, grp_changes_free().
 * Return: 0, also when there is nothing to change; -EINVAL, -ENOENT, -EEXIST,
 * -ENAMETOOLONG: the configuration is wrong; -EBUSY, -ENOSPC: it does not fit.
 */
int grp_changes_make(struct grp_core *core, struct grp_declaration *wish, struct grp_error *error,
		     struct grp_changes **ret_changes);

/**
 * grp_changes_commit() - carries them out, in one go; at once after making them.
 * @caller: uid 0.
 * Return: 0; what the first change that fails answers: then all before it are
 * taken back, in reverse order. A process that dies in the middle leaves each
 * single change done or not done (A5); making the changes anew finds the rest.
 */
int grp_changes_commit(struct grp_changes *changes, const struct grp_caller *caller,
		       struct grp_error *error);

/* grp_changes_count() - how many changes there are; those ONLY here do not count. */
size_t grp_changes_count(const struct grp_changes *changes);

/* grp_changes_each() - in order; stops at !0, which it returns. */
int grp_changes_each(const struct grp_changes *changes,
		     int (*fn)(const struct grp_change_view *change, void *data), void *data);

void grp_changes_free(struct grp_changes *changes);

#endif
