/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Replies on stdout: JSON, tables, trees, records; and the form of an error.
 * Tables look the same on a terminal and in a pipe. A failed write is noticed
 * once, by grp_out_flush().
 */
#ifndef GRP_CLI_OUT_H
#define GRP_CLI_OUT_H

#include <jansson.h>

#include "cell.h"

/* The columns of a Usage, shared by usage and wait. */
extern const struct grp_column grp_out_usage[];

/* grp_out_json() - a value as it came. Return: 0; -errno of the write. */
int grp_out_json(const json_t *value);

/**
 * grp_out_table() - an array of objects, with a line of titles.
 * Return: 0; -ENOMEM; -errno of the write.
 */
int grp_out_table(const json_t *rows, const struct grp_column *columns);

/**
 * grp_out_tree() - the same, drawn as a tree in the first column.
 * @rows: with `depth`, each after its parent; one whose parent is missing
 * stands by itself, with its whole path.
 */
int grp_out_tree(const json_t *rows, const struct grp_column *columns);

/* grp_out_record() - one object, a line for each of @lines. */
int grp_out_record(const json_t *object, const struct grp_column *lines);

/* grp_out_map() - an object (which is not changed) as a table of its keys and values. */
int grp_out_map(json_t *object, const char *key_title, const char *value_title);

/* grp_out_flush() - Return: 0; -errno of any write to stdout that failed. */
int grp_out_flush(void);

/* grp_out_drop() - nobody reads stdout any more, and that is no failure. */
void grp_out_drop(void);

/**
 * grp_out_error_line() - "grpctl: VERB ARG: Message (ERRNO_NAME)\n".
 * @item: ARG; NULL or "": left out together with its blank.
 * Return: 0; -ENOMEM.
 */
int grp_out_error_line(const char *verb, const char *item, const char *message,
		       const char *errno_name, char **ret_line);

#endif
