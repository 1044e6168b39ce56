/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * See masks.h.
 */
#include "core/masks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "core/internal.h"

/* So long an id may be on its way to a task: it is not given up meanwhile. */
#define ON_ITS_WAY_NS 10000000000ULL

struct grp_masks {
	unsigned int used;
	unsigned int next; /* where to look for a free one */
	uint64_t swept_ns;
	struct grp_mask_entry entries[GRP_MASKS_MAX]; /* id - 1 */
};

int grp_masks_new(struct grp_masks **ret_masks)
{
	*ret_masks = calloc(1, sizeof(**ret_masks));
	return *ret_masks ? 0 : -ENOMEM;
}

void grp_masks_free(struct grp_masks *masks)
{
	if (!masks)
		return;
	for (unsigned int i = 0; i < GRP_MASKS_MAX; i++)
		grp_mask_drop(&masks->entries[i].mask);
	free(masks);
}

const struct grp_mask_entry *grp_masks_find(const struct grp_core *core, uint32_t id)
{
	if (!id || id > GRP_MASKS_MAX || !core->masks->entries[id - 1].used)
		return NULL;
	return &core->masks->entries[id - 1];
}

unsigned int grp_masks_used(const struct grp_core *core)
{
	return core->masks->used;
}

/* FNV-1a, by words: it only has to tell most that differ. */
static uint64_t hash_mask(const struct grp_mask *mask)
{
	uint64_t hash = 0xcbf29ce484222325ULL;

	for (unsigned int i = 0; i < GRP_MASK_WORDS; i++)
		hash = (hash ^ mask->words[i]) * 0x100000001b3ULL;
	return hash;
}

static bool is_same(const struct grp_mask_entry *entry, const struct grp_mask_entry *wanted,
		    const struct grp_mask *mask, uint64_t hash)
{
	struct grp_mask kept;

	if (!entry->used || entry->hash != hash || entry->kind != wanted->kind ||
	    entry->mode != wanted->mode || entry->flags != wanted->flags)
		return false;
	kept = grp_mask_kept(&entry->mask);
	return grp_mask_equal(&kept, mask);
}

/* --- the sweep ------------------------------------------------------------------------ */

static void mark(struct grp_masks *masks, uint32_t id)
{
	if (id && id <= GRP_MASKS_MAX)
		masks->entries[id - 1].marked = true;
}

struct sweep {
	struct grp_masks *masks;
	bool unborn;
};

static int on_placed(const struct grp_place_record *record, void *data)
{
	struct sweep *sweep = data;

	/* What it will name its parent knows, which may have changed its own since. */
	if (record->verdict == GRP_VERDICT_UNBORN)
		sweep->unborn = true;
	for (unsigned int half = 0; half < GRP_PLACE_HALVES; half++) {
		uint32_t place = grp_place_of(record->place, half);

		mark(sweep->masks, grp_place_wish(place));
		mark(sweep->masks, grp_place_applied(place));
	}
	return 0;
}

static int drop(struct grp_core *core, struct grp_mask_entry *entry)
{
	uint32_t id = (uint32_t)(entry - core->masks->entries) + 1;
	int r = core->ops->mask_put(core->kernel, id, NULL);

	if (r)
		return r;
	grp_mask_drop(&entry->mask);
	*entry = (struct grp_mask_entry){};
	core->masks->used--;
	return 0;
}

/* Gives up what no task names. Return: 0, also if there was nothing. */
static int sweep(struct grp_core *core)
{
	struct sweep state = { .masks = core->masks };
	uint64_t now = grp_core_clock(core);
	int r;

	for (unsigned int i = 0; i < GRP_MASKS_MAX; i++)
		core->masks->entries[i].marked = false;
	r = core->ops->placed(core->kernel, NULL, NULL, on_placed, &state);
	if (r || state.unborn)
		return r;
	for (unsigned int i = 0; !r && i < GRP_MASKS_MAX; i++) {
		struct grp_mask_entry *entry = &core->masks->entries[i];

		if (entry->used && !entry->marked && now - entry->asked_ns > ON_ITS_WAY_NS)
			r = drop(core, entry);
	}
	return r;
}

/* --- ids -------------------------------------------------------------------------------- */

static struct grp_mask_entry *find_free(struct grp_masks *masks)
{
	for (unsigned int i = 0; i < GRP_MASKS_MAX; i++) {
		struct grp_mask_entry *entry = &masks->entries[(masks->next + i) % GRP_MASKS_MAX];

		if (!entry->used)
			return entry;
	}
	return NULL;
}

static int make(struct grp_core *core, const struct grp_mask_entry *wanted,
		const struct grp_mask *mask, struct grp_mask_entry **ret_entry)
{
	struct grp_mask_record record = { .kind = wanted->kind,
					  .mode = wanted->mode,
					  .flags = wanted->flags };
	struct grp_masks *masks = core->masks;
	struct grp_mask_entry *entry = find_free(masks);
	uint32_t id;
	int r;

	if (!entry)
		return -ENOSPC;
	id = (uint32_t)(entry - masks->entries) + 1;
	memcpy(record.words, mask->words, sizeof(record.words));
	r = grp_mask_keep(&entry->mask, mask);
	if (!r)
		r = core->ops->mask_put(core->kernel, id, &record);
	if (r) {
		grp_mask_drop(&entry->mask);
		return r;
	}
	entry->used = true;
	entry->kind = wanted->kind;
	entry->mode = wanted->mode;
	entry->flags = wanted->flags;
	entry->hash = hash_mask(mask);
	masks->used++;
	masks->next = id % GRP_MASKS_MAX;
	*ret_entry = entry;
	return 0;
}

int grp_masks_id(struct grp_core *core, const struct grp_mask_entry *wanted,
		 const struct grp_mask *mask, uint32_t *ret_id)
{
	struct grp_masks *masks = core->masks;
	struct grp_mask_entry *entry = NULL;
	uint64_t hash = hash_mask(mask);
	int r = 0;

	for (unsigned int i = 0; !entry && i < GRP_MASKS_MAX; i++)
		if (is_same(&masks->entries[i], wanted, mask, hash))
			entry = &masks->entries[i];
	if (!entry && masks->used == GRP_MASKS_MAX)
		r = sweep(core);
	if (!entry && !r)
		r = make(core, wanted, mask, &entry);
	if (r)
		return r;
	entry->asked_ns = grp_core_clock(core);
	*ret_id = (uint32_t)(entry - masks->entries) + 1;
	return 0;
}

int grp_masks_cpus(struct grp_core *core, const struct grp_mask *mask, uint32_t *ret_id)
{
	static const struct grp_mask_entry cpus = { .kind = GRP_MASK_CPUS };

	return grp_masks_id(core, &cpus, mask, ret_id);
}

int grp_masks_adopt(struct grp_core *core, uint32_t id, const struct grp_mask_record *record)
{
	struct grp_mask_entry *entry;
	struct grp_mask mask;
	int r;

	if (!id || id > GRP_MASKS_MAX || record->kind >= GRP_MASK_KINDS)
		return -EPROTO;
	entry = &core->masks->entries[id - 1];
	memcpy(mask.words, record->words, sizeof(mask.words));
	r = grp_mask_keep(&entry->mask, &mask);
	if (r)
		return r;
	core->masks->used += !entry->used;
	entry->used = true;
	entry->kind = record->kind;
	entry->mode = record->mode;
	entry->flags = record->flags;
	entry->hash = hash_mask(&mask);
	return 0;
}
