/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Configurations in files, see groups_file.h. Each name is looked up once: there
 * may be thousands of groups of a few users.
 */
#include "base/groups_file.h"

#include <errno.h>
#include <grp.h> /* libc's */
#include <pwd.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/cleanup_json.h"
#include "base/parse.h"

enum owner_kind {
	OWNER_USER,
	OWNER_GROUP,
	OWNER_KINDS,
};

/* Members of a group and of its files that are owners. */
static const struct {
	const char *name;
	enum owner_kind kind;
} owner_members[] = {
	{ "owner", OWNER_USER },
	{ "group", OWNER_GROUP },
	{ "file_owner", OWNER_USER },
	{ "file_group", OWNER_GROUP },
};

struct walk {
	/* Return: 0, with what takes the place of @value (NULL: it stays). */
	int (*replace)(struct walk *walk, enum owner_kind kind, const json_t *value,
		       json_t **ret_value);
	json_t *known[OWNER_KINDS]; /* objects: from what was looked up to what came out */
	struct grp_error *error;
	size_t h, g; /* where we are */
	const char *file; /* NULL: the group itself */
	const char *member;
};

/* --- looking up ---------------------------------------------------------------------- */

/* Return: 0; -ENOENT. */
static int find_number(enum owner_kind kind, const char *name, json_int_t *ret)
{
	if (kind == OWNER_USER) {
		const struct passwd *user = getpwnam(name);

		if (user)
			*ret = user->pw_uid;
		return user ? 0 : -ENOENT;
	}
	const struct group *group = getgrnam(name);

	if (group)
		*ret = group->gr_gid;
	return group ? 0 : -ENOENT;
}

static int to_number(struct walk *walk, enum owner_kind kind, const json_t *value,
		     json_t **ret_value)
{
	const char *name = json_string_value(value);
	json_int_t found = 0;
	uint64_t digits;
	int r;

	if (!name)
		return 0;
	*ret_value = json_incref(json_object_get(walk->known[kind], name));
	if (*ret_value)
		return 0;
	r = find_number(kind, name, &found);
	if (r && !grp_parse_u64(name, 0, UINT32_MAX, &digits)) {
		found = (json_int_t)digits;
		r = 0;
	}
	if (r)
		return grp_error_set(walk->error, EINVAL,
				     "hierarchies[%zu].groups[%zu]%s%.64s.%s: no %s '%.64s' here",
				     walk->h, walk->g, walk->file ? ".files." : "",
				     walk->file ?: "", walk->member,
				     kind == OWNER_USER ? "user" : "group of users", name);
	*ret_value = json_integer(found);
	return json_object_set(walk->known[kind], name, *ret_value) < 0 ? -ENOMEM : 0;
}

/* A name stands for a number when it leads back to it. */
static json_t *name_of(enum owner_kind kind, json_int_t number)
{
	const struct passwd *user = kind == OWNER_USER ? getpwuid((uid_t)number) : NULL;
	const struct group *group = kind == OWNER_GROUP ? getgrgid((gid_t)number) : NULL;
	_cleanup_json_ json_t *name = NULL;
	json_int_t back;

	if (user)
		name = json_string(user->pw_name);
	if (group)
		name = json_string(group->gr_name);
	if (name && !find_number(kind, json_string_value(name), &back) && back == number)
		return TAKE_PTR(name);
	return json_integer(number);
}

static int to_name(struct walk *walk, enum owner_kind kind, const json_t *value, json_t **ret_value)
{
	char key[32];

	if (!json_is_integer(value))
		return 0;
	(void)snprintf(key, sizeof(key), "%lld", (long long)json_integer_value(value));
	*ret_value = json_incref(json_object_get(walk->known[kind], key));
	if (*ret_value)
		return 0;
	*ret_value = name_of(kind, json_integer_value(value));
	return json_object_set(walk->known[kind], key, *ret_value) < 0 ? -ENOMEM : 0;
}

/* --- walking --------------------------------------------------------------------------- */

static int walk_members(struct walk *walk, json_t *object)
{
	int r = 0;

	for (size_t i = 0; !r && i < sizeof(owner_members) / sizeof(*owner_members); i++) {
		_cleanup_json_ json_t *better = NULL;
		const json_t *value = json_object_get(object, owner_members[i].name);

		walk->member = owner_members[i].name;
		if (value)
			r = walk->replace(walk, owner_members[i].kind, value, &better);
		if (!r && better && json_object_set(object, owner_members[i].name, better) < 0)
			r = -ENOMEM;
	}
	return r;
}

static int walk_group(struct walk *walk, json_t *group)
{
	const char *name;
	json_t *file;
	int r;

	walk->file = NULL;
	r = walk_members(walk, group);
	if (r)
		return r;
	json_object_foreach(json_object_get(group, "files"), name, file) {
		walk->file = name;
		r = walk_members(walk, file);
		if (r)
			return r;
	}
	return 0;
}

static int walk_all(struct walk *walk, const json_t *configuration)
{
	const json_t *hierarchy;
	json_t *group;
	int r = 0;

	json_array_foreach(json_object_get(configuration, "hierarchies"), walk->h, hierarchy) {
		json_array_foreach(json_object_get(hierarchy, "groups"), walk->g, group) {
			r = walk_group(walk, group);
			if (r)
				return r;
		}
	}
	return 0;
}

static int walk_configuration(struct walk *walk, json_t *configuration)
{
	int r;

	for (int i = 0; i < OWNER_KINDS; i++)
		walk->known[i] = json_object();
	r = walk->known[OWNER_USER] && walk->known[OWNER_GROUP] ? walk_all(walk, configuration) :
								  -ENOMEM;
	for (int i = 0; i < OWNER_KINDS; i++)
		json_decref(walk->known[i]);
	return r;
}

int grp_groups_file_name_owners(json_t *configuration)
{
	struct walk walk = { .replace = to_name };

	return walk_configuration(&walk, configuration);
}

int grp_groups_file_load(FILE *stream, struct grp_error *error, json_t **ret_configuration)
{
	struct walk walk = { .replace = to_number, .error = error };
	_cleanup_json_ json_t *configuration = NULL;
	json_error_t where;
	int r;

	errno = 0;
	configuration = json_loadf(stream, JSON_REJECT_DUPLICATES, &where);
	if (ferror(stream))
		return grp_error_set(error, errno ?: EIO, "%s", strerror(errno ?: EIO));
	if (!configuration)
		return grp_error_set(error, EINVAL, "line %d, column %d: %s", where.line,
				     where.column, where.text);
	if (!json_is_object(configuration))
		return grp_error_set(error, EINVAL, "a JSON object is wanted");
	r = walk_configuration(&walk, configuration);
	if (!r)
		*ret_configuration = TAKE_PTR(configuration);
	return r;
}
