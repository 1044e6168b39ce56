/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * mkdir, rmdir and rename of groups: everything is checked first, then one update
 * of one record decides (A5), then the cache follows.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "core/internal.h"

int grp_group_check_name(const char *name, struct grp_error *error)
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
	if (grp_file_find(core, parent, name, NULL))
		return grp_error_set(error, EEXIST, "'%s' is the name of a control file", name);
	return 0;
}

static int check_room(struct grp_core *core, const struct grp_caller *caller,
		      struct grp_error *error)
{
	const struct grp_core_figures *figures = &core->figures;

	if (caller->uid && grp_core_groups_of(core, caller->uid) >= core->groups_per_uid)
		return grp_error_set(error, EDQUOT,
				     "uid %u has its %u group%s (setting groups-per-uid)",
				     (unsigned int)caller->uid, core->groups_per_uid,
				     grp_plural(core->groups_per_uid));
	if (figures->groups + figures->dying_groups < core->view->capacity_groups)
		return 0;
	return grp_error_set(error, ENOSPC,
			     "all %u groups are in use, %u of them removed but still held by "
			     "dead tasks (setting capacity-groups)",
			     core->view->capacity_groups, figures->dying_groups);
}

static void emit_change(struct grp_core *core, enum grp_watch_kind kind,
			const struct grp_group *group, const struct grp_caller *caller,
			const char *from)
{
	struct grp_watch_event event = grp_watch_event(kind, group, caller);

	event.from = from;
	grp_emit(core, &event);
}

/* An entry in the cache, not in the tree. */
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
	group->flags = wish->flags;
	grp_inode_init(group, &wish->inode);
	group->created_ns = grp_clock_ns(CLOCK_REALTIME);
	/* Its number was never anybody's: nothing can be folded under it. */
	group->base_known = (1 << GRP_BASE_KINDS) - 1;
	group->parent = parent;
	group->hierarchy = hierarchy;
	grp_row_bind(core, group, core->free_rows[--core->n_free_rows], true);
	*ret_group = group;
	return 0;
}

/* Its stored values are strays without its record: should they stay, a start drops them. */
static void give_up(struct grp_core *core, struct grp_group *group)
{
	(void)grp_values_drop(core, &group->values);
	grp_group_free(core, group);
}

/*
 * CONT-1: the states of all subsystems, then the record, which decides. The parent
 * is marked after it: a start sets that mark too, but would not take it away.
 */
static int complete(struct grp_core *core, struct grp_group *group, const struct grp_making *making)
{
	uint32_t mask = grp_group_subsystems(core, group);
	int r = grp_states_create(core, group, mask, true, making->error);

	if (r)
		return r;
	if (making->clone)
		r = grp_clone_note(core, group, making->clone);
	if (!r)
		r = grp_group_store(core, group);
	if (!r) {
		r = grp_release_enter(core, group->parent);
		if (r)
			(void)core->ops->group_put(core->kernel, group->id, NULL);
	}
	if (r)
		grp_states_destroy(core, group, mask);
	return r;
}

int grp_group_make_for(struct grp_core *core, const struct grp_making *making,
		       struct grp_group **ret_group)
{
	const struct grp_caller *caller = making->caller;
	struct grp_group *parent = making->parent;
	struct grp_error *error = making->error;
	const char *name = making->name;
	struct grp_group wish = {
		.flags = parent->flags & GRP_GROUP_INHERITED,
		.inode = { .uid = caller->uid, .gid = caller->gid, .mode = making->mode & 07777 },
	};
	struct grp_group *group;
	int r = grp_group_check_name(name, error);

