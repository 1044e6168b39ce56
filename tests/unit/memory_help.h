/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For tests of memory placement: a world with two nodes, groups /a and /b, process 1 in
 * the root and process 10 with three threads, and short words for what is done there.
 */
#ifndef GRP_TEST_MEMORY_HELP_H
#define GRP_TEST_MEMORY_HELP_H

#include "core/place.h"
#include "core/place_memory.h"
#include "world.h"

#define TURN_NS 1000000000ULL
#define SECOND_NS 1000000000ULL
#define ALL 3 /* nodes of this machine */

extern struct world world;

void open_world(void);
int memory_setup(void **state);
int memory_teardown(void **state);

/* What a group says about memory; it places if that is anything but all nodes. */
void say(const char *spec, uint32_t mode, uint64_t nodes, bool migrates);
/* Turns of the loop, with replies of helpers: not so long that anything is tried twice. */
void run(void);
void run_for(unsigned int seconds);
void move(const char *spec, pid_t tid, bool whole);
struct fake_task *task(uint32_t tid);
/* As the task itself does. */
void set(uint32_t tid, uint32_t mode, uint64_t nodes);
/* Fails the test if it has another policy. */
void has(uint32_t tid, uint32_t mode, uint64_t nodes);
struct grp_place_figures figures(void);

#define TEST(test) cmocka_unit_test_setup_teardown(test, memory_setup, memory_teardown)

#endif
