/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * agent/front/wire.c: framing and shapes, with what hostile clients send.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/cleanup_json.h"
#include "front/wire.h"

#define ROWS(table) (sizeof(table) / sizeof(*(table)))

static int put_next(struct grp_wire_reader *reader, const char *bytes, size_t len)
{
	_cleanup_json_ json_t *message = NULL;

	assert_int_equal(grp_wire_reader_put(reader, bytes, len), 0);
	return grp_wire_reader_next(reader, &message);
}

static void test_pieces(void **state)
{
	static const char text[] = "{\"method\":\"a.b\"}";
	struct grp_wire_reader reader;
	json_t *message = NULL;

	grp_wire_reader_init(&reader, 100);
	for (size_t i = 0; i < sizeof(text) - 1; i++)
		assert_int_equal(put_next(&reader, &text[i], 1), 0);
	assert_int_equal(grp_wire_reader_put(&reader, "", 1), 0);
	assert_int_equal(grp_wire_reader_next(&reader, &message), 1);
	assert_string_equal(json_string_value(json_object_get(message, "method")), "a.b");
	json_decref(message);
	assert_int_equal(grp_wire_reader_next(&reader, &message), 0);
	grp_wire_reader_done(&reader);
}

static void test_pipelined(void **state)
{
	static const char text[] = "{\"n\":0}\0{\"n\":1}\0{\"n\":2}\0{\"n\":";
	struct grp_wire_reader reader;

	grp_wire_reader_init(&reader, 100);
	assert_int_equal(grp_wire_reader_put(&reader, text, sizeof(text) - 1), 0);
	for (int i = 0; i < 3; i++) {
		_cleanup_json_ json_t *message = NULL;

		assert_int_equal(grp_wire_reader_next(&reader, &message), 1);
		assert_int_equal(json_integer_value(json_object_get(message, "n")), i);
	}
	assert_int_equal(put_next(&reader, "3}", 2), 0);
	assert_int_equal(put_next(&reader, "", 1), 1);
	grp_wire_reader_done(&reader);
}

static void test_malformed(void **state)
{
	static const char *const rows[] = {
		"",
		" ",
		"[]",
		"1",
		"null",
		"\"x\"",
		"{",
		"{}}",
		"{} {}",
		"{\"a\":1,\"a\":2}",
		"{\"a\":\"\xff\"}",
		"{\"a\":\"\xed\xa0\x80\"}",
		"{\"a\":\"\\ud800\"}",
		"{\"a\":\"\\u0000\"}",
		"{\"a\":99999999999999999999}",
		"{\"a\":1e999}",
		"{\"a\":01}",
		"{'a':1}",
		"{\"a\":\n}",
		"\xef\xbb\xbf{}",
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct grp_wire_reader reader;

		grp_wire_reader_init(&reader, 1000);
		assert_int_equal(put_next(&reader, rows[i], strlen(rows[i]) + 1), -EBADMSG);
		/* The frame is over: what follows is whole again. */
		assert_int_equal(put_next(&reader, "{}", 3), 1);
		grp_wire_reader_done(&reader);
	}
}

static void test_nested(void **state)
{
	static const char *const rows[] = { "[", "{\"a\":", "{\"a\":[" };
	const size_t size = GRP_WIRE_CALL_MAX - 10;

	for (size_t i = 0; i < ROWS(rows); i++) {
		_cleanup_free_ char *text = malloc(size + 1);
		struct grp_wire_reader reader;

		for (size_t k = 0; k < size; k++)
			text[k] = rows[i][k % strlen(rows[i])];
		text[size] = '\0';
		grp_wire_reader_init(&reader, GRP_WIRE_CALL_MAX);
		assert_int_equal(put_next(&reader, text, size + 1), -EBADMSG);
		grp_wire_reader_done(&reader);
	}
}

static void test_too_long(void **state)
{
	struct grp_wire_reader reader;

	grp_wire_reader_init(&reader, 10);
	assert_int_equal(put_next(&reader, "         ", 9), 0);
	assert_int_equal(put_next(&reader, "{", 1), -EMSGSIZE);
	grp_wire_reader_done(&reader);

	grp_wire_reader_init(&reader, 10);
	assert_int_equal(put_next(&reader, "{       }", 10), 1);
	assert_int_equal(put_next(&reader, "{        }", 11), -EMSGSIZE);
	grp_wire_reader_done(&reader);
}

