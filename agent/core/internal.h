/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of core/ share among themselves. Nobody outside includes it.
 */
#ifndef GRP_CORE_INTERNAL_H
#define GRP_CORE_INTERNAL_H

#include <utlist.h>

#include "core/core.h"
#include "core/event.h"
#include "core/file.h"
#include "core/masks.h"
#include "core/pressure.h"
#include "core/release.h"
#include "core/subsystem.h"

/* Ids and sequence numbers are taken from the store by so many at a time. */
#define RESERVE 1024

/* Flags that a new group has from its parent (REL-1, CLONE-5, v1-behaviour C). */
#define GRP_GROUP_INHERITED \
	(GRP_GROUP_NOTIFY_ON_RELEASE | GRP_GROUP_AUTO_DELETE | GRP_GROUP_CLONE_CHILDREN)

struct grp_core {
	const struct grp_kernel_ops *ops;
	void *kernel;
	const struct grp_kernel_view *view;
	struct grp_topology *topology; /* owned */
	struct grp_meta meta; /* as stored: next_group and fold_seq are reserved up to there */
	uint32_t next_group;
	uint64_t fold_seq;
	struct grp_hierarchy *slots[GRP_HIERARCHIES_MAX];
	struct grp_group *by_id;
	struct grp_group *by_name;
	struct grp_set *sets; /* capacity_sets of them */
	struct grp_set *by_vector; /* live ones */
	uint16_t *plan; /* scratch: all GRP_PLAN_NONE between passes */
	uint16_t *planned; /* scratch of a move: sets with an entry in the plan */
	unsigned int n_planned;
	struct grp_group **by_row; /* capacity_groups of them */
	uint32_t *free_rows;
	unsigned int n_free_rows;
	struct grp_base *base; /* scratch, as long as the kernel has CPUs */
	size_t base_size;
	bool in_grace; /* a grace period is on its way: one at a time */
	struct grp_journal fold; /* a fold that failed half-way; ended before the next */
	unsigned int groups_per_uid;
	bool unfinished; /* there may be notes, see unfinished.h */
	struct grp_value_entry *root_values; /* of roots of exclusive subsystems */
	struct grp_value_entry *stray_values; /* found at start, to be dropped */
	void *root_state[GRP_SUBSYSTEMS_MAX]; /* of exclusive subsystems */
	bool has_root_state[GRP_SUBSYSTEMS_MAX];
	bool unchecked; /* see grp_core_unchecked() */
	bool polled; /* some bound subsystem is told of births and exits */
	struct grp_group *releases[GRP_RELEASE_MAX]; /* queues, see release.h */
	uint64_t seen_lost; /* lost events, at the latest look at all groups */
	struct grp_masks *masks; /* see masks.h */
	struct grp_place_engine *place; /* see place.h */
	struct grp_memory_engine *memory; /* see place_memory.h */
	struct grp_census *censuses; /* under way, see census.h */
	struct grp_processes *counts; /* the first works, see processes.h */
	struct grp_snapshot *snapshots; /* that are being taken: snapshot.h */
	grp_sink_fn sink; /* NULL: nobody watches */
	void *sink_data;
	uint64_t pressure_looked_ns; /* when events of memory pressure were last looked at */
	uint64_t orphans_due_ns; /* when the next pass for them is due; 0: nobody waits for one */
	uint64_t orphans_wait_ns; /* from that pass to the one after it, */
	uint64_t orphans_rest_ns; /* which does not begin before this */
	uint64_t events_lost; /* by the kernel, when groups were last looked at because of that */
	struct grp_core_figures figures;
};

/* --- set.c ------------------------------------------------------------------- */

static inline const struct grp_count *grp_set_count(const struct grp_core *core,
						    const struct grp_set *set)
{
	return &core->view->counts[set->id];
}

/* Members now; 0 for a dead set. */
static inline uint64_t grp_set_members(const struct grp_core *core, const struct grp_set *set)
{
	int64_t members = __atomic_load_n(&grp_set_count(core, set)->members, __ATOMIC_RELAXED);

	return members > 0 ? members : 0;
}

