/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Methods about the agent itself: is it there, how does it fare, what does this
 * kernel offer.
 */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "agent.h"
#include "base/cleanup_json.h"
#include "base/cleanup.h"
#include "core/place.h"
#include "front/fs.h"
#include "front/methods.h"
#include "front/server.h"
#include "kernel/probe.h"
#include "release.h"

int grp_method_ping(struct grp_call *call, json_t **ret_reply)
{
	*ret_reply = json_pack("{s:s, s:s}", "instance", call->agent->config.instance, "version",
			       GRP_VERSION);
	return *ret_reply ? 0 : -ENOMEM;
}

/* --- features ---------------------------------------------------------------- */

static int add_feature(const struct grp_feature *feature, void *data)
{
	json_t *features = data;
	json_t *object = json_pack("{s:s, s:b, s:b, s:s}", "name", feature->name, "available",
				   feature->available, "needed", feature->needed, "reason",
				   feature->reason);

	return json_array_append_new(features, object) < 0 ? -ENOMEM : 0;
}

/* Everybody may ask, and the loop stands still meanwhile: once a process. */
static int find_features(struct grp_agent *agent)
{
	_cleanup_json_ json_t *features = NULL;
	int r;

	if (agent->features)
		return 0;
	features = json_array();
	r = features ? grp_probe_each(add_feature, features) : -ENOMEM;
	if (r == 0)
		agent->features = TAKE_PTR(features);
	return r;
}

int grp_method_list_features(struct grp_call *call, json_t **ret_reply)
{
	int r = find_features(call->agent);

	if (r < 0)
		return r;
	*ret_reply = json_pack("{s:O}", "features", call->agent->features);
	return *ret_reply ? 0 : -ENOMEM;
}

/* --- status ------------------------------------------------------------------ */

static const char *const stat_names[] = {
	[GRP_STAT_EVENTS_LOST] = "events_lost",
	[GRP_STAT_BIRTH_MOVED] = "birth_moved",
	[GRP_STAT_BIRTH_ORPHANS] = "birth_orphans",
	[GRP_STAT_ORPHANS_LOST] = "orphans_lost",
	[GRP_STAT_ADOPTED] = "adopted",
	[GRP_STAT_SEEDED] = "seeded",
	[GRP_STAT_OVERRIDDEN] = "overridden",
	[GRP_STAT_DEAD_SET] = "dead_set",
	[GRP_STAT_RETRIES_SPENT] = "retries_spent",
	[GRP_STAT_EXIT_UNKNOWN] = "exit_unknown",
	[GRP_STAT_FREE_UNKNOWN] = "free_unknown",
	[GRP_STAT_BIRTH_PLACED] = "birth_placed",
	[GRP_STAT_PLACE_NOTICED] = "place_noticed",
};
_Static_assert(sizeof(stat_names) / sizeof(*stat_names) == GRP_STAT_MAX, "a name each");

struct counter {
	const char *name;
	uint64_t value;
};

static int set_counters(json_t *counters, const struct counter *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		json_t *value = json_integer((json_int_t)rows[i].value);

		if (json_object_set_new(counters, rows[i].name, value) < 0)
			return -ENOMEM;
	}
	return 0;
}

#define SET_COUNTERS(counters, rows) set_counters(counters, rows, sizeof(rows) / sizeof(*(rows)))

static int add_groups(const struct grp_agent *agent, const struct grp_core_figures *figures,
		      json_t *counters)
{
	struct grp_releases_figures releases;

	grp_releases_figures(agent->releases, &releases);
	const struct counter rows[] = {
		{ "audits", figures->audits },
		{ "folds", figures->folds },
		{ "dying_groups", figures->dying_groups },
		{ "retired_sets", figures->retired_sets },
		{ "releases_pending", figures->releases_pending },
		{ "releases_started", releases.started },
		{ "releases_failed", releases.failed },
		{ "release_agents", releases.running },
		{ "groups_auto_deleted", releases.removed },
	};

	return SET_COUNTERS(counters, rows);
}

