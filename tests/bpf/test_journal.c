/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The journal as it is mapped: an entry is written all or not at all, wherever its
 * writer is killed. In an instance of its own, unloaded at the end. Needs root.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "instance.h"
#include "kernel/internal.h"

static int setup(void **ret_state)
{
	static struct instance instance;

	*ret_state = &instance;
	return instance_open(&instance, "journal", NULL);
}

static int teardown(void **state)
{
	return instance_end(*state);
}

struct seen {
	struct grp_journal entry[GRP_JOURNAL_ENTRIES];
};

static int see(unsigned int entry, const struct grp_journal *record, void *data)
{
	struct seen *seen = data;

	seen->entry[entry] = *record;
	return 0;
}

static void expect(struct instance *instance, const struct grp_journal *fold,
		   const struct grp_journal *attach)
{
	static const struct grp_store_visitor visitor = { .journal = see };
	struct seen seen = {};

	assert_int_equal(grp_bpf_ops.visit(instance->bpf, &visitor, &seen), 0);
	assert_memory_equal(&seen.entry[GRP_JOURNAL_ENTRY_FOLD], fold, sizeof(*fold));
	assert_memory_equal(&seen.entry[GRP_JOURNAL_ENTRY_ATTACH], attach, sizeof(*attach));
}

/* And what held until then is as it was: a writer that is killed has spoiled nothing. */
static void put(struct instance *instance, unsigned int entry, const struct grp_journal *record)
{
	const struct grp_journal_pair *pair = &instance->bpf->journal[entry];
	const struct grp_journal *held = &pair->copy[pair->turn % 2], before = *held;

	assert_int_equal(grp_bpf_ops.journal_put(instance->bpf, entry, record), 0);
	assert_memory_equal(held, &before, sizeof(before));
}

/* What a writer leaves that is killed after some bytes of the record. */
static void write_half(struct instance *instance, unsigned int entry, size_t bytes)
{
	struct grp_journal_pair *pair = &instance->bpf->journal[entry];

	memset(&pair->copy[(pair->turn + 1) % 2], 0xff, bytes);
}

static void all_or_nothing(void **state)
{
	static const struct grp_journal none;
	const struct grp_journal a = { .op = GRP_JOURNAL_ATTACH, .tid = 1, .target = { 7, 8 } };
	const struct grp_journal b = { .op = GRP_JOURNAL_FOLD_SET, .set = 3, .seq = 1 };

	expect(*state, &none, &none);
	for (size_t bytes = 0; bytes <= sizeof(struct grp_journal); bytes++) {
		write_half(*state, GRP_JOURNAL_ENTRY_ATTACH, bytes);
		expect(*state, &none, &none);
		put(*state, GRP_JOURNAL_ENTRY_ATTACH, &a);
		write_half(*state, GRP_JOURNAL_ENTRY_FOLD, bytes);
		write_half(*state, GRP_JOURNAL_ENTRY_ATTACH, bytes);
		expect(*state, &none, &a);
		put(*state, GRP_JOURNAL_ENTRY_FOLD, &b);
		expect(*state, &b, &a);
		put(*state, GRP_JOURNAL_ENTRY_ATTACH, NULL);
		expect(*state, &b, &none);
		put(*state, GRP_JOURNAL_ENTRY_FOLD, NULL);
		expect(*state, &none, &none);
	}
}

/* The memory is the map's: who opens it next finds the entry. */
static void found_by_the_next_agent(void **state)
{
	const struct grp_journal a = { .op = GRP_JOURNAL_ATTACH, .tid = 1 };
	static const struct grp_journal none;
	struct instance *instance = *state;

	put(instance, GRP_JOURNAL_ENTRY_ATTACH, &none);
	put(instance, GRP_JOURNAL_ENTRY_ATTACH, &a);
	grp_bpf_close(instance->bpf);
	instance->bpf = instance_load(instance, NULL);
	assert_non_null(instance->bpf);
	expect(instance, &none, &a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(all_or_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(found_by_the_next_agent, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
