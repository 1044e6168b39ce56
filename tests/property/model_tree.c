/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The model's groups: names, rights, mkdir, rmdir, mv, flags (CONT-*, v1-behaviour B
 * and H).
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "model.h"

static const char *const flag_names[] = {
	"notify_on_release",
	"auto_delete",
	"cgroup.clone_children",
};

const char *model_flag_name(unsigned int index)
{
	return flag_names[index];
}

/* --- names ------------------------------------------------------------------------------ */

static int hierarchy_named(const struct model *model, const char *name, size_t len)
{
	for (int h = 0; h < M_HIERARCHIES; h++)
		for (int i = 0; i < model->hierarchies[h].n_names; i++)
			if (model->hierarchies[h].live &&
			    strlen(model->hierarchies[h].names[i]) == len &&
			    !memcmp(model->hierarchies[h].names[i], name, len))
				return h;
	return NOWHERE;
}

static int child(const struct model *model, int parent, const char *name, size_t len)
{
	for (int g = 0; g < M_GROUPS; g++) {
		const struct m_group *group = &model->groups[g];

		if (group->live && group->parent == parent && strlen(group->name) == len &&
		    !memcmp(group->name, name, len))
			return g;
	}
	return NOWHERE;
}

static int check_element(const char *name, size_t len)
{
	if ((len == 1 && name[0] == '.') || (len == 2 && !memcmp(name, "..", 2)))
		return EINVAL;
	return len > 255 ? ENAMETOOLONG : 0;
}

static int find_root(const struct model *model, const char *spec, bool any, const char **ret_path,
		     int *ret_group)
{
	const char *path = strchr(spec, '/');
	int h;

	if (!path || (path != spec && path[-1] != ':'))
		return EINVAL;
	h = path == spec ? hierarchy_named(model, "default", strlen("default")) :
			   hierarchy_named(model, spec, (size_t)(path - spec - 1));
	if (h == NOWHERE || (model->hierarchies[h].unmounted && !any))
		return ENOENT;
	*ret_path = path;
	*ret_group = model->hierarchies[h].root;
	return 0;
}

static bool next_element(const char **path, const char **name, size_t *len)
{
	*name = *path + strspn(*path, "/");
	*len = strcspn(*name, "/");
	*path = *name + *len;
	return *len > 0;
}

static bool is_control_file(const struct model *model, int group, const char *name, size_t len)
{
	static const char *const core[] = { "tasks", "cgroup.procs", "cpuacct.usage" };
	const struct m_group *g = &model->groups[group];

	for (unsigned int i = 0; i < 2; i++)
		if (strlen(core[i]) == len && !memcmp(core[i], name, len))
			return true;
	for (unsigned int i = 0; i < M_FLAGS; i++)
		if (strlen(flag_names[i]) == len && !memcmp(flag_names[i], name, len))
			return true;
	/* Of subsystems the driver tries only this one. */
	if (strlen(core[2]) != len || memcmp(core[2], name, len) != 0 ||
	    model->hierarchies[g->hierarchy].noprefix)
		return false;
	for (unsigned int i = 0; i < model->n_subsystems; i++)
		if (!strcmp(model->subsystems[i], "cpuacct"))
			return model_bound(model, g->hierarchy) & (1U << i);
	return false;
}

static bool may(uid_t uid, uid_t owner, unsigned int mode, unsigned int mask)
{
	if (!uid)
		return true;
	return ((uid == owner ? mode >> 6 : mode) & mask) == mask;
}

static bool may_search_one(const struct model *model, uid_t uid, int group)
{
	return may(uid, model->groups[group].uid, model->groups[group].mode, 1);
}

/* One element further down, as a path walk does it. */
static int step(const struct model *model, uid_t uid, const char *name, size_t len, int *group)
{
	int parent = *group, r = check_element(name, len);

	if (r)
		return r;
	if (!may_search_one(model, uid, parent))
		return EACCES;
	*group = child(model, parent, name, len);
	if (*group != NOWHERE)
		return 0;
	return is_control_file(model, parent, name, len) ? ENOTDIR : ENOENT;
}

int model_lookup(const struct model *model, uid_t uid, const char *spec, bool any, int *ret_group)
{
	const char *path, *name;
	int group, r = find_root(model, spec, any, &path, &group);
	size_t len;

	while (!r && next_element(&path, &name, &len))
		r = step(model, uid, name, len, &group);
	if (!r)
		*ret_group = group;
	return r;
}

int model_find(const struct model *model, const char *spec, bool any, int *ret_group)
{
	return model_lookup(model, 0, spec, any, ret_group);
}

