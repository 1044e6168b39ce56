/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * See clone.h. Children are made in several hierarchies, and the task is moved into all
 * of them; a SIGKILL must not leave that half-done. Each child has a value
 * that says for which task it was made; it is stored before the child's record and
 * goes when all is done, that of the first child first, which decides. A start finds
 * what was not decided and makes the move; if it cannot be made the children go.
 */
#include "core/clone.h"

#include <errno.h>
#include <string.h>

#include "core/internal.h"

static bool find_intent(struct grp_core *core, struct grp_group *group, struct grp_value_clone *ret)
{
	const struct grp_value_entry *entry =
		grp_value_find(core, group, GRP_VALUE_CLONE, GRP_CLONE_INTENT);

	if (!entry || entry->len != sizeof(*ret))
		return false;
	memcpy(ret, entry->data, sizeof(*ret));
	return true;
}

static int drop_intent(struct grp_core *core, struct grp_group *group)
{
	return grp_value_drop(core, group, GRP_VALUE_CLONE, GRP_CLONE_INTENT);
}

int grp_clone_note(struct grp_core *core, struct grp_group *child, struct grp_value_clone *intent)
{
	if (!intent->leader)
		intent->leader = child->id;
	return grp_value_put(core, child, GRP_VALUE_CLONE, GRP_CLONE_INTENT, intent,
			     sizeof(*intent));
}

int grp_clone_make(struct grp_core *core, const struct grp_clone_child *child,
		   struct grp_value_clone *intent, struct grp_error *error,
		   struct grp_group **ret_group)
{
	const struct grp_making making = {
		.parent = child->parent,
		.name = child->name,
		.mode = child->mode,
		.caller = child->caller,
		.clone = intent,
		.error = error,
	};

	return grp_group_make_for(core, &making, ret_group);
}

int grp_clone_commit(struct grp_core *core, const struct grp_target *target)
{
	bool decided = false;
	int r = 0;

	for (unsigned int slot = 0; !r && slot < GRP_HIERARCHIES_MAX; slot++) {
		if (!target->group[slot])
			continue;
		r = drop_intent(core, target->group[slot]);
		/* What stays of the others is dropped by the next start. */
		r = decided ? 0 : r;
		decided = true;
	}
	return r;
}

/* What the caller was allowed to do is undone whatever he is allowed to. */
int grp_clone_undo(struct grp_core *core, struct grp_group *child)
{
	const struct grp_caller root = { .uid = 0 };
	struct grp_target back = { .group = { NULL } };

	(void)grp_target_add(&back, child->parent);
	if (grp_group_tasks(core, child))
		(void)grp_attach_members(core, &back, child, &root, NULL, NULL);
	return grp_group_remove(core, child, &root, NULL) ? drop_intent(core, child) : 0;
}

/* --- after a SIGKILL ------------------------------------------------------------------ */

struct undecided {
	struct grp_value_clone intent;
	struct grp_target children;
	uint32_t slots; /* in which there is one */
};

static bool find_undecided(struct grp_core *core, struct undecided *ret)
{
	*ret = (struct undecided){};
	for (struct grp_group *group = core->by_id; group; group = group->hh_id.next)
		if (!group->dying && find_intent(core, group, &ret->intent))
			return true;
	return false;
}

static void gather(struct grp_core *core, struct undecided *clone)
{
	for (struct grp_group *group = core->by_id; group; group = group->hh_id.next) {
		struct grp_value_clone intent;

		if (group->dying || !find_intent(core, group, &intent) ||
		    intent.leader != clone->intent.leader)
			continue;
		clone->children.group[group->hierarchy->slot] = group;
		clone->slots |= 1U << group->hierarchy->slot;
	}
}

static int move_in(struct grp_core *core, const struct undecided *clone)
{
	struct grp_journal record = {
		.op = GRP_JOURNAL_ATTACH,
		.tid = clone->intent.tid,
		.whole = clone->intent.whole,
		.self = clone->intent.self,
		.uid = clone->intent.uid,
		.start_ns = clone->intent.start_ns,
	};

	for (unsigned int slot = 0; slot < GRP_HIERARCHIES_MAX; slot++)
		if (clone->children.group[slot])
			record.target[slot] = clone->children.group[slot]->id;
	return grp_attach_again(core, &record);
}

static int undo_all(struct grp_core *core, const struct undecided *clone)
{
	int r = 0;

	for (unsigned int slot = GRP_HIERARCHIES_MAX; slot-- > 0;)
		if (!r && clone->children.group[slot])
			r = grp_clone_undo(core, clone->children.group[slot]);
	return r;
}

/* Afterwards none of its children has an intent any more. */
static int end(struct grp_core *core, struct undecided *clone)
{
	const struct grp_group *leader = grp_group_by_id(core, clone->intent.leader);
	bool decided = leader && !leader->dying && !clone->children.group[leader->hierarchy->slot];

	/* Not all were made, then nobody has entered; or the move is refused, as it was then. */
	if (!decided && (clone->slots != clone->intent.slots || move_in(core, clone)))
		return undo_all(core, clone);
	return grp_clone_commit(core, &clone->children);
}

int grp_clones_resume(struct grp_core *core)
{
	struct undecided clone;
	int r = 0;

	while (!r && find_undecided(core, &clone)) {
		gather(core, &clone);
		r = end(core, &clone);
	}
	return r;
}
