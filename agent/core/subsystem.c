/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Life of the subsystems' states: made with a group, moved when a subsystem is
 * bound to another hierarchy, switched off and on. Their part in attach, fork and
 * exit is in subsystem_tasks.c.
 */
#include "core/subsystem.h"

#include <errno.h>
#include <string.h>

#include "core/internal.h"

int grp_subsystem_find(const char *name, size_t len)
{
	for (size_t i = 0; i < grp_n_subsystems; i++)
		if (strlen(grp_subsystems[i]->name) == len &&
		    !memcmp(grp_subsystems[i]->name, name, len))
			return (int)i;
	return -ENOENT;
}

/* --- the registry -------------------------------------------------------------------- */

int grp_subsystem_check(const struct grp_subsystem *subsystem, struct grp_error *error)
{
	size_t len = subsystem->name ? strlen(subsystem->name) : 0;

	if (!len || len > GRP_SUBSYSTEM_NAME_MAX || strpbrk(subsystem->name, "._,=/ "))
		return grp_error_set(error, EINVAL, "a subsystem has no valid name");
	if (!subsystem->create != !subsystem->destroy)
		return grp_error_set(error, EINVAL, "'%s' must create and destroy",
				     subsystem->name);
	if (!subsystem->due != !subsystem->tick)
		return grp_error_set(error, EINVAL, "'%s' must have due and tick", subsystem->name);
	for (size_t i = 0; i < subsystem->n_files; i++)
		if (strlen(subsystem->files[i].name) > GRP_FILE_NAME_MAX)
			return grp_error_set(error, EINVAL, "'%s' has a file with too long a name",
					     subsystem->name);
	return 0;
}

int grp_subsystems_check(struct grp_error *error)
{
	int r = 0;

	if (grp_n_subsystems > GRP_SUBSYSTEMS_MAX)
		return grp_error_set(error, ENOSPC, "more than %d subsystems", GRP_SUBSYSTEMS_MAX);
	for (unsigned int i = 0; !r && i < grp_n_subsystems; i++) {
		const char *name = grp_subsystems[i]->name;

		r = grp_subsystem_check(grp_subsystems[i], error);
		if (!r && grp_subsystem_find(name, strlen(name)) != (int)i)
			r = grp_error_set(error, EEXIST, "'%s' is registered twice", name);
	}
	return r;
}

/* --- states ---------------------------------------------------------------------------- */

uint32_t grp_group_subsystems(struct grp_core *core, const struct grp_group *group)
{
	uint32_t bound = grp_hierarchy_subsystems(core, group->hierarchy);

	return group->parent ? bound & ~group->hierarchy->disabled : bound;
}

struct grp_group *grp_subsystem_owner(struct grp_group *group,
				      const struct grp_subsystem *subsystem)
{
	return group->parent || subsystem->shareable ? group : NULL;
}

/*
 * What an earlier binding has left must not show: files are made anew (HIER-15). The
 * settings of a root stay (HIER-18).
 */
static int drop_values(struct grp_core *core, struct grp_group *group,
		       const struct grp_subsystem *subsystem)
{
	size_t len = strlen(subsystem->name);
	struct grp_value_entry *entry, *next;
	int r = 0;

	LL_FOREACH_SAFE(group->values, entry, next) {
		bool of_it = !strncmp(entry->key.name, subsystem->name, len) &&
			     (entry->key.name[len] == '.' ||
			      !strcmp(entry->key.name + len, GRP_ENABLE_SUFFIX));

		if (!r && of_it &&
		    (entry->key.kind == GRP_VALUE_INODE ||
		     (entry->key.kind == GRP_VALUE_SETTING && group->parent)))
			r = grp_value_drop(core, group, entry->key.kind, entry->key.name);
	}
	return r;
}

static int create_state(struct grp_core *core, struct grp_group *group, unsigned int index,
			bool fresh, struct grp_error *error)
{
	const struct grp_subsystem *subsystem = grp_subsystems[index];
	int r = fresh ? drop_values(core, group, subsystem) : 0;

	if (r)
		return r;
	/* The root state of an exclusive one is made once and moves (HIER-18). */
	if (!group->parent && !subsystem->shareable && core->has_root_state[index]) {
		group->state[index] = core->root_state[index];
		return 0;
	}
	if (subsystem->create)
		r = subsystem->create(core, group, fresh, error, &group->state[index]);
	if (r || group->parent || subsystem->shareable)
		return r;
	core->root_state[index] = group->state[index];
	core->has_root_state[index] = true;
	return 0;
}

