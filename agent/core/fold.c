/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Folding: when a set or a group goes, what it has counted is added to what stays.
 * An addition to several records cannot be one update, so the journal says what is
 * being added under which number, each record says the newest number it contains,
 * and a fold that was cut off by SIGKILL is simply done again (A5).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/internal.h"
#include "core/snapshot.h"

int grp_base_load(struct grp_core *core, struct grp_group *group, enum grp_base_kind kind,
		  struct grp_base *ret)
{
	uint8_t bit = 1 << kind;
	int r;

	memset(ret, 0, core->base_size);
	if (group && (group->base_known & bit) && !(group->base_has & bit))
		return 0;
	r = core->ops->base_get(core->kernel, grp_base_key(group ? group->id : 0, kind), ret);
	if (r && r != -ENOENT)
		return r;
	if (group) {
		group->base_known |= bit;
		group->base_has = r ? group->base_has & ~bit : group->base_has | bit;
	}
	return 0;
}

int grp_base_store(struct grp_core *core, struct grp_group *group, enum grp_base_kind kind,
		   const struct grp_base *base)
{
	int r = core->ops->base_put(core->kernel, grp_base_key(group ? group->id : 0, kind), base);

	if (!r && group) {
		group->base_known |= 1 << kind;
		group->base_has |= 1 << kind;
	}
	return r;
}

int grp_base_has(struct grp_core *core, struct grp_group *group, bool *ret_has)
{
	for (unsigned int kind = 0; kind < GRP_BASE_KINDS; kind++) {
		int r = group->base_known & (1 << kind) ?
				0 :
				grp_base_load(core, group, kind, core->base);

		if (r)
			return r;
	}
	*ret_has = group->base_has;
	return 0;
}

int grp_base_drop(struct grp_core *core, struct grp_group *group)
{
	bool has;
	int r = grp_base_has(core, group, &has);

	for (unsigned int kind = 0; !r && has && kind < GRP_BASE_KINDS; kind++)
		if (group->base_has & (1 << kind))
			r = core->ops->base_put(core->kernel, grp_base_key(group->id, kind), NULL);
	return r;
}

void grp_base_add_set(const struct grp_core *core, const struct grp_set *set, struct grp_base *to)
{
	const struct grp_kernel_view *view = core->view;
	const struct grp_count *count = grp_set_count(core, set);

	for (unsigned int cpu = 0; cpu < view->cpus; cpu++) {
		size_t index = (size_t)cpu * view->capacity_sets + set->id;
		const struct grp_base_cpu from = { view->cells[index], view->modes[index] };

		grp_base_add_cpu(&to->cpu[cpu], &from);
	}
	to->forks += count->forks;
	to->execs += count->execs;
	to->exits += count->exits;
}

static int next_seq(struct grp_core *core, __u64 *ret_seq)
{
	struct grp_meta meta = core->meta;
	int r;

	if (core->fold_seq >= meta.fold_seq) {
		meta.fold_seq = core->fold_seq + RESERVE;
		r = core->ops->meta_put(core->kernel, &meta);
		if (r)
			return r;
		core->meta = meta;
	}
	*ret_seq = ++core->fold_seq;
	return 0;
}

/* --- sets -------------------------------------------------------------------------- */

/* Adds a set to one group (NULL: the archive), unless that was done before. */
static int fold_into(struct grp_core *core, const struct grp_set *set, struct grp_group *group,
		     __u64 seq)
{
	int r = grp_base_load(core, group, GRP_BASE_OWN, core->base);

	if (r || core->base->seq >= seq)
		return r;
	grp_base_add_set(core, set, core->base);
	core->base->seq = seq;
	return grp_base_store(core, group, GRP_BASE_OWN, core->base);
}

static int fold_to_slot(struct grp_core *core, const struct grp_set *set, unsigned int slot,
			__u64 seq)
{
	struct grp_group *group = grp_set_group(core, set, slot);
	int r = fold_into(core, set, group, seq);

	grp_pressure_keep(core, group);
	return r ?: grp_activity_keep(core, group);
}

static int clear_set(struct grp_core *core, struct grp_set *set, struct grp_journal *journal)
{
	const struct grp_control control = { .op = GRP_CONTROL_CLEAR, .set = set->id };
	int r;

	journal->op = GRP_JOURNAL_CLEAR_SET;
	r = core->ops->journal_put(core->kernel, GRP_JOURNAL_ENTRY_FOLD, journal);
	if (r)
		return r;
	r = core->ops->control(core->kernel, &control);
	/* -EBUSY of a set that is not dead: it was cleared, and the agent killed just then. */
	if (r && !(r == -EBUSY && grp_set_count(core, set)->members >= 0))
		return r;
	r = core->ops->set_put(core->kernel, set->id, NULL);
	if (r)
		return r;
	grp_set_drop(core, set);
	core->figures.folds++;
	return core->ops->journal_put(core->kernel, GRP_JOURNAL_ENTRY_FOLD, NULL);
}

static int fold_set(struct grp_core *core, struct grp_set *set, struct grp_journal *journal)
{
	int r = fold_into(core, set, NULL, journal->seq);

	for (unsigned int slot = 0; !r && slot < GRP_HIERARCHIES_MAX; slot++)
		if (core->slots[slot])
			r = fold_to_slot(core, set, slot, journal->seq);
	return r ?: clear_set(core, set, journal);
}

