/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * CPUs and memory nodes that come and go: the kernel tells by netlink, and groups are
 * looked at again (CPUSET-26).
 */
#ifndef GRP_HOTPLUG_H
#define GRP_HOTPLUG_H

struct grp_agent;

/*
 * grp_hotplug_open() - listens from now on. Return: 0, also if the kernel does not let
 * us, which is said: then groups follow at the next start.
 */
int grp_hotplug_open(struct grp_agent *agent);

#endif
