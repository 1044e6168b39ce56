/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What every move has to begin with: its intent, and where the tasks of each set go. Within
 * core/ only.
 */
#ifndef GRP_CORE_PLAN_H
#define GRP_CORE_PLAN_H

#include "core/internal.h"

/* What is in @from goes where @target says; its set is made. As grp_set_change(). */
int grp_plan_add(struct grp_core *core, const struct grp_target *target, struct grp_set *from,
		 struct grp_error *error);
/* Moves into the sets that the plan leads to, ever. */
uint64_t grp_plan_entries(const struct grp_core *core);
/* The end of a move; who was left by all is told. */
void grp_plan_end(struct grp_core *core);
/* Whoever is not root moves only his own: the kernel looks at each task (TASK-8). */
void grp_plan_restrict(const struct grp_caller *caller, struct grp_scan_request *request);
/*
 * The intent of a move, into the journal. @record: filled in but for the target and marks.
 * @resumed: that of a killed agent, NULL: none.
 */
int grp_plan_intend(struct grp_core *core, const struct grp_target *target,
		    const struct grp_journal *resumed, struct grp_journal *record);

#endif
