/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Somebody has called sched_setaffinity(): who, and for whom. By either of two hooks,
 * see asked_exit.bpf.c and asked_syscall.bpf.c.
 */
#ifndef GRP_ASKED_BPF_H
#define GRP_ASKED_BPF_H

#include "place.bpf.h"

/* The agent's process: what it sets itself is no news. */
const volatile __u32 agent_tgid __weak = 0;

/* Whether an id that current uses is the one that we know a task by. */
static __always_inline bool in_first_pidns(const struct task_struct *p)
{
	return BPF_CORE_READ(p, thread_pid, level) == 0;
}

static __always_inline void asked(__u32 pid)
{
	struct task_struct *current = bpf_get_current_task_btf();
	struct grp_place_event event = {
		.event.kind = GRP_EVENT_PLACE,
		.tid = pid,
		.how = GRP_PLACE_HOW_ASKED,
		.by_tgid = current->tgid,
	};
	struct grp_task *t;

	if (event.by_tgid == agent_tgid)
		return;
	if (!pid)
		event.tid = current->pid;
	else if (!in_first_pidns(current))
		event.tid = 0; /* whoever it is: all are looked at */
	if (event.tid == current->pid) {
		t = bpf_task_storage_get(&tasks, current, NULL, 0);
		if (t && !grp_place_of(read_place(t), GRP_PLACE_CPU))
			return;
	}
	event.by_uid = bpf_get_current_uid_gid();
	bpf_get_current_comm(event.by_comm, sizeof(event.by_comm));
	notice(&event);
}

#endif
