/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Places of tasks for real: passes that tell and change them, the masks and policies
 * that they name, and the system calls that set a thread's CPUs. Which hooks notice
 * that somebody else did is in notice.c.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fault.h"
#include "fastpath.skel.h"
#include "kernel/internal.h"

static size_t mask_words(const struct grp_bpf *bpf)
{
	return (bpf->view.cpus + 63) / 64;
}

/* --- masks ---------------------------------------------------------------------------- */

int grp_places_put_mask(void *kernel, uint32_t id, const struct grp_mask_record *record)
{
	const struct grp_bpf *bpf = kernel;
	int fd = bpf_map__fd(bpf->skel->maps.masks), r;

	grp_fault_point("masks");
	if (record)
		r = bpf_map_update_elem(fd, &id, record, BPF_ANY) ? -errno : 0;
	else
		r = bpf_map_delete_elem(fd, &id) && errno != ENOENT ? -errno : 0;
	return r == -E2BIG ? -ENOSPC : r;
}

static int on_mask(const void *key, const struct grp_store_walk *walk)
{
	uint32_t id;

	memcpy(&id, key, sizeof(id));
	return walk->visitor->mask(id, walk->value, walk->data);
}

int grp_places_visit(const struct grp_bpf *bpf, const struct grp_store_visitor *visitor, void *data)
{
	struct grp_mask_record record;
	const struct grp_store_walk walk = { on_mask, &record, visitor, data };

	return grp_store_walk(bpf_map__fd(bpf->skel->maps.masks), &walk);
}

/* --- passes ------------------------------------------------------------------------------ */

struct placed {
	grp_placed_fn fn;
	void *data;
};

static int on_placed(const void *record, void *data)
{
	const struct placed *placed = data;

	return placed->fn(record, placed->data);
}

int grp_places_placed(void *kernel, const struct grp_scan_request *request, const uint16_t *plan,
		      grp_placed_fn fn, void *data)
{
	struct grp_bpf *bpf = kernel;
	struct placed placed = { .fn = fn, .data = data };
	const struct grp_pass_reader reader = {
		.program = bpf->skel->progs.pass_placed,
		.size = sizeof(struct grp_place_record) + mask_words(bpf) * sizeof(uint64_t),
		.fn = on_placed,
		.data = &placed,
	};

	return grp_pass_read(bpf, request, plan, &reader);
}

struct policies {
	grp_policy_fn fn;
	void *data;
};

static int on_policy(const void *record, void *data)
{
	const struct policies *policies = data;

	return policies->fn(record, policies->data);
}

int grp_places_policies(void *kernel, const struct grp_scan_request *request, const uint16_t *plan,
			grp_policy_fn fn, void *data)
{
	struct grp_bpf *bpf = kernel;
	struct policies policies = { .fn = fn, .data = data };
	const struct grp_pass_reader reader = {
		.program = bpf->skel->progs.pass_policies,
		.size = sizeof(struct grp_policy_record),
		.fn = on_policy,
		.data = &policies,
	};

	return grp_pass_read(bpf, request, plan, &reader);
}

static int keep_verdict(const void *data, void *verdict)
{
	const struct grp_place_record *record = data;

	*(int *)verdict = record->verdict;
	return 0;
}

int grp_places_write(void *kernel, const struct grp_scan_request *request)
{
	struct grp_bpf *bpf = kernel;
	int verdict = GRP_VERDICT_EXITING, r;
	const struct grp_pass_reader reader = { .program = bpf->skel->progs.pass_place,
						.size = sizeof(struct grp_place_record),
						.fn = keep_verdict,
						.data = &verdict };

	grp_fault_point("place");
	r = grp_pass_read(bpf, request, NULL, &reader);
	if (r)
		return r == -EINVAL ? -ESRCH : r;
	switch (verdict) {
	case GRP_VERDICT_PLACED:
		return 0;
	case GRP_VERDICT_BUSY:
	case GRP_VERDICT_UNBORN:
		return -EAGAIN;
	default:
		return -ESRCH;
	}
}

/* --- system calls ------------------------------------------------------------------------- */

int grp_places_set_affinity(void *kernel, pid_t tid, const struct grp_mask *mask)
{
	const struct grp_bpf *bpf = kernel;

	grp_fault_point("affinity");
	return syscall(SYS_sched_setaffinity, tid, mask_words(bpf) * sizeof(uint64_t),
		       mask->words) < 0 ?
		       -errno :
		       0;
}

/* The kernel wants room for all CPUs that it was built for, and says how much it has used. */
int grp_places_get_affinity(void *kernel, pid_t tid, struct grp_mask *ret_mask)
{
	struct grp_mask mask = {};

	(void)kernel;
	if (syscall(SYS_sched_getaffinity, tid, sizeof(mask.words), mask.words) < 0)
		return -errno;
	*ret_mask = mask;
	return 0;
}

int grp_places_look(void *kernel, uint32_t tid)
{
	const struct grp_bpf *bpf = kernel;

	return bpf_map_delete_elem(bpf_map__fd(bpf->skel->maps.place_pending), &tid) &&
			       errno != ENOENT ?
		       -errno :
		       0;
}
