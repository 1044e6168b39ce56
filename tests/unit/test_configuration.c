/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A configuration as JSON: every mistake is an error that names its place and
 * changes nothing, what is saved is what is applied, and parts make a whole. That
 * changes are made all or none is in test_changes.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/cleanup_json.h"
#include "base/groups_file.h"
#include "configuration_help.h"

/* --- places ------------------------------------------------------------------------- */

#define HIERARCHY "{'name': 'h', 'subsystems': ['cpuacct'], "
#define GROUPS(groups) CONFIGURATION(HIERARCHY "'groups': [" groups "]}")
#define OF_GROUP(members) GROUPS("{'path': '/'}, {'path': '/a', " members "}")
#define IN_GROUP "hierarchies[0].groups[1]"

static const struct {
	const char *text, *number, *message;
} mistakes[] = {
	{ "{}", "EINVAL", "version: it is missing" },
	{ "{'version': 1}", "EINVAL", "hierarchies: it is missing" },
	{ "{'version': 2, 'what': 1}", "EINVAL", "version: this agent knows version 1" },
	{ "{'version': '1', 'hierarchies': []}", "EINVAL", "version: " },
	{ "{'version': 1, 'hierarchies': [], 'hierarchy': 1}", "EINVAL",
	  "hierarchy: no such member" },
	{ "{'version': 1, 'hierarchies': {}}", "EINVAL", "hierarchies: an array" },
	{ CONFIGURATION("1"), "EINVAL", "hierarchies[0]: an object" },
	{ CONFIGURATION("{}"), "EINVAL", "hierarchies[0].name: it is missing" },
	{ CONFIGURATION("{'name': 1}"), "EINVAL", "hierarchies[0].name: a string" },
	{ CONFIGURATION("{'name': 'a b', 'subsystems': []}"), "EINVAL",
	  "hierarchies[0].name: the name of a hierarchy is" },
	{ CONFIGURATION("{'name': 'h'}"), "EINVAL", "hierarchies[0].subsystems: is missing" },
	{ CONFIGURATION("{'name': 'h', 'subsystems': ['cpu']}"), "ENOENT",
	  "hierarchies[0].subsystems[0]: no subsystem 'cpu'" },
	{ CONFIGURATION("{'name': 'h', 'subsystems': ['xa', 'xa']}"), "EINVAL",
	  "hierarchies[0].subsystems[1]: 'xa' stands there twice" },
	{ CONFIGURATION("{'name': 'default', 'subsystems': []}"), "EINVAL",
	  "hierarchies[0].subsystems: 'default' has" },
	{ CONFIGURATION("{'name': 'h', 'subsystems': []}, {'name': 'h', 'subsystems': []}"),
	  "EEXIST", "hierarchies[1].name: 'h' stands in" },
	{ CONFIGURATION("{'name': 'h', 'subsystems': ['xa'], 'names': ['i', 'i']}"), "EEXIST",
	  "hierarchies[0].names[1]: 'i' stands in" },
	{ CONFIGURATION("{'name': 'h', 'subsystems': ['xs'], 'names': ['i']}"), "EINVAL",
	  "hierarchies[0].names: only" },
	{ CONFIGURATION("{'name': 'h', 'subsystems': ['xa']}, "
			"{'name': 'i', 'subsystems': ['xb', 'xa']}"),
	  "EBUSY", "hierarchies[0].subsystems: 'xa' is bound to another" },
	{ CONFIGURATION("{'name': 'h', 'subsystems': [], 'noprefix': 1}"), "EINVAL",
	  "hierarchies[0].noprefix: true or false" },
	{ CONFIGURATION("{'name': 'h', 'subsystems': ['xa', 'xb'], 'noprefix': true}"), "EINVAL",
	  "hierarchies[0].subsystems: without prefixes" },
	{ CONFIGURATION("{'name': 'h', 'subsystems': [], 'release_agent': 1}"), "EINVAL",
	  "hierarchies[0].release_agent: a string" },
	{ CONFIGURATION("{'name': 'h', 'subsystems': [], 'groups': {}}"), "EINVAL",
	  "hierarchies[0].groups: an array" },
	{ GROUPS("{}"), "EINVAL", "hierarchies[0].groups[0].path: it is missing" },
	{ GROUPS("{'path': 'a'}"), "EINVAL", "hierarchies[0].groups[0].path: it is" },
	{ GROUPS("{'path': '/a/'}"), "EINVAL", "hierarchies[0].groups[0].path: it is" },
	{ GROUPS("{'path': '/a//b'}"), "EINVAL", "hierarchies[0].groups[0].path: it is" },
	{ GROUPS("{'path': '/..'}"), "EINVAL", "hierarchies[0].groups[0].path: not a" },
	{ GROUPS("{'path': '/a\\\\x00'}"), "EINVAL", "hierarchies[0].groups[0].path: \\x00" },
	{ GROUPS("{'path': '/a\\n'}"), "EINVAL", "hierarchies[0].groups[0].path: a name" },
	{ GROUPS("{'path': '/a/b'}"), "ENOENT", "hierarchies[0].groups[0].path: its parent" },
	{ GROUPS("{'path': '/a/b'}, {'path': '/a'}"), "ENOENT",
	  "hierarchies[0].groups[0].path: its parent" },
	{ GROUPS("{'path': '/a'}, {'path': '/a'}"), "EEXIST",
	  "hierarchies[0].groups[1].path: it stands there already, as groups[0]" },
	{ GROUPS("{'path': '/a'}, {'path': '/'}"), "EINVAL",
	  "hierarchies[0].groups[1].path: the root" },
	{ GROUPS("{'path': '/tasks'}"), "EEXIST",
	  "hierarchies[0].groups[0].path: 'tasks' is the name of a control file" },
	{ OF_GROUP("'owner': 'nobody'"), "EINVAL", IN_GROUP ".owner: an owner is" },
	{ OF_GROUP("'owner': -1"), "EINVAL", IN_GROUP ".owner: an owner is" },
	{ OF_GROUP("'file_group': 4294967295"), "EINVAL", IN_GROUP ".file_group: an" },
	{ OF_GROUP("'mode': 493"), "EINVAL", IN_GROUP ".mode: a mode is" },
	{ OF_GROUP("'mode': '0855'"), "EINVAL", IN_GROUP ".mode: a mode is" },
	{ OF_GROUP("'mode': '17777'"), "EINVAL", IN_GROUP ".mode: a mode is" },
	{ OF_GROUP("'mode': ''"), "EINVAL", IN_GROUP ".mode: a mode is" },
	{ OF_GROUP("'modes': '0755'"), "EINVAL", IN_GROUP ".modes: no such member" },
	{ OF_GROUP("'settings': []"), "EINVAL", IN_GROUP ".settings: an object" },
	{ OF_GROUP("'settings': {'notify_on_release': 1}"), "EINVAL",
	  IN_GROUP ".settings.notify_on_release: a string" },
	{ OF_GROUP("'settings': {'notify_on_release': 'yes'}"), "EINVAL",
	  IN_GROUP ".settings.notify_on_release: write 0 or 1" },
	{ OF_GROUP("'settings': {'nothing': '1'}"), "ENOENT",
	  IN_GROUP ".settings.nothing: the group has no such" },
	{ OF_GROUP("'settings': {'tasks': '1'}"), "EINVAL",
	  IN_GROUP ".settings.tasks: it is not a setting" },
	{ OF_GROUP("'settings': {'cpuacct_enabled': '1'}"), "ENOENT",
	  IN_GROUP ".settings.cpuacct_enabled: the group has no such" },
	{ OF_GROUP("'files': {'tasks': 1}"), "EINVAL", IN_GROUP ".files.tasks: an object" },
	{ OF_GROUP("'files': {'tasks': {'owner': true}}"), "EINVAL",
	  IN_GROUP ".files.tasks.owner: an owner" },
	{ OF_GROUP("'files': {'tasks': {'mode': '1644'}}"), "EINVAL",
	  IN_GROUP ".files.tasks.mode: a control file has no bits but 0777" },
	{ OF_GROUP("'files': {'tasks': {'size': 1}}"), "EINVAL",
	  IN_GROUP ".files.tasks.size: no such member" },
	{ OF_GROUP("'files': {'nothing': {'owner': 1}}"), "ENOENT",
	  IN_GROUP ".files.nothing: the group has no such" },
};
static void test_places(void **state)
{
	for (size_t i = 0; i < sizeof(mistakes) / sizeof(*mistakes); i++)
		configuration_refused(*state, mistakes[i].text, mistakes[i].number,
				      mistakes[i].message);
}

