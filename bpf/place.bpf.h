/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * CPUs of tasks: what was asked for, whether two tasks have the same, and the event
 * that says that somebody should look. Nothing here changes a mask; the agent does.
 */
#ifndef GRP_PLACE_BPF_H
#define GRP_PLACE_BPF_H

#include "maps.bpf.h"

static __always_inline __u64 read_place(const struct grp_task *t)
{
	return *(const volatile __u64 *)&t->place;
}

/*
 * The mask that says what somebody has asked for. Since 6.2 the kernel keeps that
 * apart from what the task gets of it (its own cpuset, CPUs that are offline); the
 * field is older, but was used for something else.
 */
static __always_inline const void *asked_mask(const struct task_struct *p, bool *ret_unasked)
{
	const void *user = NULL;

	*ret_unasked = false;
	if (bpf_core_type_exists(struct affinity_context)) {
		user = BPF_CORE_READ(p, user_cpus_ptr);
		*ret_unasked = !user;
	}
	return user ?: (const void *)&p->cpus_mask;
}

static __always_inline __u64 read_mask_word(const void *mask, __u32 word)
{
	__u64 value = 0;

	bpf_probe_read_kernel(&value, sizeof(value), (const char *)mask + word * sizeof(value));
	return value;
}

/*
 * Whether two tasks were asked for the same. A mask may be replaced while it is
 * read: then the answer is no, and somebody looks.
 */
static __always_inline bool asked_alike(const struct task_struct *a, const struct task_struct *b)
{
	bool a_unasked, b_unasked;
	const void *x = asked_mask(a, &a_unasked), *y = asked_mask(b, &b_unasked);
	__u32 i;

	if (a_unasked != b_unasked)
		return false;
	for (i = 0; i < mask_words && i < GRP_MASK_WORDS_MAX; i++)
		if (read_mask_word(x, i) != read_mask_word(y, i))
			return false;
	return true;
}

/* What is noted of an event on its way: whether it says who. */
#define PENDING 1
#define PENDING_WHO 2

/* An event is on its way: one that says who goes after one that does not. */
static __always_inline bool says_more(const struct grp_place_event *event)
{
	__u32 *pending;

	if (event->how != GRP_PLACE_HOW_ASKED)
		return false;
	pending = bpf_map_lookup_elem(&place_pending, &event->tid);
	return pending && __sync_val_compare_and_swap(pending, PENDING, PENDING_WHO) == PENDING;
}

/* One event a task, until the agent looks; with no room for it one for all of them. */
static __always_inline void notice(struct grp_place_event *event)
{
	__u32 one = event->how == GRP_PLACE_HOW_ASKED ? PENDING_WHO : PENDING, all = 0;
	int error;

	error = map_insert(&place_pending, &event->tid, &one);
	if (error == -17 /* EEXIST */ && !says_more(event))
		return;
	if (error == -17)
		error = 0;
	if (error) {
		event->tid = 0;
		if (map_insert(&place_pending, &all, &one) == -17)
			return;
	}
	stat_inc(GRP_STAT_PLACE_NOTICED);
	if (bpf_ringbuf_output(&events, event, sizeof(*event), 0))
		stat_inc(GRP_STAT_EVENTS_LOST);
}

static __always_inline void notice_task(const struct task_struct *p, enum grp_place_how how)
{
	struct grp_place_event event = { .event.kind = GRP_EVENT_PLACE, .tid = p->pid, .how = how };

	notice(&event);
}

/*
 * What a child has from its parent: the place goes with the mask, which was copied
 * earlier in the birth. If the parent's mask was changed between the two, the child
 * has the older one: it is marked as being changed, so that nobody takes the old
 * mask for a wish (A6), and the agent looks. So it is if the place changes while the
 * masks are compared: to another mask and back, they would be alike, and the place that
 * was read before would not be theirs.
 */
static __always_inline __u64 born_place(struct task_struct *child, struct task_struct *parent,
					const struct grp_task *t)
{
	__u64 place = read_place(t);
	__u32 half = grp_place_of(place, GRP_PLACE_CPU);

	if (!half ||
	    (asked_alike(child, parent) && grp_place_of(read_place(t), GRP_PLACE_CPU) == half))
		return place;
	stat_inc(GRP_STAT_BIRTH_PLACED);
	notice_task(child, GRP_PLACE_HOW_BIRTH);
	return place | ((__u64)GRP_PLACE_CHANGING << 16);
}

#endif
