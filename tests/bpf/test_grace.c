/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Periods of grace that are waited for outside the loop: their end is told, and an agent
 * that ends while it waits leaves nothing of them. In an instance of its own, unloaded
 * at the end. Needs root.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/wait.h>
#include <systemd/sd-event.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "instance.h"

#define DEADLINE_S 60
#define TURN_USEC 100000

struct state {
	struct instance instance;
	sd_event *event;
};

static int setup(void **ret_state)
{
	static struct state state;

	*ret_state = &state;
	if (sd_event_new(&state.event) < 0)
		return -1;
	return instance_open(&state.instance, "grace", state.event);
}

static int teardown(void **ret_state)
{
	struct state *state = *ret_state;
	int r = instance_end(&state->instance);

	state->event = sd_event_unref(state->event);
	return r;
}

static void count(void *data)
{
	(*(unsigned int *)data)++;
}

static void start(struct state *state, unsigned int *counter)
{
	assert_int_equal(grp_bpf_ops.grace(state->instance.bpf, count, counter), 0);
}

static void told_of_their_end(void **data)
{
	struct state *state = *data;
	time_t end = time(NULL) + DEADLINE_S;
	unsigned int ended = 0;

	start(state, &ended);
	start(state, &ended);
	while (ended < 2) {
		assert_true(time(NULL) < end);
		assert_true(sd_event_run(state->event, TURN_USEC) >= 0);
	}
}

static void nothing_left_when_the_agent_ends(void **data)
{
	struct state *state = *data;
	unsigned int ended = 0;
	int loop;

	start(state, &ended);
	start(state, &ended);
	grp_bpf_close(state->instance.bpf);
	state->instance.bpf = NULL;
	/* Each that is left keeps the loop, and with it its descriptor. */
	loop = sd_event_get_fd(state->event);
	assert_true(fcntl(loop, F_GETFD) >= 0);
	state->event = sd_event_unref(state->event);
	assert_int_equal(fcntl(loop, F_GETFD), -1);
	assert_int_equal(errno, EBADF);
	assert_int_equal(ended, 0);
	/* The children end by themselves. */
	while (waitpid(-1, NULL, 0) > 0)
		;
	assert_int_equal(errno, ECHILD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(told_of_their_end, setup, teardown),
		cmocka_unit_test_setup_teardown(nothing_left_when_the_agent_ends, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
