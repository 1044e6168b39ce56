/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a setting is to hold where a configuration does not mention it, and what
 * save need not mention. Most have a fixed preset; a cloned one (GRP_FILE_CLONED)
 * is what mkdir would give the group, by its parent.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "core/changes_internal.h"

static int take_text(const char *text, char *ret_text)
{
	if (strlen(text) > GRP_VALUE_MAX)
		return -E2BIG;
	memcpy(ret_text, text, strlen(text) + 1);
	return 0;
}

static int live_clone(struct grp_core *core, struct grp_group *parent,
		      const struct grp_file_ref *ref, char *ret_text)
{
	_cleanup_free_ char *text = NULL;
	int r;

	if (!(parent->flags & GRP_GROUP_CLONE_CHILDREN))
		return take_text("", ret_text);
	if (!parent->parent)
		return take_text(GRP_FILE_CLONED_ALL, ret_text);
	/* It may yet have to come there. */
	if (ref->subsystem && !(grp_group_subsystems(core, parent) & 1U << ref->index))
		return take_text("", ret_text);
	r = grp_setting_read(core, parent, ref, &text);
	return r ?: take_text(text, ret_text);
}

int grp_setting_preset_of(struct grp_core *core, const struct grp_group *group,
			  const struct grp_file_ref *ref, char *ret_text)
{
	if (ref->file->flags & GRP_FILE_CLONED)
		return live_clone(core, group->parent, ref, ret_text);
	return take_text(grp_setting_preset(ref, grp_hierarchy_is_default(group->hierarchy)),
			 ret_text);
}

/* --- of what is declared ---------------------------------------------------------------- */

const char *grp_declared_setting(const struct grp_declared_group *group, const char *name)
{
	for (size_t i = 0; i < group->n_settings; i++)
		if (!strcmp(group->settings[i].name, name))
			return group->settings[i].text;
	return NULL;
}

static struct grp_group *find_live(struct grp_core *core, const struct grp_hierarchy *live,
				   const char *path, size_t len)
{
	struct grp_group *group = NULL;
	_cleanup_free_ char *spec = NULL;

	if (!live)
		return NULL;
	if (len <= 1)
		return live->root;
	if (asprintf(&spec, "%s:%.*s", live->name, (int)len, path) < 0)
		spec = NULL;
	if (spec)
		(void)grp_group_find(core, spec, NULL, &group);
	return group;
}

static bool clones(const struct grp_declared_group *group, bool in_default)
{
	const char *text = grp_declared_setting(group, GRP_FILE_CLONE_CHILDREN);
	bool on = in_default;

	if (text)
		(void)grp_file_parse_flag(&(struct grp_file_access){}, text, &on);
	return on;
}

int grp_changes_preset(struct grp_changes *changes, size_t h, const struct grp_declared_group *wish,
		       const struct grp_file_ref *ref, char *ret_text)
{
	const struct grp_declared_hierarchy *hierarchy = &changes->wish->hierarchies[h];
	const struct grp_hierarchy *live = changes->hierarchies[h].live;
	const bool in_default = grp_hierarchy_is_default(live);

	if (!(ref->file->flags & GRP_FILE_CLONED))
		return take_text(grp_setting_preset(ref, in_default), ret_text);
	/* Up to the first that says what it has; parents were looked at before. */
	for (;;) {
		size_t len = (size_t)(strrchr(wish->path, '/') - wish->path) ?: 1;
		const char *path = wish->path, *text;

		HASH_FIND(hh, hierarchy->by_path, path, len, wish);
		if (!wish) {
			struct grp_group *parent = find_live(changes->core, live, path, len);

			return parent ? live_clone(changes->core, parent, ref, ret_text) :
					take_text("", ret_text);
		}
		if (!clones(wish, in_default))
			return take_text("", ret_text);
		if (len == 1)
			return take_text(GRP_FILE_CLONED_ALL, ret_text);
		text = grp_declared_setting(wish, ref->name);
		if (text)
			return grp_setting_canonical(changes->core, ref->file, text, ret_text,
						     NULL);
	}
}
