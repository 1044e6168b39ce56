/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A kernel in memory, see fake_kernel.h: the store, the controls and the life of
 * the fake. Tasks and passes are in fake_task.c.
 */
#include "fake_kernel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fake_internal.h"

/* --- the store --------------------------------------------------------------- */

int fake_update(struct fake_kernel *fake)
{
	if (fake->updates_left == 0)
		return -ECANCELED;
	if (fake->updates_left > 0)
		fake->updates_left--;
	fake->updates++;
	return fake->updates == fake->fail_at ? -ECANCELED : 0;
}

static int meta_put(void *kernel, const struct grp_meta *meta)
{
	struct fake_kernel *fake = kernel;
	int r = fake_update(fake);

	if (!r)
		fake->meta = *meta;
	return r;
}

static int meta_get(void *kernel, struct grp_meta *ret)
{
	const struct fake_kernel *fake = kernel;

	*ret = fake->meta;
	return 0;
}

static int hierarchy_put(void *kernel, unsigned int slot, const struct grp_hierarchy_record *record)
{
	struct fake_kernel *fake = kernel;
	int r = fake_update(fake);

	if (!r)
		fake->hierarchies[slot] = record ? *record : (struct grp_hierarchy_record){ 0 };
	return r;
}

static int group_put(void *kernel, uint32_t id, const struct grp_group_record *record)
{
	struct fake_kernel *fake = kernel;
	int r;

	if (id >= fake->n_groups && !record)
		return 0;
	r = fake_update(fake);
	if (r)
		return r;
	if (id >= fake->n_groups) {
		fake->groups =
			fake_grow(fake->groups, fake->n_groups, id + 1024, sizeof(*fake->groups));
		fake->n_groups = id + 1024;
	}
	fake->groups[id] = record ? *record : (struct grp_group_record){ 0 };
	return 0;
}

static int set_put(void *kernel, uint32_t id, const struct grp_set_record *record)
{
	struct fake_kernel *fake = kernel;
	int r;

	if (id >= fake->view.capacity_sets)
		return -E2BIG;
	r = fake_update(fake);
	if (!r)
		fake->sets[id] = record ? *record : (struct grp_set_record){ 0 };
	return r;
}

static size_t base_size(const struct fake_kernel *fake)
{
	return sizeof(struct grp_base) + fake->view.cpus * sizeof(struct grp_base_cpu);
}

static struct fake_base *find_base(struct fake_kernel *fake, uint64_t key)
{
	for (size_t i = 0; i < fake->n_bases; i++)
		if (fake->bases[i].used && fake->bases[i].key == key)
			return &fake->bases[i];
	return NULL;
}

static struct fake_base *new_base(struct fake_kernel *fake, uint64_t key)
{
	struct fake_base *base;

	for (size_t i = 0; i < fake->n_bases; i++)
		if (!fake->bases[i].used) {
			fake->bases[i].used = true;
			fake->bases[i].key = key;
			return &fake->bases[i];
		}
	fake->bases =
		fake_grow(fake->bases, fake->n_bases, fake->n_bases + 1, sizeof(*fake->bases));
	base = &fake->bases[fake->n_bases++];
	*base = (struct fake_base){ .key = key, .used = true };
	base->base = fake_grow(NULL, 0, 1, base_size(fake));
	return base;
}

static int base_put(void *kernel, uint64_t key, const struct grp_base *base)
{
	struct fake_kernel *fake = kernel;
	struct fake_base *old;
	int r = fake_update(fake);

	if (r)
		return r;
	old = find_base(fake, key);
	if (base)
		memcpy((old ?: new_base(fake, key))->base, base, base_size(fake));
	else if (old)
		old->used = false;
	return 0;
}

static int base_get(void *kernel, uint64_t key, struct grp_base *ret)
{
	struct fake_kernel *fake = kernel;
	const struct fake_base *base = find_base(fake, key);

	if (!base)
		return -ENOENT;
	memcpy(ret, base->base, base_size(fake));
	return 0;
}

static struct fake_value *find_value(struct fake_kernel *fake, const struct grp_value_key *key)
{
	for (size_t i = 0; i < fake->n_values; i++)
		if (fake->values[i].used && !memcmp(&fake->values[i].key, key, sizeof(*key)))
			return &fake->values[i];
	return NULL;
}

static int value_put(void *kernel, const struct grp_value_key *key, const struct grp_value *value)
{
	struct fake_kernel *fake = kernel;
	struct fake_value *old = find_value(fake, key);
	int r = fake_update(fake);

	if (r)
		return r;
	if (!old && value) {
		fake->values = fake_grow(fake->values, fake->n_values, fake->n_values + 1,
					 sizeof(*fake->values));
		old = &fake->values[fake->n_values++];
	}
	if (old && value)
		*old = (struct fake_value){ .key = *key, .value = *value, .used = true };
	else if (old)
		old->used = false;
	return 0;
}

