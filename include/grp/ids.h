/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Limits and well-known numbers. Every object that a user can make has its
 * limit here, with the reason for the figure. No types: those are in abi.h.
 */
#ifndef GRP_IDS_H
#define GRP_IDS_H

/* Changes whenever a pinned map changes its meaning or its shape. */
#define GRP_LAYOUT_VERSION 4

/* Slots for hierarchies: the width of a set's vector (design VER-1). */
#define GRP_HIERARCHIES_MAX 16
/* Contract: [A-Za-z0-9_.-]{1,64}. */
#define GRP_HIERARCHY_NAME_MAX 64
/* HIER-6: names of one hierarchy; they all stand in its one record. */
#define GRP_HIERARCHY_NAMES_MAX 8
/* LIM-3, LIM-4: of a subsystem, and of a control file without its prefix. */
#define GRP_SUBSYSTEM_NAME_MAX 32
#define GRP_FILE_NAME_MAX 64
/* State that a group keeps for each subsystem: bits of a mask and pointers. */
#define GRP_SUBSYSTEMS_MAX 8
/* A stored value: as long as a mask of the 8,192 CPUs of a distribution kernel. */
#define GRP_VALUE_MAX 1024
/* Values and file attributes stored for one group, on average; more is ENOSPC. */
#define GRP_VALUES_PER_GROUP 4
/* CONT-4: an ordinary file name. */
#define GRP_NAME_MAX 255
/* CONT-16: the path of a group fits a page. */
#define GRP_PATH_MAX 4096

/* A set id has 16 bits in the task's word; the last one means "gone". */
#define GRP_SETS_DEFAULT 4096
#define GRP_SETS_LIMIT 65535
#define GRP_SET_ROOT 0
#define GRP_SET_GONE 0xffffU
/* In the plan of a pass: tasks of this set are not to be touched. */
#define GRP_PLAN_NONE 0xffffU

#define GRP_GROUPS_DEFAULT 16384
/* Bounded by the 32-bit index of the kernel's hash map and by memory. */
#define GRP_GROUPS_LIMIT 1048576

/* Births that found no room in task storage and wait for adoption. */
#define GRP_ORPHANS_MAX 1024

/*
 * Distinct masks and policies that tasks wish for or have, at a time. An id has 15
 * bits; a table of this length is looked through in microseconds, and programs that
 * pin their threads one by one use a mask a CPU.
 */
#define GRP_MASKS_MAX 4096
/* Words of a mask: the 8,192 CPUs of a distribution kernel. */
#define GRP_MASK_WORDS_MAX 128
/* Tasks whose CPUs were rewritten and that the agent has not looked at yet. */
#define GRP_PLACE_PENDING_MAX 1024

/*
 * Events kept for watchers that are behind, of 1 KiB on average: as many as come
 * when a tree of some thousand groups is removed; 1 GiB at most.
 */
#define GRP_WATCH_BACKLOG_DEFAULT 4096
#define GRP_WATCH_BACKLOG_LIMIT 1048576

/*
 * Clients at the same time, so that descriptors are left for the kernel side
 * under the usual limit of 1024; root gets in when all others are taken.
 */
#define GRP_CONNECTIONS_MAX 512
#define GRP_CONNECTIONS_ROOT 128

/* Mount points of the control filesystem; each has two descriptors and a buffer. */
#define GRP_FS_MOUNTS_MAX 64

#endif
