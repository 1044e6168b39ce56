/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * mount, remount and umount (HIER-4...21, design 6.4). Each is decided by one
 * update of the hierarchy's record; states are prepared before it and handed over
 * after it.
 */
#include "core/mount.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/internal.h"

#define _cleanup_options_ __attribute__((cleanup(grp_mount_options_done)))

/* --- binding -------------------------------------------------------------------------- */

/* The hierarchies whose bound sets a change touches: itself and "default". */
struct rebind {
	struct grp_hierarchy *hierarchy[2];
	unsigned int n; /* 1 when itself is "default" */
	uint32_t before[2], added[2], removed[2];
};

static void begin(struct grp_core *core, struct grp_hierarchy *hierarchy, struct rebind *rebind)
{
	*rebind = (struct rebind){ .hierarchy = { hierarchy, grp_hierarchy_default(core) },
				   .n = hierarchy == grp_hierarchy_default(core) ? 1 : 2 };
	for (unsigned int i = 0; i < rebind->n; i++)
		rebind->before[i] = grp_hierarchy_subsystems(core, rebind->hierarchy[i]);
}

/* The first @n of what is prepared, the last first. */
static void cancel(struct grp_core *core, const struct rebind *rebind, unsigned int n)
{
	while (n-- > 0)
		grp_bind_cancel(core, rebind->hierarchy[n], rebind->added[n]);
}

static int prepare(struct grp_core *core, struct rebind *rebind, struct grp_error *error)
{
	for (unsigned int i = 0; i < rebind->n; i++) {
		uint32_t now = grp_hierarchy_subsystems(core, rebind->hierarchy[i]);

		rebind->added[i] = now & ~rebind->before[i];
		rebind->removed[i] = rebind->before[i] & ~now;
	}
	for (unsigned int i = 0; i < rebind->n; i++) {
		int r = grp_bind_prepare(core, rebind->hierarchy[i], rebind->added[i], error);

		if (!r)
			continue;
		cancel(core, rebind, i);
		return r;
	}
	return 0;
}

/*
 * Changes what is bound to a hierarchy. @decide: the one update of the store.
 * On failure everything is as before.
 */
static int rebind(struct grp_core *core, struct grp_hierarchy *hierarchy, uint32_t subsystems,
		  int (*decide)(struct grp_core *core, const struct grp_hierarchy *hierarchy),
		  struct grp_error *error)
{
	uint32_t old = hierarchy->subsystems;
	struct rebind change;
	int r;

	begin(core, hierarchy, &change);
	hierarchy->subsystems = subsystems;
	r = prepare(core, &change, error);
	if (!r) {
		r = decide(core, hierarchy);
		if (r)
			cancel(core, &change, change.n);
	}
	if (r) {
		hierarchy->subsystems = old;
		return error && error->message[0] ?
			       r :
			       grp_error_set(error, -r, "cannot store the hierarchy: %s",
					     strerror(-r));
	}
	/* What was taken away first: a root state is in one place at a time. */
	for (unsigned int i = 0; i < change.n; i++)
		grp_bind_commit(core, change.hierarchy[i], 0, change.removed[i]);
	for (unsigned int i = 0; i < change.n; i++)
		grp_bind_commit(core, change.hierarchy[i], change.added[i], 0);
	return 0;
}

static int refuse_bound(const struct grp_core *core, unsigned int index, struct grp_error *error)
{
	const struct grp_hierarchy *owner = NULL;

	for (unsigned int slot = 0; slot < GRP_HIERARCHIES_MAX; slot++)
		if (core->slots[slot] && core->slots[slot]->subsystems & (1U << index))
			owner = core->slots[slot];
	return grp_error_set(
		error, EBUSY,
		"subsystem '%s' is bound to hierarchy '%s'%s: leave it out, or take it "
		"from there first",
		grp_subsystems[index]->name, owner ? owner->name : "",
		owner && owner->flags & GRP_HIERARCHY_UNMOUNTED ?
			", which is unmounted but has groups" :
			"");
}

