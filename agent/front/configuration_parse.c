/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * JSON to a configuration, see configuration.h. Each kind of object has a table of
 * its members; what no table has is an error, so that a slip of the pen is not
 * taken for silence.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "core/subsystem.h"
#include "front/configuration.h"

#define PLACE_MAX 160
#define FILE_BITS 0777U
/* (uid_t)-1 means "nobody" to the kernel. */
#define ID_MAX 4294967294LL

struct parse {
	struct grp_error *error;
	char place[PLACE_MAX]; /* of what is being read; cut off when it is too long */
	size_t len;
};

struct member {
	const char *name;
	bool needed;
	int (*take)(struct parse *parse, const json_t *value, void *to);
	int argument; /* not for all: an enum grp_attribute */
};

/* --- places ------------------------------------------------------------------------ */

/* Goes into a member or an element. Return: what leave() wants. */
__attribute__((format(printf, 2, 3))) static size_t enter(struct parse *parse, const char *format,
							  ...)
{
	size_t before = parse->len, room = sizeof(parse->place) - before;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(parse->place + before, room, format, args);
	va_end(args);
	if (n > 0)
		parse->len += (size_t)n < room ? (size_t)n : room - 1;
	return before;
}

static void leave(struct parse *parse, size_t before)
{
	parse->len = before;
	parse->place[before] = '\0';
}

__attribute__((format(printf, 3, 4))) static int wrong(struct parse *parse, int number,
						       const char *format, ...)
{
	char reason[sizeof(parse->error->message)];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(reason, sizeof(reason), format, args);
	va_end(args);
	if (!parse->len)
		return grp_error_set(parse->error, number, "%s", reason);
	return grp_error_set(parse->error, number, "%s: %.*s", parse->place,
			     (int)(sizeof(reason) - sizeof(parse->place)), reason);
}

/* --- shapes ------------------------------------------------------------------------- */

static const struct member *find_member(const struct member *members, const char *name)
{
	for (; members->name; members++)
		if (!strcmp(members->name, name))
			return members;
	return NULL;
}

/* The argument of the member that is being read. */
struct target {
	void *to;
	int argument;
};

static int take_members(struct parse *parse, const json_t *object, const struct member *members,
			void *to)
{
	int r = 0;

	for (; !r && members->name; members++) {
		const json_t *value = json_object_get(object, members->name);
		struct target target = { to, members->argument };
		size_t before = enter(parse, "%s%s", parse->len ? "." : "", members->name);

		/* On the wire, null is absent. */
		if (value && !json_is_null(value))
			r = members->take(parse, value, &target);
		else if (members->needed)
			r = wrong(parse, EINVAL, "it is missing");
		leave(parse, before);
	}
	return r;
}

/* @members: in the order in which they are read. */
static int take_object(struct parse *parse, const json_t *object, const struct member *members,
		       void *to)
{
	const char *name;
	json_t *value;

	if (!json_is_object(object))
		return wrong(parse, EINVAL, "an object is wanted");
	json_object_foreach((json_t *)(uintptr_t)object, name, value) {
		if (!find_member(members, name)) {
			(void)enter(parse, "%s%s", parse->len ? "." : "", name);
			return wrong(parse, EINVAL, "no such member");
		}
	}
	return take_members(parse, object, members, to);
}

static int take_array(struct parse *parse, const json_t *array,
		      int (*take)(struct parse *parse, const json_t *value, void *to), void *to)
{
	const json_t *value;
	size_t i;

	if (!json_is_array(array))
		return wrong(parse, EINVAL, "an array is wanted");
	json_array_foreach(array, i, value) {
		size_t before = enter(parse, "[%zu]", i);
		int r = take(parse, value, to);

		if (r)
			return r;
		leave(parse, before);
	}
	return 0;
}

static int take_bytes(struct parse *parse, const json_t *value, char **ret_bytes)
{
	int r;

	if (!json_is_string(value))
		return wrong(parse, EINVAL, "a string is wanted");
	free(*ret_bytes);
	*ret_bytes = NULL;
	r = grp_text_unescape(json_string_value(value), ret_bytes, NULL);
	return r == -EINVAL ? wrong(parse, EINVAL, "\\x00 cannot be in it") : r;
}

/* --- owners and modes ---------------------------------------------------------------- */

/* As `chmod` takes it: octal, in a string, for JSON has no octal numbers. */
static int take_mode(struct parse *parse, const json_t *value, uint32_t *ret)
{
	const char *text = json_string_value(value);
	size_t len = text ? strlen(text) : 0;
	uint32_t mode = 0;

	for (size_t i = 0; i < len; i++)
		mode = mode << 3 | (uint32_t)(text[i] - '0');
	if (!len || len > 5 || strspn(text, "01234567") != len || mode > 07777)
		return wrong(parse, EINVAL, "a mode is a string of octal digits, as \"0755\"");
	*ret = mode;
	return 0;
}

