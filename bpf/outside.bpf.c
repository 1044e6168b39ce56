// SPDX-License-Identifier: GPL-2.0-only
/*
 * The hooks that notice a task outside of the CPUs that were set for it, before it
 * runs there: whatever widened its mask, and however. Attached only while somebody is
 * confined. Idempotent: an event a task until the agent looks, however often.
 */
#include "place.bpf.h"

char LICENSE[] SEC("license") = "GPL";

static __always_inline void look(const struct task_struct *p, struct grp_task *t, __u32 cpu)
{
	__u32 half = grp_place_of(read_place(t), GRP_PLACE_CPU), id = grp_place_applied(half);
	__u32 index = cpu / 64;
	struct grp_mask_record *mask;
	__u64 word;

	/* While it is being changed its old CPUs are no surprise; the agent looks anyway. */
	if (!id || grp_place_changing(half))
		return;
	mask = bpf_map_lookup_elem(&masks, &id);
	if (!mask)
		return;
	/* The compiler knows that it is small, the verifier has to be shown. */
	asm volatile("" : "+r"(index));
	word = mask->words[index & (GRP_MASK_WORDS_MAX - 1)];
	if (!(word & (1ULL << (cpu % 64))))
		notice_task(p, GRP_PLACE_HOW_OUTSIDE);
}

/*
 * Hook: a task is given another CPU, under its runqueue lock. Rate: migrations.
 * Budget: a storage lookup, a lookup in a hash and a bit, ~60 ns.
 */
SEC("tp_btf/sched_migrate_task")
int BPF_PROG(on_migrate, struct task_struct *p, int dest_cpu)
{
	struct grp_task *t = bpf_task_storage_get(&tasks, p, NULL, 0);

	if (t && read_place(t))
		look(p, t, dest_cpu);
	return 0;
}

/*
 * Hook: a new task is about to run for the first time, on a CPU that was chosen
 * without telling the other hook. Rate: births. Budget: as above.
 */
SEC("tp_btf/sched_wakeup_new")
int BPF_PROG(on_wakeup_new, struct task_struct *p)
{
	struct grp_task *t = bpf_task_storage_get(&tasks, p, NULL, 0);

	if (t && read_place(t))
		look(p, t, p->thread_info.cpu);
	return 0;
}
