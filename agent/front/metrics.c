/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Rendering of metrics. What there is to show is the table in families.c, where the
 * values come from is in metrics_take.c.
 */
#include "front/metrics.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "front/families.h"

/* Longest line besides its labels: name, suffix, extra label and number. */
#define LINE_MAX_BYTES 256
#define BUFFER_MIN 4096

static const char *const content_types[] = {
	[GRP_METRICS_CLASSIC] = "text/plain; version=0.0.4; charset=utf-8",
	[GRP_METRICS_OPENMETRICS] = "application/openmetrics-text; version=1.0.0; charset=utf-8",
};
_Static_assert(sizeof(content_types) / sizeof(content_types[0]) == GRP_METRICS_FORMAT_MAX,
	       "a type for each format");

const char *grp_metrics_content_type(enum grp_metrics_format format)
{
	return content_types[format];
}

bool grp_metrics_free_some(struct grp_metrics *metrics, size_t groups)
{
	for (; metrics->n_groups && groups; groups--)
		free(metrics->groups[--metrics->n_groups].labels);
	if (metrics->n_groups)
		return false;
	for (size_t i = 0; i < metrics->n_programs; i++)
		free(metrics->programs[i].name);
	for (size_t i = 0; i < metrics->n_maps; i++)
		free(metrics->maps[i].name);
	free(metrics->groups);
	free(metrics->programs);
	free(metrics->maps);
	free(metrics);
	return true;
}

void grp_metrics_free(struct grp_metrics *metrics)
{
	if (metrics)
		(void)grp_metrics_free_some(metrics, SIZE_MAX);
}

/* --- labels -------------------------------------------------------------------------- */

/* Bytes to the inside of a quoted label: as a name is written, then backslash, quote, newline. */
static int label_value(const char *bytes, char **ret_value)
{
	_cleanup_free_ char *text = NULL;
	size_t len = 0;
	char *value;

	if (grp_text_escape(bytes, strlen(bytes), &text) < 0)
		return -ENOMEM;
	value = malloc(2 * strlen(text) + 1);
	if (!value)
		return -ENOMEM;
	for (const char *from = text; *from; from++) {
		if (*from == '\\' || *from == '"' || *from == '\n')
			value[len++] = '\\';
		value[len++] = *from == '\n' ? 'n' : *from;
	}
	value[len] = '\0';
	*ret_value = value;
	return 0;
}

int grp_metrics_labels(const char *hierarchy, const char *path, char **ret_labels)
{
	_cleanup_free_ char *hierarchy_value = NULL, *path_value = NULL;

	if (label_value(hierarchy, &hierarchy_value) < 0 || label_value(path, &path_value) < 0)
		return -ENOMEM;
	if (asprintf(ret_labels, "hierarchy=\"%s\",group=\"%s\"", hierarchy_value, path_value) < 0)
		return -ENOMEM;
	return 0;
}

/* --- text ------------------------------------------------------------------------------ */

static int reserve(struct grp_metrics_render *render, size_t more)
{
	size_t wanted = render->allocated ? render->allocated : BUFFER_MIN;
	char *text;

	if (render->allocated - render->len >= more)
		return 0;
	while (wanted - render->len < more)
		wanted *= 2;
	text = realloc(render->text, wanted);
	if (!text)
		return -ENOMEM;
	render->text = text;
	render->allocated = wanted;
	return 0;
}

/* Only after reserve(). */
static void put(struct grp_metrics_render *render, const char *text)
{
	size_t len = strlen(text);

	memcpy(render->text + render->len, text, len);
	render->len += len;
}

static void put_number(struct grp_metrics_render *render, uint64_t value, enum grp_family_unit unit)
{
	char number[48];

	if (unit == GRP_UNIT_SECONDS)
		(void)snprintf(number, sizeof(number), "%" PRIu64 ".%09" PRIu64, value / 1000000000,
			       value % 1000000000);
	else
		(void)snprintf(number, sizeof(number), "%" PRIu64, value);
	put(render, number);
}

static void put_head(struct grp_metrics_render *render, const struct grp_family *family,
		     const char *keyword, const char *text)
{
	put(render, "# ");
	put(render, keyword);
	put(render, " ");
	put(render, family->name);
	if (render->format == GRP_METRICS_CLASSIC)
		put(render, grp_family_words[family->type].suffix);
	put(render, " ");
	put(render, text);
	put(render, "\n");
}

static int render_head(struct grp_metrics_render *render, const struct grp_family *family)
{
	const struct grp_family_words *type = &grp_family_words[family->type];
	bool classic = render->format == GRP_METRICS_CLASSIC;

	if (reserve(render, 3 * LINE_MAX_BYTES + strlen(family->help)) < 0)
		return -ENOMEM;
	put_head(render, family, "HELP", family->help);
	put_head(render, family, "TYPE", classic ? type->classic : type->openmetrics);
	if (!classic && grp_unit_names[family->unit])
		put_head(render, family, "UNIT", grp_unit_names[family->unit]);
	return 0;
}

