/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The maps of the programs, before those are loaded: how large they are, where they are pinned, and
 * which are shared by the objects.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <limits.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fault.h"
#include "fastpath.skel.h"
#include "kernel/internal.h"

int grp_maps_size(struct grp_bpf *bpf)
{
	const uint32_t cells = bpf->view.cpus * bpf->view.capacity_sets;
	const struct {
		struct bpf_map *map;
		uint32_t entries;
	} sizes[] = {
		{ bpf->skel->maps.cells, cells },
		{ bpf->skel->maps.modes, cells },
		{ bpf->skel->maps.counts, bpf->view.capacity_sets },
		{ bpf->skel->maps.plan, bpf->view.capacity_sets },
	};
	int r = 0;

	for (size_t i = 0; !r && i < sizeof(sizes) / sizeof(*sizes); i++)
		r = bpf_map__set_max_entries(sizes[i].map, sizes[i].entries);
	bpf->skel->rodata->capacity_sets = bpf->view.capacity_sets;
	bpf->skel->rodata->possible_cpus = bpf->view.cpus;
	bpf->skel->rodata->mask_words = (bpf->view.cpus + 63) / 64;
	bpf->skel->rodata->fault_birth_every = grp_fault_number("BIRTH_EVERY");
	bpf->skel->rodata->fault_birth_both = grp_fault_number("BIRTH_BOTH");
	bpf->skel->rodata->fault_adopt_room = grp_fault_number("ADOPT_ROOM");
	bpf->skel->rodata->fault_adopt_loops = grp_fault_number("ADOPT_LOOPS");
	return r;
}

int grp_maps_pin(struct grp_bpf *bpf)
{
	char path[PATH_MAX];
	struct bpf_map *map;
	int r;

	bpf_object__for_each_map(map, bpf->skel->obj)
	{
		if (map == bpf->skel->maps.rodata || map == bpf->skel->maps.told_scratch)
			continue;
		r = grp_pins_path(path, sizeof(path), bpf->dir, 0, bpf_map__name(map));
		if (!r)
			r = bpf_map__set_pin_path(map, path);
		if (r)
			return r;
	}
	return 0;
}

int grp_maps_orphans(void *kernel)
{
	const struct grp_bpf *bpf = kernel;
	struct grp_orphan_key first;

	if (!bpf_map_get_next_key(bpf_map__fd(bpf->skel->maps.orphans), NULL, &first))
		return 1;
	return errno == ENOENT ? 0 : -errno;
}

int grp_maps_share(const struct grp_bpf *bpf, struct bpf_object *object, const struct bpf_map *own)
{
	struct bpf_map *map;
	int r = 0;

	bpf_object__for_each_map(map, object)
	{
		const struct bpf_map *shared =
			bpf_object__find_map_by_name(bpf->skel->obj, bpf_map__name(map));

		if (!r && map != own && !bpf_map__is_internal(map))
			r = shared ? bpf_map__reuse_fd(map, bpf_map__fd(shared)) : -ENOENT;
	}
	return r;
}

void *grp_maps_map(const struct bpf_map *map, int protection)
{
	size_t page = sysconf(_SC_PAGESIZE);
	size_t element = (bpf_map__value_size(map) + 7) / 8 * 8;
	size_t size = (element * bpf_map__max_entries(map) + page - 1) / page * page;
	void *memory = mmap(NULL, size, protection, MAP_SHARED, bpf_map__fd(map), 0);

	return memory == MAP_FAILED ? NULL : memory;
}
