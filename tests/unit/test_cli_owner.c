/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Users and groups of users: as they are written, and as messages show them. Root
 * has a name everywhere, 4000000000 nowhere.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "../../cli/owner.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof(*(array)))
#define KEEP GRP_OWNER_KEEP

static void reads(void **state)
{
	static const struct {
		const char *text;
		int r;
		int64_t uid, gid;
		const char *wrong;
	} cases[] = {
		{ "root", 0, 0, KEEP, NULL },
		{ "0", 0, 0, KEEP, NULL },
		{ "root:root", 0, 0, 0, NULL },
		{ "root:", 0, 0, 0, NULL },
		{ "0:", 0, 0, 0, NULL },
		{ ":root", 0, KEEP, 0, NULL },
		{ "4000000000:4294967294", 0, 4000000000, 4294967294, NULL },
		{ "", -EINVAL, 0, 0, NULL },
		{ ":", -EINVAL, 0, 0, NULL },
		{ "no.such", -ENOENT, 0, 0, "no.such" },
		{ "root:no.such", -ENOENT, 0, 0, "no.such" },
		{ "root:0:0", -ENOENT, 0, 0, "0:0" },
		{ "4294967295", -ENOENT, 0, 0, "4294967295" },
		{ "-1", -ENOENT, 0, 0, "-1" },
		{ "4000000000:", -ENOENT, 0, 0, "4000000000:" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *wrong = NULL;
		struct grp_owner owner = { 0, 0 };

		assert_int_equal(grp_owner_parse(cases[i].text, &owner, &wrong), cases[i].r);
		assert_int_equal(owner.uid, cases[i].uid);
		assert_int_equal(owner.gid, cases[i].gid);
		if (cases[i].wrong)
			assert_string_equal(wrong, cases[i].wrong);
		else
			assert_null(wrong);
	}
}

static void explains(void **state)
{
	static const struct {
		const char *message, *expected;
	} cases[] = {
		{ "", "" },
		{ "nothing", "nothing" },
		{ "uid 0", "uid 0 (root)" },
		{ "uid 0, gid 0.", "uid 0 (root), gid 0 (root)." },
		{ "uid 4000000000 uid x uid ", "uid 4000000000 uid x uid " },
		{ "uid 00000000000000000000", "uid 00000000000000000000" },
		{ "uid 4294967295", "uid 4294967295" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		/* In memory of its own: nothing may be read behind its end. */
		_cleanup_free_ char *text = NULL, *message = strdup(cases[i].message);

		assert_int_equal(grp_owner_explain(message, &text), 0);
		assert_string_equal(text, cases[i].expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads),
		cmocka_unit_test(explains),
	};

	return cmocka_run_group_tests_name("cli_owner", tests, NULL, NULL);
}