/*
 * A fold that failed half-way keeps its number: nothing else may be folded, nor
 * the journal overwritten, until it has come to its end.
 */
int grp_fold_finish(struct grp_core *core)
{
	int r = core->fold.op ? grp_fold_resume(core, &core->fold) : 0;

	if (!r)
		core->fold.op = GRP_JOURNAL_NONE;
	return r;
}

/* What the step that failed has come to is in @journal. */
static int fold_result(struct grp_core *core, int r, const struct grp_journal *journal)
{
	if (r)
		core->fold = *journal;
	return r;
}

int grp_fold_set(struct grp_core *core, struct grp_set *set)
{
	struct grp_journal journal = { .op = GRP_JOURNAL_FOLD_SET, .set = set->id };
	int r = grp_fold_finish(core);

	if (r || set->state == GRP_SET_FREE)
		return r;
	r = next_seq(core, &journal.seq);
	if (!r)
		r = core->ops->journal_put(core->kernel, GRP_JOURNAL_ENTRY_FOLD, &journal);
	return r ?: fold_result(core, fold_set(core, set, &journal), &journal);
}

/* --- groups ------------------------------------------------------------------------ */

static int drop_group(struct grp_core *core, struct grp_group *group, bool journalled)
{
	int r = grp_base_drop(core, group);

	if (!r)
		r = core->ops->group_put(core->kernel, group->id, NULL);
	if (r)
		return r;
	grp_group_forget(core, group);
	return journalled ? core->ops->journal_put(core->kernel, GRP_JOURNAL_ENTRY_FOLD, NULL) : 0;
}

/* What the group had itself and from below goes to what its parent has from below. */
static int fold_group(struct grp_core *core, struct grp_group *group, struct grp_journal *journal)
{
	struct grp_base *sum = calloc(1, core->base_size);
	int r = sum ? 0 : -ENOMEM;

	for (unsigned int kind = GRP_BASE_OWN; !r && kind <= GRP_BASE_GONE; kind++) {
		r = grp_base_load(core, group, kind, core->base);
		for (unsigned int cpu = 0; !r && cpu < core->view->cpus; cpu++)
			grp_base_add_cpu(&sum->cpu[cpu], &core->base->cpu[cpu]);
		sum->forks += core->base->forks;
		sum->execs += core->base->execs;
		sum->exits += core->base->exits;
	}
	if (!r)
		r = grp_base_load(core, group->parent, GRP_BASE_GONE, core->base);
	if (!r && core->base->seq < journal->seq) {
		for (unsigned int cpu = 0; cpu < core->view->cpus; cpu++)
			grp_base_add_cpu(&core->base->cpu[cpu], &sum->cpu[cpu]);
		core->base->forks += sum->forks;
		core->base->execs += sum->execs;
		core->base->exits += sum->exits;
		core->base->seq = journal->seq;
		r = grp_base_store(core, group->parent, GRP_BASE_GONE, core->base);
		if (!r)
			grp_snapshots_folded(core, group);
	}
	free(sum);
	if (r)
		return r;
	journal->op = GRP_JOURNAL_DROP_GROUP;
	r = core->ops->journal_put(core->kernel, GRP_JOURNAL_ENTRY_FOLD, journal);
	return r ?: drop_group(core, group, true);
}

int grp_fold_group(struct grp_core *core, struct grp_group *group)
{
	struct grp_journal journal = { .op = GRP_JOURNAL_FOLD_GROUP, .group = group->id };
	bool has;
	int r = grp_base_has(core, group, &has);

	/* Not ended from here: it may be of a group that our caller holds. */
	if (core->fold.op)
		return -EAGAIN;
	if (!r && !has)
		return drop_group(core, group, false);
	if (!r)
		r = next_seq(core, &journal.seq);
	if (!r)
		r = core->ops->journal_put(core->kernel, GRP_JOURNAL_ENTRY_FOLD, &journal);
	return r ?: fold_result(core, fold_group(core, group, &journal), &journal);
}

int grp_fold_resume(struct grp_core *core, const struct grp_journal *record)
{
	struct grp_journal journal = *record;
	struct grp_group *group = grp_group_by_id(core, journal.group);
	struct grp_set *set = journal.set < core->view->capacity_sets ? &core->sets[journal.set] :
									NULL;

	if (core->fold_seq < journal.seq)
		core->fold_seq = journal.seq;
	switch (journal.op) {
	case GRP_JOURNAL_FOLD_SET:
		if (set && set->state != GRP_SET_FREE)
			return fold_set(core, set, &journal);
		break;
	case GRP_JOURNAL_CLEAR_SET:
		if (set && set->state != GRP_SET_FREE)
			return clear_set(core, set, &journal);
		break;
	case GRP_JOURNAL_FOLD_GROUP:
		if (group && group->parent)
			return fold_group(core, group, &journal);
		break;
	case GRP_JOURNAL_DROP_GROUP:
		if (group && group->parent)
			return drop_group(core, group, true);
		break;
	default:
		break;
	}
	return core->ops->journal_put(core->kernel, GRP_JOURNAL_ENTRY_FOLD, NULL);
}
