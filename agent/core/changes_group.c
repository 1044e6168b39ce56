/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a configuration says of the groups of one hierarchy, compared with those
 * that are there. Parents stand before their children, so that each group can be
 * made, and its settings written, in the order of the file.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "core/changes_internal.h"

/* One group of the configuration. */
struct at {
	struct grp_changes *changes;
	struct grp_changes_hierarchy *hierarchy;
	struct grp_declared_hierarchy *wish_hierarchy;
	struct grp_declared_group *wish;
	size_t h, g;
	const struct grp_file_list *list; /* its control files */
	struct grp_error *error;
};

static bool is_root(const struct grp_declared_group *group)
{
	return !strcmp(group->path, "/");
}

/* --- control files ------------------------------------------------------------------- */

/* EN-3: as it shall be. The root, which has the switches, stands first. */
static uint32_t disabled(const struct grp_changes_hierarchy *hierarchy,
			 const struct grp_declared_hierarchy *wish)
{
	uint32_t mask = 0;

	if (!wish->n_groups || !is_root(&wish->groups[0]))
		return hierarchy->live ? hierarchy->live->disabled : 0;
	for (size_t i = 0; i < hierarchy->root_files.n; i++) {
		const struct grp_file_ref *ref = &hierarchy->root_files.refs[i];
		const char *text = grp_declared_setting(&wish->groups[0], ref->name);
		bool on = true;

		if (ref->file == &grp_enable_file && text)
			(void)grp_file_parse_flag(&(struct grp_file_access){}, text, &on);
		if (!on)
			mask |= 1U << ref->index;
	}
	return mask;
}

static int list_files(struct grp_changes_hierarchy *hierarchy,
		      const struct grp_declared_hierarchy *wish)
{
	struct grp_file_view view = {
		.root = true,
		.bare = wish->noprefix,
		.bound = hierarchy->bound,
		.shown = hierarchy->bound,
	};
	int r = grp_file_list_make(&view, &hierarchy->root_files);

	view.root = false;
	view.shown &= ~disabled(hierarchy, wish);
	return r ?: grp_file_list_make(&view, &hierarchy->files);
}

/* --- places ------------------------------------------------------------------------------ */

static int check_path(const struct at *at)
{
	const char *path = at->wish->path;
	size_t len = strlen(path);
	struct grp_declared_group *twice;

	if (path[0] != '/' || strstr(path, "//") || (len > 1 && path[len - 1] == '/'))
		return grp_error_set(at->error, EINVAL, "it is written /, or /NAME/NAME");
	if (len >= GRP_PATH_MAX)
		return grp_error_set(at->error, ENAMETOOLONG, "a path has at most %d bytes",
				     GRP_PATH_MAX - 1);
	if (at->g && len == 1)
		return grp_error_set(at->error, EINVAL, "the root stands before all others");
	HASH_FIND(hh, at->wish_hierarchy->by_path, path, len, twice);
	if (twice)
		return grp_error_set(at->error, EEXIST, "it stands there already, as groups[%zu]",
				     twice - at->wish_hierarchy->groups);
	return 0;
}

static struct grp_group *find_live(const struct at *at, const char *path, size_t len)
{
	struct grp_group *group = NULL;
	_cleanup_free_ char *spec = NULL;

	if (!at->hierarchy->live)
		return NULL;
	if (len <= 1)
		return at->hierarchy->live->root;
	if (asprintf(&spec, "%s:%.*s", at->hierarchy->live->name, (int)len, path) < 0)
		spec = NULL;
	if (spec)
		(void)grp_group_find(at->changes->core, spec, NULL, &group);
	return group;
}

/* @ret_parent: NULL when it is yet to be made. -ENOENT: nobody makes it. */
static int find_parent(const struct at *at, size_t len, struct grp_group **ret_parent)
{
	const char *path = at->wish->path;
	struct grp_declared_group *parent;

	HASH_FIND(hh, at->wish_hierarchy->by_path, path, len ?: 1, parent);
	*ret_parent = parent ? parent->live : find_live(at, path, len);
	if (parent || *ret_parent || !len)
		return 0;
	return grp_error_set(at->error, ENOENT,
			     "its parent is neither there nor in the configuration before it");
}

