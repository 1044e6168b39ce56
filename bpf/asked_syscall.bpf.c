// SPDX-License-Identifier: GPL-2.0-only
/*
 * The hook for kernels that do not let functions be traced. While it is attached every
 * system call of the machine goes the way of those that are traced, which costs each
 * a little: only while somebody is confined. It does not see calls of 32-bit programs;
 * what such a one does is noticed when a task is about to run outside.
 */
#include "asked.bpf.h"

char LICENSE[] SEC("license") = "GPL";

/* Hook: the system call returns. Rate: calls of it. Context: the caller. */
SEC("tracepoint/syscalls/sys_exit_sched_setaffinity")
int on_asked_syscall(struct syscall_trace_exit *ctx)
{
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(bpf_get_current_task_btf());

	if (!ctx->ret && regs)
		asked(PT_REGS_PARM1_CORE_SYSCALL(regs));
	return 0;
}