/* An exclusive subsystem is bound once; while it has no child, "default" yields. */
static int check_bound(struct grp_core *core, uint32_t added, struct grp_error *error)
{
	const struct grp_hierarchy *fallback = grp_hierarchy_default(core);
	uint32_t wanted = grp_subsystems_exclusive(added);
	uint32_t elsewhere = wanted & grp_subsystems_claimed(core);

	if (elsewhere)
		return refuse_bound(core, __builtin_ctz(elsewhere), error);
	if (wanted && fallback->n_groups > 1)
		return grp_error_set(error, EBUSY,
				     "subsystem '%s' stays in hierarchy '%s' while that has "
				     "groups: leave it out, or remove them first",
				     grp_subsystems[__builtin_ctz(wanted)]->name, fallback->name);
	return 0;
}

/* --- noprefix ------------------------------------------------------------------------------ */

static bool is_core_file(const char *name)
{
	for (size_t i = 0; i < grp_n_core_files; i++)
		if (!strcmp(grp_core_files[i].name, name))
			return true;
	return false;
}

static bool has_bare_file(unsigned int index, const char *name)
{
	for (size_t i = 0; i < grp_subsystems[index]->n_files; i++)
		if (!strcmp(grp_subsystems[index]->files[i].name, name))
			return true;
	return false;
}

int grp_mount_check_bare(uint32_t mask, struct grp_error *error)
{
	for (unsigned int i = 0; i < grp_n_subsystems; i++) {
		for (size_t f = 0; mask & (1U << i) && f < grp_subsystems[i]->n_files; f++) {
			const char *name = grp_subsystems[i]->files[f].name;
			bool twice = is_core_file(name);

			for (unsigned int j = 0; j < i; j++)
				twice = twice || (mask & (1U << j) && has_bare_file(j, name));
			if (twice)
				return grp_error_set(error, EINVAL,
						     "without prefixes there would be two files "
						     "'%s'",
						     name);
		}
	}
	return 0;
}

/* --- mount ------------------------------------------------------------------------------------ */

/* HIER-6: the set tells an equal hierarchy only if it has an exclusive subsystem. */
static struct grp_hierarchy *find_equal(struct grp_core *core,
					const struct grp_mount_options *options)
{
	for (unsigned int slot = 0; slot < GRP_HIERARCHIES_MAX; slot++) {
		struct grp_hierarchy *hierarchy = core->slots[slot];

		if (hierarchy && !(hierarchy->flags & GRP_HIERARCHY_ANY_SUBSYSTEM) &&
		    grp_subsystems_exclusive(options->subsystems) &&
		    hierarchy->subsystems == options->subsystems &&
		    (hierarchy->flags & GRP_HIERARCHY_NOPREFIX) == options->flags)
			return hierarchy;
	}
	return NULL;
}

/* Changes names or flags by one update; on failure they are as before. */
static int store_names(struct grp_core *core, struct grp_hierarchy *hierarchy,
		       const struct grp_hierarchy *wish, struct grp_error *error)
{
	struct grp_hierarchy old = *hierarchy;
	int r;

	hierarchy->flags = wish->flags;
	hierarchy->n_names = wish->n_names;
	memcpy(hierarchy->names, wish->names, sizeof(wish->names));
	r = grp_hierarchy_store(core, hierarchy);
	if (!r)
		return 0;
	hierarchy->flags = old.flags;
	hierarchy->n_names = old.n_names;
	memcpy(hierarchy->names, old.names, sizeof(old.names));
	return grp_error_set(error, -r, "cannot store the hierarchy: %s", strerror(-r));
}

static void set_name(struct grp_hierarchy *wish, unsigned int i, const char *name)
{
	memset(wish->names[i], 0, sizeof(wish->names[i]));
	memcpy(wish->names[i], name, strlen(name));
}

/* An existing name stands for its own options only. */
static int check_same(struct grp_core *core, const struct grp_hierarchy *hierarchy,
		      const struct grp_mount_options *options, struct grp_error *error)
{
	if (grp_hierarchy_subsystems(core, hierarchy) == options->subsystems &&
	    (hierarchy->flags & GRP_HIERARCHY_NOPREFIX) == options->flags)
		return 0;
	return grp_error_set(
		error, EBUSY,
		hierarchy->flags & GRP_HIERARCHY_UNMOUNTED ?
			"it is unmounted but kept alive by its groups, and had other options; "
			"'grpctl hierarchies' shows its subsystems" :
			"it is mounted with other options; 'grpctl mounts' shows them, "
			"'grpctl remount' changes them");
}

/* Another view of a hierarchy, or the first again of one that was kept alive. */
static int mount_again(struct grp_core *core, struct grp_hierarchy *hierarchy, const char *name,
		       struct grp_error *error)
{
	struct grp_hierarchy wish = *hierarchy;

