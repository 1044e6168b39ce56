/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One thread by its number: the program that finds it and the pass that walks to it
 * give the same records and do the same. In an instance of its own. Needs root.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/core.h"
#include "instance.h"
#include "kernel/internal.h"

#define SET 5U

struct state {
	struct instance instance;
	uint16_t plan[INSTANCE_CAPACITY_SETS];
	bool passes; /* as on a kernel that finds no task by its number */
};

static int setup(void **ret_state)
{
	static struct state state;

	*ret_state = &state;
	return instance_open(&state.instance, "direct", NULL);
}

static int teardown(void **ret_state)
{
	struct state *state = *ret_state;

	return instance_end(&state->instance);
}

/* --- asking ------------------------------------------------------------------------ */

struct answer {
	unsigned int n;
	struct grp_scan_record record;
};

static int keep(const struct grp_scan_record *record, void *data)
{
	struct answer *answer = data;

	answer->n++;
	answer->record = *record;
	return 0;
}

static int ask(struct state *state, enum grp_pass kind, const struct grp_scan_request *request,
	       struct answer *ret_answer)
{
	const uint16_t *plan = kind == GRP_PASS_MOVE ? state->plan : NULL;
	struct direct *direct = state->instance.bpf->direct;
	int r;

	*ret_answer = (struct answer){ .n = 0 };
	if (state->passes)
		state->instance.bpf->direct = NULL;
	r = grp_bpf_ops.pass(state->instance.bpf, kind, request, plan, keep, ret_answer);
	state->instance.bpf->direct = direct;
	return r;
}

static struct grp_scan_record move(struct state *state, pid_t tid, uint32_t flags, uid_t uid)
{
	const struct grp_scan_request request = { .tid = tid, .flags = flags, .uid = uid };
	struct answer answer;

	assert_int_equal(ask(state, GRP_PASS_MOVE, &request, &answer), 0);
	assert_int_equal(answer.n, 1);
	return answer.record;
}

static int64_t members(const struct state *state)
{
	return state->instance.view->counts[SET].members;
}

/* --- both ways ------------------------------------------------------------------------ */

static void check_moves(struct state *state)
{
	pid_t pid = sleeper_new();
	struct grp_scan_record record;

	instance_plan(state->plan, SET, 0);
	record = move(state, pid, 0, 0);
	assert_int_equal(record.verdict, GRP_VERDICT_NO_PLAN);
	assert_int_equal(record.set, GRP_SET_ROOT);
	instance_plan(state->plan, GRP_SET_ROOT, SET);
	assert_int_equal(move(state, pid, GRP_SCAN_CHECK_UID, 12345).verdict, GRP_VERDICT_DENIED);
	assert_int_equal(members(state), 0);
	record = move(state, pid, GRP_SCAN_CHECK_UID, 0);
	assert_int_equal(record.verdict, GRP_VERDICT_MOVED);
	assert_int_equal(record.from, GRP_SET_ROOT);
	assert_int_equal(record.set, SET);
	assert_int_equal(members(state), 1);
	/* More pairs than the program takes: the pass does it. */
	for (unsigned int i = 10; i < 20; i++)
		state->plan[i] = 0;
	state->plan[SET] = GRP_SET_ROOT;
	assert_int_equal(move(state, pid, 0, 0).set, GRP_SET_ROOT);
	assert_int_equal(members(state), 0);
	assert_int_equal(kill(pid, SIGKILL), 0);
	/* It has ended, and is still there. */
	assert_int_equal(waitid(P_PID, (id_t)pid, &(siginfo_t){}, WEXITED | WNOWAIT), 0);
	assert_int_equal(move(state, pid, 0, 0).verdict, GRP_VERDICT_EXITING);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void test_moves(void **ret_state)
{
	struct state *state = *ret_state;

	for (int passes = 0; passes < 2; passes++) {
		state->passes = passes;
		check_moves(state);
	}
}

static void test_nobody(void **ret_state)
{
	struct state *state = *ret_state;
	pid_t pid = sleeper_new();
	const struct grp_scan_request request = { .tid = pid };
	struct answer answer;

	sleeper_end(pid);
	for (int passes = 0; passes < 2; passes++) {
		int r;

		state->passes = passes;
		r = ask(state, GRP_PASS_LIST, &request, &answer);
		assert_true(!r || r == -ESRCH || r == -EINVAL);
		assert_int_equal(answer.n, 0);
	}
}

static void test_records_are_equal(void **ret_state)
{
	struct state *state = *ret_state;
	pid_t pid = sleeper_new();
	const struct grp_scan_request request = { .tid = pid, .pidns = 1 };
	struct answer answer[2];

	for (int passes = 0; passes < 2; passes++) {
		state->passes = passes;
		assert_int_equal(ask(state, GRP_PASS_LIST, &request, &answer[passes]), 0);
		assert_int_equal(answer[passes].n, 1);
		/* What goes on meanwhile. */
		answer[passes].record.time_ns = answer[passes].record.idle_ns = 0;
	}
	assert_memory_equal(&answer[0], &answer[1], sizeof(answer[0]));
	assert_int_equal(answer[0].record.tid, pid);
	assert_int_equal(answer[0].record.ns_tid, 0);
	assert_int_equal(answer[0].record.nr_threads, 1);
	sleeper_end(pid);
}

/* Where the kernel has what it needs, it is the program that is asked. */
static void test_is_used(void **ret_state)
{
	struct state *state = *ret_state;
	struct grp_direct direct;
	const struct grp_scan_request thread = { .tid = 1 }, process = { .tgid = 1 };

	if (!state->instance.bpf->direct) {
		print_message("# skip: this kernel finds no task by its number\n");
		skip();
	}
	instance_plan(state->plan, GRP_SET_ROOT, SET);
	assert_true(grp_direct_can(state->instance.bpf, GRP_PASS_LIST, &thread, NULL, &direct));
	assert_true(
		grp_direct_can(state->instance.bpf, GRP_PASS_MOVE, &thread, state->plan, &direct));
	assert_int_equal(direct.pairs[0], GRP_SET_ROOT | SET << 16);
	assert_int_equal(direct.pairs[1], GRP_PLAN_NONE);
	assert_false(
		grp_direct_can(state->instance.bpf, GRP_PASS_MOVE, &process, state->plan, &direct));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_moves),
		cmocka_unit_test(test_nobody),
		cmocka_unit_test(test_records_are_equal),
		cmocka_unit_test(test_is_used),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
