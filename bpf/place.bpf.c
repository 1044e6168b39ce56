// SPDX-License-Identifier: GPL-2.0-only
/*
 * Passes over the tasks about their places: what each has, and the change of one.
 * See scan.bpf.c for what holds for all passes.
 */
#include "charge.bpf.h"
#include "place.bpf.h"
#include "scan.bpf.h"

#define PLACE_TRIES 16
#define MASK_BYTES_MAX (GRP_MASK_WORDS_MAX * sizeof(__u64))

/* Too large for the stack. The pass of one CPU is not interrupted by another. */
struct told {
	struct grp_place_record record;
	__u64 mask[GRP_MASK_WORDS_MAX];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct told);
} told_scratch SEC(".maps");

/*
 * Copies the mask. It is freed after it was replaced: what was copied is whole if it
 * is still the task's afterwards.
 */
static __always_inline bool copy_mask(struct told *told, const struct task_struct *p, __u32 bytes)
{
	const void *mask;
	bool unasked;
	int i;

	for (i = 0; i < PLACE_TRIES; i++) {
		mask = asked_mask(p, &unasked);
		if (bpf_probe_read_kernel(told->mask, bytes, mask))
			continue;
		if (mask != asked_mask(p, &unasked))
			continue;
		if (bpf_core_type_exists(struct affinity_context))
			told->record.kind |= GRP_TASK_KEPT;
		if (unasked)
			told->record.kind |= GRP_TASK_UNASKED;
		return true;
	}
	return false;
}

static __always_inline void fill_place(struct grp_place_record *record, const struct task_struct *p,
				       const struct grp_task *t)
{
	__u64 word = t ? read_word(t) : 0;

	record->tid = p->pid;
	record->tgid = p->tgid;
	record->set = grp_word_set(word);
	record->state = grp_word_state(word);
	record->kind = task_kind(p);
	record->pad = 0;
	record->start_ns = p->start_boottime;
	record->place = t ? read_place(t) : 0;
	record->verdict = t && is_born(t, word) ? GRP_VERDICT_LISTED : GRP_VERDICT_UNBORN;
}

/* Which are told: by the plan, and whoever is still being born. @place: what it asks about. */
static __always_inline bool is_told(const struct grp_scan_request *request,
				    const struct grp_place_record *record, __u64 place)
{
	__u32 set = record->set;
	__u64 *which;

	if (record->verdict == GRP_VERDICT_UNBORN || (request->flags & GRP_SCAN_ALL_SETS))
		return record->verdict == GRP_VERDICT_UNBORN || place || request->tid;
	which = bpf_map_lookup_elem(&plan, &set);
	return which && (*which == GRP_PLAN_ALL || (*which == GRP_PLAN_PLACED && place));
}

/* Pass: a record for each task that the plan asks about; see struct grp_place_record. */
SEC("iter/task")
int pass_placed(struct bpf_iter__task *ctx)
{
	const struct grp_scan_request *request = find_request();
	__u32 bytes = mask_words * sizeof(__u64), zero = 0;
	struct task_struct *p = ctx->task;
	struct told *told;

	if (!p || !request || !wanted(request, p) || (p->flags & PF_EXITING))
		return 0;
	told = bpf_map_lookup_elem(&told_scratch, &zero);
	if (!told || bytes > MASK_BYTES_MAX)
		return 0;
	fill_place(&told->record, p, bpf_task_storage_get(&tasks, p, NULL, 0));
	if (!is_told(request, &told->record, told->record.place))
		return 0;
	if (!copy_mask(told, p, bytes))
		told->record.verdict = GRP_VERDICT_BUSY;
	bpf_seq_write(ctx->meta->seq, told, sizeof(told->record) + bytes);
	return 0;
}

/* Of linux/mempolicy.h: with these the kernel keeps the nodes that were asked for. */
#define POLICY_KEEPS_NODES (3 << 14)
#define POLICY_FLAGS (7 << 13)

