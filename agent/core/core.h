/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The agent's logic: hierarchies, groups, membership sets, attach, usage. It
 * does no input or output: what it knows it keeps in the kernel's store through
 * struct grp_kernel_ops, and every tree here is a cache of that store. It never
 * logs above debug; callers get -errno and, where it helps, a reason (struct
 * grp_error).
 *
 * One thread. Pointers to groups and hierarchies are borrowed and valid until
 * the next call that removes one.
 */
#ifndef GRP_CORE_H
#define GRP_CORE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>
#include <uthash.h>

#include "base/error.h"
#include "base/mask.h"
#include "grp/abi.h"
#include "kernel/kernel.h"

struct grp_core;
struct grp_group;
struct grp_hierarchy;
struct grp_value_entry;

/* Owner and permission bits of a group or of one of its control files (CONT-6). */
struct grp_inode {
	uid_t uid;
	gid_t gid;
	mode_t mode;
};

/* Who asks: the credentials of the client, as the kernel gave them. */
struct grp_caller {
	uid_t uid; /* effective */
	gid_t gid;
	pid_t pid; /* in the agent's pid namespace */
	uint32_t pidns; /* inode of its pid namespace if that is not ours; else 0 */
	const gid_t *groups; /* supplementary; may be NULL */
	size_t n_groups;
};

/* A place in one membership set's list of users, per hierarchy slot. */
struct grp_set_link {
	struct grp_set *prev, *next;
};

struct grp_set {
	uint32_t state; /* enum grp_set_state */
	uint16_t id;
	bool graced; /* chargers were zero and a grace period is on its way */
	bool hashed; /* by its vector; not when another set has the same one */
	int64_t stuck_chargers; /* as last seen in a retired set, */
	uint64_t stuck_since_ns; /* and since when */
	uint32_t group[GRP_HIERARCHIES_MAX]; /* as in the record; hash key */
	struct grp_set_link link[GRP_HIERARCHIES_MAX];
	UT_hash_handle hh;
};

enum grp_set_state {
	GRP_SET_FREE,
	GRP_SET_LIVE,
	GRP_SET_RETIRED, /* dead in the kernel, waiting for chargers and grace */
};

struct grp_group {
	uint32_t id;
	uint32_t row; /* in the kernel's table of shown values */
	struct grp_hierarchy *hierarchy;
	struct grp_group *parent; /* NULL: root */
	struct grp_group *children; /* utlist DL, by prev/next; unsorted */
	struct grp_group *prev, *next;
	struct grp_set *sets; /* of which it is the group in this hierarchy */
	unsigned int n_children; /* live ones */
	unsigned int n_descendants; /* live ones, at all depths */
	unsigned int references; /* of subsystems; keep it busy (CSS-1) */
	bool dying; /* removed; kept while sets refer to it */
	bool occupied; /* has had tasks since it was last told to be empty */
	uint32_t flags; /* enum grp_group_flags */
	struct grp_inode inode;
	uid_t file_uid; /* of its control files that were not given away (CONT-5) */
	gid_t file_gid;
	struct grp_inode member_files[GRP_MEMBER_FILES]; /* these stand by themselves */
	struct grp_kept_mask *cpus; /* that its tasks may have; NULL: all; see place.h */
	uint64_t unplaced; /* ticket of the placement that it waits for; 0: none */
	struct grp_group_memory *memory; /* see place_memory.h; NULL: nothing is said about it */
	void *state[GRP_SUBSYSTEMS_MAX]; /* of subsystems; NULL: none, or not bound */
	uint64_t seen_forks, seen_exits; /* that subsystems were told of */
	struct grp_value_entry *values; /* stored for it; see value.c */
	uint64_t peak_tasks; /* of its own, and */
	uint64_t active_ns; /* latest activity since boot; both as far as was looked at */
	struct grp_group *release_prev, *release_next; /* in its queue */
	unsigned int release_queue; /* enum grp_release: which; 0: none */
	uint64_t release_run; /* its end is waited for before auto_delete; 0: none */
	uint8_t base_known; /* per enum grp_base_kind: whether it was asked for, */
	uint8_t base_has; /* and whether the store has it */
	uint64_t created_ns;
	size_t name_len;
	char *name; /* owned; bytes, no slash, no control character */
	UT_hash_handle hh_id;
	UT_hash_handle hh_name; /* key: parent id and name; live ones only */
	char key[]; /* parent id (4 bytes) and name: the key of hh_name */
};

