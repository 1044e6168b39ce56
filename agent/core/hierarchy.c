/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Hierarchies: mount, umount, which subsystems are bound where (HIER-*, design
 * 6.4). Remount and the flags of part 2 will change records through the same
 * single update.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
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

struct grp_hierarchy *grp_hierarchy_find(struct grp_core *core, const char *name)
{
	for (unsigned int slot = 0; slot < GRP_HIERARCHIES_MAX; slot++)
		if (core->slots[slot] && !strcmp(core->slots[slot]->name, name))
			return core->slots[slot];
	return NULL;
}

/* Exclusive subsystems that some hierarchy has asked for. */
static uint32_t claimed(const struct grp_core *core)
{
	uint32_t mask = 0;

	for (unsigned int slot = 0; slot < GRP_HIERARCHIES_MAX; slot++)
		if (core->slots[slot])
			mask |= core->slots[slot]->subsystems;
	for (size_t i = 0; i < grp_n_subsystems; i++)
		if (grp_subsystems[i]->shareable)
			mask &= ~(1U << i);
	return mask;
}

static uint32_t every_subsystem(void)
{
	return (1U << grp_n_subsystems) - 1;
}

uint32_t grp_hierarchy_subsystems(struct grp_core *core, const struct grp_hierarchy *hierarchy)
{
	if (hierarchy->flags & GRP_HIERARCHY_ANY_SUBSYSTEM)
		return every_subsystem() & ~claimed(core);
	return hierarchy->subsystems;
}

/* --- options ---------------------------------------------------------------------- */

static int parse_token(const char *token, size_t len, uint32_t *mask, bool *none,
		       struct grp_error *error)
{
	if (!len)
		return grp_error_set(error, EINVAL, "an option is empty");
	if (len == strlen("all") && !strncmp(token, "all", len)) {
		*mask |= every_subsystem();
		return 0;
	}
	if (len == strlen("none") && !strncmp(token, "none", len)) {
		*none = true;
		return 0;
	}
	for (size_t i = 0; i < grp_n_subsystems; i++)
		if (strlen(grp_subsystems[i]->name) == len &&
		    !strncmp(grp_subsystems[i]->name, token, len)) {
			*mask |= 1U << i;
			return 0;
		}
	return grp_error_set(error, ENOENT, "no subsystem '%.*s'; 'grpctl subsystems' lists them",
			     (int)len, token);
}

/* HIER-4, HIER-5: no options at all is "all"; "none" stands alone. */
static int parse_options(const char *options, uint32_t *ret_mask, struct grp_error *error)
{
	const char *token = options, *end;
	uint32_t mask = 0;
	bool none = false;
	int r;

	if (!options || !*options) {
		*ret_mask = every_subsystem();
		return 0;
	}
	for (;; token = end + 1) {
		end = token + strcspn(token, ",");
		r = parse_token(token, end - token, &mask, &none, error);
		if (r)
			return r;
		if (!*end)
			break;
	}
	if (none && mask)
		return grp_error_set(error, EINVAL, "'none' stands alone");
	if (!none && !mask)
		return grp_error_set(error, EINVAL, "no subsystem is named; 'none' asks for none");
	*ret_mask = mask;
	return 0;
}

/* An exclusive subsystem is bound once; while it has no child, "default" yields. */
static int check_bound(struct grp_core *core, uint32_t mask, struct grp_error *error)
{
	struct grp_hierarchy *fallback = grp_hierarchy_find(core, DEFAULT_NAME);

	for (size_t i = 0; i < grp_n_subsystems; i++) {
		if (grp_subsystems[i]->shareable || !(mask & (1U << i)))
			continue;
		if ((claimed(core) & (1U << i)) || (fallback && fallback->n_groups > 1))
			return grp_error_set(error, EBUSY, "subsystem '%s' is bound elsewhere",
					     grp_subsystems[i]->name);
	}
	return 0;
}

/* --- mount --------------------------------------------------------------------------- */

int grp_hierarchy_cache(struct grp_core *core, unsigned int slot,
			const struct grp_hierarchy_record *record, struct grp_group *root)
{
	struct grp_hierarchy *hierarchy = calloc(1, sizeof(*hierarchy));

	if (!hierarchy)
		return -ENOMEM;
	hierarchy->slot = slot;
	hierarchy->subsystems = record->subsystems;
	hierarchy->flags = record->flags;
	hierarchy->created_ns = record->created_ns;
	memcpy(hierarchy->name, record->name, GRP_HIERARCHY_NAME_MAX);
	hierarchy->root = root;
	core->slots[slot] = hierarchy;
	core->figures.hierarchies++;
	grp_group_link(core, hierarchy, NULL, root);
	return 0;
}

/* A new root begins with what folded sets have left: it stands for all tasks. */
static int store_archive(struct grp_core *core, struct grp_group *root)
{
	int r = grp_base_load(core, NULL, GRP_BASE_OWN, core->base);

	if (r || !core->base->seq)
		return r;
	return grp_base_store(core, root, GRP_BASE_OWN, core->base);
}

