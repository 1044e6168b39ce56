/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Has one thread make set_mempolicy(2) or get_mempolicy(2), and go on as if nothing had
 * happened: stopped where it is, given the registers of the call, let run until it has
 * made it, given its own registers back.
 *
 * Nothing of it is changed but registers, for the length of that one call (and, where
 * the set of nodes cannot be found in its memory, some bytes below its stack; where signals
 * that it ignores keep it from the call, those are blocked). If the
 * tracer is killed before the call or after it, the kernel lets the thread run on
 * undisturbed. Killed in the middle, in the microseconds from one change of registers
 * to the other, it leaves a thread that goes on somewhere else, and crashes.
 */
#ifndef GRP_PLACE_INJECT_H
#define GRP_PLACE_INJECT_H

#include <stdbool.h>

#include "place/protocol.h"

struct grp_place_thread;

/* What the tracer has to do after a reply. */
enum grp_place_next {
	GRP_NEXT_REQUEST, /* nothing, the thread is let go */
	GRP_NEXT_TRACER, /* end: that lets it go */
	GRP_NEXT_FINISH, /* let somebody else serve, and call grp_place_finish() */
};

/**
 * grp_place_inject() - one request from its beginning to its end.
 * @ret_thread: only with GRP_NEXT_FINISH: the thread, still with registers of ours.
 * Context: the tracer's process, SIGCHLD blocked; takes at most a few times the timeout
 * of the request.
 */
enum grp_place_next grp_place_inject(const struct grp_place_request *request,
				     struct grp_place_reply *reply,
				     struct grp_place_thread **ret_thread);

/**
 * grp_place_finish() - wait for a thread that a freezer took in the middle, for ever if
 * need be, give it its registers back, let it go.
 * @thread: freed.
 */
void grp_place_finish(struct grp_place_thread *thread);

/* grp_place_result_name() - one word for people and programs, as "traced". */
const char *grp_place_result_name(enum grp_place_result result);

#endif
