/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * agent/base/signals.c, looked at from /proc: the C library does not tell of all signals.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/signals.h"

/* One of those that the C library keeps for itself and lets nobody change. */
#define OF_THE_LIBRARY 33

/* A line "NAME:\tHEX" of /proc/self/status. */
static unsigned long mask_of(const char *name)
{
	char line[256];
	unsigned long mask = ~0UL;
	FILE *file = fopen("/proc/self/status", "re");

	if (!file)
		return mask;
	while (fgets(line, sizeof(line), file))
		if (!strncmp(line, name, strlen(name)))
			mask = strtoul(line + strlen(name), NULL, 16);
	(void)fclose(file);
	return mask;
}

static void handler(int number)
{
	(void)number;
}

static void test_ignored_and_blocked(void **state)
{
	const unsigned long ignore[8] = { (unsigned long)SIG_IGN };
	unsigned long caught;
	sigset_t all;

	(void)state;
	assert_true(signal(SIGHUP, SIG_IGN) != SIG_ERR);
	assert_true(signal(OF_THE_LIBRARY, SIG_IGN) == SIG_ERR);
	assert_int_equal(syscall(SYS_rt_sigaction, OF_THE_LIBRARY, ignore, NULL, NSIG / 8), 0);
	assert_true(signal(SIGUSR1, handler) != SIG_ERR);
	assert_int_equal(sigfillset(&all), 0);
	assert_int_equal(sigprocmask(SIG_SETMASK, &all, NULL), 0);
	caught = mask_of("SigCgt:");
	assert_true(mask_of("SigIgn:") & (1UL << (OF_THE_LIBRARY - 1)));
	assert_true(mask_of("SigBlk:"));
	grp_signals_reset();
	assert_int_equal(mask_of("SigIgn:"), 0);
	assert_int_equal(mask_of("SigBlk:"), 0);
	assert_int_equal(mask_of("SigCgt:"), caught);
	assert_true(signal(SIGUSR1, SIG_DFL) == handler);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ignored_and_blocked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
