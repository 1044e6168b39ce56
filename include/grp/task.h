/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The part of the shared types that a task carries: what is in task storage. Written by
 * programs only. Rules and invariants as in abi.h.
 */
#ifndef GRP_TASK_H
#define GRP_TASK_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

/* --- the word: set:16 | state:2 | charged:46 ------------------------------- */

/* Charged time is kept modulo 2^46 ns: one slice may last 19.5 hours. */
#define GRP_CHARGED_BITS 46
#define GRP_CHARGED_MASK ((1ULL << GRP_CHARGED_BITS) - 1)
#define GRP_STATE_SHIFT GRP_CHARGED_BITS
#define GRP_SET_SHIFT 48

enum grp_state {
	GRP_STATE_UNCLAIMED, /* storage exists, but not yet whose it is: see grp_adoption */
	GRP_STATE_SEEDED, /* placed in root by a pass; a birth hook may override */
	GRP_STATE_ALIVE,
	GRP_STATE_EXITED, /* no member any more, may still charge */
	GRP_STATE_MAX,
};

static inline __u64 grp_word(__u32 set, __u32 state, __u64 charged_ns)
{
	return ((__u64)set << GRP_SET_SHIFT) | ((__u64)state << GRP_STATE_SHIFT) |
	       (charged_ns & GRP_CHARGED_MASK);
}

static inline __u32 grp_word_set(__u64 word)
{
	return word >> GRP_SET_SHIFT;
}

static inline __u32 grp_word_state(__u64 word)
{
	return (word >> GRP_STATE_SHIFT) & 3;
}

static inline __u64 grp_word_charged(__u64 word)
{
	return word & GRP_CHARGED_MASK;
}

/* --- the storage ---------------------------------------------------------- */

/* Where a task's storage came from; written once, when it is created. */
enum grp_origin {
	GRP_ORIGIN_BIRTH,
	GRP_ORIGIN_SEED,
};

/*
 * In storage that is UNCLAIMED or SEEDED: whether its set stands in another place. Such a task is
 * not born yet for those who count, charge and move; it may run, and whoever asks for its set finds
 * it in the table of births without room, or else here. Has no meaning in other states.
 */
enum grp_adoption {
	GRP_ADOPTION_NONE,
	GRP_ADOPTION_DOUBT = 0xffffffff, /* seeded; its birth may have been noted just then */
	/* else: being taken from the table, 1 + its set */
};

/* Whether a task may still charge its set (A4). */
enum grp_uncharged {
	GRP_UNCHARGED_NOT_YET,
	GRP_UNCHARGED_DONE, /* its last charge is done, its set was told */
	GRP_UNCHARGED_UNBORN, /* its last switch found nobody to charge: left to who adopts it */
};

/* Task storage. Written by programs only. */
struct grp_task {
	__u64 word;
	__u64 counts; /* nvcsw:24 | nivcsw:24 | migrations:16, already counted */
	__u64 user_ns;
	__u64 system_ns; /* the parts of utime and stime already counted */
	__u32 exec_id; /* the part of self_exec_id already counted */
	__u32 origin; /* enum grp_origin */
	__u32 uncharged; /* enum grp_uncharged */
	__u32 adoption; /* enum grp_adoption */
	__u64 place; /* see grp/place.h; written at birth, then by a pass only */
};

_Static_assert(sizeof(struct grp_task) == 56, "abi");

#endif
