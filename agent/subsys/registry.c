/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The subsystems there are. A new one: its own file, one line each here.
 */
#include "subsys/subsys.h"

const struct grp_subsystem *const grp_subsystems[] = {
	&grp_cpuacct,
};
const size_t grp_n_subsystems = sizeof(grp_subsystems) / sizeof(*grp_subsystems);

_Static_assert(sizeof(grp_subsystems) / sizeof(*grp_subsystems) <= 32, "a mask has 32 bits");
