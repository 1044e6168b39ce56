/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A configuration to JSON, and what is done with one, see configuration.h.
 */
#include "front/configuration.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"
#include "base/cleanup.h"
#include "base/cleanup_json.h"
#include "base/text.h"
#include "front/change_log.h"
#include "front/methods.h"

#define _cleanup_declaration_ __attribute__((cleanup(drop_declaration)))
#define _cleanup_changes_ __attribute__((cleanup(drop_changes)))

static void drop_declaration(struct grp_declaration **declaration)
{
	grp_declaration_free(*declaration);
}

static void drop_changes(struct grp_changes **changes)
{
	grp_changes_free(*changes);
}

/* --- to JSON ------------------------------------------------------------------------- */

static json_t *text_new(const char *bytes)
{
	_cleanup_free_ char *text = NULL;

	return grp_text_escape(bytes, strlen(bytes), &text) < 0 ? NULL : json_string(text);
}

/* Takes the value over; one that is NULL was not to be had. */
static int set(json_t *object, const char *name, json_t *value)
{
	return json_object_set_new(object, name, value) < 0 ? -ENOMEM : 0;
}

/* An object that is empty says nothing. */
static int set_unless_empty(json_t *object, const char *name, json_t *value)
{
	if (!json_object_size(value) && !json_array_size(value))
		return 0;
	return json_object_set(object, name, value) < 0 ? -ENOMEM : 0;
}

static json_t *attribute_new(enum grp_attribute attribute, uint32_t value)
{
	char mode[16];

	if (attribute != GRP_ATTRIBUTE_MODE)
		return json_integer(value);
	(void)snprintf(mode, sizeof(mode), "%04o", value);
	return json_string(mode);
}

static int set_settings(json_t *object, const struct grp_declared_group *group)
{
	_cleanup_json_ json_t *settings = json_object();
	int r = settings ? 0 : -ENOMEM;

	for (size_t i = 0; !r && i < group->n_settings; i++)
		r = set(settings, group->settings[i].name, text_new(group->settings[i].text));
	return r ?: set_unless_empty(object, "settings", settings);
}

static json_t *file_new(const struct grp_declared_file *file)
{
	_cleanup_json_ json_t *object = json_object();
	int r = object ? 0 : -ENOMEM;

	for (int i = 0; !r && i < GRP_FILE_ATTRIBUTES; i++)
		if (file->given[i])
			r = set(object, grp_attribute_names[i],
				attribute_new(i, file->attributes[i]));
	return r ? NULL : TAKE_PTR(object);
}

static int set_files(json_t *object, const struct grp_declared_group *group)
{
	_cleanup_json_ json_t *files = json_object();
	int r = files ? 0 : -ENOMEM;

	for (size_t i = 0; !r && i < group->n_files; i++)
		r = set(files, group->files[i].name, file_new(&group->files[i]));
	return r ?: set_unless_empty(object, "files", files);
}

static json_t *group_new(const struct grp_declared_group *group)
{
	_cleanup_json_ json_t *object = json_object();
	int r = object ? set(object, "path", text_new(group->path)) : -ENOMEM;

	for (int i = 0; !r && i < GRP_ATTRIBUTE_MAX; i++)
		if (group->attributes[i] != grp_attribute_preset(i))
			r = set(object, grp_attribute_names[i],
				attribute_new(i, group->attributes[i]));
	if (!r)
		r = set_settings(object, group);
	if (!r)
		r = set_files(object, group);
	return r ? NULL : TAKE_PTR(object);
}

static int set_names(json_t *object, const struct grp_declared_hierarchy *hierarchy)
{
	_cleanup_json_ json_t *names = json_array();

	for (size_t i = 0; i < hierarchy->n_aliases; i++)
		if (json_array_append_new(names, json_string(hierarchy->aliases[i])) < 0)
			return -ENOMEM;
	return names ? set_unless_empty(object, "names", names) : -ENOMEM;
}

