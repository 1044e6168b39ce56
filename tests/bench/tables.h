/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tables of rows, one a file. Each ends with a row without id.
 */
#ifndef GRP_TESTS_BENCH_TABLES_H
#define GRP_TESTS_BENCH_TABLES_H

#include "bench.h"

extern const struct bench_row bench_rows_free[];
extern const struct bench_row bench_rows_deep[];
extern const struct bench_row bench_rows_switch[];
extern const struct bench_row bench_rows_own[];
extern const struct bench_row bench_rows_many[];
extern const struct bench_row bench_rows_socket[];
extern const struct bench_row bench_rows_fs[];
extern const struct bench_row bench_rows_cpuset[];
extern const struct bench_row bench_rows_life[];

#endif
