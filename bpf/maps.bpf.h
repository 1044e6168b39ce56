/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The maps that the programs use, and their tunables. All are pinned by the
 * agent and shared by the generations of programs; nothing is kept in .bss,
 * which would be private to a generation. Definitions are weak: every object of
 * the skeleton includes this file and the linker keeps one.
 *
 * The store (groups, sets, hierarchies, journal) is not here: no program reads
 * it; agent/kernel makes those maps itself.
 */
#ifndef GRP_MAPS_BPF_H
#define GRP_MAPS_BPF_H

#include "tasks.bpf.h"

#include "grp/place.h"

/* Macros of the kernel's, not in its BTF. */
#define PF_EXITING 0x00000004
#define PF_IO_WORKER 0x00000010
#define TASK_DEAD 0x00000080
#define PF_KTHREAD 0x00200000
#define PF_NO_SETAFFINITY 0x04000000

/* Set by the loader. The defaults are safe: everything goes to the root set. */
const volatile __u32 capacity_sets __weak = 1;
const volatile __u32 possible_cpus __weak = 1;
const volatile __u32 mask_words __weak = 1; /* that hold the possible CPUs */
/* Test builds only: every so many births find no room in task storage. */
const volatile __u32 fault_birth_every __weak = 0;
/* ... in the second birth hook too; else only in the first. */
const volatile __u32 fault_birth_both __weak = 0;
/* ... and no room either when others adopt them, but for one of so many times. */
const volatile __u32 fault_adopt_room __weak = 0;
/* ... so many turns of a loop wherever storage is not yet its task's own. */
const volatile __u32 fault_adopt_loops __weak = 0;

/* Sizes of the next three are set by the loader. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct grp_cell);
} cells __weak SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct grp_mode);
} modes __weak SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct grp_count);
} counts __weak SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, GRP_STAT_MAX);
	__type(key, __u32);
	__type(value, __u64);
} stats __weak SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, GRP_ORPHANS_MAX);
	__type(key, struct grp_orphan_key);
	__type(value, struct grp_orphan);
} orphans __weak SEC(".maps");

/* 64 KiB hold 2,730 events; what does not fit is counted, and recovered. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 64 * 1024);
} events __weak SEC(".maps");

/* What the next pass shall do: written by the agent before it starts one. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct grp_scan_request);
} scan_request __weak SEC(".maps");

/* One entry a set; the loader sets the size. Written by the agent. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} plan __weak SEC(".maps");

/* By id; 0 is none. Written by the agent. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, GRP_MASKS_MAX);
	__type(key, __u32);
	__type(value, struct grp_mask_record);
} masks __weak SEC(".maps");

/* Tasks of which an event is on its way; 0: of all. Taken out by the agent. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, GRP_PLACE_PENDING_MAX);
	__type(key, __u32);
	__type(value, __u32);
} place_pending __weak SEC(".maps");

static __always_inline void stat_inc(__u32 stat)
{
	__u64 *value = bpf_map_lookup_elem(&stats, &stat);

	if (value)
		__sync_fetch_and_add(value, 1);
}

/*
 * A new element; -17 (EEXIST): there is one. As an int: before 6.4 the operations of maps return
 * one, the verifier calls them without the helper between, and the upper half of the register is
 * not the sign.
 */
static __always_inline int map_insert(void *map, const void *key, const void *value)
{
	return (int)bpf_map_update_elem(map, key, value, BPF_NOEXIST);
}

static __always_inline struct grp_count *find_count(__u32 set)
{
	return bpf_map_lookup_elem(&counts, &set);
}

/* A set beyond the capacity must not alias a cell in the row of the next CPU. */
static __always_inline bool cell_index(__u32 set, __u32 cpu, __u32 *ret_index)
{
	if (set >= capacity_sets)
		return false;
	*ret_index = cpu * capacity_sets + set;
	return true;
}

#endif
