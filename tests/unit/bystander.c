/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * See bystander.h.
 */
#include "bystander.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <cmocka.h>

#define TURNS_MAX 100000
#define TURN_USEC 100000

static int on_ready(sd_event_source *source, int fd, uint32_t revents, void *data)
{
	*(bool *)data = true;
	return sd_event_source_set_enabled(source, SD_EVENT_OFF);
}

unsigned int bystander_wait(sd_event *event)
{
	sd_event_source *source = NULL;
	unsigned int turns = 0;
	bool served = false;
	int ends[2];

	assert_return_code(pipe(ends), 0);
	assert_return_code(sd_event_add_io(event, &source, ends[0], EPOLLIN, on_ready, &served), 0);
	assert_int_equal(write(ends[1], "x", 1), 1);
	while (!served) {
		assert_true(turns++ < TURNS_MAX);
		assert_return_code(sd_event_run(event, TURN_USEC), 0);
	}
	sd_event_source_unref(source);
	(void)close(ends[0]);
	(void)close(ends[1]);
	return turns;
}
