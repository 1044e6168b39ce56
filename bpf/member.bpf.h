/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Membership: counts of sets, births, moves, exits. The order of every step is
 * fixed: the destination is counted up before the swap of the task's word, the
 * source counted down after it (A2). In the other order an exit on another CPU
 * takes the new count to -1 and the event of the last member is never sent.
 */
#ifndef GRP_MEMBER_BPF_H
#define GRP_MEMBER_BPF_H

#include "charge.bpf.h"

#ifndef MOVE_TRIES
#define MOVE_TRIES 16
#endif
#define BIRTH_TRIES 8
#define EXIT_TRIES 16
#define PEAK_TRIES 16

static __always_inline void send_event(__u32 set, __u32 kind, __u64 changes)
{
	struct grp_event event = { .set = set, .kind = kind, .changes = changes };

	if (bpf_ringbuf_output(&events, &event, sizeof(event), 0))
		stat_inc(GRP_STAT_EVENTS_LOST);
}

/*
 * The largest number of members. Nearly always there is nothing to do: a look at a
 * line that is ours already. A swap lost to a larger one is no loss, to a smaller
 * one it is tried again.
 */
static __always_inline void raise_peak(struct grp_count *count, __u32 members)
{
	__u32 peak = count->peak_members, seen;
	int i;

	for (i = 0; i < PEAK_TRIES && peak < members; i++) {
		seen = __sync_val_compare_and_swap(&count->peak_members, peak, members);
		if (seen == peak)
			return;
		peak = seen;
	}
}

/* 0; -1: the set is dead or unknown, nothing was counted (A4). */
GRP_GLOBAL int member_up(__u32 set)
{
	struct grp_count *count = find_count(set);
	__s64 before;

	if (!count)
		return -1;
	__sync_fetch_and_add(&count->changes, 1);
	before = __sync_fetch_and_add(&count->members, 1);
	if (before < 0) {
		__sync_fetch_and_add(&count->members, -1);
		stat_inc(GRP_STAT_DEAD_SET);
		return -1;
	}
	__sync_fetch_and_add(&count->chargers, 1);
	raise_peak(count, before + 1);
	return 0;
}

/*
 * Something happened to a member. A plain store: of two at once either is right. A
 * switch does not come here; when a member last ran, a pass tells.
 */
static __always_inline void touch(struct grp_count *count)
{
	count->active_ns = bpf_ktime_get_boot_ns();
}

/* The audit trusts counts whose changes stood still: moved before and after. */
GRP_GLOBAL int member_down(__u32 set)
{
	struct grp_count *count = find_count(set);

	if (!count)
		return 0;
	touch(count);
	__sync_fetch_and_add(&count->changes, 1);
	if (__sync_fetch_and_add(&count->members, -1) == 1)
		send_event(set, GRP_EVENT_EMPTY, count->changes);
	__sync_fetch_and_add(&count->changes, 1);
	return 0;
}

static __always_inline void charger_down(__u32 set)
{
	struct grp_count *count = find_count(set);

	if (count)
		__sync_fetch_and_add(&count->chargers, -1);
}

/*
 * The task can charge its set no more: tell the set, once. Said at the last switch;
 * the free hook, which comes later, says it for a task whose last switch was missed.
 */
static __always_inline void uncharge_task(struct grp_task *t, __u32 set)
{
	if (__sync_lock_test_and_set(&t->uncharged, GRP_UNCHARGED_DONE) != GRP_UNCHARGED_DONE)
		charger_down(set);
}

static __always_inline void both_down(__u32 set)
{
	member_down(set);
	charger_down(set);
}

enum entrance {
	ENTER_BY_FORK,
	ENTER_BY_MOVE,
	ENTER_BY_SEED,
};

/* After the swap that made a task a member: count how it came. */
static __always_inline void entered(__u32 set, enum entrance how)
{
	struct grp_count *count = find_count(set);

	if (!count)
		return;
	touch(count);
	if (how == ENTER_BY_FORK)
		__sync_fetch_and_add(&count->forks, 1);
	else if (how == ENTER_BY_MOVE)
		__sync_fetch_and_add(&count->entries, 1);
	__sync_fetch_and_add(&count->changes, 1);
}

