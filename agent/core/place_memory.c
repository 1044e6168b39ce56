/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory placement, see place_memory.h: what groups say, and rounds over their tasks. A
 * round is a pass that tells which policies tasks have, and finds those that should have
 * another. These are noted first, all of them: what each wished goes into its place. Then
 * the helper is asked for one after the other. When it has no more to do, the groups of
 * those that were placed are looked at again, for who was born meanwhile.
 */
#include "core/place_memory.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/place_memory_internal.h"

/* Until a task that is being born is there. */
#define UNBORN_NS 1000000ULL
/* After the kernel has failed to do something. */
#define FAILED_NS 100000000ULL
/* A helper that was not asked for so long ends. */
#define REST_NS 10000000000ULL
/* Between tries: doubles from the first to the last. */
#define PAUSE_NS 100000000ULL
#define PAUSE_MAX_NS 30000000000ULL

/* --- life --------------------------------------------------------------------------------- */

int grp_memory_new(struct grp_core *core)
{
	core->memory = calloc(1, sizeof(*core->memory));
	return core->memory ? 0 : -ENOMEM;
}

void grp_memory_free(struct grp_core *core)
{
	struct grp_memory_engine *engine = core->memory;
	struct grp_memory_task *task, *next_task;
	struct grp_memory_move *move, *next_move;
	struct grp_memory_spared *spared, *next_spared;

	if (!engine)
		return;
	HASH_ITER(hh, engine->tasks, task, next_task)
		grp_memory_drop_task(core, task);
	HASH_ITER(hh, engine->moves, move, next_move)
		grp_memory_drop_move(core, move);
	HASH_ITER(hh, engine->spared, spared, next_spared) {
		HASH_DELETE(hh, engine->spared, spared);
		free(spared);
	}
	free(engine);
}

void grp_memory_forget_group(struct grp_group *group)
{
	if (group->memory)
		grp_mask_drop(&group->memory->nodes);
	free(group->memory);
	group->memory = NULL;
}

/* --- common ------------------------------------------------------------------------------- */

bool grp_memory_may_pass(enum grp_place_result reason)
{
	switch (reason) {
	case GRP_PLACE_COMPAT:
	case GRP_PLACE_DISPATCH:
	case GRP_PLACE_SECCOMP:
	case GRP_PLACE_NO_CALL:
	case GRP_PLACE_REFUSED:
	case GRP_PLACE_FAILED:
		return false;
	default:
		return true;
	}
}

uint64_t grp_memory_pause_ns(unsigned int tries, enum grp_place_result reason)
{
	unsigned int doubled = tries ? tries - 1 : 0;

	if (doubled > 10 || !grp_memory_may_pass(reason))
		return PAUSE_MAX_NS;
	return PAUSE_NS << doubled < PAUSE_MAX_NS ? PAUSE_NS << doubled : PAUSE_MAX_NS;
}

uint64_t grp_memory_ticks(uint64_t start_ns)
{
	return start_ns / (1000000000ULL / (uint64_t)sysconf(_SC_CLK_TCK));
}

void grp_memory_rests(struct grp_core *core, enum grp_helper which)
{
	core->memory->idle_ns[which] = grp_core_clock(core) + REST_NS;
}

/* --- who waits for us ---------------------------------------------------------------------- */

static struct grp_memory_spared *find_spared(const struct grp_core *core, pid_t pid)
{
	struct grp_memory_spared *spared;

	HASH_FIND(hh, core->memory->spared, &pid, sizeof(pid), spared);
	return spared;
}

bool grp_memory_is_spared(const struct grp_core *core, pid_t tid, pid_t tgid)
{
	return core->memory->spared && (find_spared(core, tid) || find_spared(core, tgid));
}

void grp_memory_spare(struct grp_core *core, pid_t pid, bool waits)
{
	struct grp_memory_spared *spared = find_spared(core, pid);

	if (!spared && waits) {
		spared = calloc(1, sizeof(*spared));
		/* Without memory for it, it is stopped, if at all, in the midst of its call. */
		if (!spared)
			return;
		spared->pid = pid;
		HASH_ADD(hh, core->memory->spared, pid, sizeof(spared->pid), spared);
	}
	if (!spared)
		return;
	spared->calls += waits ? 1 : -1U;
	if (spared->calls)
		return;
	HASH_DELETE(hh, core->memory->spared, spared);
	free(spared);
}

/* --- what groups say ---------------------------------------------------------------------- */

bool grp_memory_places(const struct grp_core *core, const struct grp_group *group)
{
	return group && group->memory && group->memory->places && !core->place->releasing;
}

bool grp_memory_active(const struct grp_core *core)
{
	return core->memory->active || core->memory->wanted != core->memory->done;
}

void grp_memory_pending(const struct grp_core *core, unsigned int *ret_tasks,
			unsigned int *ret_moves)
{
	struct grp_memory_task *task, *next;

	*ret_moves = HASH_COUNT(core->memory->moves);
	*ret_tasks = 0;
	HASH_ITER(hh, core->memory->tasks, task, next)
		*ret_tasks += task->stage != GRP_MEMORY_SETTLED;
}

