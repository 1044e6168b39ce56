/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Settings: what each source may say, which one wins, and that every mistake is
 * an error that names its place.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/cleanup.h"
#include "config.h"
#include "grp/ids.h"

#define ARGUMENTS_MAX 8
#define UNUSED_INSTANCE "unit-test-without-a-file"

struct fixture {
	struct grp_config config;
	struct grp_error error;
	char path[64]; /* of a file for --config */
};

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	_cleanup_close_ int fd = -1;

	if (!fixture)
		return -1;
	(void)snprintf(fixture->path, sizeof(fixture->path), "/tmp/grp-config-XXXXXX");
	fd = mkstemp(fixture->path);
	*state = fixture;
	return fd < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	(void)unlink(fixture->path);
	grp_config_done(&fixture->config);
	free(fixture);
	return 0;
}

/* Arguments after the program's name, NULL-terminated. */
static int parse(struct fixture *fixture, const char *const *arguments)
{
	char *argv[ARGUMENTS_MAX + 2] = { NULL };
	int argc = 0, r;

	argv[argc++] = strdup("grpagent");
	for (; *arguments && argc <= ARGUMENTS_MAX; arguments++)
		argv[argc++] = strdup(*arguments);
	grp_config_done(&fixture->config);
	memset(&fixture->error, 0, sizeof(fixture->error));
	r = grp_config_parse(argc, argv, &fixture->config, &fixture->error);
	/* getopt may have changed the order, but not the pointers. */
	while (argc)
		free(argv[--argc]);
	return r;
}

#define PARSE(fixture, ...) parse(fixture, (const char *const[]){ __VA_ARGS__, NULL })

static int parse_bytes(struct fixture *fixture, const char *bytes, size_t len)
{
	_cleanup_fclose_ FILE *stream = fopen(fixture->path, "we");

	assert_non_null(stream);
	assert_int_equal(fwrite(bytes, 1, len, stream), len);
	assert_int_equal(fflush(stream), 0);
	return PARSE(fixture, "--config", fixture->path);
}

static int parse_text(struct fixture *fixture, const char *text)
{
	return parse_bytes(fixture, text, strlen(text));
}

static void test_defaults(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(PARSE(fixture, "--instance", UNUSED_INSTANCE), 0);
	assert_string_equal(fixture->config.instance, UNUSED_INSTANCE);
	assert_string_equal(fixture->config.file, "/etc/grpagent/" UNUSED_INSTANCE ".conf");
	assert_string_equal(fixture->config.metrics, "none");
	assert_int_equal(fixture->config.capacity_groups, GRP_GROUPS_DEFAULT);
	assert_int_equal(fixture->config.capacity_sets, GRP_SETS_DEFAULT);
	assert_int_equal(fixture->config.connections_per_uid, 64);
	assert_int_equal(fixture->config.groups_per_uid, 4096);
	assert_int_equal(fixture->config.streams_per_uid, 32);
	assert_false(fixture->config.unload);
}

static void test_main_serves_metrics(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(parse_text(fixture, ""), 0);
	assert_string_equal(fixture->config.instance, "main");
	assert_string_equal(fixture->config.metrics, "127.0.0.1:9750");
}

static void test_file(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(parse_text(fixture, "# comment\n"
					     "\n"
					     "  metrics = [::1]:0   # to the end of the line\n"
					     "groups-file = /a file.json\n"
					     "capacity-groups=100\n"
					     "capacity-sets\t=\t200\n"
					     "connections-per-uid = 3\r\n"
					     "groups-per-uid = 0\n"
					     "streams-per-uid = 5"),
			 0);
	assert_string_equal(fixture->config.metrics, "[::1]:0");
	assert_string_equal(fixture->config.groups_file, "/a file.json");
	assert_int_equal(fixture->config.capacity_groups, 100);
	assert_int_equal(fixture->config.capacity_sets, 200);
	assert_int_equal(fixture->config.connections_per_uid, 3);
	assert_int_equal(fixture->config.groups_per_uid, 0);
	assert_int_equal(fixture->config.streams_per_uid, 5);
}

