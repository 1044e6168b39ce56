/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A configuration as data, see declaration.h: its life, and what is preset.
 */
#include "core/declaration.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "core/changes_internal.h"

const char *const grp_attribute_names[GRP_ATTRIBUTE_MAX] = {
	[GRP_ATTRIBUTE_OWNER] = "owner",
	[GRP_ATTRIBUTE_GROUP] = "group",
	[GRP_ATTRIBUTE_MODE] = "mode",
	[GRP_ATTRIBUTE_FILE_OWNER] = "file_owner",
	[GRP_ATTRIBUTE_FILE_GROUP] = "file_group",
};

#define MODE_PRESET 0755

/* --- life ------------------------------------------------------------------------ */

static void done_group(struct grp_declared_group *group)
{
	for (size_t i = 0; i < group->n_settings; i++) {
		free(group->settings[i].name);
		free(group->settings[i].text);
	}
	for (size_t i = 0; i < group->n_files; i++)
		free(group->files[i].name);
	free(group->settings);
	free(group->files);
	free(group->path);
}

static void done_hierarchy(struct grp_declared_hierarchy *hierarchy)
{
	HASH_CLEAR(hh, hierarchy->by_path);
	for (size_t i = 0; i < hierarchy->n_groups; i++)
		done_group(&hierarchy->groups[i]);
	for (size_t i = 0; i < hierarchy->n_aliases; i++)
		free(hierarchy->aliases[i]);
	free(hierarchy->groups);
	free(hierarchy->aliases);
	free(hierarchy->release_agent);
	free(hierarchy->name);
}

void grp_declaration_free(struct grp_declaration *declaration)
{
	if (!declaration)
		return;
	for (size_t i = 0; i < declaration->n_hierarchies; i++)
		done_hierarchy(&declaration->hierarchies[i]);
	free(declaration->hierarchies);
	free(declaration);
}

/* Room for one more of @size bytes behind @n; arrays double, so their length tells it. */
static void *add_item(void **items, size_t *n, size_t size)
{
	char *item;

	if (!(*n & (*n - 1))) {
		void *bigger = reallocarray(*items, *n ? 2 * *n : 1, size);

		if (!bigger)
			return NULL;
		*items = bigger;
	}
	item = (char *)*items + (*n)++ * size;
	memset(item, 0, size);
	return item;
}

#define ADD_ITEM(owner, items, n) \
	add_item((void **)&(owner)->items, &(owner)->n, sizeof(*(owner)->items))

struct grp_declared_hierarchy *grp_declaration_add_hierarchy(struct grp_declaration *declaration)
{
	return ADD_ITEM(declaration, hierarchies, n_hierarchies);
}

struct grp_declared_group *grp_declared_add_group(struct grp_declared_hierarchy *hierarchy)
{
	struct grp_declared_group *group = ADD_ITEM(hierarchy, groups, n_groups);

	for (int i = 0; group && i < GRP_ATTRIBUTE_MAX; i++)
		group->attributes[i] = grp_attribute_preset(i);
	return group;
}

struct grp_declared_setting *grp_declared_add_setting(struct grp_declared_group *group)
{
	return ADD_ITEM(group, settings, n_settings);
}

struct grp_declared_file *grp_declared_add_file(struct grp_declared_group *group)
{
	return ADD_ITEM(group, files, n_files);
}

/* --- presets ------------------------------------------------------------------------ */

uint32_t grp_attribute_preset(enum grp_attribute attribute)
{
	return attribute == GRP_ATTRIBUTE_MODE ? MODE_PRESET : 0;
}

uint32_t grp_file_attribute_preset(const uint32_t *group_attributes, const struct grp_file_ref *ref,
				   enum grp_attribute attribute)
{
	bool of_members = grp_file_is_of_members(ref);

	switch (attribute) {
	case GRP_ATTRIBUTE_OWNER:
		return group_attributes[of_members ? GRP_ATTRIBUTE_OWNER : GRP_ATTRIBUTE_FILE_OWNER];
	case GRP_ATTRIBUTE_GROUP:
		return group_attributes[of_members ? GRP_ATTRIBUTE_GROUP : GRP_ATTRIBUTE_FILE_GROUP];
	default:
		return ref->file->mode;
	}
}

uint32_t grp_group_attribute(const struct grp_group *group, enum grp_attribute attribute)
{
	switch (attribute) {
	case GRP_ATTRIBUTE_FILE_OWNER:
		return group->file_uid;
	case GRP_ATTRIBUTE_FILE_GROUP:
		return group->file_gid;
	default:
		return grp_inode_attribute(&group->inode, attribute);
	}
}

uint32_t grp_inode_attribute(const struct grp_inode *inode, enum grp_attribute attribute)
{
	switch (attribute) {
	case GRP_ATTRIBUTE_OWNER:
		return inode->uid;
	case GRP_ATTRIBUTE_GROUP:
		return inode->gid;
	default:
		return inode->mode;
	}
}

/* "default" has it from birth, so that a newcomer's mkdir and attach work (design 6.1). */
const char *grp_setting_preset(const struct grp_file_ref *ref, bool in_default)
{
	bool inherited = !ref->subsystem && ref->file->arg == GRP_GROUP_CLONE_CHILDREN;

	return in_default && inherited ? "1" : ref->file->preset;
}

int grp_setting_canonical(struct grp_core *core, const struct grp_file *file, const char *text,
			  char *ret_text, struct grp_error *error)
{
	if (file->resolve)
		return file->resolve(core, text, ret_text, error);
	if (file->canonical)
		return file->canonical(text, ret_text, error);
	if (strlen(text) > GRP_VALUE_MAX)
		return grp_error_set(error, E2BIG, "a value has at most %d bytes", GRP_VALUE_MAX);
	memcpy(ret_text, text, strlen(text) + 1);
	return 0;
}

/* --- control files ------------------------------------------------------------------- */

static int add_ref(const struct grp_file_ref *ref, void *data)
{
	struct grp_file_list *list = data;
	struct grp_file_ref *copy = ADD_ITEM(list, refs, n);

	if (!copy)
		return -ENOMEM;
	*copy = *ref;
	return 0;
}

int grp_file_list_make(const struct grp_file_view *view, struct grp_file_list *ret_list)
{
	*ret_list = (struct grp_file_list){};
	return grp_file_each_in(view, add_ref, ret_list);
}

void grp_file_list_done(struct grp_file_list *list)
{
	free(list->refs);
	*list = (struct grp_file_list){};
}

const struct grp_file_ref *grp_file_list_find(const struct grp_file_list *list, const char *name)
{
	for (size_t i = 0; i < list->n; i++)
		if (!strcmp(list->refs[i].name, name))
			return &list->refs[i];
	return NULL;
}

int grp_setting_read(struct grp_core *core, struct grp_group *group, const struct grp_file_ref *ref,
		     char **ret_text)
{
	const struct grp_file_access access = { .core = core, .group = group, .ref = ref };
	_cleanup_free_ char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	int r;

	if (!out)
		return -ENOMEM;
	r = (ref->file->saved ?: ref->file->read)(&access, out);
	if (fclose(out) && !r)
		r = -ENOMEM;
	if (r)
		return r;
	if (len && text[len - 1] == '\n')
		text[len - 1] = '\0';
	*ret_text = TAKE_PTR(text);
	return 0;
}