static int add_clients(const struct grp_server_figures *clients, json_t *counters)
{
	const struct counter rows[] = {
		{ "clients_accepted", clients->accepted }, { "clients_refused", clients->refused },
		{ "requests_waiting", clients->waiting },  { "watchers", clients->watch.watchers },
		{ "watch_lost", clients->watch.lost },
	};

	return SET_COUNTERS(counters, rows);
}

static int add_placement(const struct grp_agent *agent, json_t *counters)
{
	struct grp_place_figures place;

	grp_place_figures(agent->core, &place);
	const struct counter rows[] = {
		{ "placement_active", place.active },
		{ "placements", place.placed },
		{ "placement_repairs", place.repairs },
		{ "placement_fights", place.fights },
		{ "placements_refused", place.refused },
		{ "memory_placements", place.mems_placed },
		{ "memory_placements_refused", place.mems_refused },
		{ "memory_placements_pending", place.mems_pending },
		{ "page_migrations", place.migrations },
		{ "page_migrations_pending", place.migrations_pending },
		{ "pages_left", place.migrate_pages_left },
	};

	return SET_COUNTERS(counters, rows);
}

static int add_mounts(const struct grp_agent *agent, json_t *counters)
{
	struct grp_fs_figures fs;

	grp_fs_figures(agent->fs, &fs);
	const struct counter rows[] = {
		{ "fs_mounts", fs.mounts },   { "fs_requests", fs.requests },
		{ "fs_refused", fs.refused }, { "fs_interrupted", fs.interrupted },
		{ "fs_handles", fs.handles }, { "fs_references", fs.references },
	};

	return SET_COUNTERS(counters, rows);
}

static json_t *counters_new(const struct grp_agent *agent, const struct grp_core_figures *figures,
			    const struct grp_server_figures *clients)
{
	const struct grp_kernel_view *view = grp_core_view(agent->core);
	_cleanup_json_ json_t *counters = json_object();
	int r = counters ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < GRP_STAT_MAX; i++) {
		const struct counter row = { stat_names[i], view->stats[i] };

		r = set_counters(counters, &row, 1);
	}
	if (r == 0)
		r = add_groups(agent, figures, counters);
	if (r == 0)
		r = add_clients(clients, counters);
	if (r == 0)
		r = add_placement(agent, counters);
	if (r == 0)
		r = add_mounts(agent, counters);
	return r < 0 ? NULL : TAKE_PTR(counters);
}

static int add_program(const struct grp_bpf_program *program, void *data)
{
	json_t *object = json_pack("{s:s, s:I, s:I}", "name", program->name, "runs",
				   (json_int_t)program->runs, "run_ns",
				   (json_int_t)program->run_ns);

	return json_array_append_new(data, object) < 0 ? -ENOMEM : 0;
}

/* @used < 0: nobody knows. @limit 0: there is none. */
static int add_capacity(json_t *capacities, const char *name, int64_t used, uint64_t limit,
			uint64_t bytes)
{
	json_t *object = json_pack("{s:s, s:o*, s:o*, s:I}", "name", name, "used",
				   used < 0 ? NULL : json_integer((json_int_t)used), "limit",
				   limit ? json_integer((json_int_t)limit) : NULL, "bytes",
				   (json_int_t)bytes);

	return json_array_append_new(capacities, object) < 0 ? -ENOMEM : 0;
}

static int add_map(const struct grp_bpf_map *map, void *data)
{
	char name[64];

	(void)snprintf(name, sizeof(name), "map:%s", map->name);
	return add_capacity(data, name, -1, map->limit, map->bytes);
}

