/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The real kernel behind struct grp_kernel_ops: loads the programs, adopts or
 * makes the pinned maps of an instance, attaches a new generation of programs
 * before it drops the old one, and hands out events.
 */
#ifndef GRP_KERNEL_BPF_H
#define GRP_KERNEL_BPF_H

#include "base/error.h"
#include "kernel/kernel.h"

struct sd_event;
struct grp_bpf;

struct grp_bpf_options {
	const char *instance; /* [A-Za-z0-9_.-]{1,64} */
	unsigned int capacity_groups, capacity_sets;
	struct sd_event *event; /* for grace periods; borrowed */
};

extern const struct grp_kernel_ops grp_bpf_ops;

/**
 * grp_bpf_open() - everything up to programs that count. Mounts bpffs when
 * missing; adopts what is pinned (layout and capacities are checked by
 * grp_core_load()); hooks attached first, then the seeding pass.
 * @ret_bpf: owned by the caller, grp_bpf_close(). The kernel side goes on after.
 * Return: 0; -EPERM, -EOPNOTSUPP (no BTF, no bpffs), -EPROTO (pinned by another
 * layout), -EINVAL (pinned with other capacities), -errno; @error has the reason
 * and what to do.
 */
int grp_bpf_open(const struct grp_bpf_options *options, struct grp_error *error,
		 struct grp_bpf **ret_bpf);
/**
 * grp_bpf_adopt() - the maps and passes of an instance that is there, without hooks of
 * ours and without events. For --unload.
 * Return: as grp_bpf_open(); -ENOENT: there is none.
 */
int grp_bpf_adopt(const char *instance, struct grp_error *error, struct grp_bpf **ret_bpf);
void grp_bpf_close(struct grp_bpf *bpf);

const struct grp_kernel_view *grp_bpf_view(const struct grp_bpf *bpf);

/* grp_bpf_generation() - how many generations of programs this instance had. */
unsigned int grp_bpf_generation(const struct grp_bpf *bpf);

/* grp_bpf_events_fd() - becomes readable when there are events. Borrowed. */
int grp_bpf_events_fd(const struct grp_bpf *bpf);

/* grp_bpf_events() - hands over what is there. Return: number; -errno. */
int grp_bpf_events(struct grp_bpf *bpf, void (*fn)(const struct grp_event *event, void *data),
		   void *data);

struct grp_bpf_program {
	const char *name;
	uint64_t runs, run_ns; /* 0 unless the kernel's run statistics are on */
};
/* grp_bpf_programs() - the programs of this generation. */
int grp_bpf_programs(struct grp_bpf *bpf,
		     int (*fn)(const struct grp_bpf_program *program, void *data), void *data);

struct grp_bpf_map {
	const char *name;
	uint64_t bytes; /* that the kernel holds for it now; before 6.4: when it is full */
	uint64_t entries, limit; /* entries: 0 where it is not known cheaply; limit: 0: none */
};
int grp_bpf_maps(struct grp_bpf *bpf, int (*fn)(const struct grp_bpf_map *map, void *data),
		 void *data);

/* grp_bpf_memory() - bytes of all maps together. */
uint64_t grp_bpf_memory(struct grp_bpf *bpf);

/**
 * grp_bpf_unload() - detach every generation and remove every pin of an
 * instance, in the order that keeps counts right to the end. No agent may run.
 * Return: 0, also when nothing was there.
 */
int grp_bpf_unload(const char *instance, struct grp_error *error);

#endif
