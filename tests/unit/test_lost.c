/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An event that is lost after the loop has looked is found without another event.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "core/event.h"
#include "fake_agent.h"
#include "lost.h"
#include "world.h"

#define DEADLINE_SECONDS 20

struct fixture {
	struct fake_agent *fake;
	sd_event_source *post;
	struct world world; /* of the agent */
	unsigned int rounds, empty;
};

/* As agent.c has it. */
static int on_round(sd_event_source *source, void *data)
{
	struct fixture *f = data;

	(void)source;
	f->rounds++;
	assert_true(grp_core_collect(f->fake->agent.core) >= 0);
	grp_lost_arm(&f->fake->agent);
	return 0;
}

static void on_event(const struct grp_watch_event *event, void *data)
{
	struct fixture *f = data;

	f->empty += event->kind == GRP_WATCH_EMPTY && event->group->parent;
}

static int setup(void **state)
{
	static struct fixture f;

	f = (struct fixture){ .fake = fake_agent_new(32, 8) };
	f.world = (struct world){ .fake = f.fake->kernel, .core = f.fake->agent.core };
	grp_core_set_sink(f.world.core, on_event, &f);
	assert_true(sd_event_add_post(f.fake->agent.event, &f.post, on_round, &f) >= 0);
	world_mkdir(&f.world, "/g");
	fake_task_fork(f.world.fake, 0, 10, 10);
	assert_int_equal(world_move(&f.world, "/g", 10, true), 0);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	sd_event_source_unref(f->post);
	sd_event_source_unref(f->fake->agent.lost);
	fake_agent_free(f->fake);
	return 0;
}

/* A round for another reason. */
static void wake(struct fixture *f)
{
	struct fake_client client;

	fake_client_open(f->fake, &client);
	json_decref(fake_parameters(fake_client_call(&client, "Ping", NULL)));
	fake_client_close(&client);
	fake_agent_idle(f->fake);
}

/* On a slow machine its moment may have passed before the test goes on. */
static bool is_armed(const struct fixture *f)
{
	int enabled = SD_EVENT_OFF;

	if (f->fake->agent.lost)
		(void)sd_event_source_get_enabled(f->fake->agent.lost, &enabled);
	return enabled != SD_EVENT_OFF;
}

static void lose_the_event(struct fixture *f)
{
	fake_task_exit(f->world.fake, 10);
	f->world.fake->n_events = 0;
	f->world.fake->stats[GRP_STAT_EVENTS_LOST]++;
}

static void is_found(struct fixture *f)
{
	time_t end = time(NULL) + DEADLINE_SECONDS;

	while (!f->empty) {
		assert_true(time(NULL) < end);
		(void)sd_event_run(f->fake->agent.event, 1000000);
	}
}

static void another_loss(void **state)
{
	struct fixture *f = *state;

	for (time_t end = time(NULL) + DEADLINE_SECONDS; !is_armed(f);) {
		assert_true(time(NULL) < end);
		f->world.fake->stats[GRP_STAT_EVENTS_LOST]++;
		wake(f);
	}
	assert_int_equal(f->empty, 0);
	lose_the_event(f);
	is_found(f);
}

static void the_first_loss(void **state)
{
	struct fixture *f = *state;

	for (time_t end = time(NULL) + DEADLINE_SECONDS; !is_armed(f);) {
		assert_true(time(NULL) < end);
		f->fake->agent.crowded = true;
		wake(f);
	}
	lose_the_event(f);
	is_found(f);
}

/* It costs nothing then. */
static void nothing_is_lost(void **state)
{
	struct fixture *f = *state;

	wake(f);
	assert_true(f->rounds > 0);
	assert_null(f->fake->agent.lost);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(another_loss, setup, teardown),
		cmocka_unit_test_setup_teardown(the_first_loss, setup, teardown),
		cmocka_unit_test_setup_teardown(nothing_is_lost, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
