/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory placement: pages that move along when the nodes of a process become others
 * (CPUSET-15). Once for each process, in the order in which it came up; one that comes up
 * again before its turn moves from where it was at first to where it is to be at last.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/place_memory_internal.h"

/* What cannot be done now is given up after so many tries: minutes. */
#define TRIES_MAX 8

void grp_memory_drop_move(struct grp_core *core, struct grp_memory_move *move)
{
	HASH_DELETE(hh, core->memory->moves, move);
	grp_mask_drop(&move->from);
	grp_mask_drop(&move->to);
	grp_mask_drop(&move->sent);
	free(move);
}

static struct grp_memory_move *find_move(const struct grp_core *core, pid_t tgid)
{
	struct grp_memory_move *move;

	HASH_FIND(hh, core->memory->moves, &tgid, sizeof(tgid), move);
	return move;
}

static struct grp_memory_move *make_move(struct grp_core *core, pid_t tgid,
					 const struct grp_mask *from)
{
	struct grp_memory_move *move = calloc(1, sizeof(*move));

	if (!move || grp_mask_keep(&move->from, from)) {
		free(move);
		return NULL;
	}
	move->tgid = tgid;
	HASH_ADD(hh, core->memory->moves, tgid, sizeof(move->tgid), move);
	return move;
}

/* @group: where it is now. */
static void add(struct grp_core *core, const struct grp_member *member,
		const struct grp_group *group, const struct grp_mask *from)
{
	const struct grp_mask to = grp_mask_kept(&group->memory->nodes);
	struct grp_memory_move *move = find_move(core, member->tgid);

	if (move && !move->asked && move->start_ns != member->start_ns) {
		grp_memory_drop_move(core, move);
		move = NULL;
	}
	if (!move)
		move = make_move(core, member->tgid, from);
	/* Without memory for it, its pages stay where they are. */
	if (!move || grp_mask_keep(&move->to, &to))
		return;
	move->start_ns = member->start_ns;
	move->group = group->id;
	move->tries = 0;
	move->due_ns = grp_core_clock(core) ?: 1;
	move->again = move->asked;
}

void grp_memory_move_group(struct grp_core *core, struct grp_group *group,
			   const struct grp_mask *from)
{
	struct grp_members members = {};

	if (grp_mask_empty(from) || !grp_group_tasks(core, group))
		return;
	if (!grp_group_members(core, group, false, NULL, &members))
		for (size_t i = 0; i < members.n; i++)
			if (members.items[i].tid == members.items[i].tgid)
				add(core, &members.items[i], group, from);
	grp_members_done(&members);
}

/* As the kernel does: when the first thread of a process comes. */
void grp_memory_move_attached(const struct grp_attach *attach)
{
	struct grp_core *core = attach->core;
	const struct grp_mask to = grp_mask_kept(&attach->group->memory->nodes);

	for (size_t i = 0; i < attach->n; i++) {
		const struct grp_member *member = &attach->tasks[i];
		const struct grp_group *before =
			member->set ? grp_set_group(core, member->set, core->place->slot) : NULL;
		struct grp_mask from = { 0 };

		if (before && before->memory)
			from = grp_mask_kept(&before->memory->nodes);
		if (member->tid == member->tgid && !grp_mask_empty(&from) &&
		    !grp_mask_equal(&from, &to))
			add(core, member, attach->group, &from);
	}
}

/* --- the helper ------------------------------------------------------------------------------ */

static void try_later(struct grp_core *core, struct grp_memory_move *move,
		      enum grp_place_result reason)
{
	move->reason = reason;
	if (++move->tries >= TRIES_MAX)
		grp_memory_drop_move(core, move);
	else
		move->due_ns = grp_core_clock(core) + grp_memory_pause_ns(move->tries, reason);
}

/* They are where they were to be when it was asked for; now that may be elsewhere. */
static void moved(struct grp_core *core, struct grp_memory_move *move, uint32_t left)
{
	struct grp_group *group = grp_group_by_id(core, move->group);

	core->place->figures.migrations++;
	core->place->figures.migrate_pages_left += left;
	if (group && group->memory && !move->again) {
		group->memory->migrated++;
		group->memory->pages_left += left;
	}
	if (!move->again) {
		grp_memory_drop_move(core, move);
		return;
	}
	move->again = false;
	grp_mask_drop(&move->from);
	move->from = move->sent;
	move->sent = (struct grp_kept_mask){ 0 };
}

static void on_reply(const struct grp_place_reply *reply, void *data)
{
	struct grp_core *core = data;
	struct grp_memory_move *move, *next;

	core->memory->moving = false;
	core->memory->worked = true;
	grp_memory_rests(core, GRP_HELPER_PAGES);
	HASH_ITER(hh, core->memory->moves, move, next) {
		if (!move->asked)
			continue;
		move->asked = false;
		if (reply->result == GRP_PLACE_DONE)
			moved(core, move, reply->left);
		else if (reply->result == GRP_PLACE_GONE || reply->result == GRP_PLACE_KERNEL)
			grp_memory_drop_move(core, move);
		else
			try_later(core, move, reply->result);
	}
}

int grp_memory_move_next(struct grp_core *core)
{
	struct grp_place_request request = { .op = GRP_PLACE_MIGRATE };
	uint64_t now = grp_core_clock(core);
	struct grp_memory_move *move, *next;
	struct grp_mask from, to;
	int r;

	HASH_ITER(hh, core->memory->moves, move, next)
		if (move->due_ns <= now)
			break;
	if (!move || core->memory->moving)
		return 0;
	from = grp_mask_kept(&move->from);
	to = grp_mask_kept(&move->to);
	r = grp_mask_keep(&move->sent, &to);
	if (r)
		return r;
	request.tid = move->tgid;
	request.start_ticks = grp_memory_ticks(move->start_ns);
	memcpy(request.from, from.words, sizeof(request.from));
	memcpy(request.nodes, to.words, sizeof(request.nodes));
	core->memory->moving = true;
	move->asked = true;
	r = core->ops->helper_ask(core->kernel, GRP_HELPER_PAGES, &request, on_reply, core);
	if (r < 0)
		core->memory->moving = move->asked = false;
	return r;
}

uint64_t grp_memory_move_due(const struct grp_core *core)
{
	struct grp_memory_move *move, *next;
	uint64_t due = 0;

	if (core->memory->moving)
		return 0;
	HASH_ITER(hh, core->memory->moves, move, next)
		if (!due || move->due_ns < due)
			due = move->due_ns;
	return due;
}
