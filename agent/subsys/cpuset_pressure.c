/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * File memory_pressure of cpuset (CPUSET-28). Nothing is measured yet: it is 0, as
 * with memory_pressure_enabled off.
 */
#include "subsys/cpuset.h"

int grp_cpuset_read_pressure(const struct grp_file_access *access, FILE *out)
{
	(void)access;
	(void)fputs("0\n", out);
	return 0;
}