/* What depends on what there is. */
static void test_conflicts(void **state)
{
	struct method_fixture *f = *state;

	json_decref(method_get(f, "MakeGroups", "{\"groups\":[\"/a\"]}", "failures"));
	configuration_refused(f, CONFIGURATION("{'name': 'h', 'subsystems': ['xa']}"), "EBUSY",
			      "hierarchies[0].subsystems: 'xa' comes from hierarchy default");
	json_decref(method_get(f, "RemoveGroups", "{\"groups\":[\"/a\"]}", "failures"));
	configuration_applied(f, CONFIGURATION("{'name': 'h', 'subsystems': ['xa'], "
					       "'names': ['i'], 'groups': [{'path': '/a'}]}"));
	configuration_refused(f, CONFIGURATION("{'name': 'i', 'subsystems': ['xa']}"), "EEXIST",
			      "hierarchies[0].name: 'i' is a name of hierarchy 'h'");
	configuration_refused(f, CONFIGURATION("{'name': 'j', 'subsystems': ['xa']}"), "EBUSY",
			      "hierarchies[0].subsystems: 'xa' is bound to another");
	configuration_refused(f, CONFIGURATION("{'name': 'h', 'subsystems': ['xb']}"), "EBUSY",
			      "hierarchies[0].subsystems: they are changed while");
	configuration_refused(
		f, CONFIGURATION("{'name': 'h', 'subsystems': ['xa'], 'noprefix': true}"), "EINVAL",
		"hierarchies[0].noprefix: it cannot be changed");
	json_decref(method_call(f, "Unmount", "{\"name\":\"i\"}"));
	json_decref(method_call(f, "Unmount", "{\"name\":\"h\"}"));
	configuration_refused(f, CONFIGURATION("{'name': 'h', 'subsystems': ['xa']}"), "EBUSY",
			      "hierarchies[0].name: 'h' is not mounted but still has groups");
}

