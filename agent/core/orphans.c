/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * See orphans.h.
 */
#include "core/orphans.h"

#include "core/internal.h"

#define WAIT_MIN_NS 1000000ULL
#define WAIT_MAX_NS 250000000ULL

void grp_orphans_note(struct grp_core *core)
{
	core->orphans_due_ns = grp_core_clock(core);
	core->orphans_wait_ns = WAIT_MIN_NS;
}

void grp_orphans_load(struct grp_core *core)
{
	if (core->ops->orphans(core->kernel))
		grp_orphans_note(core);
}

int grp_orphans_adopt(struct grp_core *core)
{
	int r;

	if (!core->orphans_due_ns || core->orphans_due_ns > grp_core_clock(core))
		return 0;
	r = core->ops->pass(core->kernel, GRP_PASS_SEED, NULL, NULL, NULL, NULL);
	if (!r)
		r = core->ops->orphans(core->kernel);
	if (!r) {
		core->orphans_due_ns = 0;
		return 0;
	}
	core->orphans_due_ns = grp_core_clock(core) + core->orphans_wait_ns;
	core->orphans_wait_ns *= 2;
	if (core->orphans_wait_ns > WAIT_MAX_NS)
		core->orphans_wait_ns = WAIT_MAX_NS;
	return r < 0 ? r : 0;
}
