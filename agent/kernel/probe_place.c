/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What placement of memory needs of the kernel, tried on a child that does nothing else.
 */
#include <errno.h>
#include <linux/mempolicy.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernel/probe_internal.h"

/* Linux 6.9; older headers have no name for it. */
#define WEIGHTED_INTERLEAVE 6
/* The most nodes that a kernel can be built for. */
#define NODES_MAX 1024

/* What the child has at the same address. */
static const char known[] = "known";

/* In the child; what it returns is its exit status. */
typedef int (*child_fn)(void);

static int wait_for_end(void)
{
	while (pause() < 0)
		;
	return 0;
}

static int set_weighted(void)
{
	unsigned long nodes[NODES_MAX / (8 * sizeof(unsigned long))] = { 0 };

	if (syscall(SYS_get_mempolicy, NULL, nodes, NODES_MAX + 1, NULL, MPOL_F_MEMS_ALLOWED) < 0 ||
	    syscall(SYS_set_mempolicy, WEIGHTED_INTERLEAVE, nodes, NODES_MAX + 1) < 0)
		return errno;
	return 0;
}

static pid_t start(struct grp_probe *probe, child_fn fn)
{
	pid_t parent = getpid(), pid = fork();

	if (pid < 0)
		(void)grp_probe_no(probe, "no process to try it on: %s", strerror(errno));
	if (pid)
		return pid;
	/* It has our lock and our clients' sockets: it must not outlive us. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	_exit(getppid() == parent ? fn() : 0);
}

static void end(pid_t pid)
{
	(void)kill(pid, SIGKILL);
	while (waitpid(pid, NULL, __WALL) < 0 && errno == EINTR)
		;
}

static bool seize(struct grp_probe *probe, unsigned long options, const char *why)
{
	pid_t pid = start(probe, wait_for_end);
	int error;

	if (pid < 0)
		return false;
	error = ptrace(PTRACE_SEIZE, pid, NULL, (void *)options) < 0 ? errno : 0;
	end(pid);
	return !error || grp_probe_no(probe, "refused: %s; %s", strerror(error), why);
}

bool grp_probe_ptrace(struct grp_probe *probe, int argument)
{
	return seize(probe, 0, "memory policies of running tasks cannot be set");
}

bool grp_probe_suspend_seccomp(struct grp_probe *probe, int argument)
{
	return seize(probe, PTRACE_O_SUSPEND_SECCOMP,
		     "tasks with a seccomp filter keep their memory policy");
}

bool grp_probe_process_vm(struct grp_probe *probe, int argument)
{
	struct iovec remote = { (void *)known, sizeof(known) };
	char seen[sizeof(known)];
	struct iovec local = { seen, sizeof(seen) };
	pid_t pid = start(probe, wait_for_end);
	int error;

	if (pid < 0)
		return false;
	error = process_vm_readv(pid, &local, 1, &remote, 1, 0) < 0 ? errno : 0;
	end(pid);
	return !error || grp_probe_no(probe, "process_vm_readv: %s", strerror(error));
}

/* Of nobody's pages: there is no such task. */
bool grp_probe_migrate_pages(struct grp_probe *probe, int argument)
{
	long r = syscall(SYS_migrate_pages, -1, 0, NULL, NULL);

	return (r < 0 && errno == ESRCH) ||
	       grp_probe_no(probe, "%s (CONFIG_MIGRATION): memory_migrate moves nothing",
			    strerror(errno));
}

bool grp_probe_weighted(struct grp_probe *probe, int argument)
{
	pid_t pid = start(probe, set_weighted);
	int status = 0;

	if (pid < 0)
		return false;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return grp_probe_no(probe, "cannot be tried: %s", strerror(errno));
	if (!WIFEXITED(status))
		return grp_probe_no(probe, "cannot be tried");
	if (WEXITSTATUS(status) == EINVAL)
		return grp_probe_no(probe, "this kernel does not know it (Linux 6.9 does)");
	return !WEXITSTATUS(status) ||
	       grp_probe_no(probe, "set_mempolicy: %s", strerror(WEXITSTATUS(status)));
}
