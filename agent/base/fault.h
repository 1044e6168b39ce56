/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Points at which a test may end the agent, to show that what is left behind is
 * recoverable (A5). The product is linked with fault_none.c, where a point is
 * nothing; the test build with tests/support/fault.c instead.
 */
#ifndef GRP_BASE_FAULT_H
#define GRP_BASE_FAULT_H

#include <stdbool.h>

/**
 * grp_fault_point() - about to do one update of the store.
 * @name: of the update, for lists of points; a literal.
 * Context: loop.
 */
void grp_fault_point(const char *name);

/**
 * grp_fault_arm() - the agent is ready: points that a test wants counted only
 * from here on are counted now.
 * Context: loop.
 */
void grp_fault_arm(void);

/**
 * grp_fault_number() - a number that a test sets in GRPAGENT_FAULT_NAME.
 * Return: that number; 0 when it is not set, and always in the product.
 */
unsigned int grp_fault_number(const char *name);

/**
 * grp_fault_held() - whether a test wants what it names to wait.
 * Return: true while the file exists that GRPAGENT_FAULT_NAME names; never in the product.
 */
bool grp_fault_held(const char *name);

#endif
