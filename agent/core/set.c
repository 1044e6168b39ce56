/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Membership sets: one immutable combination "group per hierarchy" each. Finding
 * and making them, and the lists by which a group knows its sets. How they go
 * again is in collect.c and fold.c.
 */
#include <errno.h>
#include <string.h>

#include "core/internal.h"

#define VECTOR_SIZE (sizeof(uint32_t) * GRP_HIERARCHIES_MAX)

struct grp_group *grp_set_group(struct grp_core *core, const struct grp_set *set, unsigned int slot)
{
	struct grp_group *group = NULL;

	if (set->group[slot])
		group = grp_group_by_id(core, set->group[slot]);
	return group ?: core->slots[slot]->root;
}

static void join(struct grp_core *core, struct grp_set *set, unsigned int slot)
{
	struct grp_group *group = grp_set_group(core, set, slot);

	DL_APPEND2(group->sets, set, link[slot].prev, link[slot].next);
}

static void leave(struct grp_core *core, struct grp_set *set, unsigned int slot)
{
	struct grp_group *group = grp_set_group(core, set, slot);

	DL_DELETE2(group->sets, set, link[slot].prev, link[slot].next);
}

static void hash(struct grp_core *core, struct grp_set *set)
{
	struct grp_set *twin;

	HASH_FIND(hh, core->by_vector, set->group, VECTOR_SIZE, twin);
	if (twin)
		return;
	HASH_ADD(hh, core->by_vector, group, VECTOR_SIZE, set);
	set->hashed = true;
}

static void unhash(struct grp_core *core, struct grp_set *set)
{
	if (set->hashed)
		/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): hashed, so in a table */
		HASH_DELETE(hh, core->by_vector, set);
	set->hashed = false;
}

void grp_set_adopt(struct grp_core *core, struct grp_set *set, bool live)
{
	set->state = live ? GRP_SET_LIVE : GRP_SET_RETIRED;
	core->figures.sets++;
	if (live)
		hash(core, set);
	else
		core->figures.retired_sets++;
	for (unsigned int slot = 0; slot < GRP_HIERARCHIES_MAX; slot++)
		if (core->slots[slot])
			join(core, set, slot);
}

void grp_set_drop(struct grp_core *core, struct grp_set *set)
{
	for (unsigned int slot = 0; slot < GRP_HIERARCHIES_MAX; slot++)
		if (core->slots[slot])
			leave(core, set, slot);
	unhash(core, set);
	if (set->state == GRP_SET_RETIRED)
		core->figures.retired_sets--;
	core->figures.sets--;
	set->state = GRP_SET_FREE;
	set->graced = false;
	memset(set->group, 0, sizeof(set->group));
}

void grp_set_retire(struct grp_core *core, struct grp_set *set)
{
	unhash(core, set);
	set->state = GRP_SET_RETIRED;
	set->stuck_since_ns = 0;
	core->figures.retired_sets++;
}

void grp_sets_join(struct grp_core *core, struct grp_hierarchy *hierarchy)
{
	for (unsigned int i = 0; i < core->view->capacity_sets; i++)
		if (core->sets[i].state != GRP_SET_FREE)
			join(core, &core->sets[i], hierarchy->slot);
	hierarchy->root->occupied = true;
}

static int store(struct grp_core *core, const struct grp_set *set)
{
	struct grp_set_record record = { .state = GRP_RECORD_LIVE };

	memcpy(record.group, set->group, sizeof(record.group));
	return core->ops->set_put(core->kernel, set->id, &record);
}

/* One set's entry for a slot becomes "root"; the hierarchy may be gone already. */
static int forget(struct grp_core *core, struct grp_set *set, unsigned int slot)
{
	uint32_t old = set->group[slot];
	int r;

	set->group[slot] = 0;
	r = store(core, set);
	set->group[slot] = old;
	if (r)
		return r;
	unhash(core, set);
	if (core->slots[slot])
		leave(core, set, slot);
	set->group[slot] = 0;
	if (core->slots[slot])
		join(core, set, slot);
	if (set->state == GRP_SET_LIVE)
		hash(core, set);
	return 0;
}

int grp_sets_forget(struct grp_core *core, unsigned int slot)
{
	int r = 0;

	for (unsigned int i = 0; !r && i < core->view->capacity_sets; i++)
		if (core->sets[i].state != GRP_SET_FREE && core->sets[i].group[slot])
			r = forget(core, &core->sets[i], slot);
	return r;
}

static struct grp_set *find_free(struct grp_core *core)
{
	for (unsigned int i = 0; i < core->view->capacity_sets; i++)
		if (core->sets[i].state == GRP_SET_FREE)
			return &core->sets[i];
	return NULL;
}

static int no_room(const struct grp_core *core, struct grp_error *error)
{
	return grp_error_set(error, ENOSPC,
			     "all %u combinations of groups are in use, %u of them by dead tasks "
			     "that were not reaped (setting capacity-sets)",
			     core->view->capacity_sets, core->figures.retired_sets);
}

int grp_target_add(struct grp_target *target, struct grp_group *group)
{
	unsigned int slot = group->hierarchy->slot;

	if (target->group[slot] && target->group[slot] != group)
		return -EINVAL;
	target->group[slot] = group;
	return 0;
}

int grp_target_recorded(struct grp_core *core, const struct grp_journal *record,
			struct grp_target *ret_target)
{
	*ret_target = (struct grp_target){};
	for (unsigned int slot = 0; slot < GRP_HIERARCHIES_MAX; slot++) {
		struct grp_group *group = grp_group_by_id(core, record->target[slot]);

		if (!record->target[slot])
			continue;
		if (!group || group->dying)
			return -ENOENT;
		ret_target->group[slot] = group;
	}
	return 0;
}

int grp_set_change(struct grp_core *core, const struct grp_set *set,
		   const struct grp_target *target, struct grp_error *error,
		   struct grp_set **ret_set)
{
	uint32_t vector[GRP_HIERARCHIES_MAX];
	struct grp_set *found;
	int r;

	memcpy(vector, set->group, sizeof(vector));
	for (unsigned int slot = 0; slot < GRP_HIERARCHIES_MAX; slot++)
		if (target->group[slot])
			vector[slot] = target->group[slot]->parent ? target->group[slot]->id : 0;
	HASH_FIND(hh, core->by_vector, vector, VECTOR_SIZE, found);
	if (!found) {
		found = find_free(core);
		if (!found)
			return no_room(core, error);
		memcpy(found->group, vector, sizeof(vector));
		r = store(core, found);
		if (r) {
			memset(found->group, 0, sizeof(found->group));
			return r;
		}
		grp_set_adopt(core, found, true);
	}
	*ret_set = found;
	return 0;
}
