/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * confined HOW FIFO: a process that is hard to place. Says "ready", reads a byte from
 * FIFO, says "survived" and ends with 0.
 *
 *   strict    with the seccomp mode that allows read, write and exit
 *   filter    with a filter that kills it for any other call
 *   dispatch  gets a signal for each of its own system calls (prctl)
 *   vfork     waits for a child of vfork(2), which reads the byte: not even a signal ends that
 *   exec      executes itself over and over from another thread until there is a byte
 *   moved     has its vDSO unmapped
 */
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support.h"

#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#endif

static char *program, *fifo;
static int fd;
static char selector; /* 0: calls are let through */

static void say(const char *text)
{
	(void)!write(STDOUT_FILENO, text, strlen(text));
}

static _Noreturn void read_and_end(void)
{
	char c;

	say("ready\n");
	if (read(fd, &c, 1) == 1)
		say("survived\n");
	(void)syscall(SYS_exit, 0);
	abort();
}

static void enter_filter(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_read, 3, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_write, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = { sizeof(code) / sizeof(*code), code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter))
		die("seccomp");
}

static void enter_strict(void)
{
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT))
		die("seccomp");
}

static void enter_dispatch(void)
{
	if (prctl(PR_SET_SYSCALL_USER_DISPATCH, 1, 0, 0, &selector))
		die("dispatch");
}

static void wait_in_vfork(void)
{
	/* NOLINTBEGIN: the very thing that is tested */
	pid_t pid = vfork();
	char c;

	if (!pid) {
		say("ready\n");
		_exit(read(fd, &c, 1) == 1 ? 0 : 1);
	}
	/* NOLINTEND */
	say("survived\n");
	_exit(0);
}

static void *execute(void *arg)
{
	char text[16];

	(void)snprintf(text, sizeof(text), "%d", fd);
	(void)execl(program, program, "exec", fifo, text, NULL);
	die(program);
}

static void execute_on(void)
{
	struct pollfd poller = { .fd = fd, .events = POLLIN };
	pthread_t thread;

	if (poll(&poller, 1, 0) == 1)
		read_and_end();
	(void)pthread_create(&thread, NULL, execute, NULL);
	for (;;)
		(void)pause();
}

static void unmap_vdso(void)
{
	char *vdso = (char *)getauxval(AT_SYSINFO_EHDR);

	if (vdso && munmap(vdso, 8192))
		die("munmap");
}

static const struct {
	const char *name;
	void (*enter)(void);
} ways[] = {
	{ "strict", enter_strict }, { "filter", enter_filter }, { "dispatch", enter_dispatch },
	{ "vfork", wait_in_vfork }, { "exec", execute_on },	{ "moved", unmap_vdso },
};

int main(int argc, char **argv)
{
	if (argc < 3)
		die_usage("confined HOW FIFO");
	program = argv[0];
	fifo = argv[2];
	/* so that it never ends; inherited when it executes itself */
	fd = argc > 3 ? (int)number(argv[3], 1000) : open(fifo, O_RDWR);
	if (fd < 0)
		die(fifo);
	if (argc == 3 && !strcmp(argv[1], "exec"))
		say("started\n");
	for (unsigned int i = 0; i < sizeof(ways) / sizeof(*ways); i++)
		if (!strcmp(argv[1], ways[i].name)) {
			ways[i].enter();
			read_and_end();
		}
	die_usage("confined HOW FIFO");
}
