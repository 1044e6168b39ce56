/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What came out: the verdict, the table in Markdown, the JSON.
 */
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/cleanup_json.h"
#include "bench.h"

static bool is_single(const struct bench_result *result)
{
	return result->row->flags & BENCH_SINGLE;
}

static double largest(const double *values, unsigned int n)
{
	double max = 0;

	for (unsigned int i = 0; i < n; i++)
		max = values[i] > max ? values[i] : max;
	return max;
}

static void judge_single(struct bench_result *result)
{
	result->ratio = bench_bootstrap(result->a, result->pairs);
	if (result->row->flags & BENCH_MAX)
		result->ratio.median = largest(result->a, result->pairs);
}

static void judge_pairs(struct bench_result *result)
{
	double *quotients = calloc(result->pairs, sizeof(*quotients));

	if (!quotients)
		return;
	for (unsigned int i = 0; i < result->pairs; i++)
		quotients[i] = result->a[i] / result->b[i];
	result->ratio = bench_bootstrap(quotients, result->pairs);
	for (unsigned int i = 0; i < result->pairs; i++)
		quotients[i] = result->a[i] / result->again[i];
	result->noise = bench_bootstrap(quotients, result->pairs);
	free(quotients);
}

void bench_result_judge(struct bench_result *result)
{
	const struct bench_row *row = result->row;

	if (is_single(result))
		judge_single(result);
	else
		judge_pairs(result);
	result->met = row->flags & BENCH_STRICT ? result->ratio.median < row->bound :
						  result->ratio.median <= row->bound;
	/* Singles have none that is 0 by chance: "0 wake-ups" is a bound. */
	if (row->bound < 0)
		result->met = result->ratio.median <= 0;
}

void bench_result_done(struct bench_result *result)
{
	free(result->a);
	free(result->b);
	free(result->again);
	*result = (struct bench_result){ 0 };
}

/* --- words -------------------------------------------------------------------------- */

static const char *format_value(const struct bench_row *row, double value, char buf[32])
{
	if (row->unit)
		(void)snprintf(buf, 32, value < 10 ? "%.2f %s" : "%.0f %s", value, row->unit);
	else if (value < 1e3)
		(void)snprintf(buf, 32, "%.0f ns", value);
	else if (value < 1e6)
		(void)snprintf(buf, 32, "%.2f µs", value / 1e3);
	else if (value < 1e9)
		(void)snprintf(buf, 32, "%.2f ms", value / 1e6);
	else
		(void)snprintf(buf, 32, "%.2f s", value / 1e9);
	return buf;
}

static const char *format_bound(const struct bench_row *row, char buf[64])
{
	char value[32];

	if (row->bound < 0)
		(void)snprintf(buf, 64, "0 %s", row->unit ? row->unit : "");
	else if (row->bound == 0)
		(void)snprintf(buf, 64, "shown");
	else if (row->flags & BENCH_SINGLE)
		(void)snprintf(buf, 64, "≤ %s", format_value(row, row->bound, value));
	else
		(void)snprintf(buf, 64, "%s %.2f", row->flags & BENCH_STRICT ? "<" : "≤",
			       row->bound);
	return buf;
}

/* The interval says more about noise than about the effect. */
static bool is_vague(const struct bench_result *result)
{
	return !is_single(result) &&
	       result->ratio.high - result->ratio.low > fabs(result->ratio.median - 1);
}

static const char *verdict(const struct bench_result *result)
{
	if (result->row->bound == 0)
		return "";
	return result->met ? "met" : "missed";
}

static const char *note(const struct bench_result *result)
{
	return is_vague(result) ? "interval wider than the effect" : "";
}

void bench_print_head(FILE *out)
{
	(void)fputs("| measurement | A | B | A : B | bound | | A : A | through a mount : B |\n"
		    "|---|---|---|---|---|---|---|---|\n",
		    out);
	(void)fflush(out);
}

static void print_single(FILE *out, const struct bench_result *result)
{
	const struct bench_row *row = result->row;
	char value[32], low[32], high[32], bound[64];

	(void)fprintf(out, "| %s: %s | %s (%s … %s) | | | %s | %s | | |\n", row->what, row->a,
		      format_value(row, result->ratio.median, value),
		      format_value(row, result->ratio.low, low),
		      format_value(row, result->ratio.high, high), format_bound(row, bound),
		      verdict(result));
}

static const char *format_mount(const struct bench_result *mount, char buf[64])
{
	*buf = '\0';
	if (mount && mount->skipped)
		return mount->skipped;
	if (mount)
		(void)snprintf(buf, 64, "%.2f (%.2f … %.2f)", mount->ratio.median, mount->ratio.low,
			       mount->ratio.high);
	return buf;
}

