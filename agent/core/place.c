/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * CPU placement, see place.h: what groups allow, and rounds over their tasks. A round
 * is a pass that tells what tasks have, a list of those that should have something
 * else, and its work. The next round looks again, until one finds nothing to do:
 * then everything that was asked for up to the begin of that round is done. Tasks
 * that are born meanwhile have what their parents have, place and mask together; one
 * born across a change is marked and told by an event (see born_place()).
 */
#include "core/place.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "core/place_memory_internal.h"

/* Until a task that is being born is there. */
#define UNBORN_NS 1000000ULL
/* What has no place so long after its begin is not being born: nobody saw its birth. */
#define ABANDONED_NS 1000000000ULL
/* After the kernel has failed to do something. */
#define FAILED_NS 100000000ULL

/* --- life --------------------------------------------------------------------------------- */

int grp_place_new(struct grp_core *core)
{
	core->place = calloc(1, sizeof(*core->place));
	if (!core->place)
		return -ENOMEM;
	grp_mask_fill(&core->place->online, core->view->cpus);
	return 0;
}

static void drop_items(struct grp_place_engine *engine)
{
	for (size_t i = engine->at; i < engine->n_items; i++)
		grp_place_item_done(&engine->items[i]);
	engine->at = engine->n_items = 0;
}

static void forget_tried(struct grp_place_engine *engine)
{
	struct grp_place_tried *tried, *next;

	HASH_ITER(hh, engine->tried, tried, next) {
		HASH_DELETE(hh, engine->tried, tried);
		free(tried);
	}
}

void grp_place_free(struct grp_core *core)
{
	if (!core->place)
		return;
	drop_items(core->place);
	forget_tried(core->place);
	grp_place_repair_free(core);
	free(core->place->items);
	free(core->place);
}

void grp_place_forget_group(struct grp_group *group)
{
	if (group->cpus)
		grp_mask_drop(group->cpus);
	free(group->cpus);
	group->cpus = NULL;
}

void grp_place_load(struct grp_core *core)
{
	grp_place_touch_all(core);
}

/* --- what groups allow ---------------------------------------------------------------------- */

bool grp_place_confines(const struct grp_core *core, const struct grp_group *group)
{
	struct grp_mask cpus;

	if (!group || !group->cpus || core->place->releasing)
		return false;
	cpus = grp_mask_kept(group->cpus);
	return !grp_mask_subset(&core->place->online, &cpus);
}

struct grp_group *grp_place_group(struct grp_core *core, uint16_t set)
{
	struct grp_group *group;

	if (core->place->releasing || !core->slots[core->place->slot] ||
	    set >= core->view->capacity_sets || core->sets[set].state == GRP_SET_FREE)
		return NULL;
	group = grp_set_group(core, &core->sets[set], core->place->slot);
	while (group && group->dying && group->parent)
		group = group->parent;
	return group;
}

void grp_place_touch_all(struct grp_core *core)
{
	core->place->all = true;
	core->place->wanted++;
}

void grp_place_touch(struct grp_core *core, struct grp_group *group)
{
	struct grp_place_engine *engine = core->place;

	/* Nobody has anything to lose or to get back. */
	if (!engine->watching && engine->done == engine->wanted && !grp_place_confines(core, group))
		return;
	group->unplaced = ++engine->wanted;
}

int grp_place_set_cpus(struct grp_core *core, struct grp_group *group, const struct grp_mask *cpus)
{
	bool confined = grp_place_confines(core, group);
	struct grp_mask before;

	if (!cpus) {
		grp_place_forget_group(group);
		/* Its tasks may be in no group that confines, or it is about to go. */
		if (confined)
			grp_place_touch_all(core);
		return 0;
	}
	if (!group->cpus)
		group->cpus = calloc(1, sizeof(*group->cpus));
	if (!group->cpus)
		return -ENOMEM;
	if (core->place->slot != group->hierarchy->slot) {
		core->place->slot = group->hierarchy->slot;
		grp_place_touch_all(core);
	}
	before = grp_mask_kept(group->cpus);
	if (grp_mask_equal(&before, cpus))
		return 0;
	if (grp_mask_keep(group->cpus, cpus))
		return -ENOMEM;
	if (confined || grp_place_confines(core, group))
		grp_place_touch(core, group);
	return 0;
}

void grp_place_set_online(struct grp_core *core, const struct grp_mask *online)
{
	if (grp_mask_equal(&core->place->online, online))
		return;
	core->place->online = *online;
	if (core->place->watching)
		grp_place_touch_all(core);
}

