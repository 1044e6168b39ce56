/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bytes of a client into the codec: framing, JSON, the shapes of calls and
 * replies, and the notation of names on every string in them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/cleanup_json.h"
#include "base/parse.h"
#include "base/text.h"
#include "front/wire.h"
#include "fuzz.h"

/* Small, so that the limit is met often. */
#define MESSAGE_MAX 4096
#define PIECE_MAX 64

enum {
	N_MESSAGES,
	N_CALLS,
	N_REPLIES,
	N_NAMES,
	N_BAD,
	N_TOO_LONG,
};

struct fuzz_count fuzz_counts[] = {
	[N_MESSAGES] = { "messages", 0 },
	[N_CALLS] = { "calls", 0 },
	[N_REPLIES] = { "replies", 0 },
	[N_NAMES] = { "names", 0 },
	[N_BAD] = { "bad", 0 },
	[N_TOO_LONG] = { "too-long", 0 },
	{ NULL, 0 },
};

const char *const fuzz_words[] = {
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
	/* A name, with a backslash, a byte, something like one */
	"{\"a\":\"",
	"\"}",
	"\\\\\\\\",
	"\\\\xc3",
	"\\\\\\\\x41",
	"x41",
	"/a/b",
	"default:/",
	"12@34",
	" ",
	"{}",
	"{\"method\":\"org.grpagent.Ping\"}",
	"{\"method\":\"org.grpagent.ListGroups\",\"parameters\":{\"group\":\"/a\"},\"more\":true}",
	"{\"parameters\":{\"moved\":1},\"continues\":false}",
	"{\"error\":\"org.grpagent.Failed\",\"parameters\":{\"errno\":\"ENOENT\"}}",
	NULL,
};

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
	fuzz_counts[N_NAMES].n++;
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

	fuzz_counts[N_MESSAGES].n++;
	if (grp_wire_call_parse(message, &call) == 0) {
		fuzz_counts[N_CALLS].n++;
		check_name(call.method);
	}
	fuzz_counts[N_REPLIES].n += grp_wire_reply_parse(message, &reply) == 0;
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
			fuzz_counts[N_BAD].n += r == -EBADMSG;
			fuzz_counts[N_TOO_LONG].n += r == -EMSGSIZE;
		} while (r > 0 || r == -EBADMSG);
		check(r == 0 || r == -EMSGSIZE);
	}
	grp_wire_reader_done(&reader);
	return 0;
}
