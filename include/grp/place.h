/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The part of the shared types that is about the CPUs and the memory of tasks: the
 * place of a task, masks and policies, what passes and events tell of them. Rules
 * as in abi.h.
 */
#ifndef GRP_PLACE_H
#define GRP_PLACE_H

#ifndef __VMLINUX_H__
#include <stdbool.h>
#endif
#include "grp/abi.h"

/* --- the place of a task: two halves of applied:16 | wish:16 ------------------ */

/*
 * What a task wishes for itself, and what we have set instead; ids in the map
 * "masks", 0: everything as a wish, nothing as what we have set.
 */
enum grp_place_half {
	GRP_PLACE_CPU,
	GRP_PLACE_MEM,
	GRP_PLACE_HALVES,
};

/*
 * Beside what was applied: it is being set (A6), so that what the task has now
 * may be what we had set before, and is no wish of its own.
 */
#define GRP_PLACE_CHANGING 0x8000U

static inline __u32 grp_place_of(__u64 place, enum grp_place_half half)
{
	return place >> (32 * half);
}

static inline __u64 grp_place_with(__u64 place, enum grp_place_half half, __u32 value)
{
	return (place & ~(0xffffffffULL << (32 * half))) | ((__u64)value << (32 * half));
}

/* Of a half: */
static inline __u32 grp_place_make(__u32 wish, __u32 applied)
{
	return (applied << 16) | wish;
}

static inline __u32 grp_place_wish(__u32 half)
{
	return half & 0xffff;
}

static inline __u32 grp_place_applied(__u32 half)
{
	return (half >> 16) & ~GRP_PLACE_CHANGING;
}

static inline bool grp_place_changing(__u32 half)
{
	return half & (GRP_PLACE_CHANGING << 16);
}

enum grp_place_how {
	GRP_PLACE_HOW_BIRTH, /* born with a mask that its parent has no more */
	GRP_PLACE_HOW_OUTSIDE, /* about to run on a CPU outside of what was set */
	GRP_PLACE_HOW_ASKED, /* sched_setaffinity(), by whoever it says */
	GRP_PLACE_HOW_MAX,
};

/*
 * A task whose CPUs may have been rewritten. There is one on its way for a task at
 * most: the agent takes its entry out of "place_pending" before it looks.
 */
struct grp_place_event {
	struct grp_event event; /* set is not used */
	__u32 tid; /* 0: whichever; all have to be looked at */
	__u32 how; /* enum grp_place_how */
	__u32 by_tgid; /* ASKED: who; else 0 */
	__u32 by_uid;
	char by_comm[16];
};

/* In the plan of GRP_PASS_PLACED: which tasks of a set are told. */
#define GRP_PLAN_PLACED 0 /* those with a place that is not 0 */
#define GRP_PLAN_ALL 1

/*
 * What GRP_PASS_PLACED tells of a task, followed by its mask: as many words as the
 * possible CPUs need. On a kernel that keeps what was asked for apart from what the
 * task gets of it (6.2), it is what was asked for.
 */
struct grp_place_record {
	__u32 tid;
	__u32 tgid;
	__u16 set;
	__u8 state; /* enum grp_state */
	__u8 verdict; /* enum grp_verdict */
	__u16 kind; /* enum grp_task_kind */
	__u16 pad;
	__u64 start_ns; /* since boot */
	__u64 place;
};

static inline const __u64 *grp_place_mask(const struct grp_place_record *record)
{
	return (const __u64 *)(record + 1);
}

/* Nodes that a kernel can be built for. */
#define GRP_NODES_MAX 1024

/*
 * What the pass over policies tells of a task: the one it has for its memory, as it was
 * asked for where the kernel keeps that (static and relative nodes), else as it holds now.
 */
struct grp_policy_record {
	struct grp_place_record task;
	__u16 mode; /* MPOL_*; 0: none of its own */
	__u16 flags; /* of MPOL_MODE_FLAGS */
	__u32 pad;
	__u64 nodes[GRP_NODES_MAX / 64];
};

/* --- masks and policies, by id ------------------------------------------------- */

enum grp_mask_kind {
	GRP_MASK_CPUS,
	GRP_MASK_POLICY, /* of memory: a mode with its flags, and nodes */
	GRP_MASK_KINDS,
};

/* Each is there once. Written by the agent; which are in use the tasks say. */
struct grp_mask_record {
	__u32 kind; /* enum grp_mask_kind */
	__u32 mode; /* of a policy */
	__u32 flags;
	__u32 pad;
	__u64 words[GRP_MASK_WORDS_MAX];
};

_Static_assert(sizeof(struct grp_place_event) == 48, "abi");
_Static_assert(sizeof(struct grp_place_record) == 32, "abi");
_Static_assert(sizeof(struct grp_policy_record) == 40 + GRP_NODES_MAX / 8, "abi");
_Static_assert(sizeof(struct grp_mask_record) == 1040, "abi");

#endif
