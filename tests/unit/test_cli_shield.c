/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What shield reads of /proc/PID/stat: who is a kernel thread, who may be moved.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "../../cli/shield.h"

static void tasks(void **state)
{
	static const struct {
		const char *stat;
		bool kernel, bound;
		unsigned int threads;
		unsigned long long start;
	} rows[] = {
		{ "1 (systemd) S 0 1 1 0 -1 4194560 10 20 30 40 5 6 7 8 20 0 1 0 25 1000 2000\n",
		  false, false, 1, 25 },
		/* A name may hold anything. */
		{ "77 (a) R 1 (b) S 1 77 77 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 12 0 987654321 1 2\n",
		  false, false, 12, 987654321 },
		{ "15 (kworker/R-rcu_g) I 2 0 0 0 -1 69238880 0 0 0 0 0 0 0 0 0 -20 1 0 30 0 0\n",
		  true, true, 1, 30 },
		{ "16 (kcompactd0) S 2 0 0 0 -1 2129984 0 0 0 0 0 0 0 0 20 0 1 0 31 0 0\n", true,
		  false, 1, 31 },
		/* Without the flag, but the kernel moves it for nobody. */
		{ "2 (kthreadd) S 0 0 0 0 -1 2129984 0 0 0 0 0 1 0 0 20 0 1 0 27 0 0\n", true, true,
		  1, 27 },
		/* In another pid namespace 2 is just anybody. */
		{ "2 (cat) S 1 0 0 0 -1 4194304 0 0 0 0 0 1 0 0 20 0 1 0 28 0 0\n", false, false, 1,
		  28 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct grp_shield_task task = { 0 };

		assert_int_equal(grp_shield_parse_task(rows[i].stat, &task), 0);
		assert_int_equal(task.kernel, rows[i].kernel);
		assert_int_equal(task.bound, rows[i].bound);
		assert_int_equal(task.threads, rows[i].threads);
		assert_int_equal(task.start_ticks, rows[i].start);
	}
}

static void not_a_task(void **state)
{
	static const char *const texts[] = {
		"", "1 systemd S 0 1", "1 (systemd)", "1 (systemd) S 0 1 1 0 -1 4194560 10",
		"1 (systemd) S 0 1 1 0 -1 x 10 20 30 40 5 6 7 8 20 0 1 0 25 1000 2000\n"
	};
	struct grp_shield_task task;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(grp_shield_parse_task(texts[i], &task), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tasks),
		cmocka_unit_test(not_a_task),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
