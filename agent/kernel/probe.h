/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What this kernel and our rights offer, found out by trying it: tiny programs
 * are loaded and dropped at once. For `grpctl features` and for the reason of a
 * start that failed; no decision is taken from a version number. Not for the
 * normal start, which simply loads what it needs.
 */
#ifndef GRP_KERNEL_PROBE_H
#define GRP_KERNEL_PROBE_H

#include <stdbool.h>

#define GRP_FEATURE_REASON_MAX 128

struct grp_feature {
	const char *name; /* static; as "task-storage" */
	bool available;
	bool needed; /* the agent cannot run without it */
	char reason[GRP_FEATURE_REASON_MAX]; /* why not; what for or what instead; may be empty */
};

/**
 * grp_probe_each() - tries every feature, in the order of a table.
 * @fn: called once a feature; another result than 0 ends it and is returned.
 * @data: handed to @fn.
 * Return: 0; what @fn returned.
 * Context: loop; takes some ten milliseconds (the kernel's types are read).
 */
int grp_probe_each(int (*fn)(const struct grp_feature *feature, void *data), void *data);

/**
 * grp_probe_missing() - the first needed feature that is not there, for the
 * message of a start that failed.
 * @ret_feature: filled when the result is 1.
 * Return: 1: there is one; 0: nothing is missing.
 * Context: loop; as grp_probe_each().
 */
int grp_probe_missing(struct grp_feature *ret_feature);

#endif
