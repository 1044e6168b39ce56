/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Medians and their bootstrap intervals.
 */
#include <stdlib.h>
#include <string.h>

#include "bench.h"

#define RESAMPLES 4000
#define LOW (RESAMPLES / 40)
#define HIGH (RESAMPLES - 1 - RESAMPLES / 40)

static int by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static double median_of_sorted(const double *values, size_t n)
{
	return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

double bench_median(const double *values, size_t n)
{
	double *copy = calloc(n, sizeof(*copy)), median;

	if (!copy || !n) {
		free(copy);
		return 0;
	}
	memcpy(copy, values, n * sizeof(*copy));
	qsort(copy, n, sizeof(*copy), by_value);
	median = median_of_sorted(copy, n);
	free(copy);
	return median;
}

/* xorshift64*: of the same beginning every time. */
static uint64_t next_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 0x2545f4914f6cdd1dULL;
}

struct bench_ratio bench_bootstrap(const double *values, size_t n)
{
	struct bench_ratio ratio = { .median = bench_median(values, n) };
	double *medians = calloc(RESAMPLES, sizeof(*medians));
	double *drawn = calloc(n ? n : 1, sizeof(*drawn));
	uint64_t state = 0x9e3779b97f4a7c15ULL;

	ratio.low = ratio.high = ratio.median;
	for (size_t i = 0; n && medians && drawn && i < RESAMPLES; i++) {
		for (size_t j = 0; j < n; j++)
			drawn[j] = values[(next_random(&state) >> 33) % n];
		qsort(drawn, n, sizeof(*drawn), by_value);
		medians[i] = median_of_sorted(drawn, n);
	}
	if (n && medians && drawn) {
		qsort(medians, RESAMPLES, sizeof(*medians), by_value);
		ratio.low = medians[LOW];
		ratio.high = medians[HIGH];
	}
	free(drawn);
	free(medians);
	return ratio;
}
