/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What stands above the hierarchies where all of them are mounted together: their
 * directories, and proc with the texts that were in /proc once (PROC-2, PROC-4).
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"
#include "base/cleanup.h"
#include "base/parse.h"
#include "front/fs_internal.h"

#define PROC_NAME "proc"
#define CONTAINERS_NAME "containers"

/* --- entries ---------------------------------------------------------------------------- */

/* One that is called as our directory is can be mounted alone. */
static bool is_shown(const struct grp_hierarchy *hierarchy)
{
	return hierarchy && !(hierarchy->flags & GRP_HIERARCHY_UNMOUNTED) &&
	       strcmp(hierarchy->name, PROC_NAME) != 0;
}

static int find_top(struct grp_core *core, const char *name, struct grp_fs_node *ret_node)
{
	struct grp_hierarchy *hierarchy = grp_hierarchy_find(core, name);

	if (!strcmp(name, PROC_NAME)) {
		grp_fs_proc_node(GRP_FS_PROC, 0, ret_node);
		return 0;
	}
	/* By its first name only: a directory has one place. */
	if (!is_shown(hierarchy) || strcmp(hierarchy->name, name) != 0)
		return -ENOENT;
	grp_fs_group_node(hierarchy->root, ret_node);
	return 0;
}

static int find_task(struct grp_core *core, pid_t pid, struct grp_member *ret_member)
{
	const struct grp_task_id id = { .tid = pid };

	return grp_task_find(core, &id, NULL, ret_member);
}

int grp_fs_proc_find(struct grp_fs_mount *mount, const struct grp_fs_node *directory,
		     const char *name, struct grp_fs_node *ret_node)
{
	struct grp_core *core = mount->fs->agent->core;
	struct grp_member member;
	uint64_t pid;

	if (directory->kind == GRP_FS_TOP)
		return find_top(core, name, ret_node);
	if (!strcmp(name, CONTAINERS_NAME)) {
		grp_fs_proc_node(GRP_FS_PROC_CONTAINERS, 0, ret_node);
		return 0;
	}
	if (name[0] == '0' || grp_parse_u64(name, 1, INT32_MAX, &pid) < 0 ||
	    find_task(core, (pid_t)pid, &member) < 0)
		return -ENOENT;
	grp_fs_proc_node(GRP_FS_PROC_TASK, (pid_t)pid, ret_node);
	return 0;
}

static int list_top(struct grp_core *core, struct grp_fs_handle *handle)
{
	struct grp_fs_node node;
	int r;

	grp_fs_proc_node(GRP_FS_PROC, 0, &node);
	r = grp_fs_handle_add(handle, PROC_NAME, &node);
	for (unsigned int slot = 0; r == 0 && slot < GRP_HIERARCHIES_MAX; slot++) {
		struct grp_hierarchy *hierarchy = grp_hierarchy_at(core, slot);

		if (!is_shown(hierarchy))
			continue;
		grp_fs_group_node(hierarchy->root, &node);
		r = grp_fs_handle_add(handle, hierarchy->name, &node);
	}
	return r;
}

int grp_fs_proc_add(struct grp_fs_handle *handle, struct grp_members *members)
{
	struct grp_fs_node node;
	int r = 0;

	grp_members_processes(members);
	for (size_t i = 0; r == 0 && i < members->n; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "%d", (int)members->items[i].tid);
		grp_fs_proc_node(GRP_FS_PROC_TASK, members->items[i].tid, &node);
		r = grp_fs_handle_add(handle, name, &node);
	}
	return r;
}

int grp_fs_proc_list(struct grp_fs_mount *mount, struct grp_fs_handle *handle,
		     const struct grp_fs_node *directory)
{
	struct grp_fs_node node;

	if (directory->kind == GRP_FS_TOP)
		return list_top(mount->fs->agent->core, handle);
	grp_fs_proc_node(GRP_FS_PROC_CONTAINERS, 0, &node);
	return grp_fs_handle_add(handle, CONTAINERS_NAME, &node);
}

/* --- texts ---------------------------------------------------------------------------------- */

static void put_names(uint32_t mask, const char *separator, FILE *out)
{
	bool some = false;

	for (unsigned int i = 0; i < grp_n_subsystems; i++) {
		if (!(mask & (1U << i)))
			continue;
		(void)fprintf(out, "%s%s", some ? separator : "", grp_subsystems[i]->name);
		some = true;
	}
}

/* PROC-2: what has no subsystem has only its name to be told by. */
static int put_task(struct grp_core *core, pid_t pid, FILE *out)
{
	struct grp_member member;
	int r = find_task(core, pid, &member);

	for (unsigned int slot = 0; r == 0 && slot < GRP_HIERARCHIES_MAX; slot++) {
		struct grp_hierarchy *hierarchy = grp_hierarchy_at(core, slot);
		uint32_t bound = hierarchy ? grp_hierarchy_subsystems(core, hierarchy) : 0;
		char path[GRP_PATH_MAX];

		if (!hierarchy || (!bound && hierarchy->flags & GRP_HIERARCHY_ANY_SUBSYSTEM))
			continue;
		if (grp_group_path(grp_member_group(core, &member, hierarchy), path, sizeof(path)) <
		    0)
			return -ENAMETOOLONG;
		put_names(bound, ",", out);
		(void)fprintf(out, "%s%s:%s\n", bound ? "" : "name=", bound ? "" : hierarchy->name,
			      path);
	}
	return r;
}

static void put_hierarchies(struct grp_core *core, FILE *out)
{
	(void)fputs("Hierarchies:\n", out);
	for (unsigned int slot = 0; slot < GRP_HIERARCHIES_MAX; slot++) {
		struct grp_hierarchy *hierarchy = grp_hierarchy_at(core, slot);
		uint32_t bound;

		if (!hierarchy)
			continue;
		bound = grp_hierarchy_subsystems(core, hierarchy);
		(void)fprintf(out, "%u: members=%" PRIu64 " bits=%x containers=%u (", slot,
			      grp_group_tasks(core, hierarchy->root), bound, hierarchy->n_groups);
		put_names(bound, ", ", out);
		(void)fprintf(out, ") s_active=%u\n",
			      hierarchy->flags & GRP_HIERARCHY_UNMOUNTED ? 0 : hierarchy->n_names);
	}
}

/* A shareable one is in several: a line for each. */
static void put_subsystems(struct grp_core *core, FILE *out)
{
	(void)fputs("Subsystems:\n", out);
	for (unsigned int i = 0; i < grp_n_subsystems; i++)
		for (unsigned int slot = 0; slot < GRP_HIERARCHIES_MAX; slot++) {
			struct grp_hierarchy *hierarchy = grp_hierarchy_at(core, slot);

			if (hierarchy && grp_hierarchy_subsystems(core, hierarchy) & (1U << i))
				(void)fprintf(out, "%u: name=%s hierarchy=%u\n", i,
					      grp_subsystems[i]->name, slot);
		}
}

int grp_fs_proc_read(struct grp_fs_mount *mount, const struct grp_fs_node *node, char **ret_text,
		     size_t *ret_len)
{
	struct grp_core *core = mount->fs->agent->core;
	_cleanup_free_ char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	int r = 0;

	if (!out)
		return -ENOMEM;
	if (node->kind == GRP_FS_PROC_TASK) {
		r = put_task(core, node->pid, out);
	} else {
		put_hierarchies(core, out);
		put_subsystems(core, out);
	}
	if (fclose(out) && r == 0)
		r = -ENOMEM;
	if (r < 0)
		return r;
	*ret_text = TAKE_PTR(text);
	*ret_len = len;
	return 0;
}