	if (hierarchy->flags & GRP_HIERARCHY_UNMOUNTED)
		wish.n_names = 0;
	else if (grp_hierarchy_has_name(hierarchy, name))
		return 0;
	if (wish.n_names == GRP_HIERARCHY_NAMES_MAX)
		return grp_error_set(error, ENOSPC, "hierarchy %s has its %d names",
				     hierarchy->name, GRP_HIERARCHY_NAMES_MAX);
	set_name(&wish, wish.n_names++, name);
	wish.flags &= ~GRP_HIERARCHY_UNMOUNTED;
	return store_names(core, hierarchy, &wish, error);
}

static int mount_new(struct grp_core *core, const char *name,
		     const struct grp_mount_options *options, struct grp_error *error)
{
	struct grp_hierarchy *hierarchy;
	int r = grp_hierarchy_make(core, name, options->flags, options->release_agent ?: "",
				   &hierarchy);

	if (r == -ENOSPC)
		return grp_error_set(error, ENOSPC,
				     "all %d hierarchies or all groups are in use (setting "
				     "capacity-groups)",
				     GRP_HIERARCHIES_MAX);
	if (r)
		return grp_error_set(error, -r, "cannot store the hierarchy: %s", strerror(-r));
	if (options->clone_children) {
		hierarchy->root->flags |= GRP_GROUP_CLONE_CHILDREN;
		r = grp_group_store(core, hierarchy->root);
	}
	if (!r)
		r = rebind(core, hierarchy, options->subsystems, grp_hierarchy_store, error);
	if (r)
		(void)grp_hierarchy_end(core, hierarchy);
	return r;
}

int grp_hierarchy_mount(struct grp_core *core, const char *name, const char *text,
			struct grp_error *error)
{
	_cleanup_options_ struct grp_mount_options options = {};
	struct grp_hierarchy *hierarchy;
	int r = grp_mount_options_parse(text, &options, error);

	/* What the last rmdir has left behind must not be in the way (HIER-17). */
	r = r ?: grp_hierarchies_collect(core);
	if (r)
		return r;
	if (!grp_hierarchy_name_valid(name))
		return grp_error_set(error, EINVAL,
				     "the name of a hierarchy is 1 to %d of A-Z a-z 0-9 _ . -",
				     GRP_HIERARCHY_NAME_MAX);
	hierarchy = grp_hierarchy_find(core, name);
	if (hierarchy)
		r = check_same(core, hierarchy, &options, error);
	else
		hierarchy = find_equal(core, &options);
	if (hierarchy)
		return r ?: mount_again(core, hierarchy, name, error);
	r = check_bound(core, options.subsystems, error);
	if (!r && options.flags & GRP_HIERARCHY_NOPREFIX)
		r = grp_mount_check_bare(options.subsystems, error);
	return r ?: mount_new(core, name, &options, error);
}

/* --- remount ------------------------------------------------------------------------------------ */

static struct grp_hierarchy *find_mounted(struct grp_core *core, const char *name)
{
	struct grp_hierarchy *hierarchy = grp_hierarchy_find(core, name);

	return hierarchy && !(hierarchy->flags & GRP_HIERARCHY_UNMOUNTED) ? hierarchy : NULL;
}

/* HIER-13: in this order. */
static int check_remount(struct grp_core *core, struct grp_hierarchy *hierarchy,
			 const struct grp_mount_options *options, struct grp_error *error)
{
	uint32_t now = grp_hierarchy_subsystems(core, hierarchy);
	int r;

	if ((hierarchy->flags & GRP_HIERARCHY_NOPREFIX) != options->flags)
		return grp_error_set(error, EINVAL, "noprefix cannot be changed: %s",
				     options->flags ? "leave it out" : "repeat it");
	/* A flag of the root group: it is in another record than what is bound. */
	if (options->clone_children && !(hierarchy->root->flags & GRP_GROUP_CLONE_CHILDREN))
		return grp_error_set(error, EINVAL,
				     "clone_children is for mount; later use 'grpctl set %s:/ "
				     "cgroup.clone_children 1'",
				     hierarchy->name);
	if (now == options->subsystems)
		return 0;
	r = check_bound(core, options->subsystems & ~now, error);
	if (r)
		return r;
	if (hierarchy->flags & GRP_HIERARCHY_ANY_SUBSYSTEM)
		return grp_error_set(error, EBUSY, "'%s' has what no other hierarchy claims",
				     hierarchy->name);
	if (hierarchy->n_groups > 1)
		return grp_error_set(error, EBUSY,
				     "it has %u group%s below its root: remove %s first, with "
				     "'grpctl rmdir -r %s:/...'",
				     hierarchy->n_groups - 1, grp_plural(hierarchy->n_groups - 1),
				     hierarchy->n_groups == 2 ? "it" : "them", hierarchy->name);
	return options->flags & GRP_HIERARCHY_NOPREFIX ?
		       grp_mount_check_bare(options->subsystems, error) :
		       0;
}

