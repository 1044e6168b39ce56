/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How a thread goes on after it was stopped in a system call. Most calls the kernel
 * restarts itself. Some, as epoll_wait(2), end with EINTR whenever somebody stops the
 * thread (signal(7) lists them); a program that knows of no signal is not prepared for
 * that. Those are made again here, with what is left of their time.
 */
#ifndef GRP_PLACE_RESTART_H
#define GRP_PLACE_RESTART_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "place/arch.h"

struct grp_place_signals {
	uint64_t during; /* blocked while it was in the call, as by ppoll(2) */
	uint64_t after; /* blocked when it is back in the program */
	uint64_t pending;
};

/**
 * grp_place_restarts() - whether the call is to be made again by us, not as the kernel
 * decides from the registers as they were.
 *
 * With a signal to be delivered the kernel is right: EINTR or a restart as the program
 * has asked for. Unless that signal was blocked during the call: another mask is in
 * force once the thread has been in user mode, and the signal comes before the call is
 * made again, as after a SIGSTOP and SIGCONT.
 */
bool grp_place_restarts(const struct grp_place_call *call, const struct grp_place_signals *signals);

/**
 * grp_place_avoid_restart_syscall() - for a thread that perhaps must not make it.
 *
 * What waits for a time the kernel restarts by another call, restart_syscall(2), which
 * a filter of system calls may not know. It is made again by us then, as those are that
 * end with EINTR.
 */
void grp_place_avoid_restart_syscall(struct grp_place_call *call);

/* grp_place_has_time() - whether it has to be known since when the thread sleeps in the call. */
bool grp_place_has_time(const struct grp_place_blocked *blocked);

/**
 * grp_place_shorten() - the time that a call waits, by what it has waited already.
 * @blocked: for how long it slept; if that is not known, the time starts again.
 * @sp: of the thread; where the time is in memory, a shorter one goes below it.
 */
void grp_place_shorten(pid_t tid, uint64_t sp, const struct grp_place_blocked *blocked,
		       struct grp_place_call *call);

#endif
