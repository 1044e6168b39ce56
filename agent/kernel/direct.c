/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One thread by its number where the kernel can find it so: a program that is run
 * instead of a pass. With those for many of batch.c it is a class of its own: without it
 * everything works as well, by passes.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "base/fault.h"
#include "base/log.h"
#include "direct.skel.h"
#include "fastpath.skel.h"
#include "kernel/internal.h"

#define PLAN_AT_ONCE 256

/* With one of its two programs, and with those of batch.c or without. */
static int load(struct grp_bpf *bpf, bool still, bool many)
{
	struct direct *skel = direct__open();
	int r = skel ? grp_maps_share(bpf, skel->obj, skel->maps.batch) : -errno;

	if (!r) {
		skel->rodata->capacity_sets = bpf->view.capacity_sets;
		skel->rodata->possible_cpus = bpf->view.cpus;
		skel->rodata->fault_batch_loops = grp_fault_number("BATCH_LOOPS");
		r = bpf_program__set_autoload(
			still ? skel->progs.on_direct : skel->progs.on_direct_still, false);
	}
	if (!r)
		r = bpf_map__set_autocreate(skel->maps.batch, many);
	if (!r)
		r = bpf_program__set_autoload(skel->progs.on_each, many);
	if (!r)
		r = bpf_program__set_autoload(skel->progs.on_threads, many);
	if (!r)
		r = direct__load(skel);
	if (r) {
		direct__destroy(skel);
		return r;
	}
	bpf->direct = skel;
	bpf->direct_fd =
		bpf_program__fd(still ? skel->progs.on_direct_still : skel->progs.on_direct);
	bpf->direct_still = still;
	if (many)
		bpf->batch = grp_maps_map(skel->maps.batch, PROT_READ | PROT_WRITE);
	if (many && !bpf->batch)
		GRP_LOG_WARNING("no memory for many tasks in a call, using one each");
	return 0;
}

void grp_direct_open(struct grp_bpf *bpf)
{
	int r = load(bpf, true, true);

	/* What many need came with programs that cannot be preempted, or before. */
	if (r) {
		GRP_LOG_DEBUG("no many tasks in a call: %s, using one each", strerror(-r));
		r = load(bpf, true, false) ? load(bpf, false, false) : 0;
	}
	if (r)
		GRP_LOG_DEBUG("no task by its number: %s, using passes", strerror(-r));
}

void grp_direct_close(struct grp_bpf *bpf)
{
	direct__destroy(bpf->direct);
	bpf->direct = NULL;
	bpf->batch = NULL;
}

/* A plan of few sets as pairs. Most of it says nothing: many entries are looked at at once. */
static bool take_plan(const struct grp_bpf *bpf, const uint16_t *plan, struct grp_direct *direct)
{
	unsigned int n = 0, capacity = bpf->view.capacity_sets;
	uint16_t nothing[PLAN_AT_ONCE];

	memset(nothing, GRP_PLAN_NONE & 0xff, sizeof(nothing));
	for (unsigned int i = 0; i < capacity; i += PLAN_AT_ONCE) {
		if (i + PLAN_AT_ONCE <= capacity && !memcmp(plan + i, nothing, sizeof(nothing)))
			continue;
		for (unsigned int set = i; set < i + PLAN_AT_ONCE && set < capacity; set++) {
			if (plan[set] == GRP_PLAN_NONE)
				continue;
			if (n == GRP_DIRECT_PAIRS)
				return false;
			direct->pairs[n++] = set | (uint32_t)plan[set] << 16;
		}
	}
	return true;
}

bool grp_direct_can(const struct grp_bpf *bpf, enum grp_pass kind,
		    const struct grp_scan_request *request, const uint16_t *plan,
		    struct grp_direct *ret_direct)
{
	if (!bpf->direct || !request || !request->tid || (request->flags & GRP_SCAN_ALL_TASKS))
		return false;
	/* Of a listing by a plan the answer may be that there is nothing to tell. */
	if (kind == GRP_PASS_SEED || (kind == GRP_PASS_LIST && plan))
		return false;
	memset(ret_direct, 0, sizeof(*ret_direct));
	ret_direct->request = *request;
	ret_direct->move = kind == GRP_PASS_MOVE;
	for (unsigned int i = 0; i < GRP_DIRECT_PAIRS; i++)
		ret_direct->pairs[i] = GRP_PLAN_NONE;
	return !plan || take_plan(bpf, plan, ret_direct);
}

int grp_direct_run(struct grp_bpf *bpf, struct grp_direct *direct)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = direct, .ctx_size_in = sizeof(*direct));

	if (bpf_prog_test_run_opts(bpf->direct_fd, &opts))
		return -errno;
	return (int)opts.retval;
}
