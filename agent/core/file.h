/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Control files: the readable and writable attributes of a group, declared once
 * and served by the socket, the filesystem and the exporter alike.
 */
#ifndef GRP_CORE_FILE_H
#define GRP_CORE_FILE_H

#include <stdio.h>

#include "core/core.h"
#include "core/inode.h"
#include "core/subsystem.h"

enum grp_file_flags {
	GRP_FILE_ROOT_ONLY = 1 << 0, /* stands in the root group only */
	GRP_FILE_NOT_ROOT = 1 << 1, /* stands in all but the root group */
	GRP_FILE_SAVED = 1 << 2, /* a setting: save writes it down, apply puts it back */
	GRP_FILE_BOUNDS = 1 << 3, /* a setting that may forbid to make groups below its own */
	/*
	 * A setting that has no preset but what a new group is given: with
	 * cgroup.clone_children in its parent what that has, else nothing; of a child
	 * of a root GRP_FILE_CLONED_ALL. It stands in no root.
	 */
	GRP_FILE_CLONED = 1 << 4,
};

/* A root has everything there is; its setting is not written down. */
#define GRP_FILE_CLONED_ALL "all"

/* Longest visible name, with its NUL. */
#define GRP_FILE_VISIBLE_MAX (GRP_SUBSYSTEM_NAME_MAX + 1 + GRP_FILE_NAME_MAX + 1)

/* A control file as it stands in a group. */
struct grp_file_ref {
	const struct grp_file *file;
	const struct grp_subsystem *subsystem; /* NULL: of the core */
	unsigned int index; /* of subsystem */
	char name[GRP_FILE_VISIBLE_MAX]; /* as users see it */
	char key[GRP_FILE_VISIBLE_MAX]; /* "SUBSYSTEM.NAME", also where it is shown without */
};

/* One read or write of a file. */
struct grp_file_access {
	struct grp_core *core;
	struct grp_group *group;
	const struct grp_caller *caller;
	struct grp_error *error;
	const struct grp_file_ref *ref; /* which; set by grp_file_read(), grp_file_write() */
};

/* grp_file_state() - of the file's subsystem in that group. */
static inline void *grp_file_state(const struct grp_file_access *access)
{
	return grp_subsystem_state(access->group, access->ref->index);
}

struct grp_file {
	const char *name; /* without the subsystem's prefix */
	mode_t mode;
	unsigned int flags;
	const char *unit; /* "ns", "tasks", "" */
	const char *help; /* one line */
	uint32_t arg; /* for read and write, whatever they make of it */
	/* Writes exactly what the file holds to @out. NULL: reads are EINVAL (FILE-2). */
	int (*read)(const struct grp_file_access *access, FILE *out);
	/* @text: NUL-terminated, one whole write (FILE-5). NULL: writes are EINVAL. */
	int (*write)(const struct grp_file_access *access, const char *text, size_t len);
	/* Of a setting: what it holds where a configuration does not mention it. */
	const char *preset;
	/*
	 * Of a setting: is @text of its form? No group is looked at. @ret_text, of
	 * GRP_VALUE_MAX + 1 bytes: as the file would show it, without the newline.
	 * NULL: any text is, and is shown as it was written.
	 */
	int (*canonical)(const char *text, char *ret_text, struct grp_error *error);
	/* The same where it takes knowledge of this machine; a file has one of both. */
	int (*resolve)(struct grp_core *core, const char *text, char *ret_text,
		       struct grp_error *error);
	/* Of a setting: what has to be written for it to be as it is; NULL: what read gives. */
	int (*saved)(const struct grp_file_access *access, FILE *out);
};

/* The core's own files: core/core_files.c. */
extern const struct grp_file grp_core_files[];
extern const size_t grp_n_core_files;
/* Stands in a root once for each subsystem that is bound there. */
extern const struct grp_file grp_enable_file;
/* Behind the name of that subsystem. */
#define GRP_ENABLE_SUFFIX "_enabled"

/**
 * grp_file_find() - by visible name ("tasks", "cpuacct.usage") in a group.
 * Return: false when the group has no such file; ret_ref may be NULL.
 */
bool grp_file_find(struct grp_core *core, const struct grp_group *group, const char *name,
		   struct grp_file_ref *ret_ref);

/*
 * grp_file_number() - what a file is told by among those of any group, as long as the
 * tables stay as they are; 1 to 65535.
 */
unsigned int grp_file_number(const struct grp_file_ref *ref);

/* grp_file_at() - the file of that number; false when the group has none such. */
bool grp_file_at(struct grp_core *core, const struct grp_group *group, unsigned int number,
		 struct grp_file_ref *ret_ref);

/* Where files stand, without there being a group yet. */
struct grp_file_view {
	bool root;
	bool bare; /* without the prefix of subsystems: noprefix */
	uint32_t bound, shown; /* as grp_hierarchy_subsystems(), grp_group_subsystems() */
};

/* grp_file_each_in() - every file that stands there, in the order of the tables. */
int grp_file_each_in(const struct grp_file_view *view,
		     int (*fn)(const struct grp_file_ref *ref, void *data), void *data);

/* grp_file_each() - every file of a group; stops at !0, which it returns. */
int grp_file_each(struct grp_core *core, const struct grp_group *group,
		  int (*fn)(const struct grp_file_ref *ref, void *data), void *data);

/* grp_file_inode() - owner and mode of a file of a group. */
void grp_file_inode(struct grp_core *core, struct grp_group *group, const struct grp_file_ref *ref,
		    struct grp_inode *ret_inode);

/**
 * grp_file_check() - may the caller read (GRP_READ) or write (GRP_WRITE) a file?
 * Return: 0; -ENOENT no such file; -EACCES.
 */
int grp_file_check(const struct grp_file_access *access, const char *name, int mask);

/**
 * grp_file_parse_flag() - as today's kernel reads a flag file: an unsigned number,
 * 0x and leading zeros allowed, one newline at its end (v1-behaviour B).
 * Return: 0; -EINVAL; -ERANGE.
 */
int grp_file_parse_flag(const struct grp_file_access *access, const char *text, bool *ret_on);

/* grp_file_canonical_flag() - the canonical of such a file. */
int grp_file_canonical_flag(const char *text, char *ret_text, struct grp_error *error);

/**
 * grp_file_parse_member() - whom a write to "tasks" or (@whole) "cgroup.procs" means.
 * Return: 0; -EIO: no number; -ESRCH: none such that the caller can see.
 */
int grp_file_parse_member(const struct grp_file_access *access, const char *text, bool whole,
			  struct grp_task_id *ret_id);

/**
 * grp_file_read() - content of a file; @ret_text is malloc'ed, owned by the caller.
 * Return: 0; -ENOENT no such file; -EINVAL not readable; -EACCES.
 */
int grp_file_read(const struct grp_file_access *access, const char *name, char **ret_text,
		  size_t *ret_len);

/* Return: 0; -ENOENT; -EINVAL not writable; -EACCES; -E2BIG (PATH_MAX); the file's. */
int grp_file_write(const struct grp_file_access *access, const char *name, const char *text,
		   size_t len);

#endif
