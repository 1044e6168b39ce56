/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bytes of a client into the codec: framing, JSON, the shapes of calls and
 * replies, and the notation of names on every string in them. Has the entry of
 * libFuzzer; with -DGRP_FUZZ_MAIN it stands alone and makes its own input:
 *
 *	fuzz_wire [ROUNDS [SEED]]	or	fuzz_wire FILE...
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/cleanup_json.h"
#include "base/parse.h"
#include "base/text.h"
#include "front/wire.h"

/* Small, so that the limit is met often. */
#define MESSAGE_MAX 4096
#define PIECE_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

static bool is_utf8(const char *text)
{
	while (*text) {
		size_t n = grp_text_utf8_len(text, strlen(text));

		if (!n)
			return false;
		text += n;
	}
	return true;
}

/* A name that came in goes out so that it comes in as the same bytes again. */
static void check_name(const char *text)
{
	_cleanup_free_ char *bytes = NULL, *escaped = NULL, *again = NULL;
	size_t len, len_again;
	uint64_t number;
	pid_t tid;

	(void)grp_parse_u64(text, 1, 1000, &number);
	(void)grp_parse_task_id(text, &tid, &number);
	if (grp_text_unescape(text, &bytes, &len) < 0)
		return;
	check(grp_text_escape(bytes, len, &escaped) == 0 && is_utf8(escaped));
	check(grp_text_unescape(escaped, &again, &len_again) == 0);
	check(len == len_again && !memcmp(bytes, again, len));
}

static void check_message(const json_t *message)
{
	_cleanup_free_ char *bytes = NULL;
	struct grp_wire_reply reply;
	struct grp_wire_call call;
	const json_t *value;
	const char *key;
	size_t len;

	if (grp_wire_call_parse(message, &call) == 0)
		check_name(call.method);
	(void)grp_wire_reply_parse(message, &reply);
	for (void *at = json_object_iter((json_t *)(uintptr_t)message); at;
	     at = json_object_iter_next((json_t *)(uintptr_t)message, at)) {
		key = json_object_iter_key(at);
		value = json_object_iter_value(at);
		check_name(json_is_string(value) ? json_string_value(value) : key);
	}
	check(grp_wire_encode(message, &bytes, &len) == 0 && bytes[len - 1] == '\0' &&
	      strlen(bytes) == len - 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct grp_wire_reader reader;
	_cleanup_free_ char *fixed = NULL;
	int r = 0;

	check(grp_text_fix_utf8((const char *)data, size, &fixed) == 0 && is_utf8(fixed));
	grp_wire_reader_init(&reader, MESSAGE_MAX);
	while (size && r != -EMSGSIZE) {
		/* The first byte of a piece says how long it is. */
		size_t n = 1 + data[0] % PIECE_MAX;

		n = n < size ? n : size;
		check(grp_wire_reader_put(&reader, (const char *)data, n) == 0);
		data += n;
		size -= n;
		do {
			_cleanup_json_ json_t *message = NULL;

			r = grp_wire_reader_next(&reader, &message);
			if (r > 0)
				check_message(message);
		} while (r > 0 || r == -EBADMSG);
		check(r == 0 || r == -EMSGSIZE);
	}
	grp_wire_reader_done(&reader);
	return 0;
}

#ifdef GRP_FUZZ_MAIN
#define INPUT_MAX (2 * MESSAGE_MAX)
#define ROUNDS_DEFAULT 100000

static const char *const words[] = {
	"{",
	"}",
	"[",
	"]",
	":",
	",",
	"\"",
	"\\",
	"\"method\":",
	"\"parameters\":",
	"\"error\":",
	"\"oneway\":",
	"true",
	"null",
	"-1",
	"1e309",
	"18446744073709551616",
	"\"org.grpagent.Ping\"",
	"\\u0000",
	"\\ud800",
	"\\x",
	"\\\\xff",
	"\\\\,",
	"\xff",
	"\xed\xa0\x80",
	"\xc3\xa9",
	"/a/b",
	"default:/",
	"12@34",
	" ",
};

static size_t make_input(uint8_t *data)
{
	size_t n = 0, parts = (size_t)rand() % 400;

	for (size_t i = 0; i < parts && n + PIECE_MAX < INPUT_MAX; i++) {
		const char *word = words[(size_t)rand() % (sizeof(words) / sizeof(*words))];

		switch (rand() % 8) {
		case 0:
			data[n++] = '\0';
			break;
		case 1:
			data[n++] = (uint8_t)rand();
			break;
		default:
			memcpy(data + n, word, strlen(word));
			n += strlen(word);
		}
	}
	return n;
}

static int run_file(const char *path)
{
	_cleanup_fclose_ FILE *file = fopen(path, "re");
	_cleanup_free_ uint8_t *data = malloc(GRP_WIRE_CALL_MAX);
	size_t n;

	if (!file || !data) {
		perror(path);
		return EXIT_FAILURE;
	}
	n = fread(data, 1, GRP_WIRE_CALL_MAX, file);
	return LLVMFuzzerTestOneInput(data, n);
}

int main(int argc, char **argv)
{
	uint64_t rounds = ROUNDS_DEFAULT, seed = 1;
	uint8_t data[INPUT_MAX];
	int r = 0;

	if (argc > 1 && grp_parse_u64(argv[1], 1, UINT64_MAX, &rounds) < 0) {
		for (int i = 1; !r && i < argc; i++)
			r = run_file(argv[i]);
		return r;
	}
	if (argc > 2 && grp_parse_u64(argv[2], 0, UINT32_MAX, &seed) < 0)
		return 2;
	srand((unsigned int)seed);
	for (uint64_t i = 0; i < rounds; i++)
		(void)LLVMFuzzerTestOneInput(data, make_input(data));
	return 0;
}
#endif