static json_t *hierarchy_new(const struct grp_declared_hierarchy *hierarchy)
{
	_cleanup_json_ json_t *object = json_pack("{s:s}", "name", hierarchy->name);
	_cleanup_json_ json_t *groups = json_array();
	int r = object && groups ? set_names(object, hierarchy) : -ENOMEM;

	if (!r && hierarchy->has_subsystems)
		r = set(object, "subsystems", grp_subsystem_names(hierarchy->subsystems));
	if (!r && hierarchy->noprefix)
		r = set(object, "noprefix", json_true());
	if (!r && hierarchy->release_agent[0])
		r = set(object, "release_agent", text_new(hierarchy->release_agent));
	for (size_t i = 0; !r && i < hierarchy->n_groups; i++)
		r = json_array_append_new(groups, group_new(&hierarchy->groups[i])) < 0 ? -ENOMEM :
											  0;
	if (!r && json_object_set(object, "groups", groups) < 0)
		r = -ENOMEM;
	return r ? NULL : TAKE_PTR(object);
}

json_t *grp_configuration_new(const struct grp_declaration *declaration)
{
	_cleanup_json_ json_t *hierarchies = json_array();

	for (size_t i = 0; i < declaration->n_hierarchies; i++)
		if (json_array_append_new(hierarchies,
					  hierarchy_new(&declaration->hierarchies[i])) < 0)
			return NULL;
	return json_pack("{s:i, s:O}", "version", GRP_CONFIGURATION_VERSION, "hierarchies",
			 hierarchies);
}

/* --- changes ------------------------------------------------------------------------------ */

static const char *const kind_names[] = {
	[GRP_CHANGE_ADD] = "add",
	[GRP_CHANGE_SET] = "set",
	[GRP_CHANGE_ONLY] = "only",
};
_Static_assert(sizeof(kind_names) / sizeof(*kind_names) == GRP_CHANGE_KINDS, "a name each");

static int add_change(const struct grp_change_view *view, void *data)
{
	const struct {
		const char *name, *bytes;
	} members[] = {
		{ "group", view->group }, { "file", view->file }, { "name", view->name },
		{ "from", view->from },	  { "to", view->to },
	};
	json_t *object = json_pack("{s:s, s:s}", "kind", kind_names[view->kind], "hierarchy",
				   view->hierarchy);
	int r = object ? 0 : -ENOMEM;

	for (size_t i = 0; !r && i < sizeof(members) / sizeof(*members); i++)
		if (members[i].bytes)
			r = set(object, members[i].name, text_new(members[i].bytes));
	if (json_array_append_new(data, object) < 0 && !r)
		r = -ENOMEM;
	return r;
}

/* Before they are made: what stood there is gone afterwards. */
static int list_changes(const struct grp_changes *changes, json_t **ret_array)
{
	_cleanup_json_ json_t *array = json_array();
	int r = array ? grp_changes_each(changes, add_change, array) : -ENOMEM;

	if (!r)
		*ret_array = TAKE_PTR(array);
	return r;
}

/* What changes nothing is not worth a line. */
static void log_changes(const struct grp_changes *changes, const json_t *array, int result,
			const struct grp_caller *caller, const struct grp_error *error)
{
	_cleanup_free_ char *text = json_dumps(array, JSON_COMPACT);
	char end[sizeof(error->message) + 64] = "done";

	if (result < 0)
		(void)snprintf(end, sizeof(end), "%s: %s; taken back", grp_errno_name(-result),
			       error->message);
	if (result < 0 || grp_changes_count(changes))
		grp_change_log_text("ApplyConfiguration", text ?: "?", caller, end);
}

int grp_configuration_run(struct grp_agent *agent, const json_t *configuration,
			  enum grp_configuration_mode mode, const struct grp_caller *caller,
			  struct grp_error *error, json_t **ret_changes)
{
	_cleanup_declaration_ struct grp_declaration *wish = NULL;
	_cleanup_changes_ struct grp_changes *changes = NULL;
	_cleanup_json_ json_t *array = NULL;
	int r = grp_configuration_parse(configuration, error, &wish);

	if (!r)
		r = grp_changes_make(agent->core, wish, error, &changes);
	if (!r)
		r = list_changes(changes, &array);
	if (!r && mode == GRP_CONFIGURATION_APPLY) {
		r = grp_changes_commit(changes, caller, error);
		log_changes(changes, array, r, caller, error);
	}
	if (!r)
		*ret_changes = TAKE_PTR(array);
	return r;
}
