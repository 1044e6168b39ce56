/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A kernel in memory behind struct grp_kernel_ops: the store as arrays and a
 * hash, tasks that a test makes, moves and ends by hand. It keeps the rules of
 * include/grp/abi.h that the core relies on (counts, dead sets, verdicts), not
 * those of scheduling. It survives the core, as the real one survives the agent:
 * make a second core over the same fake to test reconciling.
 */
#ifndef GRP_TEST_FAKE_KERNEL_H
#define GRP_TEST_FAKE_KERNEL_H

#include <stdbool.h>
#include <sys/types.h>

#include "kernel/kernel.h"

#define FAKE_TASKS_MAX 16384
#define FAKE_EVENTS_MAX 256
#define FAKE_GRACES_MAX 16

struct fake_task {
	uint32_t tid, tgid; /* tid 0: a free entry */
	uint32_t ns_tid, ns_tgid; /* in namespace pidns; 0: not visible there */
	uint32_t pidns;
	uint32_t uid, suid;
	uint64_t start_ns, time_ns, idle_ns;
	uint16_t set;
	uint8_t state; /* enum grp_state */
	bool stored; /* has task storage */
	uint64_t place;
	uint16_t kind; /* enum grp_task_kind, of those only KERNEL and FIXED */
	bool asked; /* somebody has asked for its CPUs */
	struct grp_mask asked_cpus; /* for these; without, it has all */
	uint32_t policy; /* MPOL_* with flags; of memory, as nodes */
	uint64_t nodes;
	uint32_t reluctant; /* enum grp_place_result that a helper gets of it; 0: it is done */
	char comm[GRP_COMM_SIZE];
};

/* What a helper was asked and has not replied to. */
struct fake_ask {
	struct grp_place_request request;
	grp_replied_fn fn; /* NULL: nothing */
	void *data;
};

struct fake_base {
	uint64_t key;
	bool used;
	struct grp_base *base;
};

struct fake_value {
	struct grp_value_key key;
	struct grp_value value;
	bool used;
};

struct fake_kernel {
	struct grp_kernel_view view; /* hand it to grp_core_new() */
	struct grp_cell *cells;
	struct grp_mode *modes;
	struct grp_count *counts;
	uint64_t stats[GRP_STAT_MAX];
	struct grp_pressure *reclaims;
	int pressure_result; /* of switching on */

	struct grp_meta meta;
	struct grp_hierarchy_record hierarchies[GRP_HIERARCHIES_MAX];
	struct grp_group_record *groups; /* by id, n_groups of them */
	size_t n_groups;
	struct grp_set_record *sets;
	struct fake_base *bases;
	size_t n_bases;
	struct fake_value *values;
	size_t n_values;
	struct grp_journal journal[GRP_JOURNAL_ENTRIES];
	struct grp_mask_record *masks; /* by id, n_masks of them; kind GRP_MASK_KINDS: free */
	size_t n_masks;

	struct fake_task *tasks; /* room for FAKE_TASKS_MAX, and those of fake_task_threads() */
	size_t n_tasks; /* entries in use, with free ones between */
	struct grp_event events[FAKE_EVENTS_MAX];
	size_t n_events;
	struct {
		void (*done)(void *data);
		void *data;
	} graces[FAKE_GRACES_MAX];
	size_t n_graces;

