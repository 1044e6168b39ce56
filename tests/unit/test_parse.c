/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * agent/base/parse.c.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/parse.h"

#define ROWS(table) (sizeof(table) / sizeof(*(table)))

static void test_u64(void **state)
{
	static const struct {
		const char *text;
		uint64_t min, max;
		int result;
		uint64_t value;
	} rows[] = {
		{ "0", 0, UINT64_MAX, 0, 0 },
		{ "7", 7, 7, 0, 7 },
		{ "007", 0, 10, 0, 7 },
		{ "18446744073709551615", 0, UINT64_MAX, 0, UINT64_MAX },
		{ "18446744073709551616", 0, UINT64_MAX, -ERANGE, 0 },
		{ "99999999999999999999999999", 0, UINT64_MAX, -ERANGE, 0 },
		{ "99999999999999999999999999x", 0, UINT64_MAX, -EINVAL, 0 },
		{ "6", 7, 9, -ERANGE, 0 },
		{ "10", 7, 9, -ERANGE, 0 },
		{ "", 0, 9, -EINVAL, 0 },
		{ " 1", 0, 9, -EINVAL, 0 },
		{ "1 ", 0, 9, -EINVAL, 0 },
		{ "1\n", 0, 9, -EINVAL, 0 },
		{ "+1", 0, 9, -EINVAL, 0 },
		{ "-1", 0, 9, -EINVAL, 0 },
		{ "0x1", 0, 9, -EINVAL, 0 },
		{ "1e1", 0, 99, -EINVAL, 0 },
		{ "\xd9\xa1", 0, 9, -EINVAL, 0 },
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		uint64_t value = 42;
		int r = grp_parse_u64(rows[i].text, rows[i].min, rows[i].max, &value);

		assert_int_equal(r, rows[i].result);
		/* Written only on success. */
		assert_true(value == (r ? 42 : rows[i].value));
	}
}

static void test_task_id(void **state)
{
	static const struct {
		const char *text;
		int result;
		pid_t tid;
		uint64_t start;
	} rows[] = {
		{ "1", 0, 1, 0 },
		{ "0", 0, 0, 0 },
		{ "123@456", 0, 123, 456 },
		{ "2147483647", 0, INT32_MAX, 0 },
		{ "2147483648", -EINVAL, 0, 0 },
		{ "4294967297", -EINVAL, 0, 0 },
		{ "99999999999999999999", -EINVAL, 0, 0 },
		{ "-1", -ESRCH, 0, 0 },
		{ "-1@5", -ESRCH, 0, 0 },
		{ "-", -EINVAL, 0, 0 },
		{ "", -EINVAL, 0, 0 },
		{ "abc", -EINVAL, 0, 0 },
		{ "1 2", -EINVAL, 0, 0 },
		{ "1@", -EINVAL, 0, 0 },
		{ "@1", -EINVAL, 0, 0 },
		{ "1@2@3", -EINVAL, 0, 0 },
		{ "1@-2", -EINVAL, 0, 0 },
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		pid_t tid = -7;
		uint64_t start = 42;
		int r = grp_parse_task_id(rows[i].text, &tid, &start);

		assert_int_equal(r, rows[i].result);
		assert_int_equal(tid, r ? -7 : rows[i].tid);
		assert_int_equal(start, r ? 42 : rows[i].start);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_u64),
		cmocka_unit_test(test_task_id),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
