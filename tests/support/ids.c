/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ids RUID EUID SUID
 *
 * Takes these user ids, real, effective and saved, prints "held" and sleeps until
 * SIGTERM. An exec would make the saved one the effective one, so no other program
 * can stand for it. Dies with its parent.
 */
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "support.h"

static const char usage[] = "ids RUID EUID SUID";

int main(int argc, char **argv)
{
	uid_t ids[3];

	if (argc != 4)
		die_usage(usage);
	for (int i = 0; i < 3; i++)
		ids[i] = (uid_t)number(argv[i + 1], UINT32_MAX - 1);
	if (setresuid(ids[0], ids[1], ids[2]))
		die("setresuid");
	/* The change of ids has taken it away. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL))
		die("prctl");
	puts("held");
	fflush(stdout);
	for (;;)
		pause();
}