int grp_place_claim(struct grp_core *core, struct grp_error *error)
{
	struct grp_place_engine *engine = core->place;
	int r = engine->claimed ? 0 : core->ops->place_claim(core->kernel, true);

	if (r == -EBUSY)
		return grp_error_set(error, EBUSY,
				     "another instance of grpagent confines tasks on this kernel");
	if (r || engine->claimed)
		return r;
	engine->claimed = true;
	/* If nobody is confined in the end, a round finds that and gives it back. */
	grp_place_touch_all(core);
	return 0;
}

int grp_place_unclaim(struct grp_core *core)
{
	struct grp_place_engine *engine = core->place;
	int r = 0;

	if (!engine->claimed || engine->watching || engine->wanted != engine->done ||
	    grp_memory_active(core))
		return 0;
	r = core->ops->place_claim(core->kernel, false);
	if (!r)
		engine->claimed = false;
	return r;
}

int grp_place_check(struct grp_core *core, const struct grp_group *group,
		    const struct grp_mask *cpus, struct grp_error *error)
{
	if (grp_mask_subset(&core->place->online, cpus) || !grp_group_tasks(core, group))
		return 0;
	return grp_place_claim(core, error);
}

int grp_place_can_attach(const struct grp_attach *attach)
{
	if (!grp_place_confines(attach->core, attach->group))
		return 0;
	for (size_t i = 0; i < attach->n; i++)
		if (attach->tasks[i].fixed)
			return grp_error_set(attach->error, EINVAL,
					     "thread %d (%s) is bound to its CPUs by the kernel",
					     (int)attach->tasks[i].tid, attach->tasks[i].comm);
	return grp_place_claim(attach->core, attach->error);
}

/* --- hooks -------------------------------------------------------------------------------------- */

int grp_place_activate(struct grp_core *core)
{
	struct grp_place_engine *engine = core->place;
	int r = 0;

	if (engine->watching || engine->releasing)
		return 0;
	if (!engine->claimed)
		r = core->ops->place_claim(core->kernel, true);
	if (r)
		return r;
	engine->claimed = true;
	r = core->ops->place_watch(core->kernel, true);
	if (r)
		return r;
	engine->watching = true;
	/* What was rewritten before the hooks were there nobody has told. */
	grp_place_touch_all(core);
	return 0;
}

static int deactivate(struct grp_core *core)
{
	struct grp_place_engine *engine = core->place;
	int r = 0;

	if (engine->watching)
		r = core->ops->place_watch(core->kernel, false);
	if (r)
		return r;
	engine->watching = false;
	forget_tried(engine);
	grp_place_repair_free(core);
	return grp_place_unclaim(core);
}

static bool any_confined(struct grp_core *core)
{
	const struct grp_hierarchy *hierarchy = core->slots[core->place->slot];
	struct grp_group *group = hierarchy ? hierarchy->root : NULL;

	for (; group; group = grp_group_next(hierarchy->root, group))
		if (grp_place_confines(core, group) && grp_group_tasks(core, group))
			return true;
	return false;
}

/* --- rounds --------------------------------------------------------------------------------------- */

static int add_item(struct grp_place_engine *engine, const struct grp_place_item *item)
{
	if (engine->n_items == engine->allocated) {
		size_t n = engine->allocated ? 2 * engine->allocated : 64;
		void *bigger = reallocarray(engine->items, n, sizeof(*engine->items));

		if (!bigger)
			return -ENOMEM;
		engine->items = bigger;
		engine->allocated = n;
	}
	engine->items[engine->n_items++] = *item;
	return 0;
}

bool grp_place_is_awaited(const struct grp_core *core, const struct grp_place_record *record)
{
	if (record->verdict == GRP_VERDICT_LISTED)
		return false;
	/* Else the programs will come upon it and see to it. */
	return !core->place->releasing ||
	       record->start_ns + ABANDONED_NS > grp_clock_ns(CLOCK_BOOTTIME);
}

static int on_placed(const struct grp_place_record *record, void *data)
{
	struct grp_core *core = data;
	struct grp_place_item item;
	int r;

	if (grp_place_is_awaited(core, record))
		core->place->unborn = true;
	if (record->verdict != GRP_VERDICT_LISTED)
		return 0;
	if (grp_place_of(record->place, GRP_PLACE_CPU))
		core->place->placed++;
	r = grp_place_decide(core, record, &item);
	if (r <= 0)
		return r;
	r = add_item(core->place, &item);
	if (r)
		grp_place_item_done(&item);
	return r;
}

static void plan_all(struct grp_core *core, uint16_t which)
{
	for (unsigned int i = 0; i < core->view->capacity_sets; i++)
		core->plan[i] = which;
}

