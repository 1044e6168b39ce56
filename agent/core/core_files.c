/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The core's own control files: tasks, cgroup.procs and flags of every group; in the
 * root the release agent and the switch of each subsystem (EN-1).
 */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/parse.h"
#include "core/internal.h"

/* --- tasks, cgroup.procs ------------------------------------------------------------------ */

static int read_members(const struct grp_file_access *access, FILE *out, bool processes)
{
	struct grp_members members = {};
	int r = grp_group_members(access->core, access->group, false, access->caller, &members);

	if (processes)
		grp_members_processes(&members);
	for (size_t i = 0; !r && i < members.n; i++)
		if (members.items[i].ns_tid)
			(void)fprintf(out, "%d\n", members.items[i].ns_tid);
	grp_members_done(&members);
	return r;
}

static int read_tasks(const struct grp_file_access *access, FILE *out)
{
	return read_members(access, out, false);
}

static int read_procs(const struct grp_file_access *access, FILE *out)
{
	return read_members(access, out, true);
}

/*
 * TASK-5, TASK-6: blanks and a sign may lead, the first number counts, what comes
 * after it is ignored; but only a plain 0 is the writer. No number: EIO.
 */
static int parse_first_id(const char *text, uint64_t *ret_id)
{
	char digits[24];
	const char *start = text + strspn(text, " \t\n");
	bool negative = *start == '-';
	size_t len;
	int r;

	start += *start == '-' || *start == '+';
	len = strspn(start, "0123456789");
	if (!len)
		return -EIO;
	if (len >= sizeof(digits))
		return -ESRCH;
	memcpy(digits, start, len);
	digits[len] = '\0';
	r = grp_parse_u64(digits, 0, INT_MAX, ret_id);
	if (r)
		return -ESRCH;
	if (!*ret_id && (negative || (start[len] && !isspace((unsigned char)start[len]))))
		return -EIO;
	return negative ? -ESRCH : 0;
}

int grp_file_parse_member(const struct grp_file_access *access, const char *text, bool whole,
			  struct grp_task_id *ret_id)
{
	struct grp_task_id id = { .tid = access->caller->pid, .whole = whole, .self = true };
	uint64_t number;
	int r = parse_first_id(text, &number);

	if (r == -EIO)
		return grp_error_set(access->error, EIO,
				     "write one id of a task, a decimal number");
	if (!r && number)
		r = grp_task_resolve(access->core, access->caller, (pid_t)number, &id.tid);
	if (!r && number)
		id.self = false;
	if (!r)
		*ret_id = id;
	return r;
}

static int write_member(const struct grp_file_access *access, const char *text, bool whole)
{
	struct grp_target target = {};
	struct grp_task_id id;
	int r = grp_file_parse_member(access, text, whole, &id);

	if (!r)
		r = grp_target_add(&target, access->group);
	if (!r)
		r = grp_attach(access->core, &target, &id, access->caller, access->error, NULL);
	return r;
}

static int write_tasks(const struct grp_file_access *access, const char *text, size_t len)
{
	(void)len;
	return write_member(access, text, false);
}

static int write_procs(const struct grp_file_access *access, const char *text, size_t len)
{
	(void)len;
	return write_member(access, text, true);
}

/* --- flags ---------------------------------------------------------------------------------- */

static int read_flag(const struct grp_file_access *access, FILE *out)
{
	(void)fprintf(out, "%d\n", !!(access->group->flags & access->ref->file->arg));
	return 0;
}

static int explain_store(const struct grp_file_access *access, int r)
{
	return r ? grp_error_set(access->error, -r, "cannot store it: %s", strerror(-r)) : 0;
}

static int write_clone_children(const struct grp_file_access *access, const char *text, size_t len)
{
	struct grp_group *group = access->group;
	uint32_t flags = group->flags & ~GRP_GROUP_CLONE_CHILDREN;
	bool on;
	int r = grp_file_parse_flag(access, text, &on);

	(void)len;
	if (r)
		return r;
	if (on)
		flags |= GRP_GROUP_CLONE_CHILDREN;
	return flags == group->flags ?
		       0 :
		       explain_store(access, grp_group_set_flags(access->core, group, flags));
}

static int write_release_flag(const struct grp_file_access *access, const char *text, size_t len)
{
	uint32_t flag = access->ref->file->arg;
	struct grp_group *group = access->group;
	bool on;
	int r = grp_file_parse_flag(access, text, &on);

	(void)len;
	/* Root will remove it then: only who could do so himself may ask for it. */
	if (!r && on && flag == GRP_GROUP_AUTO_DELETE && group->parent)
		r = grp_group_access(group->parent, access->caller, GRP_WRITE | GRP_SEARCH,
				     access->error);
	if (r)
		return r;
	return explain_store(access, grp_release_set_flag(access->core, group, flag, on));
}