/* --- rows --------------------------------------------------------------------------------- */

/* What one row is: where its values are, and its labels in up to three parts. */
struct row {
	const void *base;
	const char *label_key; /* "program=\"" or NULL: label_text is complete */
	const char *label_text;
};

static size_t count_rows(const struct grp_metrics *metrics, enum grp_family_rows kind)
{
	switch (kind) {
	case GRP_ROWS_GROUPS:
		return metrics->n_groups;
	case GRP_ROWS_PROGRAMS:
		return metrics->n_programs;
	case GRP_ROWS_MAPS:
		return metrics->n_maps;
	case GRP_ROWS_AGENT:
		return 1;
	}
	return 0;
}

static struct row get_row(const struct grp_metrics *metrics, enum grp_family_rows kind,
			  size_t index)
{
	switch (kind) {
	case GRP_ROWS_GROUPS:
		return (struct row){ &metrics->groups[index], NULL, metrics->groups[index].labels };
	case GRP_ROWS_PROGRAMS:
		return (struct row){ &metrics->programs[index], "program=\"",
				     metrics->programs[index].name };
	case GRP_ROWS_MAPS:
		return (struct row){ &metrics->maps[index], "map=\"", metrics->maps[index].name };
	case GRP_ROWS_AGENT:
		break;
	}
	return (struct row){ &metrics->agent, NULL, NULL };
}

static void put_labels(struct grp_metrics_render *render, const struct row *row, const char *extra)
{
	if (!row->label_text && !extra)
		return;
	put(render, "{");
	if (row->label_key)
		put(render, row->label_key);
	if (row->label_text)
		put(render, row->label_text);
	if (row->label_key)
		put(render, "\"");
	if (row->label_text && extra)
		put(render, ",");
	if (extra)
		put(render, extra);
	put(render, "}");
}

static int render_row(struct grp_metrics_render *render, const struct grp_family *family,
		      const struct row *row)
{
	size_t labels = row->label_text ? strlen(row->label_text) : 0;

	for (unsigned int i = 0; i < GRP_FAMILY_VALUES_MAX; i++) {
		const struct grp_family_value *value = &family->values[i];
		uint64_t number = 1;

		if (i && !value->label)
			break;
		if (reserve(render, LINE_MAX_BYTES + labels) < 0)
			return -ENOMEM;
		if (family->type != GRP_FAMILY_INFO)
			memcpy(&number, (const char *)row->base + value->offset, sizeof(number));
		if (family->type == GRP_FAMILY_GAUGE && number == GRP_METRICS_UNKNOWN)
			continue;
		put(render, family->name);
		put(render, grp_family_words[family->type].suffix);
		put_labels(render, row, value->label);
		put(render, " ");
		put_number(render, number, family->unit);
		put(render, "\n");
	}
	return 0;
}

/* --- reading ---------------------------------------------------------------------------------- */

static int end(struct grp_metrics_render *render)
{
	render->ended = true;
	if (render->format != GRP_METRICS_OPENMETRICS)
		return 0;
	if (reserve(render, LINE_MAX_BYTES) < 0)
		return -ENOMEM;
	put(render, "# EOF\n");
	return 0;
}

/* The next row, which may be nothing. */
static int step(struct grp_metrics_render *render)
{
	const struct grp_family *family;
	struct row row;

	if (render->family == grp_n_families)
		return end(render);
	family = &grp_families[render->family];
	if (render->row == 0 && render_head(render, family) < 0)
		return -ENOMEM;
	if (render->row == count_rows(render->metrics, family->rows)) {
		render->family++;
		render->row = 0;
		return 0;
	}
	row = get_row(render->metrics, family->rows, render->row++);
	return render_row(render, family, &row);
}

void grp_metrics_render_init(struct grp_metrics_render *render, const struct grp_metrics *metrics,
			     enum grp_metrics_format format)
{
	*render = (struct grp_metrics_render){ .metrics = metrics, .format = format };
}

/* What is there of the row at hand. */
static size_t read_row(struct grp_metrics_render *render, char *bytes, size_t size)
{
	size_t n = render->len - render->at;

	if (n > size)
		n = size;
	if (n)
		memcpy(bytes, render->text + render->at, n);
	render->at += n;
	return n;
}

ssize_t grp_metrics_render_read(struct grp_metrics_render *render, char *bytes, size_t size)
{
	size_t n = read_row(render, bytes, size);

	while (n < size && !render->ended) {
		render->at = render->len = 0;
		if (step(render) < 0)
			return -ENOMEM;
		n += read_row(render, bytes + n, size - n);
	}
	return (ssize_t)n;
}

void grp_metrics_render_done(struct grp_metrics_render *render)
{
	free(render->text);
	*render = (struct grp_metrics_render){ 0 };
}
