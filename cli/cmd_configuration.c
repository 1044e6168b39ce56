/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The configuration as a whole: save, apply, diff. The agent is given contents,
 * never the name of a file, and numbers for owners.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/cleanup_json.h"
#include "base/error.h"
#include "base/groups_file.h"
#include "base/parse.h"
#include "ctl.h"
#include "owner.h"

/* Of one call; what is longer goes in parts. The agent takes twice as much. */
#define PART_MAX (GRP_WIRE_CALL_MAX / 2)

/* --- reading --------------------------------------------------------------------- */

static json_t *load(const struct grp_ctl *ctl, const char *file, FILE *stream)
{
	json_t *configuration = NULL;
	struct grp_error error = {};
	int r = grp_groups_file_load(stream, &error, &configuration);

	if (r < 0)
		(void)grp_ctl_fail(ctl, file, error.message[0] ? error.message : strerror(-r),
				   grp_errno_name(-r));
	return configuration;
}

/* NULL: it is said why not. */
static json_t *load_file(const struct grp_ctl *ctl, const char *file)
{
	_cleanup_fclose_ FILE *stream = NULL;

	if (!strcmp(file, "-"))
		return load(ctl, file, stdin);
	stream = fopen(file, "re");
	if (stream)
		return load(ctl, file, stream);
	(void)grp_ctl_fail_errno(ctl, file, errno);
	return NULL;
}

/* --- sending ---------------------------------------------------------------------- */

struct parts {
	struct grp_ctl *ctl;
	const char *method, *file;
	json_t *part; /* owned; what is to be sent next */
	size_t size; /* of it, about */
};

static int send_part(struct parts *parts, bool continued, json_t **ret_reply)
{
	json_t *part = TAKE_PTR(parts->part);

	return grp_ctl_call(parts->ctl, parts->method,
			    json_pack("{s:o, s:o*}", "configuration", part, "continued",
				      continued ? json_true() : NULL),
			    parts->file, ret_reply);
}

/* An object like @like but with an empty array in place of a long one. NULL: no memory. */
static json_t *shell_of(const json_t *like, const char *array)
{
	_cleanup_json_ json_t *shell = json_copy((json_t *)(uintptr_t)like);

	return json_object_set_new(shell, array, json_array()) < 0 ? NULL : TAKE_PTR(shell);
}

/* A part that goes on with the groups of @hierarchy. */
static int begin_part(struct parts *parts, const json_t *configuration, const json_t *hierarchy)
{
	parts->part = json_pack("{s:O, s:[{s:O, s:[]}]}", "version",
				json_object_get(configuration, "version"), "hierarchies", "name",
				json_object_get(hierarchy, "name"), "groups");
	parts->size = 0;
	return parts->part ? GRP_EXIT_DONE : grp_ctl_fail_errno(parts->ctl, parts->file, ENOMEM);
}

/* Where the groups of the last hierarchy of the part are. */
static json_t *groups_of(const struct parts *parts)
{
	const json_t *hierarchies = json_object_get(parts->part, "hierarchies");
	size_t n = json_array_size(hierarchies);

	return json_object_get(json_array_get(hierarchies, n - 1), "groups");
}

static int add_groups(struct parts *parts, const json_t *configuration, const json_t *hierarchy)
{
	json_t *group;
	size_t i;

	json_array_foreach(json_object_get(hierarchy, "groups"), i, group) {
		size_t size = json_dumpb(group, NULL, 0, JSON_COMPACT) + 1;
		int status = GRP_EXIT_DONE;

		if (parts->size + size > PART_MAX) {
			_cleanup_json_ json_t *reply = NULL;

			status = send_part(parts, true, &reply);
			if (!status)
				status = begin_part(parts, configuration, hierarchy);
		}
		if (!status && json_array_append(groups_of(parts), group) < 0)
			status = grp_ctl_fail_errno(parts->ctl, parts->file, ENOMEM);
		if (status)
			return status;
		parts->size += size;
	}
	return GRP_EXIT_DONE;
}

static int send_parts(struct parts *parts, const json_t *configuration, json_t **ret_reply)
{
	const json_t *hierarchy;
	int status = GRP_EXIT_DONE;
	size_t i;

	parts->part = shell_of(configuration, "hierarchies");
	json_array_foreach(json_object_get(configuration, "hierarchies"), i, hierarchy) {
		if (json_array_append_new(json_object_get(parts->part, "hierarchies"),
					  shell_of(hierarchy, "groups")) < 0)
			status = grp_ctl_fail_errno(parts->ctl, parts->file, ENOMEM);
		if (!status)
			status = add_groups(parts, configuration, hierarchy);
		if (status)
			return status;
	}
	return send_part(parts, false, ret_reply);
}