/* Enters a set into the tree's lists, as the store has it. */
void grp_set_adopt(struct grp_core *core, struct grp_set *set, bool live);

/* A set leaves every list; its id is free again. */
void grp_set_drop(struct grp_core *core, struct grp_set *set);

/* Dead in the kernel: no task can join it any more. */
void grp_set_retire(struct grp_core *core, struct grp_set *set);

/*
 * The live set with @set's vector but for the groups of @target; made when there
 * is none. -ENOSPC: every id is in use.
 */
int grp_set_change(struct grp_core *core, const struct grp_set *set,
		   const struct grp_target *target, struct grp_error *error,
		   struct grp_set **ret_set);

/* All sets join or leave the root of a hierarchy. */
void grp_sets_join(struct grp_core *core, struct grp_hierarchy *hierarchy);

/* Every set's entry for a slot becomes "root", in the store too. */
int grp_sets_forget(struct grp_core *core, unsigned int slot);

/* The group of a set in a slot with a hierarchy; dying ones too. */
struct grp_group *grp_set_group(struct grp_core *core, const struct grp_set *set,
				unsigned int slot);

/* --- fold.c ------------------------------------------------------------------- */

/* Adds a dead set's counters to its groups and frees its id; restartable. */
int grp_fold_set(struct grp_core *core, struct grp_set *set);

/* Adds a dying group's time to its parent and drops its record; restartable. */
int grp_fold_group(struct grp_core *core, struct grp_group *group);

/* Ends a fold that failed half-way; before any walk over groups. */
int grp_fold_finish(struct grp_core *core);

/* Goes on with what the journal's entry 0 says. */
int grp_fold_resume(struct grp_core *core, const struct grp_journal *record);

/* Reads a base into @ret, all zero when there is none. */
int grp_base_load(struct grp_core *core, struct grp_group *group, enum grp_base_kind kind,
		  struct grp_base *ret);
int grp_base_store(struct grp_core *core, struct grp_group *group, enum grp_base_kind kind,
		   const struct grp_base *base);
/* Whether the group has anything folded, of any kind; asks the store once. */
int grp_base_has(struct grp_core *core, struct grp_group *group, bool *ret_has);
/* Drops all kinds. */
int grp_base_drop(struct grp_core *core, struct grp_group *group);

static inline void grp_base_add_cpu(struct grp_base_cpu *to, const struct grp_base_cpu *from)
{
	to->cell.time_ns += from->cell.time_ns;
	to->cell.voluntary += from->cell.voluntary;
	to->cell.involuntary += from->cell.involuntary;
	to->cell.migrations += from->cell.migrations;
	to->mode.user_ns += from->mode.user_ns;
	to->mode.system_ns += from->mode.system_ns;
}

/* The counters of a set itself, from the programs' cells. */
void grp_base_add_set(const struct grp_core *core, const struct grp_set *set, struct grp_base *to);

/* --- empty.c ------------------------------------------------------------------ */

/* Has it, or any group of a set, lost its last task? Then it is told, once. */
void grp_empty_check(struct grp_core *core, struct grp_group *group);
void grp_empty_check_set(struct grp_core *core, const struct grp_set *set);
void grp_empty_check_all(struct grp_core *core);
/* The same for all, if the kernel has lost events since the last time. */
void grp_empty_recover(struct grp_core *core);
/* At start: who has tasks. */
void grp_empty_load(struct grp_core *core);

/* --- group.c ------------------------------------------------------------------ */

/*
 * The walk of grp_group_next() backwards, so children before parents; it begins with
 * @at NULL and ends with @top.
 */
struct grp_group *grp_group_previous(struct grp_group *top, struct grp_group *at);

/* Next of a subtree with the dying ones; parents first. */
struct grp_group *grp_group_next_any(const struct grp_group *top, const struct grp_group *at);

