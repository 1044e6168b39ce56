/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Moving the pages of a process (CPUSET-15): migrate_pages(2) from outside, for which
 * nothing of the process is stopped. In a helper only because it takes as long as it takes.
 */
#ifndef GRP_PLACE_MIGRATE_H
#define GRP_PLACE_MIGRATE_H

#include "place/protocol.h"

/**
 * grp_place_migrate() - one request GRP_PLACE_MIGRATE.
 * @reply: DONE with the number of pages that are still where they were; GONE; KERNEL;
 * DENIED, REFUSED with errno.
 */
void grp_place_migrate(const struct grp_place_request *request, struct grp_place_reply *reply);

#endif
