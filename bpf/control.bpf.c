// SPDX-License-Identifier: GPL-2.0-only
/*
 * Programs that the agent runs itself: settling before a read, and the changes
 * of counts that only the kernel side may make (each map has one writer).
 */
#include "member.bpf.h"

/*
 * Run by the agent on every online CPU before a read: charges what runs there
 * up to the last tick. Not where settle.bpf.c can do it from one CPU.
 * Context: interrupt from another CPU, or the agent itself.
 */
SEC("raw_tp")
int settle(void *ctx)
{
	struct task_struct *p = bpf_get_current_task_btf();
	struct task_now now;
	struct grp_task *t;

	if (!p->pid)
		return 0;
	t = bpf_task_storage_get(&tasks, p, NULL, 0);
	if (!t)
		return 0;
	read_task(p, bpf_get_smp_processor_id(), &now);
	charge(t, &now);
	return 0;
}

static long clear_cell(__u32 cpu, void *data)
{
	__u32 set = *(__u32 *)data, index;
	struct grp_cell *cell;
	struct grp_mode *mode;

	if (!cell_index(set, cpu, &index))
		return 1;
	cell = bpf_map_lookup_elem(&cells, &index);
	mode = bpf_map_lookup_elem(&modes, &index);
	if (!cell || !mode)
		return 1;
	__builtin_memset(cell, 0, sizeof(*cell));
	__builtin_memset(mode, 0, sizeof(*mode));
	return 0;
}

/* Members last: from then on the set can be used again (A4). */
static __always_inline int clear_set(__u32 set, struct grp_count *count)
{
	if (count->members >= 0 || count->chargers > 0)
		return -16; /* EBUSY */
	bpf_loop(possible_cpus, clear_cell, &set, 0);
	count->chargers = 0;
	count->entries = 0;
	count->peak_members = 0;
	count->active_ns = 0;
	count->forks = 0;
	count->execs = 0;
	count->exits = 0;
	__sync_fetch_and_add(&count->changes, 1);
	if (__sync_val_compare_and_swap(&count->members, (__s64)GRP_MEMBERS_DEAD, 0) !=
	    GRP_MEMBERS_DEAD)
		return -16; /* EBUSY: a birth is about to step back */
	return 0;
}

/* Rate: the agent's housekeeping. Context: process, sleepable. */
SEC("syscall")
int control(struct grp_control *request)
{
	__u32 set = request->set;
	struct grp_count *count = find_count(set);

	if (!count)
		return -22; /* EINVAL */
	switch (request->op) {
	case GRP_CONTROL_RETIRE:
		__sync_fetch_and_add(&count->changes, 1);
		if (__sync_val_compare_and_swap(&count->members, 0, (__s64)GRP_MEMBERS_DEAD))
			return -16; /* EBUSY */
		return 0;
	case GRP_CONTROL_CLEAR:
		return clear_set(set, count);
	case GRP_CONTROL_ADJUST:
		if (count->changes != request->changes)
			return -11; /* EAGAIN */
		__sync_fetch_and_add(&count->members, request->delta);
		return 0;
	case GRP_CONTROL_UNCHARGE:
		__sync_fetch_and_add(&count->chargers, request->delta);
		return 0;
	}
	return -22; /* EINVAL */
}
