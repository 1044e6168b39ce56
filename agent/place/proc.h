/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What /proc says of a thread, as far as the injector has to know it.
 */
#ifndef GRP_PLACE_PROC_H
#define GRP_PLACE_PROC_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "place/arch.h"

struct grp_place_status {
	char state; /* as in ps: R S D T t Z X I */
	bool kernel_thread; /* or one that works for a process in the kernel only, as io_uring(7) has */
	pid_t tracer; /* 0: none */
	uint64_t start_ticks; /* field 22 of stat */
	uint64_t blocked; /* signals, bit 0 is number 1; those in force right now */
	uint64_t pending; /* of the thread and of its process */
	uint64_t caught; /* signals with a handler */
	uint64_t ignored; /* signals that nobody would be told of, were it not traced */
	unsigned int cpu; /* where it ran last */
	uint64_t sleeps; /* how often it has left its CPU of its own accord */
	unsigned int seccomp; /* 0: none, 1: strict, 2: filter */
};

/**
 * grp_place_status() - of a thread of any process.
 * Return: 0; -ESRCH: there is none; -errno of reading.
 */
int grp_place_status(pid_t tid, struct grp_place_status *ret_status);

/**
 * grp_place_blocked() - the call that it sleeps in.
 *
 * To be asked before the thread is disturbed: afterwards it has been awake.
 * @ret_blocked: known is false when it runs, or when nobody can tell; passed_ns is 0.
 */
void grp_place_blocked(pid_t tid, struct grp_place_blocked *ret_blocked);

/**
 * grp_place_last_ran_ns() - when the scheduler last charged it: when it fell asleep.
 * Return: by the clock of the CPU it was on, no other; 0: the kernel does not say.
 */
uint64_t grp_place_last_ran_ns(pid_t tid);

/* grp_place_is_compat() - whether its program is a 32-bit one; false when nobody can tell. */
bool grp_place_is_compat(pid_t tid);

/**
 * grp_place_vdso() - where the kernel's own code is mapped in its process.
 * Return: an address; 0: not known.
 */
uint64_t grp_place_vdso(pid_t tid);

#endif
