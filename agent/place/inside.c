/* SPDX-License-Identifier: GPL-2.0-only */
#include "place/inside.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/rseq.h>
#include <stddef.h>
#include <sys/ptrace.h>

#include "place/memory.h"
#include "place/trace.h"

/* From linux/ptrace.h, which does not go with the C library's; Linux 6.4. */
#define GET_DISPATCH 0x4211

struct dispatch {
	uint64_t mode; /* 0: off */
	uint64_t selector;
	uint64_t offset;
	uint64_t length;
};

#if defined(__x86_64__)
#define NATIVE AUDIT_ARCH_X86_64
#else
#define NATIVE AUDIT_ARCH_AARCH64
#endif

static void leave_sequence(pid_t tid, struct grp_place_regs *regs)
{
	struct __ptrace_rseq_configuration configuration = { 0 };
	struct rseq_cs sequence = { 0 };
	uint64_t address = 0, inside;

	if (ptrace(PTRACE_GET_RSEQ_CONFIGURATION, tid, (void *)sizeof(configuration),
		   &configuration) < 0 ||
	    !configuration.rseq_abi_pointer)
		return;
	if (grp_place_read(tid, configuration.rseq_abi_pointer + offsetof(struct rseq, rseq_cs),
			   &address, sizeof(address)) < 0 ||
	    !address || grp_place_read(tid, address, &sequence, sizeof(sequence)) < 0)
		return;
	inside = grp_arch_ip(regs) - sequence.start_ip;
	if (inside < sequence.post_commit_offset)
		grp_arch_set_ip(regs, sequence.abort_ip);
}

int grp_place_look_inside(pid_t tid, struct grp_place_regs *regs, uint64_t *ret_mask)
{
	struct __ptrace_syscall_info info = { 0 };
	struct dispatch dispatch = { 0 };

	if (grp_place_get_mask(tid, ret_mask) < 0)
		return -ESRCH;
	if (ptrace(PTRACE_GET_SYSCALL_INFO, tid, (void *)sizeof(info), &info) < 0)
		return -ESRCH;
	if (info.arch != NATIVE)
		return -EINVAL;
	if (ptrace((enum __ptrace_request)GET_DISPATCH, tid, (void *)sizeof(dispatch), &dispatch) ==
		    0 &&
	    dispatch.mode)
		return -EBUSY;
	leave_sequence(tid, regs);
	return 0;
}
