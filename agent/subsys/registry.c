/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The table of the subsystems there are, see subsys.h.
 */
#include "subsys/subsys.h"

const struct grp_subsystem *const grp_subsystems[] = { GRP_SUBSYSTEMS };
const size_t grp_n_subsystems = sizeof(grp_subsystems) / sizeof(*grp_subsystems);

_Static_assert(sizeof(grp_subsystems) / sizeof(*grp_subsystems) <= GRP_SUBSYSTEMS_MAX,
	       "a group has room for the states of so many");
