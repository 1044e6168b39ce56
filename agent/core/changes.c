/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The list of changes, see changes.h: its life, how it is shown, and errors that
 * name the place in the configuration.
 */
#include "core/changes.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "core/changes_internal.h"

/* --- life ------------------------------------------------------------------------ */

void grp_changes_free(struct grp_changes *changes)
{
	if (!changes)
		return;
	for (size_t i = 0; i < changes->n; i++) {
		struct grp_change *change = &changes->items[i];

		free(change->name);
		free(change->from);
		free(change->to);
		free(change->path);
		free(change->old);
		grp_values_forget(&change->kept);
	}
	for (size_t h = 0; changes->hierarchies && h < changes->wish->n_hierarchies; h++) {
		grp_file_list_done(&changes->hierarchies[h].root_files);
		grp_file_list_done(&changes->hierarchies[h].files);
	}
	free(changes->hierarchies);
	free(changes->order);
	free(changes->items);
	free(changes);
}

struct grp_change *grp_changes_add(struct grp_changes *changes, const struct grp_change_op *op,
				   size_t hierarchy, size_t group)
{
	struct grp_change *change;

	if (changes->n == changes->allocated) {
		size_t n = changes->allocated ? 2 * changes->allocated : 64;
		void *bigger = reallocarray(changes->items, n, sizeof(*changes->items));

		if (!bigger)
			return NULL;
		changes->items = bigger;
		changes->allocated = n;
	}
	change = &changes->items[changes->n++];
	*change = (struct grp_change){ .op = op, .hierarchy = hierarchy, .group = group };
	return change;
}

int grp_changes_make(struct grp_core *core, struct grp_declaration *wish, struct grp_error *error,
		     struct grp_changes **ret_changes)
{
	struct grp_changes *changes = calloc(1, sizeof(*changes));
	int r = 0;

	if (!changes)
		return -ENOMEM;
	changes->core = core;
	changes->wish = wish;
	changes->hierarchies = calloc(wish->n_hierarchies + 1, sizeof(*changes->hierarchies));
	if (!changes->hierarchies)
		r = -ENOMEM;
	if (!r)
		r = grp_changes_hierarchies(changes, error);
	for (size_t h = 0; !r && h < wish->n_hierarchies; h++)
		r = grp_changes_groups(changes, h, error);
	if (!r)
		r = grp_changes_room(changes, error);
	for (size_t h = 0; !r && h < wish->n_hierarchies; h++)
		r = grp_changes_only_groups(changes, h);
	if (!r)
		r = grp_changes_only_hierarchies(changes);
	if (r)
		grp_changes_free(changes);
	else
		*ret_changes = changes;
	return r;
}

/* --- errors --------------------------------------------------------------------------- */

int grp_changes_error(struct grp_error *error, int r, size_t h, size_t g, const char *format, ...)
{
	_cleanup_free_ char *member = NULL, *reason = NULL;
	bool said = error && error->number == -r && error->message[0];
	va_list args;

	va_start(args, format);
	if (vasprintf(&member, format, args) < 0)
		member = NULL;
	va_end(args);
	reason = strdup(said ? error->message : strerror(-r));
	if (!member || !reason)
		return -ENOMEM;
	if (g == GRP_NO_INDEX)
		return grp_error_set(error, -r, "hierarchies[%zu]%s: %s", h, member, reason);
	return grp_error_set(error, -r, "hierarchies[%zu].groups[%zu]%s: %s", h, g, member, reason);
}

/* --- showing ---------------------------------------------------------------------------- */

static void view_of(const struct grp_changes *changes, const struct grp_change *change,
		    struct grp_change_view *ret)
{
	const struct grp_declared_hierarchy *hierarchy =
		change->hierarchy == GRP_NO_INDEX ? NULL :
						    &changes->wish->hierarchies[change->hierarchy];

	*ret = (struct grp_change_view){
		.kind = change->op->kind == GRP_CHANGE_SET && change->fresh ? GRP_CHANGE_ADD :
									      change->op->kind,
		.hierarchy = hierarchy ? hierarchy->name : change->only_hierarchy->name,
		.group = change->path,
		.file = change->ref ? change->ref->name : NULL,
		.name = change->name,
		.from = change->fresh ? NULL : change->from,
		.to = change->to,
	};
	if (hierarchy && change->group != GRP_NO_INDEX)
		ret->group = hierarchy->groups[change->group].path;
}

int grp_changes_each(const struct grp_changes *changes,
		     int (*fn)(const struct grp_change_view *change, void *data), void *data)
{
	int r = 0;

	for (size_t i = 0; !r && i < changes->n; i++) {
		struct grp_change_view view;

		if (changes->items[i].silent)
			continue;
		view_of(changes, &changes->items[i], &view);
		r = fn(&view, data);
	}
	return r;
}

size_t grp_changes_count(const struct grp_changes *changes)
{
	size_t n = 0;

	for (size_t i = 0; i < changes->n; i++)
		n += !changes->items[i].silent && changes->items[i].op->act;
	return n;
}
