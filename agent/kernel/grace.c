/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Waiting for an RCU grace period outside the loop. The kernel waits for one at
 * each update of a map of maps; a forked child makes such an update and exits,
 * and the loop is told by its end. Ten milliseconds are typical.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <systemd/sd-event.h>
#include <unistd.h>
#include <utlist.h>

#include "base/cleanup.h"
#include "kernel/internal.h"

struct grace {
	struct grp_bpf *bpf;
	struct grace *prev, *next; /* of those that are waited for */
	sd_event_source *source;
	void (*done)(void *data);
	void *data;
};

int grp_grace_open(struct grp_bpf *bpf)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts);
	sigset_t child;

	/* The loop is told of a child's end only while the signal is blocked. */
	(void)sigemptyset(&child);
	(void)sigaddset(&child, SIGCHLD);
	if (sigprocmask(SIG_BLOCK, &child, NULL))
		return -errno;

	bpf->grace_inner = bpf_map_create(BPF_MAP_TYPE_ARRAY, "grp_grace_inner", 4, 4, 1, NULL);
	if (bpf->grace_inner < 0)
		return -errno;
	opts.inner_map_fd = bpf->grace_inner;
	bpf->grace_outer = bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, "grp_grace", 4, 4, 1, &opts);
	return bpf->grace_outer < 0 ? -errno : 0;
}

/* Children that are left end by themselves; nobody asks for them any more. */
static void drop_all(struct grp_bpf *bpf)
{
	struct grace *grace, *next;

	DL_FOREACH_SAFE(bpf->graces, grace, next) {
		DL_DELETE(bpf->graces, grace);
		(void)sd_event_source_disable_unref(grace->source);
		free(grace);
	}
}

void grp_grace_close(struct grp_bpf *bpf)
{
	drop_all(bpf);
	if (bpf->grace_outer >= 0)
		(void)close(bpf->grace_outer);
	if (bpf->grace_inner >= 0)
		(void)close(bpf->grace_inner);
}

/* The child must not hold the agent's lock or its clients' sockets. */
static void close_others(const struct grp_bpf *bpf)
{
	int low = bpf->grace_inner < bpf->grace_outer ? bpf->grace_inner : bpf->grace_outer;
	int high = bpf->grace_inner < bpf->grace_outer ? bpf->grace_outer : bpf->grace_inner;

	if (low > 0)
		(void)close_range(0, low - 1, 0);
	if (high > low + 1)
		(void)close_range(low + 1, high - 1, 0);
	(void)close_range(high + 1, ~0U, 0);
}

static int wait_grace(const struct grp_bpf *bpf)
{
	uint32_t zero = 0;

	return bpf_map_update_elem(bpf->grace_outer, &zero, &bpf->grace_inner, BPF_ANY) ? -errno :
											  0;
}

static int on_child(sd_event_source *source, const siginfo_t *info, void *data)
{
	_cleanup_free_ struct grace *grace = data;
	bool done = info->si_code == CLD_EXITED && info->si_status == 0;

	DL_DELETE(grace->bpf->graces, grace);
	(void)sd_event_source_unref(source);
	/* Somebody has killed the child: the period is still owed. */
	if (!done && grp_grace_start(grace->bpf, grace->done, grace->data) == 0)
		return 0;
	/* No child can be had: wait here, or the sets would be held for ever. */
	if (!done)
		(void)wait_grace(grace->bpf);
	grace->done(grace->data);
	return 0;
}

int grp_grace_start(void *kernel, void (*done)(void *data), void *data)
{
	_cleanup_free_ struct grace *grace = calloc(1, sizeof(*grace));
	struct grp_bpf *bpf = kernel;
	pid_t pid;
	int r;

	if (!grace)
		return -ENOMEM;
	*grace = (struct grace){ .bpf = bpf, .done = done, .data = data };
	pid = fork();
	if (pid < 0)
		return -errno;
	if (!pid) {
		close_others(bpf);
		_exit(wait_grace(bpf) ? 1 : 0);
	}
	r = sd_event_add_child(bpf->event, &grace->source, pid, WEXITED, on_child, grace);
	if (r < 0) {
		(void)waitpid(pid, NULL, 0);
		return r;
	}
	DL_APPEND(bpf->graces, grace);
	(void)TAKE_PTR(grace);
	return 0;
}
