/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * x86-64. The kernel decides about a restart when it is about to return to user mode,
 * after the stop: orig_rax is the call, rax its error. Put back together they have it
 * decide as if nothing had happened; orig_rax = -1 says that there is no call.
 */
#if defined(__x86_64__)

#include "place/arch.h"

#include <errno.h>
#include <stddef.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>

/* The code segment of 64-bit code; others are 32-bit. */
#define USER_CS 0x33

int grp_arch_get(pid_t tid, struct grp_place_regs *ret_regs)
{
	if (ptrace(PTRACE_GETREGS, tid, NULL, &ret_regs->user))
		return -errno;
	return ret_regs->user.cs == USER_CS ? 0 : -EINVAL;
}

int grp_arch_set(pid_t tid, const struct grp_place_regs *regs)
{
	return ptrace(PTRACE_SETREGS, tid, NULL, &regs->user) ? -errno : 0;
}

void grp_arch_call(const struct grp_place_regs *saved, uint64_t insn, int number,
		   const uint64_t arguments[GRP_PLACE_ARGUMENTS], struct grp_place_regs *ret_regs)
{
	*ret_regs = *saved;
	ret_regs->user.rip = insn;
	ret_regs->user.rax = (uint64_t)number;
	ret_regs->user.orig_rax = UINT64_MAX;
	ret_regs->user.rdi = arguments[0];
	ret_regs->user.rsi = arguments[1];
	ret_regs->user.rdx = arguments[2];
	ret_regs->user.r10 = arguments[3];
	ret_regs->user.r8 = arguments[4];
	ret_regs->user.r9 = arguments[5];
}

long grp_arch_result(const struct grp_place_regs *regs)
{
	return (long)regs->user.rax;
}

uint64_t grp_arch_ip(const struct grp_place_regs *regs)
{
	return regs->user.rip;
}

void grp_arch_set_ip(struct grp_place_regs *regs, uint64_t ip)
{
	regs->user.rip = ip;
}

uint64_t grp_arch_sp(const struct grp_place_regs *regs)
{
	return regs->user.rsp;
}

struct grp_place_call grp_arch_interrupted(const struct grp_place_regs *regs,
					   const struct grp_place_blocked *blocked)
{
	const struct user_regs_struct *user = &regs->user;
	long result = (long)user->rax;
	struct grp_place_call call = {
		.number = (int)user->orig_rax,
		.arguments = { user->rdi, user->rsi, user->rdx, user->r10, user->r8, user->r9 },
	};

	if (call.number >= 0 && result < 0 && result >= -4095)
		call.error = (int)-result;
	return call;
}

void grp_arch_restart(struct grp_place_regs *regs, const struct grp_place_call *call)
{
	struct user_regs_struct *user = &regs->user;

	user->rax = call->error == GRP_ERESTART_RESTARTBLOCK ? SYS_restart_syscall :
							       (uint64_t)call->number;
	user->rip -= GRP_PLACE_INSN_BYTES;
	user->rdi = call->arguments[0];
	user->rsi = call->arguments[1];
	user->rdx = call->arguments[2];
	user->r10 = call->arguments[3];
	user->r8 = call->arguments[4];
	user->r9 = call->arguments[5];
}

/* The registers say it all. */
void grp_arch_recall(pid_t tid, const struct grp_place_regs *regs,
		     const struct grp_place_around *around, struct grp_place_blocked *blocked)
{
}

int grp_arch_settle(struct grp_place_regs *regs, const struct grp_place_blocked *blocked,
		    const struct grp_place_around *around)
{
	return 0;
}

#endif
