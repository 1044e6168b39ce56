/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The subsystems there are. A new one: its own file, and two lines here.
 */
#ifndef GRP_SUBSYS_H
#define GRP_SUBSYS_H

#include "core/file.h"

extern const struct grp_subsystem grp_cpuacct;
extern const struct grp_subsystem grp_debug;
extern const struct grp_subsystem grp_cpuset;

/*
 * The registry, in the order in which states are made (API-7). Records name a
 * subsystem by its place: new ones come last.
 */
#define GRP_SUBSYSTEMS &grp_cpuacct, &grp_debug, &grp_cpuset

#endif
