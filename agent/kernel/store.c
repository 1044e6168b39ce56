/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The store: maps that outlive the agent and that no program reads. Every change
 * is one update of one element and a stop point of the fault tests (A5). What is
 * written most, the journal and what is shown, is mapped and costs no system call.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fault.h"
#include "kernel/internal.h"

const char *const grp_store_names[GRP_STORE_MAX] = {
	[GRP_STORE_META] = "grp_meta",	     [GRP_STORE_HIERARCHIES] = "grp_hierarchies",
	[GRP_STORE_GROUPS] = "grp_groups",   [GRP_STORE_SETS] = "grp_sets",
	[GRP_STORE_BASES] = "grp_bases",     [GRP_STORE_VALUES] = "grp_values",
	[GRP_STORE_JOURNAL] = "grp_journal", [GRP_STORE_SHOWN] = "grp_shown",
};

struct store_spec {
	enum bpf_map_type type;
	uint32_t key_size, value_size, entries, flags;
};

static struct store_spec store_spec(const struct grp_bpf *bpf, enum grp_store_map map)
{
	const uint32_t groups = bpf->view.capacity_groups;
	/* Values of folded counters are as long as there are CPUs: made on demand. */
	const struct store_spec specs[GRP_STORE_MAX] = {
		[GRP_STORE_META] = { BPF_MAP_TYPE_ARRAY, 4, sizeof(struct grp_meta), 1, 0 },
		[GRP_STORE_HIERARCHIES] = { BPF_MAP_TYPE_ARRAY, 4,
					    sizeof(struct grp_hierarchy_record),
					    GRP_HIERARCHIES_MAX, 0 },
		[GRP_STORE_GROUPS] = { BPF_MAP_TYPE_HASH, 4, sizeof(struct grp_group_record),
				       groups, BPF_F_NO_PREALLOC },
		[GRP_STORE_SETS] = { BPF_MAP_TYPE_ARRAY, 4, sizeof(struct grp_set_record),
				     bpf->view.capacity_sets, 0 },
		[GRP_STORE_BASES] = { BPF_MAP_TYPE_HASH, 8, (uint32_t)bpf->base_size,
				      GRP_BASE_KINDS * groups + 1, BPF_F_NO_PREALLOC },
		[GRP_STORE_VALUES] = { BPF_MAP_TYPE_HASH, sizeof(struct grp_value_key),
				       sizeof(struct grp_value), GRP_VALUES_PER_GROUP * groups,
				       BPF_F_NO_PREALLOC },
		[GRP_STORE_JOURNAL] = { BPF_MAP_TYPE_ARRAY, 4, sizeof(struct grp_journal_pair),
					GRP_JOURNAL_ENTRIES, BPF_F_MMAPABLE },
		[GRP_STORE_SHOWN] = { BPF_MAP_TYPE_ARRAY, 4, sizeof(struct grp_shown), groups,
				      BPF_F_MMAPABLE },
	};

	return specs[map];
}

/* A pinned map must be what we would make; else it is another layout's. */
static int check_pinned(int fd, const struct store_spec *spec)
{
	struct bpf_map_info info = {};
	uint32_t len = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		return -errno;
	if (info.type != spec->type || info.key_size != spec->key_size ||
	    info.value_size != spec->value_size || info.max_entries != spec->entries)
		return -EPROTO;
	return 0;
}

static int open_map(struct grp_bpf *bpf, enum grp_store_map map)
{
	struct store_spec spec = store_spec(bpf, map);
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = spec.flags);
	_cleanup_close_ int fd = -1;
	char path[PATH_MAX];
	int r;

	r = grp_pins_path(path, sizeof(path), bpf->dir, 0, grp_store_names[map]);
	if (r)
		return r;
	fd = bpf_obj_get(path);
	if (fd >= 0) {
		r = check_pinned(fd, &spec);
		if (r)
			return r;
	} else {
		fd = bpf_map_create(spec.type, grp_store_names[map], spec.key_size, spec.value_size,
				    spec.entries, &opts);
		if (fd < 0)
			return -errno;
		if (bpf_obj_pin(fd, path))
			return -errno;
	}
	bpf->store[map] = TAKE_FD(fd);
	return 0;
}

