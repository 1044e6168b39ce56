/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the agent and its helper for memory policies say to each other: one request, one
 * reply, each a message of fixed size on a socketpair (SOCK_SEQPACKET). A task's memory
 * policy is set by the task itself only, so the helper stops a thread with ptrace and
 * has it make the system call. It is a process of its own, so that nothing of this is
 * in the way of the agent's loop, and that a SIGKILL of the agent finds no thread half
 * done: the helper finishes the one in hand and ends when the socket is closed.
 *
 * CPUSET-14, OOR-6.
 */
#ifndef GRP_PLACE_PROTOCOL_H
#define GRP_PLACE_PROTOCOL_H

#include <stdint.h>

/* The only argument of the program that makes it the helper, and the socket it inherits. */
#define GRP_PLACE_ARGUMENT "--place-helper"
#define GRP_PLACE_FD 3

/* The most nodes that a kernel can be built for. */
#define GRP_PLACE_NODES_MAX 1024
#define GRP_PLACE_NODE_WORDS (GRP_PLACE_NODES_MAX / 64)

enum grp_place_op {
	GRP_PLACE_SET = 1, /* set_mempolicy(mode, nodes) */
	GRP_PLACE_GET = 2, /* get_mempolicy(): the reply has mode and nodes */
	GRP_PLACE_MIGRATE = 3, /* migrate_pages() of the process tid, nothing is stopped */
	GRP_PLACE_OP_MAX,
};

/* What became of a request; grp_place_result_name() has the words. */
enum grp_place_result {
	GRP_PLACE_DONE, /* in force, or read */
	GRP_PLACE_GONE, /* has ended, or is another task by now */
	GRP_PLACE_KERNEL, /* a kernel thread, or a worker in the kernel, as of io_uring(7) */
	GRP_PLACE_TRACED, /* by a debugger, which is left alone */
	GRP_PLACE_DENIED, /* the kernel does not allow ptrace: a security module, Yama */
	GRP_PLACE_COMPAT, /* 32-bit code */
	GRP_PLACE_DISPATCH, /* it handles its system calls itself (prctl) */
	GRP_PLACE_SECCOMP, /* confined, and the helper may not suspend that */
	GRP_PLACE_ASLEEP, /* did not stop in time: uninterruptible, frozen, execve held up */
	GRP_PLACE_FROZEN, /* stopped, but a freezer keeps it from running */
	GRP_PLACE_BUSY, /* signals came each time */
	GRP_PLACE_NO_CALL, /* no system call instruction found in it, or no memory for it */
	GRP_PLACE_REFUSED, /* it made the call, which failed: see error */
	GRP_PLACE_FAILED, /* anything else: see error */
	GRP_PLACE_RESULT_MAX,
};

struct grp_place_request {
	uint64_t id; /* given back in the reply */
	uint32_t op;
	int32_t tid;
	uint64_t start_ticks; /* field 22 of /proc/PID/stat; 0: not compared */
	uint32_t timeout_ms; /* for it to stop, and again for it to make the call */
	uint32_t mode; /* MPOL_* with flags */
	uint64_t nodes[GRP_PLACE_NODE_WORDS]; /* MIGRATE: to these, by their order, */
	uint64_t from[GRP_PLACE_NODE_WORDS]; /* from these */
};

struct grp_place_reply {
	uint64_t id; /* 0: the helper lost a tracer, whatever was under way is not known */
	int32_t tid;
	uint32_t result;
	int32_t error; /* positive errno; 0: none */
	uint32_t mode;
	uint32_t attempts; /* how often it was stopped */
	uint32_t left; /* MIGRATE: pages that could not be moved */
	uint64_t nodes[GRP_PLACE_NODE_WORDS];
};

_Static_assert(sizeof(struct grp_place_request) == 32 + GRP_PLACE_NODES_MAX / 4, "fixed");
_Static_assert(sizeof(struct grp_place_reply) == 32 + GRP_PLACE_NODES_MAX / 8, "fixed");

#endif