	if (!r)
		r = check_free(core, parent, name, error);
	if (!r)
		r = grp_group_access(parent, caller, GRP_WRITE | GRP_SEARCH, error);
	if (!r)
		r = grp_limits_check(core, parent, error);
	if (!r)
		r = check_room(core, caller, error);
	if (r)
		return r;
	wish.name = (char *)name; /* copied by create() */
	wish.name_len = strlen(name);
	r = create(core, &wish, parent, parent->hierarchy, &group);
	if (r)
		return r;
	r = complete(core, group, making);
	if (r) {
		give_up(core, group);
		return error && error->message[0] ?
			       r :
			       grp_error_set(error, -r, "cannot make the group: %s", strerror(-r));
	}
	grp_group_link(core, parent->hierarchy, parent, group);
	emit_change(core, GRP_WATCH_MKDIR, group, caller, NULL);
	if (ret_group)
		*ret_group = group;
	return 0;
}

int grp_group_make(struct grp_core *core, struct grp_group *parent, const char *name, mode_t mode,
		   const struct grp_caller *caller, struct grp_error *error,
		   struct grp_group **ret_group)
{
	const struct grp_making making = {
		.parent = parent,
		.name = name,
		.mode = mode,
		.caller = caller,
		.error = error,
	};

	return grp_group_make_for(core, &making, ret_group);
}

int grp_group_make_root(struct grp_core *core, unsigned int slot, struct grp_group **ret_group)
{
	struct grp_group wish = { .inode = { .mode = 0755 }, .name = (char *)"" };
	struct grp_hierarchy unborn = { .slot = slot };
	int r;

	if (!core->n_free_rows)
		return -ENOSPC;
	r = create(core, &wish, NULL, &unborn, ret_group);
	if (r)
		return r;
	r = grp_group_store(core, *ret_group);
	if (r)
		give_up(core, *ret_group);
	return r;
}

static bool has_sets(const struct grp_group *group)
{
	return group->sets || group->children;
}

/*
 * What a group that is about to go has come to. Nobody runs in it; of tasks that
 * have died there the last slice may still be on its way. What cannot be read is
 * not told: that is no reason to keep the group.
 */
static void fill_figures(struct grp_core *core, struct grp_group *group,
			 struct grp_watch_event *event)
{
	uint64_t now = grp_clock_ns(CLOCK_REALTIME);
	struct grp_usage own, tree;

	event->lived_ns = now > group->created_ns ? now - group->created_ns : 0;
	event->peak_tasks = grp_group_peak(core, group);
	if (grp_group_chargers(core, group) && grp_core_settle(core))
		return;
	if (grp_usage_read(core, group, false, &own) || grp_usage_read(core, group, true, &tree))
		return;
	event->usage_ns = tree.time_ns;
	event->user_ns = tree.user_ns;
	event->system_ns = tree.system_ns;
	event->usage_own_ns = own.time_ns;
	event->forks = own.forks;
	event->execs = own.execs;
	event->exits = own.exits;
	event->switches = own.voluntary + own.involuntary;
	event->migrations = own.migrations;
}

/*
 * One update of the store removes it: its record goes at once if nothing refers to
 * it and it leaves nothing to its parent, or else is marked until that is so.
 */
static int store_removal(struct grp_core *core, struct grp_group *group, bool *ret_gone)
{
	bool has_base = true;
	int r = has_sets(group) ? 0 : grp_base_has(core, group, &has_base);

	*ret_gone = !r && !has_base;
	if (*ret_gone)
		return core->ops->group_put(core->kernel, group->id, NULL);
	group->dying = true;
	r = grp_group_store(core, group);
	group->dying = false;
	return r;
}

