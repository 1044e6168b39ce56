/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who starts release agents (agent/release.c): with real programs and a kernel in
 * memory. How many at a time, no process to be had, a program that cannot be run, and
 * that each is reaped.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/release.h"
#include "fake_agent.h"
#include "release.h"
#include "release_help.h"

#define AT_A_TIME 2
#define GROUPS 5
#define DEADLINE_SECONDS 20

struct fixture {
	struct fake_agent *fake;
	struct grp_releases *releases;
	struct world world; /* of the agent */
	char program[100];
};

/* Instead of the library's: the agent is told that there is no process to be had. */
static bool no_process;

pid_t fork(void)
{
	if (!no_process)
		return _Fork();
	errno = EAGAIN;
	return -1;
}

/* --- helpers --------------------------------------------------------------------------- */

static struct grp_releases_figures figures(const struct fixture *f)
{
	struct grp_releases_figures now;

	grp_releases_figures(f->releases, &now);
	return now;
}

/* Stops until it is let go on, which it can be told to by its group's parent. */
static void write_program(struct fixture *f)
{
	FILE *file;

	(void)snprintf(f->program, sizeof(f->program), "%s/agent", f->fake->dir);
	file = fopen(f->program, "we");
	assert_non_null(file);
	(void)fputs("#!/bin/sh\nkill -STOP $$\n", file);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(f->program, 0755), 0);
}

static void round_of_the_loop(struct fixture *f)
{
	(void)sd_event_run(f->fake->agent.event, 10000);
	grp_releases_round(f->releases);
}

/* Rounds until so many were started and so many run. */
static void until(struct fixture *f, uint64_t started, uint64_t running)
{
	time_t end = time(NULL) + DEADLINE_SECONDS;

	while (figures(f).started != started || figures(f).running != running) {
		if (time(NULL) >= end)
			fail_msg("%d started, %d running", (int)figures(f).started,
				 (int)figures(f).running);
		round_of_the_loop(f);
	}
}

/* Goes on with every program that has stopped itself. Return: how many had. */
static unsigned int let_go(void)
{
	unsigned int n = 0;
	siginfo_t info = { 0 };

	while (waitid(P_ALL, 0, &info, WSTOPPED | WNOHANG) == 0 && info.si_pid) {
		assert_int_equal(kill(info.si_pid, SIGCONT), 0);
		info.si_pid = 0;
		n++;
	}
	return n;
}

/* Group @i has had a task, and has none any more. */
static void release(struct fixture *f, unsigned int i)
{
	char spec[16];

	(void)snprintf(spec, sizeof(spec), "/g%u", i);
	world_mkdir(&f->world, spec);
	assert_int_equal(release_put(&f->world, spec, "notify_on_release", "1"), 0);
	fake_task_fork(f->world.fake, 0, 100 + i, 100 + i);
	assert_int_equal(world_move(&f->world, spec, (pid_t)(100 + i), true), 0);
	release_leave(&f->world, 100 + i);
	release_pump(&f->world);
}

static int setup(void **state)
{
	static struct fixture f;
	struct grp_agent *agent;

	no_process = false;
	f = (struct fixture){ .fake = fake_agent_new(32, 8) };
	agent = &f.fake->agent;
	agent->config.release_agents = AT_A_TIME;
	f.world = (struct world){ .fake = f.fake->kernel, .core = agent->core };
	write_program(&f);
	assert_int_equal(grp_releases_new(agent, &f.releases), 0);
	assert_int_equal(release_put(&f.world, "/", "release_agent", f.program), 0);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	/* Each was reaped. */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	grp_releases_free(f->releases);
	assert_int_equal(unlink(f->program), 0);
	fake_agent_free(f->fake);
	return 0;
}

/* --- tests ------------------------------------------------------------------------------ */

static void so_many_at_a_time(void **state)
{
	struct fixture *f = *state;
	time_t end = time(NULL) + DEADLINE_SECONDS;
	unsigned int stopped = 0;

	for (unsigned int i = 0; i < GROUPS; i++)
		release(f, i);
	until(f, AT_A_TIME, AT_A_TIME);
	assert_true(grp_release_waits(f->world.core, GRP_RELEASE_RUN));
	while (figures(f).started < GROUPS || figures(f).running) {
		assert_true(time(NULL) < end);
		stopped += let_go();
		round_of_the_loop(f);
		assert_true(figures(f).running <= AT_A_TIME);
	}
	assert_int_equal(stopped, GROUPS);
	assert_int_equal(figures(f).started, GROUPS);
	assert_int_equal(figures(f).failed, 0);
	assert_false(release_marked(&f->world, "/g0"));
}

/* It is tried again, and none is lost. */
static void no_process_can_be_had(void **state)
{
	struct fixture *f = *state;

	no_process = true;
	release(f, 0);
	for (unsigned int i = 0; i < 10; i++)
		round_of_the_loop(f);
	until(f, 0, 0);
	assert_true(grp_release_waits(f->world.core, GRP_RELEASE_RUN));
	assert_true(release_marked(&f->world, "/g0"));
	no_process = false;
	until(f, 1, 1);
	while (figures(f).running) {
		(void)let_go();
		round_of_the_loop(f);
	}
	assert_false(release_marked(&f->world, "/g0"));
}

/* REL-8: nothing useful runs, and nothing waits for it. */
static void a_program_that_is_not_there(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(release_put(&f->world, "/", "release_agent", "/nonexistent/agent"), 0);
	for (unsigned int i = 0; i < GROUPS; i++)
		release(f, i);
	until(f, GROUPS, 0);
	assert_int_equal(figures(f).failed, GROUPS);
	assert_false(grp_release_waits(f->world.core, GRP_RELEASE_RUN));
	assert_non_null(world_find(&f->world, "/g0"));
}

/* CLONE-5: behind the program, also if that could not be run. */
static void auto_delete_comes_last(void **state)
{
	struct fixture *f = *state;

	release(f, 0);
	assert_int_equal(release_put(&f->world, "/g0", "auto_delete", "1"), 0);
	until(f, 1, 1);
	assert_non_null(world_find(&f->world, "/g0"));
	while (figures(f).running) {
		(void)let_go();
		round_of_the_loop(f);
	}
	assert_null(world_find(&f->world, "/g0"));
	assert_int_equal(figures(f).removed, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(so_many_at_a_time, setup, teardown),
		cmocka_unit_test_setup_teardown(no_process_can_be_had, setup, teardown),
		cmocka_unit_test_setup_teardown(a_program_that_is_not_there, setup, teardown),
		cmocka_unit_test_setup_teardown(auto_delete_comes_last, setup, teardown),
	};
	sigset_t child;

	/* As the loop wants it. */
	(void)sigemptyset(&child);
	(void)sigaddset(&child, SIGCHLD);
	(void)sigprocmask(SIG_BLOCK, &child, NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
