/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * arm64. The kernel prepares a restart before the stop: the program counter is back on
 * the svc and x0 has its argument again, which error the call had is known to the kernel
 * alone, and forgotten once another call was made. What went to sleep for a time would
 * start again with all of it, so such a call is turned into restart_syscall here, if it
 * is known from before that the thread slept in it.
 */
#if defined(__aarch64__)

#include "place/arch.h"
#include "place/memory.h"
#include "place/proc.h"

#include <elf.h>
#include <errno.h>
#include <linux/futex.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* A frame of a signal with its extra records, and what alignment takes. */
#define FRAME_BYTES 16384
/* Less than a page: there may be nothing mapped. */
#define FRAME_PIECE 1024
/* The C library has handlers for them as soon as there are two threads, on the usual stack. */
#define OF_LIBRARY (1ULL << (32 - 1) | 1ULL << (33 - 1))
/* PSTATE.BTYPE: how it came to this instruction. */
#define BTYPE_MASK (3ULL << 10)

int grp_arch_get(pid_t tid, struct grp_place_regs *ret_regs)
{
	struct iovec user = { &ret_regs->user, sizeof(ret_regs->user) };
	struct iovec number = { &ret_regs->number, sizeof(ret_regs->number) };

	if (ptrace(PTRACE_GETREGSET, tid, NT_PRSTATUS, &user))
		return -errno;
	if (user.iov_len != sizeof(ret_regs->user))
		return -EINVAL;
	return ptrace(PTRACE_GETREGSET, tid, NT_ARM_SYSTEM_CALL, &number) ? -errno : 0;
}

int grp_arch_set(pid_t tid, const struct grp_place_regs *regs)
{
	struct grp_place_regs copy = *regs;
	struct iovec user = { &copy.user, sizeof(copy.user) };
	struct iovec number = { &copy.number, sizeof(copy.number) };

	if (ptrace(PTRACE_SETREGSET, tid, NT_PRSTATUS, &user))
		return -errno;
	return ptrace(PTRACE_SETREGSET, tid, NT_ARM_SYSTEM_CALL, &number) ? -errno : 0;
}

void grp_arch_call(const struct grp_place_regs *saved, uint64_t insn, int number,
		   const uint64_t arguments[GRP_PLACE_ARGUMENTS], struct grp_place_regs *ret_regs)
{
	*ret_regs = *saved;
	ret_regs->number = -1;
	ret_regs->user.pc = insn;
	/* an indirect branch that it has just made does not lead there (BTI) */
	ret_regs->user.pstate &= ~BTYPE_MASK;
	ret_regs->user.regs[8] = (uint64_t)number;
	for (int i = 0; i < GRP_PLACE_ARGUMENTS; i++)
		ret_regs->user.regs[i] = arguments[i];
}

long grp_arch_result(const struct grp_place_regs *regs)
{
	return (long)regs->user.regs[0];
}

uint64_t grp_arch_ip(const struct grp_place_regs *regs)
{
	return regs->user.pc;
}

void grp_arch_set_ip(struct grp_place_regs *regs, uint64_t ip)
{
	regs->user.pc = ip;
}

uint64_t grp_arch_sp(const struct grp_place_regs *regs)
{
	return regs->user.sp;
}

/* x0 is lost when the error is not one to restart, so only what was known to sleep counts. */
struct grp_place_call grp_arch_interrupted(const struct grp_place_regs *regs,
					   const struct grp_place_blocked *blocked)
{
	struct grp_place_call call = { .number = -1 };
	long result = (long)regs->user.regs[0];

	if (!blocked->known || blocked->ip != regs->user.pc ||
	    (uint64_t)blocked->number != regs->user.regs[8])
		return call;
	call.number = blocked->number;
	if (result < 0 && result >= -4095)
		call.error = (int)-result;
	memcpy(call.arguments, blocked->arguments, sizeof(call.arguments));
	return call;
}

void grp_arch_restart(struct grp_place_regs *regs, const struct grp_place_call *call)
{
	regs->user.pc -= GRP_PLACE_INSN_BYTES;
	for (int i = 0; i < GRP_PLACE_ARGUMENTS; i++)
		regs->user.regs[i] = call->arguments[i];
}

static bool sleeps_for_a_time(const struct grp_place_regs *regs)
{
	switch (regs->user.regs[8]) {
	case SYS_nanosleep:
		return true;
	case SYS_clock_nanosleep:
		return !(regs->user.regs[1] & TIMER_ABSTIME);
	case SYS_futex:
		return (regs->user.regs[1] & FUTEX_CMD_MASK) == FUTEX_WAIT && regs->user.regs[3];
	default:
		return false;
	}
}

/*
 * x0 as the last call had it: the kernel keeps it, but tells of it only in /proc, and only of
 * one that is in a call, so it is said to be.
 */
static bool first_argument(pid_t tid, int number, uint64_t *ret_argument)
{
	struct iovec iov = { &number, sizeof(number) };
	struct grp_place_blocked call;
	int none = -1;

	if (ptrace(PTRACE_SETREGSET, tid, NT_ARM_SYSTEM_CALL, &iov))
		return false;
	grp_place_blocked(tid, &call);
	iov = (struct iovec){ &none, sizeof(none) };
	if (ptrace(PTRACE_SETREGSET, tid, NT_ARM_SYSTEM_CALL, &iov))
		return false;
	*ret_argument = call.arguments[0];
	return call.known && call.number == number;
}

