/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How many tasks a group has had at a time, and when it was last active. The
 * programs note both per set, at births, moves and exits; no clock is read at a
 * switch, so when members last ran is told by a pass. What goes with a set that is
 * folded is kept in the group's record.
 */

#include "base/clock.h"
#include "core/internal.h"

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* All sets' own and, so that it never falls, what was seen before. */
static void raise_both(struct grp_core *core, struct grp_group *group)
{
	const struct grp_set *set;
	uint64_t members = 0;

	DL_FOREACH2(group->sets, set, link[group->hierarchy->slot].next) {
		const struct grp_count *count = grp_set_count(core, set);

		members += grp_set_members(core, set);
		group->peak_tasks = larger(group->peak_tasks,
					   __atomic_load_n(&count->peak_members, __ATOMIC_RELAXED));
		group->active_ns = larger(group->active_ns,
					  __atomic_load_n(&count->active_ns, __ATOMIC_RELAXED));
	}
	group->peak_tasks = larger(group->peak_tasks, members);
}

uint64_t grp_group_peak(struct grp_core *core, struct grp_group *group)
{
	raise_both(core, group);
	return group->peak_tasks;
}

uint64_t grp_group_last_activity(struct grp_core *core, struct grp_group *group,
				 const struct grp_members *members)
{
	uint64_t now = grp_clock_ns(CLOCK_BOOTTIME), latest;

	raise_both(core, group);
	latest = group->active_ns;
	for (size_t i = 0; i < members->n; i++)
		if (members->items[i].idle_ns < now)
			latest = larger(latest, now - members->items[i].idle_ns);
	if (!latest)
		return 0;
	return grp_clock_ns(CLOCK_REALTIME) - (latest < now ? now - latest : 0);
}

int grp_activity_keep(struct grp_core *core, struct grp_group *group)
{
	raise_both(core, group);
	return group->dying ? 0 : grp_group_store(core, group);
}
