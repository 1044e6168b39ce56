/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ignoring COMMAND [ARGUMENT]...: runs a command with every signal blocked and ignored, also
 * those that the C library keeps for itself and that make(1) leaves ignored in what it starts.
 */
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "support.h"

/* What the kernel's rt_sigaction(2) takes: the handler first, then nothing that matters here. */
struct kernel_action {
	void (*handler)(int number);
	unsigned long rest[7];
};

int main(int argc, char **argv)
{
	const struct kernel_action ignore = { .handler = SIG_IGN };
	sigset_t all;
	int ignored = 0;

	if (argc < 2)
		die_usage("ignoring COMMAND [ARGUMENT]...");
	for (int number = 1; number < NSIG; number++)
		if (syscall(SYS_rt_sigaction, number, &ignore, NULL, NSIG / 8) == 0)
			ignored++;
	/* all but SIGKILL and SIGSTOP */
	if (ignored != NSIG - 1 - 2)
		die("rt_sigaction");
	(void)sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, NULL);
	(void)execvp(argv[1], argv + 1);
	die(argv[1]);
}
