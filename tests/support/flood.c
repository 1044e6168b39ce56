/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * flood SIGNAL: prints "ready" and sleeps. It ignores the signal of that number, and gets it
 * from a child on another CPU as fast as that can send it; without a second CPU by turns.
 */
#include <signal.h>
#include <sys/prctl.h>

#include "support.h"

static _Noreturn void send_all(pid_t parent, int number)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent)
		_exit(1);
	stay_on(1);
	for (;;)
		(void)kill(parent, number);
}

int main(int argc, char **argv)
{
	pid_t parent = getpid(), pid;
	int of_signal;

	if (argc != 2)
		die_usage("flood SIGNAL");
	of_signal = (int)number(argv[1], NSIG - 1);
	if (signal(of_signal, SIG_IGN) == SIG_ERR)
		die("signal");
	pid = fork();
	if (pid < 0)
		die("fork");
	if (!pid)
		send_all(parent, of_signal);
	stay_on(0);
	(void)printf("ready\n");
	(void)fflush(stdout);
	for (;;)
		(void)pause();
}