/*
 * Copies the policy. The task itself may replace it meanwhile, and then the old one is
 * freed: what was copied is whole if it is still the task's afterwards.
 */
static __always_inline bool copy_policy(struct grp_policy_record *told, const struct task_struct *p)
{
	const struct mempolicy *policy;
	const void *nodes;
	__u32 bytes;
	int i;

	/* A kernel without memory nodes has no policies. */
	if (!bpf_core_field_exists(p->mempolicy))
		return true;
	bytes = bpf_core_type_size(nodemask_t);
	if (bytes > sizeof(told->nodes))
		bytes = sizeof(told->nodes);
	for (i = 0; i < PLACE_TRIES; i++) {
		policy = BPF_CORE_READ(p, mempolicy);
		if (!policy)
			return true;
		told->mode = BPF_CORE_READ(policy, mode);
		told->flags = BPF_CORE_READ(policy, flags);
		nodes = told->flags & POLICY_KEEPS_NODES ? (const void *)&policy->w.user_nodemask :
							   (const void *)&policy->nodes;
		if (!bpf_probe_read_kernel(told->nodes, bytes, nodes) &&
		    BPF_CORE_READ(p, mempolicy) == policy) {
			told->flags &= POLICY_FLAGS;
			return true;
		}
		told->mode = 0;
		told->flags = 0;
	}
	return false;
}

/* Pass: a record for each task that the plan asks about; see struct grp_policy_record. */
SEC("iter/task")
int pass_policies(struct bpf_iter__task *ctx)
{
	const struct grp_scan_request *request = find_request();
	struct task_struct *p = ctx->task;
	struct grp_policy_record told = {};

	/* A worker of io_uring is the kernel's: it never comes to where it could set one. */
	if (!p || !request || !wanted(request, p) || (p->flags & (PF_EXITING | PF_IO_WORKER)))
		return 0;
	fill_place(&told.task, p, bpf_task_storage_get(&tasks, p, NULL, 0));
	if (!is_told(request, &told.task, grp_place_of(told.task.place, GRP_PLACE_MEM)))
		return 0;
	if (!copy_policy(&told, p))
		told.task.verdict = GRP_VERDICT_BUSY;
	bpf_seq_write(ctx->meta->seq, &told, sizeof(told));
	return 0;
}

static __always_inline enum grp_verdict place_one(const struct task_struct *p, struct grp_task *t,
						  const struct grp_scan_request *request)
{
	__u64 word = read_word(t), old, new;
	int i;

	if (grp_word_state(word) == GRP_STATE_EXITED)
		return GRP_VERDICT_EXITING;
	if (!is_born(t, word))
		return p->flags & PF_EXITING ? GRP_VERDICT_EXITING : GRP_VERDICT_UNBORN;
	for (i = 0; i < PLACE_TRIES; i++) {
		old = read_place(t);
		if (grp_place_of(old, request->half) != request->expected)
			return GRP_VERDICT_BUSY;
		new = grp_place_with(old, request->half, request->wanted);
		if (__sync_val_compare_and_swap(&t->place, old, new) == old)
			return GRP_VERDICT_PLACED;
	}
	return GRP_VERDICT_BUSY;
}

/*
 * Pass: one half of one thread's place. Race partners: its birth hook, which writes
 * before the task is alive and is waited for, and its exit.
 */
SEC("iter/task")
int pass_place(struct bpf_iter__task *ctx)
{
	const struct grp_scan_request *request = find_request();
	struct grp_place_record record;
	struct task_struct *p = ctx->task;
	enum grp_verdict verdict = GRP_VERDICT_UNBORN;
	struct grp_task *t;

	if (!p || !request || !wanted(request, p) || p->start_boottime != request->start_ns ||
	    request->half >= GRP_PLACE_HALVES)
		return 0;
	t = bpf_task_storage_get(&tasks, p, NULL, 0);
	if (t)
		verdict = place_one(p, t, request);
	fill_place(&record, p, t);
	record.verdict = verdict;
	bpf_seq_write(ctx->meta->seq, &record, sizeof(record));
	return 0;
}