static void test_room(void **state)
{
	struct method_fixture *f = *state;
	_cleanup_json_ json_t *wish = configuration_of_groups(1023);
	_cleanup_json_ json_t *fits = configuration_of_groups(1022);
	_cleanup_free_ char *text = json_dumps(wish, 0), *less = json_dumps(fits, 0);

	/* "default" and "big" have a root each; 1,024 are possible. */
	configuration_refused(f, text, "ENOSPC", "1024 more groups: 1 of 1024 are in use");
	configuration_applied(f, less);
	configuration_same(f, less);
}

/* --- saving is the opposite of applying ----------------------------------------------- */

static const char everything[] = CONFIGURATION(
	"{'name': 'default', 'groups': ["
	"  {'path': '/', 'mode': '0700', 'settings': {'cgroup.clone_children': '0'}},"
	"  {'path': '/a'},"
	"  {'path': '/a/b', 'settings': {'notify_on_release': '1', 'auto_delete': '1'}},"
	"  {'path': '/x\\\\xff\\\\\\\\y', 'owner': 1000, 'group': 100, 'mode': '1770'}]},"
	"{'name': 'jobs', 'names': ['work', 'play'], 'subsystems': ['xa', 'xs'],"
	" 'release_agent': '/bin/a b', 'groups': ["
	"  {'path': '/', 'settings': {'notify_on_release': '1', 'xs.setting': '7'}},"
	"  {'path': '/a', 'owner': 1000, 'file_owner': 1001, 'settings': {"
	"   'cgroup.max.descendants': '0', 'xa.inherited': '3'},"
	"   'files': {'tasks': {'owner': 6, 'mode': '0600'}, 'xa.setting': {'group': 5}}},"
	"  {'path': '/a/b'}]},"
	"{'name': 'no', 'subsystems': ['cpuacct'], 'noprefix': true, 'groups': ["
	"  {'path': '/', 'settings': {'cpuacct_enabled': '0'}}, {'path': '/a'}]},"
	"{'name': 'none', 'subsystems': [], 'groups': [{'path': '/'}]}");

