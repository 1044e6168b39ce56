/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Groups that lose their last task. The kernel tells when a set loses its last
 * member, and every change of ours asks the same question, so that what follows
 * from emptiness comes before what follows from the change. Whether a group has
 * become empty is decided by the counts alone and by a mark "had tasks", never by
 * the event: one may be late, doubled, or lost.
 */
#include "core/event.h"
#include "core/internal.h"
#include "core/orphans.h"

void grp_empty_check(struct grp_core *core, struct grp_group *group)
{
	struct grp_watch_event event = grp_watch_event(GRP_WATCH_EMPTY, group, NULL);

	if (!group->occupied || group->dying || grp_group_tasks(core, group))
		return;
	group->occupied = false;
	grp_emit(core, &event);
}

void grp_empty_check_set(struct grp_core *core, const struct grp_set *set)
{
	if (set->state == GRP_SET_FREE || grp_set_members(core, set))
		return;
	for (unsigned int slot = 0; slot < GRP_HIERARCHIES_MAX; slot++)
		if (core->slots[slot])
			grp_empty_check(core, grp_set_group(core, set, slot));
}

void grp_empty_check_all(struct grp_core *core)
{
	for (struct grp_group *group = core->by_id; group; group = group->hh_id.next)
		grp_empty_check(core, group);
}

/* Something was not told: everybody is looked at (design 3). */
void grp_empty_recover(struct grp_core *core)
{
	uint64_t lost = __atomic_load_n(&core->view->stats[GRP_STAT_EVENTS_LOST], __ATOMIC_ACQUIRE);

	if (lost == core->events_lost)
		return;
	core->events_lost = lost;
	grp_empty_check_all(core);
	grp_orphans_look(core);
}

void grp_empty_load(struct grp_core *core)
{
	core->events_lost = core->view->stats[GRP_STAT_EVENTS_LOST];
	for (struct grp_group *group = core->by_id; group; group = group->hh_id.next)
		group->occupied = grp_group_tasks(core, group);
}