/* What is pinned already, if it was ever completed: its meta says so. */
static int check_meta(const char *dir, const struct grp_bpf_options *options, unsigned int cpus,
		      struct grp_error *error)
{
	_cleanup_close_ int fd = -1;
	struct grp_meta meta = {};
	char path[PATH_MAX];
	uint32_t zero = 0;

	if (grp_pins_path(path, sizeof(path), dir, 0, grp_store_names[GRP_STORE_META]))
		return -ENAMETOOLONG;
	fd = bpf_obj_get(path);
	if (fd < 0)
		return errno == ENOENT ? -ENOENT : -errno;
	if (bpf_map_lookup_elem(fd, &zero, &meta))
		return -errno;
	if (meta.magic != GRP_META_MAGIC)
		return -ENOENT;
	if (meta.layout != GRP_LAYOUT_VERSION)
		return grp_error_set(error, EPROTO,
				     "%s holds layout %u, this grpagent speaks %u: use the version "
				     "that wrote it, or give up its groups and counters with "
				     "'grpagent --instance %s --unload'",
				     dir, meta.layout, GRP_LAYOUT_VERSION, options->instance);
	if (meta.cpus != cpus)
		return grp_error_set(error, EINVAL,
				     "%s was made for %u possible CPU%s, this machine has %u: give "
				     "up its groups and counters with 'grpagent --instance %s "
				     "--unload'",
				     dir, meta.cpus, grp_plural(meta.cpus), cpus,
				     options->instance);
	if (meta.capacity_groups != options->capacity_groups ||
	    meta.capacity_sets != options->capacity_sets)
		return grp_error_set(
			error, EINVAL,
			"%s was made with capacity-groups %u and capacity-sets %u, not "
			"%u and %u: set these, or give up its groups and counters with "
			"'grpagent --instance %s --unload'",
			dir, meta.capacity_groups, meta.capacity_sets, options->capacity_groups,
			options->capacity_sets, options->instance);
	return 0;
}

int grp_store_peek(const char *instance, struct grp_meta *ret_meta)
{
	_cleanup_close_ int fd = -1;
	char path[PATH_MAX];
	uint32_t zero = 0;

	(void)snprintf(path, sizeof(path), "/sys/fs/bpf/grpagent/%s/%s", instance,
		       grp_store_names[GRP_STORE_META]);
	fd = bpf_obj_get(path);
	if (fd < 0)
		return -errno;
	if (bpf_map_lookup_elem(fd, &zero, ret_meta))
		return -errno;
	return ret_meta->magic == GRP_META_MAGIC ? 0 : -ENOENT;
}

static size_t shown_size(const struct grp_bpf *bpf)
{
	return bpf->view.capacity_groups * sizeof(struct grp_shown);
}

static size_t journal_size(void)
{
	return GRP_JOURNAL_ENTRIES * sizeof(struct grp_journal_pair);
}

/* Return: NULL with errno set. */
static void *map_array(const struct grp_bpf *bpf, enum grp_store_map map, size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, bpf->store[map], 0);

	return memory == MAP_FAILED ? NULL : memory;
}

int grp_store_open(struct grp_bpf *bpf, const struct grp_bpf_options *options,
		   struct grp_error *error)
{
	int r = check_meta(bpf->dir, options, bpf->view.cpus, error);

