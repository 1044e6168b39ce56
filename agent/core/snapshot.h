/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Figures of every group, for who shows them all.
 */
#ifndef GRP_CORE_SNAPSHOT_H
#define GRP_CORE_SNAPSHOT_H

#include <stdbool.h>

#include "core/core.h"

struct grp_processes;

/* One row of a snapshot of every group of every hierarchy. */
struct grp_snapshot_row {
	struct grp_group_ref group;
	struct grp_usage own;
	uint64_t tree_ns;
	uint64_t tasks, processes;
};

struct grp_snapshot {
	struct grp_snapshot_row *rows; /* owned; hierarchies by slot, parents before children */
	size_t n;
	/* Of the steps. */
	struct grp_core *core;
	struct grp_processes *processes; /* owned */
	struct grp_snapshot_listed *listed; /* owned; what each of the n rows is made of */
	size_t room, ready; /* of listed: entries, and how many were used before */
	bool counting; /* processes */
	bool listing; /* is what the next step does */
	struct grp_base *sum; /* owned: scratch */
	size_t unmade; /* rows before it have no times yet */
	struct grp_snapshot *next; /* of those that are being taken */
};

/**
 * grp_snapshot_begin() - every group at once, in pieces, as so many groups would hold the
 * loop for longer than others should wait. First room is made and the processes are counted, see
 * processes.h; then all counts of tasks are taken at one moment; then the times are read, a
 * parent's after those of its children, so that it is never less than their sum.
 * @ret_snapshot: stays where it is until it is whole; grp_snapshot_done() frees, at any time.
 * Return: 0; -ENOMEM; -errno.
 */
int grp_snapshot_begin(struct grp_core *core, struct grp_snapshot *ret_snapshot);

/**
 * grp_snapshot_step() - some more, in a fraction of a millisecond; only the list of all
 * groups is made in one, which is some 0.1 us for each. Groups may be made and removed between
 * two steps.
 * Return: 1: call again; GRP_SNAPSHOT_LONG: the same, and the next step is that list; 0: that
 * was all, rows and n are those to be shown, some of which may have been removed since they
 * were made; -errno.
 */
#define GRP_SNAPSHOT_LONG 2
int grp_snapshot_step(struct grp_snapshot *snapshot);
void grp_snapshot_done(struct grp_snapshot *snapshot);

/*
 * grp_snapshots_folded() - what a removed group and those below it had used is its parent's
 * from now on: no snapshot that is being taken has it twice.
 */
void grp_snapshots_folded(struct grp_core *core, const struct grp_group *group);

#endif