/* Whether it can be cut; if not, the agent says what is wrong with it, or that it is too long. */
static bool has_parts(const json_t *configuration)
{
	const json_t *hierarchies = json_object_get(configuration, "hierarchies"), *hierarchy;
	size_t i;

	if (json_dumpb(configuration, NULL, 0, JSON_COMPACT) <= PART_MAX ||
	    !json_is_array(hierarchies))
		return false;
	json_array_foreach(hierarchies, i, hierarchy)
		if (!json_is_object(hierarchy) ||
		    (json_object_get(hierarchy, "groups") &&
		     !json_is_array(json_object_get(hierarchy, "groups"))))
			return false;
	return true;
}

static int send_file(struct grp_ctl *ctl, const char *method, const char *file,
		     json_t **ret_changes)
{
	struct parts parts = { .ctl = ctl, .method = method, .file = file };
	_cleanup_json_ json_t *configuration = load_file(ctl, file);
	_cleanup_json_ json_t *reply = NULL;
	int status;

	if (!configuration)
		return GRP_EXIT_FAILED;
	if (has_parts(configuration)) {
		status = send_parts(&parts, configuration, &reply);
	} else {
		parts.part = json_incref(configuration);
		status = send_part(&parts, false, &reply);
	}
	json_decref(parts.part);
	if (status)
		return status;
	*ret_changes = json_incref(json_object_get(reply, "changes"));
	return json_is_array(*ret_changes) ? GRP_EXIT_DONE : grp_ctl_shown(ctl, -EPROTO);
}

/* --- showing ------------------------------------------------------------------------ */

static const char *text_at(const json_t *change, const char *key)
{
	return json_string_value(json_object_get(change, key));
}

/* Members of a change that are numbers of owners, and who knows their names. */
static const struct {
	const char *name;
	const char *(*name_of)(int64_t number);
} owner_names[] = {
	{ "owner", grp_owner_user },
	{ "group", grp_owner_group },
	{ "file_owner", grp_owner_user },
	{ "file_group", grp_owner_group },
};

/* The name of an owner; NULL: the value is none, or has no name. */
static const char *owner_name(const char *name, const char *value)
{
	uint64_t number;

	for (size_t i = 0; name && i < sizeof(owner_names) / sizeof(*owner_names); i++)
		if (!strcmp(name, owner_names[i].name) &&
		    !grp_parse_u64(value, 0, UINT32_MAX, &number))
			return owner_names[i].name_of((int64_t)number);
	return NULL;
}

static int print_value(const json_t *change, const char *before, const char *key)
{
	const char *value = text_at(change, key);
	_cleanup_free_ char *safe = NULL;
	int r;

	if (!value)
		return 0;
	r = grp_cell_safe(owner_name(text_at(change, "name"), value) ?: value, &safe);
	if (r < 0)
		return r;
	(void)printf("%s%s", before, *safe ? safe : "\"\"");
	return 0;
}

static char mark_of(const char *kind)
{
	return !kind ? '?' : !strcmp(kind, "add") ? '+' : !strcmp(kind, "set") ? '~' : '=';
}

/* "~ jobs:/a mode 0755 -> 0700", and the like. */
static int print_change(const json_t *change)
{
	const char *group = text_at(change, "group"), *file = text_at(change, "file");
	const char *name = text_at(change, "name");
	_cleanup_free_ char *path = NULL;
	int r = group ? grp_cell_safe(group, &path) : 0;

	if (r < 0)
		return r;
	(void)printf("%c %s%s%s%s", mark_of(text_at(change, "kind")),
		     !group	    ? "hierarchy " :
		     !file && !name ? "group " :
				      "",
		     text_at(change, "hierarchy") ?: "?", group ? ":" : "", path ?: "");
	(void)printf("%s%s%s%s", file ? " " : "", file ?: "", name ? " " : "", name ?: "");
	r = print_value(change, " ", "from");
	if (!r)
		r = print_value(change, text_at(change, "from") ? " -> " : " ", "to");
	(void)putchar('\n');
	return r;
}

