/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Loading, adopting and attaching. Every start attaches a generation of programs
 * of its own over the pinned maps and only then drops the older one: a restart
 * and an upgrade are the same thing, and between them nothing goes uncounted.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/parse.h"
#include "direct.skel.h"
#include "fastpath.skel.h"
#include "kernel/internal.h"
#include "pressure.skel.h"

const struct grp_kernel_ops grp_bpf_ops = {
	.meta_put = grp_store_meta_put,
	.hierarchy_put = grp_store_hierarchy_put,
	.group_put = grp_store_group_put,
	.set_put = grp_store_set_put,
	.base_put = grp_store_base_put,
	.value_put = grp_store_value_put,
	.journal_put = grp_store_journal_put,
	.base_get = grp_store_base_get,
	.meta_get = grp_store_meta_get,
	.visit = grp_store_visit,
	.pass = grp_pass_run,
	.orphans = grp_maps_orphans,
	.move_each = grp_batch_each,
	.scan_open = grp_scan_open,
	.scan_step = grp_scan_step,
	.scan_close = grp_scan_close,
	.control = grp_pass_control,
	.settle = grp_settle,
	.clock = grp_pass_clock,
	.topology = grp_topology_read,
	.grace = grp_grace_start,
	.mask_put = grp_places_put_mask,
	.placed = grp_places_placed,
	.policies = grp_places_policies,
	.place = grp_places_write,
	.helper_ask = grp_helper_ask,
	.helper_wait = grp_helper_wait,
	.helper_end = grp_helper_end,
	.affinity_set = grp_places_set_affinity,
	.affinity_get = grp_places_get_affinity,
	.place_look = grp_places_look,
	.place_watch = grp_notice_watch,
	.place_claim = grp_notice_claim,
	.pressure = grp_reclaim_switch,
};

static int print_libbpf(enum libbpf_print_level level, const char *format, va_list args)
{
	char text[1024];

	if (level > LIBBPF_WARN)
		return 0;
	(void)vsnprintf(text, sizeof(text), format, args);
	text[strcspn(text, "\n")] = '\0';
	GRP_LOG_DEBUG("libbpf: %s", text);
	return 0;
}

static int explain_load(int r, struct grp_error *error)
{
	if (r == -EPERM || r == -EACCES)
		return grp_error_set(error, -r,
				     "the kernel refuses to load BPF programs: run as root with "
				     "CAP_BPF, CAP_PERFMON and CAP_SYS_RESOURCE, see 'grpctl "
				     "features'");
	if (access("/sys/kernel/btf/vmlinux", R_OK))
		return grp_error_set(error, EOPNOTSUPP,
				     "this kernel has no BTF (/sys/kernel/btf/vmlinux): it must be "
				     "built with CONFIG_DEBUG_INFO_BTF");
	return grp_error_set(error, -r, "cannot load the BPF programs: %s", strerror(-r));
}

static int load(struct grp_bpf *bpf, struct grp_error *error)
{
	int r;

	(void)libbpf_set_print(print_libbpf);
	bpf->skel = fastpath__open();
	if (!bpf->skel)
		return explain_load(-errno, error);
	r = grp_maps_size(bpf);
	if (!r)
		r = grp_maps_pin(bpf);
	if (!r)
		r = fastpath__load(bpf->skel);
	if (!r) {
		grp_direct_open(bpf);
		grp_settle_open(bpf);
	}
	return r ? explain_load(r, error) : 0;
}

static int map_view(struct grp_bpf *bpf)
{
	bpf->view.cells = grp_maps_map(bpf->skel->maps.cells, PROT_READ);
	bpf->view.modes = grp_maps_map(bpf->skel->maps.modes, PROT_READ);
	bpf->view.counts = grp_maps_map(bpf->skel->maps.counts, PROT_READ);
	bpf->view.stats = grp_maps_map(bpf->skel->maps.stats, PROT_READ);
	bpf->request = grp_maps_map(bpf->skel->maps.scan_request, PROT_READ | PROT_WRITE);
	bpf->plan = grp_maps_map(bpf->skel->maps.plan, PROT_READ | PROT_WRITE);
	if (!bpf->view.cells || !bpf->view.modes || !bpf->view.counts || !bpf->view.stats ||
	    !bpf->request || !bpf->plan)
		return -errno;
	return 0;
}

static struct bpf_program *find_hook(const struct grp_bpf *bpf, const char *name)
{
	return bpf_object__find_program_by_name(bpf->skel->obj, name);
}

/* The pin keeps a link alive; our own reference to it is closed at once. */
int grp_bpf_attach(struct grp_bpf *bpf, struct bpf_program *program)
{
	struct bpf_link *link = bpf_program__attach(program);
	char path[PATH_MAX];
	int r;

	if (!link)
		return -errno;
	r = grp_pins_path(path, sizeof(path), bpf->dir, bpf->generation,
			  bpf_program__name(program));
	if (!r)
		r = bpf_link__pin(link, path);
	(void)bpf_link__destroy(link);
	return r;
}

