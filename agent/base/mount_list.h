/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * "[HIERARCHY:]DIR[,...]": what is to be mounted where. Without a name it is hierarchy
 * "default"; the name "*" stands for all of them. DIR begins with / and has no comma.
 */
#ifndef GRP_BASE_MOUNT_LIST_H
#define GRP_BASE_MOUNT_LIST_H

/**
 * grp_mount_list_next() - takes one entry off the front.
 * @at: moved behind it.
 * @ret_hierarchy: "*" for all; @ret_directory; both owned by the caller.
 * Return: 1; 0: there is none left; -EINVAL: not of that form; -ENOMEM. Context: any.
 */
int grp_mount_list_next(const char **at, char **ret_hierarchy, char **ret_directory);

/* grp_mount_list_check() - of all entries: 0; -EINVAL; -ENOMEM. */
int grp_mount_list_check(const char *text);

#endif
