/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Values as text, see cell.h.
 */
#include "cell.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "owner.h"
#include "base/cleanup_json.h"

#define NS_PER_S 1000000000

static int copy(const char *text, char **ret_text)
{
	char *copied = strdup(text);

	if (!copied)
		return -ENOMEM;
	*ret_text = copied;
	return 0;
}

__attribute__((format(printf, 2, 3))) static int print(char **ret_text, const char *format, ...)
{
	char *text;
	va_list args;
	int n;

	va_start(args, format);
	n = vasprintf(&text, format, args);
	va_end(args);
	if (n < 0)
		return -ENOMEM;
	*ret_text = text;
	return 0;
}

/* How many bytes at @p are one control character. */
static size_t control_length(const unsigned char *p)
{
	if (p[0] == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0)
		return 2;
	return p[0] < 0x20 || p[0] == 0x7f;
}

int grp_cell_safe(const char *text, char **ret_text)
{
	const unsigned char *p = (const unsigned char *)text;
	size_t len = strlen(text), at = 0, size = len * 4 + 1;
	char *safe = malloc(size);

	if (!safe)
		return -ENOMEM;
	while (*p) {
		size_t n = control_length(p);

		if (!n)
			safe[at++] = (char)*p++;
		for (; n; n--)
			at += (size_t)snprintf(&safe[at], size - at, "\\x%02x", *p++);
	}
	safe[at] = '\0';
	*ret_text = safe;
	return 0;
}

int grp_cell_time(int64_t time_ns, char **ret_text)
{
	uint64_t value = time_ns < 0 ? 0 - (uint64_t)time_ns : (uint64_t)time_ns;

	return print(ret_text, "%s%" PRIu64 ".%09" PRIu64 " s", time_ns < 0 ? "-" : "",
		     value / NS_PER_S, value % NS_PER_S);
}

int grp_cell_bytes(int64_t bytes, char **ret_text)
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	double value = (double)bytes / 1024;
	size_t unit = 0;

	if (bytes < 1024)
		return print(ret_text, "%" PRId64 " B", bytes);
	/* 1023.95 would be printed as 1024.0 of the smaller unit. */
	while (value >= 1023.95 && unit + 1 < sizeof(units) / sizeof(*units)) {
		value /= 1024;
		unit++;
	}
	return print(ret_text, "%.1f %s", value, units[unit]);
}

static int clock_text(int64_t time_ns, char **ret_text)
{
	time_t seconds = (time_t)(time_ns / NS_PER_S);
	struct tm broken;
	char text[64];

	if (!time_ns)
		return copy("-", ret_text);
	if (!localtime_r(&seconds, &broken) ||
	    !strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S %z", &broken))
		return print(ret_text, "%" PRId64, time_ns);
	return copy(text, ret_text);
}

static int run_text(int64_t time_ns, const json_t *row, char **ret_text)
{
	json_int_t runs = json_integer_value(json_object_get(row, "runs"));

	return runs > 0 ? print(ret_text, "%" PRId64 " ns", time_ns / (int64_t)runs) :
			  copy("-", ret_text);
}

static int name_or_number(const char *name, int64_t number, char **ret_text)
{
	return name ? copy(name, ret_text) : print(ret_text, "%" PRId64, number);
}

static int owner_text(const json_t *row, char **ret_text)
{
	_cleanup_free_ char *user = NULL, *owners = NULL;
	const json_t *uid = json_object_get(row, "uid"), *gid = json_object_get(row, "gid");
	int r;

	if (!json_is_integer(uid) || !json_is_integer(gid))
		return copy("", ret_text);
	r = name_or_number(grp_owner_user(json_integer_value(uid)), json_integer_value(uid), &user);
	if (!r)
		r = name_or_number(grp_owner_group(json_integer_value(gid)),
				   json_integer_value(gid), &owners);
	return r ?: print(ret_text, "%s:%s", user, owners);
}

static int list_text(const json_t *list, char **ret_text)
{
	_cleanup_free_ char *text = NULL;
	size_t i, size = 1, at = 0;
	const json_t *item;

	json_array_foreach(list, i, item)
		size += json_string_length(item) + 1;
	text = malloc(size);
	if (!text)
		return -ENOMEM;
	json_array_foreach(list, i, item) {
		if (at)
			text[at++] = ',';
		memcpy(&text[at], json_string_value(item) ?: "", json_string_length(item));
		at += json_string_length(item);
	}
	text[at] = '\0';
	*ret_text = TAKE_PTR(text);
	return 0;
}

static int plain_text(const json_t *value, char **ret_text)
{
	switch (json_typeof(value)) {
	case JSON_STRING:
		return copy(json_string_value(value), ret_text);
	case JSON_INTEGER:
		return print(ret_text, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	case JSON_REAL:
		return print(ret_text, "%g", json_real_value(value));
	case JSON_TRUE:
		return copy("yes", ret_text);
	case JSON_FALSE:
		return copy("no", ret_text);
	case JSON_ARRAY:
		return list_text(value, ret_text);
	default:
		return copy("", ret_text);
	}
}

static int number_text(json_int_t number, const json_t *row, enum grp_cell_kind kind,
		       char **ret_text)
{
	switch (kind) {
	case GRP_CELL_NS:
		return grp_cell_time(number, ret_text);
	case GRP_CELL_CLOCK:
		return clock_text(number, ret_text);
	case GRP_CELL_BYTES:
		return grp_cell_bytes(number, ret_text);
	case GRP_CELL_RUN:
		return run_text(number, row, ret_text);
	case GRP_CELL_MODE:
		return print(ret_text, "%04llo", (unsigned long long)number);
	default:
		return print(ret_text, "%" JSON_INTEGER_FORMAT, number);
	}
}

static int group_text(const json_t *row, enum grp_cell_kind kind, char **ret_text)
{
	const char *hierarchy = json_string_value(json_object_get(row, "hierarchy"));
	const char *path = json_string_value(json_object_get(row, "group"));
	const char *slash = path ? strrchr(path, '/') : NULL;

	if (kind == GRP_CELL_LEAF && slash && slash[1])
		return copy(slash + 1, ret_text);
	return print(ret_text, "%s:%s", hierarchy ?: "", path ?: "");
}

int grp_cell_right(enum grp_cell_kind kind)
{
	return kind == GRP_CELL_COUNT || kind == GRP_CELL_NS || kind == GRP_CELL_BYTES ||
	       kind == GRP_CELL_RUN;
}

int grp_cell_text(const json_t *row, const struct grp_column *column, char **ret_text)
{
	_cleanup_free_ char *text = NULL;
	const json_t *value = json_object_get(row, column->key);
	int r;

	if (column->kind == GRP_CELL_GROUP || column->kind == GRP_CELL_LEAF)
		r = group_text(row, column->kind, &text);
	else if (column->kind == GRP_CELL_OWNER)
		r = owner_text(row, &text);
	else if (json_is_integer(value))
		r = number_text(json_integer_value(value), row, column->kind, &text);
	else
		r = value ? plain_text(value, &text) : copy("", &text);
	if (r < 0)
		return r;
	return grp_cell_safe(text && *text ? text : "-", ret_text);
}
