/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Attach of many tasks of a request at once: what is the same for each of them is done once.
 */
#ifndef GRP_CORE_ATTACH_EACH_H
#define GRP_CORE_ATTACH_EACH_H

#include "core/core.h"

/**
 * grp_attach_each() - moves those of many threads, or with @whole processes of one thread,
 * that need no more than that; in few calls of the kernel's.
 * @n: up to GRP_BATCH_MAX. @ret_done: of each: it is in the target. The others, whom anything
 * may be the matter with, are for grp_attach(), which says what.
 * Return: 0, also if none is; -EOPNOTSUPP: this kernel takes one at a time; -errno.
 */
int grp_attach_each(struct grp_core *core, const struct grp_target *target, const pid_t *tids,
		    size_t n, bool whole, const struct grp_caller *caller, bool *ret_done);

#endif
