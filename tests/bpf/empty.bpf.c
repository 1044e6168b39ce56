// SPDX-License-Identifier: GPL-2.0-only
/*
 * A program that does nothing, where the agent's switch hook is: what being called
 * costs. For the benchmark suite.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "GPL";

/* Hook and rate as on_switch of bpf/track.bpf.c. */
SEC("tp_btf/sched_switch")
int BPF_PROG(on_nothing, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	return 0;
}