struct grp_hierarchy {
	unsigned int slot;
	uint32_t subsystems; /* as asked for */
	uint32_t flags;
	uint64_t created_ns;
	struct grp_group *root;
	unsigned int n_groups; /* live, with the root */
	unsigned int n_names;
	char names[GRP_HIERARCHY_NAMES_MAX][GRP_HIERARCHY_NAME_MAX + 1];
	const char *name; /* the canonical one: the first */
	uint32_t disabled; /* subsystems switched off here (EN-*) */
	char *release_agent; /* owned; "" for none */
};

/* --- life ------------------------------------------------------------------ */

/**
 * grp_core_new() - an empty core over a kernel.
 * @ops: borrowed for the life of the core.
 * @kernel: handed to every operation.
 * @view: the programs' shared memory; borrowed.
 * @ret_core: owned by the caller, grp_core_free().
 * Return: 0, -ENOMEM.
 */
int grp_core_new(const struct grp_kernel_ops *ops, void *kernel, const struct grp_kernel_view *view,
		 struct grp_core **ret_core);

/**
 * grp_core_load() - reconcile: rebuild the tree from the store, end what a
 * killed agent left half-done, make hierarchy "default" if there is none.
 * @error: why it cannot be adopted.
 * Return: 0; -EPROTO: another layout; -EINVAL: other capacities or CPUs than
 * the maps were made for; -errno of the store.
 */
int grp_core_load(struct grp_core *core, struct grp_error *error);

void grp_core_free(struct grp_core *core);

/* --- looking up -------------------------------------------------------------- */

/* grp_hierarchy_find() - by name; NULL: none. */
struct grp_hierarchy *grp_hierarchy_find(struct grp_core *core, const char *name);

/* grp_hierarchy_at() - by slot below GRP_HIERARCHIES_MAX; NULL: none there. */
struct grp_hierarchy *grp_hierarchy_at(struct grp_core *core, unsigned int slot);

/*
 * grp_hierarchy_subsystems() - what is bound to it now, as bits of the registry
 * (for "default": what nobody else claims).
 */
uint32_t grp_hierarchy_subsystems(struct grp_core *core, const struct grp_hierarchy *hierarchy);

/*
 * grp_group_subsystems() - of these, what acts on a group and has files in it: a
 * root shows all, other groups those that are not switched off (EN-3).
 */
uint32_t grp_group_subsystems(struct grp_core *core, const struct grp_group *group);

/* How a group is looked for. */
struct grp_lookup {
	struct grp_core *core;
	const struct grp_caller *caller; /* must be able to search the way; NULL: no matter who */
	bool unmounted; /* also of a hierarchy that is not mounted (HIER-17): for rmdir */
	struct grp_error *error;
};

/**
 * grp_group_lookup() - "[HIERARCHY:]/path" to a group.
 * @spec: raw bytes (already without \x notation), NUL-terminated. Repeated and
 * trailing slashes are folded; "." and ".." are not path elements here.
 * Return: 0; -EINVAL: not of that form; -ENOENT: no such hierarchy or group;
 * -ENOTDIR: a control file; -EACCES: no search permission on the way, whatever may be
 * there; -ENAMETOOLONG.
 */
int grp_group_lookup(const struct grp_lookup *lookup, const char *spec,
		     struct grp_group **ret_group);

/* A group yet to be made. */
struct grp_place {
	struct grp_group *parent;
	char name[GRP_NAME_MAX + 1];
};

/**
 * grp_group_lookup_place() - the parent and the last name of @spec.
 * Return: as grp_group_lookup(); -EEXIST when spec is a root.
 */
int grp_group_lookup_place(const struct grp_lookup *lookup, const char *spec,
			   struct grp_place *ret_place);

/* grp_group_find() - the same as grp_group_lookup(), no matter for whom. */
int grp_group_find(struct grp_core *core, const char *spec, struct grp_error *error,
		   struct grp_group **ret_group);

/*
 * grp_group_by_id() - to find a group again after others may have changed the
 * tree; check ->dying. NULL: none any more.
 */
struct grp_group *grp_group_by_id(struct grp_core *core, uint32_t id);