static void test_round_trip(void **state)
{
	struct method_fixture *f = *state;
	_cleanup_json_ json_t *wish = configuration_parse(everything), *saved = NULL;
	unsigned long updates;

	configuration_applied(f, everything);
	saved = method_get(f, "GetConfiguration", "{}", "configuration");
	configuration_equal(saved, wish);
	updates = f->fake->kernel->updates;
	configuration_same(f, everything);
	configuration_applied(f, everything);
	assert_int_equal(f->fake->kernel->updates, updates);
}

/* What is left out becomes as preset, where the group is mentioned. */
static void test_presets(void **state)
{
	static const char text[] =
		CONFIGURATION("{'name': 'default', 'groups': [{'path': '/a'}]},"
			      "{'name': 'jobs', 'subsystems': ['xa', 'xs'], 'groups': ["
			      "  {'path': '/a'}, {'path': '/a/b'}, {'path': '/a/b/c'}]}");
	static const char *const lines[] = {
		"set jobs release_agent /bin/a b -> ",
		"set jobs /a owner 1000 -> 0",
		"set jobs /a file_owner 1001 -> 0",
		"set jobs /a cgroup.max.descendants 0 -> max",
		"set jobs /a xa.inherited 3 -> 0",
		"set jobs /a tasks owner 6 -> 0",
		"set jobs /a tasks mode 0600 -> 0644",
		"set jobs /a xa.setting owner 1001 -> 0",
		"set jobs /a xa.setting group 5 -> 0",
		"set jobs /a/b xa.inherited 3 -> 0",
		"add jobs /a/b/c",
		"only default /a/b",
		"only default /x\\xff\\\\y",
		"only no",
		"only none",
		NULL,
	};
	struct method_fixture *f = *state;

	configuration_applied(f, everything);
	json_decref(
		method_call(f, "WriteFile",
			    "{\"group\":\"jobs:/a/b\",\"file\":\"xa.inherited\",\"value\":\"3\"}"));
	configuration_differs(f, text, lines);
	configuration_applied(f, text);
	configuration_differs(f, text, &lines[11]);
}

/* A new group has what it is given, whatever its parent would hand down. */
static void test_inherited(void **state)
{
	static const char text[] = CONFIGURATION(
		"{'name': 'h', 'subsystems': ['xs'], 'groups': ["
		"  {'path': '/', 'settings': {'notify_on_release': '1', 'xs.inherited': '5'}},"
		"  {'path': '/a'}, {'path': '/a/b', 'settings': {'notify_on_release': '0x1'}}]}");
	struct method_fixture *f = *state;
	_cleanup_json_ json_t *content = NULL;

	configuration_applied(f, text);
	configuration_same(f, text);
	content = method_get(f, "ReadFile", "{\"group\":\"h:/a\",\"file\":\"notify_on_release\"}",
			     "content");
	assert_string_equal(json_string_value(content), "0\n");
	json_decref(content);
	content = method_get(f, "ReadFile", "{\"group\":\"h:/a/b\",\"file\":\"xs.inherited\"}",
			     "content");
	assert_string_equal(json_string_value(content), "0\n");
}

