/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Settings: option over file over default; every option has a key. Reads
 * /etc/grpagent/NAME.conf, one `key = value` a line, `#` starts a comment.
 */
#ifndef GRP_CONFIG_H
#define GRP_CONFIG_H

#include <stdbool.h>
#include <stdio.h>

#include "base/error.h"

struct grp_config {
	char *instance; /* default "main" */
	char *file; /* default /etc/grpagent/NAME.conf, may be missing */
	char *metrics; /* "ADDR:PORT" or "none"; default per instance */
	char *groups_file; /* absolute path, or "none" */
	char *mount; /* as in base/mount_list.h, or "none" */
	unsigned int capacity_groups;
	unsigned int capacity_sets;
	unsigned int connections_per_uid;
	unsigned int groups_per_uid; /* not for root */
	unsigned int release_agents; /* programs that run at a time */
	unsigned int streams_per_uid; /* requests that wait: wait, kill, watch */
	unsigned int watch_backlog; /* events kept for watchers that are behind */
	bool unload;
};

/**
 * grp_config_parse() - command line, then file, then defaults.
 * @ret_config: grp_config_done() frees.
 * Return: 0; 1: done, exit 0 (--help, --version were printed); -EINVAL: usage,
 * @error says what; -EBADMSG: a mistake in the file, @error says in which line;
 * -errno: the named file cannot be read.
 */
int grp_config_parse(int argc, char **argv, struct grp_config *ret_config, struct grp_error *error);
void grp_config_done(struct grp_config *config);

/* grp_config_each() - key and value in use, for status. Stops at !0. */
int grp_config_each(const struct grp_config *config,
		    int (*fn)(const char *key, const char *value, void *data), void *data);

#endif
