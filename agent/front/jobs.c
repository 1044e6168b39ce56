/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Calls that are answered later, see jobs.h. What they do is in job_*.c.
 */
#include "front/jobs.h"

#include <errno.h>
#include <stdlib.h>
#include <utlist.h>

#include "agent.h"
#include "base/cleanup.h"
#include "base/cleanup_json.h"
#include "base/clock.h"
#include "core/place_memory.h"
#include "front/connection.h"

/* One job's turn; then others are looked at. */
#define TURN_USEC 750
/* Wake-ups may be put together within this time. */
#define ACCURACY_USEC 1000

bool grp_job_late(const struct grp_job *job)
{
	return grp_now_usec() >= job->deadline_usec;
}

void grp_job_renew(struct grp_job *job)
{
	job->deadline_usec = grp_now_usec() + GRP_JOB_DEADLINE_USEC;
}

void *grp_job_new(struct grp_call *call, const struct grp_job_type *type)
{
	struct grp_job *job = calloc(1, type->size);

	if (!job)
		return NULL;
	job->type = type;
	job->call = call;
	call->job = job;
	return job;
}

static void set_waiting(struct grp_job *job, bool waits)
{
	struct grp_server *server = job->call->connection->server;

	if (waits == job->waits)
		return;
	if (waits)
		DL_APPEND(server->jobs, job);
	else
		DL_DELETE(server->jobs, job);
	job->waits = waits;
}

/* While its caller waits for the answer he is not stopped to set his memory policy. */
static void spare_caller(struct grp_job *job, bool waits)
{
	if (waits != job->spares)
		grp_memory_spare(job->call->agent->core, job->call->caller->pid, waits);
	job->spares = waits;
}

void grp_job_free(struct grp_job *job)
{
	if (!job)
		return;
	set_waiting(job, false);
	spare_caller(job, false);
	if (job->type->done)
		job->type->done(job);
	grp_turn_drop(&job->work);
	sd_event_source_disable_unref(job->timer);
	job->call->job = NULL;
	free(job);
}

/* A turn that began at @begun_usec. Return: of the last step. */
static int run(struct grp_job *job, uint64_t begun_usec, json_t **ret_reply)
{
	uint64_t end = begun_usec + TURN_USEC;
	int r;

	do {
		r = job->type->step(job, ret_reply);
	} while (r == GRP_JOB_AGAIN && grp_now_usec() < end);
	return r;
}

/* Wakes the job as the result of its last step asks for. */
static int rearm(struct grp_job *job, int result)
{
	bool again = result == GRP_JOB_AGAIN;
	int r;

	set_waiting(job, !again);
	if (again) {
		(void)sd_event_source_set_enabled(job->timer, SD_EVENT_OFF);
		return grp_turn_want(&job->work);
	}
	grp_turn_drop(&job->work);
	r = sd_event_source_set_time_relative(job->timer, job->pause_usec);
	return r < 0 ? r : sd_event_source_set_enabled(job->timer, SD_EVENT_ONESHOT);
}

static void turn(struct grp_job *job)
{
	struct grp_call *call = job->call;
	json_t *reply = NULL;
	int r = run(job, grp_now_usec(), &reply);

	if (r > 0)
		r = rearm(job, r) < 0 ? -ENOMEM : 1;
	if (r <= 0)
		grp_call_finish(call, r, reply);
}

static int on_turn(void *data)
{
	turn(data);
	return 0;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *data)
{
	turn(data);
	return 0;
}

static int add_sources(struct grp_job *job)
{
	sd_event *event = job->call->agent->event;
	int r;

	grp_turn_init(&job->work, event, on_turn, job);
	r = sd_event_add_time(event, &job->timer, CLOCK_MONOTONIC, 0, ACCURACY_USEC, on_timer, job);
	if (r >= 0)
		r = sd_event_source_set_enabled(job->timer, SD_EVENT_OFF);
	return r;
}

int grp_job_start(struct grp_job *job, json_t **ret_reply)
{
	_cleanup_json_ json_t *reply = NULL;
	int r;

	grp_job_renew(job);
	/* What was prepared for it is of this turn. */
	r = run(job, job->call->begun_usec, &reply);
	if (r > 0)
		spare_caller(job, true);
	if (r > 0)
		r = add_sources(job) < 0 || rearm(job, r) < 0 ? -ENOMEM : GRP_CALL_LATER;
	if (r == 0)
		*ret_reply = TAKE_PTR(reply);
	return r;
}

void grp_jobs_event(struct grp_agent *agent)
{
	struct grp_job *job;

	if (!agent->server)
		return;
	DL_FOREACH(agent->server->jobs, job)
		(void)grp_turn_want(&job->work);
}

void grp_jobs_observe(struct grp_agent *agent)
{
	struct grp_job *job, *next;

	if (!agent->server)
		return;
	/* A turn frees at most the job itself. */
	DL_FOREACH_SAFE(agent->server->jobs, job, next)
		if (job->type->observes)
			turn(job);
}
