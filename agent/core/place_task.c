/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * CPU placement of one thread: what it wishes, what it should have, how it gets it.
 *
 * Its wish is what it had before it was confined, or what was asked for since: its
 * mask, if that is not the one that we have set. It gets what its group allows of its
 * wish, or all that its group allows if that is nothing (CPUSET-12, 25).
 */
#include <errno.h>
#include <stdlib.h>

#include "core/place_internal.h"

/* More than there are threads on most machines; then it is begun anew. */
#define TRIED_MAX 65536

/* --- masks ------------------------------------------------------------------------------- */

static struct grp_mask told_mask(const struct grp_core *core, const struct grp_place_record *record)
{
	const __u64 *words = grp_place_mask(record);
	struct grp_mask mask = {};

	for (unsigned int i = 0; i < (core->view->cpus + 63) / 64; i++)
		mask.words[i] = words[i];
	return mask;
}

/* By id; 0, and what is not known any more, is everything. */
static struct grp_mask mask_by_id(const struct grp_core *core, uint32_t id)
{
	const struct grp_mask_entry *entry = grp_masks_find(core, id);
	struct grp_mask mask;

	if (entry)
		return grp_mask_kept(&entry->mask);
	grp_mask_fill(&mask, core->view->cpus);
	return mask;
}

/* Whether two masks are the same on the CPUs that are there. */
static bool alike(const struct grp_core *core, const struct grp_mask *a, const struct grp_mask *b)
{
	struct grp_mask x = *a, y = *b;

	grp_mask_and(&x, &core->place->online);
	grp_mask_and(&y, &core->place->online);
	return grp_mask_equal(&x, &y);
}

static uint64_t hash_of(const struct grp_mask *mask)
{
	uint64_t hash = 0;

	for (unsigned int i = 0; i < GRP_MASK_WORDS; i++)
		hash = (hash ^ mask->words[i]) * 0x100000001b3ULL;
	return hash;
}

/* --- what it should have ----------------------------------------------------------------- */

struct view {
	struct grp_core *core;
	const struct grp_place_record *record;
	const struct grp_group *group;
	uint32_t half;
	bool confined;
	struct grp_mask now; /* what it has, or what was asked for */
	struct grp_mask wish;
	struct grp_mask allowed; /* by its group */
	struct grp_mask target;
};

/* Whether it has what we have set. */
static bool has_ours(const struct view *view)
{
	const struct grp_core *core = view->core;
	uint32_t applied = grp_place_applied(view->half);
	struct grp_mask ours = mask_by_id(core, applied);

	if (!applied)
		return false;
	if (view->record->kind & GRP_TASK_KEPT)
		return !(view->record->kind & GRP_TASK_UNASKED) &&
		       grp_mask_equal(&view->now, &ours);
	return alike(core, &view->now, &ours);
}

/* It lost the last CPU that it had, and the kernel gave it all (hotplug). */
static bool broken_by_kernel(const struct view *view)
{
	struct grp_mask ours = mask_by_id(view->core, grp_place_applied(view->half));

	if (view->record->kind & GRP_TASK_KEPT)
		return view->record->kind & GRP_TASK_UNASKED;
	return !grp_mask_overlap(&ours, &view->core->place->online);
}

static bool has_wish_of_ours(const struct view *view)
{
	return view->half && (grp_place_changing(view->half) || !grp_place_applied(view->half) ||
			      has_ours(view) || broken_by_kernel(view));
}

static void find_wish(struct view *view, struct grp_place_item *item)
{
	if (has_wish_of_ours(view)) {
		item->wishes = grp_place_wish(view->half) != 0;
		view->wish = mask_by_id(view->core, grp_place_wish(view->half));
		return;
	}
	item->rewritten = view->half != 0;
	view->wish = view->now;
	item->wishes = !(view->record->kind & GRP_TASK_UNASKED) &&
		       !grp_mask_subset(&view->core->place->online, &view->now);
	if (!item->wishes)
		grp_mask_fill(&view->wish, view->core->view->cpus);
}

static void find_target(struct view *view, struct grp_place_item *item)
{
	view->target = view->wish;
	if (!view->confined) {
		item->restores = true;
		return;
	}
	grp_mask_and(&view->target, &view->allowed);
	if (grp_mask_empty(&view->target))
		view->target = view->allowed;
	item->violated = item->rewritten && !grp_mask_subset(&view->now, &view->allowed);
}

static bool is_right(const struct view *view, const struct grp_place_item *item)
{
	struct grp_mask wish = mask_by_id(view->core, grp_place_wish(view->half));
	struct grp_mask applied = mask_by_id(view->core, grp_place_applied(view->half));

	return !item->restores && !grp_place_changing(view->half) && has_ours(view) &&
	       grp_mask_equal(&applied, &view->target) &&
	       item->wishes == (grp_place_wish(view->half) != 0) &&
	       grp_mask_equal(&wish, &view->wish);
}

