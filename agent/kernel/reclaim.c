/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The programs that count direct reclaim: loaded and pinned only while somebody
 * wants it, elected anew by each start. What the counts mean is not known here.
 *
 * Whether they were on is told by the pinned owner: it is set last and unset first,
 * so a kill at any moment leaves either all or what the next start takes away.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fault.h"
#include "base/log.h"
#include "fastpath.skel.h"
#include "kernel/internal.h"
#include "pressure.skel.h"

#define OWNER "reclaim_owner"
#define EVENTS "reclaims"
#define NOBODY 0U

static size_t view_size(const struct grp_bpf *bpf)
{
	size_t page = sysconf(_SC_PAGESIZE);

	return (bpf->view.capacity_sets * sizeof(struct grp_pressure) + page - 1) / page * page;
}

static int pin_map(struct grp_bpf *bpf, struct bpf_map *map)
{
	char path[PATH_MAX];
	int r = grp_pins_path(path, sizeof(path), bpf->dir, 0, bpf_map__name(map));

	return r ?: bpf_map__set_pin_path(map, path);
}

static void unpin_map(struct grp_bpf *bpf, const char *name)
{
	char path[PATH_MAX];

	if (!grp_pins_path(path, sizeof(path), bpf->dir, 0, name))
		(void)unlink(path);
}

static int load(struct grp_bpf *bpf)
{
	struct pressure *skel = bpf->pressure;
	int r = bpf_map__reuse_fd(skel->maps.tasks, bpf_map__fd(bpf->skel->maps.tasks));

	skel->rodata->generation = bpf->generation;
	if (!r)
		r = bpf_map__set_max_entries(skel->maps.reclaims, bpf->view.capacity_sets);
	if (!r)
		r = pin_map(bpf, skel->maps.reclaims);
	if (!r)
		r = pin_map(bpf, skel->maps.reclaim_owner);
	return r ?: pressure__load(skel);
}

static int map_view(struct grp_bpf *bpf)
{
	void *memory = mmap(NULL, view_size(bpf), PROT_READ, MAP_SHARED,
			    bpf_map__fd(bpf->pressure->maps.reclaims), 0);

	if (memory == MAP_FAILED)
		return -errno;
	bpf->view.pressure = memory;
	return 0;
}

static int set_owner(struct grp_bpf *bpf, uint32_t owner)
{
	const uint32_t zero = 0;

	grp_fault_point(OWNER);
	return bpf_map_update_elem(bpf_map__fd(bpf->pressure->maps.reclaim_owner), &zero, &owner,
				   BPF_ANY) ?
		       -errno :
		       0;
}

void grp_reclaim_close(struct grp_bpf *bpf)
{
	if (bpf->view.pressure)
		(void)munmap((void *)bpf->view.pressure, view_size(bpf));
	bpf->view.pressure = NULL;
	pressure__destroy(bpf->pressure);
	bpf->pressure = NULL;
}

/* Nobody counts, so nobody can be cut off in the middle of it. */
static int stop(struct grp_bpf *bpf)
{
	int r = set_owner(bpf, NOBODY);

	if (r)
		return r;
	r = grp_pins_drop_link(bpf->dir, bpf->generation, grp_link_reclaim);
	unpin_map(bpf, EVENTS);
	unpin_map(bpf, OWNER);
	grp_reclaim_close(bpf);
	return r;
}

/*
 * An event that is between the programs of two generations when the owner changes
 * may be counted by both or, in the other order, by none: one of a sum over seconds.
 */
static int start(struct grp_bpf *bpf)
{
	int r;

	bpf->pressure = pressure__open();
	if (!bpf->pressure)
		return -errno;
	r = load(bpf);
	if (!r)
		r = map_view(bpf);
	if (!r)
		r = grp_bpf_attach(bpf, bpf->pressure->progs.on_reclaim);
	if (!r)
		r = set_owner(bpf, bpf->generation);
	if (r)
		grp_reclaim_close(bpf);
	return r;
}

int grp_reclaim_switch(void *kernel, bool on)
{
	struct grp_bpf *bpf = kernel;
	int r = 0;

	if (on == !!bpf->pressure)
		return 0;
	r = on ? start(bpf) : stop(bpf);
	if (r && on) {
		(void)grp_pins_drop_link(bpf->dir, bpf->generation, grp_link_reclaim);
		unpin_map(bpf, EVENTS);
		unpin_map(bpf, OWNER);
	}
	return r;
}

/* The owner that is pinned; NOBODY when nothing is. */
static uint32_t pinned_owner(const struct grp_bpf *bpf)
{
	_cleanup_close_ int fd = -1;
	uint32_t zero = 0, owner = NOBODY;
	char path[PATH_MAX];

	if (grp_pins_path(path, sizeof(path), bpf->dir, 0, OWNER))
		return NOBODY;
	fd = bpf_obj_get(path);
	if (fd < 0 || bpf_map_lookup_elem(fd, &zero, &owner))
		return NOBODY;
	return owner;
}

void grp_reclaim_adopt(struct grp_bpf *bpf)
{
	int r;

	if (pinned_owner(bpf) == NOBODY) {
		unpin_map(bpf, EVENTS);
		unpin_map(bpf, OWNER);
		return;
	}
	r = grp_reclaim_switch(bpf, true);
	if (r)
		GRP_LOG_DEBUG("direct reclaim is not counted any more: %s", strerror(-r));
}

int grp_reclaim_clear(struct grp_bpf *bpf, uint32_t set)
{
	static const struct grp_pressure none;

	if (!bpf->pressure)
		return 0;
	return bpf_map_update_elem(bpf_map__fd(bpf->pressure->maps.reclaims), &set, &none,
				   BPF_ANY) ?
		       -errno :
		       0;
}
