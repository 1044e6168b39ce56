/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a move has done, per hierarchy: how many threads came to the target from
 * elsewhere, and where from. For the event of an attach, and for the marks of
 * groups that gained their first task or lost their last.
 */
#include "core/event.h"
#include "core/internal.h"

void grp_moved_note(struct grp_core *core, const struct grp_target *target,
		    const struct grp_scan_record *record, struct grp_moved *moved)
{
	if (record->from == record->set || record->from >= core->view->capacity_sets)
		return;
	for (unsigned int slot = 0; slot < GRP_HIERARCHIES_MAX; slot++) {
		struct grp_group *to = target->group[slot], *source;

		source = to ? grp_set_group(core, &core->sets[record->from], slot) : NULL;
		if (source == to)
			continue;
		if (!moved->n[slot]++)
			moved->source[slot] = source;
		else if (moved->source[slot] != source)
			moved->source[slot] = NULL;
	}
}

void grp_moved_tell(struct grp_core *core, const struct grp_target *target,
		    const struct grp_moved *moved, const struct grp_caller *caller)
{
	for (unsigned int slot = 0; slot < GRP_HIERARCHIES_MAX; slot++) {
		struct grp_group *to = target->group[slot];
		struct grp_watch_event event = grp_watch_event(GRP_WATCH_ATTACH, to, caller);

		if (!moved->n[slot])
			continue;
		to->occupied = true;
		event.source = moved->source[slot];
		event.moved = moved->n[slot];
		grp_emit(core, &event);
	}
}
