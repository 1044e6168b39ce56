// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tasks by their numbers, without a pass. One: what a pass limited to a thread does, in a
 * tenth of its time; only where the kernel has bpf_task_from_pid (since 6.2), else the
 * agent runs the pass. Many in one call: those of a list, and those of a process, since 6.10;
 * else the agent goes by passes, and one by one.
 */
#define GRP_GLOBAL static __noinline __attribute__((unused))
/*
 * The verifier walks all of them for each of the programs, at every start of the agent. A task
 * that loses both is told as busy, and the agent asks again.
 */
#define MOVE_TRIES 2
#include "record.bpf.h"

char LICENSE[] SEC("license") = "GPL";

/* What the verifier has to know of a global function's argument. */
#define GRP_ARG_TRUSTED __attribute__((btf_decl_tag("arg:trusted")))

/* As the kernel has it; what is in it is its own business. */
struct bpf_iter_task {
	__u64 opaque[3];
} __attribute__((aligned(8)));

#define TASK_ITER_THREADS 2 /* BPF_TASK_ITER_PROC_THREADS, not in every kernel's BTF by a name */

extern struct task_struct *bpf_task_from_pid(__s32 pid) __ksym __weak;
extern void bpf_task_release(struct task_struct *p) __ksym __weak;
extern void bpf_preempt_disable(void) __ksym __weak;
extern void bpf_preempt_enable(void) __ksym __weak;
extern void bpf_rcu_read_lock(void) __ksym __weak;
extern void bpf_rcu_read_unlock(void) __ksym __weak;
extern int bpf_iter_task_new(struct bpf_iter_task *it, struct task_struct *p,
			     unsigned int flags) __ksym __weak;
extern struct task_struct *bpf_iter_task_next(struct bpf_iter_task *it) __ksym __weak;
extern void bpf_iter_task_destroy(struct bpf_iter_task *it) __ksym __weak;

/* The agent's, mapped: nobody else uses it, so it is not pinned. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, GRP_BATCH_MAX);
	__type(key, __u32);
	__type(value, struct grp_scan_record);
} batch SEC(".maps");

/* Test builds only: so many turns of a loop between a thread of a process and its move. */
const volatile __u32 fault_batch_loops = 0;

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
	__u64 word = t ? read_word(t) : 0;

	move_and_tell(p, t, word, wanted_set(direct, word), &direct->request, record);
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

/* --- many in one call ------------------------------------------------------------- */

/*
 * Each is moved as a pass would do it, by the maps "scan_request" and "plan"; its record
 * comes into the map "batch". A storage helper that is preempted would hide storage from
 * the hooks of others.
 *
 * Global, so that the verifier walks it once, not in each turn of a loop: on 6.12 that made the
 * start of the agent three times as long.
 */
__weak __noinline int move_still(struct task_struct *p GRP_ARG_TRUSTED, __u32 i)
{
	const struct grp_scan_request *request = find_request();
	struct grp_scan_record *record = bpf_map_lookup_elem(&batch, &i);

	if (!request || !record)
		return 1;
	bpf_preempt_disable();
	move_planned(p, request, record);
	bpf_preempt_enable();
	return 0;
}

static __always_inline void fault_batch(void)
{
	if (fault_batch_loops)
		bpf_loop(fault_batch_loops, turn, NULL, 0);
}

static long move_each(__u32 i, void *data)
{
	const struct grp_scan_request *request = find_request();
	struct grp_scan_record *record = bpf_map_lookup_elem(&batch, &i);
	struct task_struct *p;

	if (!request || !record)
		return 1;
	record->verdict = GRP_VERDICT_SKIPPED;
	p = bpf_task_from_pid(record->tid);
	if (!p)
		return 0;
	if (!(request->flags & GRP_SCAN_ALONE) || p->signal->nr_threads == 1)
		move_still(p, i);
	bpf_task_release(p);
	return 0;
}

/* The threads whose ids are in the records. Context: process, sleepable. */
SEC("syscall")
int on_each(struct grp_batch *asked)
{
	bpf_loop(asked->n, move_each, NULL, 0);
	return 0;
}

/*
 * In the order of their birth, as many as there are records for. The iterator reads which
 * thread is next before it hands one out, so before that is moved: a thread that it creates
 * then may be behind the last one handed out. So whether there is one is asked once more by
 * the next call, which begins behind the last one told.
 */
static __always_inline void move_threads(struct task_struct *first, struct grp_batch *asked)
{
	struct bpf_iter_task it;
	struct task_struct *p;
	__u32 n;

	bpf_iter_task_new(&it, first, TASK_ITER_THREADS);
	if (asked->told)
		bpf_iter_task_next(&it);
	while ((p = bpf_iter_task_next(&it))) {
		n = asked->n;
		fault_batch();
		if (move_still(p, n))
			break;
		asked->n = n + 1;
	}
	bpf_iter_task_destroy(&it);
}

/* Return: 0; -3 (ESRCH): the first one is not there, or its number is another process's. */
static __always_inline int move_process(const struct grp_scan_request *request,
					struct grp_batch *asked)
{
	struct task_struct *first = bpf_task_from_pid(asked->first);
	bool its = first && first->tgid == request->tgid;

	if (its)
		move_threads(first, asked);
	if (first)
		bpf_task_release(first);
	return its ? 0 : -3;
}

/*
 * The threads of the process request.tgid. Which thread is next is known only of one that has
 * its number within the same section of RCU. Context: process, sleepable.
 */
SEC("syscall")
int on_threads(struct grp_batch *asked)
{
	const struct grp_scan_request *request = find_request();
	int r = -3;

	asked->n = 0;
	bpf_rcu_read_lock();
	if (request)
		r = move_process(request, asked);
	bpf_rcu_read_unlock();
	return r;
}
