/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the BPF programs and the agent share: keys and values of the maps.
 * Included by both sides; fixed-width types only, padding explicit, sizes
 * asserted. The text of each struct names the one side that writes it.
 *
 * Invariants (cited as A1... in the code):
 *  A1  Every stretch of a task's time is claimed by exactly one successful
 *      compare-and-swap of grp_task.word, and added once to the cell of the
 *      set that stood in the *old* word.
 *  A2  A set is counted up before a word names it and down after no word of
 *      that task names it any more.
 *  A3  A state is left by one winner of a swap; the winner counts it.
 *  A4  A dead set (members < 0) gains no member; its id is reused only after
 *      its chargers are zero and an RCU grace period has passed since.
 *  A5  A record that outlives the agent is changed by single-element updates
 *      of which every prefix is recoverable.
 *  A6  A task's own wish is in its place before what it wished for is overwritten,
 *      and its place says CHANGING from before a mask is set until it was set.
 */
#ifndef GRP_ABI_H
#define GRP_ABI_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif
#include "grp/ids.h"
#include "grp/task.h"

/* --- counters ------------------------------------------------------------- */

/* One per CPU and set, index cpu * capacity_sets + set. Written by programs. */
struct grp_cell {
	__u64 time_ns;
	__u64 voluntary; /* switches */
	__u64 involuntary;
	__u64 migrations;
};

/* Same index; touched at ticks only, so kept out of the hot line. */
struct grp_mode {
	__u64 user_ns;
	__u64 system_ns;
};

/* Bias of a dead set's members: larger than any count of tasks. */
#define GRP_MEMBERS_DEAD (-(1LL << 40))

/*
 * One per set. Written by programs, read through a mapping by the agent. One line of
 * the cache, as a birth, a move and an exit touch nearly all of it.
 */
struct grp_count {
	__s64 members; /* tasks alive or seeded; < 0: dead (A4) */
	__s64 chargers; /* tasks whose word may still name the set */
	__u64 changes; /* moves with every change of members, before and after */
	__u32 entries; /* tasks that came in by a move; compared only, so it may wrap */
	__u32 peak_members; /* the most there ever were at a time */
	__u64 forks;
	__u64 execs;
	__u64 exits;
	__u64 active_ns; /* of the latest birth, exit or move, either way; since boot */
};

/* What went another way than usual; index into the map of statistics. */
enum grp_stat {
	GRP_STAT_EVENTS_LOST, /* ring buffer full */
	GRP_STAT_BIRTH_MOVED, /* parent was moved during the birth */
	GRP_STAT_BIRTH_ORPHANS, /* births without room in task storage */
	GRP_STAT_ORPHANS_LOST, /* ... and without room in the table */
	GRP_STAT_ADOPTED,
	GRP_STAT_SEEDED,
	GRP_STAT_OVERRIDDEN, /* seeds that a birth hook replaced */
	GRP_STAT_DEAD_SET, /* births that met a dead set and read again */
	GRP_STAT_RETRIES_SPENT, /* a bounded retry loop came to its end */
	GRP_STAT_EXIT_UNKNOWN, /* exit of a task without storage */
	GRP_STAT_FREE_UNKNOWN, /* free of a task whose storage was out of reach */
	GRP_STAT_BIRTH_PLACED, /* births while the parent's CPUs were being changed */
	GRP_STAT_PLACE_NOTICED, /* tasks noticed whose CPUs may have been rewritten */
	GRP_STAT_MAX,
};

enum grp_event_kind {
	GRP_EVENT_EMPTY, /* a set has lost its last member */
	GRP_EVENT_ORPHAN, /* a birth waits for adoption: run a seeding pass */
	GRP_EVENT_PLACE, /* begins a struct grp_place_event, grp/place.h */
};

/* Ring buffer. Never one per birth, exit or switch. */
struct grp_event {
	__u32 set;
	__u32 kind; /* enum grp_event_kind */
	__u64 changes;
};

