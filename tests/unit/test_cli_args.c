/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Words of grpctl's command line: lists of groups, signals, modes, names of
 * instances, options by table.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../cli/args.h"
#include "base/cleanup.h"
#include "base/cleanup_json.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof(*(array)))

static void splits_lists(void **state)
{
	static const struct {
		const char *argument, *expected;
	} cases[] = {
		{ "/a", "[\"/a\"]" },
		{ "", "[\"\"]" },
		{ "/a,/b", "[\"/a\",\"/b\"]" },
		{ "/a,web:/b,/c", "[\"/a\",\"web:/b\",\"/c\"]" },
		{ "web:/a,b", "[\"web:/a,b\"]" },
		{ "/a,b:c", "[\"/a,b:c\"]" },
		{ "/a,:/b", "[\"/a,:/b\"]" },
		{ "/a, /b", "[\"/a, /b\"]" },
		{ "/a,,/b", "[\"/a,\",\"/b\"]" },
		{ "/a,", "[\"/a,\"]" },
		{ ",/a", "[\"\",\"/a\"]" },
		/* What the backslash means is the agent's business, but it is jumped over. */
		{ "/a\\,/b", "[\"/a\\\\,/b\"]" },
		{ "/a\\\\,/b", "[\"/a\\\\\\\\\",\"/b\"]" },
		{ "/a\\", "[\"/a\\\\\"]" },
		{ "/\xff,/\xc3\xa4", "[\"/\\\\xff\",\"/\xc3\xa4\"]" },
		{ "/a,A-Z_0.9:/b", "[\"/a\",\"A-Z_0.9:/b\"]" },
		{ "/a,b c:/d", "[\"/a,b c:/d\"]" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_json_ json_t *groups = grp_args_groups(cases[i].argument);
		_cleanup_free_ char *text = json_dumps(groups, JSON_COMPACT);

		assert_string_equal(text, cases[i].expected);
	}
}

static void splits_at_names_of_64_only(void **state)
{
	char list[128] = "/a,";
	_cleanup_json_ json_t *whole = NULL, *parts = NULL;

	memset(&list[3], 'n', 65);
	memcpy(&list[68], ":/b", 4);
	whole = grp_args_groups(list);
	assert_int_equal(json_array_size(whole), 1);
	memcpy(&list[67], ":/b", 4);
	parts = grp_args_groups(list);
	assert_int_equal(json_array_size(parts), 2);
}

static void reads_signals(void **state)
{
	static const struct {
		const char *argument;
		int result, number;
	} cases[] = {
		{ "TERM", 0, SIGTERM },
		{ "SIGTERM", 0, SIGTERM },
		{ "sigkill", 0, SIGKILL },
		{ "Usr1", 0, SIGUSR1 },
		{ "0", 0, 0 },
		{ "9", 0, 9 },
		{ "64", 0, 64 },
		{ "65", -EINVAL, 0 },
		{ "-9", -EINVAL, 0 },
		{ "", -EINVAL, 0 },
		{ "SIG", -EINVAL, 0 },
		{ "9x", -EINVAL, 0 },
		{ "SIG9", -EINVAL, 0 },
		{ "TERMX", -EINVAL, 0 },
		{ "CLD", 0, SIGCHLD },
		{ "SIGSIGINT", -EINVAL, 0 },
		{ " 9", -EINVAL, 0 },
		{ "IOT", 0, SIGABRT },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int number = 0;

		assert_int_equal(grp_args_signal(cases[i].argument, &number), cases[i].result);
		assert_int_equal(number, cases[i].number);
	}
}

static void reads_modes(void **state)
{
	static const struct {
		const char *argument;
		int result;
		unsigned int mode;
	} cases[] = {
		{ "755", 0, 0755 },   { "0755", 0, 0755 },	{ "0", 0, 0 },
		{ "7777", 0, 07777 }, { "07777", 0, 07777 },	{ "17777", -EINVAL, 0 },
		{ "8", -EINVAL, 0 },  { "", -EINVAL, 0 },	{ "u+x", -EINVAL, 0 },
		{ "-1", -EINVAL, 0 }, { "000755", -EINVAL, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		unsigned int mode = 0;

		assert_int_equal(grp_args_mode(cases[i].argument, &mode), cases[i].result);
		assert_int_equal(mode, cases[i].mode);
	}
}

static void knows_names_of_instances(void **state)
{
	char name[66];

	assert_true(grp_args_name_valid("main"));
	assert_true(grp_args_name_valid("A-z_0.9"));
	assert_true(grp_args_name_valid("..."));
	assert_false(grp_args_name_valid(""));
	assert_false(grp_args_name_valid("."));
	assert_false(grp_args_name_valid(".."));
	assert_false(grp_args_name_valid("a/b"));
	assert_false(grp_args_name_valid("a b"));
	assert_false(grp_args_name_valid("\xc3\xa4"));
	memset(name, 'a', sizeof(name));
	name[64] = '\0';
	assert_true(grp_args_name_valid(name));
	name[64] = 'a';
	name[65] = '\0';
	assert_false(grp_args_name_valid(name));
}

static void keeps_options(void **state)
{
	static const struct grp_option options[] = {
		{ 'r', "recursive", NULL, "" },
		{ GRP_OPTION_FROM, "from", "GROUP", "" },
		{},
	};
	struct grp_args args = { .options = options };

	assert_null(grp_args_value(&args, 'r'));
	assert_null(grp_args_flag(&args, 'r'));
	assert_true(grp_args_store(&args, 'r', NULL));
	assert_true(grp_args_store(&args, GRP_OPTION_FROM, "/a"));
	assert_false(grp_args_store(&args, 'x', NULL));
	assert_true(json_is_true(grp_args_flag(&args, 'r')));
	assert_string_equal(grp_args_value(&args, GRP_OPTION_FROM), "/a");
	assert_null(grp_args_value(&args, 'x'));
	args = (struct grp_args){ .options = NULL };
	assert_false(grp_args_store(&args, 'r', NULL));
	assert_null(grp_args_value(&args, 'r'));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(splits_lists),
		cmocka_unit_test(splits_at_names_of_64_only),
		cmocka_unit_test(reads_signals),
		cmocka_unit_test(reads_modes),
		cmocka_unit_test(knows_names_of_instances),
		cmocka_unit_test(keeps_options),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
