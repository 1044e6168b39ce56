/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Groups as they are told to a client, in pieces: see listing.h.
 */
#include <errno.h>
#include <stdlib.h>

#include "agent.h"
#include "base/cleanup.h"
#include "core/processes.h"
#include "front/jobs.h"
#include "front/listing.h"

/* Of a step: some dozen microseconds. */
#define ROWS_AT_ONCE 16
/* Of which nothing but a number is looked up. */
#define COUNTS_AT_ONCE 1024
/* One that has to wait for others looks again after that. */
#define TURN_USEC 4000

/* Not cleared before it is needed: to touch all of them would be a long turn. */
struct row {
	struct grp_listing_row known;
	size_t start, len; /* in made */
};

struct listing {
	struct grp_job job; /* first */
	const struct grp_listing_kind *kind;
	bool begun;
	bool counting; /* processes are wanted, and not known yet */
	struct grp_processes *processes; /* owned; while counting, after the first step */
	bool prepared; /* processes are known, what runs is settled */
	struct grp_group_ref *groups; /* owned */
	struct row *rows; /* owned; of each of them */
	size_t n;
	size_t counted; /* rows before it know their processes */
	size_t unmade; /* rows before it are not made yet */
	size_t put; /* rows before it are in the answer */
	bool any;
	struct grp_json_text made; /* from the last row to the first */
};

static int make_row(struct listing *listing, size_t index)
{
	struct grp_call *call = listing->job.call;
	struct grp_group *group = grp_group_at(call->agent->core, listing->groups[index]);
	struct row *row = &listing->rows[index];
	int r = 0;

	row->start = listing->made.len;
	if (group && !group->dying)
		r = listing->kind->describe(call, group, &row->known, &listing->made);
	row->len = listing->made.len - row->start;
	return r < 0 ? r : listing->made.failed ? -ENOMEM : 0;
}

static void put_row(struct listing *listing, const struct row *row)
{
	struct grp_json_text *text = &listing->job.call->text;

	if (!row->len)
		return;
	if (listing->any)
		grp_json_text_add(text, ",", 1);
	grp_json_text_add(text, listing->made.bytes + row->start, row->len);
	listing->any = true;
}

/* Some rows' numbers; those of all are known afterwards, so that others can count. */
static int take_counts(struct listing *listing)
{
	struct grp_core *core = listing->job.call->agent->core;

	for (unsigned int i = 0; listing->counted < listing->n && i < COUNTS_AT_ONCE; i++) {
		size_t index = listing->counted++;
		const struct grp_group *group = grp_group_at(core, listing->groups[index]);
		struct grp_listing_row *known = &listing->rows[index].known;

		*known = (struct grp_listing_row){ .tasks = 0 };
		if (!group)
			continue;
		known->tasks = grp_group_tasks(core, group);
		known->processes = grp_processes_of(listing->processes, group, known->tasks);
	}
	if (listing->counted < listing->n)
		return GRP_JOB_AGAIN;
	grp_processes_free(listing->processes);
	listing->processes = NULL;
	listing->counting = false;
	return 0;
}

static int count(struct listing *listing)
{
	int r = 0;

	if (!listing->processes)
		r = grp_processes_new(listing->job.call->agent->core, listing->groups, listing->n,
				      &listing->processes);
	if (r == 0 && !listing->counted)
		r = grp_processes_step(listing->processes);
	if (r == GRP_PROCESSES_WAIT) {
		listing->job.pause_usec = TURN_USEC;
		return GRP_JOB_WAIT;
	}
	if (r)
		return r < 0 ? r : GRP_JOB_AGAIN;
	return take_counts(listing);
}

/* What comes before the rows. */
static int prepare(struct listing *listing)
{
	int r = listing->counting ? count(listing) : 0;

	if (r)
		return r;
	listing->prepared = true;
	return grp_core_settle(listing->job.call->agent->core) ?: GRP_JOB_AGAIN;
}

static int step(struct grp_job *job, json_t **ret_reply)
{
	struct listing *listing = (struct listing *)job;
	int r = 0;

	/* To find all the groups may have filled the turn. */
	if (!listing->begun) {
		listing->begun = true;
		return GRP_JOB_AGAIN;
	}
	if (!listing->prepared)
		return prepare(listing);
	for (unsigned int i = 0; r == 0 && listing->unmade && i < ROWS_AT_ONCE; i++)
		r = make_row(listing, --listing->unmade);
	if (r < 0 || listing->unmade)
		return r < 0 ? r : GRP_JOB_AGAIN;
	if (!listing->put)
		grp_call_text_begin(job->call, listing->kind->key);
	for (unsigned int i = 0; listing->put < listing->n && i < ROWS_AT_ONCE; i++)
		put_row(listing, &listing->rows[listing->put++]);
	if (listing->put < listing->n)
		return GRP_JOB_AGAIN;
	*ret_reply = NULL;
	return grp_call_text_end(job->call);
}

static void done(struct grp_job *job)
{
	struct listing *listing = (struct listing *)job;

	grp_processes_free(listing->processes);
	grp_json_text_done(&listing->made);
	free(listing->rows);
	free(listing->groups);
}

static const struct grp_job_type listing_type = {
	.size = sizeof(struct listing),
	.step = step,
	.done = done,
};

int grp_listing_start(struct grp_call *call, struct grp_listing *groups,
		      const struct grp_listing_kind *kind, json_t **ret_reply)
{
	struct listing *listing = grp_job_new(call, &listing_type);

	if (!listing) {
		grp_listing_done(groups);
		return -ENOMEM;
	}
	listing->kind = kind;
	listing->n = listing->unmade = groups->n;
	listing->groups = TAKE_PTR(groups->items);
	listing->rows = reallocarray(NULL, listing->n + 1, sizeof(*listing->rows));
	if (!listing->rows)
		return -ENOMEM;
	listing->counting = kind->counts && listing->n;
	return grp_job_start(&listing->job, ret_reply);
}