/* For who keeps very many groups while others may change the tree. */
struct grp_group_ref {
	uint32_t id, row;
};

struct grp_group_ref grp_group_ref(const struct grp_group *group);
/* grp_group_at() - as grp_group_by_id(), without a search. */
struct grp_group *grp_group_at(struct grp_core *core, struct grp_group_ref ref);

/* grp_group_child() - live child by name; NULL: none. */
struct grp_group *grp_group_child(struct grp_core *core, const struct grp_group *parent,
				  const char *name);

/**
 * grp_group_path() - "/a/b" of a group, raw bytes, "/" for a root.
 * Return: length; -ENAMETOOLONG when it does not fit @size.
 */
ssize_t grp_group_path(const struct grp_group *group, char *buf, size_t size);

/*
 * grp_group_next() - walk of the live groups of a subtree, parents first. Start
 * with @at == @top; NULL after the last. Siblings come in order of creation.
 */
struct grp_group *grp_group_next(const struct grp_group *top, const struct grp_group *at);

/* grp_group_depth() - 0 for a root. */
unsigned int grp_group_depth(const struct grp_group *group);

/* grp_group_within() - whether @group is @top or below it. */
bool grp_group_within(const struct grp_group *group, const struct grp_group *top);

/* --- changes (each answers with errno as in spec ERR-1...6) ------------------- */

/**
 * grp_hierarchy_mount() - make a hierarchy, or a view of an equal one (HIER-4...8).
 * @text: comma-separated options, see mount.h; NULL: all subsystems.
 * Return: 0, also when @name exists with the same set; -EINVAL, -ENOENT,
 * -EBUSY, -ENOSPC (GRP_HIERARCHIES_MAX, names of one), in that order.
 */
int grp_hierarchy_mount(struct grp_core *core, const char *name, const char *text,
			struct grp_error *error);

/**
 * grp_hierarchy_remount() - other subsystems, another release agent (HIER-12...15).
 * Return: 0; -EINVAL, -ENOENT: options, then @name; -EINVAL: noprefix differs;
 * -EBUSY: bound elsewhere, then: has child groups. A change of nothing is 0.
 */
int grp_hierarchy_remount(struct grp_core *core, const char *name, const char *text,
			  struct grp_error *error);

/*
 * grp_hierarchy_umount() - with child groups it stays active, out of sight, until
 * the last of them is removed (HIER-16, 17). Return: 0; -ENOENT; -EBUSY: "default".
 */
int grp_hierarchy_umount(struct grp_core *core, const char *name, struct grp_error *error);

/**
 * grp_group_make() - mkdir of one group (CONT-1, 4, 5).
 * Return: 0; -EINVAL, -ENAMETOOLONG (name); -EEXIST (sibling or control file);
 * -EACCES; -EAGAIN (cgroup.max.descendants, cgroup.max.depth of a group above);
 * -ENOSPC (capacity-groups; -EDQUOT the caller's own limit).
 */
int grp_group_make(struct grp_core *core, struct grp_group *parent, const char *name, mode_t mode,
		   const struct grp_caller *caller, struct grp_error *error,
		   struct grp_group **ret_group);

/**
 * grp_group_remove() - rmdir (CONT-7): -EBUSY for tasks, children, references,
 * in that order, and for a root. The time it used stays in its parent's subtree.
 */
int grp_group_remove(struct grp_core *core, struct grp_group *group,
		     const struct grp_caller *caller, struct grp_error *error);

/**
 * grp_group_rename() - CONT-10: same parent only.
 * @to: spec of the new place. Return: 0; -EBUSY a root; -EXDEV other hierarchy;
 * -EINVAL into its own subtree; -EACCES, -EPERM; -ENOTDIR a control file's name; -EIO
 * another parent; -EEXIST; in that order, after those of grp_group_lookup().
 */
int grp_group_rename(struct grp_core *core, struct grp_group *group, const char *to,
		     const struct grp_caller *caller, struct grp_error *error);

/* --- placement --------------------------------------------------------------- */

/* Groups of different hierarchies that are entered in one step. */
struct grp_target {
	struct grp_group *group[GRP_HIERARCHIES_MAX]; /* by slot; NULL: stay */
};

/* -EINVAL when two of the groups are of one hierarchy. */
int grp_target_add(struct grp_target *target, struct grp_group *group);

