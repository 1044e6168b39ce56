/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The records of tasks that passes tell, and the move of one task: what scan.bpf.c and
 * direct.bpf.c share.
 */
#ifndef GRP_RECORD_BPF_H
#define GRP_RECORD_BPF_H

#include "member.bpf.h"
#include "scan.bpf.h"

/* A task's id in the pid namespace with this inode; 0: it is not visible there. */
static __always_inline __u32 ns_id(struct pid *pid, __u32 pidns)
{
	struct upid upid;
	__u32 level;
	int i;

	if (!pid)
		return 0;
	level = BPF_CORE_READ(pid, level);
	/* The kernel nests pid namespaces 32 deep. */
	for (i = 0; i <= 32; i++) {
		if (i > level)
			break;
		if (bpf_core_read(&upid, sizeof(upid), &pid->numbers[i]))
			break;
		if (BPF_CORE_READ(upid.ns, ns.inum) == pidns)
			return upid.nr;
	}
	return 0;
}

static __always_inline void fill_record(struct grp_scan_record *record, struct task_struct *p,
					__u64 word, const struct grp_scan_request *request)
{
	record->tid = p->pid;
	record->tgid = p->tgid;
	record->ns_tid = record->tid;
	record->ns_tgid = record->tgid;
	if (request->pidns) {
		record->ns_tid = ns_id(BPF_CORE_READ(p, thread_pid), request->pidns);
		record->ns_tgid = ns_id(BPF_CORE_READ(p, group_leader, thread_pid), request->pidns);
	}
	/* Loads, where a helper for each step would cost ten times as much. */
	record->uid = p->cred->uid.val;
	record->suid = p->cred->suid.val;
	record->nr_threads = p->signal->nr_threads;
	record->set = grp_word_set(word);
	record->state = grp_word_state(word);
	record->kind = task_kind(p);
	record->start_ns = p->start_boottime;
	record->time_ns = p->se.sum_exec_runtime;
}

/*
 * How long ago a task last ran. The kernel notes it by the clock that a CPU charges
 * its tasks by, which leaves out interrupts and stolen time, so that those of two
 * CPUs drift apart: it is turned into the CPU's plain clock, which they share. Behind
 * by a tick, and by what was left out on that CPU since. A task that was taken to another
 * CPU has no such note until it runs there, which since 6.12 also comes about while it
 * sleeps: then it is when it last came to a CPU, by the plain clock, and what it ran there.
 */
static __always_inline __u64 idle_ns(const struct task_struct *p)
{
	const struct task_struct *reader = bpf_get_current_task_btf();
	const struct rq *here, *there;
	__s64 idle;

	if (p->on_cpu || p->on_rq)
		return 0;
	/* Without groups in the scheduler there is no way from a task to its CPU's clock. */
	if (!bpf_core_field_exists(p->se.cfs_rq))
		return GRP_IDLE_UNKNOWN;
	here = reader->se.cfs_rq->rq;
	there = p->se.cfs_rq->rq;
	if (!here || !there)
		return GRP_IDLE_UNKNOWN;
	if (p->se.exec_start)
		idle = here->clock - there->clock + there->clock_task - p->se.exec_start;
	else if (bpf_core_field_exists(p->sched_info.last_arrival) && p->sched_info.last_arrival)
		idle = here->clock - p->sched_info.last_arrival -
		       (p->se.sum_exec_runtime - p->se.prev_sum_exec_runtime);
	else
		return GRP_IDLE_UNKNOWN;
	return idle > 0 ? idle : 0;
}

/* A task that is listed. */
static __always_inline void list_one(struct task_struct *p, __u64 word,
				     const struct grp_scan_request *request,
				     struct grp_scan_record *record)
{
	record->verdict = GRP_VERDICT_LISTED;
	if (grp_word_state(word) == GRP_STATE_UNCLAIMED)
		record->verdict = GRP_VERDICT_UNBORN;
	else if (grp_word_state(word) == GRP_STATE_EXITED)
		record->verdict = GRP_VERDICT_EXITING;
	fill_record(record, p, word, request);
	record->idle_ns = idle_ns(p);
	/* It may be changed meanwhile: at worst a mixture of two names, never unterminated. */
	bpf_core_read_str(record->comm, sizeof(record->comm), &p->comm);
}

/* @word: of the task, by which the plan said @to. */
static __always_inline enum grp_verdict move_one(struct task_struct *p, struct grp_task *t,
						 __u64 word, const struct grp_scan_request *request,
						 __u64 to)
{
	struct task_now now;

	if (grp_word_state(word) == GRP_STATE_EXITED)
		return GRP_VERDICT_EXITING;
	if (!is_born(t, word))
		return p->flags & PF_EXITING ? GRP_VERDICT_EXITING : GRP_VERDICT_UNBORN;
	if (to == GRP_PLAN_NONE)
		return GRP_VERDICT_NO_PLAN;
	/* TASK-8: real or saved user id of the target, as it is at this moment. */
	if ((request->flags & GRP_SCAN_CHECK_UID) && request->uid != p->cred->uid.val &&
	    request->uid != p->cred->suid.val)
		return GRP_VERDICT_DENIED;
	read_task(p, p->thread_info.cpu, &now);
	return move_task(t, &now, grp_word_set(word), to);
}

/*
 * A task that is moved, with its record. @t: its storage or NULL; @word: as it stands there,
 * by which @to was looked up.
 */
static __always_inline void move_and_tell(struct task_struct *p, struct grp_task *t, __u64 word,
					  __u64 to, const struct grp_scan_request *request,
					  struct grp_scan_record *record)
{
	record->verdict = GRP_VERDICT_UNBORN;
	if (t) {
		record->from = grp_word_set(word);
		record->verdict = move_one(p, t, word, request, to);
		word = read_word(t);
	} else if (p->flags & PF_EXITING) {
		record->verdict = GRP_VERDICT_EXITING;
	}
	fill_record(record, p, word, request);
}

/* Where the map sends a task; GRP_PLAN_NONE: it does not say. */
static __always_inline __u64 planned(__u64 word)
{
	__u32 set = grp_word_set(word);
	const __u64 *to = bpf_map_lookup_elem(&plan, &set);

	return to ? *to : GRP_PLAN_NONE;
}

/* The same by the map. */
static __always_inline void move_planned(struct task_struct *p,
					 const struct grp_scan_request *request,
					 struct grp_scan_record *record)
{
	struct grp_task *t = bpf_task_storage_get(&tasks, p, NULL, 0);
	__u64 word = t ? read_word(t) : 0;

	move_and_tell(p, t, word, planned(word), request, record);
}

#endif
