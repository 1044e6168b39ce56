/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Modes as chmod(1) reads them: octal, or changes like u+w,g=u,o-rwx. Pure.
 */
#ifndef GRP_CLI_MODE_H
#define GRP_CLI_MODE_H

#include <stdbool.h>

/* What a mode is applied to. */
struct grp_mode_base {
	unsigned int mode; /* present one */
	unsigned int umask; /* of the caller: what a change without u, g, o, a leaves alone */
	bool directory; /* X means x, and u and g bits 06000 go only when they are named */
};

/* grp_mode_is_octal() - it needs no base. */
bool grp_mode_is_octal(const char *text);

/**
 * grp_mode_apply() - the mode that @text makes of @base.
 * @base: not looked at for an octal one; NULL: only see whether it is one.
 * Return: 0; -EINVAL.
 */
int grp_mode_apply(const char *text, const struct grp_mode_base *base, unsigned int *ret_mode);

#endif
