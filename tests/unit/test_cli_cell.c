/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Values as grpctl shows them, and the form of its errors.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../cli/cell.h"
#include "../../cli/out.h"
#include "base/cleanup.h"
#include "base/cleanup_json.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof(*(array)))

static void shows_times(void **state)
{
	static const struct {
		int64_t time_ns;
		const char *expected;
	} cases[] = {
		{ 0, "0.000000000 s" },
		{ 1, "0.000000001 s" },
		{ 12345678901, "12.345678901 s" },
		{ 1000000000, "1.000000000 s" },
		{ -1500000000, "-1.500000000 s" },
		{ INT64_MAX, "9223372036.854775807 s" },
		{ INT64_MIN, "-9223372036.854775808 s" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *text = NULL;

		assert_int_equal(grp_cell_time(cases[i].time_ns, &text), 0);
		assert_string_equal(text, cases[i].expected);
	}
}

static void shows_sizes(void **state)
{
	static const struct {
		int64_t bytes;
		const char *expected;
	} cases[] = {
		{ 0, "0 B" },
		{ 1023, "1023 B" },
		{ 1024, "1.0 KiB" },
		{ 1536, "1.5 KiB" },
		{ 1024 * 1024 - 1, "1.0 MiB" },
		{ 82LL * 1024 * 1024, "82.0 MiB" },
		{ INT64_MAX, "8.0 EiB" },
		{ -1, "-1 B" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *text = NULL;

		assert_int_equal(grp_cell_bytes(cases[i].bytes, &text), 0);
		assert_string_equal(text, cases[i].expected);
	}
}

static void keeps_control_characters_from_the_terminal(void **state)
{
	static const struct {
		const char *text, *expected;
	} cases[] = {
		{ "", "" },
		{ "/a b\\xff\\\\", "/a b\\xff\\\\" },
		{ "a\nb\tc\033[31m\177", "a\\x0ab\\x09c\\x1b[31m\\x7f" },
		{ "\xc2\x9b\xc2\xa0\xc3\x9b", "\\xc2\\x9b\xc2\xa0\xc3\x9b" },
		{ "\xc2", "\xc2" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *text = NULL;

		assert_int_equal(grp_cell_safe(cases[i].text, &text), 0);
		assert_string_equal(text, cases[i].expected);
	}
}

static void shows_each_kind(void **state)
{
	static const struct {
		const char *key;
		enum grp_cell_kind kind;
		const char *expected;
	} cases[] = {
		{ "text", GRP_CELL_TEXT, "a\\x0ab" },
		{ "empty", GRP_CELL_TEXT, "-" },
		{ "missing", GRP_CELL_COUNT, "-" },
		{ "missing", GRP_CELL_NS, "-" },
		{ "nothing", GRP_CELL_TEXT, "-" },
		{ "yes", GRP_CELL_TEXT, "yes" },
		{ "no", GRP_CELL_TEXT, "no" },
		{ "list", GRP_CELL_TEXT, "a,b" },
		{ "none", GRP_CELL_TEXT, "-" },
		{ "number", GRP_CELL_COUNT, "9007199254740993" },
		{ "number", GRP_CELL_NS, "9007199.254740993 s" },
		{ "number", GRP_CELL_RUN, "4503599627370496 ns" },
		{ "mode", GRP_CELL_MODE, "0755" },
		{ NULL, GRP_CELL_OWNER, "root:4000000000" },
		{ NULL, GRP_CELL_GROUP, "web:/a/b" },
		{ NULL, GRP_CELL_LEAF, "b" },
		/* Of another type than declared: shown as it is. */
		{ "text", GRP_CELL_NS, "a\\x0ab" },
	};
	_cleanup_json_ json_t *row = json_pack(
		"{s:s, s:s, s:n, s:b, s:b, s:[s, s], s:[], s:I, s:i, s:i, s:i, s:I, s:s, s:s}",
		"text", "a\nb", "empty", "", "nothing", "yes", 1, "no", 0, "list", "a", "b", "none",
		"number", (json_int_t)9007199254740993, "runs", 2, "mode", 0755, "uid", 0, "gid",
		(json_int_t)4000000000, "hierarchy", "web", "group", "/a/b");

	assert_non_null(row);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct grp_column column = { "", cases[i].key, cases[i].kind };
		_cleanup_free_ char *text = NULL;

		assert_int_equal(grp_cell_text(row, &column, &text), 0);
		assert_string_equal(text, cases[i].expected);
	}
}

static void shows_a_root_by_its_hierarchy(void **state)
{
	_cleanup_json_ json_t *row = json_pack("{s:s, s:s}", "hierarchy", "web", "group", "/");
	const struct grp_column column = { "", NULL, GRP_CELL_LEAF };
	_cleanup_free_ char *text = NULL;

	assert_int_equal(grp_cell_text(row, &column, &text), 0);
	assert_string_equal(text, "web:/");
}

static void shows_no_run_time_without_runs(void **state)
{
	_cleanup_json_ json_t *row = json_pack("{s:i, s:i}", "runs", 0, "run_ns", 5);
	const struct grp_column column = { "", "run_ns", GRP_CELL_RUN };
	_cleanup_free_ char *text = NULL;

	assert_int_equal(grp_cell_text(row, &column, &text), 0);
	assert_string_equal(text, "-");
}

static void forms_errors(void **state)
{
	static const struct {
		const char *item, *message, *expected;
	} cases[] = {
		{ "/a", "File exists", "grpctl: mkdir /a: File exists (EEXIST)\n" },
		{ NULL, "File exists", "grpctl: mkdir: File exists (EEXIST)\n" },
		{ "", "File exists", "grpctl: mkdir: File exists (EEXIST)\n" },
		{ "/%s\n", "%d\r", "grpctl: mkdir /%s\\x0a: %d\\x0d (EEXIST)\n" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *line = NULL;

		assert_int_equal(grp_out_error_line("mkdir", cases[i].item, cases[i].message,
						    "EEXIST", &line),
				 0);
		assert_string_equal(line, cases[i].expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shows_times),
		cmocka_unit_test(shows_sizes),
		cmocka_unit_test(keeps_control_characters_from_the_terminal),
		cmocka_unit_test(shows_each_kind),
		cmocka_unit_test(shows_a_root_by_its_hierarchy),
		cmocka_unit_test(shows_no_run_time_without_runs),
		cmocka_unit_test(forms_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
