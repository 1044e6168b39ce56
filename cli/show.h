/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A hierarchy as files at a directory, for the verbs that mount: cmd_mount.c.
 */
#ifndef GRP_CLI_SHOW_H
#define GRP_CLI_SHOW_H

struct grp_ctl;

/**
 * grp_ctl_show() - mounts in the mount namespace of this process, and has the
 * agent answer. Prints what went wrong; then nothing stays mounted.
 * @name: of the hierarchy; NULL: all of them.
 * @at: an existing directory.
 * Return: an exit code.
 */
int grp_ctl_show(struct grp_ctl *ctl, const char *name, const char *at);

#endif
