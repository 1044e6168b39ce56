/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Lists of mount points.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/mount_list.h"

static void assert_next(const char **at, const char *hierarchy, const char *directory)
{
	_cleanup_free_ char *name = NULL, *path = NULL;

	assert_int_equal(grp_mount_list_next(at, &name, &path), 1);
	assert_string_equal(name, hierarchy);
	assert_string_equal(path, directory);
}

static void test_entries(void **state)
{
	const char *at = "/a,p:/b:c,*:/d";
	char *none;

	assert_next(&at, "default", "/a");
	assert_next(&at, "p", "/b:c");
	assert_next(&at, "*", "/d");
	assert_int_equal(grp_mount_list_next(&at, &none, &none), 0);
}

static void test_forms(void **state)
{
	static const char *const wrong[] = { "a", "/a,", ",/a", ":/a", "p:", "p:a", "/a,,/b" };

	assert_int_equal(grp_mount_list_check("/a,p:/b"), 0);
	assert_int_equal(grp_mount_list_check(""), 0);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(grp_mount_list_check(wrong[i]), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_entries),
		cmocka_unit_test(test_forms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