static int journal_put(void *kernel, unsigned int entry, const struct grp_journal *record)
{
	struct fake_kernel *fake = kernel;
	int r = fake_update(fake);

	if (!r)
		fake->journal[entry] = record ? *record : (struct grp_journal){ 0 };
	return r;
}

static int visit(void *kernel, const struct grp_store_visitor *visitor, void *data)
{
	struct fake_kernel *fake = kernel;
	int r = 0;

	for (unsigned int i = 0; !r && visitor->hierarchy && i < GRP_HIERARCHIES_MAX; i++)
		if (fake->hierarchies[i].state)
			r = visitor->hierarchy(i, &fake->hierarchies[i], data);
	for (uint32_t i = 0; !r && visitor->group && i < fake->n_groups; i++)
		if (fake->groups[i].state)
			r = visitor->group(i, &fake->groups[i], data);
	for (size_t i = 0; !r && visitor->value && i < fake->n_values; i++)
		if (fake->values[i].used)
			r = visitor->value(&fake->values[i].key, &fake->values[i].value, data);
	for (uint32_t i = 0; !r && visitor->set && i < fake->view.capacity_sets; i++)
		if (fake->sets[i].state)
			r = visitor->set(i, &fake->sets[i], data);
	for (unsigned int i = 0; !r && visitor->journal && i < GRP_JOURNAL_ENTRIES; i++)
		if (fake->journal[i].op)
			r = visitor->journal(i, &fake->journal[i], data);
	for (uint32_t i = 0; !r && visitor->mask && i < fake->n_masks; i++)
		if (fake->masks[i].kind < GRP_MASK_KINDS)
			r = visitor->mask(i, &fake->masks[i], data);
	return r;
}

/* --- controls ---------------------------------------------------------------- */

static int clear_set(struct fake_kernel *fake, uint32_t set)
{
	struct grp_count *count = &fake->counts[set];

	if (count->members >= 0 || count->chargers > 0)
		return -EBUSY;
	for (unsigned int cpu = 0; cpu < fake->view.cpus; cpu++) {
		size_t index = (size_t)cpu * fake->view.capacity_sets + set;

		fake->cells[index] = (struct grp_cell){ 0 };
		fake->modes[index] = (struct grp_mode){ 0 };
	}
	*count = (struct grp_count){ .changes = count->changes + 1 };
	fake->reclaims[set] = (struct grp_pressure){ 0 };
	return 0;
}

static int control(void *kernel, const struct grp_control *request)
{
	struct fake_kernel *fake = kernel;
	struct grp_count *count = &fake->counts[request->set];

	switch (request->op) {
	case GRP_CONTROL_RETIRE:
		count->changes++;
		if (count->members)
			return -EBUSY;
		count->members = GRP_MEMBERS_DEAD;
		return 0;
	case GRP_CONTROL_CLEAR:
		return clear_set(fake, request->set);
	case GRP_CONTROL_ADJUST:
		if (count->changes != request->changes)
			return -EAGAIN;
		count->members += request->delta;
		return 0;
	case GRP_CONTROL_UNCHARGE:
		count->chargers += request->delta;
		return 0;
	}
	return -EINVAL;
}

static int settle(void *kernel)
{
	struct fake_kernel *fake = kernel;

	fake->settles++;
	if (fake->settle_result)
		return fake->settle_result;
	fake->view.online_cpus = fake->view.cpus;
	return 0;
}

static uint64_t read_clock(void *kernel)
{
	const struct fake_kernel *fake = kernel;

	return fake->clock_ns;
}

static int read_topology(void *kernel, struct grp_topology *ret)
{
	const struct fake_kernel *fake = kernel;

	*ret = *fake->topology;
	return 0;
}

static int grace(void *kernel, void (*done)(void *data), void *data)
{
	struct fake_kernel *fake = kernel;

	if (fake->n_graces == FAKE_GRACES_MAX)
		return -EAGAIN;
	fake->graces[fake->n_graces].done = done;
	fake->graces[fake->n_graces++].data = data;
	return 0;
}

static int pressure(void *kernel, bool on)
{
	struct fake_kernel *fake = kernel;

	if (on && fake->pressure_result)
		return fake->pressure_result;
	if (!on)
		memset(fake->reclaims, 0, fake->view.capacity_sets * sizeof(*fake->reclaims));
	fake->view.pressure = on ? fake->reclaims : NULL;
	return 0;
}

