/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where the values of /metrics come from: copies of the core's snapshot, in pieces, of what
 * the kernel knows of our programs and maps, and of our own process. Rendering
 * is in metrics.c.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "agent.h"
#include "base/cleanup.h"
#include "base/parse.h"
#include "core/place.h"
#include "core/snapshot.h"
#include "front/fs.h"
#include "front/metrics.h"
#include "release.h"

/* Of a step: some dozen microseconds. A group takes as long as so many bytes of its path. */
#define BYTES_AT_ONCE 4096
#define GROUP_BYTES 128

struct grp_metrics_taking {
	struct grp_agent *agent;
	size_t stage; /* index in stages */
	struct grp_snapshot snapshot;
	size_t copied; /* rows of the snapshot */
	struct grp_metrics *metrics; /* owned */
};

/* --- groups -------------------------------------------------------------------- */

static int take_snapshot(struct grp_metrics_taking *taking)
{
	_Static_assert(GRP_SNAPSHOT_LONG == GRP_METRICS_LONG, "handed on as it is");

	return grp_snapshot_step(&taking->snapshot);
}

/* Return: length of its path; -errno. */
static ssize_t copy_row(struct grp_metrics *metrics, const struct grp_group *group,
			const struct grp_snapshot_row *row)
{
	struct grp_metrics_group *copy = &metrics->groups[metrics->n_groups];
	char path[GRP_PATH_MAX];
	ssize_t len = grp_group_path(group, path, sizeof(path));

	if (len < 0)
		return len;
	*copy = (struct grp_metrics_group){
		.own = row->own,
		.tree_ns = row->tree_ns,
		.tasks = row->tasks,
		.processes = row->processes,
	};
	if (grp_metrics_labels(group->hierarchy->name, path, &copy->labels) < 0)
		return -ENOMEM;
	metrics->n_groups++;
	return len;
}

/* Some of them; one that was removed meanwhile is left out. */
static int copy_rows(struct grp_metrics_taking *taking)
{
	const struct grp_snapshot *snapshot = &taking->snapshot;
	struct grp_metrics *metrics = taking->metrics;
	ssize_t n = 0;

	if (!metrics->groups)
		metrics->groups = reallocarray(NULL, snapshot->n + 1, sizeof(*metrics->groups));
	if (!metrics->groups)
		return -ENOMEM;
	for (size_t bytes = 0; taking->copied < snapshot->n && bytes < BYTES_AT_ONCE;
	     bytes += GROUP_BYTES + (size_t)n) {
		const struct grp_snapshot_row *row = &snapshot->rows[taking->copied++];
		const struct grp_group *group = grp_group_at(taking->agent->core, row->group);

		n = group && !group->dying ? copy_row(metrics, group, row) : 0;
		if (n < 0)
			return (int)n;
	}
	return taking->copied < snapshot->n;
}

/* --- programs and maps ------------------------------------------------------------ */

static int take_program(const struct grp_bpf_program *program, void *data)
{
	struct grp_metrics *metrics = data;
	struct grp_metrics_program *programs;
	char *name;

	programs = reallocarray(metrics->programs, metrics->n_programs + 1, sizeof(*programs));
	if (!programs)
		return -ENOMEM;
	metrics->programs = programs;
	name = strdup(program->name);
	if (!name)
		return -ENOMEM;
	programs[metrics->n_programs++] = (struct grp_metrics_program){
		.name = name,
		.runs = program->runs,
		.run_ns = program->run_ns,
	};
	return 0;
}

static int take_map(const struct grp_bpf_map *map, void *data)
{
	struct grp_metrics *metrics = data;
	struct grp_metrics_map *maps;
	char *name;

	maps = reallocarray(metrics->maps, metrics->n_maps + 1, sizeof(*maps));
	if (!maps)
		return -ENOMEM;
	metrics->maps = maps;
	name = strdup(map->name);
	if (!name)
		return -ENOMEM;
	maps[metrics->n_maps++] = (struct grp_metrics_map){
		.name = name,
		.entries = map->entries ? map->entries : GRP_METRICS_UNKNOWN,
		.limit = map->limit ? map->limit : GRP_METRICS_UNKNOWN,
	};
	return 0;
}

/* What the kernel does not count, and the core does. */
static void fill_entries(struct grp_metrics *metrics, const struct grp_core_figures *figures,
			 const struct grp_place_figures *place)
{
	const struct {
		const char *map;
		uint64_t entries;
	} known[] = {
		{ "grp_hierarchies", figures->hierarchies },
		{ "grp_groups", figures->groups + figures->dying_groups },
		{ "grp_sets", figures->sets },
		{ "masks", place->masks },
	};

	for (size_t i = 0; i < metrics->n_maps; i++)
		for (size_t j = 0; j < sizeof(known) / sizeof(known[0]); j++)
			if (!strcmp(metrics->maps[i].name, known[j].map))
				metrics->maps[i].entries = known[j].entries;
}

/* --- the process -------------------------------------------------------------------- */

static uint64_t process_cpu_ns(void)
{
	struct timespec used;

	if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used) < 0)
		return 0;
	return (uint64_t)used.tv_sec * 1000000000 + (uint64_t)used.tv_nsec;
}

