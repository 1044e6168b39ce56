/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * agent/base/error.c.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"

static void test_names(void **state)
{
	assert_string_equal(grp_errno_name(EBUSY), "EBUSY");
	assert_string_equal(grp_errno_name(ESRCH), "ESRCH");
	assert_string_equal(grp_errno_name(EDQUOT), "EDQUOT");
	assert_string_equal(grp_errno_name(99999), "E?99999");
}

static void test_set(void **state)
{
	struct grp_error error = { 0 };

	assert_int_equal(grp_error_set(&error, EBUSY, "%s has %d tasks", "/a", 3), -EBUSY);
	assert_int_equal(error.number, EBUSY);
	assert_string_equal(error.message, "/a has 3 tasks");
	assert_int_equal(grp_error_set(NULL, ENOENT, "nobody asks"), -ENOENT);
}

static void test_plural(void **state)
{
	assert_string_equal(grp_plural(0), "s");
	assert_string_equal(grp_plural(1), "");
	assert_string_equal(grp_plural(2), "s");
}

static void test_long(void **state)
{
	struct grp_error error = { 0 };
	char text[4096];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(grp_error_set(&error, EIO, "%s", text), -EIO);
	assert_int_equal(strlen(error.message), sizeof(error.message) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_set),
		cmocka_unit_test(test_plural),
		cmocka_unit_test(test_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
