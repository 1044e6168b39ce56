/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Work in pieces, one in a turn of the loop, and others between.
 *
 * A deferred source of sd-event counts as ready since it was made, and of those that are ready
 * the eldest is served: while one is kept on, nobody is who becomes ready later. So each turn
 * has a source of its own. A timer that has elapsed would do as well, but costs system calls
 * and, in some virtual machines, tens of microseconds.
 */
#ifndef GRP_TURN_H
#define GRP_TURN_H

#include <systemd/sd-event.h>

struct grp_turn {
	sd_event *event; /* borrowed */
	int (*handler)(void *data); /* as of an event source; may free what the turn is part of */
	void *data;
	sd_event_source *source; /* owned; NULL: no turn is wanted */
};

void grp_turn_init(struct grp_turn *turn, sd_event *event, int (*handler)(void *data), void *data);

/*
 * grp_turn_want() - one turn, behind what the loop knows to be ready; one, however often it is
 * called before. Return: 0; -ENOMEM; -ESTALE: the loop has ended.
 */
int grp_turn_want(struct grp_turn *turn);

/* grp_turn_drop() - it is not wanted any more; also before what it is part of is freed. */
void grp_turn_drop(struct grp_turn *turn);

#endif
