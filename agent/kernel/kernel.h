/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The border between the agent's logic and the kernel: one table of operations.
 * core/ and subsys/ reach the kernel only through it, so that they are tested
 * without root against the fake of tests/support. What the operations mean is
 * said here; how they are done for real is in the other files of this folder.
 *
 * All results are 0 or -errno. Context: the loop's thread only.
 */
#ifndef GRP_KERNEL_H
#define GRP_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/mask.h"
#include "grp/abi.h"
#include "grp/place.h"
#include "grp/pressure.h"
#include "place/protocol.h"

/* What a pass over the tasks shall do. */
enum grp_pass {
	GRP_PASS_SEED, /* storage for every task that has none */
	GRP_PASS_LIST, /* records of the tasks whose set is in the plan */
	GRP_PASS_MOVE, /* swap the set of each by the plan; a record each */
	GRP_PASS_MAX,
};

/*
 * Called once a record. A negative result ends the pass and is its result.
 */
typedef int (*grp_scan_fn)(const struct grp_scan_record *record, void *data);

/* Shared memory of the programs, mapped read-only. */
struct grp_kernel_view {
	unsigned int cpus; /* possible CPUs: rows of cells and modes */
	unsigned int online_cpus; /* at the latest settling */
	unsigned int capacity_sets; /* columns */
	unsigned int capacity_groups;
	const struct grp_cell *cells; /* [cpu * capacity_sets + set] */
	const struct grp_mode *modes; /* same */
	const struct grp_count *counts; /* [set] */
	const uint64_t *stats; /* [enum grp_stat] */
	const struct grp_pressure *pressure; /* [set]; NULL: not counted */
	struct grp_shown *shown; /* [row]; the agent writes it, it is pinned */
};

/* A number of a CPU's node, package or core that the kernel does not tell. */
#define GRP_TOPOLOGY_UNKNOWN UINT16_MAX

/* Where a CPU is. Packages and cores are counted by their first CPU, as lscpu -e does. */
struct grp_topology_cpu {
	uint16_t node, package, core; /* GRP_TOPOLOGY_UNKNOWN; package and core: offline */
};

/* CPUs and memory of this machine; some 50 KiB, so not for the stack. */
struct grp_topology {
	unsigned int n_cpus; /* possible ones: all are below it */
	unsigned int n_cpus_max; /* that this kernel was built for */
	unsigned int n_nodes_max; /* the same for nodes */
	struct grp_mask online; /* CPUs */
	struct grp_mask nodes; /* those with memory, now */
	struct grp_topology_cpu cpus[GRP_MASK_BITS];
};

struct grp_store_visitor {
	int (*hierarchy)(unsigned int slot, const struct grp_hierarchy_record *record, void *data);
	int (*group)(uint32_t id, const struct grp_group_record *record, void *data);
	int (*set)(uint32_t id, const struct grp_set_record *record, void *data);
	int (*value)(const struct grp_value_key *key, const struct grp_value *value, void *data);
	int (*journal)(unsigned int entry, const struct grp_journal *record, void *data);
	int (*mask)(uint32_t id, const struct grp_mask_record *record, void *data);
};

/* Called once a task; a negative result ends the pass and is its result. */
typedef int (*grp_placed_fn)(const struct grp_place_record *record, void *data);

typedef int (*grp_policy_fn)(const struct grp_policy_record *record, void *data);

/* Processes that do what cannot be done in the loop, each one thing at a time. */
enum grp_helper {
	GRP_HELPER_POLICY, /* sets policies of threads: GRP_PLACE_SET */
	GRP_HELPER_PAGES, /* moves pages of processes: GRP_PLACE_MIGRATE */
	GRP_HELPERS,
};

/*
 * What became of a request. If its helper has died: GRP_PLACE_FAILED with EPIPE, and
 * what was done of it is not known.
 */
typedef void (*grp_replied_fn)(const struct grp_place_reply *reply, void *data);

struct grp_kernel_ops {
	/*
	 * The store (A5): each call is one single-element update and one stop
	 * point of the fault tests. A NULL record removes or frees the element;
	 * removing what is not there is no error.
	 */
	int (*meta_put)(void *kernel, const struct grp_meta *meta);
	int (*hierarchy_put)(void *kernel, unsigned int slot,
			     const struct grp_hierarchy_record *record);
	int (*group_put)(void *kernel, uint32_t id, const struct grp_group_record *record);
	int (*set_put)(void *kernel, uint32_t id, const struct grp_set_record *record);
	int (*base_put)(void *kernel, uint64_t key, const struct grp_base *base);
	int (*value_put)(void *kernel, const struct grp_value_key *key,
			 const struct grp_value *value);
	int (*journal_put)(void *kernel, unsigned int entry, const struct grp_journal *record);
	/* base_get: fills *ret of the size of kernel's possible CPUs; -ENOENT. */
	int (*base_get)(void *kernel, uint64_t key, struct grp_base *ret);
	/* meta_get, visit: used at start; records of state FREE are not visited. */
	int (*meta_get)(void *kernel, struct grp_meta *ret);
	int (*visit)(void *kernel, const struct grp_store_visitor *visitor, void *data);

