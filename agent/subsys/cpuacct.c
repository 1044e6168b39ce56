/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Subsystem cpuacct: CPU time of groups as control files, in the forms of today's
 * Linux (design 6.3). Counting itself is done for every set whether or not this
 * subsystem is bound anywhere; it may be bound to any number of hierarchies.
 * The historical forms are in cpuacct_history.c.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "subsys/cpuacct.h"
#include "subsys/subsys.h"

/* What a CPU's figure is read for. */
enum kind {
	KIND_TOTAL,
	KIND_USER,
	KIND_SYSTEM,
};

static uint64_t pick(const struct grp_base_cpu *cpu, enum kind kind)
{
	switch (kind) {
	case KIND_USER:
		return cpu->mode.user_ns;
	case KIND_SYSTEM:
		return cpu->mode.system_ns;
	default:
		return cpu->cell.time_ns;
	}
}

/* Subtree per CPU, and the baseline of the last reset; both malloc'ed. */
struct figures {
	unsigned int cpus;
	struct grp_base_cpu *now, *baseline;
};

static void figures_done(struct figures *figures)
{
	free(figures->now);
	free(figures->baseline);
}
#define _cleanup_figures_ __attribute__((cleanup(figures_done)))

static int figures_read(const struct grp_file_access *access, struct figures *figures)
{
	unsigned int cpus = grp_core_view(access->core)->cpus;
	int r = grp_core_settle(access->core);

	figures->cpus = cpus;
	figures->now = calloc(cpus, sizeof(*figures->now));
	figures->baseline = calloc(cpus, sizeof(*figures->baseline));
	if (!figures->now || !figures->baseline)
		return -ENOMEM;
	if (!r)
		r = grp_usage_percpu(access->core, access->group, true, figures->now);
	if (!r)
		r = grp_usage_baseline(access->core, access->group, figures->baseline);
	return r;
}

static uint64_t figure(const struct figures *figures, unsigned int cpu, enum kind kind)
{
	return grp_above(pick(&figures->now[cpu], kind), pick(&figures->baseline[cpu], kind));
}

/* --- sums ------------------------------------------------------------------------------ */

static int read_usage(const struct grp_file_access *access, FILE *out)
{
	_cleanup_figures_ struct figures figures = {};
	struct grp_usage usage;
	uint64_t baseline = 0;
	int r = figures_read(access, &figures);

	if (!r)
		r = grp_usage_read(access->core, access->group, true, &usage);
	if (r)
		return r;
	for (unsigned int cpu = 0; cpu < figures.cpus; cpu++)
		baseline += figures.baseline[cpu].cell.time_ns;
	(void)fprintf(out, "%" PRIu64 "\n", grp_above(usage.time_ns, baseline));
	return 0;
}

static int write_usage(const struct grp_file_access *access, const char *text, size_t len)
{
	if (!((len == 1 && text[0] == '0') || (len == 2 && !strcmp(text, "0\n"))))
		return grp_error_set(access->error, EINVAL, "only 0 can be written: it resets");
	return grp_usage_reset(access->core, access->group);
}

int grp_cpuacct_own(const struct grp_file_access *access, uint64_t *ret_ns)
{
	struct grp_usage usage;
	int r = grp_core_settle(access->core);

	if (!r)
		r = grp_usage_read(access->core, access->group, false, &usage);
	if (r)
		return r;
	*ret_ns = usage.time_ns;
	return 0;
}

static int read_usage_own(const struct grp_file_access *access, FILE *out)
{
	uint64_t own;
	int r = grp_cpuacct_own(access, &own);

	if (!r)
		(void)fprintf(out, "%" PRIu64 "\n", own);
	return r;
}

static int read_sum(const struct grp_file_access *access, FILE *out, enum kind kind)
{
	_cleanup_figures_ struct figures figures = {};
	uint64_t sum = 0;
	int r = figures_read(access, &figures);

	for (unsigned int cpu = 0; !r && cpu < figures.cpus; cpu++)
		sum += figure(&figures, cpu, kind);
	if (!r)
		(void)fprintf(out, "%" PRIu64 "\n", sum);
	return r;
}

static int read_user(const struct grp_file_access *access, FILE *out)
{
	return read_sum(access, out, KIND_USER);
}

static int read_sys(const struct grp_file_access *access, FILE *out)
{
	return read_sum(access, out, KIND_SYSTEM);
}

/* --- per CPU --------------------------------------------------------------------------- */

static int read_cpus(const struct grp_file_access *access, FILE *out, enum kind kind)
{
	_cleanup_figures_ struct figures figures = {};
	int r = figures_read(access, &figures);

	for (unsigned int cpu = 0; !r && cpu < figures.cpus; cpu++)
		(void)fprintf(out, "%" PRIu64 " ", figure(&figures, cpu, kind));
	if (!r)
		(void)fputc('\n', out);
	return r;
}

