/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * See signals.h.
 */
#include "base/signals.h"

#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * As rt_sigaction(2) has it where we are built: the handler first, and no longer than this.
 * The C library's own form refuses the signals that it keeps for itself.
 */
struct kernel_sigaction {
	unsigned long words[8];
};

#define KERNEL_SIGSET_BYTES (NSIG / 8)

static bool is_ignored(const struct kernel_sigaction *action)
{
	return action->words[0] == (unsigned long)SIG_IGN;
}

void grp_signals_reset(void)
{
	static const struct kernel_sigaction usual; /* SIG_DFL is 0 */
	struct kernel_sigaction action;
	sigset_t none;

	for (int number = 1; number < NSIG; number++) {
		memset(&action, 0, sizeof(action));
		if (!syscall(SYS_rt_sigaction, number, NULL, &action, KERNEL_SIGSET_BYTES) &&
		    is_ignored(&action))
			(void)syscall(SYS_rt_sigaction, number, &usual, NULL, KERNEL_SIGSET_BYTES);
	}
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}
