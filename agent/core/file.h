/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Control files: the readable and writable attributes of a group, declared once
 * and served by the socket, the filesystem and the exporter alike.
 */
#ifndef GRP_CORE_FILE_H
#define GRP_CORE_FILE_H

#include <stdio.h>

#include "core/core.h"

enum grp_file_flags {
	GRP_FILE_ROOT_ONLY = 1 << 0, /* stands in the root group only */
};

/* One read or write of a file. */
struct grp_file_access {
	struct grp_core *core;
	struct grp_group *group;
	const struct grp_caller *caller;
	struct grp_error *error;
};

struct grp_file {
	const char *name; /* without the subsystem's prefix */
	mode_t mode;
	unsigned int flags;
	const char *unit; /* "ns", "tasks", "" */
	const char *help; /* one line */
	/* Writes exactly what the file holds to @out. NULL: reads are EINVAL (FILE-2). */
	int (*read)(const struct grp_file_access *access, FILE *out);
	/* @text: NUL-terminated, one whole write (FILE-5). NULL: writes are EINVAL. */
	int (*write)(const struct grp_file_access *access, const char *text, size_t len);
};

struct grp_subsystem {
	const char *name; /* prefix of its files; at most 32 bytes (LIM-3) */
	bool shareable; /* may be bound to several hierarchies at once */
	const struct grp_file *files;
	size_t n_files;
};

/* The registry: subsys/registry.c. A bit in a mask is an index of this table. */
extern const struct grp_subsystem *const grp_subsystems[];
extern const size_t grp_n_subsystems;

/* The core's own files, in every group: tasks, cgroup.procs. */
extern const struct grp_file grp_core_files[];
extern const size_t grp_n_core_files;

/**
 * grp_file_find() - by visible name ("tasks", "cpuacct.usage") in a group.
 * Return: NULL when the group has no such file.
 */
const struct grp_file *grp_file_find(struct grp_core *core, const struct grp_group *group,
				     const char *name);

/* grp_file_each() - every file of a group with its visible name; stops at !0. */
int grp_file_each(struct grp_core *core, const struct grp_group *group,
		  int (*fn)(const char *name, const struct grp_file *file, void *data), void *data);

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