/* Whether anybody is there who is not as he should be. */
static bool has_work(const struct grp_core *core)
{
	unsigned int tasks, moves;

	grp_memory_pending(core, &tasks, &moves);
	return tasks;
}

bool grp_memory_busy(const struct grp_core *core)
{
	const struct grp_memory_engine *engine = core->memory;

	return engine->wanted != engine->done || engine->worked || has_work(core);
}

static bool any_places(struct grp_core *core)
{
	const struct grp_hierarchy *hierarchy = core->slots[core->place->slot];
	struct grp_group *group = hierarchy ? hierarchy->root : NULL;

	for (; group; group = grp_group_next(hierarchy->root, group))
		if (grp_memory_places(core, group) && grp_group_tasks(core, group))
			return true;
	return false;
}

void grp_memory_touch_all(struct grp_core *core)
{
	core->memory->all = true;
	core->memory->wanted++;
}

static void touch(struct grp_core *core, struct grp_group *group)
{
	struct grp_memory_engine *engine = core->memory;

	/* Nobody has anything to get or to get back. */
	if (!engine->active && engine->done == engine->wanted && !grp_memory_places(core, group))
		return;
	if (group->memory)
		group->memory->unplaced = ++engine->wanted;
	else
		grp_memory_touch_all(core);
}

/* Takes over what is said. Return: 1: the policy has changed; 0; -ENOMEM. */
static int keep(struct grp_group_memory *kept, const struct grp_memory *memory)
{
	const struct grp_mask before = grp_mask_kept(&kept->nodes);
	bool nodes = !grp_mask_equal(&before, &memory->nodes);
	bool policy = nodes || kept->mode != memory->mode || kept->places != memory->places;

	if (nodes && grp_mask_keep(&kept->nodes, &memory->nodes))
		return -ENOMEM;
	kept->places = memory->places;
	kept->migrates = memory->migrates;
	kept->mode = memory->mode;
	if (nodes)
		kept->migrated = kept->pages_left = 0;
	return policy;
}

int grp_memory_set(struct grp_core *core, struct grp_group *group, const struct grp_memory *memory)
{
	bool placed = grp_memory_places(core, group), fresh = !group->memory;
	struct grp_mask before;
	int r;

	if (!memory) {
		grp_memory_forget_group(group);
		/* Its tasks may be in no group that places, or it is about to go. */
		if (placed)
			grp_memory_touch_all(core);
		return 0;
	}
	if (fresh)
		group->memory = calloc(1, sizeof(*group->memory));
	if (!group->memory)
		return -ENOMEM;
	before = grp_mask_kept(&group->memory->nodes);
	r = keep(group->memory, memory);
	if (r < 0)
		return r;
	if (core->memory->slot != core->place->slot) {
		core->memory->slot = core->place->slot;
		grp_memory_touch_all(core);
	}
	if (r && (placed || grp_memory_places(core, group)))
		touch(core, group);
	if (!fresh && memory->migrates && !grp_mask_equal(&before, &memory->nodes))
		grp_memory_move_group(core, group, &before);
	return 0;
}

int grp_memory_check(struct grp_core *core, const struct grp_group *group,
		     const struct grp_memory *memory, struct grp_error *error)
{
	if (!memory->places || !grp_group_tasks(core, group))
		return 0;
	return grp_place_claim(core, error);
}

int grp_memory_can_attach(const struct grp_attach *attach)
{
	if (!grp_memory_places(attach->core, attach->group))
		return 0;
	return grp_place_claim(attach->core, attach->error);
}

bool grp_memory_looks(const struct grp_group *group)
{
	return group->memory && group->memory->migrates;
}

void grp_memory_attached(const struct grp_attach *attach)
{
	touch(attach->core, attach->group);
	if (grp_memory_looks(attach->group))
		grp_memory_move_attached(attach);
}

/* --- rounds --------------------------------------------------------------------------------- */

static int on_policy(const struct grp_policy_record *record, void *data)
{
	struct grp_core *core = data;

	if (grp_place_is_awaited(core, &record->task))
		core->memory->unborn = true;
	if (record->task.verdict != GRP_VERDICT_LISTED)
		return 0;
	if (grp_place_of(record->task.place, GRP_PLACE_MEM))
		core->memory->placed++;
	return grp_memory_found(core, record);
}

static bool is_touched(const struct grp_group *group)
{
	return group->memory && group->memory->unplaced;
}

static const struct grp_place_whom placed = { is_touched, grp_memory_places };

/* All were looked at: those that were not found are as they should be, or gone. */
static void drop_unseen(struct grp_core *core)
{
	struct grp_memory_engine *engine = core->memory;
	struct grp_memory_task *task, *next;

	HASH_ITER(hh, engine->tasks, task, next)
		if (task->seen != engine->round && task->stage != GRP_MEMORY_ASKED)
			grp_memory_drop_task(core, task);
}

