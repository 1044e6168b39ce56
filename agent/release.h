/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Carries out what core/release.h finds due: starts release agents, a bounded number
 * at a time, and removes groups with auto_delete. Nothing here waits: the loop starts
 * a program and is told of its end.
 */
#ifndef GRP_RELEASE_H
#define GRP_RELEASE_H

#include <stdint.h>

struct grp_agent;
struct grp_releases;

/*
 * A program that runs for longer does not count any more against the setting
 * release-agents, so that those that hang do not keep the others waiting; but of
 * all together there are at most so many times the setting.
 */
#define GRP_RELEASE_YOUNG_USEC 10000000ULL
#define GRP_RELEASE_ALIVE_FACTOR 16

/**
 * grp_releases_new() - before the first round of the loop.
 * @agent: borrowed; its loop, core and settings are used.
 * @ret_releases: owned by the caller, grp_releases_free().
 * Return: 0; -ENOMEM, -errno of the loop.
 */
int grp_releases_new(struct grp_agent *agent, struct grp_releases **ret_releases);

/* grp_releases_free() - programs that run go on. NULL is fine. */
void grp_releases_free(struct grp_releases *releases);

/* grp_releases_round() - after each round of the loop: goes on if anything is due. */
void grp_releases_round(struct grp_releases *releases);

/* Figures for status and metrics, since this start. */
struct grp_releases_figures {
	uint64_t started; /* release agents */
	uint64_t failed; /* ... that could not be run, and paths that were too long */
	uint64_t removed; /* groups, by auto_delete */
	uint64_t running; /* release agents now */
};
/* grp_releases_figures() - all 0 for NULL. */
void grp_releases_figures(const struct grp_releases *releases,
			  struct grp_releases_figures *ret_figures);

#endif
