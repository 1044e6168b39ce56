/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Many threads in one call where the kernel can do that: those of a process instead of a
 * pass, and those of a list instead of a call each. Loaded by direct.c.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>

#include "direct.skel.h"
#include "kernel/internal.h"

static int run(const struct bpf_program *program, struct grp_batch *batch)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = batch, .ctx_size_in = sizeof(*batch));

	if (bpf_prog_test_run_opts(bpf_program__fd(program), &opts))
		return -errno;
	return (int)opts.retval;
}

bool grp_batch_can(const struct grp_bpf *bpf, enum grp_pass kind,
		   const struct grp_scan_request *request)
{
	return bpf->batch && kind == GRP_PASS_MOVE && request && request->tgid && !request->tid &&
	       !(request->flags & GRP_SCAN_ALL_TASKS);
}

/* So often a process is begun with again, as the thread to go on behind has gone. */
#define STARTS 8

static int tell(const struct grp_bpf *bpf, const struct grp_batch *batch, grp_scan_fn fn,
		void *data)
{
	int r = 0;

	for (uint32_t i = 0; !r && fn && i < batch->n; i++)
		r = fn(&bpf->batch[i], data);
	return r;
}

/*
 * The last one told, when there is none behind it any more: then all who were born before that
 * were told, and all who are born later are born to one that was moved.
 */
int grp_batch_threads(struct grp_bpf *bpf, const struct grp_scan_request *request,
		      const uint16_t *plan, grp_scan_fn fn, void *data)
{
	struct grp_batch batch = { .first = request->tgid };
	unsigned int starts = 1;
	int r;

	grp_pass_prepare(bpf, request, plan);
	for (;;) {
		r = run(bpf->direct->progs.on_threads, &batch);
		if (r == -ESRCH && batch.told) {
			if (starts++ == STARTS)
				return -EAGAIN;
			batch = (struct grp_batch){ .first = request->tgid };
			continue;
		}
		if (!r)
			r = tell(bpf, &batch, fn, data);
		if (r || !batch.n)
			return r;
		batch.first = bpf->batch[batch.n - 1].tid;
		batch.told = 1;
	}
}

int grp_batch_each(void *kernel, const struct grp_scan_request *request, const uint16_t *plan,
		   struct grp_scan_record *records, size_t n)
{
	struct grp_bpf *bpf = kernel;
	struct grp_batch batch = { .n = (uint32_t)n };
	int r;

	if (!bpf->batch)
		return -EOPNOTSUPP;
	if (n > GRP_BATCH_MAX)
		return -E2BIG;
	grp_pass_prepare(bpf, request, plan);
	memcpy(bpf->batch, records, n * sizeof(*records));
	r = run(bpf->direct->progs.on_each, &batch);
	memcpy(records, bpf->batch, n * sizeof(*records));
	return r;
}
