/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Groups in the order in which they are shown, see listing.h.
 */
#include "front/listing.h"

#include <endian.h>
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

/* The first bytes of a name, which nearly always decide, in the order of strcmp(). */
struct named {
	uint64_t prefix;
	struct grp_group *group;
};

static int by_name(const void *a, const void *b)
{
	const struct named *x = a, *y = b;

	if (x->prefix != y->prefix)
		return x->prefix < y->prefix ? -1 : 1;
	return strcmp(x->group->name, y->group->name);
}

static uint64_t prefix_of(const char *name)
{
	char bytes[sizeof(uint64_t)] = { 0 };
	uint64_t prefix;

	memcpy(bytes, name, strnlen(name, sizeof(bytes)));
	memcpy(&prefix, bytes, sizeof(prefix));
	return be64toh(prefix);
}

static int sort(struct grp_listing *listing)
{
	_cleanup_free_ struct named *named = NULL;

	if (listing->n <= 1)
		return 0;
	named = calloc(listing->n, sizeof(*named));
	if (!named)
		return -ENOMEM;
	for (size_t i = 0; i < listing->n; i++)
		named[i] = (struct named){ .prefix = prefix_of(listing->items[i]->name),
					   .group = listing->items[i] };
	qsort(named, listing->n, sizeof(*named), by_name);
	for (size_t i = 0; i < listing->n; i++)
		listing->items[i] = named[i].group;
	return 0;
}

static int add_children(struct grp_listing *listing, const struct grp_group *group)
{
	int r = 0;

	for (struct grp_group *child = group->children; r == 0 && child; child = child->next)
		if (!child->dying)
			r = add(listing, child);
	return r ?: sort(listing);
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
