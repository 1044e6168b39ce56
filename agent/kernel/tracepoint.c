/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tracepoints that are found by a number only, as those of system calls are. The number
 * is a file of tracefs, which need not be mounted anywhere: a mount of our own that is
 * in nobody's tree does.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/mount.h>
#include <linux/perf_event.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "kernel/internal.h"

/* Return: number; -errno. */
static int tracepoint_id(const char *file)
{
	_cleanup_close_ int context = -1, mount = -1, fd = -1;
	char text[32];
	uint64_t id;
	ssize_t n;

	context = (int)syscall(SYS_fsopen, "tracefs", FSOPEN_CLOEXEC);
	if (context < 0 || syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	mount = (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, 0);
	if (mount < 0)
		return -errno;
	fd = openat(mount, file, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (n < 0)
		return -errno;
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return grp_parse_u64(text, 1, INT_MAX, &id) ? -EPROTO : (int)id;
}

int grp_tracepoint_open(const char *file)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_TRACEPOINT,
					.size = sizeof(attr),
					.sample_period = 1,
					.wakeup_events = 1 };
	int id = tracepoint_id(file), fd;

	if (id < 0)
		return id;
	attr.config = (uint64_t)id;
	fd = (int)syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	return fd < 0 ? -errno : fd;
}
