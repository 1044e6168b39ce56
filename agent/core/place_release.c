/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Placement, the end of it: every task gets its own wish back, without groups
 * or anything else of the core but the masks that places name.
 */
#include <errno.h>

#include "core/place_memory_internal.h"

#define TURN_NS 100000000ULL
#define DEADLINE_NS 30000000000ULL
/* For one that a debugger holds, or sleeps deeply. */
#define MEMORY_DEADLINE_NS 5000000000ULL
/* For a reply of the helper, between two looks at what else is due. */
#define WAIT_NS 50000000ULL

static int on_mask(uint32_t id, const struct grp_mask_record *record, void *data)
{
	return grp_masks_adopt(data, id, record);
}

static int no_hierarchy(unsigned int slot, const struct grp_hierarchy_record *record, void *data)
{
	return 0;
}

static int no_group(uint32_t id, const struct grp_group_record *record, void *data)
{
	return 0;
}

static int no_set(uint32_t id, const struct grp_set_record *record, void *data)
{
	return 0;
}

static int no_value(const struct grp_value_key *key, const struct grp_value *value, void *data)
{
	return 0;
}

static int no_journal(unsigned int entry, const struct grp_journal *record, void *data)
{
	return 0;
}

static const struct grp_store_visitor visitor = {
	.hierarchy = no_hierarchy,
	.group = no_group,
	.set = no_set,
	.value = no_value,
	.journal = no_journal,
	.mask = on_mask,
};

static int release(struct grp_core *core)
{
	uint64_t now, end = grp_core_clock(core) + DEADLINE_NS;
	int r = core->ops->visit(core->kernel, &visitor, core);

	core->place->releasing = true;
	grp_place_touch_all(core);
	while (!r && !grp_place_settled(core, grp_place_ticket(core))) {
		r = grp_place_step(core, TURN_NS);
		now = grp_core_clock(core);
		if (!r && now > end)
			r = -ETIMEDOUT;
		if (!r && grp_place_due(core) > now)
			r = core->ops->helper_wait(core->kernel, grp_place_due(core) - now);
	}
	return r;
}

/* Policies: what cannot be given back in time is told. */
static int release_memory(struct grp_core *core, unsigned int *ret_left)
{
	uint64_t now = grp_core_clock(core), end = now + DEADLINE_NS, since = now;
	uint64_t placed = 0;
	int r = 0;

	grp_memory_touch_all(core);
	while (!r && grp_memory_busy(core) && now < end && now < since + MEMORY_DEADLINE_NS) {
		r = grp_memory_step(core, TURN_NS);
		if (!r)
			r = core->ops->helper_wait(core->kernel, WAIT_NS);
		now = grp_core_clock(core);
		/* As long as it goes on, it goes on. */
		if (placed != core->place->figures.mems_placed)
			since = now;
		placed = core->place->figures.mems_placed;
	}
	*ret_left = HASH_COUNT(core->memory->tasks);
	return r;
}

int grp_place_release(const struct grp_kernel_ops *ops, void *kernel,
		      const struct grp_kernel_view *view, unsigned int *ret_left)
{
	unsigned int left = 0;
	struct grp_core *core;
	int r = grp_core_new(ops, kernel, view, &core), memory;

	if (r)
		return r;
	r = release(core);
	memory = release_memory(core, &left);
	grp_core_free(core);
	*ret_left = left;
	return r ?: memory;
}