struct grp_task_id {
	pid_t tid; /* in the agent's pid namespace */
	bool whole; /* its whole process */
	bool self; /* the caller asked for itself, by 0: TASK-8 does not apply */
	uint64_t start_ticks; /* USER_HZ since boot; 0: not said */
};

/**
 * grp_attach() - moves one thread or one process, until every thread of it that
 * is alive is in the target. The intent is in the journal meanwhile.
 * @ret_moved: threads now there; may be NULL.
 * Return: 0; -ESRCH: unknown, exiting or another start time; -EACCES: TASK-8 or
 * no write permission; -ENOSPC: capacity-sets; -EAGAIN: did not become stable
 * within the bound of rounds, the caller may call again (nothing is undone).
 */
int grp_attach(struct grp_core *core, const struct grp_target *target, const struct grp_task_id *id,
	       const struct grp_caller *caller, struct grp_error *error, unsigned int *ret_moved);

/* grp_attach_members() - the same for every member of a group. */
int grp_attach_members(struct grp_core *core, const struct grp_target *target,
		       struct grp_group *from, const struct grp_caller *caller,
		       struct grp_error *error, unsigned int *ret_moved);

/**
 * grp_attach_check() - would the caller's attach of any task be let in (TASK-10)?
 * Nothing is reserved. A task may still be refused for what it is.
 * Return: 0; -EACCES: no write permission; or what the first subsystem that refuses says.
 */
int grp_attach_check(struct grp_core *core, const struct grp_target *target,
		     const struct grp_caller *caller, bool whole, struct grp_error *error);

/* --- reading ------------------------------------------------------------------ */

/* grp_group_tasks() - members of this group now; no system call. */
uint64_t grp_group_tasks(struct grp_core *core, const struct grp_group *group);

/* grp_group_subtree_tasks() - members of it and all below. */
uint64_t grp_group_subtree_tasks(struct grp_core *core, const struct grp_group *group);

/*
 * grp_group_refcount() - how many things keep it busy (CONT-7): sets with a member,
 * child groups, references of subsystems. At 0 it can be removed.
 */
uint64_t grp_group_refcount(struct grp_core *core, const struct grp_group *group);

/* grp_set_tasks() - members of a set now; no system call. */
uint64_t grp_set_tasks(const struct grp_core *core, const struct grp_set *set);

/* grp_group_chargers() - members, and dying tasks that are still to be charged. */
uint64_t grp_group_chargers(struct grp_core *core, const struct grp_group *group);

/*
 * grp_group_peak() - the most members of this group at a time. With members in
 * several sets, that is in different groups of other hierarchies, a lower bound: at
 * least what any one of them had, and what all had whenever it was asked.
 */
uint64_t grp_group_peak(struct grp_core *core, struct grp_group *group);

struct grp_member {
	pid_t tid, tgid; /* in the agent's pid namespace */
	pid_t ns_tid, ns_tgid; /* in the caller's; 0: not visible there */
	uid_t uid, suid;
	bool exiting;
	bool unborn; /* its set is not its own yet */
	bool fixed; /* nobody may change its CPUs */
	unsigned int nr_threads; /* of its process */
	uint64_t cpu_ns, start_ns;
	uint64_t idle_ns; /* since it last ran; GRP_IDLE_UNKNOWN */
	struct grp_set *set;
	uint32_t group; /* id; only of a census */
	char comm[GRP_COMM_SIZE]; /* any bytes, NUL-terminated */
};

/* An array that grows; grp_members_done() frees it. */
struct grp_members {
	struct grp_member *items;
	size_t n, allocated;
};
void grp_members_done(struct grp_members *members);

/**
 * grp_group_members() - members of a group by one pass, ascending by thread id.
 * @recursive: also of all below. @caller: whose ids; may be NULL.
 */
int grp_group_members(struct grp_core *core, const struct grp_group *group, bool recursive,
		      const struct grp_caller *caller, struct grp_members *members);

/**
 * grp_group_last_activity() - when one of its own tasks last ran, was born, came,
 * went or ended.
 * @members: of the group, from a pass just now: they tell when they last ran.
 * Return: wall clock in ns; 0: it never had a task.
 */
uint64_t grp_group_last_activity(struct grp_core *core, struct grp_group *group,
				 const struct grp_members *members);

