/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a thread is doing when it is to be stopped: which call it sleeps in and since when.
 * Once it has stopped, its registers do not tell all of that.
 */
#ifndef GRP_PLACE_LOOK_H
#define GRP_PLACE_LOOK_H

#include "place/arch.h"
#include "place/proc.h"

struct grp_place_look {
	struct grp_place_status before; /* for who stops it to read */
	struct grp_place_blocked blocked;
	uint64_t ran_ns; /* before it fell asleep; 0: does not matter */
	unsigned int stops; /* since then: for who stops it to count */
};

/**
 * grp_place_look() - as shortly before it is stopped as can be, and right after look->before,
 * which the caller has read.
 */
void grp_place_look(pid_t tid, struct grp_place_look *look);

/**
 * grp_place_look_again() - it is stopped: is what was seen still true, or seen now?
 * @status, @regs: of now. @filtered: of seccomp. What look->blocked says afterwards is so.
 * Return: 0; -EAGAIN: it cannot be told, it is to run on for a moment.
 */
int grp_place_look_again(pid_t tid, struct grp_place_look *look,
			 const struct grp_place_status *status, bool filtered,
			 struct grp_place_regs *regs);

#endif
