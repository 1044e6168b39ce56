// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counts direct reclaim for cpuset.memory_pressure (CPUSET-28), while somebody has
 * switched that on: a skeleton of its own, so that a kernel without the tracepoint
 * lacks nothing else. Only events are counted here, in the second that they fall
 * in; the filter is the agent's (core/pressure.c), which may look as late as
 * GRP_PRESSURE_SECONDS later.
 */
#include "tasks.bpf.h"

#include "grp/pressure.h"

#define TRIES 8

char LICENSE[] SEC("license") = "GPL";

/* Of these programs; set by the loader. */
const volatile __u32 generation = 0;

/* One entry a set; the loader sets the size. Written here, cleared by the agent in a dead set. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct grp_pressure);
} reclaims SEC(".maps");

/*
 * Which generation counts; 0: none. A count cannot be claimed as a task's time can,
 * so of two generations one is elected. Written by the agent.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} reclaim_owner SEC(".maps");

static __always_inline bool elected(void)
{
	__u32 zero = 0, *owner = bpf_map_lookup_elem(&reclaim_owner, &zero);

	return owner && *(volatile __u32 *)owner == generation;
}

/* What is left in the bucket from an earlier lap is forgotten. Race partners: other CPUs. */
static __always_inline void count_one(__u32 *bucket, __u64 second)
{
	__u32 old, events;
	int i;

	for (i = 0; i < TRIES; i++) {
		old = *(volatile __u32 *)bucket;
		events = grp_pressure_events(old, second);
		if (events >= GRP_PRESSURE_EVENTS_MAX)
			return;
		if (__sync_val_compare_and_swap(bucket, old,
						grp_pressure_bucket(second, events + 1)) == old)
			return;
	}
}

/* A task that could not be given storage (an orphan), or is just being given it, is not counted. */
static __always_inline int count_current(void)
{
	struct grp_task *t = bpf_task_storage_get(&tasks, bpf_get_current_task_btf(), NULL, 0);
	__u64 second = bpf_ktime_get_ns() / 1000000000;
	struct grp_pressure *pressure;
	__u64 word;
	__u32 set;

	if (!t || !elected())
		return 0;
	word = read_word(t);
	if (!is_born(t, word))
		return 0;
	set = grp_word_set(word);
	pressure = bpf_map_lookup_elem(&reclaims, &set);
	if (pressure)
		count_one(&pressure->bucket[second % GRP_PRESSURE_SECONDS], second);
	return 0;
}

/*
 * Hook: a task is about to reclaim memory itself, as it gets none otherwise. Rate:
 * such allocations, each of which costs many microseconds. Context: the task.
 * Budget: a storage lookup and a swap, ~100 ns.
 */
SEC("tp_btf/mm_vmscan_direct_reclaim_begin")
int BPF_PROG(on_reclaim)
{
	return count_current();
}
