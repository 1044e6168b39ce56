/* SPDX-License-Identifier: GPL-2.0-only */
#include "place/memory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/uio.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "place/proc.h"

/* Of a mapping, when the target has no vDSO: more than this is not looked through. */
#define SEARCHED_BYTES (64UL << 10)

int grp_place_read(pid_t tid, uint64_t address, void *data, size_t bytes)
{
	struct iovec local = { data, bytes }, remote = { (void *)address, bytes };
	ssize_t n = process_vm_readv(tid, &local, 1, &remote, 1, 0);

	if (n < 0)
		return -errno;
	return (size_t)n == bytes ? 0 : -EFAULT;
}

int grp_place_write(pid_t tid, uint64_t address, const void *data, size_t bytes)
{
	struct iovec local = { (void *)data, bytes }, remote = { (void *)address, bytes };
	ssize_t n = process_vm_writev(tid, &local, 1, &remote, 1, 0);

	if (n < 0)
		return -errno;
	return (size_t)n == bytes ? 0 : -EFAULT;
}

/* One line of maps. Return: false: not a mapping. */
static bool parse_mapping(char *line, uint64_t *ret_start, uint64_t *ret_end, const char **ret_rest)
{
	char from[20], to[20], *dash = strchr(line, '-'), *blank = strchr(line, ' ');

	if (!dash || !blank || dash > blank)
		return false;
	(void)snprintf(from, sizeof(from), "0x%.*s", (int)(dash - line), line);
	(void)snprintf(to, sizeof(to), "0x%.*s", (int)(blank - dash - 1), dash + 1);
	*ret_rest = blank + 1;
	return grp_parse_kernel_u64(from, ret_start) == 0 && grp_parse_kernel_u64(to, ret_end) == 0;
}

/* The end of the mapping of ours that begins at @start; 0: there is none. */
static uint64_t own_mapping_end(uint64_t start)
{
	_cleanup_fclose_ FILE *maps = fopen("/proc/self/maps", "re");
	_cleanup_free_ char *line = NULL;
	size_t size = 0;
	uint64_t from, to;
	const char *rest;

	while (maps && getline(&line, &size, maps) > 0)
		if (parse_mapping(line, &from, &to, &rest) && from == start)
			return to;
	return 0;
}

/* Our own vDSO, whose text is that of everybody. Return: its length; 0: there is none. */
static size_t own_vdso(const unsigned char **ret_text)
{
	uint64_t start = getauxval(AT_SYSINFO_EHDR), end = start ? own_mapping_end(start) : 0;

	*ret_text = (const unsigned char *)start;
	return end ? (size_t)(end - start) : 0;
}

/* Whether the target has at @address what we have at @ours. */
static bool has(pid_t tid, uint64_t address, const void *ours, size_t bytes)
{
	unsigned char theirs[8];

	return grp_place_read(tid, address, theirs, bytes) == 0 && !memcmp(theirs, ours, bytes);
}

/* Instructions that all have the same size lie at its multiples. */
static const unsigned char *find_insn(const unsigned char *text, size_t bytes)
{
	const size_t step = GRP_PLACE_INSN_BYTES == 4 ? 4 : 1;

	for (size_t i = 0; i + GRP_PLACE_INSN_BYTES <= bytes; i += step)
		if (!memcmp(text + i, GRP_PLACE_INSN, GRP_PLACE_INSN_BYTES))
			return text + i;
	return NULL;
}

static uint64_t search(pid_t tid, uint64_t start, uint64_t end)
{
	_cleanup_free_ unsigned char *text = NULL;
	size_t bytes = end - start < SEARCHED_BYTES ? (size_t)(end - start) : SEARCHED_BYTES;
	const unsigned char *found = NULL;

	text = malloc(bytes);
	if (text && grp_place_read(tid, start, text, bytes) == 0)
		found = find_insn(text, bytes);
	return found ? start + (uint64_t)(found - text) : 0;
}

static uint64_t search_all(pid_t tid)
{
	_cleanup_fclose_ FILE *maps = NULL;
	_cleanup_free_ char *line = NULL;
	size_t size = 0;
	uint64_t from, to, found = 0;
	const char *rest;
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/maps", tid);
	maps = fopen(path, "re");
	while (!found && maps && getline(&line, &size, maps) > 0)
		/* not in memory that is written as well: it may change any time */
		if (parse_mapping(line, &from, &to, &rest) && !strncmp(rest, "r-xp", 4))
			found = search(tid, from, to);
	return found;
}

uint64_t grp_place_find_insn(pid_t tid, const struct grp_place_regs *regs)
{
	const unsigned char *text, *insn;
	size_t bytes = own_vdso(&text);
	uint64_t vdso = grp_place_vdso(tid), before = grp_arch_ip(regs) - GRP_PLACE_INSN_BYTES;

	insn = find_insn(text, bytes);
	if (vdso && insn &&
	    has(tid, vdso + (uint64_t)(insn - text), GRP_PLACE_INSN, GRP_PLACE_INSN_BYTES))
		return vdso + (uint64_t)(insn - text);
	/* the one it is in, if it is in a call */
	if (has(tid, before, GRP_PLACE_INSN, GRP_PLACE_INSN_BYTES))
		return before;
	return search_all(tid);
}

uint64_t grp_place_find_nodes(pid_t tid, const uint64_t *nodes, unsigned int n_bits)
{
	uint64_t vdso = grp_place_vdso(tid), mask = UINT64_MAX >> (64 - n_bits), word;
	const unsigned char *text;
	size_t bytes = own_vdso(&text);

	if (!vdso || n_bits > 64)
		return 0;
	for (size_t i = 0; i + sizeof(word) <= bytes; i++) {
		memcpy(&word, text + i, sizeof(word));
		if ((word & mask) == nodes[0] && has(tid, vdso + i, text + i, sizeof(word)))
			return vdso + i;
	}
	return 0;
}

int grp_place_borrow(pid_t tid, uint64_t sp, const void *data, size_t bytes,
		     struct grp_place_scratch *scratch)
{
	uint64_t address = (sp - GRP_PLACE_RED_ZONE - bytes) & ~15ULL;

	if (grp_place_read(tid, address, scratch->saved, bytes) < 0 ||
	    grp_place_write(tid, address, data ? data : scratch->saved, bytes) < 0)
		return -EFAULT;
	scratch->address = address;
	scratch->bytes = bytes;
	return 0;
}

void grp_place_give_back(pid_t tid, struct grp_place_scratch *scratch)
{
	if (scratch->address)
		(void)grp_place_write(tid, scratch->address, scratch->saved, scratch->bytes);
	scratch->address = 0;
}
