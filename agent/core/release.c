/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * See release.h. Who is to be looked at is told by the kernel's event of a set
 * that lost its last member, by the removal of a child and by a dropped reference;
 * when events were lost, and at a start, all groups are looked at.
 */
#include "core/release.h"

#include <errno.h>

#include "core/internal.h"

static bool is_occupied(struct grp_core *core, const struct grp_group *group)
{
	return group->n_children || grp_group_tasks(core, group);
}

static bool is_released(struct grp_core *core, const struct grp_group *group)
{
	return group->parent && !group->dying && group->flags & GRP_RELEASE_FLAGS &&
	       group->flags & GRP_GROUP_ENTERED && !group->references && !is_occupied(core, group);
}

static enum grp_release kind_of(const struct grp_group *group)
{
	if (group->flags & GRP_GROUP_NOTIFY_ON_RELEASE && *group->hierarchy->release_agent)
		return GRP_RELEASE_RUN;
	return group->flags & GRP_GROUP_AUTO_DELETE ? GRP_RELEASE_REMOVE : GRP_RELEASE_NONE;
}

static int set_mark(struct grp_core *core, struct grp_group *group, bool on)
{
	uint32_t flags = group->flags & ~GRP_GROUP_ENTERED;

	if (on)
		flags |= GRP_GROUP_ENTERED;
	return flags == group->flags ? 0 : grp_group_set_flags(core, group, flags);
}

/* --- the queues ------------------------------------------------------------------------ */

static void enqueue(struct grp_core *core, struct grp_group *group, enum grp_release kind,
		    bool first)
{
	group->release_queue = kind;
	if (first)
		DL_PREPEND2(core->releases[kind], group, release_prev, release_next);
	else
		DL_APPEND2(core->releases[kind], group, release_prev, release_next);
	core->figures.releases_pending++;
}

void grp_release_forget(struct grp_core *core, struct grp_group *group)
{
	enum grp_release kind = group->release_queue;

	if (kind == GRP_RELEASE_NONE)
		return;
	group->release_queue = GRP_RELEASE_NONE;
	DL_DELETE2(core->releases[kind], group, release_prev, release_next);
	core->figures.releases_pending--;
}

void grp_release_check(struct grp_core *core, struct grp_group *group)
{
	enum grp_release kind;

	if (group->release_queue || group->release_run || !is_released(core, group))
		return;
	kind = kind_of(group);
	if (kind != GRP_RELEASE_NONE)
		enqueue(core, group, kind, false);
	else
		/* REL-8. Should the mark stay, it is looked at again. */
		(void)set_mark(core, group, false);
}

bool grp_release_waits(const struct grp_core *core, enum grp_release kind)
{
	return core->releases[kind];
}

struct grp_group *grp_release_next(struct grp_core *core, enum grp_release kind)
{
	struct grp_group *group;

	while ((group = core->releases[kind])) {
		grp_release_forget(core, group);
		if (is_released(core, group) && kind_of(group) == kind)
			return group;
		/* The flags or the agent's path were changed meanwhile. */
		grp_release_check(core, group);
	}
	return NULL;
}

void grp_release_put_back(struct grp_core *core, struct grp_group *group)
{
	enqueue(core, group, kind_of(group), true);
}

/* --- carrying out ------------------------------------------------------------------------ */

int grp_release_started(struct grp_core *core, struct grp_group *group, uint64_t run)
{
	if (!(group->flags & GRP_GROUP_AUTO_DELETE))
		return set_mark(core, group, false);
	group->release_run = run;
	return 0;
}

struct grp_group *grp_release_ended(struct grp_core *core, uint32_t id, uint64_t run)
{
	struct grp_group *group = grp_group_by_id(core, id);

	if (!group || group->release_run != run)
		return NULL;
	group->release_run = 0;
	if (!is_released(core, group))
		return NULL;
	if (group->flags & GRP_GROUP_AUTO_DELETE)
		return group;
	/* The flag was taken away, and it was announced. */
	(void)set_mark(core, group, false);
	return NULL;
}

/* --- R1 ------------------------------------------------------------------------------------ */

int grp_release_enter(struct grp_core *core, struct grp_group *group)
{
	if (!group->parent || !(group->flags & GRP_RELEASE_FLAGS))
		return 0;
	/* Who reads its last figures now does it for a release that is over. */
	group->release_run = 0;
	return set_mark(core, group, true);
}

/* Moves into a group, ever: who came and went at once is seen too. */
static uint64_t entries_of(const struct grp_core *core, const struct grp_group *group)
{
	const struct grp_set *set;
	uint64_t sum = 0;

	DL_FOREACH2(group->sets, set, link[group->hierarchy->slot].next)
		sum += __atomic_load_n(&grp_set_count(core, set)->entries, __ATOMIC_ACQUIRE);
	return sum;
}