/* Makes the cache entry of a record; it is not in the tree yet. */
int grp_group_cache(struct grp_core *core, uint32_t id, const char *name, size_t name_len,
		    struct grp_group **ret_group);
/* Into the tree, below its parent (NULL: root of hierarchy). */
void grp_group_link(struct grp_core *core, struct grp_hierarchy *hierarchy,
		    struct grp_group *parent, struct grp_group *group);
/* Live to dying: out of sight, still in the list of its parent. */
void grp_group_bury(struct grp_core *core, struct grp_group *group);
/* Out of the cache, and out of the tree first; @group is no more. */
void grp_group_forget(struct grp_core *core, struct grp_group *group);
/* The same for one that is not in the tree. */
void grp_group_free(struct grp_core *core, struct grp_group *group);
int grp_group_store(struct grp_core *core, const struct grp_group *group);
/* One update; on failure they are as before. */
int grp_group_set_flags(struct grp_core *core, struct grp_group *group, uint32_t flags);
/* "HIERARCHY:/path" for messages; of a long one only the end. Points into @buf. */
#define GRP_SHOWN_PATH_SIZE (GRP_HIERARCHY_NAME_MAX + 1 + GRP_PATH_MAX)
const char *grp_group_shown_path(const struct grp_group *group, char buf[GRP_SHOWN_PATH_SIZE]);
/* A new id, never handed out before. */
int grp_group_reserve(struct grp_core *core, uint32_t *ret_id);
/* A root group in the store and in the cache; not linked. */
int grp_group_make_root(struct grp_core *core, unsigned int slot, struct grp_group **ret_group);
void grp_row_bind(struct grp_core *core, struct grp_group *group, uint32_t row, bool fresh);

/* --- release.c ---------------------------------------------------------------- */

/* Whether it is released now: then into its queue, if it is in none. */
void grp_release_check(struct grp_core *core, struct grp_group *group);
/* Out of its queue, for good. */
void grp_release_forget(struct grp_core *core, struct grp_group *group);
/* A child is made in it, or a task comes in: its mark, one update or none (R1). */
int grp_release_enter(struct grp_core *core, struct grp_group *group);

/*
 * Before a move is written down: which groups will get their mark for it, and how
 * many have moved into them before, so that who goes on with it knows too.
 */
void grp_release_will_mark(struct grp_core *core, const struct grp_target *target,
			   struct grp_journal *record);
/* Their marks. After the move, however it ended: grp_release_not_entered(). */
int grp_release_entering(struct grp_core *core, const struct grp_target *target);
/* What nobody has entered loses its mark again: the move failed, or nobody was to move. */
void grp_release_not_entered(struct grp_core *core, const struct grp_target *target,
			     const struct grp_journal *record);

/* The groups of a set that has become empty. */
void grp_release_event(struct grp_core *core, const struct grp_event *event);
/* At start: mends marks, and looks at all groups. */
int grp_release_load(struct grp_core *core);
/* Looks at all groups when an event was lost since the last time. */
void grp_release_look(struct grp_core *core);

/* --- inode.c ------------------------------------------------------------------ */

/* As they are made; whoever they are given to later. */
#define GRP_MEMBER_FILE_MODE 0644

/* Owner and mode of a new group; its files are the owner's. */
void grp_inode_init(struct grp_group *group, const struct grp_inode *inode);

/* --- limit.c ------------------------------------------------------------------ */

#define GRP_FILE_MAX_DESCENDANTS "cgroup.max.descendants"
#define GRP_FILE_MAX_DEPTH "cgroup.max.depth"
/* core_files.c */
#define GRP_FILE_CLONE_CHILDREN "cgroup.clone_children"

/* -EAGAIN: a limit of @parent or of a group above it leaves no room for a child. */
int grp_limits_check(struct grp_core *core, struct grp_group *parent, struct grp_error *error);
int grp_limit_canonical(const char *text, char *ret_text, struct grp_error *error);
int grp_limit_read(const struct grp_file_access *access, FILE *out);
int grp_limit_write(const struct grp_file_access *access, const char *text, size_t len);

