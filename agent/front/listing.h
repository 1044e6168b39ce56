/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which groups a request is about, in the order in which they are shown:
 * parents before children, siblings by name.
 */
#ifndef GRP_FRONT_LISTING_H
#define GRP_FRONT_LISTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "front/call.h"

struct grp_listing {
	struct grp_group_ref *items; /* owned */
	size_t n, allocated;
};

/**
 * grp_listing_make() - by the parameters "group" and "recursive" of a call.
 * @children: what a group without "recursive" stands for: its children, else
 * itself. Without "group": the root of every hierarchy. What is below a group that
 * the caller may not read and search is left out; when it is the one named: -EACCES.
 * @ret_listing: grp_listing_done() frees.
 * Return: 0; as grp_call_group(); -ENOMEM.
 */
int grp_listing_make(struct grp_call *call, bool children, struct grp_listing *ret_listing);
void grp_listing_done(struct grp_listing *listing);

/* What is known of a group since the listing was made. */
struct grp_listing_row {
	uint64_t tasks, processes;
};

/* How groups are told. */
struct grp_listing_kind {
	const char *key; /* of the answer: an array of objects */
	/*
	 * Tasks and processes are wanted: processes in keeping with the tasks of their group,
	 * see core/processes.h.
	 */
	bool counts;
	/* One group: a JSON object to @out. @row: set where counts are. Return: 0; -errno. */
	int (*describe)(struct grp_call *call, struct grp_group *group,
			const struct grp_listing_row *row, struct grp_json_text *out);
};

/**
 * grp_listing_start() - a job that answers with all of them, in pieces. What runs is
 * settled first. Objects are made from the last to the first, so that a parent's figure
 * is read after those of its children and is never less than their sum. A group that is
 * removed meanwhile is left out.
 * @groups: taken over, also on failure.
 * Return: what a handler returns.
 */
int grp_listing_start(struct grp_call *call, struct grp_listing *groups,
		      const struct grp_listing_kind *kind, json_t **ret_reply);

#endif
