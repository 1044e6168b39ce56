/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Figures of every group at one moment, for who shows them all.
 */
#ifndef GRP_CORE_SNAPSHOT_H
#define GRP_CORE_SNAPSHOT_H

#include "core/core.h"

/* One row of a snapshot of every group of every hierarchy. */
struct grp_snapshot_row {
	const struct grp_group *group; /* valid only until the next change */
	struct grp_usage own;
	uint64_t tree_ns;
	uint64_t tasks, processes;
};
struct grp_snapshot {
	struct grp_snapshot_row *rows;
	size_t n;
};

/**
 * grp_snapshot_take() - every group at once, one settling, one pass for the
 * counts of processes. Rows: hierarchies by slot, parents before children.
 */
int grp_snapshot_take(struct grp_core *core, struct grp_snapshot *ret_snapshot);
void grp_snapshot_done(struct grp_snapshot *snapshot);

/**
 * grp_processes_count() - distinct processes among the members of each of some groups.
 * @counts: [row of a group in the table of shown values], those of @groups are written.
 * No pass where none has more than one task. Return: 0; -ENOMEM; -errno of the pass.
 */
int grp_processes_count(struct grp_core *core, struct grp_group *const *groups, size_t n,
			uint64_t *counts);

#endif
