/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For tests of methods: one agent over the kernel in memory and one client, and
 * calls with what is expected of them in one line.
 */
#ifndef GRP_TEST_METHOD_HELP_H
#define GRP_TEST_METHOD_HELP_H

#include "fake_agent.h"

struct method_fixture {
	struct fake_agent *fake;
	struct fake_client client;
};

int method_setup(void **state);
int method_teardown(void **state);

/* The client is uid 0 from now on: what is under test is not rights. */
void method_be_root(struct method_fixture *f);

/* The whole answer, new reference. */
json_t *method_call(struct method_fixture *f, const char *method, const char *parameters);
/* A member of a successful reply, new reference. */
json_t *method_get(struct method_fixture *f, const char *method, const char *parameters,
		   const char *key);
/* A bulk request of which every item succeeds; of which one fails. */
void method_all(struct method_fixture *f, const char *method, const char *parameters);
void method_one_fails(struct method_fixture *f, const char *method, const char *parameters,
		      const char *item, const char *number);
/* Names of the groups of a listing, each followed by a blank. */
void method_assert_groups(struct method_fixture *f, const char *parameters, const char *expected);

/* Members that must be there and of that kind. */
json_int_t method_number(const json_t *object, const char *key);
const char *method_text(const json_t *object, const char *key);

#define METHOD_TEST(name) cmocka_unit_test_setup_teardown(name, method_setup, method_teardown)

#endif