int grp_group_remove(struct grp_core *core, struct grp_group *group,
		     const struct grp_caller *caller, struct grp_error *error)
{
	struct grp_watch_event event = grp_watch_event(GRP_WATCH_RMDIR, group, caller);
	uint64_t tasks = grp_group_tasks(core, group);
	struct grp_group *parent = group->parent;
	bool gone;
	int r;

	if (!parent)
		return grp_error_set(error, EBUSY, "the root of a hierarchy stays; see umount");
	r = grp_group_may_remove(group, caller, error);
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
	grp_empty_check(core, group);
	grp_subsystems_poll(core);
	if (grp_watched(core))
		fill_figures(core, group, &event);
	r = store_removal(core, group, &gone);
	if (r)
		return grp_error_set(error, -r, "cannot store the removal: %s", strerror(-r));
	grp_states_destroy(core, group, grp_group_subsystems(core, group));
	grp_emit(core, &event);
	grp_group_bury(core, group);
	/* What stays of them is dropped at the next start. */
	(void)grp_values_drop(core, &group->values);
	/* Nothing refers to it: it goes at once, or else with the next collection. */
	if (gone)
		grp_group_forget(core, group);
	else if (!has_sets(group))
		(void)grp_fold_group(core, group);
	grp_release_check(core, parent);
	return 0;
}

/* Also as the key by which it is found. */
static void take_name(struct grp_core *core, struct grp_group *group, char *name)
{
	HASH_DELETE(hh_name, core->by_name, group);
	free(group->name);
	group->name = name;
	group->name_len = strlen(name);
	memcpy(group->key + sizeof(uint32_t), name, group->name_len);
	HASH_ADD(hh_name, core->by_name, key, sizeof(uint32_t) + group->name_len, group);
}

/*
 * The order of the errors is that of today's kernel, except that a name given twice
 * is EEXIST.
 */
static int check_rename(struct grp_core *core, const struct grp_group *group,
			const struct grp_place *to, const struct grp_caller *caller,
			struct grp_error *error)
{
	int r;

	if (!group->parent)
		return grp_error_set(error, EBUSY, "the root of a hierarchy has no name");
	if (to->parent->hierarchy != group->hierarchy)
		return grp_error_set(error, EXDEV, "a group stays in its hierarchy");
	if (grp_group_within(to->parent, group))
		return grp_error_set(error, EINVAL, "a group cannot go below itself");
	r = grp_group_check_name(to->name, error);
	if (!r)
		r = grp_group_may_remove(group, caller, error);
	if (!r)
		r = grp_group_access(to->parent, caller, GRP_WRITE | GRP_SEARCH, error);
	if (r)
		return r;
	if (grp_file_find(core, to->parent, to->name, NULL))
		return grp_error_set(error, ENOTDIR, "'%s' is the name of a control file",
				     to->name);
	/* A directory that gets another parent is written to itself. */
	if (to->parent != group->parent)
		r = grp_group_access(group, caller, GRP_WRITE, error);
	if (r)
		return r;
	if (to->parent != group->parent)
		return grp_error_set(error, EIO,
				     "a group keeps its parent: only the last name may "
				     "change");
	return check_free(core, to->parent, to->name, error);
}

/* One update decides; then the cache follows. */
static int change_name(struct grp_core *core, struct grp_group *group, const char *new_name,
		       const struct grp_caller *caller, struct grp_error *error)
{
	char *name = strdup(new_name), *old_name = group->name, from[GRP_PATH_MAX];
	size_t old_len = group->name_len;
	int r;

	if (!name)
		return -ENOMEM;
	if (grp_group_path(group, from, sizeof(from)) < 0)
		from[0] = '\0';
	group->name = name;
	group->name_len = strlen(name);
	r = grp_group_store(core, group);
	group->name = old_name;
	group->name_len = old_len;
	if (r) {
		free(name);
		return grp_error_set(error, -r, "cannot store the name: %s", strerror(-r));
	}
	take_name(core, group, name);
	emit_change(core, GRP_WATCH_MV, group, caller, from[0] ? from : NULL);
	return 0;
}

int grp_group_rename(struct grp_core *core, struct grp_group *group, const char *to,
		     const struct grp_caller *caller, struct grp_error *error)
{
	const struct grp_lookup lookup = { .core = core, .caller = caller, .error = error };
	struct grp_place place;
	int r = grp_group_lookup_place(&lookup, to, &place);

	if (!r)
		r = check_rename(core, group, &place, caller, error);
	return r ?: change_name(core, group, place.name, caller, error);
}
