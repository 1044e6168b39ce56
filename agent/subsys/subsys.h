/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Declarations of the subsystems, for the registry.
 */
#ifndef GRP_SUBSYS_H
#define GRP_SUBSYS_H

#include "core/file.h"

extern const struct grp_subsystem grp_cpuacct;

#endif