/*
 * A birth that found no room, keyed by the address of the task: its number may
 * change by an exec, and the entry goes with the task. Written by programs.
 */
struct grp_orphan_key {
	__u64 task;
};

struct grp_orphan {
	__u32 set;
	__u32 exec_id;
	__u64 place;
};

/* --- passes over the tasks ------------------------------------------------- */

enum grp_scan_flags {
	GRP_SCAN_CHECK_UID = 1 << 0, /* TASK-8: move only tasks of request.uid */
	GRP_SCAN_ALL_SETS = 1 << 1, /* list every task, whatever the plan says */
	GRP_SCAN_ALL_TASKS = 1 << 2, /* walk all tasks, also for one process only */
	GRP_SCAN_PIECES = 1 << 3, /* a listing: a record of those passed over now and then */
	GRP_SCAN_ALONE = 1 << 4, /* a batch: only who is the one thread of its process */
};

/* What the next pass shall do. Written by the agent before it starts one. */
struct grp_scan_request {
	__u32 tgid; /* only this process; 0: any */
	__u32 tid; /* only this thread; 0: any */
	__u32 flags;
	__u32 uid;
	__u32 pidns; /* inode of the pid namespace for ns_tid, ns_tgid; 0: none */
	/* GRP_PASS_PLACE: of the thread that was born then, if the half is as expected */
	__u32 half; /* enum grp_place_half, grp/place.h */
	__u32 expected;
	__u32 wanted;
	__u64 start_ns; /* since boot */
};

enum grp_verdict {
	GRP_VERDICT_LISTED,
	GRP_VERDICT_MOVED, /* or was there already */
	GRP_VERDICT_UNBORN, /* no storage yet, or not yet claimed: pass again */
	GRP_VERDICT_EXITING,
	GRP_VERDICT_NO_PLAN, /* the plan has no entry for the task's set */
	GRP_VERDICT_DENIED, /* request.uid may not move it */
	GRP_VERDICT_BUSY, /* lost every try, or not as expected; pass again */
	GRP_VERDICT_PLACED,
	GRP_VERDICT_SKIPPED, /* of a batch: not looked at. Else no task: see GRP_SCAN_PIECES */
	GRP_VERDICT_MAX,
};

/* A task that has never run, or of which the kernel does not tell. */
#define GRP_IDLE_UNKNOWN (~0ULL)

/* What a task calls itself, as in /proc/PID/comm: the kernel's TASK_COMM_LEN. */
#define GRP_COMM_SIZE 16

/* One record a task, as a pass writes it to its reader. */
struct grp_scan_record {
	__u32 tid;
	__u32 tgid;
	__u32 ns_tid; /* 0: not visible in request.pidns */
	__u32 ns_tgid;
	__u32 uid; /* real and saved, for the rules of kill(2) and TASK-8 */
	__u32 suid;
	__u32 nr_threads; /* of the process, at that moment */
	__u16 set;
	__u8 state; /* enum grp_state */
	__u8 verdict; /* enum grp_verdict */
	__u64 start_ns; /* since boot */
	__u64 time_ns; /* the task's own sum_exec_runtime */
	__u64 idle_ns; /* of a listed task: since it last ran; 0: it runs or is about to */
	char comm[GRP_COMM_SIZE]; /* of a listed task: any bytes, NUL-terminated */
	__u16 from; /* of a moved task: its set before; the same: it was there already */
	__u16 kind; /* enum grp_task_kind */
	__u32 pad;
};

enum grp_task_kind {
	GRP_TASK_KERNEL = 1 << 0, /* of the kernel's own */
	GRP_TASK_FIXED = 1 << 1, /* nobody may change its CPUs (PF_NO_SETAFFINITY) */
	/* Of a record with a mask: */
	GRP_TASK_KEPT = 1 << 2, /* the kernel keeps what was asked for: the mask is that */
	GRP_TASK_UNASKED = 1 << 3, /* ... and nobody has asked */
};

