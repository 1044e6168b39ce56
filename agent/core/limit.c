/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How many groups a subtree may have, and how deep it may be: the control files
 * cgroup.max.descendants and cgroup.max.depth, with the names and meaning of cgroup
 * v2. They stay with whom they belong to when a group is handed over, so that who
 * got a subtree cannot lift them.
 */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/parse.h"
#include "core/internal.h"

#define NO_LIMIT INT_MAX
#define NO_LIMIT_TEXT "max"
#define BLANKS " \t\n"

static int limit_of(struct grp_core *core, struct grp_group *group, const char *name)
{
	const struct grp_value_entry *entry = grp_value_find(core, group, GRP_VALUE_SETTING, name);
	int limit = NO_LIMIT;

	if (entry && entry->len == sizeof(limit))
		memcpy(&limit, entry->data, sizeof(limit));
	return limit;
}

static int reached(const struct grp_group *group, const char *name, int limit,
		   struct grp_error *error)
{
	char path[GRP_SHOWN_PATH_SIZE];

	return grp_error_set(error, EAGAIN, "%s of %s is %d", name,
			     grp_group_shown_path(group, path), limit);
}

int grp_limits_check(struct grp_core *core, struct grp_group *parent, struct grp_error *error)
{
	unsigned int level = 1;

	for (struct grp_group *at = parent; at->parent; at = at->parent, level++) {
		int limit = limit_of(core, at, GRP_FILE_MAX_DESCENDANTS);

		if (at->n_descendants >= (unsigned int)limit)
			return reached(at, GRP_FILE_MAX_DESCENDANTS, limit, error);
		limit = limit_of(core, at, GRP_FILE_MAX_DEPTH);
		if (level > (unsigned int)limit)
			return reached(at, GRP_FILE_MAX_DEPTH, limit, error);
	}
	return 0;
}

/* As the kernel: blanks around it, a sign, 0x and 0 for other bases. */
static int parse_limit(const char *text, int *ret_limit)
{
	char word[32];
	uint64_t number;
	bool negative;
	size_t len;
	int r;

	text += strspn(text, BLANKS);
	len = strlen(text);
	while (len && strchr(BLANKS, text[len - 1]))
		len--;
	if (len >= sizeof(word))
		return -EINVAL;
	memcpy(word, text, len);
	word[len] = '\0';
	if (!strcmp(word, NO_LIMIT_TEXT)) {
		*ret_limit = NO_LIMIT;
		return 0;
	}
	negative = word[0] == '-';
	r = grp_parse_kernel_u64(word + negative, &number);
	if (r)
		return r;
	if (number > INT_MAX || (negative && number))
		return -ERANGE;
	*ret_limit = (int)number;
	return 0;
}

/* The number that a text means, with the reason when it means none. */
static int understand(const char *text, struct grp_error *error, int *ret_limit)
{
	int r = parse_limit(text, ret_limit);

	return r ? grp_error_set(error, -r, "write a number up to %d, or max", NO_LIMIT) : 0;
}

/* Room for a number or the word. */
#define SHOWN_SIZE 12

static void show(int limit, char *buf)
{
	if (limit == NO_LIMIT)
		(void)snprintf(buf, SHOWN_SIZE, NO_LIMIT_TEXT);
	else
		(void)snprintf(buf, SHOWN_SIZE, "%d", limit);
}

int grp_limit_canonical(const char *text, char *ret_text, struct grp_error *error)
{
	int limit, r = understand(text, error, &limit);

	if (!r)
		show(limit, ret_text);
	return r;
}

int grp_limit_read(const struct grp_file_access *access, FILE *out)
{
	char text[SHOWN_SIZE];

	show(limit_of(access->core, access->group, access->ref->key), text);
	(void)fprintf(out, "%s\n", text);
	return 0;
}

int grp_limit_write(const struct grp_file_access *access, const char *text, size_t len)
{
	int limit = NO_LIMIT, r = understand(text, access->error, &limit);

	(void)len;
	if (r)
		return r;
	if (limit == NO_LIMIT)
		return grp_value_drop(access->core, access->group, GRP_VALUE_SETTING,
				      access->ref->key);
	return grp_value_put(access->core, access->group, GRP_VALUE_SETTING, access->ref->key,
			     &limit, sizeof(limit));
}