static int attach_generation(struct grp_bpf *bpf, struct grp_error *error)
{
	char path[PATH_MAX];
	int r = grp_pins_generation(bpf->dir, &bpf->generation);

	bpf->generation++;
	if (!r)
		r = grp_pins_path(path, sizeof(path), bpf->dir, bpf->generation, NULL);
	if (!r && mkdir(path, 0700))
		r = -errno;
	for (size_t i = 0; !r && grp_link_names[i]; i++) {
		grp_fault_point("link");
		r = grp_bpf_attach(bpf, find_hook(bpf, grp_link_names[i]));
	}
	if (!r)
		r = grp_pass_run(bpf, GRP_PASS_SEED, NULL, NULL, NULL, NULL);
	if (!r)
		grp_reclaim_adopt(bpf);
	if (!r)
		r = grp_pins_drop_links(bpf->dir, bpf->generation);
	if (r)
		return grp_error_set(error, -r, "cannot attach the BPF programs: %s", strerror(-r));
	return 0;
}

static int on_ring(void *ctx, void *data, size_t size)
{
	struct grp_bpf *bpf = ctx;

	const struct grp_event *event = data;
	size_t needed = sizeof(*event);

	if (size >= needed && event->kind == GRP_EVENT_PLACE)
		needed = sizeof(struct grp_place_event);
	if (size >= needed && bpf->on_event)
		bpf->on_event(event, bpf->on_event_data);
	return 0;
}

static int finish_open(struct grp_bpf *bpf, const struct grp_bpf_options *options,
		       struct grp_error *error)
{
	const struct grp_meta meta = {
		.magic = GRP_META_MAGIC,
		.layout = GRP_LAYOUT_VERSION,
		.capacity_groups = bpf->view.capacity_groups,
		.capacity_sets = bpf->view.capacity_sets,
		.cpus = bpf->view.cpus,
		.next_group = 1,
	};
	int r = grp_store_open(bpf, options, error);

	if (!r)
		r = load(bpf, error);
	if (r)
		return r;
	r = map_view(bpf);
	if (!r)
		r = grp_grace_open(bpf);
	if (!r) {
		bpf->ring =
			ring_buffer__new(bpf_map__fd(bpf->skel->maps.events), on_ring, bpf, NULL);
		r = bpf->ring ? 0 : -errno;
	}
	/* Last of a first start: from here on the pins are complete. */
	if (!r && bpf->fresh)
		r = grp_store_meta_put(bpf, &meta);
	if (r)
		return grp_error_set(error, -r, "cannot set up the BPF maps: %s", strerror(-r));
	return attach_generation(bpf, error);
}

/* Without maps and programs; its directory is made. */
static int new_bpf(const struct grp_bpf_options *options, struct grp_error *error,
		   struct grp_bpf **ret_bpf)
{
	struct grp_bpf *bpf = calloc(1, sizeof(*bpf));
	int cpus = libbpf_num_possible_cpus(), r;

	if (!bpf)
		return -ENOMEM;
	for (unsigned int i = 0; i < GRP_STORE_MAX; i++)
		bpf->store[i] = -1;
	bpf->grace_outer = bpf->grace_inner = -1;
	bpf->policy = sched_getscheduler(0);
	(void)sched_getparam(0, &bpf->param);
	bpf->event = options->event;
	bpf->view.cpus = cpus > 0 ? cpus : 1;
	bpf->view.capacity_sets = options->capacity_sets;
	bpf->view.capacity_groups = options->capacity_groups;
	bpf->base_size = sizeof(struct grp_base) + bpf->view.cpus * sizeof(struct grp_base_cpu);
	r = grp_pins_open(options->instance, error, &bpf->dir);
	if (r)
		grp_bpf_close(bpf);
	else
		*ret_bpf = bpf;
	return r;
}

int grp_bpf_open(const struct grp_bpf_options *options, struct grp_error *error,
		 struct grp_bpf **ret_bpf)
{
	struct grp_bpf *bpf;
	int r = new_bpf(options, error, &bpf);

	if (r)
		return r;
	r = finish_open(bpf, options, error);
	if (r) {
		grp_bpf_close(bpf);
		return r;
	}
	*ret_bpf = bpf;
	return 0;
}

int grp_bpf_adopt(const char *instance, struct grp_error *error, struct grp_bpf **ret_bpf)
{
	struct grp_bpf_options options = { .instance = instance };
	struct grp_meta meta;
	struct grp_bpf *bpf;
	int r = grp_store_peek(instance, &meta);

	if (r)
		return r;
	options.capacity_groups = meta.capacity_groups;
	options.capacity_sets = meta.capacity_sets;
	r = new_bpf(&options, error, &bpf);
	if (r)
		return r;
	r = grp_store_open(bpf, &options, error);
	if (!r)
		r = load(bpf, error);
	if (!r)
		r = map_view(bpf);
	if (r) {
		grp_bpf_close(bpf);
		return r;
	}
	*ret_bpf = bpf;
	return 0;
}