/* --- one thread by its number ------------------------------------------------ */

#define GRP_DIRECT_PAIRS 4

/* What a pass limited to request.tid would do: asked and answered in one call. */
struct grp_direct {
	struct grp_scan_request request;
	__u32 move; /* 0: list it */
	__u32 pad;
	__u32 pairs[GRP_DIRECT_PAIRS]; /* its plan: from:16 | to:16 << 16; GRP_PLAN_NONE: no more */
	struct grp_scan_record record; /* of the thread, when there is one; zeroed */
};

/* --- many threads in one call --------------------------------------------------- */

/* Records in the map "batch": asked there by their tid, and answered there. */
#define GRP_BATCH_MAX 256

struct grp_batch {
	__u32 n; /* records: asked for; of the threads of a process: told */
	__u32 first; /* thread of the process to begin with: */
	__u32 told; /* behind it, as it was the last one told; 0: with it */
	__u32 pad;
};

/* --- requests to the "syscall" program ------------------------------------ */

enum grp_control_op {
	GRP_CONTROL_RETIRE, /* members 0 -> dead; result -EBUSY when not 0 */
	GRP_CONTROL_CLEAR, /* cells and counts of a dead set to 0 (A4) */
	GRP_CONTROL_ADJUST, /* audit: members += delta if changes still matches */
	GRP_CONTROL_UNCHARGE, /* chargers += delta: a free that was out of reach */
};

struct grp_control {
	__u32 op;
	__u32 set;
	__s64 delta;
	__u64 changes;
};

/* --- the store: written by the agent only ---------------------------------- */

#define GRP_META_MAGIC 0x67727061 /* "grpa" */

struct grp_meta {
	__u32 magic;
	__u32 layout; /* GRP_LAYOUT_VERSION */
	__u32 capacity_groups;
	__u32 capacity_sets;
	__u32 cpus; /* possible CPUs: the rows of the cells */
	__u32 next_group; /* ids below were perhaps handed out; never reused */
	__u64 fold_seq; /* of the newest fold that was begun */
};

enum grp_record_state {
	GRP_RECORD_FREE,
	GRP_RECORD_LIVE,
	GRP_RECORD_DYING, /* gone for users, still referred to by sets or folds */
};

struct grp_hierarchy_record {
	__u32 state; /* enum grp_record_state */
	__u32 root; /* id of its root group */
	__u32 subsystems; /* bit per registered subsystem that was asked for */
	__u32 flags; /* enum grp_hierarchy_flags */
	__u64 created_ns; /* wall clock */
	__u32 n_names;
	__u32 pad;
	/* NUL-terminated; the first is the canonical one (HIER-6) */
	char names[GRP_HIERARCHY_NAMES_MAX][GRP_HIERARCHY_NAME_MAX + 8];
	char release_agent[GRP_PATH_MAX]; /* NUL-terminated; empty: none (REL-6) */
};

enum grp_hierarchy_flags {
	GRP_HIERARCHY_ANY_SUBSYSTEM = 1 << 0, /* "default": what nobody else claims */
	GRP_HIERARCHY_NOPREFIX = 1 << 1, /* its files have bare names (FILE-1) */
	GRP_HIERARCHY_UNMOUNTED = 1 << 2, /* kept alive by its groups (HIER-17) */
};

enum grp_group_flags {
	GRP_GROUP_NOTIFY_ON_RELEASE = 1 << 0,
	GRP_GROUP_AUTO_DELETE = 1 << 1,
	GRP_GROUP_CLONE_CHILDREN = 1 << 2,
	GRP_GROUP_ENTERED = 1 << 3, /* since its last release (REL-3) */
	GRP_GROUP_ALL_CPUS = 1
			     << 4, /* cpuset: made without CPUs of its own, it has its parent's, */
	GRP_GROUP_ALL_NODES = 1 << 5, /* and nodes; unless a value says otherwise */
};

/* Owner and mode of a control file. */
struct grp_value_inode {
	__u32 uid;
	__u32 gid;
	__u32 mode;
};