/*
 * Swap the set of a task, from any CPU, if it is in the set that is expected.
 * The time up to now is claimed by the swap itself and goes to the old set. Race
 * partners: the switch hook where the task runs, an exit, a birth hook.
 * Return: enum grp_verdict.
 */
GRP_GLOBAL int move_task(struct grp_task *t, const struct task_now *now, __u32 expected, __u32 to)
{
	__u64 word, delta;
	__u32 from;
	int i;

	if (!t || !now)
		return GRP_VERDICT_BUSY;
	for (i = 0; i < MOVE_TRIES; i++) {
		word = read_word(t);
		from = grp_word_set(word);
		if (grp_word_state(word) == GRP_STATE_EXITED)
			return GRP_VERDICT_EXITING;
		if (!is_born(t, word))
			return GRP_VERDICT_UNBORN;
		if (from == to)
			return GRP_VERDICT_MOVED;
		if (from != expected)
			return GRP_VERDICT_BUSY;
		if (member_up(to))
			return GRP_VERDICT_NO_PLAN;
		charge_counts(t, now, from);
		charge_modes(t, now, from);
		delta = uncharged_ns(now, word);
		if (swap_word(t, word, grp_word(to, GRP_STATE_ALIVE, word + delta))) {
			add_time(from, now->cpu, delta);
			entered(to, ENTER_BY_MOVE);
			both_down(from);
			return GRP_VERDICT_MOVED;
		}
		both_down(to);
	}
	stat_inc(GRP_STAT_RETRIES_SPENT);
	return GRP_VERDICT_BUSY;
}

/* Take a task out of the members of its set, once (A3). Whoever adopts it looks for its end. */
GRP_GLOBAL int exit_task(struct grp_task *t)
{
	struct grp_count *count;
	__u64 word;
	__u32 set;
	int i;

	if (!t)
		return 0;
	for (i = 0; i < EXIT_TRIES; i++) {
		word = read_word(t);
		set = grp_word_set(word);
		if (grp_word_state(word) == GRP_STATE_EXITED || !is_born(t, word))
			return 0;
		count = find_count(set);
		if (!count)
			return 0;
		__sync_fetch_and_add(&count->changes, 1);
		if (swap_word(t, word, grp_word(set, GRP_STATE_EXITED, word))) {
			__sync_fetch_and_add(&count->exits, 1);
			member_down(set);
			return 0;
		}
	}
	stat_inc(GRP_STAT_RETRIES_SPENT);
	return 0;
}

/*
 * The last switch of a task. If nobody knows yet whose it is, that is noted, and then
 * looked whether it has become known; who adopts it makes it known and then looks for the
 * note: one of the two charges the last slice.
 */
static __always_inline void last_switch(struct grp_task *t, const struct task_now *now)
{
	__u64 word = read_word(t);

	if (!is_born(t, word)) {
		__sync_val_compare_and_swap(&t->uncharged, GRP_UNCHARGED_NOT_YET,
					    GRP_UNCHARGED_UNBORN);
		word = read_word(t);
		if (grp_word_state(word) == GRP_STATE_EXITED)
			charge(t, now);
	}
	/* Not EXITED: its exit hook was missed, the free hook does both. */
	if (grp_word_state(word) == GRP_STATE_EXITED)
		uncharge_task(t, grp_word_set(word));
}

/* What its hooks have left to whoever made it known whose a task is, if its end has come. */
static __always_inline void catch_up(struct task_struct *p, struct grp_task *t)
{
	struct task_now now;
	__u64 word;

	if (!(p->flags & PF_EXITING))
		return;
	exit_task(t);
	word = read_word(t);
	if (grp_word_state(word) != GRP_STATE_EXITED ||
	    *(volatile __u32 *)&t->uncharged != GRP_UNCHARGED_UNBORN)
		return;
	read_task(p, p->thread_info.cpu, &now);
	charge(t, &now);
	uncharge_task(t, grp_word_set(word));
}

