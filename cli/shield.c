/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The groups of a shield: found, made, changed, taken away, see shield.h. A change
 * that fails half-way is undone, by the same kind of calls.
 */
#include "shield.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/cleanup_json.h"
#include "base/mask.h"

#define SUBSYSTEM "cpuset"
/* Somebody may come in between the last move and the removal. */
#define REMOVE_TRIES 100

static const char *const part_names[GRP_SHIELD_PARTS] = {
	[GRP_SHIELD_SHIELD] = "shield",
	[GRP_SHIELD_SYSTEM] = "system",
};

static const char *text_at(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key)) ?: "";
}

static int no_memory(const struct grp_shield *shield)
{
	return grp_ctl_fail_errno(shield->ctl, NULL, ENOMEM);
}

/* --- where ------------------------------------------------------------------------------- */

/* The hierarchy that cpuset is bound to: as in @reply, which keeps it. */
static int find_hierarchy(struct grp_shield *shield, json_t **ret_reply, const char **ret_name)
{
	const json_t *subsystem;
	size_t i;
	int status = grp_ctl_call(shield->ctl, "ListSubsystems", json_object(), NULL, ret_reply);

	if (status)
		return status;
	json_array_foreach(json_object_get(*ret_reply, "subsystems"), i, subsystem) {
		if (strcmp(text_at(subsystem, "name"), SUBSYSTEM))
			continue;
		*ret_name = text_at(subsystem, "hierarchy");
		return GRP_EXIT_DONE;
	}
	return grp_ctl_fail(shield->ctl, NULL, "This agent has no subsystem " SUBSYSTEM,
			    "EOPNOTSUPP");
}

/* How its files are called there: with the name of the subsystem or, noprefix, without. */
static int find_prefix(struct grp_shield *shield, const json_t *stat)
{
	const json_t *file;
	size_t i;

	json_array_foreach(json_object_get(stat, "files"), i, file) {
		const char *name = text_at(file, "name");

		if (!strcmp(name, SUBSYSTEM ".cpus") || !strcmp(name, "cpus")) {
			shield->prefix = strcmp(name, "cpus") ? SUBSYSTEM "." : "";
			return GRP_EXIT_DONE;
		}
	}
	return grp_ctl_fail(shield->ctl, shield->parent, SUBSYSTEM " is switched off here",
			    "ENOENT");
}

static int make_paths(struct grp_shield *shield, const json_t *stat)
{
	const char *group = text_at(stat, "group");
	bool root = !strcmp(group, "/");

	if (asprintf(&shield->parent, "%s:%s", text_at(stat, "hierarchy"), group) < 0) {
		shield->parent = NULL;
		return no_memory(shield);
	}
	for (int i = 0; i < GRP_SHIELD_PARTS; i++) {
		if (asprintf(&shield->part[i], "%s%s%s", shield->parent, root ? "" : "/",
			     part_names[i]) < 0) {
			shield->part[i] = NULL;
			return no_memory(shield);
		}
	}
	return GRP_EXIT_DONE;
}

static int stat_group(struct grp_shield *shield, const char *group, json_t **ret_reply)
{
	return grp_ctl_call(shield->ctl, "StatGroup",
			    json_pack("{s:o}", "group", grp_args_text(group)), group, ret_reply);
}

int grp_shield_find(struct grp_ctl *ctl, const char *group, struct grp_shield *shield)
{
	_cleanup_json_ json_t *subsystems = NULL, *reply = NULL;
	_cleanup_free_ char *root = NULL, *wrong = NULL;
	const char *hierarchy = "";
	const json_t *stat;
	int status;

	shield->ctl = ctl;
	status = find_hierarchy(shield, &subsystems, &hierarchy);
	if (status)
		return status;
	if (asprintf(&root, "%s:/", hierarchy) < 0) {
		root = NULL;
		return no_memory(shield);
	}
	status = stat_group(shield, group ?: root, &reply);
	if (status)
		return status;
	stat = json_object_get(reply, "stat");
	if (strcmp(text_at(stat, "hierarchy"), hierarchy)) {
		if (asprintf(&wrong, SUBSYSTEM " is bound to hierarchy %s", hierarchy) < 0)
			wrong = NULL;
		return grp_ctl_fail(ctl, group, wrong ?: SUBSYSTEM " is bound elsewhere", "EINVAL");
	}
	status = make_paths(shield, stat);
	return status ?: find_prefix(shield, stat);
}

