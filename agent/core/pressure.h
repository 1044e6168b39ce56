/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory pressure of groups (CPUSET-28): how often their own tasks had to reclaim
 * memory themselves, as the filter that cpusets have had since 2005. The kernel
 * side counts events by the second in every set; here they are summed by group and
 * put through the filter when somebody looks. Not the switch that users see: that
 * is in subsys/cpuset_pressure.c.
 *
 * A group's meter is one word in its row of shown values, so it outlives the agent,
 * and what was looked at twice counts once: the meter says up to when it has all.
 */
#ifndef GRP_CORE_PRESSURE_H
#define GRP_CORE_PRESSURE_H

#include "core/core.h"

/*
 * Half-life 10 s: 0.933 a second. Constants and rounding are the historical ones;
 * an event is worth 1000, so the value is events per second times 1000.
 */
struct grp_meter {
	uint32_t second; /* of the latest update, CLOCK_MONOTONIC */
	uint32_t pending; /* events of that second; below GRP_PRESSURE_EVENTS_MAX + 1 */
	uint32_t value; /* at most 1,000,000 */
};

/* grp_meter_update() - time has passed until @second: decay, then what was pending. */
void grp_meter_update(struct grp_meter *meter, uint32_t second);

/* grp_meter_mark() - @events happened in @second, which is not before its latest. */
void grp_meter_mark(struct grp_meter *meter, uint32_t second, uint32_t events);

/**
 * grp_pressure_switch() - begin or end counting; no change is no error.
 * Return: 0; -errno: the kernel has no such tracepoint or does not let us; nothing
 * has changed.
 */
int grp_pressure_switch(struct grp_core *core, bool on);

/* grp_pressure_counted() - whether events are counted now. */
bool grp_pressure_counted(const struct grp_core *core);

/* grp_pressure_read() - of a group's own tasks, at this second; 0 when not counted. */
uint32_t grp_pressure_read(struct grp_core *core, const struct grp_group *group);

/* Events are to be looked at once in so long, at the latest, so that none is overwritten. */
#define GRP_PRESSURE_LOOK_NS (UINT64_C(1000000000) * GRP_PRESSURE_SECONDS / 2)

/* grp_pressure_due() - when grp_pressure_look() is wanted; 0: never. */
uint64_t grp_pressure_due(const struct grp_core *core);

/* grp_pressure_look() - every meter of a hierarchy takes in what has happened. */
void grp_pressure_look(struct grp_core *core, const struct grp_hierarchy *hierarchy);

#endif
