/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reconcile: the tree is rebuilt from the store, and what a killed agent left
 * half-done is ended. There is no second source to disagree with.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/orphans.h"
#include "core/place_memory_internal.h"
#include "core/topology.h"

/* Records as they come, before the tree can be put together. */
struct load {
	struct grp_core *core;
	struct grp_hierarchy_record hierarchies[GRP_HIERARCHIES_MAX];
	struct pending {
		struct grp_group *group;
		uint32_t parent, slot;
	} * groups;
	size_t n_groups, allocated;
	struct grp_journal journal[GRP_JOURNAL_ENTRIES];
};

static int on_hierarchy(unsigned int slot, const struct grp_hierarchy_record *record, void *data)
{
	struct load *load = data;

	load->hierarchies[slot] = *record;
	return 0;
}

static int on_group(uint32_t id, const struct grp_group_record *record, void *data)
{
	struct load *load = data;
	struct grp_group *group;
	int r;

	if (record->name_len > GRP_NAME_MAX || record->slot >= GRP_HIERARCHIES_MAX)
		return -EPROTO;
	if (load->n_groups == load->allocated) {
		size_t n = load->allocated ? 2 * load->allocated : 64;
		void *bigger = reallocarray(load->groups, n, sizeof(*load->groups));

		if (!bigger)
			return -ENOMEM;
		load->groups = bigger;
		load->allocated = n;
	}
	r = grp_group_cache(load->core, id, record->name, record->name_len, &group);
	if (r)
		return r;
	group->dying = record->state == GRP_RECORD_DYING;
	group->flags = record->flags;
	group->inode = (struct grp_inode){ record->uid, record->gid, record->mode };
	group->file_uid = record->file_uid;
	group->file_gid = record->file_gid;
	for (size_t i = 0; i < GRP_MEMBER_FILES; i++)
		group->member_files[i] = (struct grp_inode){ record->member_files[i].uid,
							     record->member_files[i].gid,
							     record->member_files[i].mode };
	group->peak_tasks = record->peak_tasks;
	group->active_ns = record->active_ns;
	group->created_ns = record->created_ns;
	load->groups[load->n_groups++] = (struct pending){ group, record->parent, record->slot };
	return 0;
}

/* Groups come first; what is stored for one that does not exist is dropped. */
static int on_value(const struct grp_value_key *key, const struct grp_value *value, void *data)
{
	struct load *load = data;

	return grp_value_adopt(load->core, key, value);
}

static int on_set(uint32_t id, const struct grp_set_record *record, void *data)
{
	struct load *load = data;
	struct grp_set *set = &load->core->sets[id];

	memcpy(set->group, record->group, sizeof(set->group));
	set->state = GRP_SET_LIVE; /* adopted when the groups are there */
	return 0;
}

static int on_journal(unsigned int entry, const struct grp_journal *record, void *data)
{
	struct load *load = data;

	load->journal[entry] = *record;
	return 0;
}

static int on_mask(uint32_t id, const struct grp_mask_record *record, void *data)
{
	struct load *load = data;

	return grp_masks_adopt(load->core, id, record);
}

static const struct grp_store_visitor visitor = {
	.hierarchy = on_hierarchy,
	.group = on_group,
	.value = on_value,
	.set = on_set,
	.journal = on_journal,
	.mask = on_mask,
};

/* --- rows of shown values: those of living groups keep theirs ------------------------- */

static int bind_rows(struct load *load)
{
	struct grp_core *core = load->core;
	uint32_t capacity = core->view->capacity_groups;

	if (load->n_groups > capacity)
		return -EPROTO;
	for (size_t i = 0; i < load->n_groups; i++)
		load->groups[i].group->row = UINT32_MAX;
	for (uint32_t row = capacity; row-- > 0;) {
		uint32_t id = core->view->shown[row].group;
		struct grp_group *group = id ? grp_group_by_id(core, id) : NULL;

		if (group && group->row == UINT32_MAX)
			grp_row_bind(core, group, row, false);
		else
			core->free_rows[core->n_free_rows++] = row;
	}
	for (size_t i = 0; i < load->n_groups; i++) {
		struct grp_group *group = load->groups[i].group;

		if (group->row == UINT32_MAX)
			grp_row_bind(core, group, core->free_rows[--core->n_free_rows], true);
	}
	return 0;
}

/* --- the tree ---------------------------------------------------------------------------- */

static int link_roots(struct load *load)
{
	int r = 0;

	for (unsigned int slot = 0; !r && slot < GRP_HIERARCHIES_MAX; slot++) {
		const struct grp_hierarchy_record *record = &load->hierarchies[slot];
		struct grp_group *root = grp_group_by_id(load->core, record->root);

		if (record->state == GRP_RECORD_LIVE)
			r = root ? grp_hierarchy_cache(load->core, slot, record, root) : -EPROTO;
	}
	return r;
}

/* Parents may come after their children: go round until all have found theirs. */
static void link_groups(struct load *load)
{
	bool again = true;

	while (again) {
		again = false;
		for (size_t i = 0; i < load->n_groups; i++) {
			struct pending *pending = &load->groups[i];
			struct grp_hierarchy *hierarchy = load->core->slots[pending->slot];
			struct grp_group *parent;

			if (!pending->parent || pending->group->hierarchy || !hierarchy)
				continue;
			parent = grp_group_by_id(load->core, pending->parent);
			if (!parent || !parent->hierarchy)
				continue;
			grp_group_link(load->core, hierarchy, parent, pending->group);
			again = true;
		}
	}
}

