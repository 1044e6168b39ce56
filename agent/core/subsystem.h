/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The framework of subsystems (spec API-*): what one is, and what it may ask of
 * the core. A subsystem is a const table in a file of agent/subsys/ and a line in
 * the registry there; it is fixed at build time (API-1).
 *
 * An exclusive subsystem is bound to one hierarchy at a time. The state of its
 * root is one object for ever, which moves from root to root as it is bound
 * (HIER-18). A shareable one has a state in every hierarchy it is bound to.
 */
#ifndef GRP_CORE_SUBSYSTEM_H
#define GRP_CORE_SUBSYSTEM_H

#include <stdint.h>

#include "core/core.h"

struct grp_file;

/* What is about to enter a group, or has just entered it. */
struct grp_attach {
	struct grp_core *core;
	struct grp_group *group; /* where to */
	/*
	 * Threads that are elsewhere in this hierarchy. can_attach: as seen just
	 * before; attach: those that were moved, the ones born meanwhile too.
	 * NULL with n 0: could any task enter? (TASK-10) NULL with n 1: threads
	 * that nobody looks at, see `looks`.
	 */
	const struct grp_member *tasks;
	size_t n;
	const struct grp_caller *caller;
	struct grp_error *error;
};

struct grp_subsystem {
	const char *name; /* prefix of its files; at most GRP_SUBSYSTEM_NAME_MAX */
	bool shareable; /* may be bound to several hierarchies at once */
	const struct grp_file *files;
	size_t n_files;

	/*
	 * All below are optional: absent means success, nothing done (API-2).
	 * @state: what create gave; NULL without create.
	 *
	 * create: state for a group; a root has no parent. @fresh: it is new, so
	 * values are stored (grp_value_put()); else they are read. On failure
	 * the states of the subsystems before it are destroyed in reverse order
	 * (API-7) and nothing becomes visible. Its parent's state exists.
	 * destroy: must not fail. Stored values go by themselves.
	 */
	int (*create)(struct grp_core *core, struct grp_group *group, bool fresh,
		      struct grp_error *error, void **ret_state);
	void (*destroy)(struct grp_core *core, struct grp_group *group, void *state);
	/*
	 * can_attach: veto; asked for attach only, never for fork; the first error
	 * ends it with nothing changed. What it has reserved is given back by
	 * cancel_attach when a later one refuses or the move fails.
	 * attach: after the move. It cannot fail any more; it must not wait. When the
	 * agent was killed in the midst of a move, the next one tells all that are in
	 * the group: also those that were told, and those that it has not asked about.
	 */
	int (*can_attach)(const struct grp_attach *attach, void *state);
	void (*cancel_attach)(const struct grp_attach *attach, void *state);
	void (*attach)(const struct grp_attach *attach, void *state);
	/*
	 * looks: whether those two look at the threads one by one; absent: they do.
	 * If nobody does who is concerned, they are not listed, which costs more than
	 * to move them.
	 */
	bool (*looks)(struct grp_core *core, struct grp_group *group);
	/*
	 * fork, exit: @n tasks were born into the group or have died in it, some
	 * time since the last call; for a new binding, all that are there (FE-6).
	 * The kernel counts them; nobody is woken for each (design 3).
	 */
	void (*fork)(struct grp_core *core, struct grp_group *group, void *state, uint64_t n);
	void (*exit)(struct grp_core *core, struct grp_group *group, void *state, uint64_t n);
	/*
	 * bind: it now belongs to @hierarchy (HIER-19), whose root has its state.
	 * Called on mount, remount and umount, and once at start.
	 */
	void (*bind)(struct grp_core *core, struct grp_hierarchy *hierarchy, void *state);
	/*
	 * check: do all groups of a hierarchy keep the subsystem's rules? Asked at the
	 * end of a configuration, whose single writes may break those between groups on
	 * the way: see grp_core_unchecked(). Return: 0; -errno, and all is undone.
	 */
	int (*check)(struct grp_core *core, struct grp_hierarchy *hierarchy,
		     struct grp_error *error);
	/*
	 * due, tick: for what is measured over windows of time; both or none, for
	 * each hierarchy that it is bound to and not switched off in.
	 * due: when tick is wanted next, by grp_core_clock(); 0: not at all. Asked
	 * often: it must be cheap.
	 * tick: at @now_ns, running tasks have just been settled. It may come late.
	 * Return: 0; -errno: due is not moved on, it is called again in a while.
	 */
	uint64_t (*due)(struct grp_core *core, struct grp_hierarchy *hierarchy);
	int (*tick)(struct grp_core *core, struct grp_hierarchy *hierarchy, uint64_t now_ns);
};

/* The registry, see subsys/subsys.h. A bit in a mask is an index of this table. */
extern const struct grp_subsystem *const grp_subsystems[];
extern const size_t grp_n_subsystems;

/* grp_subsystem_find() - index by name; -ENOENT. */
int grp_subsystem_find(const char *name, size_t len);

/* grp_subsystem_state() - what create gave for a group; NULL when not bound there. */
static inline void *grp_subsystem_state(const struct grp_group *group, unsigned int subsystem)
{
	return group->state[subsystem];
}

/*
 * grp_subsystem_owner() - for grp_value_*(): the group, or NULL when it is the
 * root of an exclusive subsystem, whose values stay when it is bound elsewhere.
 */
struct grp_group *grp_subsystem_owner(struct grp_group *group,
				      const struct grp_subsystem *subsystem);

/*
 * grp_core_unchecked() - whether rules between groups are not to be looked at with
 * each write, but by `check` when all is written.
 */
bool grp_core_unchecked(const struct grp_core *core);

/*
 * grp_group_hold(), grp_group_release() - references: while any is held, rmdir is
 * EBUSY (CSS-1). Never fail; a root is not counted (CSS-2). The last one that goes
 * may release the group (REL-3).
 */
void grp_group_hold(struct grp_group *group);
void grp_group_release(struct grp_core *core, struct grp_group *group);

/*
 * grp_group_can_attach() - could any task enter? (TASK-10) Return: 0, or what the
 * first subsystem that refuses says.
 */
int grp_group_can_attach(struct grp_core *core, struct grp_group *group,
			 const struct grp_caller *caller, struct grp_error *error);

/* --- stored values ----------------------------------------------------------------- */

struct grp_value_entry {
	struct grp_value_entry *next;
	struct grp_value_key key;
	size_t len;
	char data[]; /* followed by a NUL that is not counted */
};

/* grp_value_find() - @group NULL: see grp_subsystem_owner(). NULL: not stored. */
const struct grp_value_entry *grp_value_find(struct grp_core *core, struct grp_group *group,
					     enum grp_value_kind kind, const char *name);

/**
 * grp_value_put() - store a value; one update, which decides.
 * @name: "SUBSYSTEM.NAME". Return: 0; -E2BIG: longer than GRP_VALUE_MAX; -ENOSPC:
 * setting capacity-groups; -ENOMEM, -errno: nothing has changed.
 */
int grp_value_put(struct grp_core *core, struct grp_group *group, enum grp_value_kind kind,
		  const char *name, const void *data, size_t len);

/* grp_value_drop() - back to what holds without it; no error when not stored. */
int grp_value_drop(struct grp_core *core, struct grp_group *group, enum grp_value_kind kind,
		   const char *name);

#endif
