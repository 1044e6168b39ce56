/* SPDX-License-Identifier: GPL-2.0-only */
#include "mem_policy.h"

#include <errno.h>
#include <linux/mempolicy.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/cleanup_json.h"
#include "base/mask.h"

#define SUBSYSTEM "cpuset"
#define POLICY_FILE "mem_policy"
/* Nodes that a kernel can be built for; it takes one bit less than it is told. */
#define NODES_MAX 1024
/* What a group has unless somebody wrote something else. */
#define PLAIN "bind"

/* Since Linux 6.9, perhaps not in the headers that we are built with. */
#define WEIGHTED_INTERLEAVE 6

static const struct {
	const char *name;
	int mode;
} modes[] = {
	{ PLAIN, MPOL_BIND },
	{ "interleave", MPOL_INTERLEAVE },
	{ "weighted-interleave", WEIGHTED_INTERLEAVE },
	{ "preferred", MPOL_PREFERRED },
	{ "preferred-many", MPOL_PREFERRED_MANY },
};

static const struct {
	const char *name;
	int flag;
} flags[] = {
	{ "=static", MPOL_F_STATIC_NODES },
	{ "=relative", MPOL_F_RELATIVE_NODES },
};

/* A group of the hierarchy that cpuset is bound to. */
struct place {
	char *group; /* HIERARCHY:PATH; NULL: there is none */
	char *root;
	const char *prefix; /* of the names of files */
};

static void place_done(struct place *place)
{
	free(place->group);
	free(place->root);
}

static bool has_cpuset(const json_t *place)
{
	const json_t *subsystems = json_object_get(place, "subsystems"), *name;
	size_t i;

	json_array_foreach(subsystems, i, name) {
		if (json_is_string(name) && !strcmp(json_string_value(name), SUBSYSTEM))
			return true;
	}
	return false;
}

/* Return: 0, also when there is nothing to be found; -errno. */
static int read_place(const json_t *reply, struct place *place)
{
	const json_t *task = json_array_get(json_object_get(reply, "placements"), 0), *entry;
	size_t i;

	json_array_foreach(json_object_get(task, "places"), i, entry) {
		const char *group = json_string_value(json_object_get(entry, "group"));
		const char *hierarchy = json_string_value(json_object_get(entry, "hierarchy"));

		if (!has_cpuset(entry) || !group || !hierarchy || !strcmp(group, "/"))
			continue;
		if (asprintf(&place->root, "%s:/", hierarchy) < 0) {
			place->root = NULL;
			return -ENOMEM;
		}
		if (asprintf(&place->group, "%s:%s", hierarchy, group) < 0) {
			place->group = NULL;
			return -ENOMEM;
		}
		return 0;
	}
	return 0;
}

static int find_place(struct grp_ctl *ctl, struct place *place)
{
	_cleanup_json_ json_t *reply = NULL;
	int status =
		grp_ctl_call(ctl, "WhichTasks", json_pack("{s:[s]}", "pids", "0"), NULL, &reply);
	int r = status ? 0 : read_place(reply, place);

	return r < 0 ? grp_ctl_fail_errno(ctl, NULL, -r) : status;
}

/* Without its files cpuset is switched off there, and has no say. */
static int find_prefix(struct grp_ctl *ctl, struct place *place)
{
	_cleanup_json_ json_t *reply = NULL;
	const json_t *file;
	int status = grp_ctl_call(ctl, "StatGroup", json_pack("{s:s}", "group", place->group),
				  place->group, &reply);
	size_t i;

	if (status)
		return status;
	json_array_foreach(json_object_get(json_object_get(reply, "stat"), "files"), i, file) {
		const char *name = json_string_value(json_object_get(file, "name"));

		if (name && !strcmp(name, POLICY_FILE))
			place->prefix = "";
		if (name && !strcmp(name, SUBSYSTEM "." POLICY_FILE))
			place->prefix = SUBSYSTEM ".";
	}
	return status;
}