/* --- group_change.c ----------------------------------------------------------- */

/* Could a group be called so? -EINVAL, -ENAMETOOLONG. */
int grp_group_check_name(const char *name, struct grp_error *error);

/* What there is to know of a group that is to be made. */
struct grp_making {
	struct grp_group *parent;
	const char *name;
	mode_t mode;
	const struct grp_caller *caller;
	struct grp_value_clone *clone; /* of which it is a part; NULL: none */
	struct grp_error *error;
};
/* grp_group_make() is this. */
int grp_group_make_for(struct grp_core *core, const struct grp_making *making,
		       struct grp_group **ret_group);

/* --- clone.c ------------------------------------------------------------------- */

/* Name of the value GRP_VALUE_CLONE. */
#define GRP_CLONE_INTENT "clone"

/* Before the record of a child: what a start shall do about it. */
int grp_clone_note(struct grp_core *core, struct grp_group *child, struct grp_value_clone *intent);
/* At start: every clone that is not decided is ended. */
int grp_clones_resume(struct grp_core *core);

/* --- hierarchy.c ----------------------------------------------------------------- */

int grp_hierarchy_cache(struct grp_core *core, unsigned int slot,
			const struct grp_hierarchy_record *record, struct grp_group *root);
void grp_hierarchy_free(struct grp_hierarchy *hierarchy);
/* Its record as the cache has it; one update. */
int grp_hierarchy_store(struct grp_core *core, const struct grp_hierarchy *hierarchy);
/* REL-6: the path is copied; one update. On failure it is as before. */
int grp_hierarchy_set_release_agent(struct grp_core *core, struct grp_hierarchy *hierarchy,
				    const char *path, size_t len);
/*
 * A root and a hierarchy in a free slot of the cache, with nothing bound; its record
 * is not stored yet, and without that a start drops the root. -ENOSPC.
 */
int grp_hierarchy_make(struct grp_core *core, const char *name, uint32_t flags,
		       const char *release_agent, struct grp_hierarchy **ret_hierarchy);
int grp_hierarchy_make_default(struct grp_core *core);
/* The rest of an umount, after its record was marked. */
int grp_hierarchy_drop(struct grp_core *core, unsigned int slot, struct grp_group *root);
/*
 * The same, and out of the cache. On failure it stays there without a name, and
 * grp_hierarchies_collect() tries again.
 */
int grp_hierarchy_end(struct grp_core *core, struct grp_hierarchy *hierarchy);
bool grp_hierarchy_name_valid(const char *name);
bool grp_hierarchy_has_name(const struct grp_hierarchy *hierarchy, const char *name);
/* The one that has what nobody else claims. */
struct grp_hierarchy *grp_hierarchy_default(struct grp_core *core);

static inline uint32_t grp_subsystems_every(void)
{
	return (1U << grp_n_subsystems) - 1;
}
/* Of a mask, those that are bound once. */
uint32_t grp_subsystems_exclusive(uint32_t mask);
/* Exclusive ones that some hierarchy has asked for. */
uint32_t grp_subsystems_claimed(const struct grp_core *core);

/* --- mount.c ------------------------------------------------------------------------ */

/* Ends hierarchies that are unmounted and have lost their last group (HIER-17). */
int grp_hierarchies_collect(struct grp_core *core);

/* --- usage.c --------------------------------------------------------------------- */

/* Folds a sum over CPUs into what is shown of a group; nothing ever falls. */
void grp_usage_sum(struct grp_core *core, const struct grp_group *group, bool subtree,
		   const struct grp_base *base, struct grp_usage *ret);

/* Own counters of a group: its sets and what folded ones have left. */
int grp_usage_own(struct grp_core *core, struct grp_group *group, struct grp_base *to);

/* What is folded into a group, of one kind; nothing when there is none. */
int grp_usage_add_base(struct grp_core *core, struct grp_group *group, enum grp_base_kind kind,
		       struct grp_base *to);

