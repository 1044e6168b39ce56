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

#include "grp/abi.h"

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

struct grp_store_visitor {
	int (*hierarchy)(unsigned int slot, const struct grp_hierarchy_record *record, void *data);
	int (*group)(uint32_t id, const struct grp_group_record *record, void *data);
	int (*set)(uint32_t id, const struct grp_set_record *record, void *data);
	int (*value)(const struct grp_value_key *key, const struct grp_value *value, void *data);
	int (*journal)(unsigned int entry, const struct grp_journal *record, void *data);
};

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
	 * with nr_threads). fn may be NULL.
	 */
	int (*pass)(void *kernel, enum grp_pass kind, const struct grp_scan_request *request,
		    const uint16_t *plan, grp_scan_fn fn, void *data);
	/* control: -EBUSY when the set was not in the state for it. */
	int (*control)(void *kernel, const struct grp_control *control);
	/* settle: charges what runs now; afterwards views lag one tick at most. */
	int (*settle)(void *kernel);
	/* clock: CLOCK_MONOTONIC in ns. */
	uint64_t (*clock)(void *kernel);
	/*
	 * grace: starts waiting for an RCU grace period outside the loop; done
	 * is called from the loop. Several may be on their way. -errno: none
	 * was started, done is not called.
	 */
	int (*grace)(void *kernel, void (*done)(void *data), void *data);
	/*
	 * pressure: whether direct reclaim is counted, also when the agent has ended.
	 * Then the view shows it; switched off, what was counted is gone. -errno: the
	 * kernel does not let us, and nothing has changed.
	 */
	int (*pressure)(void *kernel, bool on);
};

#endif
