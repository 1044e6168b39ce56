/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a configuration says of hierarchies themselves: names, subsystems, prefix,
 * release agent. All are checked against what all of them shall be, not only
 * against what is now: one may give a subsystem up that another one takes.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "core/changes_internal.h"
#include "core/mount.h"

char *grp_mount_text(uint32_t subsystems, bool noprefix)
{
	_cleanup_free_ char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	const char *comma = "";

	if (!out)
		return NULL;
	for (size_t i = 0; i < grp_n_subsystems; i++) {
		if (!(subsystems & 1U << i))
			continue;
		(void)fprintf(out, "%s%s", comma, grp_subsystems[i]->name);
		comma = ",";
	}
	(void)fprintf(out, "%s%s", subsystems ? "" : "none", noprefix ? ",noprefix" : "");
	return fclose(out) ? NULL : TAKE_PTR(text);
}

/* --- names --------------------------------------------------------------------------- */

static bool has_name(const struct grp_declared_hierarchy *hierarchy, const char *name)
{
	bool has = !strcmp(hierarchy->name, name);

	for (size_t a = 0; a < hierarchy->n_aliases; a++)
		has = has || !strcmp(hierarchy->aliases[a], name);
	return has;
}

/* Whether it stands before there; @alias GRP_NO_INDEX: the name of @h itself. */
static bool is_declared_before(const struct grp_declaration *wish, size_t h, size_t alias,
			       const char *name)
{
	const struct grp_declared_hierarchy *own = &wish->hierarchies[h];
	bool declared = alias != GRP_NO_INDEX && !strcmp(own->name, name);

	for (size_t i = 0; i < h; i++)
		declared = declared || has_name(&wish->hierarchies[i], name);
	for (size_t a = 0; alias != GRP_NO_INDEX && a < alias; a++)
		declared = declared || !strcmp(own->aliases[a], name);
	return declared;
}

static int check_name(struct grp_changes *changes, size_t h, size_t alias, const char *name,
		      struct grp_error *error)
{
	struct grp_hierarchy *owner = grp_hierarchy_find(changes->core, name);
	const char *wanted = changes->wish->hierarchies[h].name;
	int r = 0;

	if (!grp_hierarchy_name_valid(name))
		r = grp_error_set(error, EINVAL,
				  "the name of a hierarchy is 1 to %d of A-Z a-z 0-9 _ . -",
				  GRP_HIERARCHY_NAME_MAX);
	else if (is_declared_before(changes->wish, h, alias, name))
		r = grp_error_set(error, EEXIST, "'%s' stands in the configuration already", name);
	else if (owner && strcmp(owner->name, wanted) != 0)
		r = grp_error_set(error, EEXIST, "'%s' is a name of hierarchy '%s'", name,
				  owner->name);
	else if (owner && owner->flags & GRP_HIERARCHY_UNMOUNTED)
		r = grp_error_set(error, EBUSY,
				  "'%s' is not mounted but still has groups: mount it first", name);
	if (!r)
		return 0;
	return alias == GRP_NO_INDEX ?
		       grp_changes_error(error, r, h, GRP_NO_INDEX, ".name") :
		       grp_changes_error(error, r, h, GRP_NO_INDEX, ".names[%zu]", alias);
}

static int check_names(struct grp_changes *changes, size_t h, struct grp_error *error)
{
	const struct grp_declared_hierarchy *wish = &changes->wish->hierarchies[h];
	int r = check_name(changes, h, GRP_NO_INDEX, wish->name, error);

	for (size_t a = 0; !r && a < wish->n_aliases; a++)
		r = check_name(changes, h, a, wish->aliases[a], error);
	if (r || !wish->n_aliases)
		return r;
	if (!grp_subsystems_exclusive(wish->subsystems))
		r = grp_error_set(error, EINVAL,
				  "only a hierarchy with an exclusive subsystem has other names");
	else if (wish->n_aliases >= GRP_HIERARCHY_NAMES_MAX)
		r = grp_error_set(error, ENOSPC, "a hierarchy has at most %d names",
				  GRP_HIERARCHY_NAMES_MAX);
	return r ? grp_changes_error(error, r, h, GRP_NO_INDEX, ".names") : 0;
}

/* --- options --------------------------------------------------------------------------- */

static int check_form(struct grp_changes *changes, size_t h, struct grp_error *error)
{
	const struct grp_declared_hierarchy *wish = &changes->wish->hierarchies[h];
	const struct grp_hierarchy *live = changes->hierarchies[h].live;
	bool any = grp_hierarchy_is_default(live);
	const char *member = ".subsystems";
	int r = 0;

	if (any && wish->has_subsystems)
		r = grp_error_set(error, EINVAL,
				  "'%s' has what no other hierarchy claims: leave it out",
				  wish->name);
	else if (!any && !wish->has_subsystems)
		r = grp_error_set(error, EINVAL, "is missing; [] for none");
	if (!r && live && !(live->flags & GRP_HIERARCHY_NOPREFIX) != !wish->noprefix) {
		member = ".noprefix";
		r = grp_error_set(error, EINVAL, "it cannot be changed: umount '%s' first",
				  wish->name);
	}
	if (!r && strlen(wish->release_agent) >= PATH_MAX) {
		member = ".release_agent";
		r = grp_error_set(error, E2BIG, "a release agent's path has at most %d bytes",
				  PATH_MAX - 1);
	}
	return r ? grp_changes_error(error, r, h, GRP_NO_INDEX, "%s", member) : 0;
}