/* Figures of /proc/self/statm: total and resident, in pages. 0 when unknown. */
static void take_memory(struct grp_metrics_agent *agent)
{
	_cleanup_close_ int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	uint64_t pages[2] = { 0 };
	char text[128], *next = text;
	ssize_t len;

	len = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (len < 0)
		return;
	text[len] = '\0';
	for (size_t i = 0; i < 2; i++) {
		const char *word = strsep(&next, " ");

		if (!word || grp_parse_u64(word, 0, UINT64_MAX / page, &pages[i]) < 0)
			return;
	}
	agent->virtual_bytes = pages[0] * page;
	agent->resident_bytes = pages[1] * page;
}

static uint64_t count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	uint64_t n = 0;

	if (!dir)
		return 0;
	for (const struct dirent *entry = readdir(dir); entry; entry = readdir(dir))
		n += entry->d_name[0] != '.';
	(void)closedir(dir);
	return n ? n - 1 : 0; /* without the one that looked */
}

static void take_process(struct grp_metrics_agent *agent)
{
	struct rlimit limit;

	agent->cpu_ns = process_cpu_ns();
	take_memory(agent);
	agent->open_fds = count_fds();
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
		agent->max_fds = limit.rlim_cur;
}

/* --- parts of the agent ---------------------------------------------------------------- */

static void take_placement(const struct grp_place_figures *figures,
			   struct grp_metrics_placement *ret)
{
	*ret = (struct grp_metrics_placement){
		.active = figures->active,
		.placed = figures->placed,
		.repairs = figures->repairs,
		.fights = figures->fights,
		.refused = figures->refused,
		.mems_placed = figures->mems_placed,
		.mems_refused = figures->mems_refused,
		.mems_pending = figures->mems_pending,
		.migrations = figures->migrations,
		.migrations_pending = figures->migrations_pending,
		.migrate_pages_left = figures->migrate_pages_left,
	};
}

static void take_mounts(const struct grp_agent *agent, struct grp_metrics_mounts *ret)
{
	struct grp_fs_figures figures;

	grp_fs_figures(agent->fs, &figures);
	*ret = (struct grp_metrics_mounts){
		.mounts = figures.mounts,
		.handles = figures.handles,
		.references = figures.references,
		.requests = figures.requests,
		.refused = figures.refused,
		.interrupted = figures.interrupted,
	};
}

/* --- all together ----------------------------------------------------------------------- */

int grp_metrics_take_begin(struct grp_agent *agent, struct grp_metrics_taking **ret_taking)
{
	struct grp_metrics_taking *taking = calloc(1, sizeof(*taking));
	int r = -ENOMEM;

	if (!taking)
		return r;
	taking->agent = agent;
	taking->metrics = calloc(1, sizeof(*taking->metrics));
	if (taking->metrics)
		r = grp_snapshot_begin(agent->core, &taking->snapshot);
	if (r)
		grp_metrics_take_end(taking);
	else
		*ret_taking = taking;
	return r;
}

static int take_programs(struct grp_metrics_taking *taking)
{
	return grp_bpf_programs(taking->agent->bpf, take_program, taking->metrics);
}

static int take_maps(struct grp_metrics_taking *taking)
{
	struct grp_agent *agent = taking->agent;
	struct grp_core_figures figures;
	struct grp_place_figures place;
	int r = grp_bpf_maps(agent->bpf, take_map, taking->metrics);

	if (r < 0)
		return r;
	grp_core_figures(agent->core, &figures);
	grp_place_figures(agent->core, &place);
	fill_entries(taking->metrics, &figures, &place);
	return 0;
}

static int take_agent(struct grp_metrics_taking *taking)
{
	struct grp_metrics_agent *metrics = &taking->metrics->agent;
	struct grp_agent *agent = taking->agent;
	struct grp_releases_figures releases;
	struct grp_core_figures figures;
	struct grp_place_figures place;

	grp_core_figures(agent->core, &figures);
	grp_place_figures(agent->core, &place);
	grp_releases_figures(agent->releases, &releases);
	metrics->audit_corrections = figures.audit_corrections;
	metrics->events_lost = grp_core_view(agent->core)->stats[GRP_STAT_EVENTS_LOST];
	metrics->start_ns = agent->started_ns;
	metrics->releases_started = releases.started;
	metrics->releases_failed = releases.failed;
	metrics->releases_pending = figures.releases_pending;
	take_placement(&place, &metrics->place);
	take_mounts(agent, &metrics->fs);
	take_process(metrics);
	return 0;
}

/* One after the other. Return: as grp_metrics_take_step(), 0 for that was all of it. */
static int (*const stages[])(struct grp_metrics_taking *taking) = {
	take_snapshot, copy_rows, take_programs, take_maps, take_agent,
};

int grp_metrics_take_step(struct grp_metrics_taking *taking, struct grp_metrics **ret_metrics)
{
	int r = stages[taking->stage](taking);

	if (r == 0 && ++taking->stage < sizeof(stages) / sizeof(stages[0]))
		return 1;
	if (r == 0)
		*ret_metrics = TAKE_PTR(taking->metrics);
	return r;
}

void grp_metrics_take_end(struct grp_metrics_taking *taking)
{
	if (!taking)
		return;
	grp_snapshot_done(&taking->snapshot);
	grp_metrics_free(taking->metrics);
	free(taking);
}