static int show(const struct grp_ctl *ctl, const json_t *changes)
{
	const json_t *change;
	size_t i;
	int r = 0;

	if (ctl->json)
		return grp_ctl_shown(ctl, grp_out_json(changes));
	json_array_foreach(changes, i, change) {
		r = print_change(change);
		if (r < 0)
			break;
	}
	return grp_ctl_shown(ctl, r);
}

/* --- save ------------------------------------------------------------------------------ */

static int run_save(struct grp_ctl *ctl, const struct grp_args *args)
{
	_cleanup_json_ json_t *reply = NULL;
	json_t *configuration;
	int status = grp_ctl_call(ctl, "GetConfiguration", json_object(), NULL, &reply);

	if (status)
		return status;
	configuration = json_object_get(reply, "configuration");
	if (!json_is_object(configuration))
		return grp_ctl_shown(ctl, -EPROTO);
	/* The reply type has numbers. */
	if (!ctl->json && grp_groups_file_name_owners(configuration) < 0)
		return grp_ctl_fail_errno(ctl, NULL, ENOMEM);
	return grp_ctl_shown(ctl, grp_out_json(configuration));
}

const struct grp_verb grp_verb_save = {
	.name = "save",
	.usage = "",
	.summary = "print hierarchies, groups and settings as a file for apply",
	.help = "Prints every mounted hierarchy with its groups, their settings, owners and modes as\n"
		"JSON, for apply and diff. What is as preset is left out. Tasks and CPU times are not\n"
		"in it. With --json owners are numbers, else names where they have some. Root only.\n",
	.example = "$ grpctl save >groups.json\n",
	.subject = GRP_SUBJECT_CONFIGURATION,
	.prints = true,
	.run = run_save,
};

/* --- apply and diff ---------------------------------------------------------------------- */

static int run_apply(struct grp_ctl *ctl, const struct grp_args *args)
{
	bool dry_run = grp_args_value(args, GRP_OPTION_DRY_RUN);
	_cleanup_json_ json_t *changes = NULL;
	int status = send_file(ctl, dry_run ? "CompareConfiguration" : "ApplyConfiguration",
			       args->argv[0], &changes);

	if (status || !(dry_run || ctl->json))
		return status;
	return show(ctl, changes);
}

static const struct grp_option apply_options[] = {
	{ GRP_OPTION_DRY_RUN, "dry-run", NULL, "change nothing, print what diff prints" },
	{},
};

const struct grp_verb grp_verb_apply = {
	.name = "apply",
	.usage = "[--dry-run] FILE",
	.summary = "make hierarchies, groups and settings as a file says",
	.help = "Makes what FILE (-: standard input) mentions as it says there: all of it, or when\n"
		"anything fails nothing. Settings, owners and modes that FILE leaves out become\n"
		"as preset, in the groups that it mentions. Nothing is ever removed and no task is\n"
		"moved. FILE is checked as a whole before anything is changed; an error names the\n"
		"place, as hierarchies[0].groups[3].mode, counted from 0. Root only.\n",
	.example = "$ grpctl apply --dry-run groups.json\n"
		   "$ grpctl apply groups.json\n",
	.subject = GRP_SUBJECT_CONFIGURATION,
	.prints = true,
	.min_args = 1,
	.max_args = 1,
	.options = apply_options,
	.run = run_apply,
};

static int run_diff(struct grp_ctl *ctl, const struct grp_args *args)
{
	_cleanup_json_ json_t *changes = NULL;
	int status = send_file(ctl, "CompareConfiguration", args->argv[0], &changes);

	if (!status)
		status = show(ctl, changes);
	return status ?: json_array_size(changes) ? GRP_EXIT_FAILED : GRP_EXIT_DONE;
}

const struct grp_verb grp_verb_diff = {
	.name = "diff",
	.usage = "FILE",
	.summary = "show how a file differs from what there is",
	.help = "Prints what apply would do with FILE (-: standard input), one line each: + what it\n"
		"would make, ~ what it would change, with the old and the new value; and with = what\n"
		"FILE does not mention and apply leaves alone. Exits with 0 when there is nothing to\n"
		"print, with 1 when there is, or when it failed and says so on standard error. Root\n"
		"only.\n",
	.example = "$ grpctl diff groups.json\n",
	.subject = GRP_SUBJECT_CONFIGURATION,
	.prints = true,
	.min_args = 1,
	.max_args = 1,
	.run = run_diff,
};
