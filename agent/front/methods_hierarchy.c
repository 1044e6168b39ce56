/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Methods about hierarchies and the subsystems bound to them. Names of both are
 * plain ASCII, so they are not escaped.
 */
#include <errno.h>
#include <string.h>

#include "agent.h"
#include "base/cleanup.h"
#include "base/cleanup_json.h"
#include "base/text.h"
#include "core/file.h"
#include "front/fs.h"
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

/* One object for each hierarchy, in order of slots, or several, or none. */
static int list(struct grp_agent *agent, const char *key,
		int (*add)(struct grp_agent *agent, struct grp_hierarchy *hierarchy, json_t *array),
		json_t **ret_reply)
{
	_cleanup_json_ json_t *array = json_array();
	int r = array ? 0 : -ENOMEM;

	for (unsigned int slot = 0; r == 0 && slot < GRP_HIERARCHIES_MAX; slot++) {
		struct grp_hierarchy *hierarchy = grp_hierarchy_at(agent->core, slot);

		if (hierarchy)
			r = add(agent, hierarchy, array);
	}
	if (r < 0)
		return r;
	*ret_reply = json_pack("{s:O}", key, array);
	return *ret_reply ? 0 : -ENOMEM;
}

/* Whether it is one of its names. */
static bool has_name(const struct grp_hierarchy *hierarchy, const char *name)
{
	bool is = false;

	for (unsigned int i = 0; !is && i < hierarchy->n_names; i++)
		is = !strcmp(hierarchy->names[i], name);
	return is;
}

static bool is_mounted(const struct grp_hierarchy *hierarchy)
{
	return !(hierarchy->flags & GRP_HIERARCHY_UNMOUNTED);
}

static int append(json_t *array, json_t *object)
{
	return json_array_append_new(array, object) < 0 ? -ENOMEM : 0;
}

/* --- hierarchies --------------------------------------------------------------------- */

static json_t *aliases(const struct grp_hierarchy *hierarchy)
{
	_cleanup_json_ json_t *names = json_array();

	for (unsigned int i = 1; names && i < hierarchy->n_names; i++)
		if (append(names, json_string(hierarchy->names[i])) < 0)
			return NULL;
	return TAKE_PTR(names);
}

static int add_hierarchy(struct grp_agent *agent, struct grp_hierarchy *hierarchy, json_t *array)
{
	struct grp_core *core = agent->core;

	return append(array,
		      json_pack("{s:s, s:o, s:b, s:o, s:I, s:I}", "name", hierarchy->name,
				"aliases", aliases(hierarchy), "mounted", is_mounted(hierarchy),
				"subsystems",
				grp_subsystem_names(grp_hierarchy_subsystems(core, hierarchy)),
				"groups", (json_int_t)hierarchy->n_groups, "tasks",
				(json_int_t)grp_group_subtree_tasks(core, hierarchy->root)));
}

int grp_method_list_hierarchies(struct grp_call *call, json_t **ret_reply)
{
	return list(call->agent, "hierarchies", add_hierarchy, ret_reply);
}

/* --- mounts ---------------------------------------------------------------------------- */

static int add_release_agent(json_t *options, const struct grp_hierarchy *hierarchy)
{
	_cleanup_free_ char *text = NULL;
	int r;

	if (!hierarchy->release_agent[0])
		return 0;
	r = grp_text_escape(hierarchy->release_agent, strlen(hierarchy->release_agent), &text);
	return r < 0 ? r : append(options, json_sprintf("release_agent=%s", text));
}

/* As v1 mounts show them: subsystems, then flags, then the release agent (HIER-10). */
static int list_options(struct grp_core *core, const struct grp_hierarchy *hierarchy,
			json_t **ret_options)
{
	uint32_t mask = grp_hierarchy_subsystems(core, hierarchy);
	_cleanup_json_ json_t *options = grp_subsystem_names(mask);
	int r = options ? 0 : -ENOMEM;

	if (r == 0 && !mask)
		r = append(options, json_string("none"));
	if (r == 0 && hierarchy->flags & GRP_HIERARCHY_NOPREFIX)
		r = append(options, json_string("noprefix"));
	if (r == 0 && hierarchy->root->flags & GRP_GROUP_CLONE_CHILDREN)
		r = append(options, json_string("clone_children"));
	if (r == 0)
		r = add_release_agent(options, hierarchy);
	if (r == 0)
		*ret_options = TAKE_PTR(options);
	return r;
}

struct search {
	const struct grp_hierarchy *hierarchy;
	json_t *directories;
};

