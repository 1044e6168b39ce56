/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory placement: policies, and what a thread should have. Only computation.
 *
 * Its wish is what it had before its group placed memory, or what it has set since: its
 * policy, if that is not the one that we have had it set. A group's policy is its own
 * whole; nothing of the wish is in it (unlike CPUs, which are intersected).
 */
#include <linux/mempolicy.h>
#include <string.h>

#include "core/place_memory_internal.h"

/* Bits of a mode that are flags; MPOL_MODE_FLAGS of newer headers has one more. */
#define MODE_FLAGS (MPOL_F_STATIC_NODES | MPOL_F_RELATIVE_NODES | (1U << 13))
/* With these the kernel keeps the nodes as they were asked for. */
#define KEEPS_NODES (MPOL_F_STATIC_NODES | MPOL_F_RELATIVE_NODES)

bool grp_policy_same(const struct grp_policy *a, const struct grp_policy *b)
{
	return a->mode == b->mode && grp_mask_equal(&a->nodes, &b->nodes);
}

bool grp_policy_made_of(const struct grp_policy *made, const struct grp_policy *of)
{
	return made->mode == of->mode && !grp_mask_empty(&made->nodes) &&
	       grp_mask_subset(&made->nodes, &of->nodes);
}

uint64_t grp_policy_hash(const struct grp_policy *policy)
{
	uint64_t hash = (0xcbf29ce484222325ULL ^ policy->mode) * 0x100000001b3ULL;

	for (unsigned int i = 0; i < GRP_MASK_WORDS; i++)
		hash = (hash ^ policy->nodes.words[i]) * 0x100000001b3ULL;
	return hash;
}

int grp_policy_id(struct grp_core *core, const struct grp_policy *policy, uint32_t *ret_id)
{
	const struct grp_mask_entry wanted = { .kind = GRP_MASK_POLICY,
					       .mode = policy->mode & ~MODE_FLAGS,
					       .flags = policy->mode & MODE_FLAGS };

	if (policy->mode == MPOL_DEFAULT) {
		*ret_id = 0;
		return 0;
	}
	return grp_masks_id(core, &wanted, &policy->nodes, ret_id);
}

/* 0, and what is not known any more, is none. */
static struct grp_policy policy_by_id(const struct grp_core *core, uint32_t id)
{
	const struct grp_mask_entry *entry = grp_masks_find(core, id);
	struct grp_policy policy = { .mode = MPOL_DEFAULT };

	if (entry) {
		policy.mode = entry->mode | entry->flags;
		policy.nodes = grp_mask_kept(&entry->mask);
	}
	return policy;
}

static struct grp_policy told_policy(const struct grp_policy_record *record)
{
	struct grp_policy policy = { .mode = record->mode | record->flags };

	memcpy(policy.nodes.words, record->nodes, sizeof(record->nodes));
	return policy;
}

/* What the kernel keeps of it, as long as it has all these nodes: one to prefer is the first. */
static struct grp_policy kept_policy(const struct grp_policy *policy)
{
	struct grp_policy kept = *policy;

	if (policy->mode == MPOL_PREFERRED && !grp_mask_empty(&policy->nodes)) {
		memset(&kept.nodes, 0, sizeof(kept.nodes));
		grp_mask_set(&kept.nodes, grp_mask_next(&policy->nodes, 0));
	}
	return kept;
}

/* --- what it should have ------------------------------------------------------------------ */

struct view {
	const struct grp_core *core;
	const struct grp_policy_record *record;
	const struct grp_group *group;
	uint32_t half;
	bool places;
	struct grp_policy applied;
};

/* A node that we had set is gone, and the kernel has put another in its place. */
static bool changed_by_kernel(const struct view *view, const struct grp_policy *now)
{
	return now->mode == view->applied.mode && !(now->mode & KEEPS_NODES) &&
	       !grp_mask_subset(&view->applied.nodes, &view->core->topology->nodes);
}

static bool has_wish_of_ours(const struct view *view, const struct grp_policy *now)
{
	return view->half && (grp_place_changing(view->half) || !grp_place_applied(view->half) ||
			      grp_policy_same(now, &view->applied) || changed_by_kernel(view, now));
}

/* What it was found with in the end, when the same was asked for. */
static bool is_settled(const struct view *view, const struct grp_policy *target)
{
	const struct grp_memory_task *task =
		grp_memory_find_task(view->core, (pid_t)view->record->task.tid);

	return task && task->stage == GRP_MEMORY_SETTLED &&
	       task->start_ns == view->record->task.start_ns &&
	       task->target == grp_policy_hash(target);
}

static bool is_right(const struct view *view, const struct grp_memory_item *item)
{
	const struct grp_policy wish = policy_by_id(view->core, grp_place_wish(view->half));
	const struct grp_policy kept = kept_policy(&item->target);

	return view->places && view->half && !grp_place_changing(view->half) &&
	       grp_policy_same(&item->now, &view->applied) && grp_policy_same(&item->wish, &wish) &&
	       (grp_policy_same(&view->applied, &kept) || is_settled(view, &item->target));
}

bool grp_memory_decide(const struct grp_core *core, const struct grp_policy_record *record,
		       struct grp_memory_item *ret_item)
{
	struct view view = { .core = core,
			     .record = record,
			     .group = grp_place_group((struct grp_core *)core, record->task.set),
			     .half = grp_place_of(record->task.place, GRP_PLACE_MEM) };
	struct grp_memory_item *item = ret_item;
	struct grp_policy kept;

	view.places = grp_memory_places(core, view.group);
	if (record->task.kind & GRP_TASK_KERNEL || (!view.half && !view.places))
		return false;
	view.applied = policy_by_id(core, grp_place_applied(view.half));
	*item = (struct grp_memory_item){ .half = view.half,
					  .group = view.group ? view.group->id : 0,
					  .restores = !view.places,
					  .now = told_policy(record) };
	item->wish = has_wish_of_ours(&view, &item->now) ?
			     policy_by_id(core, grp_place_wish(view.half)) :
			     item->now;
	item->target = item->wish;
	if (view.places && view.group) {
		item->target.mode = view.group->memory->mode;
		item->target.nodes = grp_mask_kept(&view.group->memory->nodes);
	}
	kept = kept_policy(&item->target);
	item->silent = grp_policy_same(&item->now, &kept);
	return !is_right(&view, item);
}
