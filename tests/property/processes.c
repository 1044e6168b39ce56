/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Processes that do what the driver says: each waits on a socket for one letter.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "system.h"

enum command {
	COMMAND_FORK = 'f',
	COMMAND_THREAD = 't',
	COMMAND_EXIT = 'x',
};

static _Noreturn void serve(int fd);

static void *idle(void *data)
{
	pid_t tid = (pid_t)syscall(SYS_gettid);
	int fd = *(int *)data;

	if (write(fd, &tid, sizeof(tid)) != sizeof(tid))
		_exit(1);
	for (;;)
		(void)pause();
	return NULL;
}

/* A child that is spoken to over its own socket, which came with the command. */
static void fork_child(int own, int fd)
{
	pid_t pid = fork();

	if (pid < 0)
		_exit(1);
	if (!pid) {
		(void)close(own);
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		pid = getpid();
		if (write(fd, &pid, sizeof(pid)) != sizeof(pid))
			_exit(1);
		serve(fd);
	}
	(void)close(fd);
}

static int take_fd(struct msghdr *message)
{
	struct cmsghdr *part = CMSG_FIRSTHDR(message);
	int fd = -1;

	if (part && part->cmsg_type == SCM_RIGHTS)
		memcpy(&fd, CMSG_DATA(part), sizeof(fd));
	return fd;
}

static _Noreturn void serve(int fd)
{
	char command, space[CMSG_SPACE(sizeof(int))];
	static int own;
	pthread_t thread;

	own = fd;
	for (;;) {
		struct iovec bytes = { &command, 1 };
		struct msghdr message = { .msg_iov = &bytes,
					  .msg_iovlen = 1,
					  .msg_control = space,
					  .msg_controllen = sizeof(space) };

		if (recvmsg(fd, &message, 0) != 1 || command == COMMAND_EXIT)
			_exit(0);
		if (command == COMMAND_FORK)
			fork_child(fd, take_fd(&message));
		else if (pthread_create(&thread, NULL, idle, &own))
			_exit(1);
	}
}

/* --- the driver's side ---------------------------------------------------------------- */

static pid_t read_id(int fd)
{
	pid_t id;

	if (read(fd, &id, sizeof(id)) != sizeof(id))
		broken("a process did not tell its id: %s", strerror(errno));
	return id;
}

static void make_socket(int *pair)
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		broken("socketpair: %s", strerror(errno));
}

void process_start(struct process *ret_process, uid_t uid)
{
	int pair[2];
	pid_t pid;

	make_socket(pair);
	pid = fork();
	if (pid < 0)
		broken("fork: %s", strerror(errno));
	if (!pid) {
		(void)signal(SIGCHLD, SIG_IGN);
		if (setresgid(uid, uid, uid) || setresuid(uid, uid, uid))
			_exit(1);
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		pid = getpid();
		if (write(pair[1], &pid, sizeof(pid)) != sizeof(pid))
			_exit(1);
		serve(pair[1]);
	}
	(void)close(pair[1]);
	*ret_process = (struct process){ .pid = read_id(pair[0]), .uid = uid, .fd = pair[0] };
}

void process_fork(struct process *parent, struct process *ret_process)
{
	char command = COMMAND_FORK, space[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec bytes = { &command, 1 };
	struct msghdr message = { .msg_iov = &bytes,
				  .msg_iovlen = 1,
				  .msg_control = space,
				  .msg_controllen = sizeof(space) };
	struct cmsghdr *part = CMSG_FIRSTHDR(&message);
	int pair[2];

	make_socket(pair);
	part->cmsg_level = SOL_SOCKET;
	part->cmsg_type = SCM_RIGHTS;
	part->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(part), &pair[1], sizeof(int));
	if (sendmsg(parent->fd, &message, MSG_NOSIGNAL) != 1)
		broken("cannot command process %d: %s", (int)parent->pid, strerror(errno));
	(void)close(pair[1]);
	*ret_process =
		(struct process){ .pid = read_id(pair[0]), .uid = parent->uid, .fd = pair[0] };
}

pid_t process_thread(struct process *process)
{
	const char command = COMMAND_THREAD;

	if (send(process->fd, &command, 1, MSG_NOSIGNAL) != 1)
		broken("cannot command process %d: %s", (int)process->pid, strerror(errno));
	process->n_threads++;
	return read_id(process->fd);
}

/*
 * The end of the stream comes after the kernel's exit hook: descriptors are closed
 * later. Children go with it, by PR_SET_PDEATHSIG, so it must have none.
 */
void process_end(struct process *process)
{
	const char command = COMMAND_EXIT;
	char byte;

	if (send(process->fd, &command, 1, MSG_NOSIGNAL) != 1)
		broken("cannot command process %d: %s", (int)process->pid, strerror(errno));
	while (read(process->fd, &byte, 1) > 0)
		;
	(void)close(process->fd);
	(void)waitpid(process->pid, NULL, WNOHANG);
	*process = (struct process){ .fd = -1 };
}