/* HIER-18: a root may come with the settings of an earlier one. */
static void test_moved_root(void **state)
{
	static const char seven[] =
		CONFIGURATION("{'name': 'h', 'subsystems': ['xa'], 'groups': ["
			      "{'path': '/', 'settings': {'xa.setting': '7'}}]}");
	static const char preset[] =
		CONFIGURATION("{'name': 'i', 'subsystems': ['xa'], 'groups': [{'path': '/'}]}");
	struct method_fixture *f = *state;

	configuration_applied(f, seven);
	json_decref(method_call(f, "Unmount", "{\"name\":\"h\"}"));
	configuration_applied(f, preset);
	configuration_same(f, preset);
}

/* Subsystems go from one hierarchy to another; what they bring is set. */
static void test_remount(void **state)
{
	static const char before[] =
		CONFIGURATION("{'name': 'g', 'subsystems': ['xb'], 'groups': [{'path': '/'}]},"
			      "{'name': 'h', 'subsystems': ['xa'], 'groups': [{'path': '/'}]}");
	static const char after[] = CONFIGURATION(
		"{'name': 'g', 'subsystems': ['xb', 'xs'], 'groups': [{'path': '/',"
		" 'settings': {'xs.setting': '2', 'xs_enabled': '0'}}, {'path': '/a'}]},"
		"{'name': 'h', 'subsystems': [], 'groups': [{'path': '/'}]},"
		"{'name': 'i', 'subsystems': ['xa'], 'groups': [{'path': '/'}]}");
	struct method_fixture *f = *state;

	configuration_applied(f, before);
	configuration_applied(f, after);
	configuration_same(f, after);
	configuration_refused(
		f,
		CONFIGURATION("{'name': 'g', 'subsystems': ['xb', 'xs'], 'groups': [{'path': '/',"
			      " 'settings': {'xs_enabled': '0'}}, {'path': '/b', 'settings': "
			      "{'xs.setting': '1'}}]}"),
		"ENOENT", "hierarchies[0].groups[1].settings.xs.setting: the group has no such");
}

/* --- parts ------------------------------------------------------------------------------ */

static void test_parts(void **state)
{
	struct method_fixture *f = *state;
	_cleanup_json_ json_t *changes = NULL;

	changes = configuration_part(
		f, CONFIGURATION("{'name': 'g', 'subsystems': []},"
				 "{'name': 'h', 'subsystems': [], 'groups': [{'path': '/a'}]}"));
	assert_int_equal(json_array_size(changes), 0);
	assert_null(grp_hierarchy_find(f->fake->agent.core, "g"));
	json_decref(changes);
	changes =
		configuration_part(f, CONFIGURATION("{'name': 'h', 'groups': [{'path': '/a/b'}]}"));
	configuration_applied(f, CONFIGURATION("{'name': 'h', 'groups': [{'path': '/c'}]},"
					       "{'name': 'i', 'subsystems': []}"));
	method_assert_groups(f, "{\"group\":\"h:/\",\"recursive\":true}", "/ /a /a/b /c ");
	assert_non_null(grp_hierarchy_find(f->fake->agent.core, "i"));
	/* They are gone with the call that needed them. */
	configuration_refused(f, "{}", "EINVAL", "version: it is missing");
}

static void test_parts_that_do_not_fit(void **state)
{
	struct method_fixture *f = *state;

	json_decref(configuration_part(f, CONFIGURATION("{'name': 'h', 'subsystems': []}")));
	configuration_refused(f, CONFIGURATION("{'name': 'h', 'groups': [{'path': '/a'}]}"),
			      "EINVAL", "the parts of the configuration do not fit");
	json_decref(configuration_part(f, "{'version': 1}"));
	configuration_refused(f, CONFIGURATION("{'name': 'h', 'subsystems': []}"), "EINVAL",
			      "the parts of the configuration do not fit");
}

