/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Carrying changes out, all or none: each is done by what a user's own request
 * would do, and knows how to be taken back. An act finds its object anew, for an
 * earlier one may have made it, and does nothing where all is well already.
 *
 * Changes come parents first, the settings of one group in the order of the tables
 * of files; bounds on what is below come last, from below (grp_change.late). Rules
 * between groups, such as that a child has no CPU that its parent has not, may be
 * broken on the way and are looked at when all is done: no order would do for two
 * groups that swap what only one may have.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "core/changes_internal.h"

static struct grp_declared_hierarchy *hierarchy_of(struct grp_changes *changes,
						   const struct grp_change *change)
{
	return &changes->wish->hierarchies[change->hierarchy];
}

static struct grp_declared_group *group_of(struct grp_changes *changes,
					   const struct grp_change *change)
{
	return &hierarchy_of(changes, change)->groups[change->group];
}

/*
 * Making a child, or writing a flag, may leave the mark that somebody came in (R1);
 * were it to stay when that is taken back, the group would be released.
 */
static void note_mark(struct grp_change *change, struct grp_group *group)
{
	change->marked = group;
	change->old_mark = group->flags & GRP_GROUP_ENTERED;
}

static int restore_mark(struct grp_changes *changes, const struct grp_change *change)
{
	struct grp_group *group = change->marked;

	if (change->old_mark == !!(group->flags & GRP_GROUP_ENTERED))
		return 0;
	if (!change->old_mark)
		grp_release_forget(changes->core, group);
	return grp_group_set_flags(changes->core, group, group->flags ^ GRP_GROUP_ENTERED);
}

/* --- hierarchies ------------------------------------------------------------------------ */

/* The groups that are declared for it are found from its root. */
static int act_mount(struct grp_changes *changes, struct grp_change *change,
		     const struct grp_caller *caller, struct grp_error *error)
{
	struct grp_declared_hierarchy *wish = hierarchy_of(changes, change);
	struct grp_hierarchy *made;
	int r = grp_hierarchy_mount(changes->core, wish->name, change->to, error);

	if (r)
		return r;
	change->done = true;
	made = grp_hierarchy_find(changes->core, wish->name);
	changes->hierarchies[change->hierarchy].live = made;
	if (wish->n_groups && !strcmp(wish->groups[0].path, "/"))
		wish->groups[0].live = made->root;
	return 0;
}

static int undo_mount(struct grp_changes *changes, struct grp_change *change,
		      const struct grp_caller *caller, struct grp_error *error)
{
	return grp_hierarchy_umount(changes->core, hierarchy_of(changes, change)->name, error);
}

static int act_alias(struct grp_changes *changes, struct grp_change *change,
		     const struct grp_caller *caller, struct grp_error *error)
{
	const struct grp_declared_hierarchy *wish = hierarchy_of(changes, change);
	_cleanup_free_ char *options = grp_mount_text(wish->subsystems, wish->noprefix);
	int r = options ? grp_hierarchy_mount(changes->core, change->to, options, error) : -ENOMEM;

	change->done = !r;
	return r;
}

static int undo_alias(struct grp_changes *changes, struct grp_change *change,
		      const struct grp_caller *caller, struct grp_error *error)
{
	return grp_hierarchy_umount(changes->core, change->to, error);
}

/* Those of files that go with their subsystem would not come back with it (HIER-15). */
static int keep_owners(struct grp_change *change, const struct grp_group *root)
{
	const struct grp_value_entry *entry;

	LL_FOREACH(root->values, entry) {
		const size_t size = sizeof(*entry) + entry->len + 1;
		struct grp_value_entry *copy;

		if (entry->key.kind != GRP_VALUE_INODE)
			continue;
		copy = malloc(size);
		if (!copy)
			return -ENOMEM;
		memcpy(copy, entry, size);
		LL_PREPEND(change->kept, copy);
	}
	return 0;
}

static int restore_owners(struct grp_core *core, const struct grp_change *change,
			  struct grp_group *root)
{
	const struct grp_value_entry *entry;
	int r = 0;

	LL_FOREACH(change->kept, entry)
		if (!r && !grp_value_find(core, root, GRP_VALUE_INODE, entry->key.name))
			r = grp_value_put(core, root, GRP_VALUE_INODE, entry->key.name, entry->data,
					  entry->len);
	return r;
}

