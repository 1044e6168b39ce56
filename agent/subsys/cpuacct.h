/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of cpuacct share among themselves: the historical forms, and a
 * few lines of arithmetic.
 */
#ifndef GRP_CPUACCT_H
#define GRP_CPUACCT_H

#include <stdint.h>
#include <unistd.h>

#include "core/file.h"

#define NS_PER_S UINT64_C(1000000000)

static inline uint64_t grp_above(uint64_t value, uint64_t baseline)
{
	return value > baseline ? value - baseline : 0;
}

/* Of the unit in which times were shown historically: USER_HZ. */
static inline uint64_t grp_ns_per_tick(void)
{
	return NS_PER_S / sysconf(_SC_CLK_TCK);
}

/* grp_cpuacct_own() - of the group's own tasks, up to now. Return: 0, -errno. */
int grp_cpuacct_own(const struct grp_file_access *access, uint64_t *ret_ns);

/* cpuacct_history.c: see struct grp_file and struct grp_subsystem. */
int grp_cpuacct_read_ms(const struct grp_file_access *access, FILE *out);
int grp_cpuacct_read_load(const struct grp_file_access *access, FILE *out);
int grp_cpuacct_read_report(const struct grp_file_access *access, FILE *out);
int grp_cpuacct_read_enabled(const struct grp_file_access *access, FILE *out);
int grp_cpuacct_write_enabled(const struct grp_file_access *access, const char *text, size_t len);
uint64_t grp_cpuacct_due(struct grp_core *core, struct grp_hierarchy *hierarchy);
int grp_cpuacct_tick(struct grp_core *core, struct grp_hierarchy *hierarchy, uint64_t now_ns);

#endif