/* --- files ---------------------------------------------------------------------------------- */

static int load(const char *text, struct grp_error *error, json_t **ret)
{
	_cleanup_fclose_ FILE *stream = fmemopen((void *)(uintptr_t)text, strlen(text), "r");

	*error = (struct grp_error){};
	return grp_groups_file_load(stream, error, ret);
}

static void test_file_errors(void **state)
{
	static const struct {
		const char *text, *message;
	} rows[] = {
		{ "{\n \"a\": 1,\n}", "line 3, column 1: " },
		{ "{\"a\": 1, \"a\": 2}", "line 1, column " },
		{ "{", "line 1, column " },
		{ "[]", "a JSON object is wanted" },
		{ "{\"hierarchies\": [{}, {\"groups\": [{\"file_group\": \"no-such-one\"}]}]}",
		  "hierarchies[1].groups[0].file_group: no group of users 'no-such-one' here" },
		{ "{\"hierarchies\": [{\"groups\": [{\"files\": {\"tasks\": {\"owner\": "
		  "\"no-such-one\"}}}]}]}",
		  "hierarchies[0].groups[0].files.tasks.owner: no user 'no-such-one' here" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct grp_error error;
		json_t *loaded;

		assert_int_equal(load(rows[i].text, &error, &loaded), -EINVAL);
		if (strncmp(error.message, rows[i].message, strlen(rows[i].message)) != 0)
			fail_msg("'%s', expected '%s'", error.message, rows[i].message);
	}
}

static void test_file_owners(void **state)
{
	static const char text[] =
		"{\"hierarchies\": [{\"groups\": ["
		"{\"owner\": \"root\", \"group\": \"root\", \"file_owner\": 4000000000,"
		" \"files\": {\"tasks\": {\"owner\": \"4000000001\", \"mode\": \"0600\"}}},"
		"{\"owner\": \"root\"}, 7]}]}";
	static const char numbers[] =
		"{\"hierarchies\":[{\"groups\":["
		"{\"owner\":0,\"group\":0,\"file_owner\":4000000000,"
		"\"files\":{\"tasks\":{\"owner\":4000000001,\"mode\":\"0600\"}}},"
		"{\"owner\":0},7]}]}";
	static const char names[] =
		"{\"hierarchies\":[{\"groups\":["
		"{\"owner\":\"root\",\"group\":\"root\",\"file_owner\":4000000000,"
		"\"files\":{\"tasks\":{\"owner\":4000000001,\"mode\":\"0600\"}}},"
		"{\"owner\":\"root\"},7]}]}";
	_cleanup_free_ char *loaded_text = NULL, *named_text = NULL;
	_cleanup_json_ json_t *loaded = NULL;
	struct grp_error error;

	assert_int_equal(load(text, &error, &loaded), 0);
	loaded_text = json_dumps(loaded, JSON_COMPACT);
	assert_string_equal(loaded_text, numbers);
	assert_int_equal(grp_groups_file_name_owners(loaded), 0);
	named_text = json_dumps(loaded, JSON_COMPACT);
	assert_string_equal(named_text, names);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CONFIGURATION_TEST(test_places),     CONFIGURATION_TEST(test_conflicts),
		CONFIGURATION_TEST(test_room),	     CONFIGURATION_TEST(test_round_trip),
		CONFIGURATION_TEST(test_presets),    CONFIGURATION_TEST(test_inherited),
		CONFIGURATION_TEST(test_moved_root), CONFIGURATION_TEST(test_remount),
		CONFIGURATION_TEST(test_parts),	     CONFIGURATION_TEST(test_parts_that_do_not_fit),
		cmocka_unit_test(test_file_errors),  cmocka_unit_test(test_file_owners),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
