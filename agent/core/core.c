/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The core as an object: made, freed, asked for its figures. What it does is in
 * the other files of this folder, a subject each.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/orphans.h"
#include "core/place_memory_internal.h"

int grp_core_new(const struct grp_kernel_ops *ops, void *kernel, const struct grp_kernel_view *view,
		 struct grp_core **ret_core)
{
	struct grp_core *core = calloc(1, sizeof(*core));

	if (!core)
		return -ENOMEM;
	core->ops = ops;
	core->kernel = kernel;
	core->view = view;
	core->groups_per_uid = view->capacity_groups;
	core->base_size = sizeof(struct grp_base) + view->cpus * sizeof(struct grp_base_cpu);
	core->base = calloc(1, core->base_size);
	core->sets = calloc(view->capacity_sets, sizeof(*core->sets));
	core->plan = malloc(view->capacity_sets * sizeof(*core->plan));
	core->planned = malloc(view->capacity_sets * sizeof(*core->planned));
	core->by_row = calloc(view->capacity_groups, sizeof(struct grp_group *));
	core->free_rows = malloc(view->capacity_groups * sizeof(*core->free_rows));
	core->topology = calloc(1, sizeof(*core->topology));
	if (grp_masks_new(&core->masks) || grp_place_new(core) || grp_memory_new(core) ||
	    !core->topology || !core->base || !core->sets || !core->plan || !core->planned ||
	    !core->by_row || !core->free_rows) {
		grp_core_free(core);
		return -ENOMEM;
	}
	for (unsigned int i = 0; i < view->capacity_sets; i++) {
		core->sets[i].id = i;
		core->plan[i] = GRP_PLAN_NONE;
	}
	*ret_core = core;
	return 0;
}

void grp_core_free(struct grp_core *core)
{
	struct grp_group *group, *next;

	if (!core)
		return;
	grp_states_free(core);
	grp_memory_free(core);
	grp_place_free(core);
	grp_values_forget(&core->root_values);
	grp_values_forget(&core->stray_values);
	HASH_CLEAR(hh_name, core->by_name);
	HASH_CLEAR(hh, core->by_vector);
	HASH_ITER(hh_id, core->by_id, group, next) {
		HASH_DELETE(hh_id, core->by_id, group);
		grp_values_forget(&group->values);
		grp_place_forget_group(group);
		grp_memory_forget_group(group);
		free(group->name);
		free(group);
	}
	for (unsigned int i = 0; i < GRP_HIERARCHIES_MAX; i++)
		grp_hierarchy_free(core->slots[i]);
	grp_masks_free(core->masks);
	free(core->by_row);
	free(core->free_rows);
	free(core->planned);
	free(core->plan);
	free(core->sets);
	free(core->base);
	free(core->topology);
	free(core);
}

const struct grp_kernel_view *grp_core_view(const struct grp_core *core)
{
	return core->view;
}

int grp_core_settle(struct grp_core *core)
{
	return core->ops->settle(core->kernel);
}

uint64_t grp_core_clock(const struct grp_core *core)
{
	return core->ops->clock(core->kernel);
}

void grp_core_figures(const struct grp_core *core, struct grp_core_figures *ret_figures)
{
	*ret_figures = core->figures;
	ret_figures->cpus = core->view->cpus;
	ret_figures->capacity_groups = core->view->capacity_groups;
	ret_figures->capacity_sets = core->view->capacity_sets;
}

void grp_core_set_limit_groups_per_uid(struct grp_core *core, unsigned int limit)
{
	core->groups_per_uid = limit;
}

void grp_core_event(struct grp_core *core, const struct grp_event *event)
{
	if (event->kind == GRP_EVENT_ORPHAN)
		grp_orphans_note(core);
	else if (event->kind == GRP_EVENT_PLACE)
		grp_place_event(core, (const struct grp_place_event *)event);
	else if (event->kind == GRP_EVENT_EMPTY && event->set < core->view->capacity_sets) {
		grp_empty_check_set(core, &core->sets[event->set]);
		grp_release_event(core, event);
	}
}
