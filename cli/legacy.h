/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What programs of old times read to find control groups of version 1, made up
 * from the agent's hierarchies: the texts of /proc/mounts and /proc/cgroups.
 * Pure: the mounting is cmd_legacy.c's.
 */
#ifndef GRP_CLI_LEGACY_H
#define GRP_CLI_LEGACY_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* Where control groups are looked for; each hierarchy is a directory of it. */
#define GRP_LEGACY_ROOT "/sys/fs/cgroup"

/**
 * grp_legacy_choose() - the hierarchies that are shown.
 * @all: array of Hierarchy.
 * @names: separated by commas, in this order, aliases too; NULL: all that are mounted.
 * @ret_missing: what is not there, or is not mounted; points into @names.
 * Return: an array of Hierarchy, new reference; NULL: no memory, or see @ret_missing.
 */
json_t *grp_legacy_choose(const json_t *all, const char *names, const char **ret_missing);

/**
 * grp_legacy_owns() - does hierarchy @i show this subsystem as its own? A program
 * of old times knows one hierarchy for each; of several it is the first.
 */
bool grp_legacy_owns(const json_t *chosen, size_t i, const char *subsystem);

/**
 * grp_legacy_mounts() - the text of /proc/mounts: what @real has, without control
 * groups and what lies below GRP_LEGACY_ROOT, and a line for each of @chosen.
 * @real: the text of /proc/self/mounts.
 */
void grp_legacy_mounts(const json_t *chosen, const char *real, FILE *out);

/**
 * grp_legacy_controllers() - the text of /proc/cgroups.
 * @subsystems: array of Subsystem.
 */
void grp_legacy_controllers(const json_t *chosen, const json_t *subsystems, FILE *out);

#endif