/* What one more costs, times the capacity: what it costs once it is used up. */
static int add_capacities(const struct grp_agent *agent, json_t *capacities,
			  const struct grp_core_figures *figures)
{
	uint64_t set = figures->cpus * (sizeof(struct grp_cell) + sizeof(struct grp_mode)) +
		       sizeof(struct grp_count) + sizeof(struct grp_set_record);
	uint64_t group = sizeof(struct grp_group_record) + sizeof(struct grp_shown);
	struct grp_place_figures place;
	int r;

	grp_place_figures(agent->core, &place);
	r = add_capacity(capacities, "groups", figures->groups + figures->dying_groups,
			 figures->capacity_groups, group * figures->capacity_groups);
	if (r < 0)
		return r;
	r = add_capacity(capacities, "sets", figures->sets, figures->capacity_sets,
			 set * figures->capacity_sets);
	if (r < 0)
		return r;
	return add_capacity(capacities, "masks", place.masks, place.masks_limit,
			    sizeof(struct grp_mask_record) * place.masks_limit);
}

static int add_setting(const char *key, const char *value, void *data)
{
	return json_object_set_new(data, key, json_string(value ?: "")) < 0 ? -ENOMEM : 0;
}

/* The lists of a status, by what each is filled from. */
static int add_lists(const struct grp_agent *agent, const struct grp_core_figures *figures,
		     json_t *status)
{
	_cleanup_json_ json_t *capacities = json_array();
	_cleanup_json_ json_t *programs = json_array();
	_cleanup_json_ json_t *config = json_object();
	int r = 0;

	if (!capacities || !programs || !config)
		return -ENOMEM;
	r = add_capacities(agent, capacities, figures);
	if (r == 0 && agent->bpf)
		r = grp_bpf_maps(agent->bpf, add_map, capacities);
	if (r == 0 && agent->bpf)
		r = grp_bpf_programs(agent->bpf, add_program, programs);
	if (r == 0)
		r = grp_config_each(&agent->config, add_setting, config);
	if (r < 0)
		return r;
	return json_object_set(status, "capacities", capacities) < 0 ||
			       json_object_set(status, "programs", programs) < 0 ||
			       json_object_set(status, "config", config) < 0 ?
		       -ENOMEM :
		       0;
}

int grp_method_get_status(struct grp_call *call, json_t **ret_reply)
{
	_cleanup_json_ json_t *status = NULL;
	const struct grp_agent *agent = call->agent;
	const struct grp_kernel_view *view = grp_core_view(agent->core);
	struct grp_server_figures clients;
	struct grp_core_figures figures;
	unsigned int corrections;
	int r = 0;

	if (grp_call_flag(call, "audit"))
		r = grp_core_audit(agent->core, &corrections);
	if (r < 0)
		return r;
	grp_core_figures(agent->core, &figures);
	grp_server_figures(agent->server, &clients);
	status = json_pack(
		"{s:s, s:s, s:s, s:i, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:s, s:o}",
		"instance", agent->config.instance, "version", GRP_VERSION, "state", "running",
		"pid", (int)getpid(), "generation",
		(json_int_t)(agent->bpf ? grp_bpf_generation(agent->bpf) : 0), "started_ns",
		(json_int_t)agent->started_ns, "hierarchies", (json_int_t)figures.hierarchies,
		"groups", (json_int_t)figures.groups, "sets", (json_int_t)figures.sets,
		"connections", (json_int_t)clients.connections, "memory_bytes",
		(json_int_t)(agent->bpf ? grp_bpf_memory(agent->bpf) : 0), "events_lost",
		(json_int_t)view->stats[GRP_STAT_EVENTS_LOST], "audit_corrections",
		(json_int_t)figures.audit_corrections, "groups_file", agent->groups_file ?: "none",
		"counters", counters_new(agent, &figures, &clients));
	if (!status)
		return -ENOMEM;
	r = add_lists(agent, &figures, status);
	if (r == 0)
		*ret_reply = json_pack("{s:O}", "status", status);
	return r < 0 || *ret_reply ? r : -ENOMEM;
}