/* --- value.c --------------------------------------------------------------------- */

/* From the store, at start; of no living group: kept apart, to be dropped. */
int grp_value_adopt(struct grp_core *core, const struct grp_value_key *key,
		    const struct grp_value *value);
/* Out of the store and the list. */
int grp_values_drop(struct grp_core *core, struct grp_value_entry **list);
/* Out of the list only. */
void grp_values_forget(struct grp_value_entry **list);

/* --- subsystem.c ------------------------------------------------------------------ */

/* API-1: whether the registry keeps its own rules. */
int grp_subsystems_check(struct grp_error *error);
/* One of it, by itself. */
int grp_subsystem_check(const struct grp_subsystem *subsystem, struct grp_error *error);

/*
 * States of the subsystems in @mask for one group, in the order of the registry;
 * on failure those made by this call are gone again.
 */
int grp_states_create(struct grp_core *core, struct grp_group *group, uint32_t mask, bool fresh,
		      struct grp_error *error);
void grp_states_destroy(struct grp_core *core, struct grp_group *group, uint32_t mask);

/* After writes with core->unchecked: what the first one that is not content says. */
int grp_subsystems_check_groups(struct grp_core *core, struct grp_error *error);

/* At start: states of every group, and what is switched off. */
int grp_states_load(struct grp_core *core, struct grp_error *error);
/* At the end. */
void grp_states_free(struct grp_core *core);

/*
 * What is bound has changed from @before to @after in one hierarchy without child
 * groups, or, for "default", with some: prepare makes what may fail, commit moves
 * root states and tells the subsystems.
 */
int grp_bind_prepare(struct grp_core *core, struct grp_hierarchy *hierarchy, uint32_t added,
		     struct grp_error *error);
void grp_bind_cancel(struct grp_core *core, struct grp_hierarchy *hierarchy, uint32_t added);
void grp_bind_commit(struct grp_core *core, struct grp_hierarchy *hierarchy, uint32_t added,
		     uint32_t removed);

/* EN-2: on or off in a hierarchy; -EBUSY while it has child groups. */
int grp_subsystem_enable(struct grp_core *core, struct grp_hierarchy *hierarchy, unsigned int index,
			 bool on, struct grp_error *error);

/* Tells subsystems of births and exits since the last time (FE-6). */
void grp_subsystems_poll(struct grp_core *core);

/* The target of an attach as its intent says it (set.c). -ENOENT: a group has gone. */
int grp_target_recorded(struct grp_core *core, const struct grp_journal *record,
			struct grp_target *ret_target);

/* Whether a subsystem of the target's groups wants to know who moves. */
bool grp_target_asks(struct grp_core *core, const struct grp_target *target);

/* All bound subsystems that are asked about one move, and how far that went. */
struct grp_ask {
	struct grp_attach attach[GRP_HIERARCHIES_MAX]; /* by slot; tasks owned */
	uint32_t acting[GRP_HIERARCHIES_MAX];
	unsigned int asked;
	bool wanted; /* somebody is elsewhere: it is not a no-op (VER-8) */
	bool unseen; /* by grp_ask_unseen() */
};
/* @members: who shall move; those that are there already are not asked about. */
int grp_ask_init(struct grp_ask *ask, struct grp_core *core, const struct grp_target *target,
		 const struct grp_members *members, const struct grp_caller *caller,
		 struct grp_error *error);
/**
 * grp_ask_unseen() - asks about threads that nobody wants to see one by one.
 * Return: true: they may come; false: they have to be listed, as somebody looks at
 * them or refuses: then it matters whether they are there already.
 */
bool grp_ask_unseen(struct grp_ask *ask, struct grp_core *core, const struct grp_target *target,
		    const struct grp_caller *caller);
