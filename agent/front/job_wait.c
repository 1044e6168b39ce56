/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Wait: answered when a group has no member any more, with its final usage. No
 * system call is needed to look; the kernel tells when a set becomes empty.
 */
#include <errno.h>

#include "agent.h"
#include "front/jobs.h"
#include "front/methods.h"

/* An event may be lost: look anyway. */
#define SAFETY_USEC 1000000
/*
 * The last slice of a dying task is charged after it has left. It is whole when
 * the task is freed; one that nobody reaps is not waited for longer than this.
 */
#define TAIL_USEC 5000
#define TAILS_MAX 40

struct wait_job {
	struct grp_job job; /* first */
	uint32_t group; /* id */
	bool recursive;
	unsigned int tails;
};

static bool is_charged(const struct grp_core *core, const struct grp_group *group)
{
	const struct grp_count *counts = grp_core_view(core)->counts;
	unsigned int slot = group->hierarchy->slot;

	for (const struct grp_set *set = group->sets; set; set = set->link[slot].next)
		if (counts[set->id].chargers > 0)
			return true;
	return false;
}

/* Whether dead tasks may still have time to be charged. */
static bool has_tail(const struct grp_core *core, const struct grp_group *top, bool recursive)
{
	if (!recursive)
		return is_charged(core, top);
	for (const struct grp_group *at = top; at; at = grp_group_next(top, at))
		if (is_charged(core, at))
			return true;
	return false;
}

static int wait_step(struct grp_job *job, json_t **ret_reply)
{
	struct wait_job *wait = (struct wait_job *)job;
	struct grp_call *call = job->call;
	struct grp_core *core = call->agent->core;
	struct grp_group *group = grp_group_by_id(core, wait->group);
	json_t *usage;
	int r;

	call->item = grp_call_string(call, "group");
	if (!group || group->dying)
		return grp_error_set(&call->error, ENODEV, "the group was removed");
	job->pause_usec = SAFETY_USEC;
	if (wait->recursive ? grp_group_subtree_tasks(core, group) : grp_group_tasks(core, group)) {
		wait->tails = 0;
		return GRP_JOB_WAIT;
	}
	job->pause_usec = TAIL_USEC;
	if (has_tail(core, group, wait->recursive) && wait->tails++ < TAILS_MAX)
		return GRP_JOB_WAIT;
	r = grp_core_settle(core);
	if (r < 0)
		return r;
	usage = grp_usage_object(call, group, 0, 0);
	*ret_reply = json_pack("{s:o}", "usage", usage);
	return *ret_reply ? 0 : -ENOMEM;
}

static const struct grp_job_type wait_type = {
	.size = sizeof(struct wait_job),
	.step = wait_step,
	.observes = true,
};

int grp_method_wait(struct grp_call *call, json_t **ret_reply)
{
	struct grp_group *group;
	struct wait_job *wait;
	int r;

	r = grp_call_group(call, grp_call_string(call, "group"), &group);
	if (r < 0)
		return r;
	wait = grp_job_new(call, &wait_type);
	if (!wait)
		return -ENOMEM;
	wait->group = group->id;
	wait->recursive = grp_call_flag(call, "recursive");
	return grp_job_start(&wait->job, ret_reply);
}
