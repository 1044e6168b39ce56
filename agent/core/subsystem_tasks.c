/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Subsystems and tasks: veto and notice of a move (TASK-9, API-5), and births and
 * exits, which the kernel counts and which are told in numbers, later (FE-6).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/internal.h"

/* --- moves ---------------------------------------------------------------------------- */

/* What acts on moves into a group: nothing that is switched off, in the root neither. */
static uint32_t acting(struct grp_core *core, const struct grp_group *group)
{
	return grp_hierarchy_subsystems(core, group->hierarchy) & ~group->hierarchy->disabled;
}

bool grp_target_asks(struct grp_core *core, const struct grp_target *target)
{
	for (unsigned int slot = 0; slot < GRP_HIERARCHIES_MAX; slot++) {
		uint32_t mask = target->group[slot] ? acting(core, target->group[slot]) : 0;

		for (size_t i = 0; i < grp_n_subsystems; i++)
			if (mask & (1U << i) &&
			    (grp_subsystems[i]->can_attach || grp_subsystems[i]->attach))
				return true;
	}
	return false;
}

static bool elsewhere(const struct grp_attach *attach, const struct grp_member *member)
{
	return grp_member_group(attach->core, member, attach->group->hierarchy) != attach->group;
}

/* The members that are elsewhere in the hierarchy of the group they go to. */
static int pick(struct grp_attach *attach, const struct grp_members *members)
{
	struct grp_member *tasks = calloc(members->n + 1, sizeof(*tasks));

	if (!tasks)
		return -ENOMEM;
	attach->n = 0;
	attach->tasks = tasks;
	for (size_t i = 0; i < members->n; i++)
		if (elsewhere(attach, &members->items[i]))
			tasks[attach->n++] = members->items[i];
	return 0;
}

int grp_ask_init(struct grp_ask *ask, struct grp_core *core, const struct grp_target *target,
		 const struct grp_members *members, const struct grp_caller *caller,
		 struct grp_error *error)
{
	int r = 0;

	*ask = (struct grp_ask){};
	for (unsigned int slot = 0; !r && slot < GRP_HIERARCHIES_MAX; slot++) {
		struct grp_attach *attach = &ask->attach[slot];

		attach->core = core;
		attach->group = target->group[slot];
		attach->caller = caller;
		attach->error = error;
		if (!attach->group)
			continue;
		ask->acting[slot] = acting(core, attach->group);
		r = pick(attach, members);
		if (!r && attach->n)
			ask->wanted = true;
	}
	return r;
}

static bool looks(struct grp_core *core, struct grp_group *group)
{
	uint32_t mask = acting(core, group);

	for (size_t i = 0; i < grp_n_subsystems; i++) {
		const struct grp_subsystem *subsystem = grp_subsystems[i];

		if (mask & (1U << i) && (subsystem->can_attach || subsystem->attach) &&
		    (!subsystem->looks || subsystem->looks(core, group)))
			return true;
	}
	return false;
}

bool grp_ask_unseen(struct grp_ask *ask, struct grp_core *core, const struct grp_target *target,
		    const struct grp_caller *caller)
{
	*ask = (struct grp_ask){ .unseen = true };
	for (unsigned int slot = 0; slot < GRP_HIERARCHIES_MAX; slot++) {
		struct grp_group *group = target->group[slot];

		if (!group)
			continue;
		if (looks(core, group))
			return false;
		ask->acting[slot] = acting(core, group);
		ask->attach[slot] = (struct grp_attach){
			.core = core, .group = group, .n = 1, .caller = caller
		};
	}
	return grp_ask_veto(ask) == 0;
}

void grp_ask_done(struct grp_ask *ask)
{
	for (unsigned int slot = 0; slot < GRP_HIERARCHIES_MAX; slot++)
		free((struct grp_member *)ask->attach[slot].tasks);
}

/* Steps are pairs (slot, subsystem), in this order. */
#define STEPS (GRP_HIERARCHIES_MAX * GRP_SUBSYSTEMS_MAX)