/* --- release_agent (REL-6) --------------------------------------------------------------------- */

static int read_release_agent(const struct grp_file_access *access, FILE *out)
{
	(void)fprintf(out, "%s\n", access->group->hierarchy->release_agent);
	return 0;
}

static int write_release_agent(const struct grp_file_access *access, const char *text, size_t len)
{
	/* It will run as root, whoever the file was given to. */
	if (access->caller->uid)
		return grp_error_set(access->error, EPERM, "only root may name a release agent");
	while (len && isspace((unsigned char)text[len - 1]))
		len--;
	while (len && isspace((unsigned char)*text)) {
		text++;
		len--;
	}
	return explain_store(access, grp_hierarchy_set_release_agent(
					     access->core, access->group->hierarchy, text, len));
}

const struct grp_file grp_core_files[] = {
	{
		.name = "tasks",
		.mode = GRP_MEMBER_FILE_MODE,
		.unit = "",
		.help = "ids of member threads; write one to move that thread here",
		.read = read_tasks,
		.write = write_tasks,
	},
	{
		.name = "cgroup.procs",
		.mode = GRP_MEMBER_FILE_MODE,
		.unit = "",
		.help = "ids of processes with a member; write one to move the whole process",
		.read = read_procs,
		.write = write_procs,
	},
	{
		.name = "notify_on_release",
		.mode = 0644,
		.flags = GRP_FILE_SAVED,
		.unit = "",
		.help = "1: the release agent is started when its last task or child has gone",
		.arg = GRP_GROUP_NOTIFY_ON_RELEASE,
		.read = read_flag,
		.write = write_release_flag,
		.preset = "0",
		.canonical = grp_file_canonical_flag,
	},
	{
		.name = "auto_delete",
		.mode = 0644,
		.flags = GRP_FILE_SAVED,
		.unit = "",
		.help = "1: the group is removed when its last task or child has gone",
		.arg = GRP_GROUP_AUTO_DELETE,
		.read = read_flag,
		.write = write_release_flag,
		.preset = "0",
		.canonical = grp_file_canonical_flag,
	},
	{
		.name = GRP_FILE_CLONE_CHILDREN,
		.mode = 0644,
		.flags = GRP_FILE_SAVED,
		.unit = "",
		.help = "1: new children get a copy of its cpuset",
		.arg = GRP_GROUP_CLONE_CHILDREN,
		.read = read_flag,
		.write = write_clone_children,
		.preset = "0",
		.canonical = grp_file_canonical_flag,
	},
	{
		.name = "release_agent",
		.mode = 0644,
		.flags = GRP_FILE_ROOT_ONLY,
		.unit = "",
		.help = "program that is started for groups with notify_on_release; only root sets it",
		.read = read_release_agent,
		.write = write_release_agent,
	},
	{
		.name = GRP_FILE_MAX_DESCENDANTS,
		.mode = 0644,
		.flags = GRP_FILE_NOT_ROOT | GRP_FILE_SAVED | GRP_FILE_BOUNDS,
		.unit = "groups",
		.help = "most groups below this one, at all depths; max for no limit",
		.read = grp_limit_read,
		.write = grp_limit_write,
		.preset = "max",
		.canonical = grp_limit_canonical,
	},
	{
		.name = GRP_FILE_MAX_DEPTH,
		.mode = 0644,
		.flags = GRP_FILE_NOT_ROOT | GRP_FILE_SAVED | GRP_FILE_BOUNDS,
		.unit = "levels",
		.help = "how deep groups below this one may be; max for no limit",
		.read = grp_limit_read,
		.write = grp_limit_write,
		.preset = "max",
		.canonical = grp_limit_canonical,
	},
};
const size_t grp_n_core_files = sizeof(grp_core_files) / sizeof(*grp_core_files);

/* --- SUBSYSTEM_enabled ---------------------------------------------------------------------- */

static int read_enabled(const struct grp_file_access *access, FILE *out)
{
	bool on = !(access->group->hierarchy->disabled & (1U << access->ref->index));

	(void)fprintf(out, "%d\n", on);
	return 0;
}

static int write_enabled(const struct grp_file_access *access, const char *text, size_t len)
{
	bool on;
	int r = grp_file_parse_flag(access, text, &on);

	(void)len;
	return r     ?:
		       grp_subsystem_enable(access->core, access->group->hierarchy,
					    access->ref->index, on, access->error);
}

const struct grp_file grp_enable_file = {
	.mode = 0644,
	.flags = GRP_FILE_SAVED,
	.unit = "",
	.help = "0 switches the subsystem off in this hierarchy, 1 on",
	.read = read_enabled,
	.write = write_enabled,
	.preset = "1",
	.canonical = grp_file_canonical_flag,
};
