/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Task storage: the one map that programs of every skeleton use. The fast path
 * makes it; others are loaded with its descriptor.
 */
#ifndef GRP_TASKS_BPF_H
#define GRP_TASKS_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "grp/abi.h"

/* A task's word and what was counted of it. */
struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct grp_task);
} tasks __weak SEC(".maps");

static __always_inline __u64 read_word(const struct grp_task *t)
{
	return *(const volatile __u64 *)&t->word;
}

/* Whether a word says whose the storage is, see enum grp_adoption. The word is read before this. */
static __always_inline bool is_born(const struct grp_task *t, __u64 word)
{
	__u32 state = grp_word_state(word);

	if (state == GRP_STATE_SEEDED)
		return *(const volatile __u32 *)&t->adoption == GRP_ADOPTION_NONE;
	return state != GRP_STATE_UNCLAIMED;
}

#endif