void grp_release_will_mark(struct grp_core *core, const struct grp_target *target,
			   struct grp_journal *record)
{
	record->marked = 0;
	record->entries = 0;
	for (unsigned int slot = 0; slot < GRP_HIERARCHIES_MAX; slot++) {
		const struct grp_group *group = target->group[slot];

		if (!group || !group->parent || !(group->flags & GRP_RELEASE_FLAGS) ||
		    group->flags & GRP_GROUP_ENTERED)
			continue;
		record->marked |= 1U << slot;
		record->entries += entries_of(core, group);
	}
}

int grp_release_entering(struct grp_core *core, const struct grp_target *target)
{
	int r = 0;

	for (unsigned int slot = 0; !r && slot < GRP_HIERARCHIES_MAX; slot++)
		if (target->group[slot])
			r = grp_release_enter(core, target->group[slot]);
	return r;
}

/* Nobody was in them, so whoever came in came into all of them. */
static bool was_entered(struct grp_core *core, const struct grp_target *target,
			const struct grp_journal *record)
{
	uint64_t entries = 0;

	for (unsigned int slot = 0; slot < GRP_HIERARCHIES_MAX; slot++)
		if (record->marked & (1U << slot))
			entries += entries_of(core, target->group[slot]);
	return entries != record->entries;
}

void grp_release_not_entered(struct grp_core *core, const struct grp_target *target,
			     const struct grp_journal *record)
{
	uint32_t marked = was_entered(core, target, record) ? 0 : record->marked;

	for (unsigned int slot = 0; slot < GRP_HIERARCHIES_MAX; slot++) {
		struct grp_group *group = target->group[slot];

		if (!group)
			continue;
		if (marked & (1U << slot) && !is_occupied(core, group))
			(void)set_mark(core, group, false);
		grp_release_check(core, group);
	}
}

int grp_release_set_flag(struct grp_core *core, struct grp_group *group, uint32_t flag, bool on)
{
	uint32_t flags = on ? group->flags | flag : group->flags & ~flag;
	bool clears = flag == GRP_GROUP_NOTIFY_ON_RELEASE && !(flags & GRP_GROUP_AUTO_DELETE);
	bool announces = flags & GRP_RELEASE_FLAGS;
	int r;

	if (announces && group->parent && is_occupied(core, group))
		flags |= GRP_GROUP_ENTERED;
	else if (!announces || clears)
		flags &= ~GRP_GROUP_ENTERED;
	r = flags == group->flags ? 0 : grp_group_set_flags(core, group, flags);
	if (!r)
		grp_release_check(core, group);
	return r;
}

/* --- looking at many --------------------------------------------------------------------- */

void grp_release_event(struct grp_core *core, const struct grp_event *event)
{
	const struct grp_set *set;

	if (event->set >= core->view->capacity_sets)
		return;
	set = &core->sets[event->set];
	for (unsigned int slot = 0; slot < GRP_HIERARCHIES_MAX; slot++)
		if (set->state != GRP_SET_FREE && core->slots[slot] && set->group[slot])
			grp_release_check(core, grp_set_group(core, set, slot));
}

static int each_group(struct grp_core *core,
		      int (*fn)(struct grp_core *core, struct grp_group *group))
{
	int r = 0;

	for (unsigned int slot = 0; slot < GRP_HIERARCHIES_MAX; slot++) {
		struct grp_group *root = core->slots[slot] ? core->slots[slot]->root : NULL;

		for (struct grp_group *g = root; !r && g; g = grp_group_next(root, g))
			if (g->flags & GRP_RELEASE_FLAGS)
				r = fn(core, g);
	}
	return r;
}

static int look(struct grp_core *core, struct grp_group *group)
{
	grp_release_check(core, group);
	return 0;
}

/* A mkdir that was cut off behind its child leaves R1 to be mended. */
static int mend(struct grp_core *core, struct grp_group *group)
{
	int r = is_occupied(core, group) ? grp_release_enter(core, group) : 0;

	return r ?: look(core, group);
}

int grp_release_load(struct grp_core *core)
{
	core->seen_lost = core->view->stats[GRP_STAT_EVENTS_LOST];
	return each_group(core, mend);
}

void grp_release_look(struct grp_core *core)
{
	uint64_t lost = core->view->stats[GRP_STAT_EVENTS_LOST];

	if (lost == core->seen_lost)
		return;
	core->seen_lost = lost;
	(void)each_group(core, look);
}
