/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A world in which groups are released: tasks that come and go, and who carries
 * the releases out. What does not work fails the test.
 */
#ifndef GRP_TEST_RELEASE_HELP_H
#define GRP_TEST_RELEASE_HELP_H

#include "world.h"

#define RELEASE_AGENT "/sbin/container_release_agent"

/* With task 1, that agent for hierarchy "default", and group /g. */
void release_open(struct world *world);
/* The same as *state, for cmocka. */
int release_setup(void **state);
int release_teardown(void **state);

int release_write_as(struct world *world, const char *spec, const char *file, const char *text,
		     const struct grp_caller *caller);
int release_put(struct world *world, const char *spec, const char *file, const char *text);
void release_holds(struct world *world, const char *spec, const char *file, const char *expected);

/* A child of task 1 enters a group; it ends. */
void release_enter(struct world *world, const char *spec, uint32_t tid);
void release_leave(struct world *world, uint32_t tid);

/* Events reach the core. */
void release_pump(struct world *world);
/*
 * Carries out all that are due, one after the other. Return: "run:NAME" for each
 * program that would be started, "remove:NAME" for each group that was removed;
 * valid until the next call.
 */
const char *release_due(struct world *world);
bool release_marked(struct world *world, const char *spec);

#endif
