/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Registers of a stopped thread: what differs between x86-64 and arm64. How the kernel
 * restarts a system call that was interrupted is its business; here stands which
 * registers make it do so.
 */
#ifndef GRP_PLACE_ARCH_H
#define GRP_PLACE_ARCH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#if defined(__x86_64__)
#include <sys/user.h>

struct grp_place_regs {
	struct user_regs_struct user;
};
#define GRP_PLACE_INSN "\x0f\x05" /* syscall */
#define GRP_PLACE_INSN_BYTES 2
#elif defined(__aarch64__)
#include <asm/ptrace.h>

struct grp_place_regs {
	struct user_pt_regs user;
	int number; /* of the system call it is in; -1: none */
};
#define GRP_PLACE_INSN "\x01\x00\x00\xd4" /* svc #0 */
#define GRP_PLACE_INSN_BYTES 4
#else
#error "memory policies of running tasks: neither x86-64 nor arm64"
#endif

/* What the ABI lets a function keep below its stack pointer, and more. */
#define GRP_PLACE_RED_ZONE 256

#define GRP_PLACE_ARGUMENTS 6

/* The errors with which a call asks the kernel to be made again, never seen by a program. */
enum {
	GRP_ERESTARTSYS = 512,
	GRP_ERESTARTNOINTR = 513,
	GRP_ERESTARTNOHAND = 514,
	GRP_ERESTART_RESTARTBLOCK = 516,
};

/* What /proc/TID/syscall said before it was disturbed. */
struct grp_place_blocked {
	bool known; /* it was asleep in a call */
	int number;
	uint64_t arguments[GRP_PLACE_ARGUMENTS];
	uint64_t ip;
	uint64_t passed_ns; /* that it slept in it, at least */
};

/* The system call that a thread is on its way out of. */
struct grp_place_call {
	int number; /* -1: none */
	int error; /* positive errno, also GRP_ERESTART*; 0: it has a result */
	uint64_t arguments[GRP_PLACE_ARGUMENTS];
};

/**
 * grp_arch_get() - registers of a thread that is stopped by us.
 * Return: 0; -ESRCH: it was killed; -EINVAL: they are those of 32-bit code.
 */
int grp_arch_get(pid_t tid, struct grp_place_regs *ret_regs);

/* grp_arch_set() - the other way; what @regs says is there afterwards. */
int grp_arch_set(pid_t tid, const struct grp_place_regs *regs);

/**
 * grp_arch_call() - what makes a thread that had @saved execute a system call.
 * @insn: address of GRP_PLACE_INSN in it.
 */
void grp_arch_call(const struct grp_place_regs *saved, uint64_t insn, int number,
		   const uint64_t arguments[GRP_PLACE_ARGUMENTS], struct grp_place_regs *ret_regs);

/* grp_arch_result() - after the call: its value, or -errno. */
long grp_arch_result(const struct grp_place_regs *regs);

uint64_t grp_arch_ip(const struct grp_place_regs *regs);
void grp_arch_set_ip(struct grp_place_regs *regs, uint64_t ip);
uint64_t grp_arch_sp(const struct grp_place_regs *regs);

/**
 * grp_arch_interrupted() - the call that it was stopped in.
 * @blocked: what was known before; where registers do not tell all, it must fit.
 */
struct grp_place_call grp_arch_interrupted(const struct grp_place_regs *regs,
					   const struct grp_place_blocked *blocked);

/**
 * grp_arch_restart() - registers with which it makes @call again by itself, without
 * the kernel's help, as the kernel would have had it do if no signal is delivered.
 * @call: error and arguments, which may have been changed.
 */
void grp_arch_restart(struct grp_place_regs *regs, const struct grp_place_call *call);

/* What there is besides registers of a stopped thread. */
struct grp_place_around {
	bool insn_at_ip, insn_before_ip;
	uint64_t caught, blocked; /* signals: there is a handler; it blocks them */
	bool filtered; /* it perhaps must not make restart_syscall(2) */
};

/**
 * grp_arch_recall() - it is stopped: what was not known before, or was of another call, as far
 * as it can be told now. To be called before grp_arch_settle().
 */
void grp_arch_recall(pid_t tid, const struct grp_place_regs *regs,
		     const struct grp_place_around *around, struct grp_place_blocked *blocked);

/**
 * grp_arch_settle() - to be called once when it has stopped: what the kernel does at
 * its end and cannot do any more after another system call. See arch_aarch64.c.
 * Return: 0; -EAGAIN: it cannot be told, it is to run on for a moment.
 */
int grp_arch_settle(struct grp_place_regs *regs, const struct grp_place_blocked *blocked,
		    const struct grp_place_around *around);

#endif
