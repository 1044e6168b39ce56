/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Control files by name: which a group has, what they are called there, who may
 * read or write them. The core's own are in core_files.c.
 */
#include "core/file.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "core/internal.h"

/* --- finding ------------------------------------------------------------------------ */

static bool visible(const struct grp_file *file, const struct grp_file_view *view)
{
	return !(file->flags & (view->root ? GRP_FILE_NOT_ROOT : GRP_FILE_ROOT_ONLY));
}

typedef int (*each_fn)(const struct grp_file_ref *ref, void *data);

static int each_of_core(const struct grp_file_view *view, each_fn fn, void *data)
{
	int r = 0;

	for (size_t i = 0; !r && i < grp_n_core_files; i++) {
		struct grp_file_ref ref = { .file = &grp_core_files[i] };

		if (!visible(ref.file, view))
			continue;
		(void)snprintf(ref.name, sizeof(ref.name), "%s", ref.file->name);
		memcpy(ref.key, ref.name, sizeof(ref.key));
		r = fn(&ref, data);
	}
	return r;
}

/* EN-1: in the root, one file that switches the subsystem. */
static int enable_file(const struct grp_file_view *view, unsigned int index, each_fn fn, void *data)
{
	struct grp_file_ref ref = { .file = &grp_enable_file,
				    .subsystem = grp_subsystems[index],
				    .index = index };

	if (!view->root)
		return 0;
	(void)snprintf(ref.name, sizeof(ref.name), "%s" GRP_ENABLE_SUFFIX, ref.subsystem->name);
	memcpy(ref.key, ref.name, sizeof(ref.key));
	return fn(&ref, data);
}

static int each_of_subsystem(const struct grp_file_view *view, unsigned int index, each_fn fn,
			     void *data)
{
	const struct grp_subsystem *subsystem = grp_subsystems[index];
	int r = 0;

	for (size_t i = 0; !r && i < subsystem->n_files; i++) {
		struct grp_file_ref ref = { .file = &subsystem->files[i],
					    .subsystem = subsystem,
					    .index = index };

		if (!visible(ref.file, view))
			continue;
		(void)snprintf(ref.key, sizeof(ref.key), "%s.%s", subsystem->name, ref.file->name);
		(void)snprintf(ref.name, sizeof(ref.name), "%s",
			       view->bare ? ref.file->name : ref.key);
		r = fn(&ref, data);
	}
	return r;
}

int grp_file_each_in(const struct grp_file_view *view,
		     int (*fn)(const struct grp_file_ref *ref, void *data), void *data)
{
	int r = each_of_core(view, fn, data);

	for (unsigned int i = 0; !r && i < grp_n_subsystems; i++) {
		if (view->bound & (1U << i))
			r = enable_file(view, i, fn, data);
		if (!r && (view->shown & (1U << i)))
			r = each_of_subsystem(view, i, fn, data);
	}
	return r;
}

int grp_file_each(struct grp_core *core, const struct grp_group *group,
		  int (*fn)(const struct grp_file_ref *ref, void *data), void *data)
{
	const struct grp_file_view view = {
		.root = !group->parent,
		.bare = group->hierarchy->flags & GRP_HIERARCHY_NOPREFIX,
		.bound = grp_hierarchy_subsystems(core, group->hierarchy),
		.shown = grp_group_subsystems(core, group),
	};

	return grp_file_each_in(&view, fn, data);
}

struct search {
	const char *name;
	struct grp_file_ref *ret;
};

static int compare(const struct grp_file_ref *ref, void *data)
{
	struct search *search = data;

	if (strcmp(ref->name, search->name) != 0)
		return 0;
	if (search->ret)
		*search->ret = *ref;
	return 1;
}

static bool is_of_subsystem(const struct grp_subsystem *subsystem, const char *name)
{
	size_t len = strlen(subsystem->name);
	const char *rest = strncmp(name, subsystem->name, len) == 0 ? name + len : NULL;

	if (rest && !strcmp(rest, GRP_ENABLE_SUFFIX))
		return true;
	for (size_t i = 0; i < subsystem->n_files; i++)
		if (!strcmp(name, subsystem->files[i].name) ||
		    (rest && *rest == '.' && !strcmp(rest + 1, subsystem->files[i].name)))
			return true;
	return false;
}