/* In a mount of all of them each has a directory of its own. */
static int add_directory(const struct grp_fs_wish *wish, void *data)
{
	const struct search *search = data;
	_cleanup_free_ char *text = NULL;
	int r;

	if (wish->hierarchy && !has_name(search->hierarchy, wish->hierarchy))
		return 0;
	r = grp_text_escape(wish->directory, strlen(wish->directory), &text);
	if (r < 0)
		return r;
	return append(search->directories,
		      json_sprintf("%s%s%s", text, wish->hierarchy ? "" : "/",
				   wish->hierarchy ? "" : search->hierarchy->name));
}

static int list_directories(struct grp_agent *agent, const struct grp_hierarchy *hierarchy,
			    json_t **ret_directories)
{
	_cleanup_json_ json_t *directories = json_array();
	struct search search = { .hierarchy = hierarchy, .directories = directories };
	int r = directories ? grp_fs_each(agent->fs, add_directory, &search) : -ENOMEM;

	if (r == 0)
		*ret_directories = TAKE_PTR(directories);
	return r;
}

static int add_mounts(struct grp_agent *agent, struct grp_hierarchy *hierarchy, json_t *array)
{
	_cleanup_json_ json_t *options = NULL, *directories = NULL;
	int r = is_mounted(hierarchy) ? list_options(agent->core, hierarchy, &options) : 0;

	if (options)
		r = list_directories(agent, hierarchy, &directories);
	for (unsigned int i = 0; directories && r == 0 && i < hierarchy->n_names; i++)
		r = append(array, json_pack("{s:s, s:s, s:O, s:O}", "name", hierarchy->names[i],
					    "hierarchy", hierarchy->name, "options", options,
					    "directories", directories));
	return r;
}

int grp_method_list_mounts(struct grp_call *call, json_t **ret_reply)
{
	return list(call->agent, "mounts", add_mounts, ret_reply);
}

/* --- subsystems -------------------------------------------------------------------------- */

/* Where it is bound; one that is not claimed is bound to "default" (PROC-4). */
static int add_bindings(struct grp_core *core, unsigned int index, json_t *array)
{
	const struct grp_subsystem *subsystem = grp_subsystems[index];
	int r = 0;

	for (unsigned int slot = 0; r == 0 && slot < GRP_HIERARCHIES_MAX; slot++) {
		struct grp_hierarchy *hierarchy = grp_hierarchy_at(core, slot);

		if (!hierarchy || !(grp_hierarchy_subsystems(core, hierarchy) & 1U << index))
			continue;
		r = append(array, json_pack("{s:s, s:s, s:I, s:b, s:b}", "name", subsystem->name,
					    "hierarchy", hierarchy->name, "groups",
					    (json_int_t)hierarchy->n_groups, "enabled",
					    !(hierarchy->disabled & 1U << index), "shareable",
					    subsystem->shareable));
	}
	return r;
}

int grp_method_list_subsystems(struct grp_call *call, json_t **ret_reply)
{
	_cleanup_json_ json_t *array = json_array();
	int r = array ? 0 : -ENOMEM;

	for (unsigned int i = 0; r == 0 && i < grp_n_subsystems; i++)
		r = add_bindings(call->agent->core, i, array);
	if (r < 0)
		return r;
	*ret_reply = json_pack("{s:O}", "subsystems", array);
	return *ret_reply ? 0 : -ENOMEM;
}

/* --- changes ------------------------------------------------------------------------------ */

int grp_method_mount(struct grp_call *call, json_t **ret_reply)
{
	const char *name = grp_call_string(call, "name");

	call->item = name;
	return grp_hierarchy_mount(call->agent->core, name, grp_call_string(call, "options"),
				   &call->error);
}

int grp_method_remount(struct grp_call *call, json_t **ret_reply)
{
	const char *name = grp_call_string(call, "name");

	call->item = name;
	return grp_hierarchy_remount(call->agent->core, name, grp_call_string(call, "options"),
				     &call->error);
}

/* Who has it mounted by that name would be left with nothing there. */
static int refuse_mounted(const struct grp_fs_wish *wish, void *data)
{
	struct grp_call *call = data;

	if (!wish->hierarchy || strcmp(wish->hierarchy, call->item) != 0)
		return 0;
	return grp_error_set(&call->error, EBUSY, "it is mounted at %s: umount that first",
			     wish->directory);
}

int grp_method_unmount(struct grp_call *call, json_t **ret_reply)
{
	const char *name = grp_call_string(call, "name");
	int r;

	call->item = name;
	r = grp_fs_each(call->agent->fs, refuse_mounted, call);
	return r ?: grp_hierarchy_umount(call->agent->core, name, &call->error);
}
