/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Release (spec REL-*, CLONE-5): which groups have lost their last task, child and
 * reference since somebody came in, and are to be announced to the hierarchy's
 * release agent or removed. Starting programs is the business of agent/release.c.
 *
 *  R1  A flagged group (notify_on_release or auto_delete) that has tasks or
 *      children has the mark GRP_GROUP_ENTERED in its record: set before a task
 *      comes in, with a child, or with the flag.
 *  R2  The mark goes when the release was carried out, not before: what a killed
 *      agent has not carried out, the next one does. At least once, then.
 *  R3  A group is in at most one queue, once; what holds at its turn decides.
 */
#ifndef GRP_CORE_RELEASE_H
#define GRP_CORE_RELEASE_H

#include "core/core.h"

#define GRP_RELEASE_FLAGS (GRP_GROUP_NOTIFY_ON_RELEASE | GRP_GROUP_AUTO_DELETE)

/* What is to be done for a released group. Each kind has a queue of its own. */
enum grp_release {
	GRP_RELEASE_NONE, /* nothing: no flag, or nobody to tell (REL-8) */
	GRP_RELEASE_RUN, /* start the release agent of its hierarchy */
	GRP_RELEASE_REMOVE, /* auto_delete, and nobody to tell */
	GRP_RELEASE_MAX,
};

/* grp_release_waits() - is there a group in that queue? It may be passed over then. */
bool grp_release_waits(const struct grp_core *core, enum grp_release kind);

/*
 * grp_release_next() - takes the next one from a queue. Groups that are occupied
 * again are passed over and keep their mark. NULL: none.
 */
struct grp_group *grp_release_next(struct grp_core *core, enum grp_release kind);

/* grp_release_put_back() - it could not be carried out now: first of its queue again. */
void grp_release_put_back(struct grp_core *core, struct grp_group *group);

/**
 * grp_release_started() - the release agent was started, or will never be (REL-8,
 * REL-9). The mark goes, but for auto_delete: its group is removed when run @run ends.
 * @run: a number of the caller, not 0.
 * Return: 0; -errno: the mark could not be taken away, it may be announced again.
 */
int grp_release_started(struct grp_core *core, struct grp_group *group, uint64_t run);

/*
 * grp_release_ended() - run @run for group @id has ended. Return: the group, when
 * it is to be removed now: auto_delete, and nobody came in meanwhile. Else NULL.
 */
struct grp_group *grp_release_ended(struct grp_core *core, uint32_t id, uint64_t run);

/**
 * grp_release_set_flag() - notify_on_release or auto_delete of a group; one update.
 * An occupied group gets its mark with it; of an empty one writing notify_on_release
 * takes the mark away (REL-3), unless auto_delete waits for its turn.
 * Return: 0; -errno of the store: nothing has changed.
 */
int grp_release_set_flag(struct grp_core *core, struct grp_group *group, uint32_t flag, bool on);

#endif
