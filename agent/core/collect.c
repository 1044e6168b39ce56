/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Garbage collection of sets and removed groups. A set goes in steps: no members
 * -> dead in the kernel -> no chargers (dead tasks made their last switch) -> no
 * zombie that still shows it as its last place -> a grace period -> its counters folded into its groups -> its id is free (A4). A removed group goes
 * when no set and no removed child refers to it any more.
 */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "core/internal.h"

/* Below this share of free ids also sets of living groups are collected. */
#define SCARCE_SHARE 4
/* A charger that nobody can be seen behind for so long was missed (6.1). */
#define STUCK_NS (60 * 1000000000ULL)

static bool scarce(const struct grp_core *core)
{
	unsigned int capacity = core->view->capacity_sets;

	return capacity - core->figures.sets < capacity / SCARCE_SHARE;
}

static bool of_dying_group(struct grp_core *core, const struct grp_set *set)
{
	for (unsigned int slot = 0; slot < GRP_HIERARCHIES_MAX; slot++)
		if (core->slots[slot] && set->group[slot] && grp_set_group(core, set, slot)->dying)
			return true;
	return false;
}

static int retire(struct grp_core *core, struct grp_set *set)
{
	const struct grp_control control = { .op = GRP_CONTROL_RETIRE, .set = set->id };
	int r;

	if (grp_set_members(core, set) || !(scarce(core) || of_dying_group(core, set)))
		return 0;
	r = core->ops->control(core->kernel, &control);
	if (r == -EBUSY)
		return 0; /* somebody was born into it just now */
	if (r)
		return r;
	/* Its event may still be on the way, and would find no set any more. */
	grp_empty_check_set(core, set);
	grp_set_retire(core, set);
	return 0;
}

/* --- chargers that stay --------------------------------------------------------------- */

struct search {
	uint16_t set;
	bool found;
};

static int see(const struct grp_scan_record *record, void *data)
{
	struct search *search = data;

	search->found = search->found || record->set == search->set;
	return 0;
}

/*
 * On 6.1 the free hook may find storage out of reach (it interrupts a helper on
 * the same CPU); the set's charger is then never counted down. Told by: no task to
 * be seen, no change for a minute, and the hook has counted such a case.
 */
static int uncharge_stuck(struct grp_core *core, struct grp_set *set, int64_t chargers)
{
	const struct grp_control control = { .op = GRP_CONTROL_UNCHARGE,
					     .set = set->id,
					     .delta = -chargers };
	struct search search = { .set = set->id };
	uint64_t now = grp_core_clock(core);
	int r;

	if (!set->stuck_since_ns || set->stuck_chargers != chargers) {
		set->stuck_since_ns = now;
		set->stuck_chargers = chargers;
		return 0;
	}
	if (now - set->stuck_since_ns < STUCK_NS || !core->view->stats[GRP_STAT_FREE_UNKNOWN])
		return 0;
	r = core->ops->pass(core->kernel, GRP_PASS_LIST, NULL, NULL, see, &search);
	if (r || search.found)
		return r;
	return core->ops->control(core->kernel, &control);
}

/* --- folding after the grace period ----------------------------------------------------- */

static void on_grace(void *data)
{
	struct grp_core *core = data;

	core->in_grace = false;
	for (unsigned int i = 1; i < core->view->capacity_sets; i++) {
		struct grp_set *set = &core->sets[i];

		if (set->state != GRP_SET_RETIRED || !set->graced)
			continue;
		/* On failure the set keeps its id and its counters, and is tried
		 * again after the next grace period. */
		if (grp_fold_set(core, set))
			set->graced = false;
	}
	(void)grp_core_collect(core);
}

static int collect_groups(struct grp_core *core, const struct grp_hierarchy *hierarchy)
{
	struct grp_group *group = hierarchy->root, *next;
	bool again = core->figures.dying_groups;
	int r = 0;

	/* Children before parents: go round until nothing more goes. */
	while (!r && again) {
		again = false;
		for (group = hierarchy->root; !r && group; group = next) {
			next = grp_group_next_any(hierarchy->root, group);
			if (!group->dying || group->sets || group->children)
				continue;
			r = grp_fold_group(core, group);
			again = true;
		}
	}
	return r;
}

/* --- zombies: they charge nothing any more, but still show where they were -------------- */

static int keep_named(const struct grp_scan_record *record, void *data)
{
	struct grp_core *core = data;

	if (record->set < core->view->capacity_sets &&
	    core->sets[record->set].state == GRP_SET_RETIRED)
		core->sets[record->set].graced = false;
	return 0;
}

/* Takes the mark from sets that some task still names. */
static int unmark_named(struct grp_core *core, bool *ret_any, bool *ret_waiting)
{
	unsigned int marked = 0, left = 0;
	int r;

	for (unsigned int i = 1; i < core->view->capacity_sets; i++)
		marked += core->sets[i].state == GRP_SET_RETIRED && core->sets[i].graced;
	r = core->ops->pass(core->kernel, GRP_PASS_LIST, NULL, NULL, keep_named, core);
	for (unsigned int i = 1; i < core->view->capacity_sets; i++) {
		struct grp_set *set = &core->sets[i];

		if (r)
			set->graced = false;
		left += set->state == GRP_SET_RETIRED && set->graced;
	}
	*ret_any = left;
	*ret_waiting = *ret_waiting || left < marked;
	return r;
}

/* Of the sets that are marked now; on failure none is. */
static int start_grace(struct grp_core *core)
{
	int r = core->ops->grace(core->kernel, on_grace, core);

	core->in_grace = !r;
	for (unsigned int i = 1; r && i < core->view->capacity_sets; i++)
		core->sets[i].graced = false;
	return r;
}

/* Retired sets whose last charger has gone; *ret_waiting: some still have one. */
static int collect_sets(struct grp_core *core, bool *ret_waiting)
{
	bool start = false;
	int r = 0;

	for (unsigned int i = 1; !r && i < core->view->capacity_sets; i++) {
		struct grp_set *set = &core->sets[i];
		int64_t chargers;

		if (set->state == GRP_SET_LIVE)
			r = retire(core, set);
		if (r || set->state != GRP_SET_RETIRED || set->graced)
			continue;
		chargers = __atomic_load_n(&grp_set_count(core, set)->chargers, __ATOMIC_ACQUIRE);
		if (chargers > 0) {
			*ret_waiting = true;
			r = uncharge_stuck(core, set, chargers);
		} else if (core->in_grace || grp_pressure_fresh(core, set)) {
			/* The period on its way began before the last charger went. */
			*ret_waiting = true;
		} else {
			set->graced = start = true;
		}
	}
	if (!r && start)
		r = unmark_named(core, &start, ret_waiting);
	return start ? start_grace(core) ?: r : r;
}

int grp_core_collect(struct grp_core *core)
{
	bool waiting = false;
	int r = grp_fold_finish(core);

	grp_empty_recover(core);
	grp_release_look(core);
	if (r)
		return r;
	if (core->figures.dying_groups || core->figures.retired_sets || scarce(core))
		r = collect_sets(core, &waiting);
	for (unsigned int slot = 0; !r && slot < GRP_HIERARCHIES_MAX; slot++)
		if (core->slots[slot] && core->figures.dying_groups)
			r = collect_groups(core, core->slots[slot]);
	if (!r)
		r = grp_hierarchies_collect(core);
	grp_subsystems_poll(core);
	return r ?: waiting;
}
