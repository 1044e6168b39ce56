/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Groups as a tree in memory: finding, walking, linking. The changes that users
 * ask for are in group_change.c.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "core/place_memory_internal.h"

#define GROUP_FORM "a group is written [HIERARCHY:]/path"
/* Longer ones are not repeated in a message. */
#define SUGGESTION_MAX 100
#define SHOWN_PATH_MAX 100

/* --- cache --------------------------------------------------------------------- */

static void set_key(struct grp_group *group, uint32_t parent)
{
	memcpy(group->key, &parent, sizeof(parent));
	memcpy(group->key + sizeof(parent), group->name, group->name_len);
}

int grp_group_cache(struct grp_core *core, uint32_t id, const char *name, size_t name_len,
		    struct grp_group **ret_group)
{
	/* Room for the longest name: a rename changes the key in place. */
	struct grp_group *group = calloc(1, sizeof(*group) + sizeof(uint32_t) + GRP_NAME_MAX);

	if (!group)
		return -ENOMEM;
	group->name = strndup(name, name_len);
	if (!group->name) {
		free(group);
		return -ENOMEM;
	}
	group->name_len = name_len;
	group->id = id;
	HASH_ADD(hh_id, core->by_id, id, sizeof(group->id), group);
	*ret_group = group;
	return 0;
}

void grp_group_free(struct grp_core *core, struct grp_group *group)
{
	HASH_DELETE(hh_id, core->by_id, group);
	grp_values_forget(&group->values);
	grp_place_forget_group(group);
	grp_memory_forget_group(group);
	core->view->shown[group->row].group = 0;
	core->by_row[group->row] = NULL;
	core->free_rows[core->n_free_rows++] = group->row;
	free(group->name);
	free(group);
}

void grp_row_bind(struct grp_core *core, struct grp_group *group, uint32_t row, bool fresh)
{
	struct grp_shown *shown = &core->view->shown[row];

	group->row = row;
	core->by_row[row] = group;
	if (fresh)
		memset(shown, 0, sizeof(*shown));
	shown->group = group->id;
}

static void count_descendant(const struct grp_group *group, int delta)
{
	for (struct grp_group *above = group->parent; above; above = above->parent)
		above->n_descendants += delta;
}

void grp_group_link(struct grp_core *core, struct grp_hierarchy *hierarchy,
		    struct grp_group *parent, struct grp_group *group)
{
	group->hierarchy = hierarchy;
	group->parent = parent;
	if (parent)
		DL_APPEND(parent->children, group);
	if (group->dying) {
		core->figures.dying_groups++;
		return;
	}
	set_key(group, parent ? parent->id : 0);
	count_descendant(group, 1);
	if (parent) {
		parent->n_children++;
		HASH_ADD(hh_name, core->by_name, key, sizeof(uint32_t) + group->name_len, group);
	}
	hierarchy->n_groups++;
	core->figures.groups++;
}

void grp_group_bury(struct grp_core *core, struct grp_group *group)
{
	grp_release_forget(core, group);
	if (group->parent) {
		HASH_DELETE(hh_name, core->by_name, group);
		group->parent->n_children--;
	}
	count_descendant(group, -1);
	group->hierarchy->n_groups--;
	group->dying = true;
	core->figures.groups--;
	core->figures.dying_groups++;
}

void grp_group_forget(struct grp_core *core, struct grp_group *group)
{
	if (!group->dying)
		grp_group_bury(core, group);
	core->figures.dying_groups--;
	if (group->parent)
		DL_DELETE(group->parent->children, group);
	grp_group_free(core, group);
}

int grp_group_store(struct grp_core *core, const struct grp_group *group)
{
	struct grp_group_record record = {
		.state = group->dying ? GRP_RECORD_DYING : GRP_RECORD_LIVE,
		.parent = group->parent ? group->parent->id : 0,
		.slot = group->hierarchy->slot,
		.flags = group->flags,
		.uid = group->inode.uid,
		.gid = group->inode.gid,
		.mode = group->inode.mode,
		.file_uid = group->file_uid,
		.file_gid = group->file_gid,
		.name_len = group->name_len,
		.created_ns = group->created_ns,
		.peak_tasks = group->peak_tasks,
		.active_ns = group->active_ns,
	};

	for (size_t i = 0; i < GRP_MEMBER_FILES; i++)
		record.member_files[i] = (struct grp_value_inode){ group->member_files[i].uid,
								   group->member_files[i].gid,
								   group->member_files[i].mode };
	memcpy(record.name, group->name, group->name_len);
	return core->ops->group_put(core->kernel, group->id, &record);
}

int grp_group_set_flags(struct grp_core *core, struct grp_group *group, uint32_t flags)
{
	uint32_t old = group->flags;
	int r;

	group->flags = flags;
	r = grp_group_store(core, group);
	if (r)
		group->flags = old;
	return r;
}

