/* SPDX-License-Identifier: GPL-2.0-only */
#include "place/made.h"

#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static unsigned int bits_of(const uint64_t *nodes)
{
	unsigned int i = GRP_PLACE_NODES_MAX;

	while (i && !(nodes[(i - 1) / 64] >> ((i - 1) % 64) & 1))
		i--;
	return i;
}

/* The kernel takes one bit less than it is told. */
static int prepare_set(const struct grp_place_request *request, pid_t tid, uint64_t sp,
		       struct grp_place_made *made)
{
	unsigned int n_bits = bits_of(request->nodes);
	int r;

	made->number = SYS_set_mempolicy;
	made->arguments[0] = request->mode;
	if (!n_bits)
		return 0;
	made->arguments[1] = grp_place_find_nodes(tid, request->nodes, n_bits);
	made->arguments[2] = n_bits + 1;
	if (made->arguments[1])
		return 0;
	r = grp_place_borrow(tid, sp, request->nodes, (n_bits + 63) / 64 * sizeof(uint64_t),
			     &made->scratch);
	made->arguments[1] = made->scratch.address;
	return r;
}

/* As few as this kernel fills: each is a word of memory to borrow. */
static unsigned int words_of_kernel(void)
{
	uint64_t nodes[GRP_PLACE_NODE_WORDS];
	unsigned int n = 1;

	while (n < GRP_PLACE_NODE_WORDS &&
	       syscall(SYS_get_mempolicy, NULL, nodes, n * 64UL, NULL, 0UL) < 0)
		n *= 2;
	return n;
}

static int prepare_get(pid_t tid, uint64_t sp, struct grp_place_made *made)
{
	unsigned int n = words_of_kernel();
	int r = grp_place_borrow(tid, sp, NULL, sizeof(uint64_t) * (n + 1), &made->scratch);

	made->number = SYS_get_mempolicy;
	made->arguments[1] = made->scratch.address;
	made->arguments[0] = made->scratch.address + n * sizeof(uint64_t);
	made->arguments[2] = n * 64UL;
	return r;
}

int grp_place_prepare(const struct grp_place_request *request, pid_t tid, uint64_t sp,
		      struct grp_place_made *made)
{
	return request->op == GRP_PLACE_GET ? prepare_get(tid, sp, made) :
					      prepare_set(request, tid, sp, made);
}

void grp_place_take_result(pid_t tid, const struct grp_place_made *made,
			   struct grp_place_reply *reply)
{
	uint64_t data[GRP_PLACE_NODE_WORDS + 1];
	size_t bytes = made->scratch.bytes;

	if (made->number != SYS_get_mempolicy ||
	    grp_place_read(tid, made->scratch.address, data, bytes) < 0)
		return;
	bytes -= sizeof(*data);
	memcpy(reply->nodes, data, bytes);
	reply->mode = (uint32_t)data[bytes / sizeof(*data)];
}