static int take_id(struct parse *parse, const json_t *value, uint32_t *ret)
{
	json_int_t id = json_is_integer(value) ? json_integer_value(value) : -1;

	if (id < 0 || id > ID_MAX)
		return wrong(parse, EINVAL, "an owner is a name or a number from 0 to %lld",
			     ID_MAX);
	*ret = (uint32_t)id;
	return 0;
}

static int take_number(struct parse *parse, const json_t *value, int attribute, uint32_t *ret)
{
	return attribute == GRP_ATTRIBUTE_MODE ? take_mode(parse, value, ret) :
						 take_id(parse, value, ret);
}

static int take_file_attribute(struct parse *parse, const json_t *value, void *to)
{
	const struct target *target = to;
	struct grp_declared_file *file = target->to;

	int r = take_number(parse, value, target->argument, &file->attributes[target->argument]);

	file->given[target->argument] = true;
	if (!r && file->attributes[GRP_ATTRIBUTE_MODE] & ~FILE_BITS)
		r = wrong(parse, EINVAL, "a control file has no bits but 0777");
	return r;
}

static int take_attribute(struct parse *parse, const json_t *value, void *to)
{
	const struct target *target = to;
	struct grp_declared_group *group = target->to;

	return take_number(parse, value, target->argument, &group->attributes[target->argument]);
}

/* --- groups ---------------------------------------------------------------------------- */

static const struct member file_members[] = {
	{ "owner", .take = take_file_attribute, .argument = GRP_ATTRIBUTE_OWNER },
	{ "group", .take = take_file_attribute, .argument = GRP_ATTRIBUTE_GROUP },
	{ "mode", .take = take_file_attribute, .argument = GRP_ATTRIBUTE_MODE },
	{},
};

static int take_files(struct parse *parse, const json_t *value, void *to)
{
	const struct target *target = to;
	const char *name;
	json_t *member;

	if (!json_is_object(value))
		return wrong(parse, EINVAL, "an object is wanted");
	json_object_foreach((json_t *)(uintptr_t)value, name, member) {
		struct grp_declared_file *file = grp_declared_add_file(target->to);
		size_t before = enter(parse, ".%s", name);
		int r;

		if (!file)
			return -ENOMEM;
		file->name = strdup(name);
		r = file->name ? take_object(parse, member, file_members, file) : -ENOMEM;
		if (r)
			return r;
		leave(parse, before);
	}
	return 0;
}

static int take_settings(struct parse *parse, const json_t *value, void *to)
{
	const struct target *target = to;
	const char *name;
	json_t *member;

	if (!json_is_object(value))
		return wrong(parse, EINVAL, "an object is wanted");
	json_object_foreach((json_t *)(uintptr_t)value, name, member) {
		struct grp_declared_setting *setting = grp_declared_add_setting(target->to);
		size_t before = enter(parse, ".%s", name);
		int r;

		if (!setting)
			return -ENOMEM;
		setting->name = strdup(name);
		r = setting->name ? take_bytes(parse, member, &setting->text) : -ENOMEM;
		if (!r && strlen(setting->text) > GRP_VALUE_MAX)
			r = wrong(parse, E2BIG, "a setting has at most %d bytes", GRP_VALUE_MAX);
		if (r)
			return r;
		leave(parse, before);
	}
	return 0;
}

static int take_path(struct parse *parse, const json_t *value, void *to)
{
	const struct target *target = to;

	return take_bytes(parse, value, &((struct grp_declared_group *)target->to)->path);
}

static const struct member group_members[] = {
	{ "path", .needed = true, .take = take_path },
	{ "owner", .take = take_attribute, .argument = GRP_ATTRIBUTE_OWNER },
	{ "group", .take = take_attribute, .argument = GRP_ATTRIBUTE_GROUP },
	{ "mode", .take = take_attribute, .argument = GRP_ATTRIBUTE_MODE },
	{ "file_owner", .take = take_attribute, .argument = GRP_ATTRIBUTE_FILE_OWNER },
	{ "file_group", .take = take_attribute, .argument = GRP_ATTRIBUTE_FILE_GROUP },
	{ "settings", .take = take_settings },
	{ "files", .take = take_files },
	{},
};

static int take_group(struct parse *parse, const json_t *value, void *to)
{
	struct grp_declared_group *group = grp_declared_add_group(to);

	return group ? take_object(parse, value, group_members, group) : -ENOMEM;
}

/* --- hierarchies -------------------------------------------------------------------------- */

static int take_groups(struct parse *parse, const json_t *value, void *to)
{
	return take_array(parse, value, take_group, ((struct target *)to)->to);
}

