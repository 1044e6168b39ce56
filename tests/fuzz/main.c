/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * In the place of libFuzzer, where there is none: the files that are named, or input made of the
 * target's words and other bytes, the same for the same seed. Knows nothing of what is covered.
 *
 *	fuzz_NAME [ROUNDS [SEED]]	or	fuzz_NAME FILE...
 *
 * Prints how often the target reached what.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../support/support.h"
#include "base/cleanup.h"
#include "base/parse.h"
#include "fuzz.h"

#define ROUNDS_DEFAULT 100000
#define INPUT_MAX 8192
#define PARTS_MAX 1000
#define FILE_MAX (1 << 20)

/* One of 0 ... n - 1 */
static size_t pick(size_t n)
{
	return n ? (size_t)rand() % n : 0;
}

static size_t count_words(void)
{
	size_t n = 0;

	while (fuzz_words[n])
		n++;
	return n;
}

static size_t make_input(uint8_t *data)
{
	size_t n = 0, n_words = count_words(), parts = pick(PARTS_MAX);
	/* Some inputs are one long text. */
	uint8_t end = pick(4) ? '\0' : ' ';

	for (size_t i = 0; i < parts; i++) {
		const char *word = fuzz_words[pick(n_words)];

		if (n + strlen(word) + 1 > INPUT_MAX)
			break;
		switch (pick(8)) {
		case 0:
			data[n++] = end;
			break;
		case 1:
			data[n++] = (uint8_t)rand();
			break;
		default:
			while (*word)
				data[n++] = (uint8_t)*word++;
		}
	}
	/* Half of the inputs have a few wrong bytes. */
	for (size_t i = pick(2) * pick(8); n && i; i--)
		data[pick(n)] = (uint8_t)rand();
	return n;
}

static void run_file(const char *path)
{
	_cleanup_fclose_ FILE *file = fopen(path, "re");
	_cleanup_free_ uint8_t *data = malloc(FILE_MAX);
	size_t n;

	if (!file || !data)
		die(path);
	n = fread(data, 1, FILE_MAX, file);
	if (ferror(file))
		die(path);
	(void)LLVMFuzzerTestOneInput(data, n);
}

int main(int argc, char **argv)
{
	uint64_t rounds = ROUNDS_DEFAULT, seed = 1;
	static uint8_t data[INPUT_MAX];

	if (argc > 1 && grp_parse_u64(argv[1], 1, UINT64_MAX, &rounds) < 0) {
		rounds = 0;
		for (int i = 1; i < argc; i++)
			run_file(argv[i]);
	} else if (argc > 3 || (argc == 3 && grp_parse_u64(argv[2], 0, UINT32_MAX, &seed) < 0)) {
		die_usage("fuzz_NAME [ROUNDS [SEED]] | FILE...");
	}
	srand((unsigned int)seed);
	for (uint64_t i = 0; i < rounds; i++)
		(void)LLVMFuzzerTestOneInput(data, make_input(data));
	for (const struct fuzz_count *count = fuzz_counts; count->name; count++)
		printf("%s %" PRIu64 "\n", count->name, count->n);
	return 0;
}