static void test_option_over_file(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(parse_text(fixture, "capacity-groups = 100\ncapacity-sets = 200\n"), 0);
	assert_int_equal(PARSE(fixture, "--capacity-groups=7", "--config", fixture->path), 0);
	assert_int_equal(fixture->config.capacity_groups, 7);
	assert_int_equal(fixture->config.capacity_sets, 200);
}

static void test_every_option_has_a_key(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(PARSE(fixture, "--instance", UNUSED_INSTANCE, "--metrics", "127.0.0.1:1",
			       "--capacity-groups", "17", "--capacity-sets", "18"),
			 0);
	assert_string_equal(fixture->config.metrics, "127.0.0.1:1");
	assert_int_equal(fixture->config.capacity_groups, 17);
	assert_int_equal(fixture->config.capacity_sets, 18);
}

struct bad_file {
	const char *text;
	const char *said; /* part of the message */
};

static void test_bad_files(void **state)
{
	static const struct bad_file files[] = {
		{ "colour = red\n", ":1: unknown key 'colour'" },
		{ "\n\nmetrics\n", ":3: expected" },
		{ "= 5\n", ":1: unknown key ''" },
		{ "instance = other\n", ":1: unknown key 'instance'" },
		{ "capacity-sets = 10\n# x\ncapacity-sets = 10\n",
		  ":3: capacity-sets stands in line 1" },
		{ "capacity-sets = many\n", ":1: capacity-sets: 'many' is not a number from 2 to" },
		{ "capacity-sets = 65536\n", ":1: capacity-sets: '65536'" },
		{ "capacity-sets = -1\n", ":1: capacity-sets: '-1'" },
		{ "capacity-sets = 10 20\n", ":1: capacity-sets: '10 20'" },
		{ "capacity-sets =\n", ":1: capacity-sets: ''" },
		{ "capacity-groups = 0\n", ":1: capacity-groups: '0'" },
		{ "capacity-groups = 99999999999999999999\n", ":1: capacity-groups" },
		{ "connections-per-uid = 0\n", ":1: connections-per-uid" },
		{ "groups-file = a.json\n", ":1: groups-file: 'a.json' is neither" },
		{ "mount = a\n", ":1: mount: 'a' is neither" },
		{ "mount = /a,\n", ":1: mount: '/a,' is neither" },
		{ "mount = :/a\n", ":1: mount: ':/a' is neither" },
		{ "mount = /a,b:c\n", ":1: mount: '/a,b:c' is neither" },
		{ "metrics = localhost:80\n", ":1: metrics: 'localhost:80' is neither" },
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		assert_int_equal(parse_text(fixture, files[i].text), -EBADMSG);
		if (!strstr(fixture->error.message, files[i].said) ||
		    strncmp(fixture->error.message, fixture->path, strlen(fixture->path)))
			fail_msg("%s: %s", files[i].text, fixture->error.message);
		assert_null(fixture->config.instance);
	}
}

static void test_file_with_nul(void **state)
{
	struct fixture *fixture = *state;
	static const char bytes[] = "capacity-sets = 10\0 20\n";

	assert_int_equal(parse_bytes(fixture, bytes, sizeof(bytes) - 1), -EBADMSG);
	assert_non_null(strstr(fixture->error.message, ":1: a NUL byte"));
}

static void test_file_must_be_there_when_named(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(PARSE(fixture, "--config", "/nonexistent/grp.conf"), -ENOENT);
	assert_non_null(strstr(fixture->error.message, "/nonexistent/grp.conf"));
	assert_int_equal(PARSE(fixture, "--config", "/"), -EISDIR);
}

/* What is wrong in the file must not keep anybody from getting rid of it all. */
static void test_unload_reads_no_file(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(parse_text(fixture, "nonsense"), -EBADMSG);
	assert_int_equal(PARSE(fixture, "--unload", "--config", fixture->path), 0);
	assert_true(fixture->config.unload);
}

