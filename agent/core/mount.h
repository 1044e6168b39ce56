/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What mount and remount are asked for.
 */
#ifndef GRP_CORE_MOUNT_H
#define GRP_CORE_MOUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct grp_mount_options {
	uint32_t subsystems;
	bool none; /* "none": no subsystem, and on purpose */
	uint32_t flags; /* enum grp_hierarchy_flags; must be repeated by a remount */
	bool clone_children; /* of the root */
	char *release_agent; /* owned; NULL: not given */
};

/**
 * grp_mount_options_parse() - a comma-separated list; NULL or empty means "all".
 * @options: overwritten; grp_mount_options_done() after success.
 * Return: 0; -EINVAL: an empty option, an empty set, an option given twice; -ENOENT:
 * an unknown one; -E2BIG: too long a path; -ENOMEM. (HIER-5, ERR-1)
 */
int grp_mount_options_parse(const char *text, struct grp_mount_options *options,
			    struct grp_error *error);
void grp_mount_options_done(struct grp_mount_options *options);

/* grp_mount_check_bare() - -EINVAL: without prefixes two files would have one name. */
int grp_mount_check_bare(uint32_t mask, struct grp_error *error);

#endif
