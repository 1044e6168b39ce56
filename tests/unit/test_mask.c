/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * agent/base/mask.c. What each text gives was measured in the kernel's own
 * cpuset.cpus; tests/e2e/cpuset_rules.bats asks it again.
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
#include "base/mask.h"

#define ROWS(table) (sizeof(table) / sizeof(*(table)))

/* A list that must be one, of as many bits as there can be. */
static struct grp_mask list(const char *text)
{
	struct grp_mask mask;

	assert_int_equal(grp_mask_parse(text, GRP_MASK_BITS, &mask), 0);
	return mask;
}

static void assert_list(const struct grp_mask *mask, const char *text)
{
	_cleanup_free_ char *got = grp_mask_text(mask);

	assert_non_null(got);
	assert_string_equal(got, text);
}

static void test_lists(void **state)
{
	/* On a machine of 4 CPUs. */
	static const struct {
		const char *text, *list;
	} rows[] = {
		{ "", "" },
		{ "\n", "" },
		{ " ", "" },
		{ ",", "" },
		{ "0", "0" },
		{ "0\n", "0" },
		{ " 0", "0" },
		{ "0 ", "0" },
		{ "0\t", "0" },
		{ "00", "0" },
		{ "01", "1" },
		{ "0-1", "0-1" },
		{ "0,1", "0-1" },
		{ "0,1,", "0-1" },
		{ ",0", "0" },
		{ "0,,1", "0-1" },
		{ "0 1", "0-1" },
		{ "0\v1\f2\r3", "0-3" },
		{ "0\xa0"
		  "1",
		  "0-1" },
		{ "0,0", "0" },
		{ "0-0", "0" },
		{ "3,0", "0,3" },
		{ "0,1-2,3", "0-3" },
		{ "0,1-2,", "0-2" },
		{ "0\n1", "0" },
		{ "0\nx", "0" },
		{ "0 \n1", "0-1" },
		{ "\n1", "1" },
		{ "all", "0-3" },
		{ "ALL", "0-3" },
		{ "all:1/2", "0,2" },
		{ "N", "3" },
		{ "0-N", "0-3" },
		{ "N-N", "3" },
		{ "0-1:1/2", "0" },
		{ "0-3:1/2", "0,2" },
		{ "1-3:2/2", "1-3" },
		{ "0-3:0/1", "" },
		{ "0-1:1/2\n1", "0-1" },
		{ "all\n0x", "0-3" },
		{ "0-3:1/2all", "0-3" },
		{ "0000000000000000000000000000002", "2" },
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct grp_mask mask;

		assert_int_equal(grp_mask_parse(rows[i].text, 4, &mask), 0);
		assert_list(&mask, rows[i].list);
	}
}

static void test_errors(void **state)
{
	static const struct {
		const char *text;
		int result;
	} rows[] = {
		{ "1-0", -EINVAL },
		{ "0-", -EINVAL },
		{ "-", -EINVAL },
		{ "-1", -EINVAL },
		{ "0--1", -EINVAL },
		{ "0-1-1", -EINVAL },
		{ "0x1", -EINVAL },
		{ "+1", -EINVAL },
		{ "1.0", -EINVAL },
		{ "a", -EINVAL },
		{ "0a", -EINVAL },
		{ "AAA", -EINVAL },
		{ "0,a", -EINVAL },
		{ "alle", -EINVAL },
		{ "n", -EINVAL },
		{ "1:1/2", -EINVAL },
		{ "0-1:", -EINVAL },
		{ "0-1:1", -EINVAL },
		{ "0-1:1/", -EINVAL },
		{ "0-1:1/0", -EINVAL },
		{ "0-1:2/1", -EINVAL },
		{ "4", -ERANGE },
		{ "0-4", -ERANGE },
		{ "63", -ERANGE },
		{ "8191", -ERANGE },
		{ "65536", -ERANGE },
		{ "4294967294", -ERANGE },
		{ "4294967295", -EINVAL },
		{ "4294967296", -EOVERFLOW },
		{ "18446744073709551616", -EOVERFLOW },
		{ "99999999999999999999999999999999", -EOVERFLOW },
		{ "5-4294967296", -EOVERFLOW },
		/* What is wrong first is told. */
		{ "4,a", -ERANGE },
		{ "a,4", -EINVAL },
		{ "9-8", -EINVAL },
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct grp_mask mask = list("7");

		assert_int_equal(grp_mask_parse(rows[i].text, 4, &mask), rows[i].result);
		/* Written only on success. */
		assert_list(&mask, "7");
	}
}

