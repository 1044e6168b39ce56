/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Task storage is emptied before it is given up: no task has any left. In an instance of
 * its own, unloaded at the end. Needs root.
 */
#include <bpf/libbpf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "fastpath.skel.h"
#include "instance.h"
#include "kernel/internal.h"
#include "sleeper.h"

static int setup(void **ret_state)
{
	static struct instance instance;

	*ret_state = &instance;
	return instance_open(&instance, "drop", NULL);
}

static int teardown(void **ret_state)
{
	return instance_end(*ret_state);
}

static int count_members(const struct grp_scan_record *record, void *data)
{
	unsigned int *n = data;

	*n += record->verdict == GRP_VERDICT_LISTED;
	return 0;
}

static unsigned int members(const struct instance *instance)
{
	unsigned int n = 0;

	assert_int_equal(
		grp_bpf_ops.pass(instance->bpf, GRP_PASS_LIST, NULL, NULL, count_members, &n), 0);
	return n;
}

static void nobody_has_storage(void **data)
{
	struct instance *instance = *data;
	struct child child = child_new();
	unsigned int before = members(instance);

	assert_true(before >= 2);
	assert_int_equal(grp_storage_drop(bpf_map__fd(instance->bpf->skel->maps.tasks)), 0);
	/* But for those that others may have started meanwhile. */
	assert_true(members(instance) < before / 2);
	child_end(&child);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_has_storage),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