/*
 * grp_members_processes() - keep one entry for each process: the leader's if it
 * is a member, else that of the lowest id; with the CPU time of all.
 */
void grp_members_processes(struct grp_members *members);

/**
 * grp_task_find() - one task, also one that is exiting or a zombie.
 * Return: 0; -ESRCH.
 */
int grp_task_find(struct grp_core *core, const struct grp_task_id *id,
		  const struct grp_caller *caller, struct grp_member *ret_member);

/* grp_task_resolve() - an id of the caller's pid namespace to ours. -ESRCH. */
int grp_task_resolve(struct grp_core *core, const struct grp_caller *caller, pid_t id,
		     pid_t *ret_tid);

/* grp_member_group() - the group of a member in a hierarchy (never NULL, live). */
struct grp_group *grp_member_group(struct grp_core *core, const struct grp_member *member,
				   const struct grp_hierarchy *hierarchy);

/* grp_core_clock() - CLOCK_MONOTONIC in ns. */
uint64_t grp_core_clock(const struct grp_core *core);

struct grp_usage {
	uint64_t time_ns, user_ns, system_ns; /* user + system is rescaled to time */
	uint64_t raw_user_ns, raw_system_ns; /* as the ticks counted them */
	uint64_t voluntary, involuntary, migrations;
	uint64_t forks, execs, exits;
};

/* grp_core_settle() - once before a batch of reads. */
int grp_core_settle(struct grp_core *core);

/**
 * grp_usage_read() - one group's own tasks, or its whole subtree (with what
 * removed groups below have left). Values shown never fall.
 */
int grp_usage_read(struct grp_core *core, const struct grp_group *group, bool subtree,
		   struct grp_usage *ret_usage);

/*
 * grp_usage_percpu() - the same per possible CPU, without never-fall; @ret_cpus
 * has room for core_cpus() entries and is overwritten.
 */
int grp_usage_percpu(struct grp_core *core, const struct grp_group *group, bool subtree,
		     struct grp_base_cpu *ret_cpus);

/* grp_usage_reset(), grp_usage_baseline(): writing 0 to cpuacct.usage. */
int grp_usage_reset(struct grp_core *core, const struct grp_group *group);
/* All zero when never reset. */
int grp_usage_baseline(struct grp_core *core, const struct grp_group *group,
		       struct grp_base_cpu *ret_cpus);

/* --- boundaries ----------------------------------------------------------------- */

/*
 * grp_core_due() - when grp_core_tick() wants to be called next, by the clock of
 * the core; in the past: at once; 0: nobody measures over windows of time.
 */
uint64_t grp_core_due(struct grp_core *core);

/**
 * grp_core_tick() - subsystems do what is due at this moment, from one settling.
 * Costs nothing when nothing is due. Return: 0; -errno: it stays due.
 */
int grp_core_tick(struct grp_core *core);

/* --- housekeeping -------------------------------------------------------------- */

/* grp_core_event() - what the programs tell (from the ring buffer). */
void grp_core_event(struct grp_core *core, const struct grp_event *event);

/*
 * grp_core_collect() - retire and fold what is unused, as far as it goes now.
 * Return: 0: all done; 1: call again in a while, tasks that have died still hold
 * sets; -errno.
 */
int grp_core_collect(struct grp_core *core);

/*
 * grp_core_audit() - a full pass against the counts of all sets that did not
 * change meanwhile. @ret_corrections: found and mended now.
 */
int grp_core_audit(struct grp_core *core, unsigned int *ret_corrections);

/* Figures for status and metrics. */
struct grp_core_figures {
	unsigned int cpus, hierarchies, groups, dying_groups, sets, retired_sets;
	unsigned int capacity_groups, capacity_sets;
	uint64_t audit_corrections, audits;
	uint64_t folds;
	uint64_t releases_pending; /* groups whose release waits for its turn */
};
void grp_core_figures(const struct grp_core *core, struct grp_core_figures *ret_figures);
const struct grp_kernel_view *grp_core_view(const struct grp_core *core);

/* grp_core_groups_of() - live groups whose owner is @uid (limit per user). */
unsigned int grp_core_groups_of(struct grp_core *core, uid_t uid);
void grp_core_set_limit_groups_per_uid(struct grp_core *core, unsigned int limit);

#endif
