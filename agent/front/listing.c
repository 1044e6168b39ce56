/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Groups in the order in which they are shown, see listing.h.
 */
#include "front/listing.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "agent.h"
#include "core/inode.h"

/* Room for so many more. */
static int reserve(struct grp_listing *listing, size_t n)
{
	struct grp_group_ref *items;

	if (listing->allocated - listing->n >= n)
		return 0;
	items = reallocarray(listing->items, listing->n + n, sizeof(*items));
	if (!items)
		return -ENOMEM;
	listing->items = items;
	listing->allocated = listing->n + n;
	return 0;
}

static int add(struct grp_listing *listing, const struct grp_group *group)
{
	int r = reserve(listing, 1);

	if (r == 0)
		listing->items[listing->n++] = grp_group_ref(group);
	return r;
}

/* The first bytes of a name, which nearly always decide, in the order of strcmp(). */
struct named {
	uint64_t prefix;
	struct grp_group *group;
	struct named *next;
};

struct children {
	struct named *items; /* owned */
	struct named *first; /* by name */
	size_t n;
};

static int by_name(const struct named *a, const struct named *b)
{
	if (a->prefix != b->prefix)
		return a->prefix < b->prefix ? -1 : 1;
	return strcmp(a->group->name, b->group->name);
}

static uint64_t prefix_of(const char *name)
{
	char bytes[sizeof(uint64_t)] = { 0 };
	uint64_t prefix;

	memcpy(bytes, name, strnlen(name, sizeof(bytes)));
	memcpy(&prefix, bytes, sizeof(prefix));
	return be64toh(prefix);
}

static int children_of(const struct grp_group *group, struct children *ret_children)
{
	struct children children = { .n = 0 };

	*ret_children = children;
	if (!group->n_children)
		return 0;
	children.items = reallocarray(NULL, group->n_children, sizeof(*children.items));
	if (!children.items)
		return -ENOMEM;
	for (struct grp_group *child = group->children; child; child = child->next) {
		struct named *item;

		if (child->dying)
			continue;
		item = &children.items[children.n];
		*item = (struct named){ .prefix = prefix_of(child->name), .group = child };
		LL_PREPEND(children.first, item);
		children.n++;
	}
	LL_SORT(children.first, by_name);
	*ret_children = children;
	return 0;
}

static int add_children(struct grp_listing *listing, const struct grp_group *group)
{
	struct children children = { .n = 0 };
	int r = children_of(group, &children) ?: reserve(listing, children.n);

	for (const struct named *at = children.first; r == 0 && at; at = at->next)
		r = add(listing, at->group);
	free(children.items);
	return r;
}

/* As deep as a path is long: at most GRP_PATH_MAX / 2 levels of a small frame. */
static int add_below(struct grp_listing *listing, const struct grp_group *top,
		     const struct grp_caller *caller)
{
	struct children children = { .n = 0 };
	int r = add(listing, top);

	if (r == 0 && grp_access(&top->inode, caller, GRP_READ | GRP_SEARCH))
		r = children_of(top, &children);
	for (const struct named *at = children.first; r == 0 && at; at = at->next)
		r = add_below(listing, at->group, caller);
	free(children.items);
	return r;
}

static int add_tree(struct grp_listing *listing, const struct grp_group *top,
		    const struct grp_caller *caller)
{
	return reserve(listing, (size_t)top->n_descendants + 1) ?: add_below(listing, top, caller);
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
