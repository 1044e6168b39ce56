// SPDX-License-Identifier: GPL-2.0-only
/*
 * One task by its number, without a pass: what a pass limited to a thread does, in a
 * tenth of its time. Only where the kernel has bpf_task_from_pid (since 6.2); else the
 * agent runs the pass.
 */
#define GRP_GLOBAL static __noinline __attribute__((unused))
#include "record.bpf.h"

char LICENSE[] SEC("license") = "GPL";

extern struct task_struct *bpf_task_from_pid(__s32 pid) __ksym __weak;
extern void bpf_task_release(struct task_struct *p) __ksym __weak;
extern void bpf_preempt_disable(void) __ksym __weak;
extern void bpf_preempt_enable(void) __ksym __weak;

/* Where the task is to go; GRP_PLAN_NONE: the request does not say. */
static __always_inline __u64 wanted_set(const struct grp_direct *direct, __u64 word)
{
	__u32 pair;
	int i;

	/* Unrolled: the context is read at fixed offsets only. */
#pragma unroll
	for (i = 0; i < GRP_DIRECT_PAIRS; i++) {
		pair = direct->pairs[i];
		if ((pair & 0xffff) == grp_word_set(word))
			return pair >> 16;
	}
	return GRP_PLAN_NONE;
}

static __always_inline void move(struct task_struct *p, const struct grp_direct *direct,
				 struct grp_scan_record *record)
{
	struct grp_task *t = bpf_task_storage_get(&tasks, p, NULL, 0);
	__u64 word = 0;

	record->verdict = GRP_VERDICT_UNBORN;
	if (t) {
		word = read_word(t);
		record->from = grp_word_set(word);
		record->verdict = move_one(p, t, word, &direct->request, wanted_set(direct, word));
		word = read_word(t);
	} else if (p->flags & PF_EXITING) {
		record->verdict = GRP_VERDICT_EXITING;
	}
	fill_record(record, p, word, &direct->request);
}

static __always_inline void act(struct task_struct *p, struct grp_direct *direct)
{
	/* The context may be written at fixed offsets only, and by no helper. */
	struct grp_scan_record record = {};

	if (direct->move)
		move(p, direct, &record);
	else
		list_one(p, find_word(p), &direct->request, &record);
	direct->record = record;
}

/*
 * Run by the agent under SCHED_FIFO, for each thread that it asks about: see
 * scan.bpf.c. Context: process, sleepable.
 */
SEC("syscall")
int on_direct(struct grp_direct *direct)
{
	struct task_struct *p = bpf_task_from_pid(direct->request.tid);

	if (!p)
		return -3; /* ESRCH */
	act(p, direct);
	bpf_task_release(p);
	return 0;
}

/*
 * The same where a program can keep itself from being preempted (since 6.10): to
 * change the policy of the agent twice costs more than all the rest.
 */
SEC("syscall")
int on_direct_still(struct grp_direct *direct)
{
	struct task_struct *p = bpf_task_from_pid(direct->request.tid);

	if (!p)
		return -3; /* ESRCH */
	bpf_preempt_disable();
	act(p, direct);
	bpf_preempt_enable();
	bpf_task_release(p);
	return 0;
}
