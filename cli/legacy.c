/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The texts that programs of old times find control groups by, see legacy.h.
 */
#include "legacy.h"

#include <string.h>

#include "base/cleanup_json.h"

static const char *text_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key)) ?: "";
}

static bool has_text(const json_t *array, const char *text, size_t length)
{
	const json_t *item;
	size_t i;

	json_array_foreach(array, i, item)
		if (strlen(json_string_value(item)) == length &&
		    !strncmp(json_string_value(item), text, length))
			return true;
	return false;
}

static json_t *find(const json_t *all, const char *name, size_t length)
{
	json_t *hierarchy;
	size_t i;

	json_array_foreach(all, i, hierarchy) {
		const char *own = text_of(hierarchy, "name");

		if (!json_is_true(json_object_get(hierarchy, "mounted")))
			continue;
		if ((strlen(own) == length && !strncmp(own, name, length)) ||
		    has_text(json_object_get(hierarchy, "aliases"), name, length))
			return hierarchy;
	}
	return NULL;
}

/* Return: whether there is memory. */
static bool choose_all(json_t *chosen, const json_t *all)
{
	json_t *hierarchy;
	size_t i;

	json_array_foreach(all, i, hierarchy)
		if (json_is_true(json_object_get(hierarchy, "mounted")) &&
		    json_array_append(chosen, hierarchy) < 0)
			return false;
	return true;
}

json_t *grp_legacy_choose(const json_t *all, const char *names, const char **ret_missing)
{
	_cleanup_json_ json_t *chosen = json_array();

	*ret_missing = NULL;
	if (!names)
		return chosen && choose_all(chosen, all) ? json_incref(chosen) : NULL;
	while (chosen && *names) {
		size_t length = strcspn(names, ",");
		json_t *hierarchy = find(all, names, length);

		if (!hierarchy) {
			*ret_missing = names;
			return NULL;
		}
		if (json_array_append(chosen, hierarchy) < 0)
			return NULL;
		names += length + (names[length] == ',');
	}
	return json_incref(chosen);
}

bool grp_legacy_owns(const json_t *chosen, size_t i, const char *subsystem)
{
	size_t length = strlen(subsystem);

	if (!has_text(json_object_get(json_array_get(chosen, i), "subsystems"), subsystem, length))
		return false;
	while (i--)
		if (has_text(json_object_get(json_array_get(chosen, i), "subsystems"), subsystem,
			     length))
			return false;
	return true;
}

/* Field @n of a line of words, counted from 0. */
static const char *word(const char *line, int n, size_t *ret_length)
{
	while (n--)
		line += strcspn(line, " \n") + (line[strcspn(line, " \n")] == ' ');
	*ret_length = strcspn(line, " \n");
	return line;
}

static bool is_shown(const char *line)
{
	static const char root[] = GRP_LEGACY_ROOT;
	size_t length, type_length;
	const char *directory = word(line, 1, &length), *type = word(line, 2, &type_length);

	if ((type_length == 6 && !strncmp(type, "cgroup", 6)) ||
	    (type_length == 7 && !strncmp(type, "cgroup2", 7)))
		return false;
	return length < sizeof(root) - 1 || strncmp(directory, root, sizeof(root) - 1) ||
	       (length > sizeof(root) - 1 && directory[sizeof(root) - 1] != '/');
}

static void print_mount(const json_t *chosen, size_t i, FILE *out)
{
	const json_t *hierarchy = json_array_get(chosen, i), *subsystem;
	const char *name = text_of(hierarchy, "name");
	size_t j;

	fprintf(out, "cgroup " GRP_LEGACY_ROOT "/%s cgroup rw,nosuid,nodev,noexec,relatime", name);
	json_array_foreach(json_object_get(hierarchy, "subsystems"), j, subsystem)
		if (grp_legacy_owns(chosen, i, json_string_value(subsystem)))
			fprintf(out, ",%s", json_string_value(subsystem));
	fprintf(out, ",name=%s 0 0\n", name);
}

void grp_legacy_mounts(const json_t *chosen, const char *real, FILE *out)
{
	while (*real) {
		size_t length = strcspn(real, "\n") + (real[strcspn(real, "\n")] == '\n');

		if (is_shown(real))
			fwrite(real, 1, length, out);
		real += length;
	}
	fprintf(out, "tmpfs " GRP_LEGACY_ROOT " tmpfs rw,nosuid,nodev,noexec,mode=755 0 0\n");
	for (size_t i = 0; i < json_array_size(chosen); i++)
		print_mount(chosen, i, out);
}

void grp_legacy_controllers(const json_t *chosen, const json_t *subsystems, FILE *out)
{
	const json_t *subsystem;
	size_t i, j;

	fputs("#subsys_name\thierarchy\tnum_cgroups\tenabled\n", out);
	json_array_foreach(subsystems, j, subsystem) {
		const char *name = text_of(subsystem, "name");

		for (i = 0; i < json_array_size(chosen); i++)
			if (!strcmp(text_of(json_array_get(chosen, i), "name"),
				    text_of(subsystem, "hierarchy")) &&
			    grp_legacy_owns(chosen, i, name))
				fprintf(out, "%s\t%zu\t%lld\t%d\n", name, i + 1,
					(long long)json_integer_value(
						json_object_get(subsystem, "groups")),
					json_is_true(json_object_get(subsystem, "enabled")));
	}
}
