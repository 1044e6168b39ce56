/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Hierarchies as objects: names, what is bound to them, their record. How users
 * make, change and end them is in mount.c.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "core/internal.h"

#define DEFAULT_NAME "default"
#define NAME_CHARS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-"

bool grp_hierarchy_name_valid(const char *name)
{
	size_t len = strlen(name);

	return len && len <= GRP_HIERARCHY_NAME_MAX && strspn(name, NAME_CHARS) == len;
}

struct grp_hierarchy *grp_hierarchy_at(struct grp_core *core, unsigned int slot)
{
	return slot < GRP_HIERARCHIES_MAX ? core->slots[slot] : NULL;
}

bool grp_hierarchy_has_name(const struct grp_hierarchy *hierarchy, const char *name)
{
	for (unsigned int i = 0; i < hierarchy->n_names; i++)
		if (!strcmp(hierarchy->names[i], name))
			return true;
	return false;
}

struct grp_hierarchy *grp_hierarchy_find(struct grp_core *core, const char *name)
{
	for (unsigned int slot = 0; slot < GRP_HIERARCHIES_MAX; slot++)
		if (core->slots[slot] && grp_hierarchy_has_name(core->slots[slot], name))
			return core->slots[slot];
	return NULL;
}

struct grp_hierarchy *grp_hierarchy_default(struct grp_core *core)
{
	for (unsigned int slot = 0; slot < GRP_HIERARCHIES_MAX; slot++)
		if (core->slots[slot] && core->slots[slot]->flags & GRP_HIERARCHY_ANY_SUBSYSTEM)
			return core->slots[slot];
	return NULL;
}

/* --- what is bound ------------------------------------------------------------------ */

uint32_t grp_subsystems_exclusive(uint32_t mask)
{
	for (size_t i = 0; i < grp_n_subsystems; i++)
		if (grp_subsystems[i]->shareable)
			mask &= ~(1U << i);
	return mask;
}

uint32_t grp_subsystems_claimed(const struct grp_core *core)
{
	uint32_t mask = 0;

	for (unsigned int slot = 0; slot < GRP_HIERARCHIES_MAX; slot++)
		if (core->slots[slot])
			mask |= core->slots[slot]->subsystems;
	return grp_subsystems_exclusive(mask);
}

uint32_t grp_hierarchy_subsystems(struct grp_core *core, const struct grp_hierarchy *hierarchy)
{
	if (hierarchy->flags & GRP_HIERARCHY_ANY_SUBSYSTEM)
		return grp_subsystems_every() & ~grp_subsystems_claimed(core);
	return hierarchy->subsystems;
}

/* --- cache and record ----------------------------------------------------------------- */

int grp_hierarchy_cache(struct grp_core *core, unsigned int slot,
			const struct grp_hierarchy_record *record, struct grp_group *root)
{
	struct grp_hierarchy *hierarchy;

	if (!record->n_names || record->n_names > GRP_HIERARCHY_NAMES_MAX)
		return -EPROTO;
	hierarchy = calloc(1, sizeof(*hierarchy));
	if (!hierarchy)
		return -ENOMEM;
	hierarchy->release_agent = strndup(record->release_agent, GRP_PATH_MAX - 1);
	if (!hierarchy->release_agent) {
		free(hierarchy);
		return -ENOMEM;
	}
	hierarchy->slot = slot;
	hierarchy->subsystems = record->subsystems;
	hierarchy->flags = record->flags;
	hierarchy->created_ns = record->created_ns;
	hierarchy->n_names = record->n_names;
	for (unsigned int i = 0; i < record->n_names; i++)
		memcpy(hierarchy->names[i], record->names[i], GRP_HIERARCHY_NAME_MAX);
	hierarchy->name = hierarchy->names[0];
	hierarchy->root = root;
	core->slots[slot] = hierarchy;
	core->figures.hierarchies++;
	grp_group_link(core, hierarchy, NULL, root);
	return 0;
}

void grp_hierarchy_free(struct grp_hierarchy *hierarchy)
{
	if (!hierarchy)
		return;
	free(hierarchy->release_agent);
	free(hierarchy);
}

int grp_hierarchy_store(struct grp_core *core, const struct grp_hierarchy *hierarchy)
{
	struct grp_hierarchy_record record = {
		.state = GRP_RECORD_LIVE,
		.root = hierarchy->root->id,
		.subsystems = hierarchy->subsystems,
		.flags = hierarchy->flags,
		.created_ns = hierarchy->created_ns,
		.n_names = hierarchy->n_names,
	};

	for (unsigned int i = 0; i < hierarchy->n_names; i++)
		memcpy(record.names[i], hierarchy->names[i], strlen(hierarchy->names[i]));
	memcpy(record.release_agent, hierarchy->release_agent, strlen(hierarchy->release_agent));
	return core->ops->hierarchy_put(core->kernel, hierarchy->slot, &record);
}

