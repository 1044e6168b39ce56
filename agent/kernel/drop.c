/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Giving up task storage. The kernel empties a map of it in a worker that can be preempted
 * in the middle of each piece, and before 6.2 no program finds any task's storage on that CPU
 * until the worker runs again: other instances would lose the last slice of tasks that are
 * reaped in that time. So there it is emptied before, by a pass under SCHED_FIFO, and the
 * worker finds next to nothing.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "drop.skel.h"
#include "kernel/internal.h"

/* What such programs call since they find storage at any time. */
#define FINDS_ALWAYS " bpf_task_storage_get_recur\n"

static bool finds_always(void)
{
	FILE *symbols = fopen("/proc/kallsyms", "re");
	char line[512];
	bool found = false;

	while (symbols && !found && fgets(line, sizeof(line), symbols))
		found = strstr(line, FINDS_ALWAYS);
	if (symbols)
		(void)fclose(symbols);
	return found;
}

static int run(const struct drop *skel)
{
	struct sched_param param = { 0 };
	_cleanup_close_ int fd = -1;
	int policy = sched_getscheduler(0);
	int r = grp_pass_open(skel->progs.pass_drop, NULL, &fd);
	ssize_t n;
	char c;

	if (r)
		return r;
	(void)sched_getparam(0, &param);
	grp_fifo_enter();
	do
		n = read(fd, &c, 1);
	while (n < 0 && (errno == EAGAIN || errno == EINTR));
	r = n < 0 ? -errno : 0;
	(void)sched_setscheduler(0, policy < 0 ? SCHED_OTHER : policy, &param);
	return r;
}

int grp_storage_drop(int tasks)
{
	struct drop *skel = drop__open();
	int r = skel ? bpf_map__reuse_fd(skel->maps.tasks, tasks) : -errno;

	if (!r)
		r = drop__load(skel);
	if (!r)
		r = run(skel);
	drop__destroy(skel);
	return r;
}

void grp_storage_give_up(int tasks)
{
	int r = finds_always() ? 0 : grp_storage_drop(tasks);

	if (r)
		GRP_LOG_WARNING("cannot empty task storage: %s, ignoring: the kernel does it",
				strerror(-r));
}
