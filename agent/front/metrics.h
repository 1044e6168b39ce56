/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The families of design 6.5 as text for Prometheus: a copy of all values, taken
 * in slices and rendered as it is read. The copy owns what it shows, so
 * that groups may go while it is rendered. No HTTP here.
 */
#ifndef GRP_FRONT_METRICS_H
#define GRP_FRONT_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/core.h"

struct grp_agent;

enum grp_metrics_format {
	GRP_METRICS_CLASSIC, /* text/plain; version=0.0.4 */
	GRP_METRICS_OPENMETRICS,
	GRP_METRICS_FORMAT_MAX,
};

/* One group. */
struct grp_metrics_group {
	char *labels; /* owned: grp_metrics_labels() */
	struct grp_usage own;
	uint64_t tree_ns;
	uint64_t tasks, processes;
};

struct grp_metrics_program {
	char *name;
	uint64_t runs, run_ns;
};

/* A gauge of this value is left out: nobody knows, or there is no limit. */
#define GRP_METRICS_UNKNOWN UINT64_MAX

struct grp_metrics_map {
	char *name;
	uint64_t entries, limit;
};

/* The agent and its process. */
struct grp_metrics_agent {
	uint64_t events_lost;
	uint64_t audit_corrections;
	uint64_t releases_started, releases_failed, releases_pending;
	struct grp_metrics_placement {
		uint64_t active, placed, repairs, fights, refused;
		uint64_t mems_placed, mems_refused, mems_pending;
		uint64_t migrations, migrations_pending, migrate_pages_left;
	} place;
	struct grp_metrics_mounts {
		uint64_t mounts, handles, references, requests, refused, interrupted;
	} fs;
	uint64_t cpu_ns;
	uint64_t resident_bytes, virtual_bytes;
	uint64_t open_fds, max_fds;
	uint64_t start_ns; /* wall clock */
};

struct grp_metrics {
	struct grp_metrics_group *groups;
	size_t n_groups;
	struct grp_metrics_program *programs;
	size_t n_programs;
	struct grp_metrics_map *maps;
	size_t n_maps;
	struct grp_metrics_agent agent;
};

struct grp_metrics_taking;

/**
 * grp_metrics_take_begin() - a copy of everything, in pieces. Of which moment the counts of
 * tasks and processes are: core/snapshot.h.
 * @ret_taking: owned by the caller, grp_metrics_take_end().
 * Return: 0; -ENOMEM; -errno of the snapshot. Context: loop.
 */
int grp_metrics_take_begin(struct grp_agent *agent, struct grp_metrics_taking **ret_taking);

/**
 * grp_metrics_take_step() - some more, in well below a millisecond.
 * @ret_metrics: set with 0; owned by the caller, grp_metrics_free().
 * Return: 1: call again; GRP_METRICS_LONG: the same, but first let others have a turn, as the
 * next step takes 0.1 us for each group; 0: that was all; -ENOMEM; -errno. Context: loop.
 */
#define GRP_METRICS_LONG 2
int grp_metrics_take_step(struct grp_metrics_taking *taking, struct grp_metrics **ret_metrics);

/* grp_metrics_take_end() - at any time; NULL is fine. */
void grp_metrics_take_end(struct grp_metrics_taking *taking);

/**
 * grp_metrics_labels() - what stands between the braces of a group's rows.
 * @hierarchy, @path: raw bytes. @ret_labels: owned by the caller. Return: 0; -ENOMEM.
 */
int grp_metrics_labels(const char *hierarchy, const char *path, char **ret_labels);

/* grp_metrics_free() - NULL is fine. */
void grp_metrics_free(struct grp_metrics *metrics);

/* grp_metrics_free_some() - so many groups of it; true: that was all, and it is gone. */
bool grp_metrics_free_some(struct grp_metrics *metrics, size_t groups);

/* grp_metrics_content_type() - value of the HTTP header; static. */
const char *grp_metrics_content_type(enum grp_metrics_format format);

/* Where a reader of the text is. */
struct grp_metrics_render {
	const struct grp_metrics *metrics; /* borrowed */
	enum grp_metrics_format format;
	size_t family, row; /* what comes next */
	bool ended; /* nothing does */
	char *text; /* owned; the row at hand, */
	size_t at, len, allocated; /* of which this much was read, and is there */
};

/* grp_metrics_render_init() - cannot fail; grp_metrics_render_done() frees. */
void grp_metrics_render_init(struct grp_metrics_render *render, const struct grp_metrics *metrics,
			     enum grp_metrics_format format);

/**
 * grp_metrics_render_read() - the next bytes of the text, made row by row as they are read.
 * Several may read the same snapshot, each at its own pace.
 * Return: how many: @size but for the last ones; 0: that was all; -ENOMEM.
 * Context: any.
 */
ssize_t grp_metrics_render_read(struct grp_metrics_render *render, char *bytes, size_t size);

void grp_metrics_render_done(struct grp_metrics_render *render);

#endif
