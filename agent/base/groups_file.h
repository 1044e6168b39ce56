/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A configuration as people keep it in a file: JSON, with names for owners. The
 * agent's own form, the type Configuration of org.grpagent.varlink, has numbers.
 * This is the one place where names of users and groups are looked up; that may
 * ask the network, so grpctl does it, and the agent only for its own file when it
 * starts. What a configuration has to look like is not known here.
 */
#ifndef GRP_BASE_GROUPS_FILE_H
#define GRP_BASE_GROUPS_FILE_H

#include <jansson.h>
#include <stdio.h>

#include "base/error.h"

/**
 * grp_groups_file_load() - all of a stream; names of owners become numbers. A
 * string of digits that is nobody's name is its number.
 * @error: where it is wrong: "line 3, column 7: ...", or the place of an owner, as
 * "hierarchies[0].groups[2].owner: ...".
 * @ret_configuration: an object; new reference.
 * Return: 0; -EINVAL: no JSON object, or nobody of that name; -errno of the read;
 * -ENOMEM.
 * Context: any; may block.
 */
int grp_groups_file_load(FILE *stream, struct grp_error *error, json_t **ret_configuration);

/*
 * grp_groups_file_name_owners() - the opposite, in place: numbers become names
 * that lead back to them, where there are such. Return: 0; -ENOMEM.
 */
int grp_groups_file_name_owners(json_t *configuration);

#endif
