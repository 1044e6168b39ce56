/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What /metrics shows. Names and labels are a contract (design 6.5).
 */
#include "front/families.h"

#include "front/metrics.h"

const struct grp_family_words grp_family_words[] = {
	[GRP_FAMILY_COUNTER] = { "_total", "counter", "counter" },
	[GRP_FAMILY_GAUGE] = { "", "gauge", "gauge" },
	[GRP_FAMILY_INFO] = { "_info", "gauge", "info" },
};
_Static_assert(sizeof(grp_family_words) / sizeof(grp_family_words[0]) == GRP_FAMILY_MAX,
	       "words for each type");

const char *const grp_unit_names[] = {
	[GRP_UNIT_NONE] = NULL,
	[GRP_UNIT_SECONDS] = "seconds",
	[GRP_UNIT_BYTES] = "bytes",
};
_Static_assert(sizeof(grp_unit_names) / sizeof(grp_unit_names[0]) == GRP_UNIT_MAX,
	       "a name for each unit");

/* Where a value is in the row's struct: of a group, program, map, or the agent. */
#define AT(row, member) .offset = offsetof(struct grp_metrics_##row, member)

const struct grp_family grp_families[] = {
	{
		.name = "taskgroup_cpu_seconds",
		.help = "CPU time the kernel charged to the tasks of this group itself.",
		.type = GRP_FAMILY_COUNTER,
		.unit = GRP_UNIT_SECONDS,
		.rows = GRP_ROWS_GROUPS,
		.values = { { AT(group, own.time_ns) } },
	},
	{
		.name = "taskgroup_subtree_cpu_seconds",
		.help = "CPU time of this group and all groups below it, removed ones included.",
		.type = GRP_FAMILY_COUNTER,
		.unit = GRP_UNIT_SECONDS,
		.rows = GRP_ROWS_GROUPS,
		.values = { { AT(group, tree_ns) } },
	},
	{
		.name = "taskgroup_cpu_mode_seconds",
		.help = "CPU time of the tasks of this group itself by mode; the modes add up to the time.",
		.type = GRP_FAMILY_COUNTER,
		.unit = GRP_UNIT_SECONDS,
		.rows = GRP_ROWS_GROUPS,
		.values = { { AT(group, own.user_ns), .label = "mode=\"user\"" },
			    { AT(group, own.system_ns), .label = "mode=\"system\"" } },
	},
	{
		.name = "taskgroup_tasks",
		.help = "Tasks (threads) in this group itself.",
		.type = GRP_FAMILY_GAUGE,
		.rows = GRP_ROWS_GROUPS,
		.values = { { AT(group, tasks) } },
	},
	{
		.name = "taskgroup_processes",
		.help = "Processes with a task in this group itself.",
		.type = GRP_FAMILY_GAUGE,
		.rows = GRP_ROWS_GROUPS,
		.values = { { AT(group, processes) } },
	},
	{
		.name = "taskgroup_forks",
		.help = "Tasks born in this group.",
		.type = GRP_FAMILY_COUNTER,
		.rows = GRP_ROWS_GROUPS,
		.values = { { AT(group, own.forks) } },
	},
	{
		.name = "taskgroup_execs",
		.help = "Programs executed by tasks of this group.",
		.type = GRP_FAMILY_COUNTER,
		.rows = GRP_ROWS_GROUPS,
		.values = { { AT(group, own.execs) } },
	},
	{
		.name = "taskgroup_exits",
		.help = "Tasks that ended in this group.",
		.type = GRP_FAMILY_COUNTER,
		.rows = GRP_ROWS_GROUPS,
		.values = { { AT(group, own.exits) } },
	},
	{
		.name = "taskgroup_context_switches",
		.help = "Switches away from tasks of this group: they waited, or were preempted.",
		.type = GRP_FAMILY_COUNTER,
		.rows = GRP_ROWS_GROUPS,
		.values = { { AT(group, own.voluntary), .label = "reason=\"voluntary\"" },
			    { AT(group, own.involuntary), .label = "reason=\"involuntary\"" } },
	},
	{
		.name = "taskgroup_migrations",
		.help = "Moves of tasks of this group between CPUs.",
		.type = GRP_FAMILY_COUNTER,
		.rows = GRP_ROWS_GROUPS,
		.values = { { AT(group, own.migrations) } },
	},
	{
		.name = "taskgroup_agent_build",
		.help = "Version of the agent; always 1.",
		.type = GRP_FAMILY_INFO,
		.rows = GRP_ROWS_AGENT,
		.values = { { .label = "version=\"" GRP_VERSION "\"" } },
	},
	{
		.name = "taskgroup_bpf_runs",
		.help = "Runs of a BPF program while kernel.bpf_stats_enabled was set.",
		.type = GRP_FAMILY_COUNTER,
		.rows = GRP_ROWS_PROGRAMS,
		.values = { { AT(program, runs) } },
	},
	{
		.name = "taskgroup_bpf_run_seconds",
		.help = "Time in a BPF program while kernel.bpf_stats_enabled was set.",
		.type = GRP_FAMILY_COUNTER,
		.unit = GRP_UNIT_SECONDS,
		.rows = GRP_ROWS_PROGRAMS,
		.values = { { AT(program, run_ns) } },
	},
	{
		.name = "taskgroup_events_lost",
		.help = "Kernel events that found no room; the agent recovers by comparing counts.",
		.type = GRP_FAMILY_COUNTER,
		.rows = GRP_ROWS_AGENT,
		.values = { { AT(agent, events_lost) } },
	},
	{
		.name = "taskgroup_audit_corrections",
		.help = "Counts an audit had to mend; must stay 0.",
		.type = GRP_FAMILY_COUNTER,
		.rows = GRP_ROWS_AGENT,
		.values = { { AT(agent, audit_corrections) } },
	},
	{
		.name = "taskgroup_releases_started",
		.help = "Release agents started since the start of the agent.",
		.type = GRP_FAMILY_COUNTER,
		.rows = GRP_ROWS_AGENT,
		.values = { { AT(agent, releases_started) } },
	},
	{
		.name = "taskgroup_releases_failed",
		.help = "Releases whose agent could not be run, or whose path was too long.",
		.type = GRP_FAMILY_COUNTER,
		.rows = GRP_ROWS_AGENT,
		.values = { { AT(agent, releases_failed) } },
	},
	{
		.name = "taskgroup_releases_pending",
		.help = "Released groups that wait for their turn.",
		.type = GRP_FAMILY_GAUGE,
		.rows = GRP_ROWS_AGENT,
		.values = { { AT(agent, releases_pending) } },
	},
	{
		.name = "taskgroup_placement_active",
		.help = "Whether somebody is confined to CPUs, so that the hooks of placement are attached.",
		.type = GRP_FAMILY_GAUGE,
		.rows = GRP_ROWS_AGENT,
		.values = { { AT(agent, place.active) } },
	},
	{
		.name = "taskgroup_placements",
		.help = "Times that the CPUs of a task were set since the start of the agent.",
		.type = GRP_FAMILY_COUNTER,
		.rows = GRP_ROWS_AGENT,
		.values = { { AT(agent, place.placed) } },
	},
	{
		.name = "taskgroup_placement_repairs",
		.help = "Times that CPUs were set because somebody had rewritten them.",
		.type = GRP_FAMILY_COUNTER,
		.rows = GRP_ROWS_AGENT,
		.values = { { AT(agent, place.repairs) } },
	},
	{
		.name = "taskgroup_placement_fights",
		.help = "Repairs put off because the task is rewritten again and again.",
		.type = GRP_FAMILY_COUNTER,
		.rows = GRP_ROWS_AGENT,
		.values = { { AT(agent, place.fights) } },
	},
	{
		.name = "taskgroup_placements_refused",
		.help = "Attempts to set CPUs that the kernel refused.",
		.type = GRP_FAMILY_COUNTER,
		.rows = GRP_ROWS_AGENT,
		.values = { { AT(agent, place.refused) } },
	},
	{
		.name = "taskgroup_fs_mounts",
		.help = "Mounts of the control filesystem that are served.",
		.type = GRP_FAMILY_GAUGE,
		.rows = GRP_ROWS_AGENT,
		.values = { { AT(agent, fs.mounts) } },
	},
	{
		.name = "taskgroup_fs_requests",
		.help = "Requests to mounts since the start of the agent.",
		.type = GRP_FAMILY_COUNTER,
		.rows = GRP_ROWS_AGENT,
		.values = { { AT(agent, fs.requests) } },
	},
	{
		.name = "taskgroup_fs_refused",
		.help = "Requests to mounts that were answered with an error; a name that is not there is none.",
		.type = GRP_FAMILY_COUNTER,
		.rows = GRP_ROWS_AGENT,
		.values = { { AT(agent, fs.refused) } },
	},
	{
		.name = "taskgroup_fs_interrupted",
		.help = "Writes to mounts whose writer did not wait for their end.",
		.type = GRP_FAMILY_COUNTER,
		.rows = GRP_ROWS_AGENT,
		.values = { { AT(agent, fs.interrupted) } },
	},
	{
		.name = "taskgroup_fs_handles",
		.help = "Files and directories of mounts that are open.",
		.type = GRP_FAMILY_GAUGE,
		.rows = GRP_ROWS_AGENT,
		.values = { { AT(agent, fs.handles) } },
	},
	{
		.name = "taskgroup_fs_references",
		.help = "References of the kernel to groups and files of mounts.",
		.type = GRP_FAMILY_GAUGE,
		.rows = GRP_ROWS_AGENT,
		.values = { { AT(agent, fs.references) } },
	},
	{
		.name = "taskgroup_map_entries",
		.help = "Entries in use of a kernel map.",
		.type = GRP_FAMILY_GAUGE,
		.rows = GRP_ROWS_MAPS,
		.values = { { AT(map, entries) } },
	},
	{
		.name = "taskgroup_map_entries_limit",
		.help = "Entries a kernel map has room for.",
		.type = GRP_FAMILY_GAUGE,
		.rows = GRP_ROWS_MAPS,
		.values = { { AT(map, limit) } },
	},
	{
		.name = "process_cpu_seconds",
		.help = "User and system CPU time of the agent.",
		.type = GRP_FAMILY_COUNTER,
		.unit = GRP_UNIT_SECONDS,
		.rows = GRP_ROWS_AGENT,
		.values = { { AT(agent, cpu_ns) } },
	},
	{
		.name = "process_resident_memory_bytes",
		.help = "Resident memory of the agent.",
		.type = GRP_FAMILY_GAUGE,
		.unit = GRP_UNIT_BYTES,
		.rows = GRP_ROWS_AGENT,
		.values = { { AT(agent, resident_bytes) } },
	},
	{
		.name = "process_virtual_memory_bytes",
		.help = "Virtual memory of the agent.",
		.type = GRP_FAMILY_GAUGE,
		.unit = GRP_UNIT_BYTES,
		.rows = GRP_ROWS_AGENT,
		.values = { { AT(agent, virtual_bytes) } },
	},
	{
		.name = "process_open_fds",
		.help = "Open file descriptors of the agent.",
		.type = GRP_FAMILY_GAUGE,
		.rows = GRP_ROWS_AGENT,
		.values = { { AT(agent, open_fds) } },
	},
	{
		.name = "process_max_fds",
		.help = "Most file descriptors the agent may open.",
		.type = GRP_FAMILY_GAUGE,
		.rows = GRP_ROWS_AGENT,
		.values = { { AT(agent, max_fds) } },
	},
	{
		.name = "process_start_time_seconds",
		.help = "Start of the agent since the epoch.",
		.type = GRP_FAMILY_GAUGE,
		.unit = GRP_UNIT_SECONDS,
		.rows = GRP_ROWS_AGENT,
		.values = { { AT(agent, start_ns) } },
	},
};
const size_t grp_n_families = sizeof(grp_families) / sizeof(grp_families[0]);