void bench_print_row(FILE *out, const struct bench_result *result, const struct bench_result *mount)
{
	const struct bench_row *row = result->row;
	char a[32], b[32], bound[64], through[64];

	if (result->skipped)
		(void)fprintf(out, "| %s | | | | | skipped: %s | | %s |\n", row->what,
			      result->skipped, format_mount(mount, through));
	else if (is_single(result))
		print_single(out, result);
	else
		(void)fprintf(out,
			      "| %s | %s: %s | %s: %s | **%.3f** (%.3f … %.3f) | %s | %s%s%s | "
			      "%.3f … %.3f | %s |\n",
			      row->what, row->a,
			      format_value(row, bench_median(result->a, result->pairs), a), row->b,
			      format_value(row, bench_median(result->b, result->pairs), b),
			      result->ratio.median, result->ratio.low, result->ratio.high,
			      format_bound(row, bound), verdict(result),
			      *verdict(result) && *note(result) ? "; " : "", note(result),
			      result->noise.low, result->noise.high, format_mount(mount, through));
	(void)fflush(out);
}

/* --- the machine ------------------------------------------------------------------------ */

static void read_cpu(char *buf, size_t size)
{
	_cleanup_fclose_ FILE *file = fopen("/proc/cpuinfo", "re");
	char line[256];

	(void)snprintf(buf, size, "unknown CPU");
	while (file && fgets(line, sizeof(line), file)) {
		const char *colon = strchr(line, ':');

		if (!colon || strncmp(line, "model name", 10) != 0)
			continue;
		(void)snprintf(buf, size, "%.*s", (int)strcspn(colon + 2, "\n"), colon + 2);
		return;
	}
}

static json_t *machine(const struct bench *bench)
{
	char cpu[256], date[32];
	struct utsname names;
	time_t now = time(NULL);
	struct tm tm;

	read_cpu(cpu, sizeof(cpu));
	(void)uname(&names);
	(void)strftime(date, sizeof(date), "%Y-%m-%d", gmtime_r(&now, &tm));
	return json_pack("{s:s, s:s, s:s, s:i, s:s, s:s, s:b, s:b}", "kernel", names.release,
			 "machine", names.machine, "cpu", cpu, "cpus",
			 (int)sysconf(_SC_NPROCESSORS_ONLN), "date", date, "version", GRP_VERSION,
			 "quick", bench->quick, "smoke", bench->smoke);
}

void bench_print_foot(const struct bench *bench, FILE *out)
{
	_cleanup_json_ json_t *object = machine(bench);

	(void)fprintf(out, "\nLinux %s, %lld × %s, %s%s\n",
		      json_string_value(json_object_get(object, "kernel")),
		      json_integer_value(json_object_get(object, "cpus")),
		      json_string_value(json_object_get(object, "cpu")),
		      json_string_value(json_object_get(object, "date")),
		      bench->smoke ? ", smoke: the figures mean nothing" :
		      bench->quick ? ", quick" :
				     "");
}

/* --- JSON --------------------------------------------------------------------------------- */

static json_t *numbers(const double *values, unsigned int n)
{
	json_t *array = json_array();

	for (unsigned int i = 0; values && i < n; i++)
		(void)json_array_append_new(array, json_real(values[i]));
	return array;
}

static json_t *ratio_object(const struct bench_ratio *ratio)
{
	return json_pack("{s:f, s:f, s:f}", "median", ratio->median, "low", ratio->low, "high",
			 ratio->high);
}

static json_t *row_object(const struct bench_result *result)
{
	static const char *const metrics[] = { "cpu", "wall", "figure" };
	const struct bench_row *row = result->row;
	char bound[64];

	if (result->skipped)
		return json_pack("{s:s, s:s, s:s}", "id", row->id, "what", row->what, "skipped",
				 result->skipped);
	return json_pack(
		"{s:s, s:s, s:s, s:s*, s:s, s:s*, s:b, s:i, s:f, s:s, s:s, s:s, s:o, s:o*, s:f, "
		"s:f, s:f, s:f, s:o, s:o*}",
		"id", row->id, "what", row->what, "a", row->a, "b", row->b, "metric",
		metrics[row->metric], "unit", row->unit, "single", is_single(result), "pairs",
		(int)result->pairs, "bound", row->bound, "bound_text", format_bound(row, bound),
		"verdict", verdict(result), "note", note(result), "ratio",
		ratio_object(&result->ratio), "noise",
		is_single(result) ? NULL : ratio_object(&result->noise), "median_a",
		bench_median(result->a, result->pairs), "median_b",
		is_single(result) ? 0 : bench_median(result->b, result->pairs), "wall_a",
		result->wall_a, "wall_b", result->wall_b, "values_a",
		numbers(result->a, result->pairs), "values_b",
		is_single(result) ? NULL : numbers(result->b, result->pairs));
}

int bench_write_json(const struct bench *bench, const char *path,
		     const struct bench_result *results, size_t n)
{
	_cleanup_json_ json_t *object = machine(bench), *rows = json_array();

	for (size_t i = 0; i < n; i++)
		if (json_array_append_new(rows, row_object(&results[i])))
			return bench_fail(-ENOMEM, "%s", path);
	if (json_object_set(object, "rows", rows) ||
	    json_dump_file(object, path, JSON_INDENT(1) | JSON_REAL_PRECISION(9)))
		return bench_fail(-EIO, "%s", path);
	return 0;
}