/* Files that go with a group when that is handed over: they are in its record. */
enum grp_member_file {
	GRP_MEMBER_TASKS,
	GRP_MEMBER_PROCS,
	GRP_MEMBER_FILES,
};

struct grp_group_record {
	__u32 state; /* LIVE or DYING */
	__u32 parent; /* id; 0: root of its hierarchy */
	__u32 slot; /* of its hierarchy */
	__u32 flags; /* enum grp_group_flags */
	__u32 uid; /* of the directory */
	__u32 gid;
	__u32 mode;
	__u32 file_uid; /* of its control files that were not given away */
	__u32 file_gid;
	struct grp_value_inode member_files[GRP_MEMBER_FILES];
	__u32 name_len;
	__u64 created_ns; /* wall clock */
	__u64 peak_tasks; /* of its own: what its live sets do not tell any more */
	__u64 active_ns; /* latest activity; the same. Since boot, as all of the store */
	char name[GRP_NAME_MAX + 1]; /* bytes, NUL-terminated */
};

enum grp_value_kind {
	GRP_VALUE_SETTING, /* of a subsystem; name is its own */
	GRP_VALUE_INODE, /* of any other control file: struct grp_value_inode */
	GRP_VALUE_CLONE, /* made for a clone that is not decided: struct grp_value_clone */
	GRP_VALUE_ATTACH, /* of the first group that is entered: struct grp_journal, see unfinished.h */
	GRP_VALUE_KINDS,
};

/*
 * What is stored besides the record of a group. Group 0 stands for the root of
 * the hierarchy that an exclusive subsystem is bound to, whichever that is: its
 * settings stay when it is bound elsewhere (HIER-18).
 */
struct grp_value_key {
	__u32 group;
	__u32 kind; /* enum grp_value_kind */
	char name[104]; /* "SUBSYSTEM.NAME", padded with NUL */
};

struct grp_value {
	__u32 len;
	__u32 pad;
	char data[GRP_VALUE_MAX];
};

/*
 * Stored for each child that a clone makes, before the child's record. The clone is
 * decided when the one of its leader, the first of them, goes.
 */
struct grp_value_clone {
	__u32 leader; /* group id */
	__u32 slots; /* of the hierarchies in which it makes a child */
	__u32 tid; /* the task, as in struct grp_journal */
	__u32 whole;
	__u32 self;
	__u32 uid;
	__u64 start_ns;
};

/* A set: one group per hierarchy slot; 0 stands for the root of that slot. */
struct grp_set_record {
	__u32 state; /* enum grp_record_state */
	__u32 pad;
	__u32 group[GRP_HIERARCHIES_MAX];
};

enum grp_base_kind {
	GRP_BASE_OWN, /* of sets whose id went back */
	GRP_BASE_GONE, /* of removed groups below, subtree value only */
	GRP_BASE_RESET, /* what `cpuacct.usage` showed when 0 was written to it */
	GRP_BASE_KINDS,
};

/* Key: group id << 2 | kind; id 0 is the archive of every folded set. */
static inline __u64 grp_base_key(__u32 group, enum grp_base_kind kind)
{
	return ((__u64)group << 2) | kind;
}

struct grp_base_cpu {
	struct grp_cell cell;
	struct grp_mode mode;
};

/* Folded counters. The array is as long as there are possible CPUs. */
struct grp_base {
	__u64 seq; /* the newest fold that is in it: makes folding idempotent */
	__u64 forks;
	__u64 execs;
	__u64 exits;
	struct grp_base_cpu cpu[];
};

enum grp_journal_op {
	GRP_JOURNAL_NONE,
	GRP_JOURNAL_FOLD_SET, /* add set's counters to its groups' bases */
	GRP_JOURNAL_CLEAR_SET, /* all added: clear cells, free the id */
	GRP_JOURNAL_FOLD_GROUP, /* add group's bases to its parent's "gone" */
	GRP_JOURNAL_DROP_GROUP, /* added: drop bases and record of group */
	GRP_JOURNAL_ATTACH, /* the intent of a move */
	GRP_JOURNAL_OP_MAX,
};

