/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * See plan.h. One move at a time has the plan, and leaves it empty.
 */
#include "core/plan.h"

int grp_plan_add(struct grp_core *core, const struct grp_target *target, struct grp_set *from,
		 struct grp_error *error)
{
	struct grp_set *to;
	int r;

	if (core->plan[from->id] != GRP_PLAN_NONE)
		return 0;
	r = grp_set_change(core, from, target, error, &to);
	if (r)
		return r;
	core->plan[from->id] = to->id;
	core->planned[core->n_planned++] = from->id;
	return 0;
}

uint64_t grp_plan_entries(const struct grp_core *core)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < core->n_planned; i++)
		sum += __atomic_load_n(&core->view->counts[core->plan[core->planned[i]]].entries,
				       __ATOMIC_ACQUIRE);
	return sum;
}

void grp_plan_end(struct grp_core *core)
{
	while (core->n_planned) {
		uint16_t from = core->planned[--core->n_planned];

		core->plan[from] = GRP_PLAN_NONE;
		grp_empty_check_set(core, &core->sets[from]);
	}
}

void grp_plan_restrict(const struct grp_caller *caller, struct grp_scan_request *request)
{
	if (!caller->uid)
		return;
	request->flags |= GRP_SCAN_CHECK_UID;
	request->uid = caller->uid;
}

int grp_plan_intend(struct grp_core *core, const struct grp_target *target,
		    const struct grp_journal *resumed, struct grp_journal *record)
{
	for (unsigned int slot = 0; slot < GRP_HIERARCHIES_MAX; slot++)
		if (target->group[slot])
			record->target[slot] = target->group[slot]->id;
	/* What was so before a killed agent began counts, not what is so now. */
	if (resumed) {
		record->marked = resumed->marked;
		record->entries = resumed->entries;
	} else {
		grp_release_will_mark(core, target, record);
	}
	return core->ops->journal_put(core->kernel, GRP_JOURNAL_ENTRY_ATTACH, record);
}
