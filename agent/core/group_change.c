/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * mkdir, rmdir and rename of groups: everything is checked first, then one update
 * of one record decides (A5), then the cache follows.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/internal.h"

#define DIR_WRITE (2 | 1) /* write and search */

static int check_name(const char *name, struct grp_error *error)
{
	size_t len = strlen(name);

	if (!len || !strcmp(name, ".") || !strcmp(name, "..") || strchr(name, '/'))
		return grp_error_set(error, EINVAL, "not a name of a group");
	if (len > GRP_NAME_MAX)
		return grp_error_set(error, ENAMETOOLONG, "a name has at most %d bytes",
				     GRP_NAME_MAX);
	for (const unsigned char *c = (const unsigned char *)name; *c; c++)
		if (*c < 0x20 || *c == 0x7f)
			return grp_error_set(error, EINVAL,
					     "a name has no newline or other control character");
	return 0;
}

static int check_free(struct grp_core *core, const struct grp_group *parent, const char *name,
		      struct grp_error *error)
{
	if (grp_group_child(core, parent, name))
		return grp_error_set(error, EEXIST, "the group exists");
	if (grp_file_find(core, parent, name))
		return grp_error_set(error, EEXIST, "'%s' is the name of a control file", name);
	return 0;
}

/* Write permission on a directory, search permission on all above it. */
static int check_directory(const struct grp_group *directory, const struct grp_caller *caller,
			   struct grp_error *error)
{
	bool allowed = grp_access(directory, caller, DIR_WRITE);

	for (const struct grp_group *g = directory->parent; allowed && g; g = g->parent)
		allowed = grp_access(g, caller, 1);
	return allowed ? 0 :
			 grp_error_set(error, EACCES, "user %u may not change the group above it",
				       (unsigned int)caller->uid);
}

static int check_room(struct grp_core *core, const struct grp_caller *caller,
		      struct grp_error *error)
{
	const struct grp_core_figures *figures = &core->figures;

	if (caller->uid && grp_core_groups_of(core, caller->uid) >= core->groups_per_uid)
		return grp_error_set(error, EDQUOT,
				     "user %u has its %u group%s (setting groups-per-uid)",
				     (unsigned int)caller->uid, core->groups_per_uid,
				     grp_plural(core->groups_per_uid));
	if (figures->groups + figures->dying_groups < core->view->capacity_groups)
		return 0;
	return grp_error_set(error, ENOSPC,
			     "all %u groups are in use, %u of them removed but still held by "
			     "dead tasks (setting capacity-groups)",
			     core->view->capacity_groups, figures->dying_groups);
}

/* A record in the store and an entry in the cache, not in the tree. */
static int create(struct grp_core *core, const struct grp_group *wish, struct grp_group *parent,
		  struct grp_hierarchy *hierarchy, struct grp_group **ret_group)
{
	struct grp_group *group;
	uint32_t id;
	int r = grp_group_reserve(core, &id);

	if (!r)
		r = grp_group_cache(core, id, wish->name, wish->name_len, &group);
	if (r)
		return r;
	group->uid = wish->uid;
	group->gid = wish->gid;
	group->mode = wish->mode;
	group->created_ns = grp_clock_ns(CLOCK_REALTIME);
	group->parent = parent;
	group->hierarchy = hierarchy;
	grp_row_bind(core, group, core->free_rows[--core->n_free_rows], true);
	r = grp_group_store(core, group);
	if (r) {
		grp_group_free(core, group);
		return r;
	}
	*ret_group = group;
	return 0;
}

int grp_group_make(struct grp_core *core, struct grp_group *parent, const char *name, mode_t mode,
		   const struct grp_caller *caller, struct grp_error *error,
		   struct grp_group **ret_group)
{
	struct grp_group wish = { .uid = caller->uid, .gid = caller->gid, .mode = mode & 07777 };
	struct grp_group *group;
	int r = check_name(name, error);