int grp_group_reserve(struct grp_core *core, uint32_t *ret_id)
{
	struct grp_meta meta = core->meta;
	int r;

	/* Ids that are in use when the numbers have gone round are passed over. */
	while (!core->next_group || grp_group_by_id(core, core->next_group))
		core->next_group++;
	if (core->next_group >= meta.next_group) {
		meta.next_group = core->next_group + RESERVE;
		r = core->ops->meta_put(core->kernel, &meta);
		if (r)
			return r;
		core->meta = meta;
	}
	*ret_id = core->next_group++;
	return 0;
}

/* --- looking up ------------------------------------------------------------------ */

struct grp_group *grp_group_by_id(struct grp_core *core, uint32_t id)
{
	struct grp_group *group;

	HASH_FIND(hh_id, core->by_id, &id, sizeof(id), group);
	return group;
}

struct grp_group_ref grp_group_ref(const struct grp_group *group)
{
	return (struct grp_group_ref){ .id = group->id, .row = group->row };
}

struct grp_group *grp_group_at(struct grp_core *core, struct grp_group_ref ref)
{
	struct grp_group *group = core->by_row[ref.row];

	return group && group->id == ref.id ? group : NULL;
}

static struct grp_group *find_child(struct grp_core *core, const struct grp_group *parent,
				    const char *name, size_t len)
{
	char key[sizeof(uint32_t) + GRP_NAME_MAX];
	struct grp_group *group;

	if (len > GRP_NAME_MAX)
		return NULL;
	memcpy(key, &parent->id, sizeof(uint32_t));
	memcpy(key + sizeof(uint32_t), name, len);
	HASH_FIND(hh_name, core->by_name, key, sizeof(uint32_t) + len, group);
	return group;
}

struct grp_group *grp_group_child(struct grp_core *core, const struct grp_group *parent,
				  const char *name)
{
	return find_child(core, parent, name, strlen(name));
}

/* What is not of the form of a group: says how it was probably meant. */
static int explain_form(struct grp_core *core, const char *spec, struct grp_error *error)
{
	char name[GRP_HIERARCHY_NAME_MAX + 1] = "";
	size_t len = strcspn(spec, ":/");

	if (!len || len >= sizeof(name) || strlen(spec) > SUGGESTION_MAX)
		return grp_error_set(error, EINVAL, GROUP_FORM);
	memcpy(name, spec, len);
	if (spec[len] != ':' && !grp_hierarchy_find(core, name))
		return grp_error_set(error, EINVAL, GROUP_FORM "; did you mean '/%s'?", spec);
	return grp_error_set(error, EINVAL, GROUP_FORM "; did you mean '%s:/%s'?", name,
			     spec[len] ? spec + len + 1 : "");
}

/* Splits "[HIERARCHY:]/path"; *ret_path points at the first slash. */
static int find_root(const struct grp_lookup *lookup, const char *spec, const char **ret_path,
		     struct grp_group **ret_root)
{
	struct grp_error *error = lookup->error;
	char name[GRP_HIERARCHY_NAME_MAX + 1] = "default";
	const char *path = strchr(spec, '/');
	struct grp_hierarchy *hierarchy;
	size_t len;

	if (!path || (path != spec && path[-1] != ':'))
		return explain_form(lookup->core, spec, error);
	if (strlen(path) >= GRP_PATH_MAX)
		return grp_error_set(error, ENAMETOOLONG, "a path has at most %d bytes",
				     GRP_PATH_MAX - 1);
	if (path != spec) {
		len = path - spec - 1;
		if (len > GRP_HIERARCHY_NAME_MAX)
			return grp_error_set(error, EINVAL,
					     "the name of a hierarchy has at most %d bytes",
					     GRP_HIERARCHY_NAME_MAX);
		memcpy(name, spec, len);
		name[len] = '\0';
		if (!grp_hierarchy_name_valid(name))
			return grp_error_set(
				error, EINVAL,
				"the name of a hierarchy is made of A-Z a-z 0-9 _ . -");
	}
	hierarchy = grp_hierarchy_find(lookup->core, name);
	if (!hierarchy)
		return grp_error_set(error, ENOENT,
				     "no hierarchy '%s'; 'grpctl mount -o cpuacct %s' makes it",
				     name, name);
	if (hierarchy->flags & GRP_HIERARCHY_UNMOUNTED && !lookup->unmounted)
		return grp_error_set(error, ENOENT,
				     "hierarchy '%s' is not mounted; 'grpctl mount' with its "
				     "options shows it again",
				     name);
	*ret_path = path;
	*ret_root = hierarchy->root;
	return 0;
}

static bool is_dots(const char *name, size_t len)
{
	return (len == 1 && name[0] == '.') || (len == 2 && name[0] == '.' && name[1] == '.');
}