static void destroy_state(struct grp_core *core, struct grp_group *group, unsigned int index)
{
	const struct grp_subsystem *subsystem = grp_subsystems[index];
	bool moves = !group->parent && !subsystem->shareable;

	if (!moves && subsystem->destroy)
		subsystem->destroy(core, group, group->state[index]);
	group->state[index] = NULL;
}

void grp_states_destroy(struct grp_core *core, struct grp_group *group, uint32_t mask)
{
	for (unsigned int i = grp_n_subsystems; i-- > 0;)
		if (mask & (1U << i))
			destroy_state(core, group, i);
}

int grp_states_create(struct grp_core *core, struct grp_group *group, uint32_t mask, bool fresh,
		      struct grp_error *error)
{
	uint32_t made = 0;
	int r = 0;

	for (unsigned int i = 0; !r && i < grp_n_subsystems; i++) {
		if (!(mask & (1U << i)))
			continue;
		r = create_state(core, group, i, fresh, error);
		if (!r)
			made |= 1U << i;
	}
	if (r)
		grp_states_destroy(core, group, made);
	return r;
}

/* --- binding ----------------------------------------------------------------------------- */

static void update_polled(struct grp_core *core)
{
	core->polled = false;
	for (unsigned int slot = 0; slot < GRP_HIERARCHIES_MAX; slot++) {
		uint32_t bound =
			core->slots[slot] ? grp_hierarchy_subsystems(core, core->slots[slot]) : 0;

		for (size_t i = 0; i < grp_n_subsystems; i++)
			if (bound & (1U << i) &&
			    (grp_subsystems[i]->fork || grp_subsystems[i]->exit))
				core->polled = true;
	}
}

/* EN-*: what the stored switches say of a subsystem in a hierarchy. */
static void load_switch(struct grp_core *core, struct grp_hierarchy *hierarchy, unsigned int index)
{
	const struct grp_subsystem *subsystem = grp_subsystems[index];
	char name[GRP_FILE_VISIBLE_MAX];
	const struct grp_value_entry *entry;

	(void)snprintf(name, sizeof(name), "%s" GRP_ENABLE_SUFFIX, subsystem->name);
	entry = grp_value_find(core, grp_subsystem_owner(hierarchy->root, subsystem),
			       GRP_VALUE_SETTING, name);
	hierarchy->disabled &= ~(1U << index);
	if (entry && !strcmp(entry->data, "0"))
		hierarchy->disabled |= 1U << index;
}

static int create_below(struct grp_core *core, struct grp_hierarchy *hierarchy, uint32_t mask,
			struct grp_error *error)
{
	struct grp_group *root = hierarchy->root, *group = grp_group_next(root, root);
	int r = 0;

	mask &= ~hierarchy->disabled;
	for (; group; group = grp_group_next(root, group)) {
		r = grp_states_create(core, group, mask, true, error);
		if (r)
			break;
	}
	while (r && (group = grp_group_previous(root, group)) != root)
		grp_states_destroy(core, group, mask);
	return r;
}

int grp_bind_prepare(struct grp_core *core, struct grp_hierarchy *hierarchy, uint32_t added,
		     struct grp_error *error)
{
	/* An exclusive one's root state is in two roots until it is committed. */
	int r = grp_states_create(core, hierarchy->root, added, true, error);

	if (r)
		return r;
	for (unsigned int i = 0; i < grp_n_subsystems; i++)
		if (added & (1U << i))
			load_switch(core, hierarchy, i);
	r = create_below(core, hierarchy, added, error);
	if (r)
		grp_states_destroy(core, hierarchy->root, added);
	return r;
}

void grp_bind_cancel(struct grp_core *core, struct grp_hierarchy *hierarchy, uint32_t added)
{
	struct grp_group *root = hierarchy->root, *group = NULL;

	while ((group = grp_group_previous(root, group)) != root)
		grp_states_destroy(core, group, added & ~hierarchy->disabled);
	grp_states_destroy(core, root, added);
}

