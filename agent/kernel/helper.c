/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The agent's side of its helpers (agent/place): each is our own program, started when
 * the first request comes, with a socket on which there is one request at a time. That
 * it has died is seen by its socket, and the next request starts another one.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fault.h"
#include "kernel/internal.h"

#define PROGRAM "/proc/self/exe"
#define NS_PER_MS 1000000ULL

struct helper {
	int fd;
	sd_event_source *source; /* NULL: there is no loop */
	uint64_t id; /* of the latest request */
	grp_replied_fn fn; /* NULL: it was replied to */
	void *data;
};

static void helper_free(struct helper *helper)
{
	if (!helper)
		return;
	(void)sd_event_source_disable_unref(helper->source);
	(void)close(helper->fd);
	free(helper);
}

static void replied(struct helper *helper, const struct grp_place_reply *reply)
{
	grp_replied_fn fn = helper->fn;

	helper->fn = NULL;
	if (fn)
		fn(reply, helper->data);
}

/* Its end is that of the socket: whoever of its processes has that serves. */
static void died(struct helper **helper)
{
	static const struct grp_place_reply lost = { .result = GRP_PLACE_FAILED, .error = EPIPE };
	struct helper *dead = TAKE_PTR(*helper);

	/* What is asked in there is asked of the next one. */
	replied(dead, &lost);
	helper_free(dead);
}

static void hear(struct helper **helper)
{
	struct grp_place_reply reply;
	ssize_t n = recv((*helper)->fd, &reply, sizeof(reply), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n != (ssize_t)sizeof(reply))
		died(helper);
	/* One without a number is about what was under way when a tracer was lost. */
	else if (!reply.id || reply.id == (*helper)->id)
		replied(*helper, &reply);
}

static int on_reply(sd_event_source *source, int fd, uint32_t revents, void *data)
{
	(void)source;
	(void)fd;
	(void)revents;
	hear(data);
	return 0;
}

/* That somebody asks is all: so the kernel need not keep what it ended with. */
static int on_end(sd_event_source *source, const siginfo_t *info, void *data)
{
	(void)source;
	(void)info;
	(void)data;
	return 0;
}

/* --- its start ---------------------------------------------------------------------------- */

/* The child: nothing of the agent's but the socket and where errors go. */
_Noreturn static void run_helper(int fd)
{
	char program[] = PROGRAM, argument[] = GRP_PLACE_ARGUMENT;
	char *const argv[] = { program, argument, NULL };
	int null = open("/dev/null", O_RDWR);

	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0)
		_exit(EXIT_FAILURE);
	/* One that is inherited already would be closed, as it stays itself. */
	if (fd == GRP_PLACE_FD ? fcntl(fd, F_SETFD, 0) < 0 : dup2(fd, GRP_PLACE_FD) < 0)
		_exit(EXIT_FAILURE);
	(void)close_range(GRP_PLACE_FD + 1, ~0U, 0);
	(void)execv(PROGRAM, argv);
	_exit(EXIT_FAILURE);
}

/* @slot: where it will be. */
static int watch(struct sd_event *event, struct helper **slot, struct helper *helper, pid_t pid)
{
	int r = event ? sd_event_add_child(event, NULL, pid, WEXITED, on_end, NULL) : 0;

	if (r >= 0 && event)
		r = sd_event_add_io(event, &helper->source, helper->fd, EPOLLIN, on_reply, slot);
	return r < 0 ? r : 0;
}

static int start(struct grp_bpf *bpf, struct helper **slot)
{
	struct helper *helper = calloc(1, sizeof(*helper));
	int pair[2], r;
	pid_t pid;

	if (!helper)
		return -ENOMEM;
	grp_fault_point("helper");
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
		r = -errno;
		free(helper);
		return r;
	}
	helper->fd = pair[0];
	pid = fork();
	r = pid < 0 ? -errno : 0;
	if (!pid)
		run_helper(pair[1]);
	(void)close(pair[1]);
	if (!r)
		r = watch(bpf->event, slot, helper, pid);
	/* Without its socket it ends. */
	if (r)
		helper_free(helper);
	else
		*slot = helper;
	return r;
}

/* --- the operations ----------------------------------------------------------------------- */

int grp_helper_ask(void *kernel, enum grp_helper which, const struct grp_place_request *request,
		   grp_replied_fn fn, void *data)
{
	struct grp_bpf *bpf = kernel;
	struct helper **helper = &bpf->helpers[which];
	struct grp_place_request numbered = *request;
	int r = *helper ? 0 : start(bpf, helper);

	if (r)
		return r;
	if ((*helper)->fn)
		return -EBUSY;
	numbered.id = ++(*helper)->id;
	if (send((*helper)->fd, &numbered, sizeof(numbered), MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
		r = -errno;
		died(helper);
		return r;
	}
	(*helper)->fn = fn;
	(*helper)->data = data;
	return 0;
}

int grp_helper_wait(void *kernel, uint64_t ns)
{
	struct grp_bpf *bpf = kernel;
	struct pollfd fds[GRP_HELPERS];

	for (unsigned int i = 0; i < GRP_HELPERS; i++) {
		fds[i].fd = bpf->helpers[i] ? bpf->helpers[i]->fd : -1;
		fds[i].events = POLLIN;
		fds[i].revents = 0;
	}
	if (poll(fds, GRP_HELPERS, (int)(ns / NS_PER_MS) + 1) < 0 && errno != EINTR)
		return -errno;
	for (unsigned int i = 0; i < GRP_HELPERS; i++)
		if (fds[i].revents && bpf->helpers[i])
			hear(&bpf->helpers[i]);
	return 0;
}

void grp_helper_end(void *kernel, enum grp_helper which)
{
	struct grp_bpf *bpf = kernel;
	struct helper *helper = TAKE_PTR(bpf->helpers[which]);

	helper_free(helper);
}

void grp_helpers_close(struct grp_bpf *bpf)
{
	for (unsigned int i = 0; i < GRP_HELPERS; i++)
		grp_helper_end(bpf, i);
}