/* Room that one large message took is given back. */
static void test_shrinks(void **state)
{
	const size_t size = 1000000;
	_cleanup_free_ char *text = malloc(size);
	struct grp_wire_reader reader;

	memset(text, ' ', size);
	memcpy(text, "{}", 2);
	text[size - 1] = '\0';
	grp_wire_reader_init(&reader, GRP_WIRE_CALL_MAX);
	assert_int_equal(put_next(&reader, text, size), 1);
	assert_true(reader.allocated < 200000);
	assert_int_equal(put_next(&reader, "{}", 3), 1);
	grp_wire_reader_done(&reader);
}

static void test_call(void **state)
{
	static const struct {
		const char *text;
		int result;
		bool oneway, more, upgrade, parameters;
	} rows[] = {
		{ "{\"method\":\"m\"}", 0, false, false, false, false },
		{ "{\"method\":\"m\",\"parameters\":{}}", 0, false, false, false, true },
		{ "{\"method\":\"m\",\"parameters\":null}", 0, false, false, false, false },
		{ "{\"method\":\"m\",\"oneway\":true}", 0, true, false, false, false },
		{ "{\"method\":\"m\",\"more\":true,\"upgrade\":true}", 0, false, true, true,
		  false },
		{ "{\"method\":\"m\",\"more\":null,\"x\":[1]}", 0, false, false, false, false },
		{ "{}", -EBADMSG, false, false, false, false },
		{ "{\"method\":1}", -EBADMSG, false, false, false, false },
		{ "{\"method\":\"m\",\"parameters\":[]}", -EBADMSG, false, false, false, false },
		{ "{\"method\":\"m\",\"oneway\":1}", -EBADMSG, false, false, false, false },
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		_cleanup_json_ json_t *message = json_loads(rows[i].text, 0, NULL);
		struct grp_wire_call call = { .method = NULL };

		assert_int_equal(grp_wire_call_parse(message, &call), rows[i].result);
		if (rows[i].result)
			continue;
		assert_string_equal(call.method, "m");
		assert_true(call.oneway == rows[i].oneway && call.more == rows[i].more &&
			    call.upgrade == rows[i].upgrade);
		assert_true(!!call.parameters == rows[i].parameters);
	}
}

/* What one side makes, the other takes. */
static void test_reply(void **state)
{
	_cleanup_json_ json_t *good = grp_wire_reply_new(json_pack("{s:i}", "n", 1), true);
	_cleanup_json_ json_t *bad = grp_wire_error_new(GRP_WIRE_ERROR_STARTING, NULL);
	_cleanup_json_ json_t *odd = json_loads("{\"error\":5}", 0, NULL);
	_cleanup_json_ json_t *call = grp_wire_call_new("a.B", NULL);
	_cleanup_free_ char *bytes = NULL;
	struct grp_wire_reply reply;
	struct grp_wire_call parsed;
	size_t len;

	assert_int_equal(grp_wire_reply_parse(good, &reply), 0);
	assert_null(reply.error);
	assert_true(reply.continues);
	assert_int_equal(json_integer_value(json_object_get(reply.parameters, "n")), 1);
	assert_int_equal(grp_wire_reply_parse(bad, &reply), 0);
	assert_string_equal(reply.error, "org.grpagent.Starting");
	assert_int_equal(grp_wire_reply_parse(odd, &reply), -EBADMSG);
	assert_int_equal(grp_wire_call_parse(call, &parsed), 0);
	assert_string_equal(parsed.method, "a.B");
	assert_int_equal(grp_wire_encode(call, &bytes, &len), 0);
	assert_int_equal(len, strlen(bytes) + 1);
	assert_string_equal(bytes, "{\"method\":\"a.B\"}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pieces),	  cmocka_unit_test(test_pipelined),
		cmocka_unit_test(test_malformed), cmocka_unit_test(test_nested),
		cmocka_unit_test(test_too_long),  cmocka_unit_test(test_shrinks),
		cmocka_unit_test(test_call),	  cmocka_unit_test(test_reply),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