int grp_hierarchy_remount(struct grp_core *core, const char *name, const char *text,
			  struct grp_error *error)
{
	_cleanup_options_ struct grp_mount_options options = {};
	struct grp_hierarchy *hierarchy;
	char *old_agent;
	int r = grp_mount_options_parse(text, &options, error);

	r = r ?: grp_hierarchies_collect(core);
	if (r)
		return r;
	hierarchy = find_mounted(core, name);
	if (!hierarchy)
		return grp_error_set(error, ENOENT, "no hierarchy '%s' is mounted", name);
	r = check_remount(core, hierarchy, &options, error);
	if (r)
		return r;
	/* A path that is given overwrites; none that is not (HIER-8). */
	old_agent = hierarchy->release_agent;
	if (options.release_agent)
		hierarchy->release_agent = options.release_agent;
	r = rebind(core, hierarchy,
		   hierarchy->flags & GRP_HIERARCHY_ANY_SUBSYSTEM ? 0 : options.subsystems,
		   grp_hierarchy_store, error);
	if (options.release_agent) {
		options.release_agent = r ? hierarchy->release_agent : old_agent;
		hierarchy->release_agent = r ? old_agent : hierarchy->release_agent;
	}
	return r;
}

/* --- umount --------------------------------------------------------------------------------------- */

/* This update decides; what follows is done at the next start if need be. */
static int mark_dying(struct grp_core *core, const struct grp_hierarchy *hierarchy)
{
	const struct grp_hierarchy_record record = { .state = GRP_RECORD_DYING,
						     .root = hierarchy->root->id };

	return core->ops->hierarchy_put(core->kernel, hierarchy->slot, &record);
}

static int drop_name(struct grp_core *core, struct grp_hierarchy *hierarchy, const char *name,
		     struct grp_error *error)
{
	struct grp_hierarchy wish = *hierarchy;

	wish.n_names = 0;
	for (unsigned int i = 0; i < hierarchy->n_names; i++)
		if (strcmp(hierarchy->names[i], name) != 0)
			set_name(&wish, wish.n_names++, hierarchy->names[i]);
	return store_names(core, hierarchy, &wish, error);
}

int grp_hierarchy_umount(struct grp_core *core, const char *name, struct grp_error *error)
{
	struct grp_hierarchy *hierarchy = find_mounted(core, name);
	struct grp_hierarchy wish;
	int r;

	if (!hierarchy)
		return grp_error_set(error, ENOENT, "no hierarchy '%s' is mounted", name);
	if (hierarchy->flags & GRP_HIERARCHY_ANY_SUBSYSTEM)
		return grp_error_set(error, EBUSY, "'%s' is always there", name);
	if (hierarchy->n_names > 1)
		return drop_name(core, hierarchy, name, error);
	if (hierarchy->n_groups == 1) {
		r = rebind(core, hierarchy, 0, mark_dying, error);
		if (!r)
			(void)grp_hierarchy_end(core, hierarchy);
		return r;
	}
	wish = *hierarchy;
	wish.flags |= GRP_HIERARCHY_UNMOUNTED;
	return store_names(core, hierarchy, &wish, error);
}

int grp_hierarchies_collect(struct grp_core *core)
{
	int r = 0;

	for (unsigned int slot = 0; !r && slot < GRP_HIERARCHIES_MAX; slot++) {
		struct grp_hierarchy *hierarchy = core->slots[slot];

		if (!hierarchy || !(hierarchy->flags & GRP_HIERARCHY_UNMOUNTED) ||
		    hierarchy->n_groups > 1)
			continue;
		r = rebind(core, hierarchy, 0, mark_dying, NULL) ?:
								   grp_hierarchy_end(core, hierarchy);
	}
	return r;
}
