/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Somebody else in the same loop, who becomes ready while long work is under way: how many turns
 * he has to wait.
 */
#ifndef GRP_TEST_BYSTANDER_H
#define GRP_TEST_BYSTANDER_H

#include <systemd/sd-event.h>

/* A piece may be under way, and another one be as old as he is. */
#define BYSTANDER_TURNS 3

/*
 * Becomes ready and waits for his turn. Return: turns of the loop until he had it. Fails after
 * very many.
 */
unsigned int bystander_wait(sd_event *event);

#endif
