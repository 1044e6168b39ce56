/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Passes over the tasks by iterator programs, and the programs that the agent
 * runs itself. Everything here touches task storage and can be preempted in the
 * middle of it; a hook on that CPU would then find no storage (6.1), so all of it
 * runs under SCHED_FIFO for that moment, unless the program sees to it itself.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "fastpath.skel.h"
#include "kernel/internal.h"

/*
 * Less than the buffer that the kernel hands out at once, so that none is filled to
 * its end: the program would be run again for the record that meets it, and would
 * tell a task that it has just moved as one that the plan does not know.
 */
#define READ_BYTES 20480
_Static_assert(READ_BYTES + sizeof(struct grp_scan_record) < 32768, "seq buffer");

void grp_fifo_enter(void)
{
	const struct sched_param param = { .sched_priority = sched_get_priority_max(SCHED_FIFO) };

	/* Refused where real-time tasks are not allowed: `features` tells. */
	(void)sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &param);
}

static void leave_fifo(const struct grp_bpf *const *bpf)
{
	(void)sched_setscheduler(0, (*bpf)->policy, &(*bpf)->param);
}
#define _cleanup_fifo_ __attribute__((cleanup(leave_fifo)))

static struct bpf_program *pass_program(const struct grp_bpf *bpf, enum grp_pass kind)
{
	struct bpf_program *const programs[GRP_PASS_MAX] = {
		[GRP_PASS_SEED] = bpf->skel->progs.pass_seed,
		[GRP_PASS_LIST] = bpf->skel->progs.pass_list,
		[GRP_PASS_MOVE] = bpf->skel->progs.pass_move,
	};

	return programs[kind];
}

int grp_pass_open(const struct bpf_program *program, const struct grp_scan_request *request,
		  int *ret_fd)
{
	union bpf_iter_link_info info = {};
	LIBBPF_OPTS(bpf_link_create_opts, opts, .iter_info = &info, .iter_info_len = sizeof(info));
	_cleanup_close_ int link = -1;
	int fd;

	if (!request || (request->flags & GRP_SCAN_ALL_TASKS))
		;
	else if (request->tid)
		info.task.tid = request->tid;
	else if (request->tgid)
		info.task.pid = request->tgid;
	link = bpf_link_create(bpf_program__fd(program), 0, BPF_TRACE_ITER, &opts);
	if (link < 0)
		return -errno;
	fd = bpf_iter_create(link);
	if (fd < 0)
		return -errno;
	*ret_fd = fd;
	return 0;
}

static void write_plan(struct grp_bpf *bpf, const uint16_t *plan)
{
	for (unsigned int i = 0; i < bpf->view.capacity_sets; i++)
		bpf->plan[i] = plan[i];
}

void grp_pass_prepare(struct grp_bpf *bpf, const struct grp_scan_request *request,
		      const uint16_t *plan)
{
	memset(bpf->request, 0, sizeof(*bpf->request));
	if (request)
		*bpf->request = *request;
	if (plan)
		write_plan(bpf, plan);
	else
		bpf->request->flags |= GRP_SCAN_ALL_SETS;
}

static int hand_over(const struct grp_pass_reader *reader, const char *records, size_t len)
{
	int r = 0;

	for (size_t at = 0; !r && at + reader->size <= len; at += reader->size)
		r = reader->fn(records + at, reader->data);
	return r;
}

int grp_pass_read(struct grp_bpf *bpf, const struct grp_scan_request *request, const uint16_t *plan,
		  const struct grp_pass_reader *reader)
{
	/* As the records are made of. */
	uint64_t buffer[READ_BYTES / sizeof(uint64_t)];
	const size_t size = READ_BYTES / reader->size * reader->size;
	const struct grp_bpf *const fifo _cleanup_fifo_ = bpf;
	_cleanup_close_ int fd = -1;
	ssize_t n;
	int r;

	grp_pass_prepare(bpf, request, plan);
	grp_fifo_enter();
	r = grp_pass_open(reader->program, request, &fd);
	if (r)
		return r;
	while ((n = read(fd, buffer, size)) != 0) {
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (n < 0)
			return -errno;
		r = reader->fn ? hand_over(reader, (const char *)buffer, n) : 0;
		if (r)
			return r;
	}
	return 0;
}

