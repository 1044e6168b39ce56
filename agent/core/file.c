/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Control files by name: which a group has, who may read or write them, and the
 * core's own two, `tasks` and `cgroup.procs`.
 */
#include "core/file.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "core/internal.h"

/* --- finding ------------------------------------------------------------------------ */

static bool visible(const struct grp_file *file, const struct grp_group *group)
{
	return !(file->flags & GRP_FILE_ROOT_ONLY) || !group->parent;
}

static int each_of_subsystem(const struct grp_subsystem *subsystem, const struct grp_group *group,
			     int (*fn)(const char *, const struct grp_file *, void *), void *data)
{
	char name[128];
	int r = 0;

	for (size_t i = 0; !r && i < subsystem->n_files; i++) {
		if (!visible(&subsystem->files[i], group))
			continue;
		(void)snprintf(name, sizeof(name), "%s.%s", subsystem->name,
			       subsystem->files[i].name);
		r = fn(name, &subsystem->files[i], data);
	}
	return r;
}

int grp_file_each(struct grp_core *core, const struct grp_group *group,
		  int (*fn)(const char *name, const struct grp_file *file, void *data), void *data)
{
	uint32_t bound = grp_hierarchy_subsystems(core, group->hierarchy);
	int r = 0;

	for (size_t i = 0; !r && i < grp_n_core_files; i++)
		if (visible(&grp_core_files[i], group))
			r = fn(grp_core_files[i].name, &grp_core_files[i], data);
	for (size_t i = 0; !r && i < grp_n_subsystems; i++)
		if (bound & (1U << i))
			r = each_of_subsystem(grp_subsystems[i], group, fn, data);
	return r;
}

struct search {
	const char *name;
	const struct grp_file *found;
};

static int compare(const char *name, const struct grp_file *file, void *data)
{
	struct search *search = data;

	if (strcmp(name, search->name))
		return 0;
	search->found = file;
	return 1;
}

const struct grp_file *grp_file_find(struct grp_core *core, const struct grp_group *group,
				     const char *name)
{
	struct search search = { .name = name };

	(void)grp_file_each(core, group, compare, &search);
	return search.found;
}

/* --- access ---------------------------------------------------------------------------- */

/* Files belong to the owner of their group until part 2 lets them be given away. */
static bool allowed(const struct grp_file_access *access, const struct grp_file *file, int mask)
{
	struct grp_group inode = { .uid = access->group->uid,
				   .gid = access->group->gid,
				   .mode = file->mode };

	for (const struct grp_group *g = access->group; g; g = g->parent)
		if (!grp_access(g, access->caller, 1))
			return false;
	return grp_access(&inode, access->caller, mask);
}

static int find(const struct grp_file_access *access, const char *name, int mask,
		const struct grp_file **ret_file)
{
	const struct grp_file *file = grp_file_find(access->core, access->group, name);

	if (!file)
		return grp_error_set(access->error, ENOENT,
				     "no file '%s' here; 'grpctl stat' lists them", name);
	if (!allowed(access, file, mask))
		return grp_error_set(access->error, EACCES, "user %u may not %s '%s'",
				     (unsigned int)access->caller->uid,
				     mask == 2 ? "write" : "read", name);
	*ret_file = file;
	return 0;
}

int grp_file_read(const struct grp_file_access *access, const char *name, char **ret_text,
		  size_t *ret_len)
{
	const struct grp_file *file = NULL;
	_cleanup_free_ char *text = NULL;
	size_t len = 0;
	FILE *out;
	int r = find(access, name, 4, &file);

	if (r || !file)
		return r;
	if (!file->read)
		return grp_error_set(access->error, EINVAL, "'%s' cannot be read", name);
	out = open_memstream(&text, &len);
	if (!out)
		return -ENOMEM;
	r = file->read(access, out);
	if (fclose(out) && !r)
		r = -ENOMEM;
	if (r)
		return r;
	*ret_text = TAKE_PTR(text);
	*ret_len = len;
	return 0;
}

int grp_file_write(const struct grp_file_access *access, const char *name, const char *text,
		   size_t len)
{
	const struct grp_file *file = NULL;
	int r = find(access, name, 2, &file);

	if (r == -EACCES && !grp_file_find(access->core, access->group, name)->write)
		return grp_error_set(access->error, EINVAL, "'%s' is read-only", name);
	if (r || !file)
		return r;
	if (!file->write)
		return grp_error_set(access->error, EINVAL, "'%s' is read-only", name);
	if (len >= PATH_MAX)
		return grp_error_set(access->error, E2BIG, "a write has at most %d bytes",
				     PATH_MAX - 1);
	return file->write(access, text, len);
}

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

static int write_member(const struct grp_file_access *access, const char *text, bool whole)
{
	struct grp_task_id id = { .tid = access->caller->pid, .whole = whole };
	struct grp_target target = {};
	uint64_t number;
	int r = parse_first_id(text, &number);

	if (r == -EIO)
		return grp_error_set(access->error, EIO,
				     "write one id of a task, a decimal number");
	if (!r && number)
		r = grp_task_resolve(access->core, access->caller, (pid_t)number, &id.tid);
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

const struct grp_file grp_core_files[] = {
	{
		.name = "tasks",
		.mode = 0644,
		.unit = "",
		.help = "ids of member threads; write one to move that thread here",
		.read = read_tasks,
		.write = write_tasks,
	},
	{
		.name = "cgroup.procs",
		.mode = 0644,
		.unit = "",
		.help = "ids of processes with a member; write one to move the whole process",
		.read = read_procs,
		.write = write_procs,
	},
};
const size_t grp_n_core_files = sizeof(grp_core_files) / sizeof(*grp_core_files);
