/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Methods about hierarchies and the subsystems bound to them. Names of both are
 * plain ASCII, so nothing here is escaped.
 */
#include <errno.h>

#include "agent.h"
#include "base/cleanup.h"
#include "base/cleanup_json.h"
#include "core/file.h"
#include "front/methods.h"

json_t *grp_subsystem_names(uint32_t mask)
{
	_cleanup_json_ json_t *names = json_array();

	for (size_t i = 0; names && i < grp_n_subsystems; i++)
		if (mask & 1U << i &&
		    json_array_append_new(names, json_string(grp_subsystems[i]->name)) < 0)
			return NULL;
	return TAKE_PTR(names);
}

/* An array of one object for each hierarchy, in order of slots. */
static int list(struct grp_core *core, const char *key,
		json_t *(*describe)(struct grp_core *core, struct grp_hierarchy *hierarchy),
		json_t **ret_reply)
{
	_cleanup_json_ json_t *array = json_array();

	for (unsigned int slot = 0; slot < GRP_HIERARCHIES_MAX; slot++) {
		struct grp_hierarchy *hierarchy = grp_hierarchy_at(core, slot);

		if (hierarchy && json_array_append_new(array, describe(core, hierarchy)) < 0)
			return -ENOMEM;
	}
	*ret_reply = json_pack("{s:O}", key, array);
	return *ret_reply ? 0 : -ENOMEM;
}

static json_t *describe_hierarchy(struct grp_core *core, struct grp_hierarchy *hierarchy)
{
	return json_pack("{s:s, s:o, s:I, s:I}", "name", hierarchy->name, "subsystems",
			 grp_subsystem_names(grp_hierarchy_subsystems(core, hierarchy)), "groups",
			 (json_int_t)hierarchy->n_groups, "tasks",
			 (json_int_t)grp_group_subtree_tasks(core, hierarchy->root));
}

int grp_method_list_hierarchies(struct grp_call *call, json_t **ret_reply)
{
	return list(call->agent->core, "hierarchies", describe_hierarchy, ret_reply);
}

static json_t *describe_mount(struct grp_core *core, struct grp_hierarchy *hierarchy)
{
	uint32_t mask = grp_hierarchy_subsystems(core, hierarchy);

	return json_pack("{s:s, s:o}", "name", hierarchy->name, "options",
			 mask ? grp_subsystem_names(mask) : json_pack("[s]", "none"));
}

int grp_method_list_mounts(struct grp_call *call, json_t **ret_reply)
{
	return list(call->agent->core, "mounts", describe_mount, ret_reply);
}

static json_t *describe_subsystem(struct grp_core *core, unsigned int index)
{
	_cleanup_json_ json_t *names = json_array();
	json_int_t groups = 0;

	for (unsigned int slot = 0; slot < GRP_HIERARCHIES_MAX; slot++) {
		struct grp_hierarchy *hierarchy = grp_hierarchy_at(core, slot);

		if (!hierarchy || !(grp_hierarchy_subsystems(core, hierarchy) & 1U << index))
			continue;
		groups += hierarchy->n_groups;
		if (json_array_append_new(names, json_string(hierarchy->name)) < 0)
			return NULL;
	}
	return json_pack("{s:s, s:O, s:I, s:b, s:b}", "name", grp_subsystems[index]->name,
			 "hierarchies", names, "groups", groups, "enabled", 1, "shareable",
			 grp_subsystems[index]->shareable);
}

int grp_method_list_subsystems(struct grp_call *call, json_t **ret_reply)
{
	_cleanup_json_ json_t *array = json_array();

	for (unsigned int i = 0; i < grp_n_subsystems; i++)
		if (json_array_append_new(array, describe_subsystem(call->agent->core, i)) < 0)
			return -ENOMEM;
	*ret_reply = json_pack("{s:O}", "subsystems", array);
	return *ret_reply ? 0 : -ENOMEM;
}

int grp_method_mount(struct grp_call *call, json_t **ret_reply)
{
	const char *name = grp_call_string(call, "name");

	call->item = name;
	return grp_hierarchy_mount(call->agent->core, name, grp_call_string(call, "options"),
				   &call->error);
}

int grp_method_unmount(struct grp_call *call, json_t **ret_reply)
{
	const char *name = grp_call_string(call, "name");

	call->item = name;
	return grp_hierarchy_umount(call->agent->core, name, &call->error);
}