/* The last time that the same was asked for. */
static const struct grp_place_tried *find_tried(const struct view *view,
						const struct grp_place_item *item)
{
	struct grp_place_tried *tried;

	HASH_FIND(hh, view->core->place->tried, &item->tid, sizeof(item->tid), tried);
	return tried && tried->start_ns == item->start_ns &&
			       tried->target == hash_of(&view->target) && !item->rewritten ?
		       tried :
		       NULL;
}

/* Whether the same was asked in this round before. */
static bool was_tried(const struct view *view, const struct grp_place_item *item)
{
	const struct grp_place_tried *tried = find_tried(view, item);

	return tried && tried->ticket == view->core->place->round;
}

static int keep_masks(const struct view *view, struct grp_place_item *item)
{
	int r = grp_mask_keep(&item->target, &view->target);

	if (!r)
		r = grp_mask_keep(&item->wish, &view->wish);
	if (!r && item->violated)
		r = grp_mask_keep(&item->asked, &view->now);
	if (r)
		grp_place_item_done(item);
	return r;
}

/* Return: false: nothing of it is ours, nor will be. */
static bool look_at(struct grp_core *core, const struct grp_place_record *record, struct view *view,
		    struct grp_place_item *item)
{
	*view = (struct view){ .core = core,
			       .record = record,
			       .group = grp_place_group(core, record->set),
			       .half = grp_place_of(record->place, GRP_PLACE_CPU) };
	*item = (struct grp_place_item){
		.tid = (pid_t)record->tid,
		.tgid = (pid_t)record->tgid,
		.start_ns = record->start_ns,
		.half = view->half,
		.kept = record->kind & GRP_TASK_KEPT,
		.group = view->group ? view->group->id : 0,
	};
	view->confined = view->group && grp_place_confines(core, view->group);
	if (!view->half && (!view->confined || record->kind & GRP_TASK_FIXED))
		return false;
	if (view->confined)
		view->allowed = grp_mask_kept(view->group->cpus);
	view->now = told_mask(core, record);
	find_wish(view, item);
	find_target(view, item);
	return true;
}

enum grp_place_state grp_place_state_of(struct grp_core *core,
					const struct grp_place_record *record, int *ret_error)
{
	const struct grp_place_tried *tried;
	struct grp_place_item item;
	struct view view;

	*ret_error = 0;
	if (!look_at(core, record, &view, &item)) {
		*ret_error = view.confined ? -EINVAL : 0;
		return view.confined ? GRP_PLACE_STATE_REFUSED : GRP_PLACE_STATE_FREE;
	}
	tried = find_tried(&view, &item);
	*ret_error = tried ? tried->error : 0;
	if (*ret_error)
		return GRP_PLACE_STATE_REFUSED;
	return tried || is_right(&view, &item) ? GRP_PLACE_STATE_PLACED : GRP_PLACE_STATE_PENDING;
}

int grp_place_decide(struct grp_core *core, const struct grp_place_record *record,
		     struct grp_place_item *ret_item)
{
	struct grp_place_item item;
	struct view view;
	int r;

	if (!look_at(core, record, &view, &item))
		return 0;
	if (is_right(&view, &item) || was_tried(&view, &item))
		return 0;
	/* What was asked for is what it shall have: there is only to remember it. */
	item.silent = !(record->kind & GRP_TASK_UNASKED) && grp_mask_equal(&view.now, &view.target);
	if (item.rewritten && !grp_place_may_repair(core, &item))
		return 0;
	r = keep_masks(&view, &item);
	if (!r)
		*ret_item = item;
	return r ?: 1;
}

void grp_place_item_done(struct grp_place_item *item)
{
	grp_mask_drop(&item->wish);
	grp_mask_drop(&item->target);
	grp_mask_drop(&item->asked);
}

/* --- how it gets it ----------------------------------------------------------------------- */

struct apply {
	struct grp_core *core;
	const struct grp_place_item *item;
	struct grp_mask target;
	uint32_t wish, applied; /* ids */
	uint32_t half; /* of its place, by now */
};

static int put_half(struct apply *apply, uint32_t half)
{
	const struct grp_scan_request request = { .tid = (uint32_t)apply->item->tid,
						  .start_ns = apply->item->start_ns,
						  .half = GRP_PLACE_CPU,
						  .expected = apply->half,
						  .wanted = half };
	int r = 0;

	if (half != apply->half)
		r = apply->core->ops->place(apply->core->kernel, &request);
	if (!r)
		apply->half = half;
	return r;
}

static int find_ids(struct apply *apply)
{
	struct grp_mask wish = grp_mask_kept(&apply->item->wish);
	int r = 0;

	if (apply->item->wishes)
		r = grp_masks_cpus(apply->core, &wish, &apply->wish);
	if (!r && apply->item->restores)
		apply->applied = apply->wish;
	else if (!r)
		r = grp_masks_cpus(apply->core, &apply->target, &apply->applied);
	return r;
}

