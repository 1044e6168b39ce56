/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Groups in the order in which they are shown, see listing.h.
 */
#include "front/listing.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"
#include "base/cleanup.h"
#include "core/inode.h"

static int add(struct grp_listing *listing, struct grp_group *group)
{
	size_t allocated = listing->allocated ? 2 * listing->allocated : 16;
	struct grp_group **items;

	if (listing->n == listing->allocated) {
		items = reallocarray(listing->items, allocated, sizeof(struct grp_group *));
		if (!items)
			return -ENOMEM;
		listing->items = items;
		listing->allocated = allocated;
	}
	listing->items[listing->n++] = group;
	return 0;
}

static int by_name(const void *a, const void *b)
{
	const struct grp_group *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

static int add_children(struct grp_listing *listing, const struct grp_group *group)
{
	int r = 0;

	for (struct grp_group *child = group->children; r == 0 && child; child = child->next)
		if (!child->dying)
			r = add(listing, child);
	if (r == 0 && listing->n)
		qsort(listing->items, listing->n, sizeof(struct grp_group *), by_name);
	return r;
}

/* As deep as a path is long: at most GRP_PATH_MAX / 2 levels of a small frame. */
static int add_tree(struct grp_listing *listing, struct grp_group *top,
		    const struct grp_caller *caller)
{
	struct grp_listing children = { .n = 0 };
	int r = add(listing, top);

	if (r == 0 && grp_access(&top->inode, caller, GRP_READ | GRP_SEARCH))
		r = add_children(&children, top);
	for (size_t i = 0; r == 0 && i < children.n; i++)
		r = add_tree(listing, children.items[i], caller);
	grp_listing_done(&children);
	return r;
}

static int add_roots(struct grp_call *call, bool recursive, struct grp_listing *listing)
{
	struct grp_core *core = call->agent->core;
	int r = 0;

	for (unsigned int slot = 0; r == 0 && slot < GRP_HIERARCHIES_MAX; slot++) {
		struct grp_hierarchy *hierarchy = grp_hierarchy_at(core, slot);

		if (hierarchy)
			r = recursive ? add_tree(listing, hierarchy->root, call->caller) :
					add(listing, hierarchy->root);
	}
	return r;
}

int grp_listing_make(struct grp_call *call, bool children, struct grp_listing *ret_listing)
{
	const char *text = grp_call_string(call, "group");
	bool recursive = grp_call_flag(call, "recursive");
	struct grp_listing listing = { .n = 0 };
	struct grp_group *group = NULL;
	int r = text ? grp_call_group(call, text, &group) : 0;

	if (r == 0 && group && (recursive || children))
		r = grp_group_access(group, call->caller, GRP_READ | GRP_SEARCH, &call->error);
	if (r < 0)
		return r;
	if (!group)
		r = add_roots(call, recursive, &listing);
	else if (recursive)
		r = add_tree(&listing, group, call->caller);
	else
		r = children ? add_children(&listing, group) : add(&listing, group);
	if (r < 0)
		grp_listing_done(&listing);
	else
		*ret_listing = listing;
	return r;
}

void grp_listing_done(struct grp_listing *listing)
{
	free(listing->items);
	*listing = (struct grp_listing){ .n = 0 };
}

/* What was made from the last to the first, into the answer from the first to the last. */
static int put_in_order(struct grp_call *call, const char *key, const struct grp_json_text *made,
			const size_t *starts, size_t n)
{
	grp_call_text_begin(call, key);
	for (size_t i = 0; i < n; i++) {
		size_t end = i ? starts[i - 1] : made->len;

		if (i)
			grp_json_text_add(&call->text, ",", 1);
		grp_json_text_add(&call->text, made->bytes + starts[i], end - starts[i]);
	}
	return grp_call_text_end(call);
}

int grp_listing_reply(struct grp_call *call, const struct grp_listing *listing, const char *key,
		      grp_describe_fn describe, void *data)
{
	_cleanup_free_ size_t *starts = calloc(listing->n + 1, sizeof(*starts));
	struct grp_json_text made = { .bytes = NULL };
	int r = starts ? 0 : -ENOMEM;

	for (size_t i = listing->n; r == 0 && i-- > 0;) {
		starts[i] = made.len;
		r = describe(call, listing->items[i], data, &made);
	}
	if (r == 0)
		r = made.failed ? -ENOMEM : put_in_order(call, key, &made, starts, listing->n);
	grp_json_text_done(&made);
	return r;
}
