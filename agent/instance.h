/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The run directory of an instance and its lock.
 */
#ifndef GRP_INSTANCE_H
#define GRP_INSTANCE_H

#include "base/error.h"

#define GRP_LOCK_NAME "lock"

/**
 * grp_instance_lock() - makes the run directory and locks it against other agents.
 * @ret_path: the directory, owned by the caller; @ret_fd: to be closed to unlock.
 * Return: 0; -EALREADY: another agent runs it; -EBUSY: it keeps vanishing; -errno.
 */
int grp_instance_lock(const char *instance, struct grp_error *error, char **ret_path, int *ret_fd);

/* grp_instance_remove() - removes a file of the run directory; no error when there is none. */
void grp_instance_remove(const char *directory, const char *name);

#endif