static int act_remount(struct grp_changes *changes, struct grp_change *change,
		       const struct grp_caller *caller, struct grp_error *error)
{
	const struct grp_declared_hierarchy *wish = hierarchy_of(changes, change);
	const struct grp_hierarchy *live = changes->hierarchies[change->hierarchy].live;
	int r;

	change->old = grp_mount_text(live->subsystems, wish->noprefix);
	r = change->old ? keep_owners(change, live->root) : -ENOMEM;
	if (r)
		return r;
	r = grp_hierarchy_remount(changes->core, wish->name, change->to, error);
	change->done = !r;
	return r;
}

static int undo_remount(struct grp_changes *changes, struct grp_change *change,
			const struct grp_caller *caller, struct grp_error *error)
{
	const char *name = hierarchy_of(changes, change)->name;
	int r = grp_hierarchy_remount(changes->core, name, change->old, error);

	return r     ?:
		       restore_owners(changes->core, change,
				      changes->hierarchies[change->hierarchy].live->root);
}

static int set_release_agent(struct grp_changes *changes, const struct grp_change *change,
			     const char *path)
{
	return grp_hierarchy_set_release_agent(
		changes->core, changes->hierarchies[change->hierarchy].live, path, strlen(path));
}

static int act_release_agent(struct grp_changes *changes, struct grp_change *change,
			     const struct grp_caller *caller, struct grp_error *error)
{
	int r = set_release_agent(changes, change, change->to);

	change->done = !r;
	return r;
}

static int undo_release_agent(struct grp_changes *changes, struct grp_change *change,
			      const struct grp_caller *caller, struct grp_error *error)
{
	return set_release_agent(changes, change, change->from);
}

/* --- settings ----------------------------------------------------------------------------- */

static int write_setting(struct grp_changes *changes, struct grp_group *group,
			 const struct grp_file_ref *ref, const char *text,
			 const struct grp_caller *caller, struct grp_error *error)
{
	const struct grp_file_access access = {
		.core = changes->core,
		.group = group,
		.caller = caller,
		.error = error,
		.ref = ref,
	};

	return ref->file->write(&access, text, strlen(text));
}

/* @ret_old: what it was; NULL when it was so already. */
static int set_setting(struct grp_changes *changes, struct grp_group *group,
		       const struct grp_file_ref *ref, const char *text,
		       const struct grp_caller *caller, struct grp_error *error, char **ret_old)
{
	_cleanup_free_ char *old = NULL;
	int r = grp_setting_read(changes->core, group, ref, &old);

	*ret_old = NULL;
	if (r || !strcmp(old, text))
		return r;
	r = write_setting(changes, group, ref, text, caller, error);
	if (!r)
		*ret_old = TAKE_PTR(old);
	return r;
}

static int act_setting(struct grp_changes *changes, struct grp_change *change,
		       const struct grp_caller *caller, struct grp_error *error)
{
	struct grp_group *group = group_of(changes, change)->live;
	int r;

	note_mark(change, group);
	r = set_setting(changes, group, change->ref, change->to, caller, error, &change->old);
	change->done = change->old;
	return r;
}

static int undo_setting(struct grp_changes *changes, struct grp_change *change,
			const struct grp_caller *caller, struct grp_error *error)
{
	int r = write_setting(changes, group_of(changes, change)->live, change->ref, change->old,
			      caller, error);

	return r ?: restore_mark(changes, change);
}

/* Only when groups are to be made: else it need not be open for a moment. */
static int act_lift(struct grp_changes *changes, struct grp_change *change,
		    const struct grp_caller *caller, struct grp_error *error)
{
	return changes->new_groups ? act_setting(changes, change, caller, error) : 0;
}

/* --- groups -------------------------------------------------------------------------------- */

/* What it has from its parent is as preset again: what is declared comes next. */
static int settle(struct grp_changes *changes, const struct grp_change *change,
		  struct grp_group *group, const struct grp_caller *caller, struct grp_error *error)
{
	const struct grp_file_list *list = &changes->hierarchies[change->hierarchy].files;
	bool in_default = grp_hierarchy_is_default(group->hierarchy);
	int r = 0;