void grp_shield_done(struct grp_shield *shield)
{
	free(shield->parent);
	for (int i = 0; i < GRP_SHIELD_PARTS; i++)
		free(shield->part[i]);
	json_decref(shield->left);
}

/* --- files ------------------------------------------------------------------------------- */

/* "GROUP FILE", for messages; NULL: no memory, then without. */
static char *item_of(const struct grp_shield *shield, const char *group, const char *file)
{
	char *item;

	return asprintf(&item, "%s %s%s", group, shield->prefix, file) < 0 ? NULL : item;
}

static json_t *file_name(const struct grp_shield *shield, const char *file)
{
	return json_sprintf("%s%s", shield->prefix, file);
}

/* Without the newline at its end. @ret_text: owned by the caller. */
static int read_file(struct grp_shield *shield, const char *group, const char *file,
		     char **ret_text)
{
	_cleanup_free_ char *item = item_of(shield, group, file);
	_cleanup_json_ json_t *reply = NULL;
	int status = grp_ctl_call(shield->ctl, "ReadFile",
				  json_pack("{s:s, s:o}", "group", group, "file",
					    file_name(shield, file)),
				  item, &reply);

	if (status)
		return status;
	*ret_text = strdup(text_at(reply, "content"));
	if (!*ret_text)
		return no_memory(shield);
	(*ret_text)[strcspn(*ret_text, "\n")] = '\0';
	return GRP_EXIT_DONE;
}

static int write_file(struct grp_shield *shield, const char *group, const char *file,
		      const char *value)
{
	_cleanup_free_ char *item = item_of(shield, group, file);

	return grp_ctl_do(shield->ctl, "WriteFile",
			  json_pack("{s:s, s:o, s:o}", "group", group, "file",
				    file_name(shield, file), "value", grp_args_text(value)),
			  item);
}

static bool is_same(const char *a, const char *b)
{
	return a && b && !strcmp(a, b);
}

/* --- a change that can be undone ----------------------------------------------------------- */

struct change {
	struct grp_shield *shield;
	bool made[GRP_SHIELD_PARTS]; /* by this change */
	json_t *before; /* array: group, file, value; the latest one last. Owned */
};

static int set(struct change *change, enum grp_shield_part part, const char *file,
	       const char *value)
{
	struct grp_shield *shield = change->shield;
	_cleanup_free_ char *old = NULL;
	int status;

	if (!change->made[part]) {
		status = read_file(shield, shield->part[part], file, &old);
		if (status)
			return status;
		if (is_same(old, value))
			return GRP_EXIT_DONE;
		if (json_array_append_new(change->before,
					  json_pack("[s, s, s]", shield->part[part], file, old)))
			return no_memory(shield);
	}
	return write_file(shield, shield->part[part], file, value);
}

/* As far as it goes: what fails is printed. */
static void undo(struct change *change)
{
	struct grp_shield *shield = change->shield;

	for (size_t i = json_array_size(change->before); i-- > 0;) {
		const char *group = NULL, *file = NULL, *value = NULL;

		(void)json_unpack(json_array_get(change->before, i), "[s, s, s]", &group, &file,
				  &value);
		(void)write_file(shield, group, file, value);
	}
	for (int i = 0; i < GRP_SHIELD_PARTS; i++)
		if (change->made[i])
			(void)grp_ctl_bulk(shield->ctl, "RemoveGroups",
					   json_pack("{s:[s]}", "groups", shield->part[i]));
}

/* --- making ---------------------------------------------------------------------------------- */

/* One that is there already is changed. */
static int make_group(struct change *change, enum grp_shield_part part)
{
	struct grp_shield *shield = change->shield;
	_cleanup_json_ json_t *reply = NULL;
	const json_t *failures, *first;
	int status = grp_ctl_call(shield->ctl, "MakeGroups",
				  json_pack("{s:[s]}", "groups", shield->part[part]),
				  shield->part[part], &reply);

	if (status)
		return status;
	failures = json_object_get(reply, "failures");
	first = json_array_get(failures, 0);
	change->made[part] = !first;
	if (!first || !strcmp(text_at(first, "errno"), "EEXIST"))
		return GRP_EXIT_DONE;
	return grp_ctl_failures(shield->ctl, reply, NULL);
}

static int parse_list(const struct grp_shield *shield, const char *text, struct grp_mask *ret_mask)
{
	int r = grp_mask_parse(text, GRP_MASK_BITS, ret_mask);

	return r ? grp_ctl_fail(shield->ctl, text, "The agent's list is not understood", "EPROTO") :
		   GRP_EXIT_DONE;
}

