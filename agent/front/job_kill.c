/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Kill: answered when each process was sent the signal, for SIGKILL when no
 * member is left. How that is done is in killer.c.
 */
#include <errno.h>
#include <signal.h>

#include "core/inode.h"
#include "front/killer.h"
#include "front/methods.h"

struct kill_job {
	struct grp_job job; /* first */
	struct grp_killer killer;
};

static int kill_step(struct grp_job *job, json_t **ret_reply)
{
	struct grp_killer *killer = &((struct kill_job *)job)->killer;
	int r = grp_killer_step(killer, job);

	if (r < 0)
		job->call->item = grp_call_string(job->call, "group");
	if (r != 0)
		return r;
	*ret_reply = json_pack("{s:I}", "signalled", (json_int_t)killer->signalled);
	return *ret_reply ? 0 : -ENOMEM;
}

static void kill_done(struct grp_job *job)
{
	grp_killer_done(&((struct kill_job *)job)->killer);
}

static const struct grp_job_type kill_type = {
	.size = sizeof(struct kill_job),
	.step = kill_step,
	.done = kill_done,
};

int grp_method_kill(struct grp_call *call, json_t **ret_reply)
{
	struct grp_group *group;
	struct kill_job *kill;
	int r;

	r = grp_call_group(call, grp_call_string(call, "group"), &group);
	if (r == 0)
		r = grp_group_access(group, call->caller, GRP_SEARCH, &call->error);
	if (r < 0)
		return r;
	kill = grp_job_new(call, &kill_type);
	if (!kill)
		return -ENOMEM;
	kill->killer.group = group->id;
	kill->killer.recursive = grp_call_flag(call, "recursive");
	kill->killer.signal = (int)grp_call_number(call, "signal", SIGTERM);
	return grp_job_start(&kill->job, ret_reply);
}
