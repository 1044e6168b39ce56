/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Work in pieces, see turn.h.
 */
#include "turn.h"

static int on_turn(sd_event_source *source, void *data)
{
	struct grp_turn *turn = data;

	/* The loop holds it until this returns. */
	turn->source = sd_event_source_unref(turn->source);
	return turn->handler(turn->data);
}

void grp_turn_init(struct grp_turn *turn, sd_event *event, int (*handler)(void *data), void *data)
{
	*turn = (struct grp_turn){ .event = event, .handler = handler, .data = data };
}

int grp_turn_want(struct grp_turn *turn)
{
	int r;

	if (turn->source)
		return 0;
	r = sd_event_add_defer(turn->event, &turn->source, on_turn, turn);
	return r < 0 ? r : 0;
}

void grp_turn_drop(struct grp_turn *turn)
{
	turn->source = sd_event_source_disable_unref(turn->source);
}