static int drop_group(struct grp_core *core, struct grp_group *group)
{
	int r = grp_base_drop(core, group);

	if (!r)
		r = grp_values_drop(core, &group->values);
	if (!r)
		r = core->ops->group_put(core->kernel, group->id, NULL);
	if (!r)
		grp_group_free(core, group);
	return r;
}

/* Roots of a mount that was not decided, and all of an umount that was. */
static int drop_strays(struct load *load)
{
	int r = 0;

	for (size_t i = 0; !r && i < load->n_groups; i++)
		if (!load->groups[i].group->hierarchy)
			r = drop_group(load->core, load->groups[i].group);
	for (unsigned int slot = 0; !r && slot < GRP_HIERARCHIES_MAX; slot++)
		if (load->hierarchies[slot].state == GRP_RECORD_DYING)
			r = grp_hierarchy_drop(load->core, slot, NULL);
	return r;
}

static void adopt_sets(struct grp_core *core)
{
	grp_set_adopt(core, &core->sets[GRP_SET_ROOT], true);
	for (unsigned int i = 1; i < core->view->capacity_sets; i++)
		if (core->sets[i].state != GRP_SET_FREE)
			grp_set_adopt(core, &core->sets[i], core->view->counts[i].members >= 0);
}

static int resume(struct load *load)
{
	int r = 0;

	if (load->journal[GRP_JOURNAL_ENTRY_FOLD].op != GRP_JOURNAL_NONE)
		r = grp_fold_resume(load->core, &load->journal[GRP_JOURNAL_ENTRY_FOLD]);
	if (!r && load->journal[GRP_JOURNAL_ENTRY_ATTACH].op == GRP_JOURNAL_ATTACH)
		r = grp_attach_resume(load->core, &load->journal[GRP_JOURNAL_ENTRY_ATTACH]);
	if (!r)
		r = grp_clones_resume(load->core);
	if (!r)
		grp_unfinished_resume(load->core);
	return r;
}

static int build(struct load *load, struct grp_error *error)
{
	struct grp_core *core = load->core;
	int r = bind_rows(load);

	if (!r)
		r = link_roots(load);
	if (r)
		return r;
	link_groups(load);
	adopt_sets(core);
	r = drop_strays(load);
	if (!r)
		grp_empty_load(core);
	if (!r)
		grp_orphans_look(core);
	if (!r && !grp_hierarchy_default(core))
		r = grp_hierarchy_make_default(core);
	if (!r)
		r = grp_states_load(core, error);
	if (!r)
		r = resume(load);
	if (!r)
		r = grp_release_load(core);
	return r;
}

/* What opened the store has looked at this before, and knows the instance. */
#define UNLOAD "'grpagent --unload'"

static int check_meta(struct grp_core *core, struct grp_error *error)
{
	const struct grp_meta *meta = &core->meta;

	if (meta->magic != GRP_META_MAGIC || meta->layout != GRP_LAYOUT_VERSION)
		return grp_error_set(error, EPROTO,
				     "the store has layout %u, not %u: give it up with " UNLOAD,
				     meta->layout, GRP_LAYOUT_VERSION);
	if (meta->cpus != core->view->cpus)
		return grp_error_set(error, EINVAL,
				     "the store was made for %u possible CPU%s, this machine has "
				     "%u: give it up with " UNLOAD,
				     meta->cpus, grp_plural(meta->cpus), core->view->cpus);
	if (meta->capacity_sets != core->view->capacity_sets ||
	    meta->capacity_groups != core->view->capacity_groups)
		return grp_error_set(error, EINVAL,
				     "the store was made with capacity-groups %u and capacity-sets "
				     "%u, not %u and %u: set these, or give it up with " UNLOAD,
				     meta->capacity_groups, meta->capacity_sets,
				     core->view->capacity_groups, core->view->capacity_sets);
	return 0;
}

int grp_core_load(struct grp_core *core, struct grp_error *error)
{
	struct load load = { .core = core };
	int r = grp_subsystems_check(error);

	if (!r)
		r = core->ops->meta_get(core->kernel, &core->meta);
	if (!r)
		r = check_meta(core, error);
	if (r)
		return r;
	r = grp_core_topology_read(core);
	if (r)
		return grp_error_set(error, -r, "cannot read the CPUs of this machine: %s",
				     strerror(-r));
	/* Numbers up to there may have been handed out. */
	core->next_group = core->meta.next_group;
	core->fold_seq = core->meta.fold_seq;
	r = core->ops->visit(core->kernel, &visitor, &load);
	if (!r)
		r = build(&load, error);
	free(load.groups);
	if (r && error && error->message[0])
		return r;
	if (r)
		return grp_error_set(error, -r, "cannot rebuild the groups from the store: %s",
				     strerror(-r));
	grp_place_load(core);
	grp_memory_touch_all(core);
	r = grp_core_collect(core);
	return r < 0 ? r : 0;
}
