/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * See configuration_help.h.
 */
#include "configuration_help.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/cleanup_json.h"

int configuration_setup(void **state)
{
	int r = method_setup(state);

	method_be_root(*state);
	return r;
}

json_t *configuration_parse(const char *text)
{
	_cleanup_free_ char *copy = strdup(text);
	json_error_t error;
	json_t *value;

	for (char *at = copy; (at = strchr(at, '\''));)
		*at = '"';
	value = json_loads(copy, JSON_REJECT_DUPLICATES, &error);
	if (!value)
		fail_msg("%d:%d: %s: %s", error.line, error.column, error.text, copy);
	return value;
}

json_t *configuration_of_groups(size_t n)
{
	json_t *groups = json_pack("[{s:s}]", "path", "/");

	for (size_t i = 0; i < n; i++) {
		char path[32];

		(void)snprintf(path, sizeof(path), "/%06zu", i);
		assert_int_equal(json_array_append_new(groups, json_pack("{s:s}", "path", path)),
				 0);
	}
	return json_pack("{s:i, s:[{s:s, s:[], s:o}]}", "version", 1, "hierarchies", "name", "big",
			 "subsystems", "groups", groups);
}

json_t *configuration_call(struct method_fixture *f, const char *method, const char *text)
{
	return fake_client_call(&f->client, method,
				json_pack("{s:o}", "configuration", configuration_parse(text)));
}

static void refused(struct method_fixture *f, const char *method, const char *text,
		    const char *number, const char *message)
{
	_cleanup_json_ json_t *answer = configuration_call(f, method, text);
	const json_t *failed = json_object_get(answer, "parameters");

	assert_string_equal(method_text(answer, "error"), "org.grpagent.Failed");
	if (strcmp(method_text(failed, "errno"), number) != 0 ||
	    strncmp(method_text(failed, "message"), message, strlen(message)) != 0)
		fail_msg("%s: %s (%s), expected %s (%s)", text, method_text(failed, "message"),
			 method_text(failed, "errno"), message, number);
}

void configuration_refused(struct method_fixture *f, const char *text, const char *number,
			   const char *message)
{
	unsigned long updates = f->fake->kernel->updates;

	refused(f, "ApplyConfiguration", text, number, message);
	/* Parts are used up by that. */
	if (strncmp(message, "the parts", 9) != 0)
		refused(f, "CompareConfiguration", text, number, message);
	assert_int_equal(f->fake->kernel->updates, updates);
}

void configuration_applied(struct method_fixture *f, const char *text)
{
	json_decref(fake_parameters(configuration_call(f, "ApplyConfiguration", text)));
}

json_t *configuration_part(struct method_fixture *f, const char *text)
{
	_cleanup_json_ json_t *reply = fake_parameters(
		fake_client_call(&f->client, "ApplyConfiguration",
				 json_pack("{s:o, s:b}", "configuration", configuration_parse(text),
					   "continued", 1)));

	return json_incref(json_object_get(reply, "changes"));
}

static void add_word(char *line, size_t size, const char *before, const char *word)
{
	size_t n = strlen(line);

	if (word)
		(void)snprintf(line + n, size - n, "%s%s", before, word);
}

static void describe(const json_t *change, char *line, size_t size)
{
	static const char *const keys[] = { "kind", "hierarchy", "group", "file", "name", "from" };
	const char *from = json_string_value(json_object_get(change, "from"));

	line[0] = '\0';
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		add_word(line, size, i ? " " : "",
			 json_string_value(json_object_get(change, keys[i])));
	add_word(line, size, from ? " -> " : " ", json_string_value(json_object_get(change, "to")));
}

void configuration_differs(struct method_fixture *f, const char *text, const char *const *lines)
{
	unsigned long updates = f->fake->kernel->updates;
	_cleanup_json_ json_t *reply =
		fake_parameters(configuration_call(f, "CompareConfiguration", text));
	const json_t *changes = json_object_get(reply, "changes"), *change;
	size_t i, n_lines = 0;

	while (lines[n_lines])
		n_lines++;
	json_array_foreach(changes, i, change) {
		const char *expected = i < n_lines ? lines[i] : "the end";
		char line[1000];

		describe(change, line, sizeof(line));
		if (strcmp(line, expected) != 0)
			fail_msg("'%s', expected '%s'", line, expected);
	}
	if (i < n_lines)
		fail_msg("the end, expected '%s'", lines[i]);
	assert_int_equal(f->fake->kernel->updates, updates);
}

void configuration_same(struct method_fixture *f, const char *text)
{
	static const char *const nothing[] = { NULL };

	configuration_differs(f, text, nothing);
}

void configuration_equal(const json_t *is, const json_t *expected)
{
	_cleanup_free_ char *a = json_dumps(is, JSON_COMPACT),
			    *b = json_dumps(expected, JSON_COMPACT);

	assert_string_equal(a, b);
}
