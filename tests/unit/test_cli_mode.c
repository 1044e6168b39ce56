/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Modes as chmod(1) reads them. The table is what chmod of coreutils 9.1 makes of a
 * directory and of a file.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "../../cli/mode.h"

static const struct {
	const char *text;
	unsigned int mode, umask, directory, file;
} rows[] = {
	{ "a=", 02751, 022, 02000, 0 },
	{ "a=", 07777, 077, 06000, 0 },
	{ "a=", 0640, 022, 0, 0 },
	{ "=rx", 02751, 022, 02555, 0555 },
	{ "=rx", 07777, 077, 06500, 0500 },
	{ "=rx", 0640, 022, 0555, 0555 },
	{ "u=s", 02751, 022, 06051, 06051 },
	{ "u=s", 07777, 077, 07077, 07077 },
	{ "u=s", 0640, 022, 04040, 04040 },
	{ "+t", 02751, 022, 03751, 03751 },
	{ "+t", 07777, 077, 07777, 07777 },
	{ "+t", 0640, 022, 01640, 01640 },
	{ "u+t", 02751, 022, 02751, 02751 },
	{ "u+t", 07777, 077, 07777, 07777 },
	{ "u+t", 0640, 022, 0640, 0640 },
	{ "g=u", 02751, 022, 02771, 0771 },
	{ "g=u", 07777, 077, 07777, 05777 },
	{ "g=u", 0640, 022, 0660, 0660 },
	{ "a=X", 02751, 022, 02111, 0111 },
	{ "a=X", 07777, 077, 06111, 0111 },
	{ "a=X", 0640, 022, 0111, 0 },
	{ "+w", 02751, 022, 02751, 02751 },
	{ "+w", 07777, 077, 07777, 07777 },
	{ "+w", 0640, 022, 0640, 0640 },
	{ "-w", 02751, 022, 02551, 02551 },
	{ "-w", 07777, 077, 07577, 07577 },
	{ "-w", 0640, 022, 0440, 0440 },
	{ "u=rwx,g=,o-r", 02751, 022, 02701, 0701 },
	{ "u=rwx,g=,o-r", 07777, 077, 07703, 01703 },
	{ "u=rwx,g=,o-r", 0640, 022, 0700, 0700 },
	{ "g+s", 02751, 022, 02751, 02751 },
	{ "g+s", 07777, 077, 07777, 07777 },
	{ "g+s", 0640, 022, 02640, 02640 },
	{ "a-s", 02751, 022, 0751, 0751 },
	{ "a-s", 07777, 077, 01777, 01777 },
	{ "a-s", 0640, 022, 0640, 0640 },
	{ "=", 02751, 022, 02000, 0 },
	{ "=", 07777, 077, 06000, 0 },
	{ "=", 0640, 022, 0, 0 },
	{ "u+x-w", 02751, 022, 02551, 02551 },
	{ "u+x-w", 07777, 077, 07577, 07577 },
	{ "u+x-w", 0640, 022, 0540, 0540 },
	{ "o=g-w", 02751, 022, 02755, 02755 },
	{ "o=g-w", 07777, 077, 06775, 06775 },
	{ "o=g-w", 0640, 022, 0644, 0644 },
	{ "a=t", 02751, 022, 03000, 01000 },
	{ "a=t", 07777, 077, 07000, 01000 },
	{ "a=t", 0640, 022, 01000, 01000 },
	{ "ug=", 02751, 022, 02001, 01 },
	{ "ug=", 07777, 077, 07007, 01007 },
	{ "ug=", 0640, 022, 0, 0 },
};

#define ARRAY_SIZE(array) (sizeof(array) / sizeof(*(array)))

static void changes(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct grp_mode_base base = { rows[i].mode, rows[i].umask, true };
		unsigned int mode;

		assert_int_equal(grp_mode_apply(rows[i].text, &base, &mode), 0);
		assert_int_equal(mode, rows[i].directory);
		base.directory = false;
		assert_int_equal(grp_mode_apply(rows[i].text, &base, &mode), 0);
		assert_int_equal(mode, rows[i].file);
	}
}

static void octal(void **state)
{
	unsigned int mode = 0;

	(void)state;
	assert_true(grp_mode_is_octal("0750"));
	assert_false(grp_mode_is_octal("u=rw"));
	assert_int_equal(grp_mode_apply("0750", NULL, &mode), 0);
	assert_int_equal(mode, 0750);
	assert_int_equal(grp_mode_apply("7777", NULL, &mode), 0);
	assert_int_equal(mode, 07777);
}

static void wrong(void **state)
{
	static const char *const texts[] = { "",	 "u",	    "rwx",     "u+q",  "+r,",
					     "u+r,,g+w", ",u+x",    "u=gr",    "+ugo", "8",
					     "78",	 "0777777", "u+r g+r", "u~r" };
	const struct grp_mode_base base = { 0755, 022, true };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		unsigned int mode = 1;

		assert_int_equal(grp_mode_apply(texts[i], &base, &mode), -EINVAL);
		assert_int_equal(mode, 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(changes),
		cmocka_unit_test(octal),
		cmocka_unit_test(wrong),
	};

	return cmocka_run_group_tests_name("cli_mode", tests, NULL, NULL);
}