static void note_tried(const struct apply *apply, int error)
{
	struct grp_place_engine *engine = apply->core->place;
	const struct grp_place_item *item = apply->item;
	struct grp_place_tried *tried;

	HASH_FIND(hh, engine->tried, &item->tid, sizeof(item->tid), tried);
	if (!tried) {
		if (HASH_COUNT(engine->tried) >= TRIED_MAX)
			return;
		tried = calloc(1, sizeof(*tried));
		if (!tried)
			return; /* it is tried again in the next round, that is all */
		tried->tid = item->tid;
		HASH_ADD(hh, engine->tried, tid, sizeof(tried->tid), tried);
	}
	tried->start_ns = item->start_ns;
	tried->ticket = engine->round;
	tried->target = hash_of(&apply->target);
	tried->error = error;
	engine->figures.refused += error != 0;
}

/* All that its group allows, or for whom nothing confines, all. */
static struct grp_mask widest(const struct apply *apply)
{
	const struct grp_group *group = grp_group_by_id(apply->core, apply->item->group);

	if (!apply->item->restores && group && group->cpus)
		return grp_mask_kept(group->cpus);
	return mask_by_id(apply->core, 0);
}

/* -EINVAL: the kernel's own cpuset has none of these: then what else there is. */
static int set_mask(struct apply *apply)
{
	const struct grp_kernel_ops *ops = apply->core->ops;
	pid_t tid = apply->item->tid;
	struct grp_mask wide;
	int r = ops->affinity_set(apply->core->kernel, tid, &apply->target);

	if (r == -EINVAL) {
		wide = widest(apply);
		if (!grp_mask_equal(&wide, &apply->target))
			r = ops->affinity_set(apply->core->kernel, tid, &wide);
		if (!r && !apply->item->restores)
			r = grp_masks_cpus(apply->core, &wide, &apply->applied);
		if (!r)
			note_tried(apply, 0);
	}
	return r;
}

/*
 * A kernel that does not keep what was asked for: what it gave is what we know our
 * mask by, as its own cpuset may have left out some.
 */
static int look_what_it_got(struct apply *apply)
{
	struct grp_mask got;
	int r;

	if (apply->item->kept || apply->item->restores)
		return 0;
	r = apply->core->ops->affinity_get(apply->core->kernel, apply->item->tid, &got);
	if (r || grp_mask_equal(&got, &apply->target))
		return r;
	note_tried(apply, 0);
	return grp_masks_cpus(apply->core, &got, &apply->applied);
}

/* Its mask was not changed: its place is as before, for what is known of it. */
static int undo(struct apply *apply, int error)
{
	uint32_t before = apply->item->half;

	/* It was confined and cannot be now: what it wishes must not be forgotten. */
	if (grp_place_applied(before) && !grp_place_changing(before))
		before = grp_place_make(apply->wish, grp_place_applied(before));
	note_tried(apply, error);
	return put_half(apply, before);
}

static int apply_masks(struct apply *apply)
{
	uint32_t done;
	int r = find_ids(apply);

	if (r) {
		note_tried(apply, r);
		return r == -ENOSPC ? 0 : r;
	}
	done = apply->item->restores ? 0 : grp_place_make(apply->wish, apply->applied);
	if (apply->item->silent)
		return put_half(apply, done);
	r = put_half(apply, grp_place_make(apply->wish, apply->applied | GRP_PLACE_CHANGING));
	if (r)
		return r;
	r = set_mask(apply);
	if (r == -EINVAL || r == -EPERM)
		return undo(apply, r);
	if (!r)
		r = look_what_it_got(apply);
	if (r)
		return r;
	apply->core->place->figures.placed++;
	done = apply->item->restores ? 0 : grp_place_make(apply->wish, apply->applied);
	return put_half(apply, done);
}

static void tell_violation(struct grp_core *core, const struct grp_place_item *item,
			   const struct grp_place_event *by)
{
	struct grp_group *group = grp_group_by_id(core, item->group);
	struct grp_watch_event event = grp_watch_event(GRP_WATCH_PLACEMENT, group, NULL);
	struct grp_mask asked = grp_mask_kept(&item->asked), given = grp_mask_kept(&item->target);
	char *asked_text, *given_text;

	core->place->figures.repairs++;
	if (!grp_watched(core) || !group)
		return;
	asked_text = grp_mask_text(&asked);
	given_text = grp_mask_text(&given);
	event.thread = (uint64_t)item->tid;
	event.process = (uint64_t)item->tgid;
	event.asked = asked_text;
	event.given = given_text;
	if (by && by->how == GRP_PLACE_HOW_ASKED) {
		event.pid = by->by_tgid;
		event.uid = by->by_uid;
		event.comm = by->by_comm;
	}
	grp_emit(core, &event);
	free(asked_text);
	free(given_text);
}

int grp_place_apply(struct grp_core *core, const struct grp_place_item *item,
		    const struct grp_place_event *by)
{
	struct apply apply = { .core = core,
			       .item = item,
			       .target = grp_mask_kept(&item->target),
			       .half = item->half };
	int r = apply_masks(&apply);

	if (!r && item->violated)
		tell_violation(core, item, by);
	/* It has gone, or it has changed: the next round sees. */
	return r == -ESRCH || r == -EAGAIN ? 0 : r;
}
