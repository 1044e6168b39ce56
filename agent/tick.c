/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * See tick.h.
 */
#include "tick.h"

#include <string.h>

#include "agent.h"
#include "base/log.h"
#include "core/orphans.h"

/* Boundaries are meant exactly; 0 would be the library's 250 ms. */
#define ACCURACY_USEC 1
/* After a failure. */
#define RETRY_USEC 1000000

static int on_tick(sd_event_source *source, uint64_t usec, void *data)
{
	struct grp_agent *agent = data;
	int r;

	agent->tick_usec = 0;
	r = grp_orphans_adopt(agent->core);
	if (r < 0)
		GRP_LOG_WARNING("cannot look after tasks that were born without room: %s, retrying",
				strerror(-r));
	r = grp_core_tick(agent->core);
	agent->tick_retry_usec = r < 0 ? grp_core_clock(agent->core) / 1000 + RETRY_USEC : 0;
	if (r < 0)
		GRP_LOG_WARNING("cannot do what is due at a boundary: %s, retrying", strerror(-r));
	return 0;
}

static int set_timer(struct grp_agent *agent, uint64_t usec)
{
	int r;

	if (!agent->tick)
		return sd_event_add_time(agent->event, &agent->tick, CLOCK_MONOTONIC, usec,
					 ACCURACY_USEC, on_tick, agent);
	r = sd_event_source_set_time(agent->tick, usec);
	return r < 0 ? r : sd_event_source_set_enabled(agent->tick, SD_EVENT_ONESHOT);
}

static uint64_t to_usec(uint64_t ns)
{
	return (ns + 999) / 1000;
}

void grp_tick_arm(struct grp_agent *agent)
{
	uint64_t usec = to_usec(grp_core_due(agent->core));
	uint64_t orphans_usec = to_usec(grp_orphans_due(agent->core));
	int r;

	if (usec && usec < agent->tick_retry_usec)
		usec = agent->tick_retry_usec;
	if (orphans_usec && (!usec || orphans_usec < usec))
		usec = orphans_usec;
	if (usec == agent->tick_usec)
		return;
	r = usec ? set_timer(agent, usec) : sd_event_source_set_enabled(agent->tick, SD_EVENT_OFF);
	if (r < 0)
		GRP_LOG_WARNING("cannot set a timer: %s, ignoring", strerror(-r));
	agent->tick_usec = r < 0 ? 0 : usec;
}
