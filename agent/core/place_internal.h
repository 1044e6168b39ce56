/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of CPU placement share. Nobody else includes it.
 */
#ifndef GRP_CORE_PLACE_INTERNAL_H
#define GRP_CORE_PLACE_INTERNAL_H

#include "core/internal.h"
#include "core/place.h"

/* What is to be done about one thread. */
struct grp_place_item {
	pid_t tid, tgid;
	uint64_t start_ns;
	uint32_t half; /* of its place, as it was seen */
	bool kept; /* the kernel keeps what is asked for (6.2) */
	bool restores; /* it gets its own wish back: nothing confines it */
	bool silent; /* its CPUs are as they should be, only its place is not */
	bool wishes; /* it has a wish; else for all */
	bool rewritten; /* somebody has asked for other CPUs than what was set, */
	bool violated; /* and for some that its group has not */
	uint32_t group; /* id; 0: none */
	struct grp_kept_mask wish, target;
	struct grp_kept_mask asked; /* if it was violated */
};

/* A thread for which the same was asked before: not again for the same reason. */
struct grp_place_tried {
	pid_t tid; /* key */
	uint64_t start_ns;
	uint64_t ticket; /* the round that tried */
	uint64_t target; /* hash of the mask */
	int error; /* -errno; 0: it got less than was asked for */
	UT_hash_handle hh;
};

/* A thread whose CPUs somebody may have rewritten. */
struct grp_place_suspect {
	pid_t tid; /* key */
	uint64_t due_ns; /* to be looked at; 0: not */
	uint64_t repaired_ns; /* last */
	unsigned int repairs; /* in a row, each soon after the one before */
	struct grp_place_event event; /* who, of the first event since the last look */
	UT_hash_handle hh;
};

struct grp_place_engine {
	struct grp_mask online;
	unsigned int slot; /* of the hierarchy whose groups confine */
	uint64_t wanted, done; /* tickets */
	uint64_t round; /* ticket of the round that is under way */
	bool all; /* all tasks are to be looked at, not only those of touched groups */
	bool round_all;
	bool unborn; /* this round met tasks that are being born */
	bool releasing; /* nothing confines any more: unload */
	bool claimed, watching;
	unsigned int placed; /* tasks with a place, in this round */
	struct grp_place_item *items;
	size_t n_items, at, allocated;
	uint64_t retry_ns; /* nothing but repairs before that */
	uint64_t all_ns; /* all tasks were last looked at because of an event */
	struct grp_place_tried *tried;
	struct grp_place_suspect *suspects;
	struct grp_place_figures figures;
};

/* --- place.c ------------------------------------------------------------------------- */

/* Which groups a round is about: of CPUs, or of memory. */
struct grp_place_whom {
	bool (*is_touched)(const struct grp_group *group); /* since the last round */
	bool (*places)(const struct grp_core *core, const struct grp_group *group);
};
/*
 * Fills core->plan: of groups that are touched everybody, or, if they do not place, those
 * with a place; in a round over @all, of all sets those with a place besides.
 */
void grp_place_plan(struct grp_core *core, const struct grp_place_whom *whom, bool all);
void grp_place_plan_end(struct grp_core *core);
/*
 * Whether a pass met a task that is being born, so that the next round has to look again.
 * When everything is given back, one that nothing will ever take up is none: its birth was
 * not seen, because programs were taken away before.
 */
bool grp_place_is_awaited(const struct grp_core *core, const struct grp_place_record *record);
/* The group that places a task of this set; NULL: none. */
struct grp_group *grp_place_group(struct grp_core *core, uint16_t set);
/*
 * This instance is the one that places tasks on this kernel, for CPUs or memory; not any
 * more when nobody is placed. Return: 0; -EBUSY: another one is; -errno.
 */
int grp_place_claim(struct grp_core *core, struct grp_error *error);
int grp_place_unclaim(struct grp_core *core);
/* Hooks and claim, before the first mask is set. */
int grp_place_activate(struct grp_core *core);
/* All tasks are looked at in the next round. */
void grp_place_touch_all(struct grp_core *core);

int grp_place_new(struct grp_core *core);
void grp_place_free(struct grp_core *core);
/* At start: what a killed agent has left, and who was born meanwhile. */
void grp_place_load(struct grp_core *core);
void grp_place_forget_group(struct grp_group *group);

/* --- place_task.c ----------------------------------------------------------------------- */

/*
 * What is to be done about a task by what a pass tells of it. Return: 1: @ret_item,
 * to be ended by grp_place_item_done(); 0: nothing; -ENOMEM.
 */
int grp_place_decide(struct grp_core *core, const struct grp_place_record *record,
		     struct grp_place_item *ret_item);
/* The same without any effect. @ret_error: -errno of what it was refused with; 0. */
enum grp_place_state grp_place_state_of(struct grp_core *core,
					const struct grp_place_record *record, int *ret_error);
void grp_place_item_done(struct grp_place_item *item);
/*
 * Does it. Return: 0, also if the task has gone, has changed meanwhile, or if the
 * kernel refuses; -errno: tried again later.
 */
int grp_place_apply(struct grp_core *core, const struct grp_place_item *item,
		    const struct grp_place_event *by);

/* --- place_repair.c --------------------------------------------------------------------- */

/* Looks at suspects that are due. */
int grp_place_repair(struct grp_core *core, uint64_t end_ns);
/*
 * A task was rewritten, and is put right now. Return: false: that was done so often
 * that it has to wait, and will be looked at again.
 */
bool grp_place_may_repair(struct grp_core *core, const struct grp_place_item *item);
/* When the next one is; 0: none. */
uint64_t grp_place_repair_due(const struct grp_core *core);
void grp_place_repair_free(struct grp_core *core);

#endif