/* What of the CPUs around it the shield has left. Its list may be words that the agent knows. */
static int rest_of_cpus(struct grp_shield *shield, char **ret_text)
{
	_cleanup_free_ char *all = NULL, *taken = NULL;
	struct grp_mask rest, mask;
	int status = read_file(shield, shield->parent, "effective_cpus", &all);

	if (!status)
		status = read_file(shield, shield->part[GRP_SHIELD_SHIELD], "effective_cpus",
				   &taken);
	if (!status)
		status = parse_list(shield, all, &rest);
	if (!status)
		status = parse_list(shield, taken, &mask);
	if (status)
		return status;
	grp_mask_remove(&rest, &mask);
	if (grp_mask_empty(&rest))
		return grp_ctl_fail(shield->ctl, taken, "No CPU would be left for everything else",
				    "ENOSPC");
	*ret_text = grp_mask_text(&rest);
	return *ret_text ? GRP_EXIT_DONE : no_memory(shield);
}

/* No group beside a shield may have its CPUs, where such a thing is allowed at all. */
static int make_exclusive(struct change *change)
{
	struct grp_shield *shield = change->shield;
	_cleanup_free_ char *allowed = NULL;
	int status = read_file(shield, shield->parent, "cpu_exclusive", &allowed);

	if (status || !is_same(allowed, "1"))
		return status;
	return set(change, GRP_SHIELD_SHIELD, "cpu_exclusive", "1");
}

static int make_values(struct change *change, const struct grp_shield_wish *wish)
{
	struct grp_shield *shield = change->shield;
	_cleanup_free_ char *mems = NULL, *rest = NULL;
	int status = read_file(shield, shield->parent, "effective_mems", &mems);

	/* It may take CPUs that the other part still has. */
	if (!status && !change->made[GRP_SHIELD_SHIELD])
		status = set(change, GRP_SHIELD_SHIELD, "cpu_exclusive", "0");
	if (!status)
		status = set(change, GRP_SHIELD_SHIELD, "cpus", wish->cpus);
	if (!status)
		status = set(change, GRP_SHIELD_SHIELD, "mems", wish->mems ?: mems);
	if (!status)
		status = rest_of_cpus(shield, &rest);
	if (!status)
		status = set(change, GRP_SHIELD_SYSTEM, "cpus", rest);
	if (!status)
		status = set(change, GRP_SHIELD_SYSTEM, "mems", mems);
	return status ?: make_exclusive(change);
}

int grp_shield_make(struct grp_shield *shield, const struct grp_shield_wish *wish)
{
	_cleanup_json_ json_t *before = json_array();
	struct change change = { .shield = shield, .before = before };
	int status = before ? make_group(&change, GRP_SHIELD_SHIELD) : no_memory(shield);

	if (!status)
		status = make_group(&change, GRP_SHIELD_SYSTEM);
	if (!status)
		status = make_values(&change, wish);
	if (status && status != GRP_EXIT_UNREACHABLE)
		undo(&change);
	return status;
}

/* --- the groups there are --------------------------------------------------------------------- */

/* HIERARCHY:/path of a row or a stat; NULL: no memory. */
static char *path_of(const json_t *row)
{
	char *path;

	return asprintf(&path, "%s:%s", text_at(row, "hierarchy"), text_at(row, "group")) < 0 ?
		       NULL :
		       path;
}

/* Which part a group is, or is below; GRP_SHIELD_PARTS: none. */
static int part_of(const struct grp_shield *shield, const json_t *row, bool *ret_below)
{
	_cleanup_free_ char *path = path_of(row);
	int part = 0;

	for (; path && part < GRP_SHIELD_PARTS; part++) {
		size_t len = strlen(shield->part[part]);

		if (strncmp(path, shield->part[part], len) || (path[len] && path[len] != '/'))
			continue;
		*ret_below = path[len];
		return part;
	}
	return GRP_SHIELD_PARTS;
}

static bool is_below(const struct grp_shield *shield, const json_t *row)
{
	bool below = false;

	(void)part_of(shield, row, &below);
	return below;
}

static bool is_of_shield(const struct grp_shield *shield, const json_t *row)
{
	return part_of(shield, row, &(bool){ false }) < GRP_SHIELD_PARTS;
}