static __always_inline void init_task(const struct task_struct *p, struct grp_task *init,
				      __u32 state, __u32 origin)
{
	struct task_now now;

	read_task(p, 0, &now);
	init->word = grp_word(GRP_SET_ROOT, state, origin == GRP_ORIGIN_SEED ? now.time_ns : 0);
	init->counts = now.counts;
	init->user_ns = now.user_ns;
	init->system_ns = now.system_ns;
	init->exec_id = p->self_exec_id;
	/* Two seeders of one task at once must know whose storage it became. */
	init->origin = origin == GRP_ORIGIN_SEED ? bpf_get_prandom_u32() | GRP_ORIGIN_SEED : origin;
}

/*
 * Storage of a task, made with its first value if there is none. Creation may
 * answer NULL although storage exists, because another CPU is creating it.
 */
static __always_inline struct grp_task *make_storage(struct task_struct *p, struct grp_task *init)
{
	struct grp_task *t = bpf_task_storage_get(&tasks, p, init, BPF_LOCAL_STORAGE_GET_F_CREATE);

	return t ?: bpf_task_storage_get(&tasks, p, NULL, 0);
}

static __always_inline struct grp_orphan_key orphan_key(const struct task_struct *p)
{
	struct grp_orphan_key key = { .task = (__u64)p };

	return key;
}

/*
 * What the table has of a task. An element that is deleted may be another task's at
 * once: it is copied, and then looked for again.
 */
static __always_inline bool find_orphan(const struct task_struct *p, struct grp_orphan *ret_orphan)
{
	struct grp_orphan_key key = orphan_key(p);
	const struct grp_orphan *orphan = bpf_map_lookup_elem(&orphans, &key);

	if (!orphan)
		return false;
	*ret_orphan = *orphan;
	return bpf_map_lookup_elem(&orphans, &key) == orphan;
}

/*
 * The word of a task wherever it stands, for those who only read it: in the storage,
 * else in the table, else it was taken from there meanwhile and is in the storage.
 */
static __always_inline __u64 find_word(struct task_struct *p)
{
	struct grp_task *t = bpf_task_storage_get(&tasks, p, NULL, 0);
	struct grp_orphan orphan;
	__u32 adoption;
	__u64 word = 0;

	if (t) {
		word = read_word(t);
		if (is_born(t, word))
			return word;
	}
	if (find_orphan(p, &orphan))
		return grp_word(orphan.set, GRP_STATE_ALIVE, 0);
	if (!t)
		t = bpf_task_storage_get(&tasks, p, NULL, 0);
	if (!t)
		return 0;
	adoption = *(volatile __u32 *)&t->adoption;
	word = read_word(t);
	if (is_born(t, word) || adoption == GRP_ADOPTION_NONE || adoption == GRP_ADOPTION_DOUBT)
		return word;
	/* One that has ended without room is in no table, and nobody makes its storage its own. */
	return grp_word(adoption - 1, p->flags & PF_EXITING ? GRP_STATE_EXITED : GRP_STATE_ALIVE,
			word);
}

static long turn(__u32 i, void *data)
{
	return 0;
}

/* Test builds: who adopts one that may run meanwhile takes his time. */
static __always_inline void fault_loops(const struct task_struct *p)
{
	if (fault_adopt_loops && bpf_get_current_task_btf() != p)
		bpf_loop(fault_adopt_loops, turn, NULL, 0);
}

/* ... or finds no room, all times but one of so many. */
static __always_inline bool fault_room(const struct task_struct *p)
{
	return fault_adopt_room && bpf_get_current_task_btf() != p &&
	       bpf_get_prandom_u32() % fault_adopt_room;
}

/* Takes back what birth_orphan() has counted. */
static __always_inline void orphan_down(__u32 set)
{
	struct grp_count *count = find_count(set);

	if (count)
		__sync_fetch_and_add(&count->forks, -1);
	both_down(set);
}

/*
 * Give storage to a task whose birth found no room for it; NULL: it is in no table, or
 * there is no room still. The winner of the deletion adopts; counts and the birth itself
 * were counted then. Race partners: the task itself, which may run, fork, exec and exit
 * meanwhile; a second birth hook, which may place the task first (then it was counted
 * twice, and is taken back); and a seeding pass that saw no orphan yet.
 */
