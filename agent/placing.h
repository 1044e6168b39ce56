/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tasks are placed from the loop, a slice at a time: the timer that calls the core's
 * placement when it is due. No decision is made here.
 */
#ifndef GRP_PLACING_H
#define GRP_PLACING_H

#include <stdbool.h>
#include <stdint.h>

struct grp_agent;

/* grp_placing_arm() - sets the timer. After each round of the loop. */
void grp_placing_arm(struct grp_agent *agent);

/**
 * grp_placing_settled() - works on it for a moment, and says whether what the ticket
 * (grp_place_ticket()) stands for is done. For who has asked for it and would wait.
 */
bool grp_placing_settled(struct grp_agent *agent, uint64_t ticket);

#endif
