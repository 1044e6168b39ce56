/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Boundaries: subsystems that measure over windows of time say when they are due,
 * and are called then. There is no timer here: the agent has it.
 */
#include "core/internal.h"

/* The bound subsystems that act in a hierarchy and know of windows. */
static uint32_t ticking(struct grp_core *core, const struct grp_hierarchy *hierarchy)
{
	uint32_t mask = grp_hierarchy_subsystems(core, hierarchy) & ~hierarchy->disabled;

	for (size_t i = 0; i < grp_n_subsystems; i++)
		if (!grp_subsystems[i]->due)
			mask &= ~(1U << i);
	return mask;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a && (!b || a < b) ? a : b;
}

static uint64_t due_in(struct grp_core *core, struct grp_hierarchy *hierarchy)
{
	uint32_t mask = ticking(core, hierarchy);
	uint64_t due = 0;

	for (size_t i = 0; i < grp_n_subsystems; i++)
		if (mask & (1U << i))
			due = earlier(grp_subsystems[i]->due(core, hierarchy), due);
	return due;
}

uint64_t grp_core_due(struct grp_core *core)
{
	uint64_t due = 0;

	for (unsigned int slot = 0; slot < GRP_HIERARCHIES_MAX; slot++)
		if (core->slots[slot])
			due = earlier(due_in(core, core->slots[slot]), due);
	return due;
}

/* One that fails does not hold up the others. */
static int tick_in(struct grp_core *core, struct grp_hierarchy *hierarchy, uint64_t now)
{
	uint32_t mask = ticking(core, hierarchy);
	int first = 0;

	for (size_t i = 0; i < grp_n_subsystems; i++) {
		uint64_t due = mask & (1U << i) ? grp_subsystems[i]->due(core, hierarchy) : 0;
		int r = due && due <= now ? grp_subsystems[i]->tick(core, hierarchy, now) : 0;

		first = first ?: r;
	}
	return first;
}

int grp_core_tick(struct grp_core *core)
{
	uint64_t due = grp_core_due(core), now;
	int r, first = 0;

	if (!due || due > grp_core_clock(core))
		return 0;
	r = grp_core_settle(core);
	if (r)
		return r;
	now = grp_core_clock(core);
	for (unsigned int slot = 0; slot < GRP_HIERARCHIES_MAX; slot++) {
		r = core->slots[slot] ? tick_in(core, core->slots[slot], now) : 0;
		first = first ?: r;
	}
	return first;
}
