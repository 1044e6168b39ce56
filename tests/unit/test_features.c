/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ListFeatures over a made-up probe: the real one, tested in test_probe.c, takes
 * its time on the loop, so that one process runs it once, whoever asks.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/cleanup_json.h"
#include "kernel/probe.h"
#include "method_help.h"

static unsigned int probed;
static int outcome;

int grp_probe_each(int (*fn)(const struct grp_feature *feature, void *data), void *data)
{
	const struct grp_feature feature = { .name = "one", .reason = "not here" };

	probed++;
	return fn(&feature, data) ?: outcome;
}

int grp_probe_missing(struct grp_feature *ret_feature)
{
	return 0;
}

static void assert_listed(struct method_fixture *f)
{
	_cleanup_json_ json_t *features = method_get(f, "ListFeatures", "{}", "features");

	assert_int_equal(json_array_size(features), 1);
	assert_string_equal(method_text(json_array_get(features, 0), "name"), "one");
	assert_string_equal(method_text(json_array_get(features, 0), "reason"), "not here");
}

static void test_once(void **state)
{
	struct fake_client other;
	struct method_fixture *f = *state;

	probed = 0;
	outcome = 0;
	for (unsigned int i = 0; i < 3; i++)
		assert_listed(f);
	fake_client_open(f->fake, &other);
	json_decref(fake_parameters(fake_client_call(&other, "ListFeatures", json_object())));
	fake_client_close(&other);
	assert_int_equal(probed, 1);
}

/* Half a list is not kept. */
static void test_failed(void **state)
{
	struct method_fixture *f = *state;

	probed = 0;
	outcome = -ENOMEM;
	assert_true(fake_is_failed(method_call(f, "ListFeatures", "{}"), "ENOMEM"));
	outcome = 0;
	assert_listed(f);
	assert_listed(f);
	assert_int_equal(probed, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		METHOD_TEST(test_once),
		METHOD_TEST(test_failed),
	};

	return cmocka_run_group_tests_name("features", tests, NULL, NULL);
}
