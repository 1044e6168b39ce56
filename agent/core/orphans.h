/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Births that found no room in task storage: the programs keep them in a table, and a pass
 * gives them storage. It may find no room either, and the task may sleep ever after: until it
 * has storage nobody can move it, and what it runs is not told. So while anybody is in the
 * table the pass is repeated, ever more seldom, unless somebody waits; otherwise there is no
 * timer.
 */
#ifndef GRP_CORE_ORPHANS_H
#define GRP_CORE_ORPHANS_H

#include <stdint.h>

struct grp_core;

/* grp_orphans_note() - a birth has found no room: a pass is due, see grp_orphans_due(). */
void grp_orphans_note(struct grp_core *core);

/* grp_orphans_look() - the same, if any are in the table: at start, and when events were lost. */
void grp_orphans_look(struct grp_core *core);

/* grp_orphans_want() - somebody waits for a task that may be one of them: a pass is due soon. */
void grp_orphans_want(struct grp_core *core);

/*
 * grp_orphans_due() - when grp_orphans_adopt() wants to be called next, by the clock of the
 * core; in the past: at once; 0: there is nobody to be given storage.
 */
uint64_t grp_orphans_due(const struct grp_core *core);

/**
 * grp_orphans_adopt() - that pass, if it is due; it is due again while anybody waits.
 * Return: 0; -errno: of the pass, or of the look into the table.
 */
int grp_orphans_adopt(struct grp_core *core);

#endif
