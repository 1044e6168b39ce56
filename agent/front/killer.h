/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sending a signal to every process with a member in a group: a state machine
 * that does one process a step. Who waits and for how long is the job's matter.
 */
#ifndef GRP_FRONT_KILLER_H
#define GRP_FRONT_KILLER_H

#include <uthash.h>

#include "front/jobs.h"

struct grp_killer_seen {
	pid_t tgid; /* hash key */
	unsigned int listing; /* in which it was looked at last */
	UT_hash_handle hh;
};

struct grp_killer {
	uint32_t group; /* id */
	bool recursive;
	int signal;
	bool sending; /* members is a listing, the next to do is at */
	struct grp_members members;
	size_t at;
	struct grp_killer_seen *seen;
	unsigned int listing; /* number of this one */
	unsigned int signalled; /* processes in all */
	unsigned int fresh, denied; /* processes of this listing: new ones, not allowed */
	unsigned int others; /* ... that may still go: sent before, or dying */
	pid_t first_denied;
};

/**
 * grp_killer_step() - one listing or one process.
 * @job: whose call asks, and whose deadline counts.
 * Return: 0: each process was sent the signal once, for SIGKILL: no member is
 * left or the group is gone; GRP_JOB_AGAIN; GRP_JOB_WAIT: they are dying;
 * -EPERM: some belong to other users (the others were sent it); -ETIMEDOUT:
 * members are left after the deadline; -errno; reasons in call->error.
 */
int grp_killer_step(struct grp_killer *killer, struct grp_job *job);
void grp_killer_done(struct grp_killer *killer);

#endif
