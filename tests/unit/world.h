/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A core over the kernel in memory, with short words for what core tests do all
 * the time. Everything fails the test at once when it does not work.
 */
#ifndef GRP_TEST_WORLD_H
#define GRP_TEST_WORLD_H

#include <stdint.h>

#include "core/core.h"
#include "core/file.h"
#include "fake_kernel.h"

#define WORLD_CPUS 3

struct world {
	struct fake_kernel *fake;
	struct grp_core *core;
};

extern const struct grp_caller world_root;

void world_open(struct world *world, unsigned int groups, unsigned int sets);
/*
 * With hierarchy "other", groups /a, /a/b and other:/p; root task 1; processes 10 in /a,
 * 11 in /a/b, 12 in /a/b and other:/p.
 */
void world_open_populated(struct world *world, unsigned int groups, unsigned int sets);
void world_close(struct world *world);
/* The agent is killed and started again: a new core over the same kernel. */
void world_restart(struct world *world);

struct grp_group *world_find(struct world *world, const char *spec); /* NULL: none */
/* Also of a hierarchy that is not mounted. */
struct grp_group *world_find_any(struct world *world, const char *spec);
struct grp_group *world_mkdir(struct world *world, const char *spec);
int world_make_as(struct world *world, const struct grp_caller *caller, const char *parent,
		  const char *name);
int world_rmdir(struct world *world, const char *spec);
int world_move(struct world *world, const char *spec, pid_t tid, bool whole);
uint64_t world_own(struct world *world, const char *spec);
uint64_t world_tree(struct world *world, const char *spec);
uint64_t world_tasks(struct world *world, const char *spec);
/* Writes a control file, as root. Return: its errno. */
int world_write(struct world *world, const char *spec, const char *file, const char *text);
int world_write_as(struct world *world, const struct grp_caller *caller, const char *spec,
		   const char *file, const char *text);
/* What a control file holds for root; valid until the next call. */
char *world_read(struct world *world, const char *spec, const char *file);
void world_holds(struct world *world, const char *spec, const char *file, const char *expected);
/* Collection and grace periods until nothing more happens. */
void world_collect(struct world *world);

#endif