static bool is_live_declared(const struct grp_changes *changes, const struct grp_hierarchy *live)
{
	for (size_t h = 0; h < changes->wish->n_hierarchies; h++)
		if (changes->hierarchies[h].live == live)
			return true;
	return false;
}

/* Exclusive ones that others than @h have when all is as it shall be. */
static uint32_t claimed_elsewhere(const struct grp_changes *changes, size_t h)
{
	uint32_t mask = 0;

	for (size_t i = 0; i < changes->wish->n_hierarchies; i++)
		if (i != h)
			mask |= changes->wish->hierarchies[i].subsystems;
	for (unsigned int slot = 0; slot < GRP_HIERARCHIES_MAX; slot++) {
		const struct grp_hierarchy *live = grp_hierarchy_at(changes->core, slot);

		if (live && !is_live_declared(changes, live))
			mask |= live->subsystems;
	}
	return grp_subsystems_exclusive(mask);
}

static int check_subsystems(struct grp_changes *changes, size_t h, struct grp_error *error)
{
	const struct grp_declared_hierarchy *wish = &changes->wish->hierarchies[h];
	const struct grp_hierarchy *live = changes->hierarchies[h].live;
	const struct grp_hierarchy *fallback = grp_hierarchy_default(changes->core);
	uint32_t own = live ? live->subsystems : 0;
	uint32_t elsewhere = wish->subsystems & claimed_elsewhere(changes, h);
	/* Also what another one gives up passes through "default". */
	uint32_t from_default = grp_subsystems_exclusive(wish->subsystems & ~own);
	int r = 0;

	if (elsewhere)
		r = grp_error_set(error, EBUSY, "'%s' is bound to another hierarchy",
				  grp_subsystems[__builtin_ctz(elsewhere)]->name);
	else if (from_default && fallback->n_groups > 1)
		r = grp_error_set(error, EBUSY,
				  "'%s' comes from hierarchy %s, which must have no groups then",
				  grp_subsystems[__builtin_ctz(from_default)]->name,
				  fallback->name);
	else if (live && own != wish->subsystems && live->n_groups > 1)
		r = grp_error_set(error, EBUSY,
				  "they are changed while '%s' has only its root; it has %u "
				  "group%s below it",
				  wish->name, live->n_groups - 1, grp_plural(live->n_groups - 1));
	else if (wish->noprefix && own != wish->subsystems)
		r = grp_mount_check_bare(wish->subsystems, error);
	return r ? grp_changes_error(error, r, h, GRP_NO_INDEX, ".subsystems") : 0;
}

/* --- changes ------------------------------------------------------------------------------ */

static int add_named(struct grp_changes *changes, const struct grp_change_op *op, size_t h,
		     const char *name, char *from, char *to)
{
	struct grp_change *change = grp_changes_add(changes, op, h, GRP_NO_INDEX);

	if (!change) {
		free(from);
		free(to);
		return -ENOMEM;
	}
	change->from = from;
	change->to = to;
	change->name = name ? strdup(name) : NULL;
	return (!name || change->name) && to ? 0 : -ENOMEM;
}

static int add_mount(struct grp_changes *changes, size_t h)
{
	const struct grp_declared_hierarchy *wish = &changes->wish->hierarchies[h];

	changes->new_groups++;
	return add_named(changes, &grp_op_mount, h, NULL, NULL,
			 grp_mount_text(wish->subsystems, wish->noprefix));
}

/* Exclusive ones that it gives up and another one takes. */
static uint32_t given(const struct grp_changes *changes, size_t h)
{
	const struct grp_hierarchy *live = changes->hierarchies[h].live;
	uint32_t wanted = 0;

	for (size_t i = 0; i < changes->wish->n_hierarchies; i++)
		if (i != h)
			wanted |= changes->wish->hierarchies[i].subsystems;
	return grp_subsystems_exclusive(live->subsystems &
					~changes->wish->hierarchies[h].subsystems & wanted);
}

/* Two may give each other what they have: each lets go first, then takes. */
static int add_release(struct grp_changes *changes, size_t h)
{
	const struct grp_declared_hierarchy *wish = &changes->wish->hierarchies[h];
	const struct grp_hierarchy *live = changes->hierarchies[h].live;
	int r;

	if (!(wish->subsystems & ~live->subsystems) || !given(changes, h))
		return 0;
	r = add_named(changes, &grp_op_remount, h, "subsystems",
		      grp_mount_text(live->subsystems, wish->noprefix),
		      grp_mount_text(live->subsystems & wish->subsystems, wish->noprefix));
	changes->items[changes->n - 1].silent = true;
	return r;
}