struct bad_usage {
	const char *arguments[4];
	const char *said;
};

static void test_bad_usage(void **state)
{
	static const struct bad_usage usages[] = {
		{ { "--mount", "mnt" }, "--mount: 'mnt' is neither" },
		{ { "--frob" }, "unknown option --frob" },
		{ { "-x" }, "unknown option -x" },
		{ { "--instance" }, "--instance needs a value" },
		{ { "--unload=yes" }, "--unload=yes takes no value" },
		{ { "extra" }, "unexpected argument 'extra'" },
		{ { "--instance", "" }, "--instance: ''" },
		{ { "--instance", ".." }, "--instance: '..'" },
		{ { "--instance", "a/b" }, "--instance: 'a/b'" },
		{ { "--instance", "a b" }, "--instance: 'a b'" },
		{ { "--instance", "\xc3\xa4" }, "--instance: " },
		{ { "--capacity-sets", "1" }, "--capacity-sets: '1' is not a number from 2 to" },
		{ { "--capacity-groups", "0x10" }, "--capacity-groups: '0x10'" },
		{ { "--metrics", "9750" }, "--metrics: '9750' is neither" },
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof(usages) / sizeof(usages[0]); i++) {
		assert_int_equal(parse(fixture, usages[i].arguments), -EINVAL);
		if (!strstr(fixture->error.message, usages[i].said))
			fail_msg("%s: %s", usages[i].said, fixture->error.message);
	}
}

static void test_instance_length(void **state)
{
	struct fixture *fixture = *state;
	char name[66];

	memset(name, 'x', 65);
	name[65] = '\0';
	assert_int_equal(PARSE(fixture, "--instance", name), -EINVAL);
	name[64] = '\0';
	assert_int_equal(PARSE(fixture, "--instance", name), 0);
}

/* A message is cut, never overrun, however long the value. */
static void test_long_value(void **state)
{
	struct fixture *fixture = *state;
	char value[4096];

	memset(value, '9', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	assert_int_equal(PARSE(fixture, "--metrics", value), -EINVAL);
	assert_true(strlen(fixture->error.message) < sizeof(fixture->error.message));
}

static int collect(const char *key, const char *value, void *data)
{
	char *text = data;
	size_t len = strlen(text);

	(void)snprintf(text + len, 512 - len, "%s=%s ", key, value);
	return 0;
}

static void test_each(void **state)
{
	struct fixture *fixture = *state;
	char text[512] = "";

	assert_int_equal(PARSE(fixture, "--instance", UNUSED_INSTANCE, "--capacity-sets", "99"), 0);
	assert_int_equal(grp_config_each(&fixture->config, collect, text), 0);
	assert_string_equal(
		text,
		"config=/etc/grpagent/" UNUSED_INSTANCE ".conf metrics=none "
		"groups-file=none mount=none capacity-groups=16384 capacity-sets=99 connections-per-uid=64 "
		"groups-per-uid=4096 release-agents=16 streams-per-uid=32 "
		"watch-backlog=4096 ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_defaults, setup, teardown),
		cmocka_unit_test_setup_teardown(test_main_serves_metrics, setup, teardown),
		cmocka_unit_test_setup_teardown(test_file, setup, teardown),
		cmocka_unit_test_setup_teardown(test_option_over_file, setup, teardown),
		cmocka_unit_test_setup_teardown(test_every_option_has_a_key, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_files, setup, teardown),
		cmocka_unit_test_setup_teardown(test_file_with_nul, setup, teardown),
		cmocka_unit_test_setup_teardown(test_file_must_be_there_when_named, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_unload_reads_no_file, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_usage, setup, teardown),
		cmocka_unit_test_setup_teardown(test_instance_length, setup, teardown),
		cmocka_unit_test_setup_teardown(test_long_value, setup, teardown),
		cmocka_unit_test_setup_teardown(test_each, setup, teardown),
	};

	return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
