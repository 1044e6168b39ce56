// SPDX-License-Identifier: GPL-2.0-only
/*
 * The hook that costs nobody anything but who calls it, where the kernel lets
 * functions be traced. It sees calls of 32-bit programs too.
 */
#include "asked.bpf.h"

char LICENSE[] SEC("license") = "GPL";

/* Hook: the kernel's function has returned. Rate: calls. Context: the caller. */
SEC("fexit/sched_setaffinity")
int BPF_PROG(on_asked, pid_t pid, const struct cpumask *mask, long result)
{
	if (!result)
		asked(pid);
	return 0;
}
