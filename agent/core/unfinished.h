/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Attaches that pause (-EAGAIN) and have moved some of the threads: until they are ended
 * a note says so in the store, so that a SIGKILL between two tries leaves no process
 * half here and half there. Who tries again, and for how long, is not known here.
 */
#ifndef GRP_CORE_UNFINISHED_H
#define GRP_CORE_UNFINISHED_H

#include <stdbool.h>

#include "core/core.h"
#include "grp/abi.h"

/**
 * grp_unfinished_find() - what grp_attach() or grp_attach_members() has left.
 * @record: target, and tid or group (of grp_attach_members()), by which it is found;
 * filled in when there is one.
 * Return: whether there is one.
 */
bool grp_unfinished_find(struct grp_core *core, struct grp_journal *record);

/**
 * grp_unfinished_try() - one more try, with the rights of who has asked then.
 * @record: as found.
 * Return: 0: done; -EAGAIN: not yet; -errno: it cannot be done, and is forgotten.
 */
int grp_unfinished_try(struct grp_core *core, const struct grp_journal *record);

/* grp_unfinished_forget() - it stays as it is. */
void grp_unfinished_forget(struct grp_core *core, const struct grp_journal *record);

/* grp_unfinished_next() - any one, or that after @record; true: @record is it. */
bool grp_unfinished_next(struct grp_core *core, struct grp_journal *record);

/* grp_unfinished_any() - whether there are any; looked for only while there may be. */
bool grp_unfinished_any(struct grp_core *core);

#endif
