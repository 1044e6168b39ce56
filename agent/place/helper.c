/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Two processes: the helper proper waits, its child is the tracer and serves. A thread
 * that does not stop in time is let go by the tracer's end, which is how the kernel
 * takes back what ptrace has asked of a thread; then there is a new tracer. One that
 * holds a thread which must not be let go yet leaves serving to a child of its own.
 */
#include "place/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "place/inject.h"
#include "place/migrate.h"

enum {
	EXIT_CLOSED = 0, /* nobody asks any more */
	EXIT_LET_GO = 10, /* the last reply can be given, a new tracer is needed */
	EXIT_GO_ON = 11, /* a new tracer is needed */
};

struct server {
	int fd;
	/* shared with the tracers: what is to be said when the last one has ended */
	struct grp_place_reply *last;
};

static int supervise(const struct server *server);

static int wait_for(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return EXIT_CLOSED;
	return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE;
}

static int finish_apart(const struct server *server, struct grp_place_thread *thread)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(supervise(server));
	/* without a child nobody serves meanwhile */
	grp_place_finish(thread);
	return pid < 0 ? EXIT_GO_ON : wait_for(pid);
}

static int serve(const struct server *server)
{
	struct grp_place_request request;
	struct grp_place_thread *thread = NULL;
	struct grp_place_reply reply;
	enum grp_place_next next;
	ssize_t n;

	for (;;) {
		n = recv(server->fd, &request, sizeof(request), 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n != (ssize_t)sizeof(request))
			return EXIT_CLOSED;
		if (request.op == GRP_PLACE_MIGRATE) {
			grp_place_migrate(&request, &reply);
			next = GRP_NEXT_REQUEST;
		} else {
			next = grp_place_inject(&request, &reply, &thread);
		}
		if (next == GRP_NEXT_TRACER) {
			*server->last = reply;
			return EXIT_LET_GO;
		}
		/* the agent may be gone, which is seen above */
		(void)send(server->fd, &reply, sizeof(reply), MSG_NOSIGNAL);
		if (next == GRP_NEXT_FINISH)
			return finish_apart(server, thread);
	}
}

/* Tracers, one after the other. */
static int supervise(const struct server *server)
{
	static const struct grp_place_reply lost = { .result = GRP_PLACE_FAILED,
						     .error = EOWNERDEAD };
	const struct grp_place_reply *reply;
	int status;
	pid_t pid;

	for (;;) {
		pid = fork();
		if (pid < 0)
			return EXIT_FAILURE;
		if (pid == 0)
			_exit(serve(server));
		status = wait_for(pid);
		if (status == EXIT_CLOSED)
			return EXIT_CLOSED;
		reply = status == EXIT_LET_GO ? server->last : &lost;
		if (status != EXIT_GO_ON)
			(void)send(server->fd, reply, sizeof(*reply), MSG_NOSIGNAL);
	}
}

/* To be killed in the middle would cost the thread in hand: see inject.h. */
static void be_spared(void)
{
	_cleanup_close_ int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	sigset_t set;

	if (fd >= 0)
		(void)!write(fd, "-1000", 5);
	(void)sigfillset(&set);
	/* what is wrong with us is to be seen */
	(void)sigdelset(&set, SIGSEGV);
	(void)sigdelset(&set, SIGBUS);
	(void)sigdelset(&set, SIGILL);
	(void)sigdelset(&set, SIGFPE);
	(void)sigdelset(&set, SIGABRT);
	(void)sigprocmask(SIG_SETMASK, &set, NULL);
	(void)prctl(PR_SET_NAME, "grpagent-place");
	(void)setsid();
}

int grp_place_helper(int fd)
{
	struct server server = { .fd = fd };

	(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
	be_spared();
	server.last = mmap(NULL, sizeof(*server.last), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return server.last == MAP_FAILED ? EXIT_FAILURE : supervise(&server);
}
