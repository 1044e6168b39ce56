/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A configuration as data: how hierarchies, groups, settings, owners and modes
 * are, or shall be. How it is written down is not known here (front/configuration.h),
 * how the tree is made so is in changes.h. Names are raw bytes.
 */
#ifndef GRP_CORE_DECLARATION_H
#define GRP_CORE_DECLARATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uthash.h>

#include "core/core.h"

/* Numbers that belong to a group; the first three also to each of its files. */
enum grp_attribute {
	GRP_ATTRIBUTE_OWNER,
	GRP_ATTRIBUTE_GROUP,
	GRP_ATTRIBUTE_MODE,
	GRP_FILE_ATTRIBUTES,
	GRP_ATTRIBUTE_FILE_OWNER = GRP_FILE_ATTRIBUTES, /* of its other files, see below */
	GRP_ATTRIBUTE_FILE_GROUP,
	GRP_ATTRIBUTE_MAX,
};

/* Their names in a configuration. */
extern const char *const grp_attribute_names[GRP_ATTRIBUTE_MAX];

/* One control file whose owner, group or mode is not that of its group and table. */
struct grp_declared_file {
	char *name; /* as users see it */
	bool given[GRP_FILE_ATTRIBUTES];
	uint32_t attributes[GRP_FILE_ATTRIBUTES];
};

struct grp_declared_setting {
	char *name; /* as users see it */
	char *text; /* without the newline at its end */
};

struct grp_declared_group {
	char *path; /* "/" or "/a/b" */
	uint32_t attributes[GRP_ATTRIBUTE_MAX];
	struct grp_declared_setting *settings; /* those that are not as preset */
	size_t n_settings;
	struct grp_declared_file *files;
	size_t n_files;
	struct grp_group *live; /* scratch of changes.h; NULL: not there (yet) */
	UT_hash_handle hh; /* by path, once a list of changes was made */
};

struct grp_declared_hierarchy {
	char *name; /* the canonical one */
	char **aliases; /* further names */
	size_t n_aliases;
	bool has_subsystems; /* "default" has what nobody else claims: it says none */
	uint32_t subsystems; /* bits of the registry */
	bool noprefix;
	char *release_agent; /* "" for none */
	struct grp_declared_group *groups; /* parents first */
	size_t n_groups;
	struct grp_declared_group *by_path; /* hash, once a list of changes was made */
};

struct grp_declaration {
	struct grp_declared_hierarchy *hierarchies;
	size_t n_hierarchies;
};

/**
 * grp_declaration_take() - the hierarchies that are mounted, as they are now.
 * In order of names, parents before children.
 * @ret_declaration: owned by the caller, grp_declaration_free().
 * Return: 0; -ENOMEM; -ENAMETOOLONG; what the read of a setting answers.
 */
int grp_declaration_take(struct grp_core *core, struct grp_declaration **ret_declaration);

void grp_declaration_free(struct grp_declaration *declaration);

/*
 * One more hierarchy, group, setting or file at the end, zeroed but for presets;
 * valid until the next one of its kind. NULL: no memory.
 */
struct grp_declared_hierarchy *grp_declaration_add_hierarchy(struct grp_declaration *declaration);
struct grp_declared_group *grp_declared_add_group(struct grp_declared_hierarchy *hierarchy);
struct grp_declared_setting *grp_declared_add_setting(struct grp_declared_group *group);
struct grp_declared_file *grp_declared_add_file(struct grp_declared_group *group);

/*
 * grp_attribute_preset() - what an attribute of a group is when nothing is said. As
 * with chown of a group, "tasks" and "cgroup.procs" belong to its owner and all other
 * files to root, so that who is given a group cannot lift its limits.
 */
uint32_t grp_attribute_preset(enum grp_attribute attribute);

#endif
