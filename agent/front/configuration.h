/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How a configuration (core/declaration.h) is written down: the type Configuration
 * of org.grpagent.varlink, with numbers for owners. Names for owners are replaced
 * before, base/groups_file.h.
 */
#ifndef GRP_FRONT_CONFIGURATION_H
#define GRP_FRONT_CONFIGURATION_H

#include <jansson.h>

#include "base/error.h"
#include "core/changes.h"

struct grp_agent;

/* Goes up when a file that was valid would mean something else, or nothing. */
#define GRP_CONFIGURATION_VERSION 1

/**
 * grp_configuration_parse() - shape and form only; nothing is compared.
 * @error: begins with the place, as "hierarchies[1].groups[3].mode: ".
 * @ret_declaration: owned by the caller.
 * Return: 0; -EINVAL; -ENOENT: an unknown subsystem; -ENOMEM.
 */
int grp_configuration_parse(const json_t *configuration, struct grp_error *error,
			    struct grp_declaration **ret_declaration);

/* grp_configuration_new() - the opposite. Return: NULL: no memory. */
json_t *grp_configuration_new(const struct grp_declaration *declaration);

/* What is to be done with a configuration. */
enum grp_configuration_mode {
	GRP_CONFIGURATION_COMPARE,
	GRP_CONFIGURATION_APPLY,
};

/**
 * grp_configuration_run() - parse, compare and, if asked for, carry out.
 * @caller: uid 0; who asks.
 * @ret_changes: array of the type Change, with what only the agent has; new reference.
 * Return: 0; as grp_configuration_parse(), grp_changes_make(), grp_changes_commit().
 * Logs what was changed.
 */
int grp_configuration_run(struct grp_agent *agent, const json_t *configuration,
			  enum grp_configuration_mode mode, const struct grp_caller *caller,
			  struct grp_error *error, json_t **ret_changes);

/**
 * grp_configuration_start() - applies the file of the setting groups-file, when the
 * store was taken over and nobody is served yet. What is wrong with it is logged and
 * said by status, and no reason not to start: membership has to be managed.
 * Return: 0; -ENOMEM.
 * Context: start; names of owners are looked up and may block.
 */
int grp_configuration_start(struct grp_agent *agent);

#endif