/* @ret_text: owned, without its newline. Return: an exit code. */
static int read_file(struct grp_ctl *ctl, const struct place *place, const char *group,
		     const char *name, char **ret_text)
{
	_cleanup_json_ json_t *reply = NULL;
	const char *content;
	char file[64];
	int status;

	(void)snprintf(file, sizeof(file), "%s%s", place->prefix, name);
	status = grp_ctl_call(ctl, "ReadFile",
			      json_pack("{s:s, s:s}", "group", group, "file", file), group, &reply);
	if (status)
		return status;
	content = json_string_value(json_object_get(reply, "content"));
	*ret_text = content ? strndup(content, strcspn(content, "\n")) : NULL;
	return *ret_text ? GRP_EXIT_DONE :
			   grp_ctl_fail_errno(ctl, group, content ? ENOMEM : EPROTO);
}

/* Return: for set_mempolicy(2); -EINVAL: another agent knows more of them. */
static int mode_of(const char *policy)
{
	size_t length = strcspn(policy, "=");
	int mode = -EINVAL;

	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++)
		if (strlen(modes[i].name) == length && !strncmp(policy, modes[i].name, length))
			mode = modes[i].mode;
	if (mode < 0 || !policy[length])
		return mode;
	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++)
		if (!strcmp(policy + length, flags[i].name))
			return mode | flags[i].flag;
	return -EINVAL;
}

/* Pages in turn from all nodes, also those of the page cache that this task reads in. */
static int spread_mode(int mode)
{
	const int kept = MPOL_F_STATIC_NODES | MPOL_F_RELATIVE_NODES;

	if (mode < 0 || ((mode & ~kept) != MPOL_BIND && (mode & ~kept) != MPOL_PREFERRED))
		return mode;
	return MPOL_INTERLEAVE | (mode & kept);
}

static int apply(const struct grp_ctl *ctl, const struct place *place, const char *policy,
		 bool spread, const char *nodes)
{
	struct grp_mask mask = { 0 };
	int mode = spread ? spread_mode(mode_of(policy)) : mode_of(policy),
	    r = grp_mask_parse(nodes, NODES_MAX, &mask);
	_cleanup_free_ char *what = NULL;

	if (mode >= 0 && r >= 0 && syscall(SYS_set_mempolicy, mode, mask.words, NODES_MAX + 1) == 0)
		return GRP_EXIT_DONE;
	if (mode >= 0 && r >= 0)
		r = -errno;
	if (asprintf(&what, "%s: memory policy %s of nodes %s", place->group, policy, nodes) < 0)
		what = NULL;
	return grp_ctl_fail_errno(ctl, what, mode < 0 ? -mode : -r);
}

static int take(struct grp_ctl *ctl, struct place *place)
{
	_cleanup_free_ char *policy = NULL, *spread = NULL, *nodes = NULL, *all = NULL;
	int status = find_place(ctl, place);
	bool spreads;

	if (!status && place->group)
		status = find_prefix(ctl, place);
	if (status || !place->prefix)
		return status;
	status = read_file(ctl, place, place->group, POLICY_FILE, &policy);
	if (!status)
		status = read_file(ctl, place, place->group, "memory_spread_page", &spread);
	if (!status)
		status = read_file(ctl, place, place->group, "effective_mems", &nodes);
	if (!status)
		status = read_file(ctl, place, place->root, "effective_mems", &all);
	if (status || !policy || !spread || !nodes || !all)
		return status;
	spreads = !strcmp(spread, "1");
	if (!strcmp(policy, PLAIN) && !spreads && !strcmp(nodes, all))
		return GRP_EXIT_DONE;
	return apply(ctl, place, policy, spreads, nodes);
}

int grp_mem_policy_take(struct grp_ctl *ctl)
{
	struct place place = { 0 };
	int status = take(ctl, &place);

	place_done(&place);
	return status;
}
