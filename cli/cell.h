/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One value of a reply as text for people: times, sizes, groups, modes. Pure:
 * prints nothing.
 */
#ifndef GRP_CLI_CELL_H
#define GRP_CLI_CELL_H

#include <jansson.h>
#include <stdint.h>

enum grp_cell_kind {
	GRP_CELL_TEXT, /* by JSON type; a list by commas, a boolean as yes or no */
	GRP_CELL_COUNT, /* the same, to the right */
	GRP_CELL_NS, /* ns as seconds */
	GRP_CELL_CLOCK, /* ns since the epoch as local time; 0: never */
	GRP_CELL_BYTES,
	GRP_CELL_RUN, /* ns in the key by the row's `runs` */
	GRP_CELL_MODE, /* octal */
	GRP_CELL_OWNER, /* uid and gid as USER:GROUP; key is not used */
	GRP_CELL_GROUP, /* HIERARCHY:/path; key is not used */
	GRP_CELL_LEAF, /* last name of the path; key is not used */
	GRP_CELL_MAX,
};

/* A column of a table or a line of a record; an array of them ends with title NULL. */
struct grp_column {
	const char *title;
	const char *key; /* of the row */
	enum grp_cell_kind kind;
};

/* grp_cell_right() - is a column of this kind set to the right? */
int grp_cell_right(enum grp_cell_kind kind);

/**
 * grp_cell_text() - the text of one column of a row.
 * @row: a JSON object; what it lacks is shown as "-".
 * @ret_text: owned by the caller; free of control characters.
 * Return: 0; -ENOMEM.
 */
int grp_cell_text(const json_t *row, const struct grp_column *column, char **ret_text);

/* grp_cell_time() - "12.345678901 s". Return: 0; -ENOMEM. */
int grp_cell_time(int64_t time_ns, char **ret_text);

/* grp_cell_bytes() - "512 B", "4.0 KiB". Return: 0; -ENOMEM. */
int grp_cell_bytes(int64_t bytes, char **ret_text);

/**
 * grp_cell_safe() - for a terminal: control characters, those of two bytes in
 * UTF-8 included, become \xHH, which the agent reads back as the same name.
 * Return: 0; -ENOMEM.
 */
int grp_cell_safe(const char *text, char **ret_text);

#endif
