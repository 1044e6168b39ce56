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
	for (; metrics->n_groups && groups; groups--) {
		const struct grp_metrics_group *group = &metrics->groups[--metrics->n_groups];

		free(group->hierarchy);
		free(group->path);
		free(group->labels);
	}
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

/* Text to the inside of a quoted label: backslash, quote and newline. */
static void put_label_value(FILE *out, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '\\':
			(void)fputs("\\\\", out);
			break;
		case '"':
			(void)fputs("\\\"", out);
			break;
		case '\n':
			(void)fputs("\\n", out);
			break;
		default:
			(void)fputc(*text, out);
		}
	}
}

static int make_labels(struct grp_metrics_group *group)
{
	_cleanup_free_ char *hierarchy = NULL, *path = NULL, *labels = NULL;
	size_t len;
	FILE *out;

	if (grp_text_escape(group->hierarchy, strlen(group->hierarchy), &hierarchy) < 0 ||
	    grp_text_escape(group->path, strlen(group->path), &path) < 0)
		return -ENOMEM;
	out = open_memstream(&labels, &len);
	if (!out)
		return -ENOMEM;
	(void)fputs("hierarchy=\"", out);
	put_label_value(out, hierarchy);
	(void)fputs("\",group=\"", out);
	put_label_value(out, path);
	(void)fputc('"', out);
	if (fclose(out) != 0)
		return -ENOMEM;
	group->labels = TAKE_PTR(labels);
	/* Given up piece by piece: all at the end takes long. */
	free(TAKE_PTR(group->hierarchy));
	free(TAKE_PTR(group->path));
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

static int get_group(struct grp_metrics_group *group, struct row *ret_row)
{
	if (!group->labels && make_labels(group) < 0)
		return -ENOMEM;
	*ret_row = (struct row){ group, NULL, group->labels };
	return 0;
}

static int get_row(struct grp_metrics *metrics, enum grp_family_rows kind, size_t index,
		   struct row *ret_row)
{
	switch (kind) {
	case GRP_ROWS_GROUPS:
		return get_group(&metrics->groups[index], ret_row);
	case GRP_ROWS_PROGRAMS:
		*ret_row = (struct row){ &metrics->programs[index], "program=\"",
					 metrics->programs[index].name };
		return 0;
	case GRP_ROWS_MAPS:
		*ret_row =
			(struct row){ &metrics->maps[index], "map=\"", metrics->maps[index].name };
		return 0;
	case GRP_ROWS_AGENT:
		break;
	}
	*ret_row = (struct row){ &metrics->agent, NULL, NULL };
	return 0;
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
	if (get_row(render->metrics, family->rows, render->row, &row) < 0)
		return -ENOMEM;
	render->row++;
	return render_row(render, family, &row);
}

void grp_metrics_render_init(struct grp_metrics_render *render, struct grp_metrics *metrics,
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
