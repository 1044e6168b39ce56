/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Charging what runs now, before a read: all CPUs from here where the kernel can, else by an
 * interrupt on each. It is a class of its own: without it everything works as well.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "fastpath.skel.h"
#include "kernel/internal.h"
#include "settle.skel.h"

void grp_settle_open(struct grp_bpf *bpf)
{
	struct settle *skel;
	int r;

	/* What a CPU without ticks has counted is brought up to date by nothing but an interrupt. */
	if (grp_topology_is_tickless())
		return;
	skel = settle__open();
	r = skel ? grp_maps_share(bpf, skel->obj, NULL) : -errno;
	if (!r) {
		skel->rodata->capacity_sets = bpf->view.capacity_sets;
		skel->rodata->possible_cpus = bpf->view.cpus;
		r = settle__load(skel);
	}
	if (r) {
		settle__destroy(skel);
		GRP_LOG_DEBUG("cannot settle from one CPU: %s, using interrupts", strerror(-r));
		return;
	}
	bpf->settle = skel;
}

void grp_settle_close(struct grp_bpf *bpf)
{
	settle__destroy(bpf->settle);
	bpf->settle = NULL;
}

unsigned int grp_settle_from_here(const struct grp_bpf *bpf)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);

	if (!bpf->settle ||
	    bpf_prog_test_run_opts(bpf_program__fd(bpf->settle->progs.settle_from_here), &opts))
		return 0;
	return opts.retval;
}

/* @ret_online: so many CPUs are. */
static int settle_there(const struct grp_bpf *bpf, unsigned int *ret_online)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .flags = BPF_F_TEST_RUN_ON_CPU);
	int fd = bpf_program__fd(bpf->skel->progs.settle);

	*ret_online = 0;
	for (opts.cpu = 0; opts.cpu < bpf->view.cpus; opts.cpu++) {
		/* A CPU that is offline runs nothing that could be settled. */
		if (!bpf_prog_test_run_opts(fd, &opts))
			++*ret_online;
		else if (errno != ENXIO)
			return -errno;
	}
	return 0;
}

int grp_settle(void *kernel)
{
	struct grp_bpf *bpf = kernel;
	unsigned int online = grp_settle_from_here(bpf);
	int r = online ? 0 : settle_there(bpf, &online);

	if (!r)
		bpf->view.online_cpus = online;
	return r;
}