/* The parent of a group to be, and its last name. */
static int find_place(const struct model *model, uid_t uid, const char *spec, int *ret_parent,
		      const char **ret_name, size_t *ret_len)
{
	const char *path, *name, *next;
	int group, r = find_root(model, spec, false, &path, &group);
	size_t len, next_len;

	if (r)
		return r;
	if (!next_element(&path, &name, &len))
		return EEXIST;
	while (!r && next_element(&path, &next, &next_len)) {
		r = step(model, uid, name, len, &group);
		name = next;
		len = next_len;
	}
	if (!r)
		r = check_element(name, len);
	if (!r && !may_search_one(model, uid, group))
		r = EACCES;
	*ret_parent = group;
	*ret_name = name;
	*ret_len = len;
	return r;
}

void model_path(const struct model *model, int group, char *buf)
{
	char tail[M_PATH];

	if (model->groups[group].parent == NOWHERE) {
		strcpy(buf, "/");
		return;
	}
	buf[0] = '\0';
	for (; model->groups[group].parent != NOWHERE; group = model->groups[group].parent) {
		strcpy(tail, buf);
		(void)snprintf(buf, M_PATH, "/%s%s", model->groups[group].name, tail);
	}
}

/* --- rights ------------------------------------------------------------------------------- */

bool model_may_search(const struct model *model, uid_t uid, int group)
{
	for (; group != NOWHERE; group = model->groups[group].parent)
		if (!may_search_one(model, uid, group))
			return false;
	return true;
}

static bool may_change(const struct model *model, uid_t uid, int group)
{
	return may(uid, model->groups[group].uid, model->groups[group].mode, 2) &&
	       model_may_search(model, uid, group);
}

bool model_may_attach(const struct model *model, uid_t uid, int group)
{
	return model_may_search(model, uid, group) &&
	       may(uid, model->groups[group].member_uid, 0644, 2);
}

/* --- changes ------------------------------------------------------------------------------ */

static int check_name(const char *name, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f)
			return EINVAL;
	return 0;
}

unsigned int model_children(const struct model *model, int group)
{
	unsigned int n = 0;

	for (int g = 0; g < M_GROUPS; g++)
		n += model->groups[g].live && model->groups[g].parent == group;
	return n;
}

int model_mkdir(struct model *model, uid_t uid, const char *spec, unsigned int mode)
{
	struct m_group *group = model->groups;
	const char *name;
	size_t len;
	int parent, r = find_place(model, uid, spec, &parent, &name, &len);

	if (!r)
		r = check_name(name, len);
	if (!r && (child(model, parent, name, len) != NOWHERE ||
		   is_control_file(model, parent, name, len)))
		r = EEXIST;
	if (!r && !may_change(model, uid, parent))
		r = EACCES;
	if (r)
		return r;
	model_cpuset(model);
	while (group->live)
		group++;
	*group = (struct m_group){
		.live = true,
		.hierarchy = model->groups[parent].hierarchy,
		.parent = parent,
		.uid = uid,
		.file_uid = uid,
		.member_uid = uid,
		.mode = mode,
		.flags = model->groups[parent].flags,
		.closed = model_is_closed(model, parent),
	};
	memcpy(group->name, name, len);
	model_enter(model, parent);
	return 0;
}

/* HIER-17: a group is gone; unmounted, and it was the last? */
static void remove_group(struct model *model, int group)
{
	struct m_hierarchy *hierarchy = &model->hierarchies[model->groups[group].hierarchy];

	model->groups[group].live = false;
	if (hierarchy->unmounted && !model_children(model, hierarchy->root)) {
		model->groups[hierarchy->root].live = false;
		hierarchy->live = false;
	}
}

int model_rmdir(struct model *model, uid_t uid, const char *spec)
{
	int group, r = model_lookup(model, uid, spec, true, &group);

	if (r)
		return r;
	if (model->groups[group].parent == NOWHERE)
		return EBUSY;
	if (!may_change(model, uid, model->groups[group].parent))
		return EACCES;
	if (model_members(model, group) || model_children(model, group))
		return EBUSY;
	remove_group(model, group);
	return 0;
}

static bool within(const struct model *model, int group, int top)
{
	while (group != NOWHERE && group != top)
		group = model->groups[group].parent;
	return group == top;
}

/* In the order of today's kernel; a name given twice is EEXIST. */
static int check_mv(const struct model *model, uid_t uid, int group, int parent, const char *name,
		    size_t len)
{
	const struct m_group *moved = &model->groups[group];
	int r;

	if (moved->parent == NOWHERE)
		return EBUSY;
	if (moved->hierarchy != model->groups[parent].hierarchy)
		return EXDEV;
	if (within(model, parent, group))
		return EINVAL;
	r = check_name(name, len);
	if (r)
		return r;
	if (!may_change(model, uid, moved->parent) || !may_change(model, uid, parent))
		return EACCES;
	if (is_control_file(model, parent, name, len))
		return ENOTDIR;
	if (parent != moved->parent)
		return EIO;
	return child(model, parent, name, len) != NOWHERE ? EEXIST : 0;
}