static int read_percpu(const struct grp_file_access *access, FILE *out)
{
	return read_cpus(access, out, KIND_TOTAL);
}

static int read_percpu_user(const struct grp_file_access *access, FILE *out)
{
	return read_cpus(access, out, KIND_USER);
}

static int read_percpu_sys(const struct grp_file_access *access, FILE *out)
{
	return read_cpus(access, out, KIND_SYSTEM);
}

static int read_all(const struct grp_file_access *access, FILE *out)
{
	_cleanup_figures_ struct figures figures = {};
	int r = figures_read(access, &figures);

	if (r)
		return r;
	(void)fputs("cpu user system\n", out);
	for (unsigned int cpu = 0; cpu < figures.cpus; cpu++)
		(void)fprintf(out, "%u %" PRIu64 " %" PRIu64 "\n", cpu,
			      figure(&figures, cpu, KIND_USER), figure(&figures, cpu, KIND_SYSTEM));
	return 0;
}

/* --- others ---------------------------------------------------------------------------- */

static int read_stat(const struct grp_file_access *access, FILE *out)
{
	uint64_t ns_per_tick = grp_ns_per_tick();
	struct grp_usage usage;
	int r = grp_core_settle(access->core);

	if (!r)
		r = grp_usage_read(access->core, access->group, true, &usage);
	if (r)
		return r;
	(void)fprintf(out, "user %" PRIu64 "\nsystem %" PRIu64 "\n", usage.user_ns / ns_per_tick,
		      usage.system_ns / ns_per_tick);
	return 0;
}

static int read_events(const struct grp_file_access *access, FILE *out)
{
	struct grp_usage usage;
	int r = grp_core_settle(access->core);

	if (!r)
		r = grp_usage_read(access->core, access->group, false, &usage);
	if (r)
		return r;
	(void)fprintf(out,
		      "forks %" PRIu64 "\nexecs %" PRIu64 "\nexits %" PRIu64 "\nswitches %" PRIu64
		      "\npreempted %" PRIu64 "\nmigrations %" PRIu64 "\n",
		      usage.forks, usage.execs, usage.exits, usage.voluntary + usage.involuntary,
		      usage.involuntary, usage.migrations);
	return 0;
}

#define READ_ONLY(NAME, UNIT, READ, HELP)                                            \
	{                                                                            \
		.name = NAME, .mode = 0444, .unit = UNIT, .help = HELP, .read = READ \
	}

static const struct grp_file files[] = {
	{
		.name = "usage",
		.mode = 0644,
		.unit = "ns",
		.help = "CPU time of this group and all below; write 0 to reset",
		.read = read_usage,
		.write = write_usage,
	},
	READ_ONLY("usage_own", "ns", read_usage_own, "CPU time of this group's own tasks"),
	READ_ONLY("usage_percpu", "ns", read_percpu, "usage on each possible CPU"),
	READ_ONLY("usage_user", "ns", read_user, "part of usage in user mode, by ticks"),
	READ_ONLY("usage_sys", "ns", read_sys, "part of usage in the kernel, by ticks"),
	READ_ONLY("usage_percpu_user", "ns", read_percpu_user, "usage_user on each CPU"),
	READ_ONLY("usage_percpu_sys", "ns", read_percpu_sys, "usage_sys on each CPU"),
	READ_ONLY("usage_all", "ns", read_all, "user and system time, a line for each CPU"),
	READ_ONLY("stat", "USER_HZ", read_stat, "user and system time, adding up to usage"),
	READ_ONLY("events", "", read_events, "what this group's own tasks did"),
	READ_ONLY("usage_ms", "ms", grp_cpuacct_read_ms, "usage_own in milliseconds"),
	READ_ONLY("load", "%", grp_cpuacct_read_load,
		  "own tasks over the last whole 10 s, 100 a CPU; 0 without load_enabled"),
	READ_ONLY("report", "USER_HZ", grp_cpuacct_read_report,
		  "own tasks in the present 10 s and ever, of all time on all CPUs"),
	{
		.name = "load_enabled",
		.mode = 0644,
		.flags = GRP_FILE_ROOT_ONLY | GRP_FILE_SAVED,
		.unit = "",
		.help = "1: load and report measure over windows of 10 s in this hierarchy",
		.read = grp_cpuacct_read_enabled,
		.write = grp_cpuacct_write_enabled,
		.preset = "0",
		.canonical = grp_file_canonical_flag,
	},
};

const struct grp_subsystem grp_cpuacct = {
	.name = "cpuacct",
	.shareable = true,
	.files = files,
	.n_files = sizeof(files) / sizeof(*files),
	.due = grp_cpuacct_due,
	.tick = grp_cpuacct_tick,
};
