/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Users and groups of users: the agent speaks of numbers, people of names.
 */
#ifndef GRP_CLI_OWNER_H
#define GRP_CLI_OWNER_H

#include <stdint.h>

/* Leaves it as it is. */
#define GRP_OWNER_KEEP (-1)

struct grp_owner {
	int64_t uid, gid; /* or GRP_OWNER_KEEP */
};

/**
 * grp_owner_parse() - "USER", "USER:GROUP", "USER:" (the user's login group),
 * ":GROUP"; each a name or, when there is none of that name, a number.
 * @ret_wrong: the part that nobody has, owned by the caller; only with -ENOENT.
 * Return: 0; -EINVAL: names nothing; -ENOENT: no such user or group; -ENOMEM.
 */
int grp_owner_parse(const char *text, struct grp_owner *ret_owner, char **ret_wrong);

/**
 * grp_owner_explain() - puts the name behind each "uid N" and "gid N" of a message.
 * @ret_text: owned by the caller. Return: 0; -ENOMEM.
 */
int grp_owner_explain(const char *message, char **ret_text);

/* grp_owner_user(), grp_owner_group() - name of a number; NULL: it has none. Borrowed. */
const char *grp_owner_user(int64_t uid);
const char *grp_owner_group(int64_t gid);

#endif