	bpf->fresh = r == -ENOENT;
	/* Without a complete meta nothing was ever attached: begin anew. */
	if (bpf->fresh)
		r = grp_pins_drop_all(bpf->dir);
	if (r)
		return r;
	for (unsigned int i = 0; i < GRP_STORE_MAX; i++) {
		r = open_map(bpf, i);
		if (r)
			return grp_error_set(error, -r, "cannot make or adopt the map %s in %s: %s",
					     grp_store_names[i], bpf->dir, strerror(-r));
	}
	bpf->view.shown = map_array(bpf, GRP_STORE_SHOWN, shown_size(bpf));
	if (bpf->view.shown)
		bpf->journal = map_array(bpf, GRP_STORE_JOURNAL, journal_size());
	if (!bpf->journal)
		return grp_error_set(error, errno,
				     "cannot map the table of shown values or the journal: %s",
				     strerror(errno));
	return 0;
}

void grp_store_close(struct grp_bpf *bpf)
{
	if (bpf->view.shown)
		(void)munmap(bpf->view.shown, shown_size(bpf));
	if (bpf->journal)
		(void)munmap(bpf->journal, journal_size());
	for (unsigned int i = 0; i < GRP_STORE_MAX; i++)
		if (bpf->store[i] >= 0)
			(void)close(bpf->store[i]);
}

/* --- operations ------------------------------------------------------------- */

static int put(struct grp_bpf *bpf, enum grp_store_map map, const void *key, const void *value)
{
	grp_fault_point(grp_store_names[map]);
	return bpf_map_update_elem(bpf->store[map], key, value, BPF_ANY) ? -errno : 0;
}

static int drop(struct grp_bpf *bpf, enum grp_store_map map, const void *key)
{
	grp_fault_point(grp_store_names[map]);
	return bpf_map_delete_elem(bpf->store[map], key) && errno != ENOENT ? -errno : 0;
}

int grp_store_meta_get(void *kernel, struct grp_meta *ret)
{
	struct grp_bpf *bpf = kernel;
	uint32_t zero = 0;

	return bpf_map_lookup_elem(bpf->store[GRP_STORE_META], &zero, ret) ? -errno : 0;
}

int grp_store_meta_put(void *kernel, const struct grp_meta *meta)
{
	uint32_t zero = 0;

	return put(kernel, GRP_STORE_META, &zero, meta);
}

int grp_store_hierarchy_put(void *kernel, unsigned int slot,
			    const struct grp_hierarchy_record *record)
{
	static const struct grp_hierarchy_record none;
	uint32_t key = slot;

	return put(kernel, GRP_STORE_HIERARCHIES, &key, record ?: &none);
}

int grp_store_group_put(void *kernel, uint32_t id, const struct grp_group_record *record)
{
	return record ? put(kernel, GRP_STORE_GROUPS, &id, record) :
			drop(kernel, GRP_STORE_GROUPS, &id);
}

int grp_store_set_put(void *kernel, uint32_t id, const struct grp_set_record *record)
{
	static const struct grp_set_record none;

	return put(kernel, GRP_STORE_SETS, &id, record ?: &none);
}

int grp_store_base_put(void *kernel, uint64_t key, const struct grp_base *base)
{
	return base ? put(kernel, GRP_STORE_BASES, &key, base) :
		      drop(kernel, GRP_STORE_BASES, &key);
}

int grp_store_base_get(void *kernel, uint64_t key, struct grp_base *ret)
{
	struct grp_bpf *bpf = kernel;

	return bpf_map_lookup_elem(bpf->store[GRP_STORE_BASES], &key, ret) ? -errno : 0;
}

int grp_store_value_put(void *kernel, const struct grp_value_key *key,
			const struct grp_value *value)
{
	int r = value ? put(kernel, GRP_STORE_VALUES, key, value) :
			drop(kernel, GRP_STORE_VALUES, key);

	return r == -E2BIG ? -ENOSPC : r;
}

int grp_store_journal_put(void *kernel, unsigned int entry, const struct grp_journal *record)
{
	static const struct grp_journal none;
	struct grp_bpf *bpf = kernel;
	struct grp_journal_pair *pair = &bpf->journal[entry];
	uint32_t turn = pair->turn + 1;

	grp_fault_point(grp_store_names[GRP_STORE_JOURNAL]);
	pair->copy[turn % 2] = record ? *record : none;
	grp_fault_point(grp_store_names[GRP_STORE_JOURNAL]);
	__atomic_store_n(&pair->turn, turn, __ATOMIC_RELEASE);
	return 0;
}

