/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the core knows of CPUs and memory nodes, and lists of them as users write
 * them: the kernel's form, and words for what people mean.
 */
#ifndef GRP_CORE_TOPOLOGY_H
#define GRP_CORE_TOPOLOGY_H

#include "base/mask.h"
#include "core/core.h"

/* grp_core_topology() - as it was when it was last read. Borrowed. */
const struct grp_topology *grp_core_topology(const struct grp_core *core);

/* grp_core_topology_read() - reads it again. Return: 0; -errno: nothing has changed. */
int grp_core_topology_read(struct grp_core *core);

enum grp_list_kind {
	GRP_LIST_CPUS,
	GRP_LIST_NODES,
};

/**
 * grp_list_parse() - a list of CPUs or nodes as it is written to a control file:
 * what grp_mask_parse() takes; in place of a number or range also
 *   all        every CPU that is online, every node that has memory
 *   node:N     the CPUs of node N; of nodes, itself
 *   package:N  those of a package (socket), and
 *   core:N     those of a core, counted as lscpu -e does; of nodes, where these are
 * and in front of all of it ! for everything but that. Words are resolved now.
 * Offline CPUs are in none of them.
 * Return: 0; as grp_mask_parse(); -EINVAL: there is no such node, package, core;
 * -ENOMEM. Context: any.
 */
int grp_list_parse(const struct grp_topology *topology, enum grp_list_kind kind, const char *text,
		   struct grp_mask *ret_mask, struct grp_error *error);

#endif