/* Those of the shield and all below, parents first; with @ret_reply, which owns them. */
static int list_groups(struct grp_shield *shield, json_t **ret_reply, json_t **ret_groups)
{
	json_t *groups;
	int status = grp_ctl_call(shield->ctl, "ListGroups",
				  json_pack("{s:s, s:b}", "group", shield->parent, "recursive", 1),
				  shield->parent, ret_reply);

	if (status)
		return status;
	groups = json_object_get(*ret_reply, "groups");
	for (size_t i = json_array_size(groups); i-- > 0;)
		if (!is_of_shield(shield, json_array_get(groups, i)))
			(void)json_array_remove(groups, i);
	*ret_groups = groups;
	return GRP_EXIT_DONE;
}

static int none_here(const struct grp_shield *shield)
{
	return grp_ctl_fail(shield->ctl, shield->parent, "There is no shield here", "ENOENT");
}

/* --- the end of it ------------------------------------------------------------------------------ */

/* @group may be one below a part. */
static int move_back(struct grp_shield *shield, const char *group)
{
	_cleanup_json_ json_t *reply = NULL;
	int status = grp_ctl_call(shield->ctl, "Attach",
				  json_pack("{s:[s], s:[], s:s}", "groups", shield->parent, "pids",
					    "from", group),
				  group, &reply);

	if (status)
		return status;
	shield->moved += json_integer_value(json_object_get(reply, "moved"));
	return grp_ctl_failures(shield->ctl, reply, group);
}

static int remove_group(struct grp_shield *shield, const char *group)
{
	for (unsigned int tries = 1;; tries++) {
		_cleanup_json_ json_t *reply = NULL;
		const json_t *failure;
		int status = move_back(shield, group);

		if (!status)
			status = grp_ctl_call(shield->ctl, "RemoveGroups",
					      json_pack("{s:[s]}", "groups", group), group, &reply);
		if (status)
			return status;
		failure = json_array_get(json_object_get(reply, "failures"), 0);
		if (!failure)
			return GRP_EXIT_DONE;
		if (strcmp(text_at(failure, "errno"), "EBUSY") || tries == REMOVE_TRIES)
			return grp_ctl_failures(shield->ctl, reply, NULL);
	}
}

int grp_shield_reset(struct grp_shield *shield, bool force)
{
	_cleanup_json_ json_t *reply = NULL;
	json_t *groups = NULL;
	int status = list_groups(shield, &reply, &groups);

	if (!status && !json_array_size(groups))
		status = none_here(shield);
	for (size_t i = 0; !status && !force && i < json_array_size(groups); i++)
		if (is_below(shield, json_array_get(groups, i)))
			status = grp_ctl_fail(
				shield->ctl, text_at(json_array_get(groups, i), "group"),
				"A group of somebody below the shield; --force removes "
				"it, too",
				"EBUSY");
	for (size_t i = json_array_size(groups); !status && i-- > 0;) {
		_cleanup_free_ char *group = path_of(json_array_get(groups, i));

		status = group ? remove_group(shield, group) : no_memory(shield);
	}
	return status;
}

/* --- what there is --------------------------------------------------------------------------------- */

static int add_row(struct grp_shield *shield, const json_t *stat, json_t *rows)
{
	_cleanup_free_ char *cpus = NULL, *mems = NULL, *group = path_of(stat);
	int status = group ? GRP_EXIT_DONE : no_memory(shield);

	if (!status)
		status = read_file(shield, group, "effective_cpus", &cpus);
	if (!status)
		status = read_file(shield, group, "effective_mems", &mems);
	if (status)
		return status;
	if (json_array_append_new(rows,
				  json_pack("{s:O, s:O, s:s, s:s, s:O}", "hierarchy",
					    json_object_get(stat, "hierarchy"), "group",
					    json_object_get(stat, "group"), "cpus", cpus, "mems",
					    mems, "tasks", json_object_get(stat, "tasks"))))
		return no_memory(shield);
	return GRP_EXIT_DONE;
}

int grp_shield_rows(struct grp_shield *shield, json_t **ret_rows)
{
	_cleanup_json_ json_t *rows = json_array(), *reply = NULL, *around = NULL;
	json_t *groups = NULL;
	int status = rows ? list_groups(shield, &reply, &groups) : no_memory(shield);

	if (!status && !json_array_size(groups))
		status = none_here(shield);
	for (size_t i = 0; !status && i < json_array_size(groups); i++)
		status = add_row(shield, json_array_get(groups, i), rows);
	if (!status)
		status = stat_group(shield, shield->parent, &around);
	if (!status)
		status = add_row(shield, json_object_get(around, "stat"), rows);
	if (!status)
		*ret_rows = TAKE_PTR(rows);
	return status;
}
