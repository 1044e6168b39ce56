/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Signals to the members of a group, see killer.h. Ids may be used again at any
 * moment, so a process is first held by a pidfd and then looked at once more.
 */
#include "front/killer.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "agent.h"
#include "base/cleanup.h"

/* Dying takes a while; the event of the last member comes earlier than this. */
#define PAUSE_USEC 10000

static struct grp_group *find_group(const struct grp_killer *killer, struct grp_core *core)
{
	struct grp_group *group = grp_group_by_id(core, killer->group);

	return group && !group->dying ? group : NULL;
}

static uint64_t count_left(const struct grp_killer *killer, struct grp_core *core)
{
	const struct grp_group *group = find_group(killer, core);

	if (!group)
		return 0;
	return killer->recursive ? grp_group_subtree_tasks(core, group) :
				   grp_group_tasks(core, group);
}

/* --- one process ------------------------------------------------------------- */

/* The rule of kill(2), with what the kernel told about the client. */
static bool may_signal(const struct grp_caller *caller, const struct grp_member *member)
{
	if (member->tgid == getpid())
		return false; /* nobody but init ends the agent through itself */
	/* From its pid namespace it sees not all, and cannot end that one's init. */
	if (caller->pidns && member->ns_tgid <= 1)
		return false;
	return !caller->uid || caller->uid == member->uid || caller->uid == member->suid;
}

/* Whether it is the very task that was listed, and still a member. */
static bool is_still_member(const struct grp_killer *killer, struct grp_core *core,
			    const struct grp_member *member)
{
	const struct grp_group *top = find_group(killer, core), *now;
	const struct grp_task_id id = { .tid = member->tid };
	struct grp_member again;

	if (!top || grp_task_find(core, &id, NULL, &again) < 0)
		return false;
	if (again.exiting || again.tgid != member->tgid || again.start_ns != member->start_ns)
		return false;
	now = grp_member_group(core, &again, top->hierarchy);
	return killer->recursive ? grp_group_within(now, top) : now == top;
}

/* A process has many members. Return: 1: look at it now; 0: was done; -ENOMEM. */
static int first_look(struct grp_killer *killer, pid_t tgid, bool *ret_new)
{
	struct grp_killer_seen *seen;

	HASH_FIND(hh, killer->seen, &tgid, sizeof(tgid), seen);
	*ret_new = !seen;
	if (seen && seen->listing == killer->listing)
		return 0;
	if (!seen) {
		seen = calloc(1, sizeof(*seen));
		if (!seen)
			return -ENOMEM;
		seen->tgid = tgid;
		HASH_ADD(hh, killer->seen, tgid, sizeof(seen->tgid), seen);
	}
	seen->listing = killer->listing;
	return 1;
}

/* Return: 1: was sent; 0: it is gone or no member any more; -errno. */
static int send_signal(const struct grp_killer *killer, struct grp_core *core,
		       const struct grp_member *member)
{
	_cleanup_close_ int fd = pidfd_open(member->tgid, 0);

	if (fd < 0)
		return errno == EMFILE || errno == ENFILE || errno == ENOMEM ? -errno : 0;
	if (!is_still_member(killer, core, member))
		return 0;
	if (pidfd_send_signal(fd, killer->signal, NULL, 0) < 0)
		return errno == ESRCH ? 0 : -errno;
	return 1;
}

static int signal_one(struct grp_killer *killer, struct grp_call *call,
		      const struct grp_member *member)
{
	bool is_new;
	int r;

	if (member->exiting)
		return 0;
	r = first_look(killer, member->tgid, &is_new);
	if (r <= 0)
		return r;
	if (!may_signal(call->caller, member)) {
		if (!killer->denied++)
			killer->first_denied = member->ns_tgid ?: member->tgid;
		return 0;
	}
	r = send_signal(killer, call->agent->core, member);
	killer->others++;
	if (r > 0 && is_new) {
		killer->signalled++;
		killer->fresh++;
	}
	return r;
}

/* --- a listing --------------------------------------------------------------- */

static int list(struct grp_killer *killer, struct grp_job *job)
{
	struct grp_call *call = job->call;
	struct grp_core *core = call->agent->core;
	const struct grp_group *group = find_group(killer, core);
	uint64_t left = count_left(killer, core);
	int r;

	if (!group || (killer->signal == SIGKILL && !left))
		return 0;
	if (grp_job_late(job))
		return grp_error_set(&call->error, ETIMEDOUT,
				     "it still has %llu task%s (kernel threads and init cannot be "
				     "killed)",
				     (unsigned long long)left, grp_plural(left));
	grp_members_done(&killer->members);
	r = grp_group_members(core, group, killer->recursive, call->caller, &killer->members);
	if (r < 0)
		return r;
	killer->sending = true;
	killer->listing++;
	killer->at = 0;
	killer->fresh = killer->denied = killer->others = 0;
	return GRP_JOB_AGAIN;
}

static int denied(const struct grp_killer *killer, struct grp_call *call)
{
	return grp_error_set(&call->error, EPERM,
			     "%u of the processes are not uid %u's to signal, first PID %d",
			     killer->denied, call->caller->uid, (int)killer->first_denied);
}

/* Every process of the listing was looked at. */
static int conclude(struct grp_killer *killer, struct grp_job *job)
{
	bool repeats = killer->signal == SIGKILL;

	killer->sending = false;
	if (killer->denied && !(repeats && killer->others))
		return denied(killer, job->call);
	if (!repeats || !count_left(killer, job->call->agent->core))
		return 0;
	job->pause_usec = PAUSE_USEC;
	return killer->fresh ? GRP_JOB_AGAIN : GRP_JOB_WAIT;
}

int grp_killer_step(struct grp_killer *killer, struct grp_job *job)
{
	int r;

	if (!killer->sending)
		return list(killer, job);
	if (killer->at == killer->members.n)
		return conclude(killer, job);
	r = signal_one(killer, job->call, &killer->members.items[killer->at++]);
	return r < 0 ? r : GRP_JOB_AGAIN;
}

void grp_killer_done(struct grp_killer *killer)
{
	struct grp_killer_seen *seen, *next;

	HASH_ITER(hh, killer->seen, seen, next) {
		HASH_DEL(killer->seen, seen);
		free(seen);
	}
	grp_members_done(&killer->members);
}