static int make(struct grp_core *core, const char *name, uint32_t subsystems, uint32_t flags)
{
	struct grp_hierarchy_record record = {
		.state = GRP_RECORD_LIVE,
		.subsystems = subsystems,
		.flags = flags,
		.created_ns = grp_clock_ns(CLOCK_REALTIME),
	};
	struct grp_group *root;
	unsigned int slot = 0;
	int r;

	while (slot < GRP_HIERARCHIES_MAX && core->slots[slot])
		slot++;
	if (slot == GRP_HIERARCHIES_MAX)
		return -ENOSPC;
	r = grp_group_make_root(core, slot, &root);
	if (r)
		return r;
	memcpy(record.name, name, strlen(name));
	record.root = root->id;
	r = store_archive(core, root);
	/* This update decides: without it the root is dropped at the next start. */
	if (!r)
		r = core->ops->hierarchy_put(core->kernel, slot, &record);
	if (!r)
		r = grp_hierarchy_cache(core, slot, &record, root);
	if (r) {
		/* A hierarchy without its root could not be loaded. */
		(void)core->ops->hierarchy_put(core->kernel, slot, NULL);
		(void)grp_base_drop(core, root);
		(void)core->ops->group_put(core->kernel, root->id, NULL);
		grp_group_free(core, root);
		return r;
	}
	grp_sets_join(core, core->slots[slot]);
	return 0;
}

int grp_hierarchy_make_default(struct grp_core *core)
{
	return make(core, DEFAULT_NAME, 0, GRP_HIERARCHY_ANY_SUBSYSTEM);
}

int grp_hierarchy_mount(struct grp_core *core, const char *name, const char *options,
			struct grp_error *error)
{
	struct grp_hierarchy *old;
	uint32_t mask = 0;
	int r = parse_options(options, &mask, error);

	if (r)
		return r;
	if (!grp_hierarchy_name_valid(name))
		return grp_error_set(error, EINVAL,
				     "the name of a hierarchy is 1 to %d of A-Z a-z 0-9 _ . -",
				     GRP_HIERARCHY_NAME_MAX);
	old = grp_hierarchy_find(core, name);
	if (old && grp_hierarchy_subsystems(core, old) == mask)
		return 0;
	if (old)
		return grp_error_set(error, EBUSY, "'%s' is mounted with other subsystems", name);
	r = check_bound(core, mask, error);
	if (r)
		return r;
	r = make(core, name, mask, 0);
	if (r == -ENOSPC)
		return grp_error_set(error, ENOSPC,
				     "all %d hierarchies or all groups are in use (setting "
				     "capacity-groups)",
				     GRP_HIERARCHIES_MAX);
	return r ? grp_error_set(error, -r, "cannot store the hierarchy: %s", strerror(-r)) : 0;
}

/* --- umount -------------------------------------------------------------------------- */

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
		grp_group_unlink(core, group);
		grp_group_free(core, group);
	}
	r = grp_base_drop(core, root);
	return r ?: core->ops->group_put(core->kernel, root->id, NULL);
}

int grp_hierarchy_drop(struct grp_core *core, unsigned int slot, struct grp_group *root)
{
	int r = grp_sets_forget(core, slot);

	if (!r && root)
		r = drop_groups(core, root);
	return r ?: core->ops->hierarchy_put(core->kernel, slot, NULL);
}

int grp_hierarchy_umount(struct grp_core *core, const char *name, struct grp_error *error)
{
	struct grp_hierarchy_record record = { .state = GRP_RECORD_DYING };
	struct grp_hierarchy *hierarchy = grp_hierarchy_find(core, name);
	struct grp_group *root;
	unsigned int below;
	int r;

	if (!hierarchy)
		return grp_error_set(error, ENOENT, "no hierarchy '%s'", name);
	if (hierarchy->flags & GRP_HIERARCHY_ANY_SUBSYSTEM)
		return grp_error_set(error, EBUSY, "'%s' is always there", name);
	below = hierarchy->n_groups - 1;
	if (below)
		return grp_error_set(error, EBUSY,
				     "it has %u group%s below its root: remove %s first, with "
				     "'grpctl rmdir -r %s:/...'",
				     below, grp_plural(below), below == 1 ? "it" : "them", name);
	root = hierarchy->root;
	record.root = root->id;
	/* This update decides; what follows is done at the next start if need be. */
	r = core->ops->hierarchy_put(core->kernel, hierarchy->slot, &record);
	if (r)
		return grp_error_set(error, -r, "cannot store the umount: %s", strerror(-r));
	core->slots[hierarchy->slot] = NULL;
	core->figures.hierarchies--;
	r = grp_hierarchy_drop(core, hierarchy->slot, root);
	grp_group_unlink(core, root);
	grp_group_free(core, root);
	free(hierarchy);
	return r;
}