int grp_hierarchy_set_release_agent(struct grp_core *core, struct grp_hierarchy *hierarchy,
				    const char *path, size_t len)
{
	char *old = hierarchy->release_agent, *new = strndup(path, len);
	int r;

	if (!new)
		return -ENOMEM;
	hierarchy->release_agent = new;
	r = grp_hierarchy_store(core, hierarchy);
	if (r)
		hierarchy->release_agent = old;
	free(r ? new : old);
	return r;
}

/* A new root begins with what folded sets have left: it stands for all tasks. */
static int store_archive(struct grp_core *core, struct grp_group *root)
{
	int r = grp_base_load(core, NULL, GRP_BASE_OWN, core->base);

	if (r || !core->base->seq)
		return r;
	return grp_base_store(core, root, GRP_BASE_OWN, core->base);
}

int grp_hierarchy_make(struct grp_core *core, const char *name, uint32_t flags,
		       const char *release_agent, struct grp_hierarchy **ret_hierarchy)
{
	struct grp_hierarchy_record record = {
		.flags = flags,
		.n_names = 1,
		.created_ns = grp_clock_ns(CLOCK_REALTIME),
	};
	struct grp_group *root;
	unsigned int slot = 0;
	int r;

	while (slot < GRP_HIERARCHIES_MAX && core->slots[slot])
		slot++;
	if (slot == GRP_HIERARCHIES_MAX)
		return -ENOSPC;
	memcpy(record.names[0], name, strlen(name));
	memcpy(record.release_agent, release_agent, strlen(release_agent));
	r = grp_group_make_root(core, slot, &root);
	if (r)
		return r;
	r = store_archive(core, root);
	if (!r)
		r = grp_hierarchy_cache(core, slot, &record, root);
	if (r) {
		(void)grp_base_drop(core, root);
		(void)core->ops->group_put(core->kernel, root->id, NULL);
		grp_group_free(core, root);
		return r;
	}
	grp_sets_join(core, core->slots[slot]);
	*ret_hierarchy = core->slots[slot];
	return 0;
}

int grp_hierarchy_make_default(struct grp_core *core)
{
	struct grp_hierarchy *hierarchy;
	int r = grp_hierarchy_make(core, DEFAULT_NAME, GRP_HIERARCHY_ANY_SUBSYSTEM, "", &hierarchy);

	if (r)
		return r;
	/* So that a newcomer's mkdir and attach just work (design 6.1). */
	hierarchy->root->flags |= GRP_GROUP_CLONE_CHILDREN;
	r = grp_group_store(core, hierarchy->root);
	return r ?: grp_hierarchy_store(core, hierarchy);
}

/* --- the end ------------------------------------------------------------------------------ */

/* Removed groups that zombies still hold, bottom up; their time is not needed. */
static int drop_groups(struct grp_core *core, struct grp_group *root)
{
	struct grp_group *group = root;
	int r;

	while (root->children) {
		for (group = root->children; group->children; group = group->children)
			;
		r = grp_base_drop(core, group);
		if (!r)
			r = core->ops->group_put(core->kernel, group->id, NULL);
		if (r)
			return r;
		grp_group_forget(core, group);
	}
	r = grp_base_drop(core, root);
	if (!r)
		r = grp_values_drop(core, &root->values);
	return r ?: core->ops->group_put(core->kernel, root->id, NULL);
}

int grp_hierarchy_drop(struct grp_core *core, unsigned int slot, struct grp_group *root)
{
	int r = grp_sets_forget(core, slot);

	if (!r && root)
		r = drop_groups(core, root);
	return r ?: core->ops->hierarchy_put(core->kernel, slot, NULL);
}

int grp_hierarchy_end(struct grp_core *core, struct grp_hierarchy *hierarchy)
{
	struct grp_group *root = hierarchy->root;
	int r = grp_hierarchy_drop(core, hierarchy->slot, root);

	if (r) {
		/* Its slot cannot be used yet: the next collection goes on, nobody finds it. */
		hierarchy->flags |= GRP_HIERARCHY_UNMOUNTED;
		hierarchy->n_names = 0;
		memset(hierarchy->names, 0, sizeof(hierarchy->names));
		return r;
	}
	core->slots[hierarchy->slot] = NULL;
	core->figures.hierarchies--;
	grp_group_forget(core, root);
	grp_hierarchy_free(hierarchy);
	return r;
}
