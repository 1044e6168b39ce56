/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What else a stopped thread has that another system call would disturb, or be disturbed
 * by: restartable sequences, a mask of signals that holds for one call, another system
 * call ABI, and dispatch of system calls to the program itself.
 */
#ifndef GRP_PLACE_INSIDE_H
#define GRP_PLACE_INSIDE_H

#include <stdint.h>
#include <sys/types.h>

#include "place/arch.h"

/**
 * grp_place_look_inside() - of a thread that is stopped by us.
 * @regs: of it. If it is inside a restartable sequence (rseq(2)) they are changed to its
 * abort address: there the kernel would send it for being stopped, but after a system
 * call elsewhere it does not know any more where the thread was.
 * @ret_mask: signals that are blocked when it is back in the program.
 * Return: 0; -EINVAL: it uses the 32-bit ABI; -EBUSY: it dispatches its system calls
 * itself (PR_SET_SYSCALL_USER_DISPATCH); -ESRCH: it was killed.
 */
int grp_place_look_inside(pid_t tid, struct grp_place_regs *regs, uint64_t *ret_mask);

#endif