	for (size_t i = 0; !r && i < list->n; i++) {
		_cleanup_free_ char *old = NULL;

		const unsigned int flags = list->refs[i].file->flags;

		/* Of what is cloned the change that follows says all. */
		if (flags & GRP_FILE_SAVED && !(flags & GRP_FILE_CLONED))
			r = set_setting(changes, group, &list->refs[i],
					grp_setting_preset(&list->refs[i], in_default), caller,
					error, &old);
	}
	return r;
}

static int act_mkdir(struct grp_changes *changes, struct grp_change *change,
		     const struct grp_caller *caller, struct grp_error *error)
{
	struct grp_declared_group *wish = group_of(changes, change);
	_cleanup_free_ char *spec = NULL;
	const struct grp_lookup lookup = { .core = changes->core, .error = error };
	struct grp_place place;
	int r;

	if (asprintf(&spec, "%s:%s", hierarchy_of(changes, change)->name, wish->path) < 0) {
		spec = NULL;
		return -ENOMEM;
	}
	r = grp_group_lookup_place(&lookup, spec, &place);
	if (r)
		return r;
	note_mark(change, place.parent);
	r = grp_group_make(changes->core, place.parent, place.name,
			   wish->attributes[GRP_ATTRIBUTE_MODE], caller, error, &wish->live);
	if (r)
		return r;
	change->done = true;
	return settle(changes, change, wish->live, caller, error);
}

static int undo_mkdir(struct grp_changes *changes, struct grp_change *change,
		      const struct grp_caller *caller, struct grp_error *error)
{
	struct grp_declared_group *wish = group_of(changes, change);
	int r = grp_group_remove(changes->core, wish->live, caller, error);

	wish->live = NULL;
	return r ?: restore_mark(changes, change);
}

/* One update; on failure it is as before. */
static int set_file_owner(struct grp_core *core, struct grp_group *group, uint32_t *field,
			  uint32_t value)
{
	uint32_t old = *field;
	int r;

	*field = value;
	r = grp_group_store(core, group);
	if (r)
		*field = old;
	return r;
}

/* Of the group or, with ->file, of that. */
static int set_attribute(const struct grp_inode_change *to, enum grp_attribute attribute,
			 uint32_t value)
{
	switch (attribute) {
	case GRP_ATTRIBUTE_OWNER:
		return grp_inode_chown(to, value, (gid_t)-1);
	case GRP_ATTRIBUTE_GROUP:
		return grp_inode_chown(to, (uid_t)-1, value);
	case GRP_ATTRIBUTE_MODE:
		return grp_inode_chmod(to, value);
	case GRP_ATTRIBUTE_FILE_OWNER:
		return set_file_owner(to->core, to->group, &to->group->file_uid, value);
	case GRP_ATTRIBUTE_FILE_GROUP:
		return set_file_owner(to->core, to->group, &to->group->file_gid, value);
	case GRP_ATTRIBUTE_MAX:
		break;
	}
	return -EINVAL;
}

static uint32_t get_attribute(const struct grp_inode_change *of, const struct grp_change *change)
{
	struct grp_inode inode;

	if (!change->ref)
		return grp_group_attribute(of->group, change->attribute);
	grp_file_inode(of->core, of->group, change->ref, &inode);
	return grp_inode_attribute(&inode, change->attribute);
}

/*
 * Whether the owner's files of members go along with the group, in the same update:
 * they are his, and nothing else is said of them.
 */
static bool members_follow(const struct grp_declared_group *wish, const struct grp_change *change)
{
	bool follow = !change->ref && change->attribute < GRP_ATTRIBUTE_MODE;

	for (size_t i = 0; follow && i < wish->n_files; i++)
		follow = !wish->files[i].given[change->attribute];
	for (size_t i = 0; follow && i < GRP_MEMBER_FILES; i++)
		follow = grp_inode_attribute(&wish->live->member_files[i], change->attribute) ==
			 grp_group_attribute(wish->live, change->attribute);
	return follow;
}

static struct grp_inode_change inode_of(struct grp_changes *changes,
					const struct grp_change *change,
					const struct grp_caller *caller, struct grp_error *error)
{
	return (struct grp_inode_change){
		.core = changes->core,
		.group = group_of(changes, change)->live,
		.members = change->members,
		.file = change->ref ? change->ref->name : NULL,
		.caller = caller,
		.error = error,
	};
}

