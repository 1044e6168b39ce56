/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Calls of methods in one line, see method_help.h.
 */
#include "method_help.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup_json.h"
#include "front/connection.h"

int method_setup(void **state)
{
	struct method_fixture *fixture = calloc(1, sizeof(*fixture));

	fixture->fake = fake_agent_new(32, 8);
	fake_client_open(fixture->fake, &fixture->client);
	*state = fixture;
	return 0;
}

int method_teardown(void **state)
{
	struct method_fixture *fixture = *state;

	fake_client_close(&fixture->client);
	fake_agent_free(fixture->fake);
	free(fixture);
	return 0;
}

json_t *method_call(struct method_fixture *f, const char *method, const char *parameters)
{
	json_t *value = json_loads(parameters, 0, NULL);

	assert_non_null(value);
	return fake_client_call(&f->client, method, value);
}

/* The member of a successful reply; new reference. */
json_t *method_get(struct method_fixture *f, const char *method, const char *parameters,
		   const char *key)
{
	_cleanup_json_ json_t *reply = fake_parameters(method_call(f, method, parameters));
	json_t *value = json_object_get(reply, key);

	assert_non_null(value);
	return json_incref(value);
}

/* A bulk request of which every item succeeds. */
void method_all(struct method_fixture *f, const char *method, const char *parameters)
{
	_cleanup_json_ json_t *failures = method_get(f, method, parameters, "failures");

	if (json_array_size(failures))
		fail_msg("%s %s: %s", method, parameters, json_dumps(failures, 0));
}

/* A bulk request of which one item fails. */
void method_one_fails(struct method_fixture *f, const char *method, const char *parameters,
		      const char *item, const char *number)
{
	_cleanup_json_ json_t *failures = method_get(f, method, parameters, "failures");
	const json_t *failure = json_array_get(failures, 0);

	if (json_array_size(failures) != 1)
		fail_msg("%s %s: %s", method, parameters, json_dumps(failures, 0));
	assert_string_equal(json_string_value(json_object_get(failure, "item")), item);
	assert_string_equal(json_string_value(json_object_get(failure, "errno")), number);
	assert_true(json_string_length(json_object_get(failure, "message")) > 0);
}

json_int_t method_number(const json_t *object, const char *key)
{
	assert_true(json_is_integer(json_object_get(object, key)));
	return json_integer_value(json_object_get(object, key));
}

const char *method_text(const json_t *object, const char *key)
{
	assert_true(json_is_string(json_object_get(object, key)));
	return json_string_value(json_object_get(object, key));
}

/* Names of the groups of a listing, each followed by a blank. */
void method_assert_groups(struct method_fixture *f, const char *parameters, const char *expected)
{
	_cleanup_json_ json_t *groups = method_get(f, "ListGroups", parameters, "groups");
	char names[1000] = "";
	size_t n = 0;
	const json_t *group;
	size_t i;

	json_array_foreach(groups, i, group) {
		n += (size_t)snprintf(names + n, sizeof(names) - n, "%s ",
				      method_text(group, "group"));
		assert_true(n < sizeof(names));
	}
	assert_string_equal(names, expected);
}

/* The client is uid 0 from now on: what is under test is not rights. */
void method_be_root(struct method_fixture *f)
{
	json_decref(fake_parameters(method_call(f, "Ping", "{}")));
	f->fake->agent.server->connections->caller.uid = 0;
}
