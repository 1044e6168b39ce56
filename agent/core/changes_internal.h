/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What declaration.c and the files changes*.c share.
 */
#ifndef GRP_CORE_CHANGES_INTERNAL_H
#define GRP_CORE_CHANGES_INTERNAL_H

#include "core/changes.h"
#include "core/file.h"
#include "core/internal.h"

/* --- control files of a place -------------------------------------------------- */

struct grp_file_list {
	struct grp_file_ref *refs; /* owned */
	size_t n;
};

int grp_file_list_make(const struct grp_file_view *view, struct grp_file_list *ret_list);
void grp_file_list_done(struct grp_file_list *list);
/* NULL: none of that name. */
const struct grp_file_ref *grp_file_list_find(const struct grp_file_list *list, const char *name);

/* What a setting holds when nothing is said; @in_default: in a group of hierarchy "default". */
const char *grp_setting_preset(const struct grp_file_ref *ref, bool in_default);

/* What a text means, as save would write it. @ret_text: of GRP_VALUE_MAX + 1 bytes. */
int grp_setting_canonical(struct grp_core *core, const struct grp_file *file, const char *text,
			  char *ret_text, struct grp_error *error);

/* changes_preset.c: the same of a group that is there. @ret_text: GRP_VALUE_MAX + 1 bytes. */
int grp_setting_preset_of(struct grp_core *core, const struct grp_group *group,
			  const struct grp_file_ref *ref, char *ret_text);

static inline bool grp_hierarchy_is_default(const struct grp_hierarchy *hierarchy)
{
	return hierarchy && hierarchy->flags & GRP_HIERARCHY_ANY_SUBSYSTEM;
}

/* Content without the newline at its end; owned by the caller. */
int grp_setting_read(struct grp_core *core, struct grp_group *group, const struct grp_file_ref *ref,
		     char **ret_text);

uint32_t grp_group_attribute(const struct grp_group *group, enum grp_attribute attribute);
/* Of one of its files, when it has none of its own. */
uint32_t grp_file_attribute_preset(const uint32_t *group_attributes, const struct grp_file_ref *ref,
				   enum grp_attribute attribute);
uint32_t grp_inode_attribute(const struct grp_inode *inode, enum grp_attribute attribute);

/* --- changes -------------------------------------------------------------------- */

struct grp_change;

/* What a change does; ops without act only show something. */
struct grp_change_op {
	enum grp_change_kind kind;
	int (*act)(struct grp_changes *changes, struct grp_change *change,
		   const struct grp_caller *caller, struct grp_error *error);
	int (*undo)(struct grp_changes *changes, struct grp_change *change,
		    const struct grp_caller *caller, struct grp_error *error);
};

extern const struct grp_change_op grp_op_mount, grp_op_alias, grp_op_remount, grp_op_release_agent,
	grp_op_mkdir, grp_op_attribute, grp_op_setting, grp_op_lift, grp_op_only;

#define GRP_NO_INDEX SIZE_MAX

struct grp_change {
	const struct grp_change_op *op;
	size_t hierarchy; /* index in the declaration; or GRP_NO_INDEX */
	size_t group; /* index there; or GRP_NO_INDEX */
	struct grp_group *only; /* GRP_CHANGE_ONLY: a group, */
	const struct grp_hierarchy *only_hierarchy; /* and its hierarchy */
	const struct grp_file_ref *ref; /* of the list of files; NULL: none */
	enum grp_attribute attribute;
	uint32_t new_number; /* of attribute */
	bool fresh; /* of something that is not there yet */
	bool silent; /* it goes without saying: not worth a line */
	bool late; /* made when all others are, children before parents */
	char *name; /* owned, as in the view */
	char *from, *to, *path; /* owned */
	/* To take it back. */
	bool done;
	char *old; /* owned */
	uint32_t old_number;
	struct grp_value_entry *kept; /* owned: owners of files of a root that may go */
	bool members; /* of the group were given away with it */
	struct grp_group *marked; /* group whose mark of R1 may be touched; or NULL */
	bool old_mark;
};

/* What is known of each hierarchy of the declaration. */
struct grp_changes_hierarchy {
	struct grp_hierarchy *live; /* NULL: not mounted (yet) */
	uint32_t bound; /* as it shall be */
	struct grp_file_list root_files, files;
	bool has_files;
};

struct grp_changes {
	struct grp_core *core;
	struct grp_declaration *wish;
	struct grp_changes_hierarchy *hierarchies; /* one for each of the declaration */
	struct grp_change *items;
	size_t n, allocated;
	struct grp_change **order; /* in which they are made */
	size_t new_groups; /* roots too */
};

/* "hierarchies[h].groups[g]MEMBER: " in front of a reason; @g may be GRP_NO_INDEX. */
int grp_changes_error(struct grp_error *error, int r, size_t h, size_t g, const char *format, ...)
	__attribute__((format(printf, 5, 6)));

/* One more, zeroed but for its op and place; NULL: no memory. */
struct grp_change *grp_changes_add(struct grp_changes *changes, const struct grp_change_op *op,
				   size_t hierarchy, size_t group);

/* Subsystems as mount and remount take them; owned by the caller. */
char *grp_mount_text(uint32_t subsystems, bool noprefix);

/* changes_hierarchy.c: checks and compares what is not about groups. */
int grp_changes_hierarchies(struct grp_changes *changes, struct grp_error *error);
/* Those that only we have. */
int grp_changes_only_hierarchies(struct grp_changes *changes);
/* -ENOSPC: there is none for all that is to be made. */
int grp_changes_room(const struct grp_changes *changes, struct grp_error *error);

/*
 * changes_preset.c: what a setting of a declared group shall hold when that does not
 * mention it. @ret_text: of GRP_VALUE_MAX + 1 bytes.
 */
int grp_changes_preset(struct grp_changes *changes, size_t h, const struct grp_declared_group *wish,
		       const struct grp_file_ref *ref, char *ret_text);
/* As it stands there; NULL: it is not mentioned. */
const char *grp_declared_setting(const struct grp_declared_group *group, const char *name);

/* changes_group.c: checks and compares the groups of one hierarchy. */
int grp_changes_groups(struct grp_changes *changes, size_t h, struct grp_error *error);
/* Those that only we have. */
int grp_changes_only_groups(struct grp_changes *changes, size_t h);

#endif