struct teller {
	grp_scan_fn fn;
	void *data;
};

static int on_scan(const void *record, void *data)
{
	const struct teller *teller = data;

	return teller->fn(record, teller->data);
}

/* A thread by its number. */
static int run_direct(struct grp_bpf *bpf, struct grp_direct *direct, grp_scan_fn fn, void *data)
{
	int r;

	if (!bpf->direct_still)
		grp_fifo_enter();
	r = grp_direct_run(bpf, direct);
	if (!bpf->direct_still)
		leave_fifo(&(const struct grp_bpf *){ bpf });
	return r || !fn ? r : fn(&direct->record, data);
}

int grp_pass_run(void *kernel, enum grp_pass kind, const struct grp_scan_request *request,
		 const uint16_t *plan, grp_scan_fn fn, void *data)
{
	struct teller teller = { .fn = fn, .data = data };
	const struct grp_pass_reader reader = { .program = pass_program(kernel, kind),
						.size = sizeof(struct grp_scan_record),
						.fn = fn ? on_scan : NULL,
						.data = &teller };
	struct grp_direct direct;

	if (grp_batch_can(kernel, kind, request))
		return grp_batch_threads(kernel, request, plan, fn, data);
	if (grp_direct_can(kernel, kind, request, plan, &direct))
		return run_direct(kernel, &direct, fn, data);
	return grp_pass_read(kernel, request, plan, &reader);
}

/* --- in pieces ---------------------------------------------------------------------------- */

/* The kernel returns after so many records: of tasks, or of every 64th that was passed over. */
#define PIECE_RECORDS 32
/* Begins no new piece after this time. */
#define STEP_NS 500000

/* A pass that is open; the request may be another one at each step. */
struct scan {
	int fd;
};

int grp_scan_open(void *kernel, void **ret_scan)
{
	struct grp_bpf *bpf = kernel;
	struct scan *scan = malloc(sizeof(*scan));
	int r;

	if (!scan)
		return -ENOMEM;
	r = grp_pass_open(bpf->skel->progs.pass_list, NULL, &scan->fd);
	if (r)
		free(scan);
	else
		*ret_scan = scan;
	return r;
}

int grp_scan_step(void *kernel, void *scan, const struct grp_scan_request *request,
		  const uint16_t *plan, grp_scan_fn fn, void *data)
{
	struct grp_scan_record records[PIECE_RECORDS];
	struct grp_bpf *bpf = kernel;
	const struct grp_bpf *const fifo _cleanup_fifo_ = bpf;
	uint64_t end = grp_pass_clock(bpf) + STEP_NS;
	ssize_t n;
	int r = 0;

	grp_pass_prepare(bpf, request, plan);
	bpf->request->flags |= GRP_SCAN_PIECES;
	grp_fifo_enter();
	do {
		n = read(((struct scan *)scan)->fd, records, sizeof(records));
		if (n == 0)
			return 0;
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return -errno;
		for (ssize_t i = 0; !r && i < n / (ssize_t)sizeof(*records); i++)
			if (records[i].verdict != GRP_VERDICT_SKIPPED)
				r = fn(&records[i], data);
	} while (!r && grp_pass_clock(bpf) < end);
	return r ?: 1;
}

void grp_scan_close(void *kernel, void *scan)
{
	(void)kernel;
	(void)close(((struct scan *)scan)->fd);
	free(scan);
}

int grp_pass_control(void *kernel, const struct grp_control *control)
{
	struct grp_bpf *bpf = kernel;
	struct grp_control request = *control;
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = &request, .ctx_size_in = sizeof(request));
	int r = 0;

	/* Before the program makes its id usable again (A4). */
	if (request.op == GRP_CONTROL_CLEAR && bpf->view.counts[request.set].members < 0)
		r = grp_reclaim_clear(bpf, request.set);
	if (r)
		return r;
	if (bpf_prog_test_run_opts(bpf_program__fd(bpf->skel->progs.control), &opts))
		return -errno;
	return (int)opts.retval;
}

uint64_t grp_pass_clock(void *kernel)
{
	(void)kernel;
	return grp_clock_ns(CLOCK_MONOTONIC);
}