/* A grace period may begin the next one: only those on their way now end. */
unsigned int fake_grace_end(struct fake_kernel *fake)
{
	size_t n = fake->n_graces;

	for (size_t i = 0; i < n; i++)
		fake->graces[i].done(fake->graces[i].data);
	fake->n_graces -= n;
	memmove(fake->graces, fake->graces + n, fake->n_graces * sizeof(fake->graces[0]));
	return (unsigned int)n;
}

const struct grp_kernel_ops fake_kernel_ops = {
	.meta_put = meta_put,
	.hierarchy_put = hierarchy_put,
	.group_put = group_put,
	.set_put = set_put,
	.base_put = base_put,
	.value_put = value_put,
	.journal_put = journal_put,
	.base_get = base_get,
	.meta_get = meta_get,
	.visit = visit,
	.pass = fake_pass,
	.orphans = fake_orphans,
	.move_each = fake_move_each,
	.scan_open = fake_scan_open,
	.scan_step = fake_scan_step,
	.scan_close = fake_scan_close,
	.control = control,
	.settle = settle,
	.clock = read_clock,
	.topology = read_topology,
	.grace = grace,
	.mask_put = fake_mask_put,
	.placed = fake_placed,
	.policies = fake_policies,
	.place = fake_place,
	.helper_ask = fake_helper_ask,
	.helper_wait = fake_helper_wait,
	.helper_end = fake_helper_end,
	.affinity_set = fake_affinity_set,
	.affinity_get = fake_affinity_get,
	.place_look = fake_place_look,
	.place_watch = fake_place_watch,
	.place_claim = fake_place_claim,
	.pressure = pressure,
};

/* --- life -------------------------------------------------------------------- */

void *fake_grow(void *items, size_t from, size_t to, size_t size)
{
	char *bigger = reallocarray(items, to, size);

	if (!bigger)
		abort();
	memset(bigger + from * size, 0, (to - from) * size);
	return bigger;
}

struct fake_kernel *fake_kernel_new(unsigned int cpus, unsigned int capacity_groups,
				    unsigned int capacity_sets)
{
	struct fake_kernel *fake = fake_grow(NULL, 0, 1, sizeof(*fake));
	size_t n = (size_t)cpus * capacity_sets;

	fake->updates_left = -1;
	fake->tasks = fake_grow(NULL, 0, FAKE_TASKS_MAX, sizeof(*fake->tasks));
	fake->cells = fake_grow(NULL, 0, n, sizeof(*fake->cells));
	fake->modes = fake_grow(NULL, 0, n, sizeof(*fake->modes));
	fake->counts = fake_grow(NULL, 0, capacity_sets, sizeof(*fake->counts));
	fake->reclaims = fake_grow(NULL, 0, capacity_sets, sizeof(*fake->reclaims));
	fake->sets = fake_grow(NULL, 0, capacity_sets, sizeof(*fake->sets));
	fake->meta = (struct grp_meta){
		.magic = GRP_META_MAGIC,
		.layout = GRP_LAYOUT_VERSION,
		.capacity_groups = capacity_groups,
		.capacity_sets = capacity_sets,
		.cpus = cpus,
		.next_group = 1,
	};
	fake->topology = fake_grow(NULL, 0, 1, sizeof(*fake->topology));
	fake->topology->n_cpus = cpus;
	fake->topology->n_cpus_max = 256;
	fake->topology->n_nodes_max = 1024;
	grp_mask_fill(&fake->topology->online, cpus);
	grp_mask_fill(&fake->topology->nodes, 1);
	for (unsigned int cpu = 0; cpu < cpus; cpu++)
		fake->topology->cpus[cpu] = (struct grp_topology_cpu){ .core = (uint16_t)cpu };
	fake->view = (struct grp_kernel_view){
		.cpus = cpus,
		.capacity_sets = capacity_sets,
		.capacity_groups = capacity_groups,
		.cells = fake->cells,
		.modes = fake->modes,
		.counts = fake->counts,
		.stats = fake->stats,
		.shown = fake_grow(NULL, 0, capacity_groups, sizeof(struct grp_shown)),
	};
	return fake;
}

void fake_kernel_free(struct fake_kernel *fake)
{
	if (!fake)
		return;
	for (size_t i = 0; i < fake->n_bases; i++)
		free(fake->bases[i].base);
	free(fake->bases);
	free(fake->tasks);
	free(fake->values);
	free(fake->masks);
	free(fake->topology);
	free(fake->groups);
	free(fake->sets);
	free(fake->counts);
	free(fake->reclaims);
	free(fake->modes);
	free(fake->cells);
	free(fake->view.shown);
	free(fake);
}
