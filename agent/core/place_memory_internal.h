/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of memory placement share. Nobody else includes it.
 */
#ifndef GRP_CORE_PLACE_MEMORY_INTERNAL_H
#define GRP_CORE_PLACE_MEMORY_INTERNAL_H

#include "core/internal.h"
#include "core/place_internal.h"
#include "core/place_memory.h"

/* struct grp_memory as it is kept, and what came of it. */
struct grp_group_memory {
	bool places, migrates;
	bool again; /* some of its threads were placed: is there anybody new? */
	uint32_t mode;
	struct grp_kept_mask nodes;
	uint64_t unplaced; /* ticket of the round that it waits for; 0: none */
	uint64_t migrated, pages_left; /* processes; since the nodes were these */
};

/* A policy as the kernel takes and keeps it. */
struct grp_policy {
	uint32_t mode; /* with flags */
	struct grp_mask nodes;
};

/* What is to be done about one thread. */
struct grp_memory_item {
	uint32_t half; /* of its place, as it was seen */
	uint32_t group; /* id; 0: none */
	bool restores; /* it gets its own back: its group does not place memory */
	bool silent; /* its policy is as it should be, only its place is not */
	struct grp_policy now, wish, target;
};

enum grp_memory_stage {
	GRP_MEMORY_FRESH, /* its place does not say yet what it wished */
	GRP_MEMORY_READY, /* to be asked for */
	GRP_MEMORY_LISTS, /* those above are in lists */
	GRP_MEMORY_ASKED = GRP_MEMORY_LISTS, /* by the helper, now: one at a time */
	GRP_MEMORY_WAITING, /* to be asked for again when it is due */
	GRP_MEMORY_SETTLED, /* the kernel gives it no more of what was asked for */
};

/* A thread that is not as it should be, or has got less. */
struct grp_memory_task {
	pid_t tid; /* key */
	pid_t tgid;
	uint64_t start_ns;
	uint32_t group; /* id, as of the last look; 0: none */
	enum grp_memory_stage stage;
	uint64_t target; /* hash of what it was to get */
	uint64_t due_ns;
	unsigned int tries;
	uint32_t reason; /* enum grp_place_result of the last try; DONE: there was none */
	uint64_t seen; /* round in which it was not right */
	struct grp_memory_task *prev, *next;
	UT_hash_handle hh;
};

/* A process whose pages are to be moved. */
struct grp_memory_move {
	pid_t tgid; /* key */
	uint64_t start_ns;
	uint32_t group;
	struct grp_kept_mask from, to, sent; /* sent: to, as it was asked for at last */
	uint64_t due_ns;
	unsigned int tries;
	uint32_t reason;
	bool asked; /* now */
	bool again; /* it was to move on meanwhile */
	UT_hash_handle hh; /* keeps the order of coming */
};

struct grp_memory_spared {
	pid_t pid; /* key */
	unsigned int calls;
	UT_hash_handle hh;
};

struct grp_memory_engine {
	unsigned int slot; /* of the hierarchy whose groups place, as it was last known */
	uint64_t wanted, done; /* tickets */
	uint64_t round; /* ticket of the latest one */
	bool all, round_all;
	bool again; /* some task of no group that says anything was placed */
	bool worked; /* something was done since it was last asked whether all is done */
	bool unborn; /* this round met tasks that are being born */
	bool active; /* somebody may have a place of this half */
	unsigned int placed; /* tasks with one, in this round */
	uint64_t retry_ns; /* nothing is begun before that */
	uint64_t wake_ns; /* when the first of those that wait is due, or before; 0: nobody waits */
	struct grp_memory_task *tasks;
	struct grp_memory_task *lists[GRP_MEMORY_LISTS];
	pid_t asked; /* tid; 0: the helper has nothing to do */
	struct grp_memory_move *moves;
	bool moving; /* one of them is asked for */
	uint64_t idle_ns[GRP_HELPERS]; /* end of a helper's rest; 0: it has none, or does not run */
	struct grp_memory_spared *spared;
};

/* --- place_memory.c --------------------------------------------------------------- */

int grp_memory_new(struct grp_core *core);
void grp_memory_free(struct grp_core *core);
void grp_memory_forget_group(struct grp_group *group);
/* All tasks are looked at in the next round. */
void grp_memory_touch_all(struct grp_core *core);
bool grp_memory_active(const struct grp_core *core);
/* Threads that wait for their policy, processes whose pages wait to be moved. */
void grp_memory_pending(const struct grp_core *core, unsigned int *ret_tasks,
			unsigned int *ret_moves);
/* Whether there is anything to do, now or later. */
bool grp_memory_busy(const struct grp_core *core);
/* Whether a group (NULL: none) gives its tasks a policy. */
bool grp_memory_places(const struct grp_core *core, const struct grp_group *group);
bool grp_memory_is_spared(const struct grp_core *core, pid_t tid, pid_t tgid);
/* So long after the n-th failure it is tried again. */
uint64_t grp_memory_pause_ns(unsigned int tries, enum grp_place_result reason);
/* Whether it helps to wait; else only another program or another group does. */
bool grp_memory_may_pass(enum grp_place_result reason);
/* The helper has had its last request for now. */
void grp_memory_rests(struct grp_core *core, enum grp_helper which);
/* As field 22 of /proc/PID/stat has it. */
uint64_t grp_memory_ticks(uint64_t start_ns);

/* --- place_memory_policy.c ---------------------------------------------------------- */

/* Return: whether its policy or its place are not as they should be: then @ret_item. */
bool grp_memory_decide(const struct grp_core *core, const struct grp_policy_record *record,
		       struct grp_memory_item *ret_item);
bool grp_policy_same(const struct grp_policy *a, const struct grp_policy *b);
/* Whether the kernel may have made this of what was asked for, having fewer nodes for it. */
bool grp_policy_made_of(const struct grp_policy *made, const struct grp_policy *of);
uint64_t grp_policy_hash(const struct grp_policy *policy);
/* Its id in places; 0: none of its own. -ENOSPC, -errno. */
int grp_policy_id(struct grp_core *core, const struct grp_policy *policy, uint32_t *ret_id);

/* --- place_memory_task.c ------------------------------------------------------------ */

/* A pass has told of a thread. -ENOMEM. */
int grp_memory_found(struct grp_core *core, const struct grp_policy_record *record);
/* The next one of a list. Return: 0; -errno: it is tried again. */
int grp_memory_note(struct grp_core *core);
int grp_memory_ask(struct grp_core *core);
/* Those who wait and are due are ready. */
void grp_memory_wake(struct grp_core *core);
void grp_memory_drop_task(struct grp_core *core, struct grp_memory_task *task);
struct grp_memory_task *grp_memory_find_task(const struct grp_core *core, pid_t tid);

/* --- place_memory_move.c ------------------------------------------------------------- */

/* All processes of a group, or those of an attach. What finds no memory is not moved. */
void grp_memory_move_group(struct grp_core *core, struct grp_group *group,
			   const struct grp_mask *from);
void grp_memory_move_attached(const struct grp_attach *attach);
/* Asks for the first that is due, if it can. Return: 0; -errno. */
int grp_memory_move_next(struct grp_core *core);
uint64_t grp_memory_move_due(const struct grp_core *core);
void grp_memory_drop_move(struct grp_core *core, struct grp_memory_move *move);

#endif
