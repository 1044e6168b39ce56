/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is printed, see out.h.
 */
#include "out.h"

#include <errno.h>
#include <libsmartcols.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/cleanup_json.h"

#define _cleanup_table_ __attribute__((cleanup(drop_table)))

const struct grp_column grp_out_usage[] = {
	{ "GROUP", NULL, GRP_CELL_GROUP },
	{ "CPU(own)", "usage_own_ns", GRP_CELL_NS },
	{ "CPU(subtree)", "usage_ns", GRP_CELL_NS },
	{ "USER", "user_ns", GRP_CELL_NS },
	{ "SYSTEM", "system_ns", GRP_CELL_NS },
	{ "TASKS", "tasks", GRP_CELL_COUNT },
	{ "PROCESSES", "processes", GRP_CELL_COUNT },
	{},
};

static void drop_table(struct libscols_table **table)
{
	scols_unref_table(*table);
}

int grp_out_json(const json_t *value)
{
	errno = 0;
	if (json_dumpf(value, stdout, JSON_INDENT(2)) < 0 || fputc('\n', stdout) == EOF)
		return errno ? -errno : -ENOMEM;
	return 0;
}

/* An empty table of our looks. Return: NULL: no memory. */
static struct libscols_table *new_table(const struct grp_column *columns, bool tree)
{
	_cleanup_table_ struct libscols_table *table = scols_new_table();

	if (!table)
		return NULL;
	/* Nothing is cut off, and names stay as the agent reads them. */
	if (scols_table_set_termforce(table, SCOLS_TERMFORCE_NEVER) ||
	    scols_table_enable_noencoding(table, 1))
		return NULL;
	for (int i = 0; columns[i].title; i++) {
		int flags = grp_cell_right(columns[i].kind) ? SCOLS_FL_RIGHT : 0;

		if (!i && tree)
			flags |= SCOLS_FL_TREE;
		if (!scols_table_new_column(table, columns[i].title, 0, flags))
			return NULL;
	}
	return TAKE_PTR(table);
}

static int set_cell(struct libscols_line *line, size_t column, char **text)
{
	if (scols_line_refer_data(line, column, *text))
		return -ENOMEM;
	*text = NULL;
	return 0;
}

/* @parent: NULL: a line at the left. */
static int add_row(struct libscols_table *table, struct libscols_line *parent, const json_t *row,
		   const struct grp_column *columns, struct libscols_line **ret_line)
{
	struct libscols_line *line = scols_table_new_line(table, parent);

	if (!line)
		return -ENOMEM;
	for (size_t i = 0; columns[i].title; i++) {
		_cleanup_free_ char *text = NULL;
		struct grp_column column = columns[i];
		int r;

		if (column.kind == GRP_CELL_LEAF && !parent)
			column.kind = GRP_CELL_GROUP;
		r = grp_cell_text(row, &column, &text);
		if (!r)
			r = set_cell(line, i, &text);
		if (r < 0)
			return r;
	}
	*ret_line = line;
	return 0;
}

static int print_table(struct libscols_table *table)
{
	errno = 0;
	if (scols_print_table(table))
		return errno ? -errno : -ENOMEM;
	return 0;
}

int grp_out_table(const json_t *rows, const struct grp_column *columns)
{
	_cleanup_table_ struct libscols_table *table = new_table(columns, false);
	struct libscols_line *line;
	const json_t *row;
	size_t i;

	if (!table)
		return -ENOMEM;
	json_array_foreach(rows, i, row) {
		int r = add_row(table, NULL, row, columns, &line);

		if (r < 0)
			return r;
	}
	return print_table(table);
}

/* A line that later ones may hang on. */
struct branch {
	json_int_t depth;
	struct libscols_line *line;
};

int grp_out_tree(const json_t *rows, const struct grp_column *columns)
{
	_cleanup_table_ struct libscols_table *table = new_table(columns, true);
	_cleanup_free_ struct branch *path = calloc(json_array_size(rows) + 1, sizeof(*path));
	size_t i, n = 0;
	const json_t *row;

	if (!table || !path)
		return -ENOMEM;
	json_array_foreach(rows, i, row) {
		json_int_t depth = json_integer_value(json_object_get(row, "depth"));
		int r;

		while (n && path[n - 1].depth >= depth)
			n--;
		path[n].depth = depth;
		r = add_row(table, n ? path[n - 1].line : NULL, row, columns, &path[n].line);
		if (r < 0)
			return r;
		n++;
	}
	return print_table(table);
}

/* Two texts as a line. */
static int add_pair(struct libscols_table *table, const char *label, const json_t *object,
		    const struct grp_column *column)
{
	_cleanup_free_ char *name = NULL, *text = NULL;
	struct libscols_line *line = scols_table_new_line(table, NULL);
	int r;

	if (!line)
		return -ENOMEM;
	r = grp_cell_safe(label, &name);
	if (!r)
		r = grp_cell_text(object, column, &text);
	if (!r)
		r = set_cell(line, 0, &name);
	return r ?: set_cell(line, 1, &text);
}

int grp_out_record(const json_t *object, const struct grp_column *lines)
{
	static const struct grp_column columns[] = { { .title = "KEY" }, { .title = "VALUE" }, {} };
	_cleanup_table_ struct libscols_table *table = new_table(columns, false);

	if (!table || scols_table_enable_noheadings(table, 1))
		return -ENOMEM;
	for (; lines->title; lines++) {
		int r = add_pair(table, lines->title, object, lines);

		if (r < 0)
			return r;
	}
	return print_table(table);
}

int grp_out_map(json_t *object, const char *key_title, const char *value_title)
{
	const struct grp_column columns[] = { { .title = key_title },
					      { .title = value_title },
					      {} };
	_cleanup_table_ struct libscols_table *table = new_table(columns, false);
	const char *key;
	json_t *value;

	if (!table)
		return -ENOMEM;
	json_object_foreach(object, key, value) {
		int r = add_pair(table, key, object, &(struct grp_column){ .key = key });

		if (r < 0)
			return r;
	}
	return print_table(table);
}

int grp_out_flush(void)
{
	bool failed = ferror(stdout);

	errno = 0;
	if (fflush(stdout) == EOF || failed)
		return errno ? -errno : -EIO;
	return 0;
}

void grp_out_drop(void)
{
	__fpurge(stdout);
	clearerr(stdout);
}

int grp_out_error_line(const char *verb, const char *item, const char *message,
		       const char *errno_name, char **ret_line)
{
	_cleanup_free_ char *safe_item = NULL, *safe_message = NULL;
	char *line;
	int r = grp_cell_safe(item ?: "", &safe_item);

	if (!r)
		r = grp_cell_safe(message, &safe_message);
	if (r < 0)
		return r;
	if (asprintf(&line, "grpctl: %s%s%s: %s (%s)\n", verb, *safe_item ? " " : "", safe_item,
		     safe_message, errno_name) < 0)
		return -ENOMEM;
	*ret_line = line;
	return 0;
}
