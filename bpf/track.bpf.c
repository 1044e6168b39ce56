// SPDX-License-Identifier: GPL-2.0-only
/*
 * The hooks that keep the map from tasks to sets, and the time per set: birth,
 * exit, free, exec, switch. Every hook is idempotent: two generations attached at
 * once, or one seen twice, change nothing, because the winner of a swap acts.
 */
#include "member.bpf.h"
#include "place.bpf.h"

char LICENSE[] SEC("license") = "GPL";

/* The set that a child of this task is born into. */
static __always_inline __u32 parent_set(struct task_struct *parent)
{
	__u32 set = grp_word_set(find_word(parent));

	return set == GRP_SET_GONE ? GRP_SET_ROOT : set;
}

/* What the parent itself was given, see born_place(). */
static __always_inline __u64 parent_place(struct task_struct *child, struct task_struct *parent)
{
	struct grp_task *t = bpf_task_storage_get(&tasks, parent, NULL, 0);
	struct grp_orphan orphan;

	if ((!t || !is_born(t, read_word(t))) && find_orphan(parent, &orphan))
		return orphan.place;
	if (!t)
		t = bpf_task_storage_get(&tasks, parent, NULL, 0);
	return t ? born_place(child, parent, t) : 0;
}

/* No room in task storage: remember the set in the small table. */
static __always_inline void birth_orphan(struct task_struct *child, struct task_struct *parent)
{
	struct grp_orphan orphan = { .exec_id = child->self_exec_id,
				     .place = parent_place(child, parent) };
	struct grp_orphan_key key = orphan_key(child);
	int error;
	int i;

	for (i = 0; i < BIRTH_TRIES; i++) {
		orphan.set = i < BIRTH_TRIES - 1 ? parent_set(parent) : GRP_SET_ROOT;
		if (member_up(orphan.set))
			continue;
		error = map_insert(&orphans, &key, &orphan);
		if (error) {
			/* Another generation was first, or the table is full. */
			both_down(orphan.set);
			if (error != -17 /* EEXIST */)
				stat_inc(GRP_STAT_ORPHANS_LOST);
			return;
		}
		entered(orphan.set, ENTER_BY_FORK);
		stat_inc(GRP_STAT_BIRTH_ORPHANS);
		/*
		 * A pass may have made storage just before there was this entry: it looks for
		 * the entry after that. The counting above is the barrier between ours.
		 */
		if (bpf_task_storage_get(&tasks, child, NULL, 0))
			adopt(child);
		else
			send_event(orphan.set, GRP_EVENT_ORPHAN, 0);
		return;
	}
	stat_inc(GRP_STAT_RETRIES_SPENT);
}

/* Storage of a task being born; NULL: there is no room, it became an orphan. */
static __always_inline struct grp_task *birth_storage(struct task_struct *child,
						      struct task_struct *parent, bool fault)
{
	struct grp_task init = {}, *t = bpf_task_storage_get(&tasks, child, NULL, 0);
	struct grp_orphan orphan;

	fault = fault && fault_birth_every && child->pid % fault_birth_every == 0;
	if (t)
		return t;
	if (!fault) {
		/* The hook before this one found no room: then it is noted, and counted. */
		if (find_orphan(child, &orphan))
			return adopt(child);
		init_task(child, &init, GRP_STATE_UNCLAIMED, GRP_ORIGIN_BIRTH);
		t = make_storage(child, &init);
	}
	if (!t)
		birth_orphan(child, parent);
	return t;
}

/*
 * The child joins the set that its parent is in. Race partners: the seeding
 * pass, a second generation of this hook, the retirement of the set.
 * Return: the set it was placed in; GRP_SET_GONE: somebody else has placed it.
 */
static __always_inline __u32 place_child(struct task_struct *child, struct grp_task *t,
					 struct task_struct *parent)
{
	__u32 set, state;
	__u64 word;
	int i;

	for (i = 0; i < BIRTH_TRIES; i++) {
		word = read_word(t);
		state = grp_word_state(word);
		if (state != GRP_STATE_UNCLAIMED && state != GRP_STATE_SEEDED)
			return GRP_SET_GONE;
		/* The last try is for root, which never dies: no task is left out. */
		set = i < BIRTH_TRIES - 1 ? parent_set(parent) : GRP_SET_ROOT;
		if (member_up(set))
			continue;
		/* A pass that sees the child alive sees what it has got. */
		t->place = parent_place(child, parent);
		if (!swap_word(t, word, grp_word(set, GRP_STATE_ALIVE, word))) {
			both_down(set);
			continue;
		}
		entered(set, ENTER_BY_FORK);
		if (state == GRP_STATE_SEEDED) {
			both_down(GRP_SET_ROOT);
			stat_inc(GRP_STAT_OVERRIDDEN);
		}
		return set;
	}
	stat_inc(GRP_STAT_RETRIES_SPENT);
	return GRP_SET_GONE;
}

/*
 * The parent is read again after the child was placed: a move of everything in
 * the parent's set may have passed the child by while it had no set. Whoever
 * moved the child itself meanwhile has the last word.
 */
