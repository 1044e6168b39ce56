/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Walks over the groups of a hierarchy, in both directions, without recursion.
 */
#include "core/inode.h"
#include "core/internal.h"

static struct grp_group *skip_dying(struct grp_group *group)
{
	while (group && group->dying)
		group = group->next;
	return group;
}

/* Past all that is below it. */
static struct grp_group *next_beside(const struct grp_group *top, const struct grp_group *at)
{
	struct grp_group *next = NULL;

	while (!next && at != top) {
		next = skip_dying(at->next);
		at = at->parent;
	}
	return next;
}

struct grp_group *grp_group_next(const struct grp_group *top, const struct grp_group *at)
{
	return skip_dying(at->children) ?: next_beside(top, at);
}

struct grp_group *grp_group_next_listed(const struct grp_group *top, const struct grp_group *at,
					const struct grp_caller *caller)
{
	return grp_access(&at->inode, caller, GRP_READ | GRP_SEARCH) ? grp_group_next(top, at) :
								       next_beside(top, at);
}

/* @child or, when that is dying, the nearest living one before it. */
static struct grp_group *skip_dying_back(const struct grp_group *parent, struct grp_group *child)
{
	while (child && child->dying)
		child = child == parent->children ? NULL : child->prev;
	return child;
}

static struct grp_group *last_within(struct grp_group *group)
{
	struct grp_group *child = group;

	while (child) {
		group = child;
		/* The list ends where its head points back to. */
		child = group->children ? skip_dying_back(group, group->children->prev) : NULL;
	}
	return group;
}

struct grp_group *grp_group_previous(struct grp_group *top, struct grp_group *at)
{
	struct grp_group *before;

	if (!at)
		return last_within(top);
	if (at == top)
		return NULL;
	before = at == at->parent->children ? NULL : skip_dying_back(at->parent, at->prev);
	return before ? last_within(before) : at->parent;
}

struct grp_group *grp_group_next_any(const struct grp_group *top, const struct grp_group *at)
{
	struct grp_group *next = at->children;

	while (!next && at != top) {
		next = at->next;
		at = at->parent;
	}
	return next;
}

unsigned int grp_group_depth(const struct grp_group *group)
{
	unsigned int depth = 0;

	while ((group = group->parent))
		depth++;
	return depth;
}

bool grp_group_within(const struct grp_group *group, const struct grp_group *top)
{
	while (group && group != top)
		group = group->parent;
	return group;
}
