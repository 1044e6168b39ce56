/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * See placing.h.
 */
#include "placing.h"

#include <string.h>

#include "agent.h"
#include "base/log.h"
#include "core/place.h"
#include "core/place_memory.h"
#include "front/jobs.h"

/* One turn; then others are served. */
#define TURN_NS 2000000ULL
/* Repairs are wanted at once. */
#define ACCURACY_USEC 1

static void turn_memory(struct grp_agent *agent)
{
	uint64_t due = grp_memory_due(agent->core);
	int r = due && due <= grp_core_clock(agent->core) ? grp_memory_step(agent->core, TURN_NS) :
							    0;

	if (r < 0)
		GRP_LOG_WARNING("cannot place the memory of tasks: %s, retrying", strerror(-r));
}

static void turn(struct grp_agent *agent)
{
	uint64_t before = grp_place_ticket(agent->core);
	bool waited = !grp_place_settled(agent->core, before);
	int r = grp_place_step(agent->core, TURN_NS);

	if (r < 0)
		GRP_LOG_WARNING("cannot place tasks on their CPUs: %s, retrying", strerror(-r));
	if (waited && grp_place_settled(agent->core, before))
		grp_jobs_event(agent);
}

static int on_place(sd_event_source *source, uint64_t usec, void *data)
{
	struct grp_agent *agent = data;

	agent->place_usec = 0;
	turn(agent);
	turn_memory(agent);
	return 0;
}

static int set_timer(struct grp_agent *agent, uint64_t usec)
{
	int r;

	if (!agent->place)
		return sd_event_add_time(agent->event, &agent->place, CLOCK_MONOTONIC, usec,
					 ACCURACY_USEC, on_place, agent);
	r = sd_event_source_set_time(agent->place, usec);
	return r < 0 ? r : sd_event_source_set_enabled(agent->place, SD_EVENT_ONESHOT);
}

void grp_placing_arm(struct grp_agent *agent)
{
	uint64_t due = grp_place_due(agent->core), memory = grp_memory_due(agent->core), usec;
	int r;

	if (!due || (memory && memory < due))
		due = memory;
	usec = (due + 999) / 1000;
	if (usec == agent->place_usec)
		return;
	r = usec ? set_timer(agent, usec) : sd_event_source_set_enabled(agent->place, SD_EVENT_OFF);
	if (r < 0)
		GRP_LOG_WARNING("cannot set a timer: %s, ignoring", strerror(-r));
	agent->place_usec = r < 0 ? 0 : usec;
}

bool grp_placing_settled(struct grp_agent *agent, uint64_t ticket)
{
	if (!grp_place_settled(agent->core, ticket))
		turn(agent);
	return grp_place_settled(agent->core, ticket);
}
