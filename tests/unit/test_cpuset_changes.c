/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cpuset in configurations: rules between groups count for the whole of it, not for
 * the order of its writes; what is not mentioned is as mkdir would make it. A
 * machine of three CPUs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup_json.h"
#include "configuration_help.h"
#include "subsys/cpuset.h"

#define DEFAULT "{'name': 'default', 'groups': [{'path': '/'}]}"
/* Hierarchy "c" with cpuset alone, its root and GROUPS. */
#define C(GROUPS)                                                                                \
	CONFIGURATION("{'name': 'c', 'subsystems': ['cpuset'], 'groups': [{'path': '/'}," GROUPS \
		      "]}," DEFAULT)
#define SET "'settings': {'cpuset.cpus': "
#define EXCLUSIVE ", 'cpuset.cpu_exclusive': '1'}"

static int setup(void **state)
{
	int r = configuration_setup(state);
	struct method_fixture *f = *state;
	struct grp_topology *topology = f->fake->kernel->topology;

	topology->n_cpus = 3;
	grp_mask_fill(&topology->online, 3);
	topology->cpus[2].core = 2;
	assert_int_equal(grp_cpuset_topology_changed(f->fake->agent.core), 0);
	return r;
}

static json_t *saved(struct method_fixture *f)
{
	return method_get(f, "GetConfiguration", "{}", "configuration");
}

static void assert_saved(struct method_fixture *f, const char *text)
{
	_cleanup_json_ json_t *is = saved(f), *expected = configuration_parse(text);

	configuration_equal(is, expected);
}

/* Applied, it is what is saved, and there is nothing left to do. */
static void holds(struct method_fixture *f, const char *text)
{
	configuration_applied(f, text);
	configuration_same(f, text);
	assert_saved(f, text);
}

static void test_swap(void **state)
{
	struct method_fixture *f = *state;

	holds(f, C("{'path': '/a', " SET "'0'" EXCLUSIVE "}, {'path': '/b', " SET "'1-2'" EXCLUSIVE
		   "}"));
	holds(f, C("{'path': '/a', " SET "'1-2'" EXCLUSIVE "}, {'path': '/b', " SET "'0'" EXCLUSIVE
		   "}"));
}

static void test_nested(void **state)
{
	struct method_fixture *f = *state;

	holds(f, C("{'path': '/p', " SET "'0-1'" EXCLUSIVE "}, {'path': '/p/c', " SET
		   "'0'" EXCLUSIVE "}"));
	/* Both to where neither was. */
	holds(f, C("{'path': '/p', " SET "'1-2'" EXCLUSIVE "}, {'path': '/p/c', " SET
		   "'2'" EXCLUSIVE "}"));
	/* Smaller, and no longer exclusive. */
	holds(f, C("{'path': '/p', " SET "'2'}}, {'path': '/p/c', " SET "'2'}}"));
	holds(f, C("{'path': '/p'}, {'path': '/p/c'}"));
}

/* What breaks a rule in the end changes nothing, and says where. */
static void test_refused(void **state)
{
	static const char good[] =
		C("{'path': '/a', " SET "'0-1'" EXCLUSIVE "}, {'path': '/b', " SET "'2'}}");
	static const struct {
		const char *text, *number, *message;
	} rows[] = {
		{ C("{'path': '/a', " SET "'0-1'" EXCLUSIVE "}, {'path': '/b', " SET "'1-2'}}"),
		  "EINVAL", "c:/b: cpuset: " },
		{ C("{'path': '/a', " SET "'0'" EXCLUSIVE "}, {'path': '/a/c', " SET "'1'}},"
		    "{'path': '/b', " SET "'2'}}"),
		  "EACCES", "c:/a/c: cpuset: " },
		{ C("{'path': '/a', " SET "'0-1'}}, {'path': '/a/c', " SET "'1'" EXCLUSIVE "},"
		    "{'path': '/b', " SET "'2'}}"),
		  "EACCES", "c:/a/c: cpuset: " },
	};
	struct method_fixture *f = *state;

	holds(f, good);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		_cleanup_json_ json_t *answer =
			configuration_call(f, "ApplyConfiguration", rows[i].text);
		const json_t *failed = json_object_get(answer, "parameters");

		assert_string_equal(method_text(failed, "errno"), rows[i].number);
		assert_non_null(strstr(method_text(failed, "message"), rows[i].message));
		assert_saved(f, good);
	}
	/* Afterwards each write is checked again. */
	configuration_refused(f, C("{'path': '/a', " SET "'x'}}"), "EINVAL",
			      "hierarchies[0].groups[1].settings.cpuset.cpus: ");
}

/* Words are the numbers that they mean here; `all` is what it says. */
static void test_words(void **state)
{
	static const char *const nothing[] = { NULL };
	struct method_fixture *f = *state;

	configuration_applied(f, C("{'path': '/a', " SET "'!0', 'cpuset.mems': 'all'}}"));
	configuration_differs(f, C("{'path': '/a', " SET "'!core:0', 'cpuset.mems': 'all'}}"),
			      nothing);
	assert_saved(f, C("{'path': '/a', " SET "'1-2', 'cpuset.mems': 'all'}}"));
	configuration_differs(f, C("{'path': '/a', " SET "'1', 'cpuset.mems': '0'}}"),
			      (const char *const[]){ "set c /a cpuset.cpus 1-2 -> 1",
						     "set c /a cpuset.mems all -> 0", NULL });
}

/* In "default", which has clone_children, nobody has to speak of CPUs. */
static void test_cloned(void **state)
{
	struct method_fixture *f = *state;

	holds(f, CONFIGURATION("{'name': 'default', 'groups': [{'path': '/'}, {'path': '/a'},"
			       "{'path': '/a/b'}]}"));
	holds(f, CONFIGURATION("{'name': 'default', 'groups': [{'path': '/'}, {'path': '/a', " SET
			       "'1'}}, {'path': '/a/b'}]}"));
	/* The child has what its parent has, also where only that is changed. */
	holds(f, CONFIGURATION("{'name': 'default', 'groups': [{'path': '/'}, {'path': '/a', " SET
			       "'2'}}, {'path': '/a/b'}, {'path': '/a/c'}]}"));
	holds(f, CONFIGURATION("{'name': 'default', 'groups': [{'path': '/'}, {'path': '/a', "
			       "'settings': {'cgroup.clone_children': '0', 'cpuset.cpus': '2'}},"
			       "{'path': '/a/b'}, {'path': '/a/c', " SET "'2'}}]}"));
	/* Of a parent that is there but not mentioned. */
	configuration_applied(f, CONFIGURATION("{'name': 'default', 'groups': [{'path': '/a/c/d',"
					       "'settings': {'cpuset.mems': ''}}]}"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, method_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_swap),  TEST(test_nested), TEST(test_refused),
		TEST(test_words), TEST(test_cloned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
