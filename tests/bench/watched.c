/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A profiler that looks at one side of a row only: perf-record(1) with --control, which is
 * told when to go on and when to pause. See profile.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "bench.h"

int bench_watched_open(const char *fifos, struct bench_watched *ret_watched)
{
	_cleanup_free_ char *control = strdup(fifos);
	char *ack = control ? strchr(control, ',') : NULL;

	if (!ack)
		return bench_fail(-EINVAL, "--watched %s", fifos);
	*ack++ = '\0';
	ret_watched->control = open(control, O_WRONLY | O_CLOEXEC);
	/* the other end of a fifo is waited for: not of this one in vain */
	if (ret_watched->control >= 0)
		ret_watched->ack = open(ack, O_RDONLY | O_CLOEXEC);
	if (ret_watched->control < 0 || ret_watched->ack < 0)
		return bench_fail(-errno, "--watched %s", fifos);
	return 0;
}

int bench_watched_say(const struct bench_watched *watched, const char *command)
{
	char answer[16];
	ssize_t n;

	if (!watched->control)
		return 0;
	n = write(watched->control, command, strlen(command));
	if (n == (ssize_t)strlen(command))
		n = read(watched->ack, answer, sizeof(answer));
	return n > 0 ? 0 : bench_fail(n < 0 ? -errno : -EPIPE, "the profiler");
}
