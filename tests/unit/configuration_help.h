/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For tests of configurations: one agent over the kernel in memory whose client is
 * root, and what is expected of a configuration in one line. Texts are JSON with '
 * in place of ".
 */
#ifndef GRP_TEST_CONFIGURATION_HELP_H
#define GRP_TEST_CONFIGURATION_HELP_H

#include "method_help.h"

#define CONFIGURATION(hierarchies) "{'version': 1, 'hierarchies': [" hierarchies "]}"

int configuration_setup(void **state);

#define CONFIGURATION_TEST(name) \
	cmocka_unit_test_setup_teardown(name, configuration_setup, method_teardown)

/* New reference. */
json_t *configuration_parse(const char *text);

/* Hierarchy "big" with its root and @n groups below it; new reference. */
json_t *configuration_of_groups(size_t n);

/* Neither compared nor applied, with that errno and the begin of that message; no update. */
void configuration_refused(struct method_fixture *f, const char *text, const char *number,
			   const char *message);

void configuration_applied(struct method_fixture *f, const char *text);

/* A part that is not the last one; its changes, new reference. */
json_t *configuration_part(struct method_fixture *f, const char *text);

/* The whole answer to a method; new reference. */
json_t *configuration_call(struct method_fixture *f, const char *method, const char *text);

/* There is nothing to change and nothing that only we have. */
void configuration_same(struct method_fixture *f, const char *text);

/* "kind hierarchy group file name from -> to" of each change, without what is absent. */
void configuration_differs(struct method_fixture *f, const char *text, const char *const *lines);

void configuration_equal(const json_t *is, const json_t *expected);

#endif