void grp_bind_commit(struct grp_core *core, struct grp_hierarchy *hierarchy, uint32_t added,
		     uint32_t removed)
{
	grp_states_destroy(core, hierarchy->root, removed);
	for (unsigned int i = 0; i < grp_n_subsystems; i++) {
		if (removed & (1U << i))
			hierarchy->disabled &= ~(1U << i);
		if (!(added & (1U << i)))
			continue;
		if (grp_subsystems[i]->bind)
			grp_subsystems[i]->bind(core, hierarchy, hierarchy->root->state[i]);
	}
	update_polled(core);
	grp_subsystems_count(core, hierarchy, added);
}

/* --- start and end ------------------------------------------------------------------------- */

static int load_hierarchy(struct grp_core *core, struct grp_hierarchy *hierarchy,
			  struct grp_error *error)
{
	uint32_t bound = grp_hierarchy_subsystems(core, hierarchy);
	struct grp_group *group = hierarchy->root;
	int r = 0;

	for (unsigned int i = 0; i < grp_n_subsystems; i++)
		if (bound & (1U << i))
			load_switch(core, hierarchy, i);
	for (; !r && group; group = grp_group_next(hierarchy->root, group))
		r = grp_states_create(core, group, grp_group_subsystems(core, group), false, error);
	if (!r)
		grp_bind_commit(core, hierarchy, bound, 0);
	return r;
}

int grp_states_load(struct grp_core *core, struct grp_error *error)
{
	int r = grp_values_drop(core, &core->stray_values);

	for (unsigned int slot = 0; !r && slot < GRP_HIERARCHIES_MAX; slot++)
		if (core->slots[slot])
			r = load_hierarchy(core, core->slots[slot], error);
	return r;
}

void grp_states_free(struct grp_core *core)
{
	for (unsigned int slot = 0; slot < GRP_HIERARCHIES_MAX; slot++) {
		struct grp_group *root = core->slots[slot] ? core->slots[slot]->root : NULL;
		struct grp_group *group = NULL;

		while (root && (group = grp_group_previous(root, group)))
			for (unsigned int i = grp_n_subsystems; i-- > 0;)
				if (group->state[i])
					destroy_state(core, group, i);
	}
	for (unsigned int i = 0; i < grp_n_subsystems; i++)
		if (core->has_root_state[i] && grp_subsystems[i]->destroy)
			grp_subsystems[i]->destroy(core, NULL, core->root_state[i]);
}

/* --- off and on -------------------------------------------------------------------------------- */

int grp_subsystem_enable(struct grp_core *core, struct grp_hierarchy *hierarchy, unsigned int index,
			 bool on, struct grp_error *error)
{
	const struct grp_subsystem *subsystem = grp_subsystems[index];
	char name[GRP_FILE_VISIBLE_MAX];
	int r;

	if (hierarchy->n_groups > 1)
		return grp_error_set(error, EBUSY,
				     "'%s' is switched while the root is the only group; it has "
				     "%u below it",
				     subsystem->name, hierarchy->n_groups - 1);
	(void)snprintf(name, sizeof(name), "%s" GRP_ENABLE_SUFFIX, subsystem->name);
	r = grp_value_put(core, grp_subsystem_owner(hierarchy->root, subsystem), GRP_VALUE_SETTING,
			  name, on ? "1" : "0", 1);
	if (!r)
		load_switch(core, hierarchy, index);
	return r;
}

/* --- rules between groups ----------------------------------------------------------------------- */

bool grp_core_unchecked(const struct grp_core *core)
{
	return core->unchecked;
}

int grp_subsystems_check_groups(struct grp_core *core, struct grp_error *error)
{
	int r = 0;

	for (unsigned int slot = 0; slot < GRP_HIERARCHIES_MAX; slot++) {
		struct grp_hierarchy *hierarchy = core->slots[slot];
		uint32_t bound = hierarchy ? grp_hierarchy_subsystems(core, hierarchy) : 0;

		for (unsigned int i = 0; !r && i < grp_n_subsystems; i++)
			if (bound & (1U << i) && grp_subsystems[i]->check)
				r = grp_subsystems[i]->check(core, hierarchy, error);
	}
	return r;
}

/* --- references ---------------------------------------------------------------------------------- */

void grp_group_hold(struct grp_group *group)
{
	if (group->parent)
		group->references++;
}

void grp_group_release(struct grp_core *core, struct grp_group *group)
{
	if (!group->parent)
		return;
	group->references--;
	grp_release_check(core, group);
}
