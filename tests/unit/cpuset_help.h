/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A machine for tests of cpuset: 8 CPUs, of which 0 to 3 are on node 0 and in
 * package 0, the others on node 1 and in package 1; two CPUs make a core.
 * Hierarchy "c" has cpuset and nothing else.
 */
#ifndef GRP_TEST_CPUSET_HELP_H
#define GRP_TEST_CPUSET_HELP_H

#include "world.h"

#define CPUSET_CPUS 8

/* Setup and teardown of a test; *state is a struct world. */
int cpuset_setup(void **state);
int cpuset_teardown(void **state);

/* CPUs go or come, and the agent hears of it. */
void cpuset_online(struct world *world, const char *list);

/* mkdir; cpus and mems are written unless they are NULL. */
void cpuset_group(struct world *world, const char *spec, const char *cpus, const char *mems);

/* What "cpuset.FILE" of a group holds, without the newline. */
void cpuset_holds(struct world *world, const char *spec, const char *file, const char *expected);

/* Writes "cpuset.FILE". Return: its errno. */
int cpuset_write(struct world *world, const char *spec, const char *file, const char *text);

#endif
