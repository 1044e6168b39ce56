/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which tables there are, in the order in which they are shown.
 */
#include "tables.h"

const struct bench_row *const bench_tables[] = {
	bench_rows_free,   bench_rows_deep, bench_rows_switch,
	bench_rows_fs, /* before those that it is a column of */
	bench_rows_own,	   bench_rows_many, bench_rows_socket,
	bench_rows_cpuset, bench_rows_life, NULL,
};
