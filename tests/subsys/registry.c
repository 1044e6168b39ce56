/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The product's subsystems and those of the tests; takes the place of
 * agent/subsys/registry.c in test programs.
 */
#include "test_subsys.h"

const struct grp_subsystem *const grp_subsystems[] = {
	GRP_SUBSYSTEMS,
	&grp_xa,
	&grp_xb,
	&grp_xs,
};
const size_t grp_n_subsystems = sizeof(grp_subsystems) / sizeof(*grp_subsystems);