enum grp_journal_entry {
	GRP_JOURNAL_ENTRY_FOLD,
	GRP_JOURNAL_ENTRY_ATTACH,
	GRP_JOURNAL_ENTRIES,
};

struct grp_journal {
	__u32 op; /* enum grp_journal_op */
	__u32 set;
	__u32 group; /* attach: whose members; 0: the task's */
	__u32 tid; /* attach: the id given, in the agent's pid namespace */
	__u32 whole; /* attach: the whole process */
	__u32 uid; /* attach: who asked (TASK-8) */
	__u32 self; /* attach: it is who asked, so no rule of TASK-8 */
	__u32 marked; /* attach: slots whose group gets the mark ENTERED for it */
	__u64 seq;
	__u64 start_ns; /* attach: of the task, against reuse of its id */
	__u64 entries; /* attach: moves into those groups, ever, before */
	__u32 target[GRP_HIERARCHIES_MAX]; /* attach: group per slot, 0: leave */
};

/*
 * An entry as the agent has it mapped: the copy that @turn names, modulo 2, is the
 * entry. The other one is written, then @turn: an agent that is killed has written
 * all of a record or nothing (A5).
 */
struct grp_journal_pair {
	struct grp_journal copy[2];
	__u32 turn;
	__u32 pad;
};

/*
 * Largest values shown, so that nothing shown ever falls, and the window that
 * cpuacct.load is measured over. Agent writes, window_ns last (A5).
 */
struct grp_shown {
	__u32 group; /* the row belongs to this id; else stale */
	__u32 pad;
	__u64 own_ns;
	__u64 own_user_ns;
	__u64 own_system_ns;
	__u64 tree_ns;
	__u64 tree_user_ns;
	__u64 tree_system_ns;
	__u64 window_ns; /* begin of the present one, CLOCK_MONOTONIC; 0: none yet */
	__u64 window_own_ns[2]; /* own_ns at the begin of even and of odd ones */
	__u64 pressure; /* the meter of memory_pressure: core/pressure.c */
};

_Static_assert(sizeof(struct grp_cell) == 32, "abi");
_Static_assert(sizeof(struct grp_mode) == 16, "abi");
_Static_assert(sizeof(struct grp_count) == 64, "abi");
_Static_assert(sizeof(struct grp_event) == 16, "abi");
_Static_assert(sizeof(struct grp_orphan_key) == 8, "abi");
_Static_assert(sizeof(struct grp_orphan) == 16, "abi");
_Static_assert(sizeof(struct grp_scan_request) == 40, "abi");
_Static_assert(sizeof(struct grp_scan_record) == 80, "abi");
_Static_assert(sizeof(struct grp_direct) == 144, "abi");
_Static_assert(sizeof(struct grp_batch) == 16, "abi");
_Static_assert(sizeof(struct grp_control) == 24, "abi");
_Static_assert(sizeof(struct grp_meta) == 32, "abi");
_Static_assert(sizeof(struct grp_hierarchy_record) == 4704, "abi");
_Static_assert(sizeof(struct grp_group_record) == 344, "abi");
_Static_assert(sizeof(struct grp_value_key) == 112, "abi");
_Static_assert(sizeof(struct grp_value) == 1032, "abi");
_Static_assert(sizeof(struct grp_value_inode) == 12, "abi");
_Static_assert(sizeof(struct grp_value_clone) == 32, "abi");
_Static_assert(sizeof(struct grp_set_record) == 72, "abi");
_Static_assert(sizeof(struct grp_base) == 32, "abi");
_Static_assert(sizeof(struct grp_journal) == 120, "abi");
_Static_assert(sizeof(struct grp_journal_pair) == 248, "abi");
_Static_assert(sizeof(struct grp_shown) == 88, "abi");

#endif
