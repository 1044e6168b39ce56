/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * agent/base/text.c.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/text.h"

#define ROWS(table) (sizeof(table) / sizeof(*(table)))

static void test_utf8_len(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} rows[] = {
		{ "a", 1 },
		{ "\x7f", 1 },
		{ "\xc2\x80", 2 },
		{ "\xc3\xa9", 2 },
		{ "\xe2\x82\xac", 3 },
		{ "\xed\x9f\xbf", 3 },
		{ "\xee\x80\x80", 3 },
		{ "\xf0\x90\x80\x80", 4 },
		{ "\xf4\x8f\xbf\xbf", 4 },
		{ "", 0 },
		{ "\x80", 0 }, /* continuation alone */
		{ "\xc0\x80", 0 }, /* overlong */
		{ "\xc1\xbf", 0 }, /* overlong */
		{ "\xe0\x9f\xbf", 0 }, /* overlong */
		{ "\xf0\x8f\xbf\xbf", 0 }, /* overlong */
		{ "\xed\xa0\x80", 0 }, /* surrogate */
		{ "\xed\xbf\xbf", 0 }, /* surrogate */
		{ "\xf4\x90\x80\x80", 0 }, /* above U+10FFFF */
		{ "\xf8\x88\x80\x80\x80", 0 },
		{ "\xff", 0 },
		{ "\xc3", 0 }, /* cut */
		{ "\xe2\x82", 0 }, /* cut */
		{ "\xf0\x90\x80", 0 }, /* cut */
		{ "\xe2\x28\xa1", 0 },
	};

	for (size_t i = 0; i < ROWS(rows); i++)
		assert_int_equal(grp_text_utf8_len(rows[i].bytes, strlen(rows[i].bytes)),
				 rows[i].len);
	assert_int_equal(grp_text_utf8_len("\xc3\xa9", 1), 0);
	assert_int_equal(grp_text_utf8_len("", 1), 0);
}

static void test_escape(void **state)
{
	static const struct {
		const char *bytes, *escaped, *fixed;
	} rows[] = {
		{ "", "", "" },
		{ "/a b/c", "/a b/c", "/a b/c" },
		{ "caf\xc3\xa9", "caf\xc3\xa9", "caf\xc3\xa9" },
		{ "a\\b", "a\\\\b", "a\\b" },
		{ "a\xff", "a\\xff", "a\\xff" },
		{ "\xe2\x82", "\\xe2\\x82", "\\xe2\\x82" },
		{ "\xc3\xa9\xa9", "\xc3\xa9\\xa9", "\xc3\xa9\\xa9" },
		{ "\\xff", "\\\\xff", "\\xff" },
		{ "\"\n\t", "\"\n\t", "\"\n\t" },
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		_cleanup_free_ char *escaped = NULL, *fixed = NULL, *back = NULL;
		size_t n = strlen(rows[i].bytes), len;

		assert_int_equal(grp_text_escape(rows[i].bytes, n, &escaped), 0);
		assert_string_equal(escaped, rows[i].escaped);
		assert_int_equal(grp_text_fix_utf8(rows[i].bytes, n, &fixed), 0);
		assert_string_equal(fixed, rows[i].fixed);
		assert_int_equal(grp_text_unescape(escaped, &back, &len), 0);
		assert_int_equal(len, n);
		assert_string_equal(back, rows[i].bytes);
	}
}

static void test_escape_nul(void **state)
{
	_cleanup_free_ char *escaped = NULL;

	assert_int_equal(grp_text_escape("a\0b", 3, &escaped), 0);
	assert_string_equal(escaped, "a\\x00b");
}

static void test_unescape(void **state)
{
	static const struct {
		const char *text, *bytes;
	} rows[] = {
		{ "\\\\", "\\" },
		{ "\\,", "," },
		{ "\\x41", "A" },
		{ "\\xfF", "\xff" },
		{ "\\xg0", "\\xg0" },
		{ "\\x4", "\\x4" },
		{ "\\x", "\\x" },
		{ "\\", "\\" },
		{ "a\\", "a\\" },
		{ "\\n", "\\n" },
		{ "\\\\x41", "\\x41" },
		{ "\\x5cx41", "\\x41" },
		{ "\\xc3\\xa9", "\xc3\xa9" },
	};
	char *bytes = NULL;

	for (size_t i = 0; i < ROWS(rows); i++) {
		_cleanup_free_ char *got = NULL;
		size_t len;

		assert_int_equal(grp_text_unescape(rows[i].text, &got, &len), 0);
		assert_string_equal(got, rows[i].bytes);
		assert_int_equal(len, strlen(rows[i].bytes));
	}
	assert_int_equal(grp_text_unescape("a\\x00b", &bytes, NULL), -EINVAL);
	assert_null(bytes);
}

/* Whatever the bytes are: the text is valid, and the way back is exact. */
static void test_round_trip(void **state)
{
	char bytes[40];

	srand(1);
	for (unsigned int i = 0; i < 20000; i++) {
		_cleanup_free_ char *text = NULL, *back = NULL;
		size_t n = (size_t)rand() % sizeof(bytes), len;

		for (size_t k = 0; k < n; k++)
			bytes[k] = (char)(1 + rand() % 255);
		assert_int_equal(grp_text_escape(bytes, n, &text), 0);
		for (const char *at = text; *at;) {
			size_t step = grp_text_utf8_len(at, strlen(at));

			assert_true(step > 0);
			at += step;
		}
		assert_int_equal(grp_text_unescape(text, &back, &len), 0);
		assert_int_equal(len, n);
		assert_memory_equal(back, bytes, n);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_utf8_len),   cmocka_unit_test(test_escape),
		cmocka_unit_test(test_escape_nul), cmocka_unit_test(test_unescape),
		cmocka_unit_test(test_round_trip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
