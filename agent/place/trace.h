/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stopping one thread and waiting for what it does next. A tracer has one thread at a
 * time, and lets it go in any case by ending: the kernel then takes back what was asked
 * of it. Context of all: the tracer's process, SIGCHLD blocked.
 */
#ifndef GRP_PLACE_TRACE_H
#define GRP_PLACE_TRACE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum grp_place_stop {
	GRP_STOP_EVENT, /* because we asked, or with its whole process by a signal */
	GRP_STOP_SIGNAL, /* about to receive a signal */
	GRP_STOP_CALL, /* about to execute a system call */
	GRP_STOP_GONE,
	GRP_STOP_LATE, /* not yet */
};

#define GRP_NO_DEADLINE UINT64_MAX

/**
 * grp_place_wait() - for the thread to stop.
 * @tid: when it executes a program it may get another id, which is stored here.
 * @deadline_ns: of CLOCK_MONOTONIC, GRP_NO_DEADLINE: for ever.
 * @ret_signal: its number; only with GRP_STOP_SIGNAL.
 */
enum grp_place_stop grp_place_wait(pid_t *tid, uint64_t deadline_ns, int *ret_signal);

/**
 * grp_place_seize() - become its tracer; it runs on.
 * @suspend_seccomp: its filters do not see what we have it do.
 * @timeout_ms: the kernel lets nobody trace a process that is in execve(2), which may
 * wait for another thread's tracer for ever.
 * Return: 0; -ETIMEDOUT: perhaps we are its tracer and perhaps not; -errno of ptrace(2).
 */
int grp_place_seize(pid_t tid, bool suspend_seccomp, unsigned int timeout_ms);

/* The rest is ptrace(2) by its name. Return: 0; -errno, -ESRCH: it was killed. */
int grp_place_suspend_seccomp(pid_t tid);
/* ... asked to stop; if it stops for another reason first, that is forgotten */
int grp_place_interrupt(pid_t tid);
int grp_place_cont(pid_t tid, int signal);
/* ... until it is about to execute a system call */
int grp_place_cont_to_call(pid_t tid);
int grp_place_detach(pid_t tid, int signal);
/* ... only while it is stopped; bit N - 1 for signal N */
int grp_place_get_mask(pid_t tid, uint64_t *ret_mask);
int grp_place_set_mask(pid_t tid, uint64_t mask);

/* grp_place_was_dispatched() - whether the SIGSYS it is about to receive is for a call that
 * its program wants to handle itself. */
bool grp_place_was_dispatched(pid_t tid);

#endif
