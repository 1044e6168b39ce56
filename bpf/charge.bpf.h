/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Charging: what the kernel counted in a task and nobody claimed yet goes to
 * the task's set, on one CPU's cell. Each value is claimed by a compare-and-swap
 * in the task's storage (A1), so that two generations of a program, a reader's
 * settling and a move on another CPU may all try, and one of them adds.
 *
 * Values may be read late (the switch hook on another CPU has seen newer ones):
 * a claim never goes backwards, so the sum stays exact however stale a read is.
 */
#ifndef GRP_CHARGE_BPF_H
#define GRP_CHARGE_BPF_H

#include "maps.bpf.h"

/*
 * Functions that are verified once each, not once a call; their pointers are never NULL, but
 * only a test tells the verifier. Before 6.15 none may be called while preemption is off: who
 * needs that says so before.
 */
#ifndef GRP_GLOBAL
#define GRP_GLOBAL __weak __noinline
#endif

/* Lost races before a claim is left to the next one, which then gets it all. */
#define CHARGE_TRIES 4

/* counts: nvcsw:24 | nivcsw:24 | migrations:16 */
#define COUNTS_SWITCH_MASK 0xffffffULL
#define COUNTS_MIGRATION_MASK 0xffffULL
#define COUNTS_INVOLUNTARY_SHIFT 24
#define COUNTS_MIGRATION_SHIFT 48

/* What the kernel counts in a task, read once and then compared and claimed. */
struct task_now {
	__u64 time_ns;
	__u64 counts;
	__u64 user_ns;
	__u64 system_ns;
	__u32 cpu; /* whose cells are charged */
	__u32 pad;
};

static __always_inline void read_task(const struct task_struct *p, __u32 cpu,
				      struct task_now *ret_now)
{
	ret_now->time_ns = p->se.sum_exec_runtime;
	ret_now->counts = (p->nvcsw & COUNTS_SWITCH_MASK) |
			  ((p->nivcsw & COUNTS_SWITCH_MASK) << COUNTS_INVOLUNTARY_SHIFT) |
			  (p->se.nr_migrations << COUNTS_MIGRATION_SHIFT);
	ret_now->user_ns = p->utime;
	ret_now->system_ns = p->stime;
	ret_now->cpu = cpu;
	ret_now->pad = 0;
}

static __always_inline bool swap_word(struct grp_task *t, __u64 from, __u64 to)
{
	return __sync_val_compare_and_swap(&t->word, from, to) == from;
}

/* now - then in a field of so many bits; 0 when now is the older one, which it is by little. */
static __always_inline __u64 advance(__u64 now, __u64 then, __u64 mask)
{
	__u64 diff = (now - then) & mask;

	return diff > mask - mask / 16 ? 0 : diff;
}

/* Time not charged yet; 0 when somebody has seen newer values than ours. */
static __always_inline __u64 uncharged_ns(const struct task_now *now, __u64 word)
{
	return advance(now->time_ns, grp_word_charged(word), GRP_CHARGED_MASK);
}

static __always_inline void add_time(__u32 set, __u32 cpu, __u64 ns)
{
	struct grp_cell *cell;
	__u32 index;

	if (!ns || !cell_index(set, cpu, &index))
		return;
	cell = bpf_map_lookup_elem(&cells, &index);
	if (cell)
		__sync_fetch_and_add(&cell->time_ns, ns);
}

static __always_inline void charge_counts(struct grp_task *t, const struct task_now *task,
					  __u32 set)
{
	__u64 old = t->counts, now = task->counts, voluntary, involuntary, migrations;
	struct grp_cell *cell;
	__u32 index;

	if (now == old || !cell_index(set, task->cpu, &index))
		return;
	voluntary = advance(now, old, COUNTS_SWITCH_MASK);
	involuntary = advance(now >> COUNTS_INVOLUNTARY_SHIFT, old >> COUNTS_INVOLUNTARY_SHIFT,
			      COUNTS_SWITCH_MASK);
	migrations = advance(now >> COUNTS_MIGRATION_SHIFT, old >> COUNTS_MIGRATION_SHIFT,
			     COUNTS_MIGRATION_MASK);
	now = ((old + voluntary) & COUNTS_SWITCH_MASK) |
	      ((((old >> COUNTS_INVOLUNTARY_SHIFT) + involuntary) & COUNTS_SWITCH_MASK)
	       << COUNTS_INVOLUNTARY_SHIFT) |
	      (((old >> COUNTS_MIGRATION_SHIFT) + migrations) << COUNTS_MIGRATION_SHIFT);
	cell = bpf_map_lookup_elem(&cells, &index);
	if (!cell || __sync_val_compare_and_swap(&t->counts, old, now) != old)
		return;
	if (voluntary)
		__sync_fetch_and_add(&cell->voluntary, voluntary);
	if (involuntary)
		__sync_fetch_and_add(&cell->involuntary, involuntary);
	if (migrations)
		__sync_fetch_and_add(&cell->migrations, migrations);
}

/* The part of a task's tick-counted time that is claimed now. */
static __always_inline __u64 claim_ns(__u64 *counted, __u64 now)
{
	__u64 old = *counted;

	if ((__s64)(now - old) <= 0 || __sync_val_compare_and_swap(counted, old, now) != old)
		return 0;
	return now - old;
}

/* utime and stime move at ticks: nearly always there is nothing to do. */
static __always_inline void charge_modes(struct grp_task *t, const struct task_now *now, __u32 set)
{
	struct grp_mode *mode;
	__u64 user, system;
	__u32 index;

	if ((now->user_ns == t->user_ns && now->system_ns == t->system_ns) ||
	    !cell_index(set, now->cpu, &index))
		return;
	mode = bpf_map_lookup_elem(&modes, &index);
	if (!mode)
		return;
	user = claim_ns(&t->user_ns, now->user_ns);
	system = claim_ns(&t->system_ns, now->system_ns);
	if (user)
		__sync_fetch_and_add(&mode->user_ns, user);
	if (system)
		__sync_fetch_and_add(&mode->system_ns, system);
}

/*
 * Everything of a task up to now, to the set it is in. Race partners: a move
 * (swaps the set; the claim is tried again with the new one) and other chargers.
 */
GRP_GLOBAL int charge(struct grp_task *t, const struct task_now *now)
{
	__u64 word, delta;
	int i;

	if (!t || !now)
		return 0;
	word = read_word(t);
	for (i = 0; i < CHARGE_TRIES; i++) {
		/* Whose it is, is not known yet: left for the next charge. */
		if (!is_born(t, word))
			return 0;
		delta = uncharged_ns(now, word);
		if (!delta)
			break;
		if (swap_word(t, word,
			      (word & ~GRP_CHARGED_MASK) | ((word + delta) & GRP_CHARGED_MASK))) {
			add_time(grp_word_set(word), now->cpu, delta);
			break;
		}
		word = read_word(t);
	}
	charge_counts(t, now, grp_word_set(word));
	charge_modes(t, now, grp_word_set(word));
	return 0;
}

#endif
