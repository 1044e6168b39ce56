// SPDX-License-Identifier: GPL-2.0-only
/*
 * What runs on each CPU is charged up to that CPU's last tick, all from the CPU of the agent: an
 * interrupt there would disturb who runs and wake the idle. Only where a program finds a task by its
 * number and can keep itself from being preempted (since 6.10), and where the scheduler has groups;
 * else, and when it cannot be sure of a CPU, the agent runs `settle` of control.bpf.c on each.
 */
#define GRP_GLOBAL static __noinline __attribute__((unused))
#include "charge.bpf.h"

char LICENSE[] SEC("license") = "GPL";

extern struct task_struct *bpf_task_from_pid(__s32 pid) __ksym;
extern void bpf_task_release(struct task_struct *p) __ksym;
extern void bpf_preempt_disable(void) __ksym;
extern void bpf_preempt_enable(void) __ksym;

/* Looks at a CPU that switches just now: that takes less than a microsecond. */
#define LOOKS 8

struct settling {
	const struct task_group *group;
	struct cfs_rq *const *queues; /* of the group, one for each CPU: the way to its struct rq */
	__u32 online; /* CPUs seen so far */
	__u32 unsure; /* CPUs; the first ends it */
};

/*
 * Who runs there. rq->curr is set first, then the switch hook charges the one who leaves, then the
 * new one is on_cpu: so before that the old one's time may be missing. NULL: it still was so.
 */
static __always_inline struct task_struct *find_current(struct rq *rq)
{
	struct task_struct *curr;
	int i;

	for (i = 0; i < LOOKS; i++) {
		curr = BPF_CORE_READ(rq, curr);
		if (BPF_CORE_READ(curr, on_cpu))
			return curr;
	}
	return NULL;
}

/* Compared as numbers that the compiler knows nothing of: it takes what is equal for the same. */
static __always_inline bool is_same(const struct task_struct *a, const struct task_struct *b)
{
	__u64 x = (__u64)a, y = (__u64)b;

	barrier_var(x);
	barrier_var(y);
	return x == y;
}

/* Return: false: it may have more than it was charged. */
static __always_inline bool settle_task(struct task_struct *curr, struct rq *rq, __u32 cpu)
{
	__s32 pid = BPF_CORE_READ(curr, pid);
	struct task_struct *p;
	struct task_now now;
	struct grp_task *t;
	bool sure = false;

	if (!pid)
		return true;
	/* One that was reaped while it still runs has no number any more, or that is another's. */
	p = bpf_task_from_pid(pid);
	if (!p)
		return false;
	if (is_same(p, curr)) {
		t = bpf_task_storage_get(&tasks, p, NULL, 0);
		read_task(p, cpu, &now);
		/* What another CPU has counted in it would be charged to this one. */
		sure = is_same(BPF_CORE_READ(rq, curr), p);
		if (t && sure)
			charge(t, &now);
	}
	bpf_task_release(p);
	return sure;
}

static __always_inline bool settle_cpu(struct settling *settling, __u32 cpu)
{
	struct task_struct *curr;
	struct cfs_rq *queue;
	struct rq *rq;

	if (bpf_probe_read_kernel(&queue, sizeof(queue), settling->queues + cpu))
		return false;
	if (!queue) /* no such CPU */
		return true;
	rq = BPF_CORE_READ(queue, rq);
	/* or it is not what it is taken for */
	if (BPF_CORE_READ(queue, tg) != settling->group || BPF_CORE_READ(rq, cpu) != cpu)
		return false;
	settling->online += BPF_CORE_READ(rq, online) != 0;
	curr = find_current(rq);
	return curr && settle_task(curr, rq, cpu);
}

static long settle_one(__u32 cpu, void *data)
{
	struct settling *settling = data;
	bool sure;

	/* A storage helper that is preempted would hide storage from the hooks of others. */
	bpf_preempt_disable();
	sure = settle_cpu(settling, cpu);
	bpf_preempt_enable();
	if (sure)
		return 0;
	settling->unsure++;
	return 1;
}

/* Return: CPUs that are online; 0: not all could be settled. Context: process, sleepable. */
SEC("syscall")
int settle_from_here(void *ctx)
{
	const struct task_struct *self = bpf_get_current_task_btf();
	struct settling settling = {};

	if (!bpf_core_field_exists(self->se.cfs_rq) || !bpf_core_field_exists(self->se.cfs_rq->tg))
		return 0;
	settling.group = self->se.cfs_rq->tg;
	settling.queues = settling.group->cfs_rq;
	bpf_loop(possible_cpus, settle_one, &settling, 0);
	return settling.unsure ? 0 : settling.online;
}