/* The next element of a path; false at its end. */
static bool next_element(const char **path, const char **ret_name, size_t *ret_len)
{
	*ret_name = *path + strspn(*path, "/");
	*ret_len = strcspn(*ret_name, "/");
	*path = *ret_name + *ret_len;
	return *ret_len > 0;
}

static int check_element(const char *name, size_t len, struct grp_error *error)
{
	if (is_dots(name, len))
		return grp_error_set(error, EINVAL, "'.' and '..' are not names of groups");
	if (len > GRP_NAME_MAX)
		return grp_error_set(error, ENAMETOOLONG, "a name has at most %d bytes",
				     GRP_NAME_MAX);
	return 0;
}

/* Those above it were searched before. */
static int check_search(const struct grp_lookup *lookup, const struct grp_group *group)
{
	if (!lookup->caller || grp_access(&group->inode, lookup->caller, GRP_SEARCH))
		return 0;
	return grp_inode_refuse(group, NULL, &group->inode, lookup->caller, GRP_SEARCH,
				lookup->error);
}

/* One step down, as the caller may make it. */
static int step(const struct grp_lookup *lookup, const char *name, size_t len,
		struct grp_group **group)
{
	struct grp_group *parent = *group;
	char copy[GRP_NAME_MAX + 1];
	int r = check_element(name, len, lookup->error);

	if (!r)
		r = check_search(lookup, parent);
	if (r)
		return r;
	*group = find_child(lookup->core, parent, name, len);
	if (*group)
		return 0;
	memcpy(copy, name, len);
	copy[len] = '\0';
	if (grp_file_find(lookup->core, parent, copy, NULL))
		return grp_error_set(lookup->error, ENOTDIR, "'%s' is a control file", copy);
	return grp_error_set(lookup->error, ENOENT, "no such group");
}

int grp_group_lookup(const struct grp_lookup *lookup, const char *spec,
		     struct grp_group **ret_group)
{
	struct grp_group *group = NULL;
	const char *path = "", *name;
	size_t len;
	int r = find_root(lookup, spec, &path, &group);

	while (!r && next_element(&path, &name, &len))
		r = step(lookup, name, len, &group);
	if (!r)
		*ret_group = group;
	return r;
}

int grp_group_find(struct grp_core *core, const char *spec, struct grp_error *error,
		   struct grp_group **ret_group)
{
	return grp_group_lookup(&(struct grp_lookup){ .core = core, .error = error }, spec,
				ret_group);
}

int grp_group_lookup_place(const struct grp_lookup *lookup, const char *spec,
			   struct grp_place *ret_place)
{
	const char *path = "", *name, *next;
	struct grp_group *group = NULL;
	size_t len, next_len;
	int r = find_root(lookup, spec, &path, &group);

	if (r)
		return r;
	if (!next_element(&path, &name, &len))
		return grp_error_set(lookup->error, EEXIST,
				     "the root of a hierarchy is always there");
	while (!r && next_element(&path, &next, &next_len)) {
		r = step(lookup, name, len, &group);
		if (r == -ENOENT)
			return grp_error_set(lookup->error, ENOENT,
					     "a group above it does not exist");
		name = next;
		len = next_len;
	}
	if (!r)
		r = check_element(name, len, lookup->error);
	if (!r)
		r = check_search(lookup, group);
	if (r)
		return r;
	ret_place->parent = group;
	memcpy(ret_place->name, name, len);
	ret_place->name[len] = '\0';
	return 0;
}

ssize_t grp_group_path(const struct grp_group *group, char *buf, size_t size)
{
	size_t len = 0, at;

	for (const struct grp_group *g = group; g->parent; g = g->parent)
		len += g->name_len + 1;
	if ((len ?: 1) >= size)
		return -ENAMETOOLONG;
	if (!len) {
		memcpy(buf, "/", 2);
		return 1;
	}
	buf[len] = '\0';
	at = len;
	for (const struct grp_group *g = group; g->parent; g = g->parent) {
		at -= g->name_len;
		memcpy(buf + at, g->name, g->name_len);
		buf[--at] = '/';
	}
	return (ssize_t)len;
}

const char *grp_group_shown_path(const struct grp_group *group, char buf[GRP_SHOWN_PATH_SIZE])
{
	size_t len = strlen(group->hierarchy->name);

	memcpy(buf, group->hierarchy->name, len);
	buf[len++] = ':';
	(void)grp_group_path(group, buf + len, GRP_SHOWN_PATH_SIZE - len);
	len = strlen(buf);
	return len > SHOWN_PATH_MAX ? buf + len - SHOWN_PATH_MAX : buf;
}

unsigned int grp_core_groups_of(struct grp_core *core, uid_t uid)
{
	unsigned int n = 0;

	for (const struct grp_group *g = core->by_id; g; g = g->hh_id.next)
		n += !g->dying && g->inode.uid == uid;
	return n;
}
