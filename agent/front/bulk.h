/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Jobs over a list of items: each is tried, what failed is collected, others
 * are served between two.
 */
#ifndef GRP_FRONT_BULK_H
#define GRP_FRONT_BULK_H

#include "front/jobs.h"

struct grp_bulk;

struct grp_bulk_type {
	struct grp_job_type job; /* GRP_BULK_JOB() */
	/*
	 * One item. Return: 0; -errno with the reason in call->error: it failed
	 * by this name; GRP_JOB_AGAIN, GRP_JOB_WAIT: call again with this item.
	 */
	int (*item)(struct grp_bulk *bulk, const char *item);
	/* The answer; @failures is borrowed. */
	int (*finish)(struct grp_bulk *bulk, json_t *failures, json_t **ret_reply);
	void (*done)(struct grp_bulk *bulk); /* may be NULL */
};

struct grp_bulk {
	struct grp_job job; /* first */
	const struct grp_bulk_type *type;
	json_t *items; /* array of strings; a reference is held */
	json_t *failures; /* owned */
	size_t at;
};

/* What every struct grp_bulk_type has in .job; @type begins with a struct grp_bulk. */
#define GRP_BULK_JOB(type_)                                                         \
	{                                                                           \
		.size = sizeof(type_), .step = grp_bulk_step, .done = grp_bulk_done \
	}

int grp_bulk_step(struct grp_job *job, json_t **ret_reply);
void grp_bulk_done(struct grp_job *job);

/**
 * grp_bulk_new() - a job over @items, zeroed behind its head.
 * Return: NULL: no memory. It belongs to the call from now on; start it with
 * grp_job_start().
 */
void *grp_bulk_new(struct grp_call *call, const struct grp_bulk_type *type, json_t *items);

#endif