/*
 * Whether any group, in any hierarchy, could have a file of that name. Names of groups
 * are asked for as well, at each step of a path and before one is made: nearly always
 * this is all there is to do, and no name has to be put together for it.
 */
static bool is_any_file(const char *name)
{
	for (size_t i = 0; i < grp_n_core_files; i++)
		if (!strcmp(name, grp_core_files[i].name))
			return true;
	for (unsigned int i = 0; i < grp_n_subsystems; i++)
		if (is_of_subsystem(grp_subsystems[i], name))
			return true;
	return false;
}

bool grp_file_find(struct grp_core *core, const struct grp_group *group, const char *name,
		   struct grp_file_ref *ret_ref)
{
	struct search search = { .name = name, .ret = ret_ref };

	return is_any_file(name) && grp_file_each(core, group, compare, &search) == 1;
}

/* --- access ---------------------------------------------------------------------------- */

static int check_access(const struct grp_file_access *access, const struct grp_file_ref *ref,
			int mask)
{
	struct grp_inode inode;
	int r = grp_group_access(access->group, access->caller, GRP_SEARCH, access->error);

	grp_file_inode(access->core, access->group, ref, &inode);
	if (!r && !grp_access(&inode, access->caller, mask))
		r = grp_inode_refuse(access->group, ref->name, &inode, access->caller, mask,
				     access->error);
	return r;
}

static int find(const struct grp_file_access *access, const char *name,
		struct grp_file_ref *ret_ref)
{
	if (grp_file_find(access->core, access->group, name, ret_ref))
		return 0;
	return grp_error_set(access->error, ENOENT, "no file '%s' here; 'grpctl stat' lists them",
			     name);
}

int grp_file_check(const struct grp_file_access *access, const char *name, int mask)
{
	struct grp_file_ref ref;
	int r = find(access, name, &ref);

	return r ?: check_access(access, &ref, mask);
}

int grp_file_read(const struct grp_file_access *access, const char *name, char **ret_text,
		  size_t *ret_len)
{
	struct grp_file_access full = *access;
	_cleanup_free_ char *text = NULL;
	struct grp_file_ref ref;
	size_t len = 0;
	FILE *out;
	int r = find(access, name, &ref);

	if (!r)
		r = check_access(access, &ref, GRP_READ);
	if (r)
		return r;
	if (!ref.file->read)
		return grp_error_set(access->error, EINVAL, "'%s' cannot be read", name);
	full.ref = &ref;
	out = open_memstream(&text, &len);
	if (!out)
		return -ENOMEM;
	r = ref.file->read(&full, out);
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
	struct grp_file_access full = *access;
	struct grp_file_ref ref;
	int r = find(access, name, &ref);

	if (r)
		return r;
	/* What nobody can write is EINVAL for everybody (FILE-2). */
	if (!ref.file->write)
		return grp_error_set(access->error, EINVAL, "'%s' is read-only", name);
	r = check_access(access, &ref, GRP_WRITE);
	if (r)
		return r;
	if (len >= PATH_MAX)
		return grp_error_set(access->error, E2BIG, "a write has at most %d bytes",
				     PATH_MAX - 1);
	full.ref = &ref;
	return ref.file->write(&full, text, len);
}

static int parse_flag(const char *text, struct grp_error *error, bool *ret_on)
{
	char digits[32];
	size_t len = strcspn(text, "\n");
	uint64_t number;
	int r = -EINVAL;

	if (len && len < sizeof(digits) && (!text[len] || !text[len + 1])) {
		memcpy(digits, text, len);
		digits[len] = '\0';
		r = grp_parse_kernel_u64(digits, &number);
	}
	if (r)
		return grp_error_set(error, -r, "write 0 or 1");
	*ret_on = number != 0;
	return 0;
}

int grp_file_parse_flag(const struct grp_file_access *access, const char *text, bool *ret_on)
{
	return parse_flag(text, access->error, ret_on);
}

int grp_file_canonical_flag(const char *text, char *ret_text, struct grp_error *error)
{
	bool on = false;
	int r = parse_flag(text, error, &on);

	if (!r)
		memcpy(ret_text, on ? "1" : "0", 2);
	return r;
}
