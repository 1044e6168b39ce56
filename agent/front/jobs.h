/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Calls that are not answered at once: work that is done in pieces between
 * other clients' calls, or that waits for something. Driven by the loop, which
 * never blocks for them; ended when their client goes away.
 */
#ifndef GRP_FRONT_JOBS_H
#define GRP_FRONT_JOBS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "front/call.h"
#include "turn.h"

struct grp_agent;

/* Results of a step, besides 0 (done: *ret_reply is the answer) and -errno. */
enum {
	GRP_JOB_AGAIN = 1, /* more to do at once */
	GRP_JOB_WAIT, /* look again after job->pause_usec or an event */
};

struct grp_job_type {
	size_t size; /* of the struct that begins with a struct grp_job */
	/*
	 * One piece of work, well below a millisecond where that can be had.
	 * It finds its groups anew by id: others change the tree between two.
	 */
	int (*step)(struct grp_job *job, json_t **ret_reply);
	void (*done)(struct grp_job *job); /* frees what it owns; may be NULL */
	/*
	 * Only of a job that is never started, a stream: its reader has taken what it
	 * was sent. Sends more, or ends the call. Return: whether anything was sent.
	 */
	bool (*refill)(struct grp_job *job);
	bool observes; /* looks at a group once more before that is removed */
};

struct grp_job {
	const struct grp_job_type *type;
	struct grp_call *call;
	struct grp_turn work;
	sd_event_source *timer;
	uint64_t deadline_usec; /* CLOCK_MONOTONIC */
	uint64_t pause_usec; /* set by a step that waits */
	bool waits;
	bool spares; /* grp_memory_spare() knows of its caller */
	struct grp_job *prev, *next; /* of those that wait */
};

/* What has not become stable by then is given up (design 4). */
#define GRP_JOB_DEADLINE_USEC (30 * 1000000ULL)

/**
 * grp_job_new() - a job for a call, zeroed behind its head.
 * Return: NULL: no memory. It belongs to the call from now on.
 */
void *grp_job_new(struct grp_call *call, const struct grp_job_type *type);

/**
 * grp_job_start() - run it; the rest is done from the loop.
 * Return: what a handler returns: 0 and -errno when it is done already.
 */
int grp_job_start(struct grp_job *job, json_t **ret_reply);

/* grp_job_free() - stop it, without an answer. NULL is allowed. */
void grp_job_free(struct grp_job *job);

/* grp_job_renew() - its deadline counts from now. */
void grp_job_renew(struct grp_job *job);

/* grp_job_late() - its deadline has passed. */
bool grp_job_late(const struct grp_job *job);

/* grp_jobs_observe() - a group is about to be removed: its observers act first. */
void grp_jobs_observe(struct grp_agent *agent);

/* grp_jobs_event() - a set has lost its last member: who waits looks again. */
void grp_jobs_event(struct grp_agent *agent);

#endif
