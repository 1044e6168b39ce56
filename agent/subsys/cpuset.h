/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Subsystem cpuset: which CPUs and which memory nodes the tasks of a group may use
 * (spec section 14, v1-behaviour.md A to F). Here is what a group holds and what
 * follows from it; that tasks keep to it is the business of placement.
 *
 * Rules, which hold after every change and are checked before it:
 *   R1  CPUs, nodes and exclusiveness of a group are part of its parent's.
 *   R2  of two groups of one parent of which one is exclusive, none has what the
 *       other has; CPUs and nodes each for themselves.
 *   R3  a group with tasks keeps at least one CPU and one node.
 * A root has everything. What a group holds is what was written: a CPU that goes
 * away stays in it, and is the group's again when it returns.
 */
#ifndef GRP_SUBSYS_CPUSET_H
#define GRP_SUBSYS_CPUSET_H

#include "core/file.h"
#include "core/topology.h"

enum grp_cpuset_flags {
	GRP_CPUSET_CPU_EXCLUSIVE = 1 << 0,
	GRP_CPUSET_MEM_EXCLUSIVE = 1 << 1,
	GRP_CPUSET_MEM_HARDWALL = 1 << 2,
	GRP_CPUSET_MEMORY_MIGRATE = 1 << 3,
	GRP_CPUSET_SPREAD_PAGE = 1 << 4,
	GRP_CPUSET_SPREAD_SLAB = 1 << 5,
	GRP_CPUSET_LOAD_BALANCE = 1 << 6,
	GRP_CPUSET_PRESSURE_ENABLED = 1 << 7, /* of the root only, for the whole hierarchy */
};

/* How tasks get their memory from the group's nodes. Numbers are stored. */
enum grp_mem_policy {
	GRP_MEM_BIND,
	GRP_MEM_INTERLEAVE,
	GRP_MEM_WEIGHTED_INTERLEAVE,
	GRP_MEM_PREFERRED,
	GRP_MEM_PREFERRED_MANY,
	GRP_MEM_POLICIES,
};

/* What happens to a policy when the nodes that a task may use change. Stored. */
enum grp_mem_nodes {
	GRP_MEM_NODES_PLAIN,
	GRP_MEM_NODES_STATIC,
	GRP_MEM_NODES_RELATIVE,
	GRP_MEM_NODES_MAX,
};

struct grp_cpuset_policy {
	enum grp_mem_policy mode;
	enum grp_mem_nodes nodes;
};

/* CPUs or nodes of a group. */
struct grp_cpuset_part {
	bool all; /* none of its own: what its parent has. A root: what is there */
	struct grp_kept_mask mask; /* as written; unless all */
};

/* State of a group; it has none where the subsystem is not bound or switched off. */
struct grp_cpuset {
	struct grp_cpuset_part part[2]; /* by enum grp_list_kind */
	uint32_t flags; /* enum grp_cpuset_flags */
	int32_t relax_domain_level;
	struct grp_cpuset_policy policy;
	unsigned int exclusive_children; /* live ones with either flag */
	bool unchecked; /* of the root: R1 and R2 are to be looked at, for all groups */
};

/* grp_cpuset_of() - state of a group; NULL: cpuset does not act there. */
struct grp_cpuset *grp_cpuset_of(const struct grp_group *group);

/* grp_cpuset_hierarchy() - where it is bound; never NULL after a load. */
struct grp_hierarchy *grp_cpuset_hierarchy(struct grp_core *core);

/*
 * grp_cpuset_shown() - what the file cpus or mems of a group says: what was
 * written, also CPUs that are gone.
 */
void grp_cpuset_shown(struct grp_core *core, const struct grp_group *group, enum grp_list_kind kind,
		      struct grp_mask *ret_mask);

/**
 * grp_cpuset_effective() - what its tasks may use now: what it holds of what is
 * there; if that is nothing, what its parent's may (CPUSET-12, 26). Never empty.
 * @group: also one without cpuset: everything that is there. Context: any.
 */
void grp_cpuset_effective(struct grp_core *core, const struct grp_group *group,
			  enum grp_list_kind kind, struct grp_mask *ret_mask);

/**
 * grp_cpuset_topology_changed() - CPUs or nodes have come or gone: every group is
 * looked at again (CPUSET-26). Return: 0; -errno: they could not be read.
 */
