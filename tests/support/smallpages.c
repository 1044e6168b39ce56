/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * smallpages COMMAND [ARG...]
 *
 * Executes COMMAND without huge pages: the kernel would make some of its heap when it likes, with
 * memory that nobody asked for, and a test of how much COMMAND takes would count that.
 */
#include <sys/prctl.h>
#include <unistd.h>

#include "support.h"

int main(int argc, char **argv)
{
	if (argc < 2)
		die_usage("smallpages COMMAND [ARG...]");
	if (prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0))
		die("prctl");
	(void)execvp(argv[1], argv + 1);
	die(argv[1]);
}
