/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The helper of the agent alone, and what the guest has no program for: with arguments it
 * is a program that others run before everybody else, as each step of an injection waits for
 * a CPU.
 */
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

#include "place/helper.h"
#include "place/protocol.h"

#define PRIORITY 50

int main(int argc, char **argv)
{
	const struct sched_param urgent = { .sched_priority = PRIORITY };

	/* The agent gives it a name and nothing else. */
	if (argc < 2 || argv[1][0] != '/')
		return grp_place_helper(GRP_PLACE_FD);
	if (sched_setscheduler(0, SCHED_FIFO, &urgent))
		perror("sched_setscheduler");
	(void)execv(argv[1], argv + 1);
	perror(argv[1]);
	return 127;
}