	if (!r)
		r = check_free(core, parent, name, error);
	if (!r)
		r = check_directory(parent, caller, error);
	if (!r)
		r = check_room(core, caller, error);
	if (r)
		return r;
	wish.name = (char *)name; /* copied by create() */
	wish.name_len = strlen(name);
	r = create(core, &wish, parent, parent->hierarchy, &group);
	if (r)
		return grp_error_set(error, -r, "cannot store the group: %s", strerror(-r));
	grp_group_link(core, parent->hierarchy, parent, group);
	if (ret_group)
		*ret_group = group;
	return 0;
}

int grp_group_make_root(struct grp_core *core, unsigned int slot, struct grp_group **ret_group)
{
	struct grp_group wish = { .mode = 0755, .name = (char *)"" };
	struct grp_hierarchy unborn = { .slot = slot };

	if (!core->n_free_rows)
		return -ENOSPC;
	return create(core, &wish, NULL, &unborn, ret_group);
}

static bool has_sets(const struct grp_group *group)
{
	return group->sets || group->children;
}

int grp_group_remove(struct grp_core *core, struct grp_group *group,
		     const struct grp_caller *caller, struct grp_error *error)
{
	uint64_t tasks = grp_group_tasks(core, group);
	int r;

	if (!group->parent)
		return grp_error_set(error, EBUSY, "the root of a hierarchy stays; see umount");
	r = check_directory(group->parent, caller, error);
	if (r)
		return r;
	if (tasks)
		return grp_error_set(error, EBUSY,
				     "it has %llu task%s: attach %s to another group, or use rmdir "
				     "--kill",
				     (unsigned long long)tasks, grp_plural(tasks),
				     tasks == 1 ? "it" : "them");
	if (group->n_children)
		return grp_error_set(error, EBUSY,
				     "it has %u group%s below it: remove %s first, or use rmdir -r",
				     group->n_children, grp_plural(group->n_children),
				     group->n_children == 1 ? "it" : "them");
	if (group->references)
		return grp_error_set(error, EBUSY, "a subsystem holds the group");
	group->dying = true;
	r = grp_group_store(core, group);
	group->dying = false;
	if (r)
		return grp_error_set(error, -r, "cannot store the removal: %s", strerror(-r));
	grp_group_bury(core, group);
	/* Nothing refers to it: it goes at once, or else with the next collection. */
	if (!has_sets(group))
		(void)grp_fold_group(core, group);
	return 0;
}

/* The last name of a spec may be the group itself: mv /a /a is EEXIST. */
int grp_group_rename(struct grp_core *core, struct grp_group *group, const char *to,
		     const struct grp_caller *caller, struct grp_error *error)
{
	char buf[GRP_PATH_MAX], *name, *old_name = group->name;
	struct grp_group *parent;
	size_t old_len = group->name_len;
	const char *last;
	int r = grp_group_find_parent(core, to, error, buf, &parent, &last);

	if (r)
		return r;
	if (!group->parent)
		return grp_error_set(error, EBUSY, "the root of a hierarchy has no name");
	if (parent->hierarchy != group->hierarchy)
		return grp_error_set(error, EXDEV, "a group stays in its hierarchy");
	if (grp_group_within(parent, group))
		return grp_error_set(error, EINVAL, "a group cannot go below itself");
	r = check_name(last, error);
	if (!r)
		r = check_free(core, parent, last, error);
	if (r)
		return r;
	if (parent != group->parent)
		return grp_error_set(error, EIO,
				     "a group keeps its parent: only the last name may "
				     "change");
	r = check_directory(parent, caller, error);
	if (r)
		return r;
	name = strdup(last);
	if (!name)
		return -ENOMEM;
	group->name = name;
	group->name_len = strlen(name);
	r = grp_group_store(core, group);
	group->name = old_name;
	group->name_len = old_len;
	if (r) {
		free(name);
		return grp_error_set(error, -r, "cannot store the name: %s", strerror(-r));
	}
	HASH_DELETE(hh_name, core->by_name, group);
	free(old_name);
	group->name = name;
	group->name_len = strlen(name);
	memcpy(group->key + sizeof(uint32_t), name, group->name_len);
	HASH_ADD(hh_name, core->by_name, key, sizeof(uint32_t) + group->name_len, group);
	return 0;
}
