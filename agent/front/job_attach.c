/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Attach: each process or thread is moved until it is stable; one that forks
 * faster than we move is tried again from the loop.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "agent.h"
#include "core/file.h"
#include "core/place.h"
#include "front/bulk.h"
#include "front/methods.h"
#include "placing.h"

/* Between two tries; it runs meanwhile, and so do others' calls. */
#define PAUSE_USEC 1000
#define NSEC_PER_SEC 1000000000ULL

struct attach {
	struct grp_bulk bulk; /* first */
	uint32_t groups[GRP_HIERARCHIES_MAX]; /* ids */
	size_t n_groups;
	uint32_t from; /* id; 0: pids are given */
	struct grp_task_id id; /* of the item that is tried again */
	bool again;
	json_int_t moved;
	uint64_t ticket; /* placement of those that were moved */
};

/* The groups are found anew: others may have removed one since the last try. */
static int make_target(const struct attach *attach, struct grp_core *core,
		       struct grp_target *ret_target)
{
	struct grp_target target = { .group = { NULL } };
	int r = 0;

	for (size_t i = 0; r == 0 && i < attach->n_groups; i++) {
		struct grp_group *group = grp_group_by_id(core, attach->groups[i]);

		r = group && !group->dying ? grp_target_add(&target, group) : -ENOENT;
	}
	if (r == 0)
		*ret_target = target;
	return r;
}

/* Against the reuse of its id until the next try. */
static void remember_start(struct attach *attach, struct grp_core *core)
{
	struct grp_member member;

	attach->again = true;
	if (!attach->id.start_ticks && grp_task_find(core, &attach->id, NULL, &member) == 0)
		attach->id.start_ticks =
			member.start_ns / (NSEC_PER_SEC / (uint64_t)sysconf(_SC_CLK_TCK));
}

static int attach_members(struct attach *attach, const struct grp_target *target,
			  unsigned int *ret_moved)
{
	struct grp_call *call = attach->bulk.job.call;
	struct grp_group *from = grp_group_by_id(call->agent->core, attach->from);

	if (!from || from->dying)
		return -ENOENT;
	return grp_attach_members(call->agent->core, target, from, call->caller, &call->error,
				  ret_moved);
}

static int attach_task(struct attach *attach, const struct grp_target *target, const char *item,
		       unsigned int *ret_moved)
{
	struct grp_call *call = attach->bulk.job.call;
	int r = 0;

	if (!attach->again) {
		r = grp_call_task(call, item, &attach->id);
		attach->id.whole = !grp_call_flag(call, "thread");
	}
	if (r == 0)
		r = grp_attach(call->agent->core, target, &attach->id, call->caller, &call->error,
			       ret_moved);
	if (r == -EAGAIN)
		remember_start(attach, call->agent->core);
	return r;
}

static int attach_one(struct grp_bulk *bulk, const char *item)
{
	struct attach *attach = (struct attach *)bulk;
	struct grp_target target;
	unsigned int moved = 0;
	int r;

	r = make_target(attach, bulk->job.call->agent->core, &target);
	if (r == 0 && attach->from)
		r = attach_members(attach, &target, &moved);
	else if (r == 0)
		r = attach_task(attach, &target, item, &moved);
	if (r == -EAGAIN) {
		bulk->job.pause_usec = PAUSE_USEC;
		return GRP_JOB_WAIT;
	}
	attach->again = false;
	if (r == 0)
		attach->moved += moved;
	attach->ticket = grp_place_ticket(bulk->job.call->agent->core);
	return r;
}

static int attach_finish(struct grp_bulk *bulk, json_t *failures, json_t **ret_reply)
{
	const struct attach *attach = (const struct attach *)bulk;
	struct grp_call *call = bulk->job.call;

	/* Who has asked may rely on their CPUs being those of the group. */
	if (!grp_placing_settled(call->agent, attach->ticket)) {
		bulk->job.pause_usec = PAUSE_USEC;
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
			attach->groups[attach->n_groups++] = target.group[slot]->id;
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
		attach->from = group->id;
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
