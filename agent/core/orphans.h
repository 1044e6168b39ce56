/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Births that found no room in task storage: the programs keep them in a table, and a pass
 * gives them storage. It may find no room either, and the task may sleep ever after: until it
 * has storage nobody can move it, and what it runs is not told. So while anybody is in the
 * table the pass is repeated, ever more seldom; otherwise there is no timer.
 */
#ifndef GRP_CORE_ORPHANS_H
#define GRP_CORE_ORPHANS_H

struct grp_core;

/* grp_orphans_note() - a birth has found no room, or may have: grp_core_tick() is due. */
void grp_orphans_note(struct grp_core *core);

/* grp_orphans_load() - at start: the same, if any are left from before. */
void grp_orphans_load(struct grp_core *core);

/**
 * grp_orphans_adopt() - that pass, if it is due; it is due again while anybody waits.
 * Return: 0; -errno: of the pass, or of the look into the table.
 */
int grp_orphans_adopt(struct grp_core *core);

#endif
