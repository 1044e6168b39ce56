/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which groups a request is about, in the order in which they are shown:
 * parents before children, siblings by name.
 */
#ifndef GRP_FRONT_LISTING_H
#define GRP_FRONT_LISTING_H

#include <stddef.h>

#include "front/call.h"

/* Borrowed groups; valid until the next change of the tree. */
struct grp_listing {
	struct grp_group **items; /* owned */
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

/* What tells of one group: a JSON object to @out. Return: 0; -errno. */
typedef int (*grp_describe_fn)(struct grp_call *call, struct grp_group *group, void *data,
			       struct grp_json_text *out);

/**
 * grp_listing_reply() - {@key: [an object for each group]} becomes call->text. Objects
 * are made from the last to the first, so that a parent's figure is read after those of
 * its children and is never less than their sum.
 * Return: 0; -ENOMEM; of @describe.
 */
int grp_listing_reply(struct grp_call *call, const struct grp_listing *listing, const char *key,
		      grp_describe_fn describe, void *data);

#endif