int model_mv(struct model *model, uid_t uid, const char *from, const char *to)
{
	int group, parent, r = model_lookup(model, uid, from, false, &group);
	const char *name;
	size_t len;

	if (!r)
		r = find_place(model, uid, to, &parent, &name, &len);
	if (!r)
		r = check_mv(model, uid, group, parent, name, len);
	if (r)
		return r;
	memset(model->groups[group].name, 0, sizeof(model->groups[group].name));
	memcpy(model->groups[group].name, name, len);
	return 0;
}

int model_chmod(struct model *model, uid_t uid, const char *spec, unsigned int mode)
{
	int group, r = model_lookup(model, uid, spec, false, &group);

	if (!r && uid && uid != model->groups[group].uid)
		r = EPERM;
	if (!r)
		model->groups[group].mode = mode;
	return r;
}

int model_chown(struct model *model, uid_t uid, const char *spec, uid_t owner, bool members)
{
	int group, r = model_lookup(model, uid, spec, false, &group);
	struct m_group *g;

	if (r)
		return r;
	g = &model->groups[group];
	if (uid && !(uid == g->uid && owner == uid && (!members || g->member_uid == uid)))
		return EPERM;
	g->uid = owner;
	if (members)
		g->member_uid = owner;
	return 0;
}

/* v1-behaviour B, for the texts that the driver tries. */
static int parse_flag(const char *text, bool *ret_on)
{
	if (!strcmp(text, "0") || !strcmp(text, "0\n"))
		*ret_on = false;
	else if (!strcmp(text, "1") || !strcmp(text, "1\n") || !strcmp(text, "0x1") ||
		 !strcmp(text, "2"))
		*ret_on = true;
	else
		return strcmp(text, "18446744073709551616") != 0 ? EINVAL : ERANGE;
	return 0;
}

/* --- release ------------------------------------------------------------------------------ */

static bool is_occupied(const struct model *model, int group)
{
	return model_members(model, group) || model_children(model, group);
}

void model_enter(struct model *model, int group)
{
	struct m_group *g = &model->groups[group];

	if (g->parent != NOWHERE && g->flags & (M_NOTIFY | M_AUTO_DELETE))
		g->entered = true;
}

static bool is_released(const struct model *model, int group)
{
	const struct m_group *g = &model->groups[group];

	return g->live && g->parent != NOWHERE && g->entered &&
	       g->flags & (M_NOTIFY | M_AUTO_DELETE) && !is_occupied(model, group);
}

void model_release(struct model *model)
{
	bool again = true;

	/* A removal may release the parent. */
	while (again) {
		again = false;
		for (int g = 0; g < M_GROUPS; g++) {
			if (!is_released(model, g))
				continue;
			model->groups[g].entered = false;
			if (model->groups[g].flags & M_AUTO_DELETE)
				remove_group(model, g);
			again = true;
		}
	}
}

static void set_flag(struct model *model, int group, unsigned int flag, bool on)
{
	struct m_group *g = &model->groups[group];

	g->flags = on ? g->flags | flag : g->flags & ~flag;
	if (!(g->flags & (M_NOTIFY | M_AUTO_DELETE)))
		g->entered = false;
	else if (g->parent != NOWHERE && is_occupied(model, group))
		g->entered = true;
	else if (flag == M_NOTIFY && !(g->flags & M_AUTO_DELETE))
		g->entered = false;
}

int model_write_flag(struct model *model, uid_t uid, const char *spec, unsigned int flag,
		     const char *text)
{
	bool on;
	int group, r = model_lookup(model, uid, spec, false, &group);

	if (!r && !(model_may_search(model, uid, group) &&
		    may(uid, model->groups[group].file_uid, 0644, 2)))
		r = EACCES;
	if (!r)
		r = parse_flag(text, &on);
	/* Who could not remove it may not have it removed. */
	if (!r && on && 1U << flag == M_AUTO_DELETE && model->groups[group].parent != NOWHERE &&
	    !may_change(model, uid, model->groups[group].parent))
		r = EACCES;
	if (r)
		return r;
	model_cpuset(model);
	set_flag(model, group, 1U << flag, on);
	return r;
}

void model_mark(struct model *model, const char *const *specs, int n)
{
	for (int i = 0; i < n; i++) {
		int group;

		if (!model_find(model, specs[i], false, &group))
			model_enter(model, group);
	}
}