int grp_cpuset_topology_changed(struct grp_core *core);

/* --- among the files cpuset*.c ---------------------------------------------------- */

/* cpuset.c: see struct grp_subsystem. */
int grp_cpuset_can_attach(const struct grp_attach *attach, void *state);
void grp_cpuset_attach(const struct grp_attach *attach, void *state);
void grp_cpuset_bind(struct grp_core *core, struct grp_hierarchy *hierarchy, void *state);

/* What a group shall become; what is not to change is as it is. */
struct grp_cpuset_trial {
	struct grp_core *core;
	struct grp_group *group;
	bool all[2];
	struct grp_mask mask[2]; /* unless all */
	uint32_t flags;
};

/* cpuset_rules.c */
void grp_cpuset_trial_init(struct grp_cpuset_trial *trial, struct grp_core *core,
			   struct grp_group *group);
/**
 * grp_cpuset_check() - R1 to R3 for what a group shall become, in the kernel's order.
 * Return: 0; -EBUSY: a child would not fit; -EACCES: it would not fit its parent;
 * -EINVAL: an exclusive sibling, or a sibling of an exclusive one, has the same;
 * -ENOSPC: its tasks would have none.
 */
int grp_cpuset_check(const struct grp_cpuset_trial *trial, struct grp_error *error);
/* R1 and R2 of all groups, if they were not looked at with some write; same errors. */
int grp_cpuset_check_all(struct grp_core *core, struct grp_hierarchy *hierarchy,
			 struct grp_error *error);

/* cpuset_store.c: one update each; on failure nothing has changed. */
int grp_cpuset_store_part(struct grp_core *core, struct grp_group *group, enum grp_list_kind kind,
			  bool all, const struct grp_mask *mask);
int grp_cpuset_store_flags(struct grp_core *core, struct grp_group *group, uint32_t flags);
int grp_cpuset_store_level(struct grp_core *core, struct grp_group *group, int32_t level);
int grp_cpuset_store_policy(struct grp_core *core, struct grp_group *group,
			    struct grp_cpuset_policy policy);
/* States of new and of adopted groups; see struct grp_subsystem. */
int grp_cpuset_create(struct grp_core *core, struct grp_group *group, bool fresh,
		      struct grp_error *error, void **ret_state);
void grp_cpuset_destroy(struct grp_core *core, struct grp_group *group, void *state);

/* cpuset_policy.c */
int grp_cpuset_read_policy(const struct grp_file_access *access, FILE *out);
int grp_cpuset_write_policy(const struct grp_file_access *access, const char *text, size_t len);
int grp_cpuset_canonical_policy(const char *text, char *ret_text, struct grp_error *error);

/* cpuset_pressure.c */
int grp_cpuset_read_pressure(const struct grp_file_access *access, FILE *out);
int grp_cpuset_write_pressure_enabled(const struct grp_file_access *access, const char *text,
				      size_t len);
void grp_cpuset_pressure_bind(struct grp_core *core);
uint64_t grp_cpuset_due(struct grp_core *core, struct grp_hierarchy *hierarchy);
int grp_cpuset_tick(struct grp_core *core, struct grp_hierarchy *hierarchy, uint64_t now_ns);

/*
 * cpuset_place.c, where placement is told. check: before a change of what tasks may
 * use is decided; memory_check: of flags or policy; @wanted: those, all else is not looked at. changed: after it, for a group and what has its CPUs or nodes from
 * it. rebound: all groups, when it is bound elsewhere, at start, after a hotplug.
 */
int grp_cpuset_place_memory_check(struct grp_core *core, struct grp_group *group,
				  const struct grp_cpuset *wanted, struct grp_error *error);
int grp_cpuset_place_check(const struct grp_cpuset_trial *trial, struct grp_error *error);
void grp_cpuset_place_changed(struct grp_core *core, struct grp_group *group,
			      enum grp_list_kind kind);
void grp_cpuset_place_rebound(struct grp_core *core, struct grp_hierarchy *hierarchy);
int grp_cpuset_place_can_attach(const struct grp_attach *attach);
bool grp_cpuset_place_looks(struct grp_core *core, struct grp_group *group);
void grp_cpuset_place_attached(const struct grp_attach *attach);
/* How memory is to be taken or moved has changed: a flag, or mem_policy. */
void grp_cpuset_place_memory(struct grp_core *core, struct grp_group *group);

#endif
