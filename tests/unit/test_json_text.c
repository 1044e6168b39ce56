/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * JSON as text: the same bytes as the library would write, of the same values.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "front/json_text.h"

static void assert_text(struct grp_json_text *text, const char *expected)
{
	assert_false(text->failed);
	assert_int_equal(text->len, strlen(expected));
	assert_memory_equal(text->bytes, expected, text->len);
	grp_json_text_done(text);
}

static void as_the_library(const char *string)
{
	struct grp_json_text text = { .bytes = NULL };
	json_t *value = json_string(string);
	char *expected = json_dumps(value, JSON_ENCODE_ANY);

	assert_non_null(expected);
	grp_json_text_string(&text, string);
	assert_text(&text, expected);
	free(expected);
	json_decref(value);
}

static void strings(void **state)
{
	char each[2] = "";

	(void)state;
	as_the_library("");
	as_the_library("/a/b");
	as_the_library("q\"b\\s\b\f\n\r\t\x01\x1f\x7f");
	as_the_library("\\xff \xc3\xa4 \xf0\x9f\x8e\x89 /");
	for (int c = 1; c < 0x80; c++) {
		each[0] = (char)c;
		as_the_library(each);
	}
}

static void numbers(void **state)
{
	const int64_t values[] = { 0, 1, -1, 10, 1234567890123, INT64_MAX, INT64_MIN };

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
		struct grp_json_text text = { .bytes = NULL };
		json_t *value = json_integer(values[i]);
		char *expected = json_dumps(value, JSON_ENCODE_ANY);

		grp_json_text_number(&text, values[i]);
		assert_text(&text, expected);
		free(expected);
		json_decref(value);
	}
}

static void it_grows(void **state)
{
	struct grp_json_text text = { .bytes = NULL };
	char *long_one = malloc(100001);

	(void)state;
	assert_non_null(long_one);
	memset(long_one, 'x', 100000);
	long_one[100000] = '\0';
	for (int i = 0; i < 10; i++)
		grp_json_text_raw(&text, long_one);
	assert_int_equal(text.len, 1000000);
	assert_int_equal(text.bytes[999999], 'x');
	grp_json_text_done(&text);
	assert_null(text.bytes);
	free(long_one);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strings),
		cmocka_unit_test(numbers),
		cmocka_unit_test(it_grows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