static int act_attribute(struct grp_changes *changes, struct grp_change *change,
			 const struct grp_caller *caller, struct grp_error *error)
{
	struct grp_inode_change inode;
	int r;

	change->members = members_follow(group_of(changes, change), change);
	inode = inode_of(changes, change, caller, error);
	change->old_number = get_attribute(&inode, change);
	if (change->old_number == change->new_number)
		return 0;
	r = set_attribute(&inode, change->attribute, change->new_number);
	change->done = !r;
	return r;
}

static int undo_attribute(struct grp_changes *changes, struct grp_change *change,
			  const struct grp_caller *caller, struct grp_error *error)
{
	const struct grp_inode_change inode = inode_of(changes, change, caller, error);

	return set_attribute(&inode, change->attribute, change->old_number);
}

/* --- all of them ---------------------------------------------------------------------------- */

const struct grp_change_op grp_op_mount = { GRP_CHANGE_ADD, act_mount, undo_mount };
const struct grp_change_op grp_op_alias = { GRP_CHANGE_ADD, act_alias, undo_alias };
const struct grp_change_op grp_op_remount = { GRP_CHANGE_SET, act_remount, undo_remount };
const struct grp_change_op grp_op_release_agent = { GRP_CHANGE_SET, act_release_agent,
						    undo_release_agent };
const struct grp_change_op grp_op_mkdir = { GRP_CHANGE_ADD, act_mkdir, undo_mkdir };
const struct grp_change_op grp_op_attribute = { GRP_CHANGE_SET, act_attribute, undo_attribute };
const struct grp_change_op grp_op_setting = { GRP_CHANGE_SET, act_setting, undo_setting };
const struct grp_change_op grp_op_lift = { GRP_CHANGE_SET, act_lift, undo_setting };
const struct grp_change_op grp_op_only = { .kind = GRP_CHANGE_ONLY };

/* Its place in the configuration, in front of the reason. */
static int explain(const struct grp_change *change, int r, struct grp_error *error)
{
	const char *file = change->ref ? change->ref->name : "";
	const char *name = change->name ?: "";

	return grp_changes_error(error, r, change->hierarchy, change->group, "%s%s%s%s",
				 !change->ref ? "" :
				 change->name ? ".files." :
						".settings.",
				 file, change->name ? "." : "", name);
}

/* Those that are not late as they come, then the late ones, from below. */
static void sort_out(struct grp_changes *changes)
{
	size_t n = 0;

	for (size_t i = 0; i < changes->n; i++)
		if (!changes->items[i].late)
			changes->order[n++] = &changes->items[i];
	for (size_t i = changes->n; i-- > 0;)
		if (changes->items[i].late)
			changes->order[n++] = &changes->items[i];
}

/* In reverse order. Return: how many cannot be taken back. */
static unsigned int take_back(struct grp_changes *changes, size_t n,
			      const struct grp_caller *caller)
{
	unsigned int failed = 0;

	while (n-- > 0) {
		struct grp_change *change = changes->order[n];

		if (change->done && change->op->undo(changes, change, caller, NULL))
			failed++;
	}
	return failed;
}

static int not_undone(unsigned int failed, int r, struct grp_error *error)
{
	char reason[sizeof(error->message)];

	if (!failed || !error)
		return r;
	memcpy(reason, error->message, sizeof(reason));
	return grp_error_set(error, -r, "%.150s; %u of the changes before it could not be undone",
			     reason, failed);
}

int grp_changes_commit(struct grp_changes *changes, const struct grp_caller *caller,
		       struct grp_error *error)
{
	/* What is made is root's, in every sense, until it is given away. */
	const struct grp_caller root = { .pid = caller->pid };
	size_t n = 0;
	int r = 0;

	changes->order = calloc(changes->n + 1, sizeof(struct grp_change *));
	if (!changes->order)
		return -ENOMEM;
	sort_out(changes);
	changes->core->unchecked = true;
	for (; !r && n < changes->n; n++)
		if (changes->order[n]->op->act)
			r = changes->order[n]->op->act(changes, changes->order[n], &root, error);
	if (r)
		r = explain(changes->order[n - 1], r, error);
	else
		r = grp_subsystems_check_groups(changes->core, error);
	if (r)
		r = not_undone(take_back(changes, n, &root), r, error);
	changes->core->unchecked = false;
	return r;
}