static __always_inline struct grp_task *adopt(struct task_struct *p)
{
	struct grp_orphan_key key = orphan_key(p);
	struct grp_orphan orphan;
	struct grp_task init = {}, *t;
	__u32 set, state;
	__u64 word;
	int i;

	if (!find_orphan(p, &orphan))
		return NULL;
	set = orphan.set;
	init.exec_id = orphan.exec_id;
	init.place = orphan.place;
	init.adoption = set + 1;
	t = fault_room(p) ? bpf_task_storage_get(&tasks, p, NULL, 0) : make_storage(p, &init);
	if (!t)
		return NULL;
	/* Not made here: what the table knows is in the storage before it is in no table. */
	if (!is_born(t, read_word(t))) {
		*(volatile __u32 *)&t->adoption = set + 1;
		__sync_val_compare_and_swap(&t->place, 0, orphan.place);
	}
	if (bpf_map_delete_elem(&orphans, &key))
		return t;
	fault_loops(p);
	for (i = 0; i < EXIT_TRIES; i++) {
		word = read_word(t);
		state = grp_word_state(word);
		if (state != GRP_STATE_UNCLAIMED && state != GRP_STATE_SEEDED)
			break;
		if (!swap_word(t, word, grp_word(set, GRP_STATE_ALIVE, word)))
			continue;
		if (state == GRP_STATE_SEEDED)
			both_down(GRP_SET_ROOT);
		stat_inc(GRP_STAT_ADOPTED);
		catch_up(p, t);
		return t;
	}
	orphan_down(set);
	return t;
}

/* Storage of the task that runs; NULL: there is none, nor a birth that was noted. */
static __always_inline struct grp_task *own_storage(struct task_struct *p)
{
	struct grp_task *t = bpf_task_storage_get(&tasks, p, NULL, 0);

	if (t && is_born(t, read_word(t)))
		return t;
	return adopt(p) ?: bpf_task_storage_get(&tasks, p, NULL, 0);
}

/*
 * The end of a task that found no room in task storage all its life: what is
 * known of it is counted now; its last slice, which comes later, is lost.
 */
static __always_inline void exit_orphan(struct task_struct *p)
{
	struct grp_orphan_key key = orphan_key(p);
	struct grp_orphan orphan;
	struct grp_count *count;

	stat_inc(GRP_STAT_EXIT_UNKNOWN);
	if (!find_orphan(p, &orphan))
		return;
	count = find_count(orphan.set);
	if (bpf_map_delete_elem(&orphans, &key) || !count)
		return;
	add_time(orphan.set, bpf_get_smp_processor_id(), p->se.sum_exec_runtime);
	__sync_fetch_and_add(&count->exits, 1);
	both_down(orphan.set);
}

/*
 * Storage for a task that was there before the programs: a member of every
 * root, charged from now on. Race partner: the birth hook of a task that the
 * pass saw before the hook ran; it overrides the seed and returns these counts.
 * If that one finds no room, it notes the birth and then looks for storage, and
 * here storage is made and then looked for the birth: either sees the other. The
 * time is read before the first look, so a task whose birth is noted after that
 * look had not run then, and nothing of it is taken for older than the programs.
 * What is ours is told by the origin, which is written once.
 */
static __always_inline void seed_task(struct task_struct *p)
{
	struct grp_task init = { .adoption = GRP_ADOPTION_DOUBT }, *t;
	struct grp_orphan orphan;

	init_task(p, &init, GRP_STATE_SEEDED, GRP_ORIGIN_SEED);
	/* One that is noted is never seeded, also if there is no room for it still. */
	if (find_orphan(p, &orphan)) {
		adopt(p);
		return;
	}
	if (member_up(GRP_SET_ROOT))
		return;
	t = make_storage(p, &init);
	if (!t || t->origin != init.origin) {
		both_down(GRP_SET_ROOT);
		return;
	}
	entered(GRP_SET_ROOT, ENTER_BY_SEED);
	stat_inc(GRP_STAT_SEEDED);
	fault_loops(p);
	/* Its birth hook may have noted it between our look and the storage. */
	if (!adopt(p))
		__sync_val_compare_and_swap(&t->adoption, GRP_ADOPTION_DOUBT, GRP_ADOPTION_NONE);
	catch_up(p, t);
}

#endif
