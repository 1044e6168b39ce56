/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The memory policy of a group of subsystem cpuset, for exec: a policy can be set by a
 * task itself only, and is inherited by what it starts.
 */
#ifndef GRP_CLI_MEM_POLICY_H
#define GRP_CLI_MEM_POLICY_H

#include "ctl.h"

/**
 * grp_mem_policy_take() - this task gets the policy of the group that it is in.
 *
 * A group that allows every node and has the policy that groups have anyway changes
 * nothing, nor does one in which cpuset does not act.
 * @ctl: connected. Return: an exit code; what is wrong was said (CPUSET-14, OOR-6).
 */
int grp_mem_policy_take(struct grp_ctl *ctl);

#endif
