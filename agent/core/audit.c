/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The audit: a full pass counts the members of every set, and where a set did not
 * change meanwhile the programs' own count must say the same. A difference that a
 * second pass confirms is mended and counted; it must never happen.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/internal.h"

struct audit {
	unsigned int capacity;
	struct audit_set {
		uint64_t changes;
		int64_t members; /* as counted by the programs */
		int64_t seen;
		int64_t difference; /* of the pass before */
	} sets[];
};

static int see(const struct grp_scan_record *record, void *data)
{
	struct audit *audit = data;

	if (record->verdict == GRP_VERDICT_LISTED && record->set < audit->capacity)
		audit->sets[record->set].seen++;
	return 0;
}

static int run_pass(struct grp_core *core, struct audit *audit)
{
	const struct grp_count *counts = core->view->counts;

	for (unsigned int i = 0; i < audit->capacity; i++) {
		audit->sets[i].changes = __atomic_load_n(&counts[i].changes, __ATOMIC_ACQUIRE);
		audit->sets[i].members = __atomic_load_n(&counts[i].members, __ATOMIC_ACQUIRE);
		audit->sets[i].seen = 0;
	}
	return core->ops->pass(core->kernel, GRP_PASS_LIST, NULL, NULL, see, audit);
}

/* What is missing in the count; 0 also when the set changed during the pass. */
static int64_t difference(const struct grp_core *core, const struct audit *audit, unsigned int set)
{
	const struct audit_set *a = &audit->sets[set];
	uint64_t now = __atomic_load_n(&core->view->counts[set].changes, __ATOMIC_ACQUIRE);

	/* Below 0 but not dead: a count that went wrong, not a retired set. */
	return now == a->changes && a->members > GRP_MEMBERS_DEAD / 2 ? a->seen - a->members : 0;
}

static int mend(struct grp_core *core, const struct audit *audit, unsigned int set)
{
	const struct grp_control control = { .op = GRP_CONTROL_ADJUST,
					     .set = set,
					     .delta = audit->sets[set].difference,
					     .changes = audit->sets[set].changes };

	return core->ops->control(core->kernel, &control);
}

int grp_core_audit(struct grp_core *core, unsigned int *ret_corrections)
{
	unsigned int capacity = core->view->capacity_sets, corrections = 0;
	struct audit *audit = calloc(1, sizeof(*audit) + capacity * sizeof(*audit->sets));
	int r;

	if (!audit)
		return -ENOMEM;
	audit->capacity = capacity;
	/* Births without room are counted, but have no storage to be seen by. */
	r = core->ops->pass(core->kernel, GRP_PASS_SEED, NULL, NULL, NULL, NULL);
	if (!r)
		r = run_pass(core, audit);
	for (unsigned int i = 0; i < capacity; i++)
		audit->sets[i].difference = difference(core, audit, i);
	if (!r)
		r = run_pass(core, audit);
	for (unsigned int i = 0; !r && i < capacity; i++) {
		if (!audit->sets[i].difference ||
		    difference(core, audit, i) != audit->sets[i].difference)
			continue;
		if (!mend(core, audit, i))
			corrections++;
	}
	free(audit);
	if (r)
		return r;
	core->figures.audits++;
	core->figures.audit_corrections += corrections;
	/* A set that was mended to empty has sent no event. */
	if (corrections) {
		grp_empty_check_all(core);
		r = grp_release_load(core);
	}
	*ret_corrections = corrections;
	return r;
}
