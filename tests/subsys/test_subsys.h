/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Subsystems that exist only to test the framework: two exclusive ones and a
 * shareable one, all alike, linked into the unit tests and build/test/grpagent by
 * a registry of their own. Not in the product.
 */
#ifndef GRP_TEST_SUBSYS_H
#define GRP_TEST_SUBSYS_H

#include "subsys/subsys.h"

extern const struct grp_subsystem grp_xa; /* exclusive */
extern const struct grp_subsystem grp_xb; /* exclusive */
extern const struct grp_subsystem grp_xs; /* shareable */

/*
 * What the framework has called since the last test_subsys_forget(), of all three, a
 * line each: "xa.create /a", "xa.attach /a 3" (threads), "xa.bind NAME". What does
 * not fit any more is left out. Their files `trace` show the same.
 */
const char *test_subsys_trace(void);
void test_subsys_forget(void);

#endif
