/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * See lost.h.
 */
#include "lost.h"

#include <string.h>

#include "agent.h"
#include "base/log.h"

/* The wake-up is all: the round it makes looks at the count. */
static int on_lost(sd_event_source *source, uint64_t usec, void *data)
{
	return 0;
}

static int set_timer(struct grp_agent *agent)
{
	int r;

	if (!agent->lost)
		return sd_event_add_time_relative(agent->event, &agent->lost, CLOCK_MONOTONIC,
						  GRP_LOST_USEC, 0, on_lost, agent);
	r = sd_event_source_set_time_relative(agent->lost, GRP_LOST_USEC);
	return r < 0 ? r : sd_event_source_set_enabled(agent->lost, SD_EVENT_ONESHOT);
}

void grp_lost_arm(struct grp_agent *agent)
{
	const uint64_t *count = &grp_core_view(agent->core)->stats[GRP_STAT_EVENTS_LOST];
	uint64_t lost = __atomic_load_n(count, __ATOMIC_ACQUIRE);
	int r;

	if (lost == agent->seen_lost && !agent->crowded)
		return;
	agent->seen_lost = lost;
	agent->crowded = false;
	r = set_timer(agent);
	if (r < 0)
		GRP_LOG_WARNING("cannot set a timer: %s, ignoring", strerror(-r));
}