void grp_bpf_close(struct grp_bpf *bpf)
{
	if (!bpf)
		return;
	ring_buffer__free(bpf->ring);
	grp_reclaim_close(bpf);
	grp_settle_close(bpf);
	grp_direct_close(bpf);
	fastpath__destroy(bpf->skel);
	grp_grace_close(bpf);
	grp_helpers_close(bpf);
	grp_store_close(bpf);
	free(bpf->dir);
	free(bpf);
}

const struct grp_kernel_view *grp_bpf_view(const struct grp_bpf *bpf)
{
	return &bpf->view;
}

unsigned int grp_bpf_generation(const struct grp_bpf *bpf)
{
	return bpf->generation;
}

int grp_bpf_events_fd(const struct grp_bpf *bpf)
{
	return ring_buffer__epoll_fd(bpf->ring);
}

int grp_bpf_events(struct grp_bpf *bpf, void (*fn)(const struct grp_event *event, void *data),
		   void *data)
{
	bpf->on_event = fn;
	bpf->on_event_data = data;
	return ring_buffer__consume(bpf->ring);
}

static int each_program(struct bpf_object *object,
			int (*fn)(const struct grp_bpf_program *program, void *data), void *data)
{
	struct bpf_program *program;

	bpf_object__for_each_program(program, object)
	{
		struct bpf_prog_info info = {};
		uint32_t len = sizeof(info);
		struct grp_bpf_program figures = { .name = bpf_program__name(program) };
		int r;

		if (bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &len))
			return -errno;
		figures.runs = info.run_cnt;
		figures.run_ns = info.run_time_ns;
		r = fn(&figures, data);
		if (r)
			return r;
	}
	return 0;
}

int grp_bpf_programs(struct grp_bpf *bpf,
		     int (*fn)(const struct grp_bpf_program *program, void *data), void *data)
{
	int r = each_program(bpf->skel->obj, fn, data);

	return r || !bpf->pressure ? r : each_program(bpf->pressure->obj, fn, data);
}

/* "\t123\n" to 123; 0 when it is not of that form. */
static uint64_t parse_bytes(char *text)
{
	uint64_t bytes = 0;

	text += strspn(text, " \t");
	text[strcspn(text, "\n")] = '\0';
	return grp_parse_u64(text, 0, UINT64_MAX, &bytes) ? 0 : bytes;
}

/* What the kernel says it holds for a map. */
static uint64_t map_bytes(int fd)
{
	_cleanup_fclose_ FILE *f = NULL;
	uint64_t bytes = 0;
	char path[64], line[128];

	(void)snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, "memlock:", 8))
			bytes = parse_bytes(line + 8);
	return bytes;
}

/* Of a ring buffer the kernel knows bytes, with a header at each event. */
static uint64_t map_limit(const struct bpf_map *map)
{
	uint64_t event = (BPF_RINGBUF_HDR_SZ + sizeof(struct grp_event) + 7) / 8 * 8;

	if (bpf_map__type(map) == BPF_MAP_TYPE_RINGBUF)
		return bpf_map__max_entries(map) / event;
	return bpf_map__max_entries(map);
}

static int tell_map(const struct bpf_map *map, int (*fn)(const struct grp_bpf_map *map, void *data),
		    void *data)
{
	const struct grp_bpf_map figures = {
		.name = bpf_map__name(map),
		.bytes = map_bytes(bpf_map__fd(map)),
		.limit = map_limit(map),
	};

	return fn(&figures, data);
}

int grp_bpf_maps(struct grp_bpf *bpf, int (*fn)(const struct grp_bpf_map *map, void *data),
		 void *data)
{
	struct bpf_map *map;
	int r;

	bpf_object__for_each_map(map, bpf->skel->obj)
	{
		r = tell_map(map, fn, data);
		if (r)
			return r;
	}
	r = bpf->pressure ? tell_map(bpf->pressure->maps.reclaims, fn, data) : 0;
	if (!r && bpf->batch)
		r = tell_map(bpf->direct->maps.batch, fn, data);
	if (r)
		return r;
	for (unsigned int i = 0; i < GRP_STORE_MAX; i++) {
		struct grp_bpf_map figures = {
			.name = grp_store_names[i],
			.bytes = map_bytes(bpf->store[i]),
		};
		struct bpf_map_info info = {};
		uint32_t len = sizeof(info);

		if (bpf_obj_get_info_by_fd(bpf->store[i], &info, &len))
			return -errno;
		figures.limit = info.max_entries;
		r = fn(&figures, data);
		if (r)
			return r;
	}
	return 0;
}

static int add_bytes(const struct grp_bpf_map *map, void *data)
{
	*(uint64_t *)data += map->bytes;
	return 0;
}

uint64_t grp_bpf_memory(struct grp_bpf *bpf)
{
	uint64_t bytes = 0;

	(void)grp_bpf_maps(bpf, add_bytes, &bytes);
	return bytes;
}