static int take_name(struct parse *parse, const json_t *value, void *to)
{
	struct grp_declared_hierarchy *hierarchy = ((struct target *)to)->to;

	return take_bytes(parse, value, &hierarchy->name);
}

static int take_alias(struct parse *parse, const json_t *value, void *to)
{
	struct grp_declared_hierarchy *hierarchy = to;
	size_t n = hierarchy->n_aliases;
	char **bigger = reallocarray(hierarchy->aliases, n + 1, sizeof(char *));

	if (!bigger)
		return -ENOMEM;
	hierarchy->aliases = bigger;
	hierarchy->aliases[n] = NULL;
	hierarchy->n_aliases++;
	return take_bytes(parse, value, &hierarchy->aliases[n]);
}

static int take_aliases(struct parse *parse, const json_t *value, void *to)
{
	return take_array(parse, value, take_alias, ((struct target *)to)->to);
}

static int take_subsystem(struct parse *parse, const json_t *value, void *to)
{
	struct grp_declared_hierarchy *hierarchy = to;
	const char *name = json_string_value(value);
	int index = name ? grp_subsystem_find(name, strlen(name)) : -EINVAL;

	if (index == -ENOENT)
		return wrong(parse, ENOENT, "no subsystem '%.32s'; 'grpctl subsystems' lists them",
			     name);
	if (index < 0)
		return wrong(parse, EINVAL, "the name of a subsystem is wanted");
	if (hierarchy->subsystems & 1U << index)
		return wrong(parse, EINVAL, "'%s' stands there twice", name);
	hierarchy->subsystems |= 1U << index;
	return 0;
}

static int take_subsystems(struct parse *parse, const json_t *value, void *to)
{
	struct grp_declared_hierarchy *hierarchy = ((struct target *)to)->to;

	hierarchy->has_subsystems = true;
	return take_array(parse, value, take_subsystem, hierarchy);
}

static int take_noprefix(struct parse *parse, const json_t *value, void *to)
{
	struct grp_declared_hierarchy *hierarchy = ((struct target *)to)->to;

	if (!json_is_boolean(value))
		return wrong(parse, EINVAL, "true or false is wanted");
	hierarchy->noprefix = json_is_true(value);
	return 0;
}

static int take_release_agent(struct parse *parse, const json_t *value, void *to)
{
	struct grp_declared_hierarchy *hierarchy = ((struct target *)to)->to;

	return take_bytes(parse, value, &hierarchy->release_agent);
}

static const struct member hierarchy_members[] = {
	{ "name", .needed = true, .take = take_name },
	{ "names", .take = take_aliases },
	{ "subsystems", .take = take_subsystems },
	{ "noprefix", .take = take_noprefix },
	{ "release_agent", .take = take_release_agent },
	{ "groups", .take = take_groups },
	{},
};

static int take_hierarchy(struct parse *parse, const json_t *value, void *to)
{
	struct grp_declared_hierarchy *hierarchy = grp_declaration_add_hierarchy(to);

	if (!hierarchy)
		return -ENOMEM;
	hierarchy->release_agent = strdup("");
	if (!hierarchy->release_agent)
		return -ENOMEM;
	return take_object(parse, value, hierarchy_members, hierarchy);
}

static int take_hierarchies(struct parse *parse, const json_t *value, void *to)
{
	return take_array(parse, value, take_hierarchy, ((struct target *)to)->to);
}

static int take_version(struct parse *parse, const json_t *value, void *to)
{
	if (json_is_integer(value) && json_integer_value(value) == GRP_CONFIGURATION_VERSION)
		return 0;
	return wrong(parse, EINVAL, "this agent knows version %d only", GRP_CONFIGURATION_VERSION);
}

static const struct member members[] = {
	{ "version", .needed = true, .take = take_version }, /* also looked at before all others */
	{ "hierarchies", .needed = true, .take = take_hierarchies },
	{},
};

/* Of another version, nothing else is known either. */
static int check_version(struct parse *parse, const json_t *configuration)
{
	const json_t *version = json_object_get(configuration, "version");
	size_t before = enter(parse, "version");
	int r = version ? take_version(parse, version, NULL) : 0;

	leave(parse, before);
	return r;
}

int grp_configuration_parse(const json_t *configuration, struct grp_error *error,
			    struct grp_declaration **ret_declaration)
{
	struct grp_declaration *declaration = calloc(1, sizeof(*declaration));
	struct parse parse = { .error = error };
	int r;

	if (!declaration)
		return -ENOMEM;
	r = check_version(&parse, configuration);
	if (!r)
		r = take_object(&parse, configuration, members, declaration);
	if (r)
		grp_declaration_free(declaration);
	else
		*ret_declaration = declaration;
	return r;
}
