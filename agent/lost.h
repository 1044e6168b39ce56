/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Events that found no room in the ring buffer are counted by the programs, and each
 * round of the loop looks at the count. One may be lost just after that look, with a
 * ring that is empty by then: nobody would wake the loop for it. So after any loss, and
 * after many events at once, the loop is woken once more a moment later. While nothing
 * is lost there is no timer.
 */
#ifndef GRP_LOST_H
#define GRP_LOST_H

struct grp_agent;

/* So many events at once may mean that the ring was full. */
#define GRP_LOST_CROWD 64
/* A program has counted its loss by then. */
#define GRP_LOST_USEC 100000

/* grp_lost_arm() - at the end of each round, after the core has looked. */
void grp_lost_arm(struct grp_agent *agent);

#endif