static int check_new(const struct at *at, const char *name, bool in_root)
{
	const struct grp_file_list *list = in_root ? &at->hierarchy->root_files :
						     &at->hierarchy->files;
	int r = grp_group_check_name(name, at->error);

	if (!r && grp_file_list_find(list, name))
		r = grp_error_set(at->error, EEXIST, "'%s' is the name of a control file", name);
	return r;
}

static int find_place(struct at *at)
{
	struct grp_declared_group *wish = at->wish;
	struct grp_group *parent;
	const char *slash;
	int r = check_path(at);

	if (r)
		return r;
	HASH_ADD_KEYPTR(hh, at->wish_hierarchy->by_path, wish->path, strlen(wish->path), wish);
	at->list = is_root(wish) ? &at->hierarchy->root_files : &at->hierarchy->files;
	wish->live = is_root(wish) ? find_live(at, wish->path, 1) : NULL;
	if (is_root(wish))
		return 0;
	slash = strrchr(wish->path, '/');
	r = find_parent(at, (size_t)(slash - wish->path), &parent);
	if (!r && parent)
		wish->live = grp_group_child(at->changes->core, parent, slash + 1);
	if (r || wish->live)
		return r;
	at->changes->new_groups++;
	return check_new(at, slash + 1, slash == wish->path);
}

/* --- comparing --------------------------------------------------------------------------- */

static struct grp_change *add(const struct at *at, const struct grp_change_op *op)
{
	struct grp_change *change = grp_changes_add(at->changes, op, at->h, at->g);

	if (change)
		change->fresh = !at->wish->live;
	return change;
}

static char *attribute_text(enum grp_attribute attribute, uint32_t value)
{
	char *text;

	return asprintf(&text, attribute == GRP_ATTRIBUTE_MODE ? "%04o" : "%u", value) < 0 ? NULL :
											     text;
}

static int add_attribute(const struct at *at, const struct grp_file_ref *ref,
			 enum grp_attribute attribute, uint32_t from, uint32_t to)
{
	struct grp_change *change = add(at, &grp_op_attribute);

	if (!change)
		return -ENOMEM;
	change->ref = ref;
	change->attribute = attribute;
	change->name = strdup(grp_attribute_names[attribute]);
	change->from = attribute_text(attribute, from);
	change->to = attribute_text(attribute, to);
	change->new_number = to;
	change->silent = !ref && change->fresh && to == grp_attribute_preset(attribute);
	return change->name && change->from && change->to ? 0 : -ENOMEM;
}

/* As grp_group_make() and mount leave it when root asks. */
static const struct grp_group fresh_group = { .inode = { .mode = 0755 } };

static int compare_attributes(const struct at *at)
{
	const struct grp_group *live = at->wish->live ?: &fresh_group;
	int r = 0;

	for (int i = 0; !r && i < GRP_ATTRIBUTE_MAX; i++) {
		uint32_t from = grp_group_attribute(live, i), to = at->wish->attributes[i];

		if (from != to)
			r = add_attribute(at, NULL, i, from, to);
	}
	return r;
}

static const struct grp_declared_file *declared_file(const struct at *at, const char *name)
{
	for (size_t i = 0; i < at->wish->n_files; i++)
		if (!strcmp(at->wish->files[i].name, name))
			return &at->wish->files[i];
	return NULL;
}

/*
 * Those of members have their own owners, which follow the group's, as with chown:
 * that is not worth a line of its own.
 */
static int compare_of_members(const struct at *at, const struct grp_file_ref *ref,
			      const struct grp_declared_file *file)
{
	const struct grp_group *live = at->wish->live;
	struct grp_inode inode = { .mode = ref->file->mode };
	int r = 0;

	if (live)
		grp_file_inode(at->changes->core, at->wish->live, ref, &inode);
	for (int i = 0; !r && i < GRP_FILE_ATTRIBUTES; i++) {
		uint32_t preset = grp_file_attribute_preset(at->wish->attributes, ref, i);
		uint32_t from = grp_inode_attribute(&inode, i);
		uint32_t to = file && file->given[i] ? file->attributes[i] : preset;
		bool follows = !live ||
			       (i != GRP_ATTRIBUTE_MODE && from == grp_group_attribute(live, i));

		if (from == to)
			continue;
		r = add_attribute(at, ref, i, from, to);
		at->changes->items[at->changes->n - 1].silent = follows && to == preset;
	}
	return r;
}

