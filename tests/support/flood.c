/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * flood SIGNAL: prints "ready" and sleeps. It ignores the signal of that number, and gets it
 * from a child on another CPU as fast as that can send it; without a second CPU by turns.
 */
#include "flood.h"

int main(int argc, char **argv)
{
	int of_signal;

	if (argc != 2)
		die_usage("flood SIGNAL");
	of_signal = (int)number(argv[1], NSIG - 1);
	if (signal(of_signal, SIG_IGN) == SIG_ERR)
		die("signal");
	(void)start_flood(of_signal);
	(void)printf("ready\n");
	(void)fflush(stdout);
	for (;;)
		(void)pause();
}