	/* Updates of the store that still work; then each is -ECANCELED. < 0: no end. */
	long updates_left;
	unsigned long updates; /* done so far */
	unsigned long fail_at; /* that one fails, counted from 1, and all others work; 0: none */
	bool orphans; /* births wait in the table, */
	bool no_room; /* and a pass finds no room for them, */
	int seed_result; /* or is not even run */
	unsigned int passes[GRP_PASS_MAX];
	unsigned int whole_passes; /* over everybody in one piece */
	unsigned int batches; /* calls for many tasks */
	bool one_by_one; /* it takes no such calls */
	/* Called after each task of such a call; may be NULL. */
	void (*after_each)(struct fake_kernel *fake, struct grp_scan_record *record, void *data);
	void *after_each_data;
	unsigned int settles;
	/* CPUs of tasks, see fake_place.c. */
	bool keeps_asked; /* what was asked for, apart from what a task gets of it (6.2) */
	struct grp_mask allowed; /* by the kernel's own cpuset; empty: all */
	unsigned int placed_passes, affinities;
	bool watches; /* the hooks that notice are attached */
	unsigned int looks;
	bool claimed, claimed_elsewhere;
	/* Called before each mask is set; may be NULL. */
	void (*before_affinity)(struct fake_kernel *fake, uint32_t tid, void *data);
	void *before_affinity_data;
	/* Policies of tasks, see fake_memory.c. */
	struct fake_ask asks[GRP_HELPERS];
	unsigned int policy_passes, policies_set, asked, ended;
	uint64_t nodes_allowed; /* by the kernel's own cpuset; 0: all */
	uint32_t pages_left; /* of each migration */
	struct grp_place_request moved; /* the latest one */
	unsigned int moves;
	int settle_result; /* of the next ones */
	uint64_t clock_ns; /* of CLOCK_MONOTONIC; it stands still by itself */
	struct grp_topology *topology; /* all CPUs online, on node 0; a test may change it */
	uint64_t now_ns; /* since boot: what births, moves and exits are noted with */
	/* Called before each pass, to let tasks fork or exit in the middle; may be NULL. */
	void (*before_pass)(struct fake_kernel *fake, enum grp_pass kind, void *data);
	void *before_pass_data;
};

extern const struct grp_kernel_ops fake_kernel_ops;

/* Everything is as after a first load of the programs; set 0 is live and empty. */
struct fake_kernel *fake_kernel_new(unsigned int cpus, unsigned int capacity_groups,
				    unsigned int capacity_sets);
void fake_kernel_free(struct fake_kernel *fake);

/* A task that existed before the programs: has storage after a seeding pass. */
struct fake_task *fake_task_old(struct fake_kernel *fake, uint32_t tid, uint32_t tgid);
/* A birth: storage in the parent's set. A parent without storage: root. */
struct fake_task *fake_task_fork(struct fake_kernel *fake, uint32_t parent, uint32_t tid,
				 uint32_t tgid);
/*
 * @n threads of a process in set 0, numbered from @tid, which is their leader: as many as no test
 * would fork one by one. What a test has of other tasks is not where it was. Once in a test.
 */
void fake_task_threads(struct fake_kernel *fake, uint32_t tid, uint32_t n);
/* NULL: none. */
struct fake_task *fake_task_find(struct fake_kernel *fake, uint32_t tid);
/* It has run: charged to its set on that CPU; half of it user, half system. */
void fake_task_run(struct fake_kernel *fake, uint32_t tid, unsigned int cpu, uint64_t ns);
/* No member any more, may still charge; then reaped: gone. */
void fake_task_exit(struct fake_kernel *fake, uint32_t tid);
void fake_task_reap(struct fake_kernel *fake, uint32_t tid);

/* What its CPUs are: asked for, allowed, and those that the fake has. */
struct grp_mask fake_task_cpus(const struct fake_kernel *fake, uint32_t tid);
/* As sched_setaffinity() by somebody else. Return: 0; -EINVAL, -ESRCH. */
int fake_task_ask(struct fake_kernel *fake, uint32_t tid, const struct grp_mask *mask);

/*
 * The helper does what it was asked. @heard: the core is told. Return: whether there was
 * anything.
 */
bool fake_helper_reply(struct fake_kernel *fake, enum grp_helper which, bool heard);
/* It dies instead. */
void fake_helper_die(struct fake_kernel *fake, enum grp_helper which);

/* Ends the grace periods on their way. Return: how many. */
unsigned int fake_grace_end(struct fake_kernel *fake);

#endif
