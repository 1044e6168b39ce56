/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Ownership of JSON values held in locals. Apart from cleanup.h, so that what
 * does not speak JSON does not need jansson.
 */
#ifndef GRP_BASE_CLEANUP_JSON_H
#define GRP_BASE_CLEANUP_JSON_H

#include <jansson.h>

/* Drops one reference; initialise the variable where it is declared. */
#define _cleanup_json_ __attribute__((cleanup(grp_cleanup_json)))

static inline void grp_cleanup_json(json_t **value)
{
	json_decref(*value);
}

#endif
