/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The timer for what subsystems measure over windows of time, and for tasks that wait
 * for room in task storage. It runs only while one of them wants to be called.
 */
#ifndef GRP_TICK_H
#define GRP_TICK_H

struct grp_agent;

/**
 * grp_tick_arm() - sets the timer to what is due next in the core, or stops it;
 * after each round of the loop and before the first.
 */
void grp_tick_arm(struct grp_agent *agent);

#endif