static int add_remount(struct grp_changes *changes, size_t h)
{
	const struct grp_declared_hierarchy *wish = &changes->wish->hierarchies[h];
	const struct grp_hierarchy *live = changes->hierarchies[h].live;

	return add_named(changes, &grp_op_remount, h, "subsystems",
			 grp_mount_text(live->subsystems, wish->noprefix),
			 grp_mount_text(wish->subsystems, wish->noprefix));
}

/* Who only gives up comes first, then who takes as well, then who is new. */
static int add_mounts(struct grp_changes *changes)
{
	const size_t n = changes->wish->n_hierarchies;
	int r = 0;

	for (size_t h = 0; !r && h < n; h++)
		r = changes->hierarchies[h].live ? add_release(changes, h) : 0;
	for (int pass = 0; !r && pass < 3; pass++) {
		for (size_t h = 0; !r && h < n; h++) {
			const struct grp_hierarchy *live = changes->hierarchies[h].live;
			uint32_t wish = changes->wish->hierarchies[h].subsystems;

			if (!live)
				r = pass == 2 ? add_mount(changes, h) : 0;
			else if (live->subsystems != wish && pass == !!(wish & ~live->subsystems))
				r = add_remount(changes, h);
		}
	}
	return r;
}

static int add_details(struct grp_changes *changes, size_t h)
{
	const struct grp_declared_hierarchy *wish = &changes->wish->hierarchies[h];
	const struct grp_hierarchy *live = changes->hierarchies[h].live;
	const char *agent = live ? live->release_agent : "";
	int r = 0;

	for (size_t a = 0; !r && a < wish->n_aliases; a++) {
		if (live && grp_hierarchy_has_name(live, wish->aliases[a]))
			continue;
		r = add_named(changes, &grp_op_alias, h, "names", NULL, strdup(wish->aliases[a]));
	}
	if (r || !strcmp(agent, wish->release_agent))
		return r;
	r = add_named(changes, &grp_op_release_agent, h, "release_agent", strdup(agent),
		      strdup(wish->release_agent));
	changes->items[changes->n - 1].fresh = !live;
	return r;
}

int grp_changes_hierarchies(struct grp_changes *changes, struct grp_error *error)
{
	const struct grp_declaration *wish = changes->wish;
	int r = 0;

	for (size_t h = 0; !r && h < wish->n_hierarchies; h++) {
		r = check_names(changes, h, error);
		changes->hierarchies[h].live =
			grp_hierarchy_find(changes->core, wish->hierarchies[h].name);
		if (!r)
			r = check_form(changes, h, error);
	}
	for (size_t h = 0; !r && h < wish->n_hierarchies; h++)
		r = check_subsystems(changes, h, error);
	if (!r)
		r = add_mounts(changes);
	for (size_t h = 0; !r && h < wish->n_hierarchies; h++)
		r = add_details(changes, h);
	for (size_t h = 0; !r && h < wish->n_hierarchies; h++)
		changes->hierarchies[h].bound = wish->hierarchies[h].has_subsystems ?
							wish->hierarchies[h].subsystems :
							grp_subsystems_every() &
								~claimed_elsewhere(changes, h);
	return r;
}

int grp_changes_only_hierarchies(struct grp_changes *changes)
{
	for (unsigned int slot = 0; slot < GRP_HIERARCHIES_MAX; slot++) {
		const struct grp_hierarchy *live = grp_hierarchy_at(changes->core, slot);
		struct grp_change *change;

		if (!live || live->flags & GRP_HIERARCHY_UNMOUNTED ||
		    is_live_declared(changes, live))
			continue;
		/* It is always there: that alone is nothing to tell. */
		if (grp_hierarchy_is_default(live) && live->n_groups == 1)
			continue;
		change = grp_changes_add(changes, &grp_op_only, GRP_NO_INDEX, GRP_NO_INDEX);
		if (!change)
			return -ENOMEM;
		change->only_hierarchy = live;
	}
	return 0;
}

int grp_changes_room(const struct grp_changes *changes, struct grp_error *error)
{
	struct grp_core_figures figures;
	unsigned int hierarchies, groups;

	grp_core_figures(changes->core, &figures);
	groups = figures.groups + figures.dying_groups;
	hierarchies = figures.hierarchies;
	for (size_t h = 0; h < changes->wish->n_hierarchies; h++)
		hierarchies += !changes->hierarchies[h].live;
	if (hierarchies > GRP_HIERARCHIES_MAX)
		return grp_error_set(error, ENOSPC,
				     "there would be %u hierarchies, %d are possible", hierarchies,
				     GRP_HIERARCHIES_MAX);
	if (changes->new_groups <= figures.capacity_groups - groups)
		return 0;
	return grp_error_set(error, ENOSPC,
			     "%zu more group%s: %u of %u are in use (setting capacity-groups)",
			     changes->new_groups, grp_plural(changes->new_groups), groups,
			     figures.capacity_groups);
}
