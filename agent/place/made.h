/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The system call that a thread is to make for a request: its number and arguments, and
 * the memory of the thread that it reads from or writes to.
 */
#ifndef GRP_PLACE_MADE_H
#define GRP_PLACE_MADE_H

#include <stdint.h>
#include <sys/types.h>

#include "place/memory.h"
#include "place/protocol.h"

struct grp_place_made {
	int number;
	uint64_t arguments[GRP_PLACE_ARGUMENTS];
	struct grp_place_scratch scratch; /* to be given back by the caller */
};

/**
 * grp_place_prepare() - for a thread that is stopped by us.
 * @sp: its stack pointer.
 * @made: all zero.
 * Return: 0; -EFAULT: there is no memory for it.
 */
int grp_place_prepare(const struct grp_place_request *request, pid_t tid, uint64_t sp,
		      struct grp_place_made *made);

/* grp_place_take_result() - what the call has written, into the reply; when it has succeeded. */
void grp_place_take_result(pid_t tid, const struct grp_place_made *made,
			   struct grp_place_reply *reply);

#endif
