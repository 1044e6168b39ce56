/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The feature probe, with whatever rights the test has: each feature is named
 * once, each that is missing says why, and trying leaves nothing behind.
 */
#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <cmocka.h>

#include "kernel/probe.h"

#define FEATURES_MAX 64

struct list {
	struct grp_feature items[FEATURES_MAX];
	size_t n;
	size_t end; /* stop after so many; 0: never */
};

static int add(const struct grp_feature *feature, void *data)
{
	struct list *list = data;

	assert_true(list->n < FEATURES_MAX);
	list->items[list->n++] = *feature;
	return list->n == list->end ? 17 : 0;
}

static size_t count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	size_t n = 0;

	assert_non_null(dir);
	while (readdir(dir))
		n++;
	(void)closedir(dir);
	return n;
}

static void test_each_is_named_once(void **state)
{
	struct list list = { .n = 0 };

	assert_int_equal(grp_probe_each(add, &list), 0);
	assert_true(list.n > 15);
	for (size_t i = 0; i < list.n; i++) {
		assert_true(strlen(list.items[i].name) > 0);
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(list.items[i].name, list.items[j].name);
	}
}

static void test_no_says_why(void **state)
{
	struct list list = { .n = 0 };

	assert_int_equal(grp_probe_each(add, &list), 0);
	for (size_t i = 0; i < list.n; i++)
		if (!list.items[i].available && !list.items[i].reason[0])
			fail_msg("%s: no reason", list.items[i].name);
}

static void test_stops_when_told(void **state)
{
	struct list list = { .end = 3 };

	assert_int_equal(grp_probe_each(add, &list), 17);
	assert_int_equal(list.n, 3);
}

static void test_leaves_nothing_behind(void **state)
{
	struct list list = { .n = 0 };
	size_t fds = count_fds();
	int policy = sched_getscheduler(0);

	assert_int_equal(grp_probe_each(add, &list), 0);
	assert_int_equal(count_fds(), fds);
	assert_int_equal(sched_getscheduler(0), policy);
	assert_int_equal(waitpid(-1, NULL, __WALL), -1);
	assert_int_equal(errno, ECHILD);
}

/* The first that is needed and not there, or none: as the list has it. */
static void test_missing(void **state)
{
	struct grp_feature missing;
	struct list list = { .n = 0 };
	size_t i = 0;
	int r;

	assert_int_equal(grp_probe_each(add, &list), 0);
	while (i < list.n && (list.items[i].available || !list.items[i].needed))
		i++;
	r = grp_probe_missing(&missing);
	assert_int_equal(r, i < list.n);
	if (r == 1)
		assert_string_equal(missing.name, list.items[i].name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_is_named_once),
		cmocka_unit_test(test_no_says_why),
		cmocka_unit_test(test_stops_when_told),
		cmocka_unit_test(test_leaves_nothing_behind),
		cmocka_unit_test(test_missing),
	};

	return cmocka_run_group_tests_name("probe", tests, NULL, NULL);
}