static void end_round(struct grp_core *core)
{
	struct grp_memory_engine *engine = core->memory;
	struct grp_group *group, *next;

	if (engine->unborn) {
		engine->retry_ns = grp_core_clock(core) + UNBORN_NS;
		return;
	}
	HASH_ITER(hh_id, core->by_id, group, next)
		if (group->memory && group->memory->unplaced <= engine->round)
			group->memory->unplaced = 0;
	engine->done = engine->round;
	if (!engine->round_all)
		return;
	drop_unseen(core);
	engine->all = engine->wanted != engine->done;
	if (engine->placed || has_work(core) || any_places(core))
		return;
	engine->active = false;
	(void)grp_place_unclaim(core);
}

static int round_over_tasks(struct grp_core *core)
{
	struct grp_memory_engine *engine = core->memory;
	int r = any_places(core) && !engine->active ? grp_place_claim(core, NULL) : 0;

	if (r)
		return r;
	engine->round = engine->wanted;
	engine->round_all = engine->all;
	engine->unborn = false;
	engine->placed = 0;
	grp_place_plan(core, &placed, engine->round_all);
	r = core->ops->policies(core->kernel, NULL, core->plan, on_policy, core);
	grp_place_plan_end(core);
	engine->active = engine->active || engine->placed || engine->tasks;
	engine->worked = true;
	if (!r)
		end_round(core);
	return r;
}

/* The helper has nothing more to do: who was born to those that were placed meanwhile? */
static void look_again(struct grp_core *core)
{
	struct grp_memory_engine *engine = core->memory;
	struct grp_group *group, *next;

	engine->worked = false;
	if (engine->again)
		grp_memory_touch_all(core);
	engine->again = false;
	HASH_ITER(hh_id, core->by_id, group, next)
		if (group->memory && group->memory->again) {
			group->memory->again = false;
			touch(core, group);
		}
	/* Is there anybody left to whom something is to be given back? */
	if (engine->active && engine->wanted == engine->done && !has_work(core) &&
	    !any_places(core))
		grp_memory_touch_all(core);
}

/* --- the loop -------------------------------------------------------------------------------- */

static void end_helpers(struct grp_core *core)
{
	struct grp_memory_engine *engine = core->memory;
	uint64_t now = grp_core_clock(core);

	for (unsigned int i = 0; i < GRP_HELPERS; i++) {
		bool asked = i == GRP_HELPER_POLICY ? engine->asked != 0 : engine->moving;

		if (!engine->idle_ns[i] || engine->idle_ns[i] > now)
			continue;
		if (!asked)
			core->ops->helper_end(core->kernel, i);
		engine->idle_ns[i] = asked ? now + REST_NS : 0;
	}
}

/* One thing. Return: 1: it was done; 0: there is nothing to do now; -errno. */
static int advance(struct grp_core *core)
{
	struct grp_memory_engine *engine = core->memory;
	uint64_t moves = grp_memory_move_due(core), now = grp_core_clock(core);

	if (engine->wanted != engine->done)
		return round_over_tasks(core) ?: !engine->unborn;
	if (engine->wake_ns && engine->wake_ns <= now)
		grp_memory_wake(core);
	if (engine->lists[GRP_MEMORY_FRESH])
		return grp_memory_note(core) ?: 1;
	if (engine->lists[GRP_MEMORY_READY] && !engine->asked)
		return grp_memory_ask(core) ?: 1;
	if (moves && moves <= now)
		return grp_memory_move_next(core) ?: 1;
	if (engine->asked || !engine->worked)
		return 0;
	look_again(core);
	return 1;
}

int grp_memory_step(struct grp_core *core, uint64_t budget_ns)
{
	struct grp_memory_engine *engine = core->memory;
	uint64_t now = grp_core_clock(core), end = now + budget_ns;
	int r = 1;

	end_helpers(core);
	while (r > 0 && engine->retry_ns <= now && now < end) {
		r = advance(core);
		now = grp_core_clock(core);
	}
	if (r < 0)
		engine->retry_ns = grp_core_clock(core) + FAILED_NS;
	return r < 0 ? r : 0;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return !a || (b && b < a) ? b : a;
}

uint64_t grp_memory_due(const struct grp_core *core)
{
	const struct grp_memory_engine *engine = core->memory;
	bool now = engine->wanted != engine->done || engine->lists[GRP_MEMORY_FRESH] ||
		   (!engine->asked && (engine->lists[GRP_MEMORY_READY] || engine->worked));
	uint64_t due = earlier(engine->wake_ns, grp_memory_move_due(core));

	if (now)
		due = 1;
	if (due && due < engine->retry_ns)
		due = engine->retry_ns;
	for (unsigned int i = 0; i < GRP_HELPERS; i++)
		due = earlier(due, engine->idle_ns[i]);
	return due;
}
