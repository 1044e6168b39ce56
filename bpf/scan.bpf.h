/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the passes over the tasks share, see scan.bpf.c.
 */
#ifndef GRP_SCAN_BPF_H
#define GRP_SCAN_BPF_H

#include "maps.bpf.h"

static __always_inline const struct grp_scan_request *find_request(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&scan_request, &zero);
}

static __always_inline bool wanted(const struct grp_scan_request *request,
				   const struct task_struct *p)
{
	return (!request->tgid || request->tgid == p->tgid) &&
	       (!request->tid || request->tid == p->pid);
}

/* kthreadd is not bound, but whatever holds for it is had by all it starts later. */
#define KTHREADD 2

static __always_inline __u16 task_kind(const struct task_struct *p)
{
	if (!(p->flags & PF_KTHREAD))
		return p->flags & PF_NO_SETAFFINITY ? GRP_TASK_FIXED : 0;
	return GRP_TASK_KERNEL |
	       (p->flags & PF_NO_SETAFFINITY || p->pid == KTHREADD ? GRP_TASK_FIXED : 0);
}

#endif