static void test_limits(void **state)
{
	struct grp_mask mask;

	assert_int_equal(grp_mask_parse("0-8191", GRP_MASK_BITS, &mask), 0);
	assert_int_equal(grp_mask_weight(&mask), GRP_MASK_BITS);
	assert_list(&mask, "0-8191");
	assert_int_equal(grp_mask_parse("8192", GRP_MASK_BITS, &mask), -ERANGE);
	assert_int_equal(grp_mask_parse("0", 1, &mask), 0);
	assert_int_equal(grp_mask_parse("1", 1, &mask), -ERANGE);
	/* The longest list there is. */
	assert_int_equal(grp_mask_parse("1-N:1/2", GRP_MASK_BITS, &mask), 0);
	assert_int_equal(grp_mask_weight(&mask), GRP_MASK_BITS / 2);
	assert_int_equal(grp_mask_text_max(256), 1636);
}

static void test_bits(void **state)
{
	struct grp_mask mask = { 0 };

	assert_true(grp_mask_empty(&mask));
	grp_mask_set(&mask, 63);
	grp_mask_set(&mask, 64);
	grp_mask_set(&mask, 8191);
	grp_mask_set(&mask, 8192);
	assert_true(grp_mask_has(&mask, 63) && grp_mask_has(&mask, 64));
	assert_false(grp_mask_has(&mask, 62) || grp_mask_has(&mask, 8192));
	assert_int_equal(grp_mask_next(&mask, 0), 63);
	assert_int_equal(grp_mask_next(&mask, 64), 64);
	assert_int_equal(grp_mask_next(&mask, 65), 8191);
	assert_int_equal(grp_mask_next(&mask, 8192), GRP_MASK_BITS);
	assert_list(&mask, "63-64,8191");
	grp_mask_unset(&mask, 63);
	grp_mask_unset(&mask, 8192);
	assert_list(&mask, "64,8191");
	grp_mask_fill(&mask, 70);
	assert_list(&mask, "0-69");
	grp_mask_fill(&mask, 0);
	assert_true(grp_mask_empty(&mask));
}

static void test_sets(void **state)
{
	struct grp_mask a = list("0-3,100"), b = list("2-5,200"), mask;
	struct grp_mask inside = list("1,100"), none = { 0 };

	mask = a;
	grp_mask_and(&mask, &b);
	assert_list(&mask, "2-3");
	mask = a;
	grp_mask_or(&mask, &b);
	assert_list(&mask, "0-5,100,200");
	mask = a;
	grp_mask_remove(&mask, &b);
	assert_list(&mask, "0-1,100");
	assert_true(grp_mask_subset(&inside, &a));
	assert_true(grp_mask_subset(&a, &a));
	assert_true(grp_mask_subset(&none, &a));
	assert_true(grp_mask_subset(&none, &none));
	assert_false(grp_mask_subset(&a, &b));
	assert_false(grp_mask_subset(&a, &none));
	assert_true(grp_mask_overlap(&a, &b));
	assert_false(grp_mask_overlap(&inside, &b));
	assert_false(grp_mask_overlap(&none, &none));
	assert_true(grp_mask_equal(&a, &a));
	assert_false(grp_mask_equal(&a, &b));
	assert_int_equal(grp_mask_weight(&a), 5);
}

static void test_for_each(void **state)
{
	const struct grp_mask mask = list("0,63-64,8191");
	unsigned int sum = 0, n = 0;

	grp_mask_for_each(bit, &mask)
	{
		sum += bit;
		n++;
	}
	assert_int_equal(n, 4);
	assert_int_equal(sum, 63 + 64 + 8191);
}

static void test_kept(void **state)
{
	struct grp_kept_mask kept = { 0 };
	struct grp_mask mask = grp_mask_kept(&kept);

	assert_true(grp_mask_empty(&mask));
	/* To and fro between the form without and the one with memory of its own. */
	static const char *const texts[] = { "0-63", "0-1,64", "5", "8191", "0-8191", "" };

	for (size_t i = 0; i < ROWS(texts); i++) {
		mask = list(texts[i]);
		assert_int_equal(grp_mask_keep(&kept, &mask), 0);
		mask = grp_mask_kept(&kept);
		assert_list(&mask, texts[i]);
	}
	mask = list("64");
	assert_int_equal(grp_mask_keep(&kept, &mask), 0);
	grp_mask_drop(&kept);
	mask = grp_mask_kept(&kept);
	assert_true(grp_mask_empty(&mask));
	/* Ten thousand groups with three each are not to cost 30 MB. */
	assert_true(sizeof(kept) <= 16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lists),  cmocka_unit_test(test_errors),
		cmocka_unit_test(test_limits), cmocka_unit_test(test_bits),
		cmocka_unit_test(test_sets),   cmocka_unit_test(test_for_each),
		cmocka_unit_test(test_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
