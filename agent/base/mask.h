/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Masks: sets of CPUs or memory nodes, and their text (0-3,5) as the kernel
 * reads and prints it. Pure computation; what the numbers mean on this machine
 * is agent/kernel/topology.c, words like node:0 are agent/core/topology.c.
 *
 * There are two forms. `struct grp_mask` has room for every CPU that a kernel
 * can have; it is a value, for locals. `struct grp_kept_mask` takes what its
 * members need, and is for what is kept by the thousand.
 */
#ifndef GRP_BASE_MASK_H
#define GRP_BASE_MASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* CONFIG_NR_CPUS of the largest distribution kernels; nodes: at most 1,024. */
#define GRP_MASK_BITS 8192
#define GRP_MASK_WORDS (GRP_MASK_BITS / 64)

/*
 * Bit b is bit b % 64 of word b / 64: on a 64-bit machine what the kernel's
 * masks look like, so that `words` can be given to a system call as it is.
 */
struct grp_mask {
	uint64_t words[GRP_MASK_WORDS];
};

/* All zero is an empty one; 16 bytes and nothing else while no bit is above 63. */
struct grp_kept_mask {
	uint32_t n_words;
	union {
		uint64_t word;
		uint64_t *words; /* if n_words > 1; owned */
	};
};

/* Bits from 0 to @n_bits - 1; @n_bits up to GRP_MASK_BITS. Context: any. */
void grp_mask_fill(struct grp_mask *mask, unsigned int n_bits);

/* One bit; @bit < GRP_MASK_BITS, a larger one is never in a mask and not put there. */
void grp_mask_set(struct grp_mask *mask, unsigned int bit);
void grp_mask_unset(struct grp_mask *mask, unsigned int bit);
bool grp_mask_has(const struct grp_mask *mask, unsigned int bit);

/* @mask becomes what is in both, in either, in itself but not in @other. */
void grp_mask_and(struct grp_mask *mask, const struct grp_mask *other);
void grp_mask_or(struct grp_mask *mask, const struct grp_mask *other);
void grp_mask_remove(struct grp_mask *mask, const struct grp_mask *other);

bool grp_mask_empty(const struct grp_mask *mask);
bool grp_mask_equal(const struct grp_mask *a, const struct grp_mask *b);
/* Whether all of @mask is in @of; an empty one is in everything. */
bool grp_mask_subset(const struct grp_mask *mask, const struct grp_mask *of);
bool grp_mask_overlap(const struct grp_mask *a, const struct grp_mask *b);
unsigned int grp_mask_weight(const struct grp_mask *mask);

/**
 * grp_mask_next() - the lowest member that is not below @from.
 * Return: the bit, or GRP_MASK_BITS: there is none. Context: any.
 */
unsigned int grp_mask_next(const struct grp_mask *mask, unsigned int from);

/* grp_mask_for_each() - @bit runs over the members of @mask, ascending. */
#define grp_mask_for_each(bit, mask)                                           \
	for (unsigned int bit = grp_mask_next(mask, 0); (bit) < GRP_MASK_BITS; \
	     (bit) = grp_mask_next(mask, (bit) + 1))

/**
 * grp_mask_parse() - a list as the kernel's parser takes it: numbers and ranges
 * between commas or blanks, N for the last bit, `all`, 0-7:1/2 for one of each
 * two; up to the end or the first newline after a number. Empty text is an
 * empty mask.
 * @n_bits: how many there may be: possible CPUs, or nodes that a kernel can have.
 * Return: 0; -EINVAL: not a list; -ERANGE: a number that is @n_bits or above;
 * -EOVERFLOW: one of more than 32 bits. The errors are the kernel's, the one that
 * it meets first. Context: any.
 */
int grp_mask_parse(const char *text, unsigned int n_bits, struct grp_mask *ret_mask);

/* Longest text of a list of up to @n_bits that the kernel takes; longer is E2BIG. */
static inline size_t grp_mask_text_max(unsigned int n_bits)
{
	return 100 + (6 * (size_t)n_bits);
}

/* Prints it as the kernel does, ascending, ranges merged, no newline: 0-3,5. */
void grp_mask_print(const struct grp_mask *mask, FILE *out);

/* The same in memory. Return: to be freed, or NULL: out of memory. Context: any. */
char *grp_mask_text(const struct grp_mask *mask);

/**
 * grp_mask_keep() - lets @kept hold what @mask has, instead of what it held.
 * Return: 0; -ENOMEM, unchanged; never when no bit is above 63. Context: any.
 */
int grp_mask_keep(struct grp_kept_mask *kept, const struct grp_mask *mask);

/* What @kept holds. */
struct grp_mask grp_mask_kept(const struct grp_kept_mask *kept);

/* Frees what it owns; it is empty then. */
void grp_mask_drop(struct grp_kept_mask *kept);

#endif