/* Whether the file can be read now: its subsystem may yet have to come. */
static bool is_there(const struct at *at, const struct grp_file_ref *ref)
{
	const struct grp_group *live = at->wish->live;

	return live && (!ref->subsystem ||
			grp_group_subsystems(at->changes->core, live) & 1U << ref->index);
}

/* What is not stored for the file itself follows the group, as that shall be. */
static int compare_other(const struct at *at, const struct grp_file_ref *ref,
			 const struct grp_declared_file *file)
{
	struct grp_group *live = at->wish->live;
	bool stored = is_there(at, ref) && live->values &&
		      grp_value_find(at->changes->core, live, GRP_VALUE_INODE, ref->key);
	struct grp_inode inode = {};
	int r = 0;

	if (stored)
		grp_file_inode(at->changes->core, live, ref, &inode);
	for (int i = 0; !r && (file || stored) && i < GRP_FILE_ATTRIBUTES; i++) {
		uint32_t preset = grp_file_attribute_preset(at->wish->attributes, ref, i);
		uint32_t from = stored ? grp_inode_attribute(&inode, i) : preset;
		uint32_t to = file && file->given[i] ? file->attributes[i] : preset;

		if (from != to)
			r = add_attribute(at, ref, i, from, to);
	}
	return r;
}

static int compare_files(const struct at *at)
{
	int r = 0;

	for (size_t i = 0; !r && i < at->wish->n_files; i++)
		if (!grp_file_list_find(at->list, at->wish->files[i].name))
			r = grp_changes_error(at->error,
					      grp_error_set(at->error, ENOENT,
							    "the group has no such control file"),
					      at->h, at->g, ".files.%s", at->wish->files[i].name);
	for (size_t i = 0; !r && i < at->list->n; i++) {
		const struct grp_file_ref *ref = &at->list->refs[i];
		const struct grp_declared_file *file = declared_file(at, ref->name);

		r = grp_file_is_of_members(ref) ? compare_of_members(at, ref, file) :
						  compare_other(at, ref, file);
	}
	return r;
}

/* --- settings ------------------------------------------------------------------------------ */

static int check_setting(const struct at *at, const struct grp_declared_setting *setting)
{
	const struct grp_file_ref *ref = grp_file_list_find(at->list, setting->name);
	char text[GRP_VALUE_MAX + 1];
	int r = 0;

	if (!ref)
		r = grp_error_set(at->error, ENOENT, "the group has no such control file");
	else if (!(ref->file->flags & GRP_FILE_SAVED))
		r = grp_error_set(at->error, EINVAL, "it is not a setting");
	else
		r = grp_setting_canonical(at->changes->core, ref->file, setting->text, text,
					  at->error);
	return r ? grp_changes_error(at->error, r, at->h, at->g, ".settings.%s", setting->name) : 0;
}

/*
 * A bound on what is below (GRP_FILE_BOUNDS) must not stand in the way of groups
 * that are made, nor of those that are there: it is lifted before, and set last.
 */
static int add_lift(const struct at *at, const struct grp_file_ref *ref)
{
	struct grp_change *change = add(at, &grp_op_lift);

	if (!change)
		return -ENOMEM;
	change->ref = ref;
	change->silent = true;
	change->to = strdup(ref->file->preset);
	return change->to ? 0 : -ENOMEM;
}

/*
 * @preset, @to: as save would write it. A fresh root may have the state of an older one
 * (HIER-18), and what a new group has cloned was that of its parent at that moment.
 */
