/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Attach: each process or thread is moved until it is stable; one that forks
 * faster than we move is tried again from the loop.
 */
#include <errno.h>
#include <string.h>

#include "agent.h"
#include "base/parse.h"
#include "core/file.h"
#include "front/attaching.h"
#include "front/bulk.h"
#include "front/methods.h"
#include "placing.h"

struct attach {
	struct grp_bulk bulk; /* first */
	struct grp_attaching attaching; /* of the item at hand */
	bool again; /* that item was tried before: */
	size_t at;
	json_int_t moved;
	bool done[GRP_BATCH_MAX]; /* items moved before their turn, from ahead on: */
	size_t ahead, ahead_end;
};

/* --- many at once ---------------------------------------------------------------------- */

/*
 * The next items, in one call, but for those that are not said by a plain number. Whatever
 * is not done by it is done in its turn, with the reason if it cannot be.
 */
static void move_ahead(struct attach *attach)
{
	const struct grp_call *call = attach->bulk.job.call;
	const json_t *items = attach->bulk.items;
	size_t left = json_array_size(items) - attach->bulk.at;
	size_t n = left < GRP_BATCH_MAX ? left : GRP_BATCH_MAX;
	pid_t tids[GRP_BATCH_MAX];
	uint64_t start_ticks;

	attach->ahead = attach->bulk.at;
	attach->ahead_end = attach->ahead + n;
	memset(attach->done, 0, sizeof(attach->done));
	/* One alone has nothing ahead; a number of another pid namespace is looked for by a walk. */
	if (left == 1 || attach->attaching.from || call->caller->pidns)
		return;
	for (size_t i = 0; i < n; i++) {
		const char *item = json_string_value(json_array_get(items, attach->ahead + i));

		if (!item || grp_parse_task_id(item, &tids[i], &start_ticks) || start_ticks)
			tids[i] = 0; /* nobody's */
	}
	if (grp_attaching_each(&attach->attaching, call->agent, call->caller, tids, n,
			       !grp_call_flag(call, "thread"), attach->done))
		memset(attach->done, 0, sizeof(attach->done));
}

static bool is_done(struct attach *attach)
{
	if (attach->bulk.at >= attach->ahead_end)
		move_ahead(attach);
	return attach->done[attach->bulk.at - attach->ahead];
}

/* --- each -------------------------------------------------------------------------------- */

/* The next item. The groups, and from, are those of the call. */
static int begin(struct attach *attach, const char *item)
{
	struct grp_attaching *attaching = &attach->attaching;
	struct grp_call *call = attach->bulk.job.call;
	int r;

	/* The one before may have been given up. */
	grp_attaching_leave(attaching, call->agent);
	attach->at = attach->bulk.at;
	attach->again = true;
	if (attaching->from)
		return 0;
	attaching->id = (struct grp_task_id){ .tid = 0 };
	r = grp_call_task(call, item, &attaching->id);
	attaching->id.whole = !grp_call_flag(call, "thread");
	return r;
}

static int attach_one(struct grp_bulk *bulk, const char *item)
{
	struct attach *attach = (struct attach *)bulk;
	struct grp_call *call = bulk->job.call;
	int r;

	if (is_done(attach)) {
		attach->moved++;
		return 0;
	}
	r = attach->again && attach->at == bulk->at ? 0 : begin(attach, item);
	if (r == 0)
		r = grp_attaching_try(&attach->attaching, call->agent, call->caller, &call->error);
	if (r == -EAGAIN) {
		bulk->job.pause_usec = GRP_ATTACHING_PAUSE_USEC;
		return GRP_JOB_WAIT;
	}
	if (r == 0)
		attach->moved += attach->attaching.moved;
	return r;
}

static void attach_done(struct grp_bulk *bulk)
{
	struct attach *attach = (struct attach *)bulk;

	grp_attaching_leave(&attach->attaching, bulk->job.call->agent);
}

