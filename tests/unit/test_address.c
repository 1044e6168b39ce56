/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Socket addresses as text: what is accepted, what is not, and that formatting
 * is the opposite of parsing.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "base/address.h"
#include "base/cleanup.h"

static void test_round_trip(void **state)
{
	static const char *const texts[] = { "127.0.0.1:9750", "0.0.0.0:0", "[::1]:65535",
					     "[2001:db8::7]:80" };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct sockaddr_storage address;
		char text[GRP_ADDRESS_MAX];
		socklen_t len;

		assert_int_equal(grp_address_parse(texts[i], &address, &len), 0);
		assert_int_equal(grp_address_format(&address, text), 0);
		assert_string_equal(text, texts[i]);
	}
}

static void test_port(void **state)
{
	struct sockaddr_storage address;
	socklen_t len;

	assert_int_equal(grp_address_parse("127.0.0.1:9750", &address, &len), 0);
	assert_int_equal(grp_address_port(&address), 9750);
	assert_int_equal(grp_address_parse("[::]:1", &address, &len), 0);
	assert_int_equal(grp_address_port(&address), 1);
}

static void test_refused(void **state)
{
	static const char *const texts[] = {
		"",
		":",
		"9750",
		":9750",
		"127.0.0.1",
		"127.0.0.1:",
		"127.0.0.1:x",
		"127.0.0.1:65536",
		"127.0.0.1:-1",
		"localhost:9750",
		"::1:9750",
		"[::1]",
		"[]:80",
		"[::1:80",
		"[127.0.0.1]:80",
		"256.0.0.1:80",
		"127.0.0.1:80 ",
		" 127.0.0.1:80",
		"[1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc]:1",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct sockaddr_storage address;
		socklen_t len;

		if (grp_address_parse(texts[i], &address, &len) != -EINVAL)
			fail_msg("accepted: %s", texts[i]);
	}
}

static void test_listen(void **state)
{
	struct sockaddr_storage bound, again;
	char text[GRP_ADDRESS_MAX];
	_cleanup_close_ int fd = grp_address_listen("127.0.0.1:0", 1, &bound);

	assert_true(fd >= 0);
	assert_int_not_equal(grp_address_port(&bound), 0);
	assert_int_equal(grp_address_format(&bound, text), 0);
	assert_int_equal(grp_address_listen(text, 1, &again), -EADDRINUSE);
	assert_int_equal(grp_address_listen("192.0.2.1:0", 1, &again), -EADDRNOTAVAIL);
	assert_int_equal(grp_address_listen("nowhere", 1, &again), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_port),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_listen),
	};

	return cmocka_run_group_tests_name("address", tests, NULL, NULL);
}
