// SPDX-License-Identifier: GPL-2.0-only
/*
 * Empties task storage before it is given up, where that matters: see
 * agent/kernel/drop.c.
 */
#include "tasks.bpf.h"

char LICENSE[] SEC("license") = "GPL";

/* Pass: no task has storage. Context: task iterator, RCU. */
SEC("iter/task")
int pass_drop(struct bpf_iter__task *ctx)
{
	struct task_struct *p = ctx->task;

	if (p)
		bpf_task_storage_delete(&tasks, p);
	return 0;
}
