/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * See pressure.h. A second is taken in when it is over, so it is complete; events of
 * the present one make no difference to what is read in it. The historical meter is
 * updated by events and by reads only, which can be seen in its values (what is
 * pending does not decay, a gap counts for 99 s at most), so a mere look leaves the
 * meter as the last event did.
 */
#include "core/pressure.h"

#include "core/internal.h"

#define SCALE 1000
#define DECAY 933
#define TICKS_MAX 99
#define NS_PER_S UINT64_C(1000000000)

/* The word: second:32 | pending:12 | value:20. */
#define VALUE_BITS 20
#define PENDING_BITS 12
_Static_assert(SCALE *GRP_PRESSURE_EVENTS_MAX < 1 << VALUE_BITS, "meter");
_Static_assert(GRP_PRESSURE_EVENTS_MAX < 1 << PENDING_BITS, "meter");

static struct grp_meter unpack(uint64_t word)
{
	return (struct grp_meter){
		.second = word >> (VALUE_BITS + PENDING_BITS),
		.pending = word >> VALUE_BITS & ((1U << PENDING_BITS) - 1),
		.value = word & ((1U << VALUE_BITS) - 1),
	};
}

static uint64_t pack(const struct grp_meter *meter)
{
	return (uint64_t)meter->second << (VALUE_BITS + PENDING_BITS) |
	       (uint64_t)meter->pending << VALUE_BITS | meter->value;
}

/* --- the filter -------------------------------------------------------------------- */

void grp_meter_update(struct grp_meter *meter, uint32_t second)
{
	uint32_t ticks = second - meter->second;

	if (!ticks)
		return;
	for (ticks = ticks < TICKS_MAX ? ticks : TICKS_MAX; ticks && meter->value; ticks--)
		meter->value = meter->value * DECAY / SCALE;
	/* The cap of what may be pending, 1,000,000, is as many events times SCALE. */
	meter->value += (SCALE - DECAY) * meter->pending;
	meter->second = second;
	meter->pending = 0;
}

void grp_meter_mark(struct grp_meter *meter, uint32_t second, uint32_t events)
{
	grp_meter_update(meter, second);
	meter->pending = events < GRP_PRESSURE_EVENTS_MAX - meter->pending ?
				 meter->pending + events :
				 GRP_PRESSURE_EVENTS_MAX;
}

/* --- a group ------------------------------------------------------------------------- */

static __u64 *word_of(struct grp_core *core, const struct grp_group *group)
{
	return &core->view->shown[group->row].pressure;
}

static uint32_t present_second(const struct grp_core *core)
{
	return grp_core_clock(core) / NS_PER_S;
}

static uint32_t set_events(const struct grp_core *core, const struct grp_set *set, uint32_t second)
{
	const __u32 *bucket = &core->view->pressure[set->id].bucket[second % GRP_PRESSURE_SECONDS];

	return grp_pressure_events(__atomic_load_n(bucket, __ATOMIC_RELAXED), second);
}

static uint32_t group_events(const struct grp_core *core, const struct grp_group *group,
			     uint32_t second)
{
	const struct grp_set *set;
	uint32_t sum = 0;

	DL_FOREACH2(group->sets, set, link[group->hierarchy->slot].next)
		sum += set_events(core, set, second);
	return sum;
}

/* Every second that is over and not yet in the meter. */
static void take_in(const struct grp_core *core, const struct grp_group *group, uint32_t now,
		    struct grp_meter *meter)
{
	/* What is pending are all events of its second, else none of them is in it. */
	uint32_t second = meter->second + !!meter->pending, events;

	if (second + GRP_PRESSURE_SECONDS <= now)
		second = now - GRP_PRESSURE_SECONDS + 1;
	for (; second < now; second++) {
		events = group_events(core, group, second);
		if (events)
			grp_meter_mark(meter, second, events);
	}
}

uint32_t grp_pressure_read(struct grp_core *core, const struct grp_group *group)
{
	struct grp_meter meter = unpack(*word_of(core, group));
	uint32_t now = present_second(core);

	if (!core->view->pressure)
		return 0;
	take_in(core, group, now, &meter);
	grp_meter_update(&meter, now);
	*word_of(core, group) = pack(&meter);
	return meter.value;
}

void grp_pressure_keep(struct grp_core *core, const struct grp_group *group)
{
	struct grp_meter meter = unpack(*word_of(core, group));

	if (!core->view->pressure)
		return;
	take_in(core, group, present_second(core), &meter);
	*word_of(core, group) = pack(&meter);
}

bool grp_pressure_fresh(const struct grp_core *core, const struct grp_set *set)
{
	return core->view->pressure && set_events(core, set, present_second(core));
}

/* --- all of them --------------------------------------------------------------------- */

int grp_pressure_switch(struct grp_core *core, bool on)
{
	return core->ops->pressure(core->kernel, on);
}

bool grp_pressure_counted(const struct grp_core *core)
{
	return core->view->pressure;
}

uint64_t grp_pressure_due(const struct grp_core *core)
{
	return core->view->pressure ? core->pressure_looked_ns + GRP_PRESSURE_LOOK_NS : 0;
}

void grp_pressure_look(struct grp_core *core, const struct grp_hierarchy *hierarchy)
{
	struct grp_group *group = hierarchy->root;

	for (; group; group = grp_group_next(hierarchy->root, group))
		grp_pressure_keep(core, group);
	core->pressure_looked_ns = grp_core_clock(core);
}
