/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Configurations that bind subsystems elsewhere: two hierarchies that give each other
 * what they have, owners of files that go and come, and the events of what was taken
 * back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup_json.h"
#include "configuration_help.h"
#include "core/event.h"
#include "core/file.h"

#define UPDATES_MAX 200

#define ROOT "'groups': [{'path': '/', 'files': "
#define ONE(SUBSYSTEMS, FILES) \
	"{'name': 'one', 'subsystems': [" SUBSYSTEMS "], " ROOT "{" FILES "}}]}"
#define TWO(SUBSYSTEMS, FILES) \
	"{'name': 'two', 'subsystems': [" SUBSYSTEMS "], " ROOT "{" FILES "}}]}"

static const char straight[] = CONFIGURATION(
	ONE("'xa', 'xs'", "'xa.veto': {'mode': '0600'}, 'xs.veto': {'owner': 7}") "," TWO(
		"'xb'", "'xb.veto': {'owner': 8}"));
static const char crossed[] = CONFIGURATION(ONE("'xb', 'xs'", "'xs.veto': {'owner': 7}") "," TWO(
	"'xa'",
	"'xa.veto': {'mode': '0640'}") ","
				       "{'name': 'default', 'groups': [{'path': '/n'}, {'path': '/n/m'}]}");

static void assert_saved(struct method_fixture *f, const char *text)
{
	_cleanup_json_ json_t *is = method_get(f, "GetConfiguration", "{}", "configuration");
	_cleanup_json_ json_t *expected = configuration_parse(text);

	/* What stands in front is "default", which nobody asked for. */
	(void)json_array_remove(json_object_get(is, "hierarchies"), 0);
	configuration_equal(is, expected);
}

static void two_change_places(void **state)
{
	struct method_fixture *f = *state;

	configuration_applied(f, straight);
	configuration_applied(f, crossed);
	configuration_same(f, crossed);
	json_decref(method_get(f, "RemoveGroups", "{\"groups\":[\"/n\"],\"recursive\":true}",
			       "failures"));
	configuration_applied(f, straight);
	assert_saved(f, straight);
}

/* It would pass through "default", which has groups: said before anything is changed. */
static void not_through_default(void **state)
{
	struct method_fixture *f = *state;

	configuration_applied(f, straight);
	method_all(f, "MakeGroups", "{\"groups\":[\"/g\"]}");
	configuration_refused(f, crossed, "EBUSY",
			      "hierarchies[0].subsystems: 'xb' comes from hierarchy default");
	configuration_refused(f,
			      CONFIGURATION("{'name': 'one', 'subsystems': ['xs']},"
					    "{'name': 'two', 'subsystems': ['xa', 'xb']}"),
			      "EBUSY", "hierarchies[1].subsystems: 'xa' comes from");
	assert_saved(f, straight);
}

/* --- taken back ------------------------------------------------------------------------ */

static char told[4096];

static void on_event(const struct grp_watch_event *event, void *data)
{
	char path[GRP_PATH_MAX];
	size_t len = strlen(told);

	(void)data;
	assert_true(grp_group_path(event->group, path, sizeof(path)) > 0);
	len += (size_t)snprintf(told + len, sizeof(told) - len, "%s %s; ",
				grp_watch_rows[event->kind].name, path);
	assert_true(len < sizeof(told));
}

/* Whoever reads the events knows at any time which groups there are. */
static void assert_consistent(bool done)
{
	static const char *const prefixes[] = { "", "mkdir /n; rmdir /n; ",
						"mkdir /n; mkdir /n/m; rmdir /n/m; rmdir /n; " };
	bool is = done && !strcmp(told, "mkdir /n; mkdir /n/m; ");

	for (size_t i = 0; !done && i < sizeof(prefixes) / sizeof(*prefixes); i++)
		is = is || !strcmp(told, prefixes[i]);
	if (!is)
		fail_msg("told: %s", told);
}

static void any_failure_takes_all_back(void **state)
{
	struct method_fixture *f = *state;
	struct fake_kernel *kernel = f->fake->kernel;
	unsigned int n = 1;
	bool done = false;

	configuration_applied(f, straight);
	grp_core_set_sink(f->fake->agent.core, on_event, NULL);
	for (; !done && n < UPDATES_MAX; n++) {
		_cleanup_json_ json_t *answer = NULL;

		told[0] = '\0';
		kernel->fail_at = kernel->updates + n;
		answer = configuration_call(f, "ApplyConfiguration", crossed);
		kernel->fail_at = 0;
		done = !json_object_get(answer, "error");
		assert_consistent(done);
		if (!done)
			assert_saved(f, straight);
	}
	configuration_same(f, crossed);
	assert_true(n > 6 && n < UPDATES_MAX);
}

/* HIER-15: what is bound again has files that were made anew. */
static void files_are_made_anew(void **state)
{
	struct method_fixture *f = *state;

	configuration_applied(f, straight);
	json_decref(method_call(f, "ChangeMode",
				"{\"group\":\"one:/\",\"file\":\"xa_enabled\",\"mode\":384}"));
	json_decref(fake_parameters(
		method_call(f, "Remount", "{\"name\":\"one\",\"options\":\"none\"}")));
	json_decref(fake_parameters(
		method_call(f, "Remount", "{\"name\":\"one\",\"options\":\"xa,xs\"}")));
	assert_saved(f,
		     CONFIGURATION("{'name': 'one', 'subsystems': ['xa', 'xs'],"
				   " 'groups': [{'path': '/'}]},"
				   "{'name': 'two', 'subsystems': ['xb'], 'groups': [{'path': '/',"
				   " 'files': {'xb.veto': {'owner': 8}}}]}"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CONFIGURATION_TEST(two_change_places),
		CONFIGURATION_TEST(not_through_default),
		CONFIGURATION_TEST(any_failure_takes_all_back),
		CONFIGURATION_TEST(files_are_made_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
