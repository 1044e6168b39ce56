/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tree as it is, as a configuration: what save writes down. What is as preset
 * is left out, so that a change of presets reaches who never thought of it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "core/changes_internal.h"

struct take {
	struct grp_core *core;
	struct grp_declared_hierarchy *to;
	struct grp_file_list root_files, files;
};

static int take_setting(struct take *take, struct grp_group *group, const struct grp_file_ref *ref,
			struct grp_declared_group *to)
{
	_cleanup_free_ char *text = NULL;
	struct grp_declared_setting *setting;
	char preset[GRP_VALUE_MAX + 1] = "";
	int r = grp_setting_read(take->core, group, ref, &text);

	if (!r)
		r = grp_setting_preset_of(take->core, group, ref, preset);
	if (r || !strcmp(text, preset))
		return r;
	setting = grp_declared_add_setting(to);
	if (!setting)
		return -ENOMEM;
	setting->text = TAKE_PTR(text);
	setting->name = strdup(ref->name);
	return setting->name ? 0 : -ENOMEM;
}

static int take_file(struct take *take, struct grp_group *group, const struct grp_file_ref *ref,
		     struct grp_declared_group *to)
{
	struct grp_declared_file file = {};
	struct grp_declared_file *added;
	struct grp_inode inode;
	bool any = false;

	grp_file_inode(take->core, group, ref, &inode);
	for (int i = 0; i < GRP_FILE_ATTRIBUTES; i++) {
		file.attributes[i] = grp_inode_attribute(&inode, i);
		file.given[i] = file.attributes[i] !=
				grp_file_attribute_preset(to->attributes, ref, i);
		any = any || file.given[i];
	}
	if (!any)
		return 0;
	added = grp_declared_add_file(to);
	if (!added)
		return -ENOMEM;
	*added = file;
	added->name = strdup(ref->name);
	return added->name ? 0 : -ENOMEM;
}

static int take_files(struct take *take, struct grp_group *group, struct grp_declared_group *to)
{
	const struct grp_file_list *list = group->parent ? &take->files : &take->root_files;
	int r = 0;

	for (size_t i = 0; !r && i < list->n; i++) {
		if (list->refs[i].file->flags & GRP_FILE_SAVED)
			r = take_setting(take, group, &list->refs[i], to);
		if (!r)
			r = take_file(take, group, &list->refs[i], to);
	}
	return r;
}

/* Not inlined: its page of stack must not be there once for each level of the tree. */
static __attribute__((noinline)) int copy_path(const struct grp_group *group, char **ret_path)
{
	char path[GRP_PATH_MAX];
	ssize_t len = grp_group_path(group, path, sizeof(path));

	if (len < 0)
		return (int)len;
	*ret_path = strdup(path);
	return *ret_path ? 0 : -ENOMEM;
}

static int take_group(struct take *take, struct grp_group *group)
{
	struct grp_declared_group *to = grp_declared_add_group(take->to);
	int r = to ? copy_path(group, &to->path) : -ENOMEM;

	if (r)
		return r;
	for (int i = 0; i < GRP_ATTRIBUTE_MAX; i++)
		to->attributes[i] = grp_group_attribute(group, i);
	return take_files(take, group, to);
}

/* --- in order of names --------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
	const struct grp_group *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

/* As deep as a path is long: at most GRP_PATH_MAX / 2 levels of a small frame. */
static int take_tree(struct take *take, struct grp_group *top)
{
	_cleanup_free_ struct grp_group **children = NULL;
	size_t n = 0;
	int r = take_group(take, top);

	if (r || !top->n_children)
		return r;
	children = calloc(top->n_children, sizeof(struct grp_group *));
	if (!children)
		return -ENOMEM;
	for (struct grp_group *child = top->children; child; child = child->next)
		if (!child->dying)
			children[n++] = child;
	qsort(children, n, sizeof(struct grp_group *), by_name);
	for (size_t i = 0; !r && i < n; i++)
		r = take_tree(take, children[i]);
	return r;
}

static int take_names(const struct grp_hierarchy *hierarchy, struct grp_declared_hierarchy *to)
{
	to->name = strdup(hierarchy->name);
	to->release_agent = strdup(hierarchy->release_agent);
	to->aliases = calloc(hierarchy->n_names, sizeof(char *));
	if (!to->name || !to->release_agent || !to->aliases)
		return -ENOMEM;
	for (unsigned int i = 1; i < hierarchy->n_names; i++) {
		to->aliases[to->n_aliases] = strdup(hierarchy->names[i]);
		if (!to->aliases[to->n_aliases++])
			return -ENOMEM;
	}
	return 0;
}

static int take_hierarchy(struct grp_core *core, struct grp_hierarchy *hierarchy,
			  struct grp_declared_hierarchy *to)
{
	struct take take = { .core = core, .to = to };
	struct grp_file_view view = {
		.root = true,
		.bare = hierarchy->flags & GRP_HIERARCHY_NOPREFIX,
		.bound = grp_hierarchy_subsystems(core, hierarchy),
	};
	int r;

	to->has_subsystems = !grp_hierarchy_is_default(hierarchy);
	to->subsystems = to->has_subsystems ? hierarchy->subsystems : 0;
	to->noprefix = view.bare;
	view.shown = view.bound;
	r = take_names(hierarchy, to);
	if (!r)
		r = grp_file_list_make(&view, &take.root_files);
	view.root = false;
	view.shown &= ~hierarchy->disabled;
	if (!r)
		r = grp_file_list_make(&view, &take.files);
	if (!r)
		r = take_tree(&take, hierarchy->root);
	grp_file_list_done(&take.root_files);
	grp_file_list_done(&take.files);
	return r;
}

/* The next mounted one by name; NULL: no more. */
static struct grp_hierarchy *next_hierarchy(struct grp_core *core, const char *after)
{
	struct grp_hierarchy *next = NULL;

	for (unsigned int slot = 0; slot < GRP_HIERARCHIES_MAX; slot++) {
		struct grp_hierarchy *at = grp_hierarchy_at(core, slot);

		if (at && !(at->flags & GRP_HIERARCHY_UNMOUNTED) &&
		    (!after || strcmp(at->name, after) > 0) &&
		    (!next || strcmp(at->name, next->name) < 0))
			next = at;
	}
	return next;
}

int grp_declaration_take(struct grp_core *core, struct grp_declaration **ret_declaration)
{
	struct grp_declaration *declaration = calloc(1, sizeof(*declaration));
	struct grp_hierarchy *hierarchy = next_hierarchy(core, NULL);
	int r = declaration ? 0 : -ENOMEM;

	for (; !r && hierarchy; hierarchy = next_hierarchy(core, hierarchy->name)) {
		struct grp_declared_hierarchy *to = grp_declaration_add_hierarchy(declaration);

		r = to ? take_hierarchy(core, hierarchy, to) : -ENOMEM;
	}
	if (r)
		grp_declaration_free(declaration);
	else
		*ret_declaration = declaration;
	return r;
}