	/*
	 * pass: runs one pass. request may be NULL for GRP_PASS_SEED. plan: for
	 * each set the set to move its tasks to, or for LIST anything but
	 * GRP_PLAN_NONE; NULL for SEED, and for LIST when every set is wanted.
	 * A pass limited to a process may end early without notice (compare
	 * with nr_threads), or with -EAGAIN: its threads come and go too fast.
	 * fn may be NULL; it is not to begin another pass.
	 */
	int (*pass)(void *kernel, enum grp_pass kind, const struct grp_scan_request *request,
		    const uint16_t *plan, grp_scan_fn fn, void *data);
	/* orphans: 1: births wait in the table for a pass of SEED; 0: none; -errno. */
	int (*orphans)(void *kernel);
	/*
	 * move_each: moves each of up to GRP_BATCH_MAX threads, as a pass would that is limited
	 * to it. @records: each with the tid of one, then what such a pass would have told;
	 * GRP_VERDICT_SKIPPED: it is not there, or the request wants others only. -EOPNOTSUPP:
	 * this kernel takes one at a time.
	 */
	int (*move_each)(void *kernel, const struct grp_scan_request *request, const uint16_t *plan,
			 struct grp_scan_record *records, size_t n);
	/*
	 * A listing of all tasks in pieces, between which anything may happen. scan_step:
	 * some more, by this request and plan, in well below a millisecond. Return: 1: there
	 * is more; 0: that was the last; -errno, and it is to be closed as well.
	 */
	int (*scan_open)(void *kernel, void **ret_scan);
	int (*scan_step)(void *kernel, void *scan, const struct grp_scan_request *request,
			 const uint16_t *plan, grp_scan_fn fn, void *data);
	void (*scan_close)(void *kernel, void *scan);
	/* control: -EBUSY when the set was not in the state for it. */
	int (*control)(void *kernel, const struct grp_control *control);
	/* settle: charges what runs now; afterwards views lag one tick at most. */
	int (*settle)(void *kernel);
	/* clock: CLOCK_MONOTONIC in ns. */
	uint64_t (*clock)(void *kernel);
	/* topology: what is there now. -errno: not all of it could be read. */
	int (*topology)(void *kernel, struct grp_topology *ret);
	/*
	 * grace: starts waiting for an RCU grace period outside the loop; done
	 * is called from the loop. Several may be on their way. -errno: none
	 * was started, done is not called.
	 */
	int (*grace)(void *kernel, void (*done)(void *data), void *data);

	/* mask_put: one of the masks and policies by id, as the store's; -ENOSPC. */
	int (*mask_put)(void *kernel, uint32_t id, const struct grp_mask_record *record);
	/*
	 * placed: a pass that tells places and masks, by a plan of GRP_PLAN_PLACED and
	 * GRP_PLAN_ALL, or with NULL of all tasks with a place. request may be NULL.
	 */
	int (*placed)(void *kernel, const struct grp_scan_request *request, const uint16_t *plan,
		      grp_placed_fn fn, void *data);
	/* policies: the same about policies; told are tasks with a place of that half. */
	int (*policies)(void *kernel, const struct grp_scan_request *request, const uint16_t *plan,
			grp_policy_fn fn, void *data);
	/*
	 * place: changes request.half of the place of thread request.tid. Return: 0;
	 * -ESRCH: it is not there, or ends; -EAGAIN: it is not as expected, or still
	 * being born.
	 */
	int (*place)(void *kernel, const struct grp_scan_request *request);
	/*
	 * affinity_set, affinity_get: sched_setaffinity() and the mask that the thread
	 * has. -EINVAL: the kernel's own cpuset has none of these, or it may not be moved.
	 */
	int (*affinity_set)(void *kernel, pid_t tid, const struct grp_mask *mask);
	int (*affinity_get)(void *kernel, pid_t tid, struct grp_mask *ret_mask);
	/*
	 * place_look: an event of this thread (0: of all) may come again from now on.
	 * place_watch: the hooks that notice are attached, or not any more.
	 * place_claim: this instance is the one that confines tasks on this kernel, or
	 * not any more; -EBUSY: another one is.
	 */
	int (*place_look)(void *kernel, uint32_t tid);
	int (*place_watch)(void *kernel, bool on);
	int (*place_claim)(void *kernel, bool on);
	/*
	 * helper_ask: has a helper do something; it is started if it does not run. @fn is
	 * called once, from the loop or from helper_wait. -EBUSY: it has not replied to the
	 * one before; -errno: @fn is not called.
	 * helper_wait: for who has no loop: until a reply has come, or for so long.
	 * helper_end: it is not needed at present; ends what it does first.
	 */
	int (*helper_ask)(void *kernel, enum grp_helper which,
			  const struct grp_place_request *request, grp_replied_fn fn, void *data);
	int (*helper_wait)(void *kernel, uint64_t ns);
	void (*helper_end)(void *kernel, enum grp_helper which);
	/*
	 * pressure: whether direct reclaim is counted, also when the agent has ended.
	 * Then the view shows it; switched off, what was counted is gone. -errno: the
	 * kernel does not let us, and nothing has changed.
	 */
	int (*pressure)(void *kernel, bool on);
};

#endif