static __always_inline void follow_parent(struct task_struct *child, struct grp_task *t,
					  struct task_struct *parent, __u32 placed)
{
	struct task_now now;
	__u32 set;
	int i;

	read_task(child, child->thread_info.cpu, &now);
	for (i = 0; i < BIRTH_TRIES; i++) {
		set = parent_set(parent);
		if (set == placed)
			return;
		stat_inc(GRP_STAT_BIRTH_MOVED);
		move_task(t, &now, placed, set);
		if (grp_word_set(read_word(t)) != set)
			return;
		placed = set;
	}
	stat_inc(GRP_STAT_RETRIES_SPENT);
}

static __always_inline int birth(struct task_struct *child, struct task_struct *parent, bool fault)
{
	struct grp_task *t = birth_storage(child, parent, fault);
	__u32 placed;

	if (!t)
		return 0;
	placed = place_child(child, t, parent);
	if (placed != GRP_SET_GONE)
		follow_parent(child, t, parent, placed);
	return 0;
}

/*
 * Hook: end of copy_process(), child visible but not yet run; also io_uring and
 * vhost workers. Rate: forks. Context: the parent, preemption off. Budget: one
 * allocation, two swaps, ~300 ns.
 */
SEC("tp_btf/task_newtask")
int BPF_PROG(on_newtask, struct task_struct *task, unsigned long clone_flags)
{
	return birth(task, bpf_get_current_task_btf(), true);
}

/* Hook: the same birth a moment later, for forks proper; finds it placed. */
SEC("tp_btf/sched_process_fork")
int BPF_PROG(on_fork, struct task_struct *parent, struct task_struct *child)
{
	return birth(child, parent, fault_birth_both);
}

/*
 * Hook: do_exit(). Rate: exits. Context: the task itself. The task leaves the
 * members; its last slice comes later and still goes to its set.
 */
SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_exit, struct task_struct *p)
{
	struct grp_task *t = own_storage(p);

	if (t)
		exit_task(t);
	else
		exit_orphan(p);
	return 0;
}

/*
 * Hook: the task was reaped, made its last switch, and a grace period passed.
 * Rate: exits. Context: RCU callback, may interrupt any of ours that can be
 * interrupted (on 6.1 storage is out of reach then: counted), and was seen to be
 * passed over now and then on 6.18: nothing may depend on it alone. It completes
 * what an earlier hook has missed, and takes the set's id from the word.
 */
SEC("tp_btf/sched_process_free")
int BPF_PROG(on_free, struct task_struct *p)
{
	struct grp_task *t = bpf_task_storage_get(&tasks, p, NULL, 0);
	struct task_now now;
	__u64 word;
	int i;

	if (!t) {
		stat_inc(GRP_STAT_FREE_UNKNOWN);
		return 0;
	}
	if (t->uncharged != GRP_UNCHARGED_DONE) {
		read_task(p, bpf_get_smp_processor_id(), &now);
		charge(t, &now);
		exit_task(t);
	}
	for (i = 0; i < EXIT_TRIES; i++) {
		word = read_word(t);
		if (grp_word_set(word) == GRP_SET_GONE ||
		    grp_word_state(word) == GRP_STATE_UNCLAIMED)
			return 0;
		if (swap_word(t, word, grp_word(GRP_SET_GONE, GRP_STATE_EXITED, word))) {
			uncharge_task(t, grp_word_set(word));
			return 0;
		}
	}
	stat_inc(GRP_STAT_RETRIES_SPENT);
	return 0;
}

/*
 * Hook: a successful exec. Rate: execs. Context: the task itself. Storage
 * follows the task through an exec by a thread that is not the leader.
 */
SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *p)
{
	struct grp_task *t = own_storage(p);
	struct grp_count *count;
	__u32 old, now;
	__u64 word;

	if (!t) {
		/* No storage although it runs: a birth that nobody could note. */
		seed_task(p);
		t = bpf_task_storage_get(&tasks, p, NULL, 0);
	}
	if (!t)
		return 0;
	old = t->exec_id;
	now = p->self_exec_id;
	word = read_word(t);
	count = find_count(grp_word_set(is_born(t, word) ? word : find_word(p)));
	if (now != old && count && __sync_val_compare_and_swap(&t->exec_id, old, now) == old)
		__sync_fetch_and_add(&count->execs, now - old);
	return 0;
}

/*
 * Hook: every context switch, under the runqueue lock, interrupts off. Charges
 * the task that leaves; at its last switch the set loses a charger. Nothing is
 * allocated, sent or compared here. Budget: a storage lookup, two swaps, two adds,
 * ~100 ns.
 */
SEC("tp_btf/sched_switch")
int BPF_PROG(on_switch, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	struct task_now now;
	struct grp_task *t;

	if (!prev->pid)
		return 0;
	t = bpf_task_storage_get(&tasks, prev, NULL, 0);
	if (!t)
		return 0;
	read_task(prev, bpf_get_smp_processor_id(), &now);
	charge(t, &now);
	if (prev->__state & TASK_DEAD)
		last_switch(t, &now);
	return 0;
}
