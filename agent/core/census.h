/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The members of a group, found in pieces: a walk over very many tasks would hold the
 * loop for longer than others should wait. What comes out is where everybody is at the
 * end of the walk, as if it had been one piece: what is moved by us meanwhile is noted
 * and looked at again.
 */
#ifndef GRP_CORE_CENSUS_H
#define GRP_CORE_CENSUS_H

#include "core/core.h"

struct grp_census;

/**
 * grp_census_new() - begin.
 * @recursive: also of all below. @pidns: whose ids; 0: the agent's.
 * @ret_census: owned by the caller, grp_census_free(). Return: 0; -ENOMEM; -errno.
 */
int grp_census_new(struct grp_core *core, const struct grp_group *group, bool recursive,
		   uint32_t pidns, struct grp_census **ret_census);

/**
 * grp_census_step() - some more, in well below a millisecond.
 * Return: 1: call again; 0: that was all; -ENOENT: the group was removed; -ENOMEM, -errno.
 */
int grp_census_step(struct grp_census *census);

/**
 * grp_census_members() - after the last step: ascending by thread id. Each has the id of
 * its group in ->group; its ->set may be anything by now. Borrowed.
 */
struct grp_members *grp_census_members(struct grp_census *census);

/* grp_census_free() - at any time; NULL is allowed. */
void grp_census_free(struct grp_census *census);

/* grp_census_note() - a thread has been moved: those under way look at it again. */
void grp_census_note(struct grp_core *core, pid_t tid);

#endif
