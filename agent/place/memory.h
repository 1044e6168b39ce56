/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What an injected system call needs in the target: an instruction that makes one, and
 * memory for its arguments. Both are looked for in what the target has mapped, first in
 * the kernel's own code there (vDSO), which is the same in every process. A set of few
 * nodes is found there as well, as some word whose low bits are the set; so in the usual
 * case nothing at all is written to the target.
 */
#ifndef GRP_PLACE_MEMORY_H
#define GRP_PLACE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "place/arch.h"
#include "place/protocol.h"

/* Memory below the stack, which nobody owns; still what was in it is put back. */
struct grp_place_scratch {
	uint64_t address; /* 0: not in use */
	size_t bytes;
	unsigned char saved[GRP_PLACE_NODES_MAX / 8 + 16];
};

/* grp_place_read(), grp_place_write() - memory of a process. Return: 0; -errno, -EFAULT if short. */
int grp_place_read(pid_t tid, uint64_t address, void *data, size_t bytes);
int grp_place_write(pid_t tid, uint64_t address, const void *data, size_t bytes);

/**
 * grp_place_find_insn() - an instruction that makes a system call.
 * Return: address; 0: none found.
 */
uint64_t grp_place_find_insn(pid_t tid, const struct grp_place_regs *regs);

/**
 * grp_place_find_nodes() - readable memory of the target whose first @n_bits are these.
 * Return: address; 0: none found.
 */
uint64_t grp_place_find_nodes(pid_t tid, const uint64_t *nodes, unsigned int n_bits);

/**
 * grp_place_borrow() - memory below the stack, its content saved.
 * @data: what to put there; NULL: nothing.
 * @bytes: at most sizeof(scratch->saved).
 * Return: 0; -EFAULT: there is none.
 */
int grp_place_borrow(pid_t tid, uint64_t sp, const void *data, size_t bytes,
		     struct grp_place_scratch *scratch);

/* grp_place_give_back() - its content as it was. Nothing borrowed is fine. */
void grp_place_give_back(pid_t tid, struct grp_place_scratch *scratch);

#endif