static int attach_finish(struct grp_bulk *bulk, json_t *failures, json_t **ret_reply)
{
	const struct attach *attach = (const struct attach *)bulk;
	struct grp_call *call = bulk->job.call;

	/* Who has asked may rely on their CPUs being those of the group. */
	if (!grp_placing_settled(call->agent, attach->attaching.ticket)) {
		bulk->job.pause_usec = GRP_ATTACHING_PAUSE_USEC;
		return grp_job_late(&bulk->job) ?
			       grp_error_set(&call->error, ETIMEDOUT,
					     "moved, but not all are on their CPUs yet") :
			       GRP_JOB_WAIT;
	}
	*ret_reply = json_pack("{s:I, s:O}", "moved", attach->moved, "failures", failures);
	return *ret_reply ? 0 : -ENOMEM;
}

static const struct grp_bulk_type attach_type = {
	.job = GRP_BULK_JOB(struct attach),
	.item = attach_one,
	.finish = attach_finish,
	.done = attach_done,
};

/* Every group must be there before the first task is moved. @target: zeroed. */
static int find_target(struct grp_call *call, struct grp_target *target)
{
	const json_t *texts = grp_call_array(call, "groups"), *text;
	struct grp_group *group;
	size_t i;
	int r;

	if (!json_array_size(texts))
		return grp_error_set(&call->error, EINVAL, "no group is named");
	json_array_foreach(texts, i, text) {
		r = grp_call_group(call, json_string_value(text), &group);
		if (r < 0)
			return r;
		call->item = json_string_value(text);
		r = grp_target_add(target, group);
		if (r < 0)
			return grp_error_set(&call->error, -r,
					     "two of the groups are of hierarchy %s",
					     group->hierarchy->name);
	}
	call->item = NULL;
	return 0;
}

static int find_groups(struct grp_call *call, struct attach *attach)
{
	struct grp_target target = { .group = { NULL } };
	int r = find_target(call, &target);

	for (unsigned int slot = 0; r == 0 && slot < GRP_HIERARCHIES_MAX; slot++)
		if (target.group[slot])
			grp_attaching_add(&attach->attaching, target.group[slot]);
	return r;
}

/* To move them by their ids, which is what this stands for, one has to see these. */
static int check_seen(struct grp_call *call, struct grp_group *group)
{
	const struct grp_file_access access = { .core = call->agent->core,
						.group = group,
						.caller = call->caller,
						.error = &call->error };
	struct grp_members members = { .n = 0 };
	size_t hidden = 0;
	int r;

	r = grp_file_check(&access, "tasks", GRP_READ);
	if (r < 0 || !call->caller->pidns)
		return r;
	r = grp_group_members(access.core, group, false, call->caller, &members);
	for (size_t i = 0; i < members.n; i++)
		hidden += !members.items[i].ns_tid;
	grp_members_done(&members);
	if (r == 0 && hidden)
		r = grp_error_set(&call->error, EACCES,
				  "%zu of its tasks cannot be seen in your pid namespace", hidden);
	return r;
}

static int find_from(struct grp_call *call, struct attach *attach)
{
	struct grp_group *group;
	int r;

	if (json_array_size(grp_call_array(call, "pids")))
		return grp_error_set(&call->error, EINVAL, "pids and from exclude each other");
	r = grp_call_group(call, grp_call_string(call, "from"), &group);
	if (r == 0)
		r = check_seen(call, group);
	if (r == 0)
		attach->attaching.from = group->id;
	return r;
}

int grp_method_attach(struct grp_call *call, json_t **ret_reply)
{
	const char *from = grp_call_string(call, "from");
	json_t *items = from ? json_pack("[s]", from) : json_incref(grp_call_array(call, "pids"));
	struct attach *attach = items ? grp_bulk_new(call, &attach_type, items) : NULL;
	int r;

	json_decref(items);
	if (!attach)
		return -ENOMEM;
	r = find_groups(call, attach);
	if (r == 0 && from)
		r = find_from(call, attach);
	return r < 0 ? r : grp_job_start(&attach->bulk.job, ret_reply);
}

int grp_method_can_attach(struct grp_call *call, json_t **ret_reply)
{
	struct grp_target target = { .group = { NULL } };
	int r = find_target(call, &target);

	if (r == 0)
		r = grp_attach_check(call->agent->core, &target, call->caller,
				     !grp_call_flag(call, "thread"), &call->error);
	if (r < 0)
		return r;
	*ret_reply = json_object();
	return *ret_reply ? 0 : -ENOMEM;
}