/* The subsystem of a step, or NULL when there is nothing to ask of it. */
static const struct grp_subsystem *of_step(const struct grp_ask *ask, unsigned int step,
					   const struct grp_attach **ret_attach, void **ret_state)
{
	unsigned int slot = step / GRP_SUBSYSTEMS_MAX, index = step % GRP_SUBSYSTEMS_MAX;
	const struct grp_attach *attach = &ask->attach[slot];

	if (!attach->group || !attach->n || !(ask->acting[slot] & (1U << index)))
		return NULL;
	*ret_attach = attach;
	*ret_state = attach->group->state[index];
	return grp_subsystems[index];
}

int grp_ask_veto(struct grp_ask *ask)
{
	const struct grp_attach *attach;
	void *state;
	int r = 0;

	for (ask->asked = 0; !r && ask->asked < STEPS; ask->asked++) {
		const struct grp_subsystem *subsystem = of_step(ask, ask->asked, &attach, &state);

		if (subsystem && subsystem->can_attach)
			r = subsystem->can_attach(attach, state);
	}
	if (!r)
		return 0;
	/* Who refuses has reserved nothing. */
	ask->asked--;
	grp_ask_cancel(ask);
	return r;
}

void grp_ask_cancel(struct grp_ask *ask)
{
	const struct grp_attach *attach;
	void *state;

	while (ask->asked-- > 0) {
		const struct grp_subsystem *subsystem = of_step(ask, ask->asked, &attach, &state);

		if (subsystem && subsystem->cancel_attach)
			subsystem->cancel_attach(attach, state);
	}
	ask->asked = 0;
}

/* Brings those that came from elsewhere to the front; a later pass met them there. */
static size_t sort_out(const struct grp_attach *attach, struct grp_members *moved)
{
	size_t n = 0;

	for (size_t i = 0; i < moved->n; i++) {
		struct grp_member member = moved->items[i];

		if (!elsewhere(attach, &member))
			continue;
		moved->items[i] = moved->items[n];
		moved->items[n++] = member;
	}
	return n;
}

static void tell_attached(const struct grp_attach *attach, uint32_t mask)
{
	for (unsigned int i = 0; attach->n && i < grp_n_subsystems; i++)
		if (mask & (1U << i) && grp_subsystems[i]->attach)
			grp_subsystems[i]->attach(attach, attach->group->state[i]);
}

void grp_ask_attached(struct grp_ask *ask, struct grp_members *moved)
{
	for (unsigned int slot = 0; slot < GRP_HIERARCHIES_MAX; slot++) {
		struct grp_attach attach = ask->attach[slot];

		if (!attach.group)
			continue;
		if (!ask->unseen) {
			attach.n = sort_out(&attach, moved);
			attach.tasks = moved->items;
		}
		tell_attached(&attach, ask->acting[slot]);
	}
}

void grp_target_tell(struct grp_core *core, const struct grp_target *target,
		     const struct grp_caller *caller)
{
	for (unsigned int slot = 0; slot < GRP_HIERARCHIES_MAX; slot++) {
		struct grp_group *group = target->group[slot];
		struct grp_members members = {};
		struct grp_attach attach;

		if (!group || !grp_target_asks(core, target))
			continue;
		(void)grp_group_members(core, group, false, NULL, &members);
		attach = (struct grp_attach){ .core = core,
					      .group = group,
					      .tasks = members.items,
					      .n = members.n,
					      .caller = caller };
		tell_attached(&attach, acting(core, group));
		grp_members_done(&members);
	}
}

int grp_group_can_attach(struct grp_core *core, struct grp_group *group,
			 const struct grp_caller *caller, struct grp_error *error)
{
	const struct grp_attach attach = {
		.core = core, .group = group, .caller = caller, .error = error
	};
	uint32_t mask = acting(core, group);
	int r = 0;

	for (unsigned int i = 0; !r && i < grp_n_subsystems; i++)
		if (mask & (1U << i) && grp_subsystems[i]->can_attach)
			r = grp_subsystems[i]->can_attach(&attach, group->state[i]);
	return r;
}

/* --- births and exits -------------------------------------------------------------------- */

/* What the kernel has counted of a group's own tasks; members at the same moment. */
struct counts {
	uint64_t forks, exits, members;
};