static void plan_group(struct grp_core *core, const struct grp_group *group, uint16_t which)
{
	struct grp_set *set;

	DL_FOREACH2(group->sets, set, link[group->hierarchy->slot].next)
		if (set->state == GRP_SET_LIVE)
			core->plan[set->id] = which;
}

void grp_place_plan(struct grp_core *core, const struct grp_place_whom *whom, bool all)
{
	struct grp_group *group, *next;

	if (all)
		plan_all(core, GRP_PLAN_PLACED);
	HASH_ITER(hh_id, core->by_id, group, next) {
		bool places = whom->places(core, group);

		if (group->hierarchy && group->hierarchy->slot == core->place->slot &&
		    !group->dying && (whom->is_touched(group) || (all && places)))
			plan_group(core, group, places ? GRP_PLAN_ALL : GRP_PLAN_PLACED);
	}
}

void grp_place_plan_end(struct grp_core *core)
{
	plan_all(core, GRP_PLAN_NONE);
}

static bool is_touched(const struct grp_group *group)
{
	return group->unplaced;
}

static const struct grp_place_whom confined = { is_touched, grp_place_confines };

static int begin_round(struct grp_core *core)
{
	struct grp_place_engine *engine = core->place;
	int r = any_confined(core) ? grp_place_activate(core) : 0;

	if (r)
		return r;
	engine->round = engine->wanted;
	engine->round_all = engine->all;
	engine->unborn = false;
	engine->placed = 0;
	grp_place_plan(core, &confined, engine->round_all);
	r = core->ops->placed(core->kernel, NULL, core->plan, on_placed, core);
	grp_place_plan_end(core);
	if (r)
		drop_items(engine);
	return r;
}

/* A round has found nothing to do: all that was asked for before it is done. */
static int end_round(struct grp_core *core)
{
	struct grp_place_engine *engine = core->place;
	struct grp_group *group, *next;

	if (engine->unborn) {
		engine->retry_ns = grp_core_clock(core) + UNBORN_NS;
		return 0;
	}
	HASH_ITER(hh_id, core->by_id, group, next)
		if (group->unplaced <= engine->round)
			group->unplaced = 0;
	engine->done = engine->round;
	if (engine->wanted != engine->done)
		return 0;
	if (!engine->round_all) {
		/* Nobody left in a group that confines: has anybody still to get his own back? */
		if (engine->watching && !any_confined(core))
			grp_place_touch_all(core);
		return 0;
	}
	engine->all = false;
	return engine->placed || any_confined(core) ? 0 : deactivate(core);
}

/* One thread, or the next round. */
static int advance(struct grp_core *core)
{
	struct grp_place_engine *engine = core->place;
	int r;

	if (engine->at < engine->n_items) {
		struct grp_place_item *item = &engine->items[engine->at++];

		r = grp_place_apply(core, item, NULL);
		grp_place_item_done(item);
		return r;
	}
	drop_items(engine);
	r = begin_round(core);
	return r || engine->n_items ? r : end_round(core);
}

static bool busy(const struct grp_place_engine *engine)
{
	return engine->at < engine->n_items || engine->wanted != engine->done;
}

int grp_place_step(struct grp_core *core, uint64_t budget_ns)
{
	struct grp_place_engine *engine = core->place;
	uint64_t now = grp_core_clock(core), end = now + budget_ns;
	int r = grp_place_repair(core, end);

	while (!r && busy(engine) && engine->retry_ns <= now && now < end) {
		r = advance(core);
		now = grp_core_clock(core);
	}
	/* What a list was made from may have changed: it is made anew. */
	if (engine->wanted != engine->round)
		drop_items(engine);
	if (r)
		engine->retry_ns = grp_core_clock(core) + FAILED_NS;
	return r;
}

uint64_t grp_place_due(const struct grp_core *core)
{
	const struct grp_place_engine *engine = core->place;
	uint64_t due = grp_place_repair_due(core), round = 0;

	if (busy(engine))
		round = engine->retry_ns ?: 1;
	return !due || (round && round < due) ? round : due;
}

uint64_t grp_place_ticket(const struct grp_core *core)
{
	return core->place->wanted;
}

bool grp_place_settled(const struct grp_core *core, uint64_t ticket)
{
	return core->place->done >= ticket;
}

void grp_place_figures(const struct grp_core *core, struct grp_place_figures *ret_figures)
{
	*ret_figures = core->place->figures;
	ret_figures->masks = grp_masks_used(core);
	ret_figures->masks_limit = GRP_MASKS_MAX;
	ret_figures->active = core->place->watching;
	grp_memory_pending(core, &ret_figures->mems_pending, &ret_figures->migrations_pending);
}
