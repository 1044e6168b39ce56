/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The agent's part towards its helper for memory policies, for programs that test the
 * helper alone.
 */
#ifndef GRP_TESTS_PLACE_H
#define GRP_TESTS_PLACE_H

#include <dirent.h>
#include <fcntl.h>
#include <linux/mempolicy.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "place/protocol.h"
#include "support.h"

/* Far more than any machine needs: what is tested is not how fast it is. */
#define PLACE_PATIENCE_MS 60000

struct place {
	int fd;
	pid_t pid;
	uint64_t id;
};

/* place_start() - @program: the agent's. */
static inline struct place place_start(const char *program)
{
	struct place place = { 0 };
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		die("socketpair");
	place.pid = fork();
	if (place.pid < 0)
		die("fork");
	if (!place.pid) {
		/* one that is inherited already is closed by the exec, as it stays itself */
		if (pair[1] == GRP_PLACE_FD)
			(void)fcntl(GRP_PLACE_FD, F_SETFD, 0);
		else if (dup2(pair[1], GRP_PLACE_FD) < 0)
			_exit(126);
		(void)execl(program, program, GRP_PLACE_ARGUMENT, NULL);
		_exit(127);
	}
	(void)close(pair[1]);
	place.fd = pair[0];
	return place;
}

/* place_ask() - one request without waiting for the reply. */
static inline void place_ask(struct place *place, struct grp_place_request *request)
{
	request->id = ++place->id;
	if (send(place->fd, request, sizeof(*request), MSG_NOSIGNAL) != sizeof(*request))
		die("send to the helper");
}

static inline struct grp_place_reply place_hear(struct place *place)
{
	struct grp_place_reply reply;

	if (recv(place->fd, &reply, sizeof(reply), 0) != sizeof(reply))
		die("receive from the helper");
	return reply;
}

static inline struct grp_place_reply place_do(struct place *place,
					      struct grp_place_request *request)
{
	struct grp_place_reply reply;

	place_ask(place, request);
	reply = place_hear(place);
	if (reply.id != request->id) {
		fprintf(stderr, "reply %llu to request %llu\n", (unsigned long long)reply.id,
			(unsigned long long)request->id);
		exit(EXIT_FAILURE);
	}
	return reply;
}

/* place_node() - the last one that has memory: not the one that a task gets it from anyway. */
static inline unsigned int place_node(void)
{
	char text[256] = "", *last;
	int fd = open("/sys/devices/system/node/has_memory", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : 0;

	(void)close(fd);
	text[n > 0 ? n - 1 : 0] = 0;
	last = strrchr(text, ',') ? strrchr(text, ',') + 1 : text;
	last = strchr(last, '-') ? strchr(last, '-') + 1 : last;
	return *last ? (unsigned int)number(last, 63) : 0;
}

/* place_bind() - to place_node(). */
static inline struct grp_place_reply place_bind(struct place *place, pid_t tid)
{
	struct grp_place_request request = { .op = GRP_PLACE_SET,
					     .tid = tid,
					     .timeout_ms = PLACE_PATIENCE_MS,
					     .mode = MPOL_BIND,
					     .nodes = { 1ULL << place_node() } };

	return place_do(place, &request);
}

static inline void place_end(struct place *place)
{
	int status;

	(void)close(place->fd);
	if (waitpid(place->pid, &status, 0) < 0)
		die("waitpid");
	if (!WIFEXITED(status) || WEXITSTATUS(status)) {
		fprintf(stderr, "the helper ended with %#x\n", (unsigned int)status);
		exit(EXIT_FAILURE);
	}
}

#endif
