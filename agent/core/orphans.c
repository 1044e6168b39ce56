/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * See orphans.h.
 */
#include "core/orphans.h"

#include "core/internal.h"

#define WAIT_MIN_NS 1000000ULL
#define WAIT_MAX_NS 60000000000ULL
/* Somebody waits for one of them. */
#define WAIT_WANTED_NS 100000000ULL
/* Of the time that a pass took, before the next one. */
#define REST_FACTOR 10

/* Unless it is due before. Not at once, if the passes take long. */
static void make_due(struct grp_core *core, uint64_t due_ns)
{
	if (due_ns < core->orphans_rest_ns)
		due_ns = core->orphans_rest_ns;
	if (!core->orphans_due_ns || due_ns < core->orphans_due_ns)
		core->orphans_due_ns = due_ns;
}

void grp_orphans_note(struct grp_core *core)
{
	core->orphans_wait_ns = WAIT_MIN_NS;
	make_due(core, grp_core_clock(core));
}

void grp_orphans_look(struct grp_core *core)
{
	if (core->ops->orphans(core->kernel))
		grp_orphans_note(core);
}

void grp_orphans_want(struct grp_core *core)
{
	if (core->orphans_due_ns)
		make_due(core, grp_core_clock(core) + WAIT_WANTED_NS);
}

uint64_t grp_orphans_due(const struct grp_core *core)
{
	return core->orphans_due_ns;
}

static void wait_for_room(struct grp_core *core, uint64_t now)
{
	make_due(core, now + core->orphans_wait_ns);
	core->orphans_wait_ns *= 2;
	if (core->orphans_wait_ns > WAIT_MAX_NS)
		core->orphans_wait_ns = WAIT_MAX_NS;
}

int grp_orphans_adopt(struct grp_core *core)
{
	uint64_t begun = grp_core_clock(core), now;
	int r;

	if (!core->orphans_due_ns || core->orphans_due_ns > begun)
		return 0;
	r = core->ops->pass(core->kernel, GRP_PASS_SEED, NULL, NULL, NULL, NULL);
	if (!r)
		r = core->ops->orphans(core->kernel);
	now = grp_core_clock(core);
	core->orphans_rest_ns = now + REST_FACTOR * (now - begun);
	core->orphans_due_ns = 0;
	if (r)
		wait_for_room(core, now);
	return r < 0 ? r : 0;
}