static const struct grp_journal *journal_entry(const struct grp_bpf *bpf, unsigned int entry)
{
	const struct grp_journal_pair *pair = &bpf->journal[entry];

	return &pair->copy[pair->turn % 2];
}

/* One element of an array; @state is the first word of each record type. */
static int get(const struct grp_bpf *bpf, enum grp_store_map map, uint32_t key, void *value)
{
	return bpf_map_lookup_elem(bpf->store[map], &key, value) ? -errno : 0;
}

int grp_store_walk(int fd, const struct grp_store_walk *walk)
{
	char key[sizeof(struct grp_value_key)] = { 0 }, next[sizeof(struct grp_value_key)] = { 0 };
	bool first = true;
	int r;

	while (!bpf_map_get_next_key(fd, first ? NULL : key, next)) {
		first = false;
		memcpy(key, next, sizeof(key));
		if (bpf_map_lookup_elem(fd, key, walk->value))
			return -errno;
		r = walk->fn(key, walk);
		if (r)
			return r;
	}
	return errno == ENOENT ? 0 : -errno;
}

static int on_group(const void *key, const struct grp_store_walk *walk)
{
	uint32_t id;

	memcpy(&id, key, sizeof(id));
	return walk->visitor->group(id, walk->value, walk->data);
}

static int on_value(const void *key, const struct grp_store_walk *walk)
{
	struct grp_value_key value_key;

	memcpy(&value_key, key, sizeof(value_key));
	return walk->visitor->value(&value_key, walk->value, walk->data);
}

static int visit_groups(const struct grp_bpf *bpf, const struct grp_store_visitor *visitor,
			void *data)
{
	struct grp_group_record record;
	const struct grp_store_walk walk = { on_group, &record, visitor, data };

	return grp_store_walk(bpf->store[GRP_STORE_GROUPS], &walk);
}

static int visit_values(const struct grp_bpf *bpf, const struct grp_store_visitor *visitor,
			void *data)
{
	struct grp_value value;
	const struct grp_store_walk walk = { on_value, &value, visitor, data };

	return grp_store_walk(bpf->store[GRP_STORE_VALUES], &walk);
}

static int visit_sets(const struct grp_bpf *bpf, const struct grp_store_visitor *visitor,
		      void *data)
{
	struct grp_set_record record;
	int r;

	for (uint32_t i = 0; i < bpf->view.capacity_sets; i++) {
		r = get(bpf, GRP_STORE_SETS, i, &record);
		if (!r && record.state != GRP_RECORD_FREE)
			r = visitor->set(i, &record, data);
		if (r)
			return r;
	}
	return 0;
}

int grp_store_visit(void *kernel, const struct grp_store_visitor *visitor, void *data)
{
	struct grp_bpf *bpf = kernel;
	struct grp_hierarchy_record hierarchy;
	int r;

	for (uint32_t i = 0; i < GRP_HIERARCHIES_MAX; i++) {
		r = get(bpf, GRP_STORE_HIERARCHIES, i, &hierarchy);
		if (!r && hierarchy.state != GRP_RECORD_FREE)
			r = visitor->hierarchy(i, &hierarchy, data);
		if (r)
			return r;
	}
	r = visit_groups(bpf, visitor, data);
	if (!r)
		r = visit_values(bpf, visitor, data);
	if (!r)
		r = visit_sets(bpf, visitor, data);
	for (uint32_t i = 0; !r && i < GRP_JOURNAL_ENTRIES; i++) {
		const struct grp_journal *journal = journal_entry(bpf, i);

		if (journal->op != GRP_JOURNAL_NONE)
			r = visitor->journal(i, journal, data);
	}
	if (!r && visitor->mask)
		r = grp_places_visit(bpf, visitor, data);
	return r;
}
