/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Masks and policies by number: each that some task wishes for, or has from us, is
 * kept once, in the kernel, and tasks name it by its id in their place. Which are in
 * use only the tasks know: nothing is counted, and when the table is full a pass
 * marks what they name and the rest is given up.
 */
#ifndef GRP_CORE_MASKS_H
#define GRP_CORE_MASKS_H

#include "base/mask.h"
#include "core/core.h"
#include "grp/place.h"

struct grp_masks;

/* An entry; its id is its place in the table. */
struct grp_mask_entry {
	bool used;
	bool marked; /* by the pass of a sweep */
	uint32_t kind; /* enum grp_mask_kind */
	uint32_t mode, flags; /* of a policy */
	uint64_t hash;
	uint64_t asked_ns; /* when its id was last handed out: it may be on its way to a task */
	struct grp_kept_mask mask;
};

/**
 * grp_masks_id() - the id of a mask or policy; made if there is none.
 * @wanted: only kind, mode and flags are looked at; @mask: CPUs, or nodes.
 * Return: 0; -ENOSPC: tasks name GRP_MASKS_MAX others, or did seconds ago;
 * -ENOMEM, -errno.
 */
int grp_masks_id(struct grp_core *core, const struct grp_mask_entry *wanted,
		 const struct grp_mask *mask, uint32_t *ret_id);

/* grp_masks_cpus() - the same for CPUs. */
int grp_masks_cpus(struct grp_core *core, const struct grp_mask *mask, uint32_t *ret_id);

/* grp_masks_find() - by id. NULL: none, for 0 too. Borrowed until the next grp_masks_id(). */
const struct grp_mask_entry *grp_masks_find(const struct grp_core *core, uint32_t id);

/* grp_masks_used() - how many there are. */
unsigned int grp_masks_used(const struct grp_core *core);

/* grp_masks_adopt() - from the store, at start. */
int grp_masks_adopt(struct grp_core *core, uint32_t id, const struct grp_mask_record *record);

int grp_masks_new(struct grp_masks **ret_masks);
void grp_masks_free(struct grp_masks *masks);

#endif
