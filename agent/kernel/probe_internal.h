/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What probe.c and probe_bpf.c share. Nobody else includes it.
 */
#ifndef GRP_KERNEL_PROBE_INTERNAL_H
#define GRP_KERNEL_PROBE_INTERNAL_H

#include "kernel/probe.h"

struct btf;

/* One round of trying; made by grp_probe_each(). */
struct grp_probe {
	struct btf *btf; /* types of the kernel; NULL: it has none, or they are not for us */
	int btf_error; /* then -errno */
	char *reason; /* of the feature at hand: GRP_FEATURE_REASON_MAX bytes */
};

/* What a row of the table is called with. Return: whether it works. */
typedef bool (*grp_probe_fn)(struct grp_probe *probe, int argument);

/* grp_probe_no() - gives the reason. Return: false. */
bool grp_probe_no(struct grp_probe *probe, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* probe_bpf.c: each loads something tiny; the argument is not used. */
bool grp_probe_task_storage(struct grp_probe *probe, int argument);
bool grp_probe_tp_btf(struct grp_probe *probe, int argument);
bool grp_probe_iter_task(struct grp_probe *probe, int argument);
bool grp_probe_iter_process(struct grp_probe *probe, int argument);
bool grp_probe_syscall(struct grp_probe *probe, int argument);
bool grp_probe_run_on_cpu(struct grp_probe *probe, int argument);
bool grp_probe_ring_buffer(struct grp_probe *probe, int argument);
bool grp_probe_mmap_array(struct grp_probe *probe, int argument);
bool grp_probe_loop(struct grp_probe *probe, int argument);
bool grp_probe_lsm(struct grp_probe *probe, int argument);
bool grp_probe_fmod_ret(struct grp_probe *probe, int argument);
bool grp_probe_reclaim(struct grp_probe *probe, int argument);
bool grp_probe_fentry(struct grp_probe *probe, int argument);
bool grp_probe_task_from_pid(struct grp_probe *probe, int argument);
bool grp_probe_outside(struct grp_probe *probe, int argument);
bool grp_probe_asked_exit(struct grp_probe *probe, int argument);
bool grp_probe_asked_syscall(struct grp_probe *probe, int argument);

/* probe_place.c: likewise, with a child to try it on. */
bool grp_probe_ptrace(struct grp_probe *probe, int argument);
bool grp_probe_suspend_seccomp(struct grp_probe *probe, int argument);
bool grp_probe_process_vm(struct grp_probe *probe, int argument);
bool grp_probe_migrate_pages(struct grp_probe *probe, int argument);
bool grp_probe_weighted(struct grp_probe *probe, int argument);

#endif
