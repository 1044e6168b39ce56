/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a fuzz target, fuzz_NAME.c, has. The entry is libFuzzer's; without that, main.c makes the
 * input.
 */
#ifndef GRP_TESTS_FUZZ_H
#define GRP_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* How often something was reached. At 0 after many inputs, the target tests less than it says. */
struct fuzz_count {
	const char *name;
	uint64_t n;
};

/* All of them; the last one has no name. */
extern struct fuzz_count fuzz_counts[];

/* What main.c puts input together from; the last one is NULL. */
extern const char *const fuzz_words[];

/* One input. Aborts when what must hold does not. Return: 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