static int compare_setting(const struct at *at, const struct grp_file_ref *ref, const char *preset,
			   const char *to)
{
	const bool given = is_root(at->wish) || ref->file->flags & GRP_FILE_CLONED;
	bool bounds = ref->file->flags & GRP_FILE_BOUNDS, lifted = false;
	_cleanup_free_ char *from = NULL;
	struct grp_change *change;
	bool same;
	int r = 0;

	if (is_there(at, ref))
		r = grp_setting_read(at->changes->core, at->wish->live, ref, &from);
	if (r)
		return r;
	lifted = bounds && from && strcmp(from, preset) != 0;
	if (lifted && add_lift(at, ref))
		return -ENOMEM;
	same = from ? !strcmp(from, to) : !strcmp(preset, to) && !given;
	if (same && !lifted)
		return 0;
	change = add(at, &grp_op_setting);
	if (!change)
		return -ENOMEM;
	change->ref = ref;
	change->fresh = !from;
	change->from = TAKE_PTR(from);
	change->to = strdup(to);
	change->silent = same || (change->fresh && !strcmp(preset, to));
	change->late = bounds;
	return change->to ? 0 : -ENOMEM;
}

static int compare_settings(const struct at *at)
{
	int r = 0;

	for (size_t i = 0; !r && i < at->wish->n_settings; i++)
		r = check_setting(at, &at->wish->settings[i]);
	for (size_t i = 0; !r && i < at->list->n; i++) {
		const struct grp_file_ref *ref = &at->list->refs[i];
		const char *text = grp_declared_setting(at->wish, ref->name);
		char preset[GRP_VALUE_MAX + 1], to[GRP_VALUE_MAX + 1];

		if (!(ref->file->flags & GRP_FILE_SAVED))
			continue;
		r = grp_changes_preset(at->changes, at->h, at->wish, ref, preset);
		if (!r && text)
			r = grp_setting_canonical(at->changes->core, ref->file, text, to,
						  at->error);
		if (!r)
			r = compare_setting(at, ref, preset, text ? to : preset);
	}
	return r;
}

static int compare_group(struct at *at)
{
	int r = find_place(at);

	if (r)
		return grp_changes_error(at->error, r, at->h, at->g, ".path");
	if (!at->wish->live && !is_root(at->wish) && !add(at, &grp_op_mkdir))
		return -ENOMEM;
	r = compare_attributes(at);
	if (!r)
		r = compare_settings(at);
	return r ?: compare_files(at);
}

int grp_changes_groups(struct grp_changes *changes, size_t h, struct grp_error *error)
{
	struct grp_declared_hierarchy *wish = &changes->wish->hierarchies[h];
	struct grp_changes_hierarchy *hierarchy = &changes->hierarchies[h];
	int r = list_files(hierarchy, wish);

	HASH_CLEAR(hh, wish->by_path);
	for (size_t g = 0; !r && g < wish->n_groups; g++) {
		struct at at = {
			.changes = changes,
			.hierarchy = hierarchy,
			.wish_hierarchy = wish,
			.wish = &wish->groups[g],
			.h = h,
			.g = g,
			.error = error,
		};

		r = compare_group(&at);
	}
	return r;
}

/* --- those that only we have ------------------------------------------------------------------ */

int grp_changes_only_groups(struct grp_changes *changes, size_t h)
{
	const struct grp_declared_hierarchy *wish = &changes->wish->hierarchies[h];
	const struct grp_hierarchy *live = changes->hierarchies[h].live;
	struct grp_group *group = live ? grp_group_next(live->root, live->root) : NULL;

	for (; group; group = grp_group_next(live->root, group)) {
		struct grp_declared_group *declared;
		struct grp_change *change;
		char path[GRP_PATH_MAX];
		ssize_t len = grp_group_path(group, path, sizeof(path));

		if (len < 0)
			return (int)len;
		HASH_FIND(hh, wish->by_path, path, (size_t)len, declared);
		if (declared)
			continue;
		change = grp_changes_add(changes, &grp_op_only, GRP_NO_INDEX, GRP_NO_INDEX);
		if (!change)
			return -ENOMEM;
		change->only_hierarchy = live;
		change->path = strdup(path);
		if (!change->path)
			return -ENOMEM;
	}
	return 0;
}
