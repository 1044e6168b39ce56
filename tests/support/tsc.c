/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tsc: prints how many thousand times a second the time stamp counter goes up here. An emulated
 * machine shows it to its guest, whose own calibration is wrong by any factor when the emulator
 * did not get its CPU meanwhile. Exits with 77 where there is no such counter.
 */
#include "support.h"

#if defined(__x86_64__)
#include <x86intrin.h>

#define ROUNDS 32
#define INTERVAL_NS (100 * NS_PER_MS)

struct reading {
	uint64_t ns, ticks;
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_RAW, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

/* Both at once: of many tries the one that was disturbed least. */
static struct reading read_both(void)
{
	struct reading best = { 0 };
	uint64_t shortest = UINT64_MAX;

	for (int i = 0; i < ROUNDS; i++) {
		uint64_t before = now_ns(), ticks = __rdtsc(), after = now_ns();

		if (after - before < shortest) {
			shortest = after - before;
			best.ns = before + shortest / 2;
			best.ticks = ticks;
		}
	}
	return best;
}

int main(void)
{
	struct timespec wait = { .tv_nsec = (long)INTERVAL_NS };
	struct reading first = read_both(), last;

	nanosleep(&wait, NULL);
	last = read_both();
	printf("%.0f\n", (double)(last.ticks - first.ticks) * 1e6 / (double)(last.ns - first.ns));
	return 0;
}
#else
int main(void)
{
	puts("no time stamp counter on this architecture");
	return EXIT_SKIP;
}
#endif
