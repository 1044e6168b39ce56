/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The socket: what one user may hold, and what happens when there is no more.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake_agent.h"
#include "front/server.h"

#define CONNECTIONS 8
#define STREAMS 4

static int setup(void **state)
{
	*state = fake_agent_new(CONNECTIONS, STREAMS);
	return 0;
}

static int teardown(void **state)
{
	fake_agent_free(*state);
	return 0;
}

static unsigned int connections(const struct fake_agent *fake)
{
	struct grp_server_figures figures;

	grp_server_figures(fake->agent.server, &figures);
	return figures.connections;
}

static unsigned int waiting(const struct fake_agent *fake)
{
	struct grp_server_figures figures;

	grp_server_figures(fake->agent.server, &figures);
	return figures.waiting;
}

static void test_connection_limit(void **state)
{
	struct fake_client clients[CONNECTIONS], extra;

	for (size_t i = 0; i < CONNECTIONS; i++) {
		fake_client_open(*state, &clients[i]);
		json_decref(fake_parameters(fake_client_call(&clients[i], "Ping", NULL)));
	}
	fake_client_open(*state, &extra);
	assert_true(fake_is_failed(fake_client_call(&extra, "Ping", NULL), "EUSERS"));
	assert_null(fake_client_receive(&extra));
	fake_client_close(&extra);
	/* Those that are in stay in; a place that is given up can be had. */
	json_decref(fake_parameters(fake_client_call(&clients[0], "Ping", NULL)));
	fake_client_close(&clients[1]);
	fake_agent_idle(*state);
	fake_client_open(*state, &clients[1]);
	json_decref(fake_parameters(fake_client_call(&clients[1], "Ping", NULL)));
	for (size_t i = 0; i < CONNECTIONS; i++)
		fake_client_close(&clients[i]);
	fake_agent_idle(*state);
	assert_int_equal(connections(*state), 0);
}

/* Wait on a group with a member, from as many clients as may. */
static void test_stream_limit(void **state)
{
	struct fake_agent *fake = *state;
	struct fake_client clients[STREAMS], extra;
	static const char wait[] = "{\"method\":\"org.grpagent.Wait\","
				   "\"parameters\":{\"group\":\"/\"}}";

	fake_task_fork(fake->kernel, 0, 10, 10);
	for (size_t i = 0; i < STREAMS; i++) {
		fake_client_open(fake, &clients[i]);
		fake_client_send_text(&clients[i], wait);
		fake_agent_idle(fake);
	}
	assert_int_equal(waiting(fake), STREAMS);
	fake_client_open(fake, &extra);
	fake_client_send_text(&extra, wait);
	assert_true(fake_is_failed(fake_client_receive(&extra), "EUSERS"));
	/* A client that goes away gives its place back. */
	fake_client_close(&clients[0]);
	fake_agent_idle(fake);
	assert_int_equal(waiting(fake), STREAMS - 1);
	fake_task_exit(fake->kernel, 10);
	fake_task_reap(fake->kernel, 10);
	fake_agent_events(fake);
	for (size_t i = 1; i < STREAMS; i++) {
		json_decref(fake_parameters(fake_client_receive(&clients[i])));
		fake_client_close(&clients[i]);
	}
	assert_int_equal(waiting(fake), 0);
	fake_client_close(&extra);
}

/* Out of descriptors: no spinning, nobody lost. */
static void test_no_descriptors(void **state)
{
	struct fake_agent *fake = *state;
	struct fake_client client;
	struct rlimit old, tight;
	unsigned int n_events = 0;
	int next;

	fake_client_open(fake, &client);
	next = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
	assert_return_code(next, errno);
	(void)close(next);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	tight = (struct rlimit){ .rlim_cur = (rlim_t)next, .rlim_max = old.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
	for (unsigned int i = 0; i < 3; i++)
		(void)sd_event_run(fake->agent.event, 1000);
	/* The socket is readable, and yet there is nothing to do but to try again now and then. */
	for (unsigned int i = 0; i < 100; i++)
		n_events += sd_event_run(fake->agent.event, 0) > 0;
	assert_in_range(n_events, 0, 50);
	assert_int_equal(connections(fake), 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	json_decref(fake_parameters(fake_client_call(&client, "Ping", NULL)));
	fake_client_close(&client);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_connection_limit),
		TEST(test_stream_limit),
		TEST(test_no_descriptors),
	};

	return cmocka_run_group_tests_name("server_limits", tests, NULL, NULL);
}
