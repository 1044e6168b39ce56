/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Names of users and groups of users, see owner.h.
 */
#include "owner.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/parse.h"

/* The largest one; the next means "as it is". */
#define ID_MAX (UINT32_MAX - 1)

const char *grp_owner_user(int64_t uid)
{
	const struct passwd *entry = getpwuid((uid_t)uid);

	return entry ? entry->pw_name : NULL;
}

const char *grp_owner_group(int64_t gid)
{
	/* libc's own name of the type, nothing of ours. */
	const struct group *entry = getgrgid((gid_t)gid);

	return entry ? entry->gr_name : NULL;
}

/* --- reading --------------------------------------------------------------------- */

static int parse_number(const char *name, int64_t *ret_id)
{
	uint64_t id;

	if (grp_parse_u64(name, 0, ID_MAX, &id) < 0)
		return -ENOENT;
	*ret_id = (int64_t)id;
	return 0;
}

/* @ret_login: the login group; of a mere number only when some user has it. */
static int find_user(const char *name, int64_t *ret_uid, int64_t *ret_login)
{
	const struct passwd *entry = getpwnam(name);
	int r = 0;

	if (entry)
		*ret_uid = entry->pw_uid;
	else
		r = parse_number(name, ret_uid);
	if (!r && !entry)
		entry = getpwuid((uid_t)*ret_uid);
	if (!r)
		*ret_login = entry ? (int64_t)entry->pw_gid : GRP_OWNER_KEEP;
	return r;
}

static int find_group(const char *name, int64_t *ret_gid)
{
	const struct group *entry = getgrnam(name);

	if (!entry)
		return parse_number(name, ret_gid);
	*ret_gid = entry->gr_gid;
	return 0;
}

static int refuse(const char *part, char **ret_wrong)
{
	*ret_wrong = strdup(part);
	return *ret_wrong ? -ENOENT : -ENOMEM;
}

int grp_owner_parse(const char *text, struct grp_owner *ret_owner, char **ret_wrong)
{
	struct grp_owner owner = { GRP_OWNER_KEEP, GRP_OWNER_KEEP };
	const char *colon = strchrnul(text, ':');
	_cleanup_free_ char *user = strndup(text, (size_t)(colon - text));
	int64_t login = GRP_OWNER_KEEP;

	if (!user)
		return -ENOMEM;
	if (!*user && (!*colon || !colon[1]))
		return -EINVAL;
	if (*user && find_user(user, &owner.uid, &login) < 0)
		return refuse(user, ret_wrong);
	if (*colon && !colon[1]) {
		owner.gid = login;
		if (login == GRP_OWNER_KEEP)
			return refuse(text, ret_wrong);
	} else if (*colon && find_group(colon + 1, &owner.gid) < 0) {
		return refuse(colon + 1, ret_wrong);
	}
	*ret_owner = owner;
	return 0;
}

/* --- explaining -------------------------------------------------------------------- */

static const struct {
	const char *word;
	const char *(*name)(int64_t id);
} words[] = {
	{ "uid ", grp_owner_user },
	{ "gid ", grp_owner_group },
};

/* "uid 7" at the beginning. Return: its length; 0: it is not there. */
static size_t id_length(const char *at, const char **ret_name)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		size_t len = strlen(words[i].word), digits;
		char number[12];
		int64_t id;

		if (strncmp(at, words[i].word, len) != 0)
			continue;
		digits = strspn(at + len, "0123456789");
		if (!digits || digits >= sizeof(number))
			continue;
		memcpy(number, at + len, digits);
		number[digits] = '\0';
		*ret_name = parse_number(number, &id) < 0 ? NULL : words[i].name(id);
		return len + digits;
	}
	return 0;
}

int grp_owner_explain(const char *message, char **ret_text)
{
	_cleanup_free_ char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return -ENOMEM;
	while (*message) {
		const char *name = NULL;
		size_t len = id_length(message, &name);

		(void)fwrite(message, 1, len ?: 1, out);
		if (len && name)
			(void)fprintf(out, " (%s)", name);
		message += len ?: 1;
	}
	if (fclose(out))
		return -ENOMEM;
	*ret_text = TAKE_PTR(text);
	return 0;
}