/* A set's counts belong together when "changes" did not move while they were read. */
#define TRIES 100

static void add_set(const struct grp_core *core, const struct grp_set *set, struct counts *to)
{
	const struct grp_count *count = grp_set_count(core, set);
	struct counts now = {};
	uint64_t before;

	for (unsigned int i = 0; i < TRIES; i++) {
		before = __atomic_load_n(&count->changes, __ATOMIC_ACQUIRE);
		now.forks = __atomic_load_n(&count->forks, __ATOMIC_ACQUIRE);
		now.exits = __atomic_load_n(&count->exits, __ATOMIC_ACQUIRE);
		now.members = grp_set_members(core, set);
		if (__atomic_load_n(&count->changes, __ATOMIC_ACQUIRE) == before)
			break;
	}
	to->forks += now.forks;
	to->exits += now.exits;
	to->members += now.members;
}

static int read_counts(struct grp_core *core, struct grp_group *group, struct counts *ret)
{
	struct grp_set *set;
	int r;

	memset(core->base, 0, core->base_size);
	r = grp_usage_add_base(core, group, GRP_BASE_OWN, core->base);
	if (r)
		return r;
	*ret = (struct counts){ .forks = core->base->forks, .exits = core->base->exits };
	DL_FOREACH2(group->sets, set, link[group->hierarchy->slot].next)
		add_set(core, set, ret);
	return 0;
}

static bool counts_tasks(const struct grp_subsystem *subsystem)
{
	return subsystem->fork || subsystem->exit;
}

static uint32_t counting(void)
{
	uint32_t mask = 0;

	for (size_t i = 0; i < grp_n_subsystems; i++)
		if (counts_tasks(grp_subsystems[i]))
			mask |= 1U << i;
	return mask;
}

/* Where one is switched off, all groups share the state of the root (EN-3). */
static void tell(struct grp_core *core, struct grp_group *group, uint32_t mask, uint64_t forks,
		 uint64_t exits)
{
	const struct grp_hierarchy *hierarchy = group->hierarchy;

	for (unsigned int i = 0; i < grp_n_subsystems; i++) {
		const struct grp_subsystem *subsystem = grp_subsystems[i];
		struct grp_group *at = hierarchy->disabled & (1U << i) ? hierarchy->root : group;

		if (!(mask & (1U << i)))
			continue;
		if (forks && subsystem->fork)
			subsystem->fork(core, at, at->state[i], forks);
		if (exits && subsystem->exit)
			subsystem->exit(core, at, at->state[i], exits);
	}
}

static void poll_group(struct grp_core *core, struct grp_group *group, uint32_t mask)
{
	struct counts now;

	if (read_counts(core, group, &now))
		return; /* told the next time */
	tell(core, group, mask, now.forks - group->seen_forks, now.exits - group->seen_exits);
	group->seen_forks = now.forks;
	group->seen_exits = now.exits;
}

void grp_subsystems_poll(struct grp_core *core)
{
	for (unsigned int slot = 0; core->polled && slot < GRP_HIERARCHIES_MAX; slot++) {
		struct grp_hierarchy *hierarchy = core->slots[slot];
		struct grp_group *group = hierarchy ? hierarchy->root : NULL;

		for (; group; group = grp_group_next(hierarchy->root, group)) {
			uint32_t mask = grp_hierarchy_subsystems(core, hierarchy) & counting();

			if (mask)
				poll_group(core, group, mask);
		}
	}
}

void grp_subsystems_count(struct grp_core *core, struct grp_hierarchy *hierarchy, uint32_t mask)
{
	uint32_t bound = grp_hierarchy_subsystems(core, hierarchy) & counting();
	struct grp_group *group = hierarchy->root;
	struct counts now;

	mask &= bound;
	for (; mask && group; group = grp_group_next(hierarchy->root, group)) {
		/* Those that were there before hear what they have not heard yet. */
		poll_group(core, group, bound & ~mask);
		if (read_counts(core, group, &now))
			continue;
		tell(core, group, mask, now.members, 0);
		group->seen_forks = now.forks;
		group->seen_exits = now.exits;
	}
}