/* As much as there is of what lies below the stack, up to it. Return: how many words. */
static size_t read_below(pid_t tid, uint64_t sp, uint64_t words[FRAME_BYTES / sizeof(uint64_t)])
{
	size_t left = FRAME_BYTES;

	while (left && grp_place_read(tid, sp - (FRAME_BYTES - left) - FRAME_PIECE,
				      (char *)words + left - FRAME_PIECE, FRAME_PIECE) == 0)
		left -= FRAME_PIECE;
	memmove(words, (char *)words + left, FRAME_BYTES - left);
	return (FRAME_BYTES - left) / sizeof(*words);
}

/*
 * A handler that has just returned to where the thread is now has left its frame below the
 * stack: x0 to x30, sp and pc as they are. On a stack of its own it is not found.
 */
static bool handler_returned(pid_t tid, const struct grp_place_regs *regs)
{
	uint64_t words[FRAME_BYTES / sizeof(uint64_t)];
	const size_t n = read_below(tid, regs->user.sp, words), registers = 31;

	if (!n)
		return true;
	for (size_t i = registers; i + 1 < n; i++)
		if (words[i] == regs->user.sp && words[i + 1] == regs->user.pc &&
		    words[i - registers] == regs->user.regs[0])
			return true;
	return false;
}

/* Signals whose handlers may have run, also those that only the call itself lets through. */
static uint64_t may_have_handled(const struct grp_place_around *around,
				 const struct grp_place_blocked *call)
{
	static const struct {
		int number;
		unsigned int argument; /* the mask, NULL: none */
	} masks[] = {
		{ SYS_epoll_pwait, 4 },
		{ SYS_epoll_pwait2, 4 },
		{ SYS_ppoll, 3 },
		{ SYS_pselect6, 5 },
	};

	for (size_t i = 0; i < sizeof(masks) / sizeof(*masks); i++)
		if (masks[i].number == call->number && call->arguments[masks[i].argument])
			return around->caught;
	return around->caught & ~around->blocked;
}

/* Who waits for events hardly ever does anything else. */
static bool is_of_epoll(pid_t tid, const struct grp_place_blocked *call)
{
	static const char epoll[] = "anon_inode:[eventpoll]";
	char path[64], target[sizeof(epoll)];

	if (call->number != SYS_epoll_pwait && call->number != SYS_epoll_pwait2)
		return false;
	(void)snprintf(path, sizeof(path), "/proc/%d/fd/%d", tid, (int)call->arguments[0]);
	return readlink(path, target, sizeof(target)) == (ssize_t)strlen(epoll) &&
	       !memcmp(target, epoll, strlen(epoll));
}

/*
 * EINTR behind the svc is of our stop if no handler has run. If one may have, on a stack of its
 * own, the kept x0 is perhaps of its rt_sigreturn(2): it has to be what was seen before, or
 * what the call must have. A sleep that has not begun is as well one that begins again: only a
 * filter makes a difference.
 */
void grp_arch_recall(pid_t tid, const struct grp_place_regs *regs,
		     const struct grp_place_around *around, struct grp_place_blocked *blocked)
{
	struct grp_place_blocked now = { .known = true, .number = (int)regs->user.regs[8] };
	bool waits = around->insn_at_ip && sleeps_for_a_time(regs);
	bool failed = around->insn_before_ip && (long)regs->user.regs[0] == -EINTR;
	bool seen, certain;
	uint64_t handled;

	if (!waits && !failed)
		return;
	now.ip = regs->user.pc + (waits ? GRP_PLACE_INSN_BYTES : 0);
	memcpy(now.arguments, regs->user.regs, sizeof(now.arguments));
	if (failed && !first_argument(tid, now.number, &now.arguments[0])) {
		blocked->known = false;
		return;
	}
	seen = blocked->number == now.number && blocked->ip == now.ip &&
	       blocked->arguments[0] == now.arguments[0];
	if (blocked->known && seen &&
	    !memcmp(blocked->arguments, now.arguments, sizeof(now.arguments)))
		return;
	handled = may_have_handled(around, &now);
	certain = !handled || ((seen || is_of_epoll(tid, &now) || !(handled & ~OF_LIBRARY)) &&
			       !handler_returned(tid, regs));
	blocked->known = false;
	if (waits ? around->filtered : certain)
		*blocked = now;
}

int grp_arch_settle(struct grp_place_regs *regs, const struct grp_place_blocked *blocked,
		    const struct grp_place_around *around)
{
	if (!around->insn_at_ip || !sleeps_for_a_time(regs))
		return 0;
	/* about to make the call, or woken from it? */
	if (!blocked->known || blocked->ip != regs->user.pc + GRP_PLACE_INSN_BYTES ||
	    (uint64_t)blocked->number != regs->user.regs[8])
		return -EAGAIN;
	if (around->filtered) { /* as if it had ended with EINTR: see restart.h */
		regs->user.pc += GRP_PLACE_INSN_BYTES;
		regs->user.regs[0] = (uint64_t)-EINTR;
	} else {
		regs->user.regs[8] = SYS_restart_syscall;
	}
	return 0;
}

#endif