/* The first error; then everything is cancelled. */
int grp_ask_veto(struct grp_ask *ask);
void grp_ask_cancel(struct grp_ask *ask);
/*
 * @moved: what the passes told, each with the set it came from; its order changes.
 * Subsystems hear of those that came from elsewhere, the ones born there meanwhile too.
 * Of threads that they did not want to see they hear that some have come.
 */
void grp_ask_attached(struct grp_ask *ask, struct grp_members *moved);
void grp_ask_done(struct grp_ask *ask);

/*
 * After a restart in the midst of a move nobody knows who was told: subsystems hear of
 * all that are in the target. Those that cannot be listed are not told.
 */
void grp_target_tell(struct grp_core *core, const struct grp_target *target,
		     const struct grp_caller *caller);

/* At a binding: new subsystems are told of everybody who is there. */
void grp_subsystems_count(struct grp_core *core, struct grp_hierarchy *hierarchy, uint32_t mask);

/* --- member.c -------------------------------------------------------------------- */

/* Marks in the plan every set of the group. */
void grp_plan_group(struct grp_core *core, const struct grp_group *group, uint16_t mark);

/* One thread, or with tid 0 those of a process; not in any order. */
int grp_task_members(struct grp_core *core, pid_t tid, pid_t tgid, struct grp_members *members);
/* Appends what a record says. -ENOMEM. */
int grp_members_add(struct grp_core *core, struct grp_members *members,
		    const struct grp_scan_record *record);
/* --- activity.c ---------------------------------------------------------------- */

/* Into the group's record what its sets know, before one of them is cleared. */
int grp_activity_keep(struct grp_core *core, struct grp_group *group);

/* --- pressure.c -------------------------------------------------------------------- */

/* Into the group's meter what its sets know, before one of them is cleared. */
void grp_pressure_keep(struct grp_core *core, const struct grp_group *group);
/* Whether the present second has events of it: then it is not yet to be cleared. */
bool grp_pressure_fresh(const struct grp_core *core, const struct grp_set *set);

/* --- moved.c ----------------------------------------------------------------------- */

/* By slot: threads that have come from another group, and from which. */
struct grp_moved {
	unsigned int n[GRP_HIERARCHIES_MAX];
	struct grp_group *source[GRP_HIERARCHIES_MAX]; /* NULL: from several */
};
/* One thread, as the pass that moved it has told. */
void grp_moved_note(struct grp_core *core, const struct grp_target *target,
		    const struct grp_scan_record *record, struct grp_moved *moved);
/* The end of the move, whether all of it was done or not. */
void grp_moved_tell(struct grp_core *core, const struct grp_target *target,
		    const struct grp_moved *moved, const struct grp_caller *caller);

/* --- attach_check.c ---------------------------------------------------------------- */

/* File permission: the file that a move of this kind would be written to; -EINVAL: no group. */
int grp_target_check(struct grp_core *core, const struct grp_target *target,
		     const struct grp_caller *caller, bool whole, struct grp_error *error);

/*
 * TASK-8, before any subsystem is asked. The kernel looks again at each task when
 * it moves it; not for the writer itself. Return: 0; -EACCES; -ESRCH: exiting.
 */
int grp_attach_check_task(const struct grp_task_id *id, const struct grp_member *member,
			  const struct grp_caller *caller, struct grp_error *error);

/* --- attach.c -------------------------------------------------------------------- */

/* Makes a move that a killed agent has begun. Return: as grp_attach(); -ENOENT: no target. */
int grp_attach_again(struct grp_core *core, const struct grp_journal *record);

/* --- unfinished.c ---------------------------------------------------------------- */

/* Does what a killed agent has promised in its journal. */
int grp_attach_resume(struct grp_core *core, const struct grp_journal *record);

/*
 * A move has ended with @r; its record is still in the journal. @some: threads were
 * moved. With -EAGAIN it is noted, else forgotten.
 */
void grp_unfinished_note(struct grp_core *core, const struct grp_journal *record, bool some, int r);
/* Does what is noted, as far as it can be done at once. */
void grp_unfinished_resume(struct grp_core *core);

#endif
