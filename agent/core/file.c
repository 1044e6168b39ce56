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

/* As users see it. @bare: without the prefix of subsystems. */
static void set_name(struct grp_file_ref *ref, bool bare)
{
	const char *subsystem = ref->subsystem ? ref->subsystem->name : "";

	if (ref->file == &grp_enable_file)
		(void)snprintf(ref->key, sizeof(ref->key), "%s" GRP_ENABLE_SUFFIX, subsystem);
	else if (ref->subsystem)
		(void)snprintf(ref->key, sizeof(ref->key), "%s.%s", subsystem, ref->file->name);
	else
		(void)snprintf(ref->key, sizeof(ref->key), "%s", ref->file->name);
	if (bare && ref->subsystem && ref->file != &grp_enable_file)
		(void)snprintf(ref->name, sizeof(ref->name), "%s", ref->file->name);
	else
		memcpy(ref->name, ref->key, sizeof(ref->name));
}

static int each_of_core(const struct grp_file_view *view, each_fn fn, void *data)
{
	int r = 0;

	for (size_t i = 0; !r && i < grp_n_core_files; i++) {
		struct grp_file_ref ref = { .file = &grp_core_files[i] };

		if (!visible(ref.file, view))
			continue;
		set_name(&ref, false);
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
	set_name(&ref, false);
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
		set_name(&ref, view->bare);
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

static struct grp_file_view view_of(struct grp_core *core, const struct grp_group *group)
{
	return (struct grp_file_view){
		.root = !group->parent,
		.bare = group->hierarchy->flags & GRP_HIERARCHY_NOPREFIX,
		.bound = grp_hierarchy_subsystems(core, group->hierarchy),
		.shown = grp_group_subsystems(core, group),
	};
}

int grp_file_each(struct grp_core *core, const struct grp_group *group,
		  int (*fn)(const struct grp_file_ref *ref, void *data), void *data)
{
	const struct grp_file_view view = view_of(core, group);

	return grp_file_each_in(&view, fn, data);
}

/* --- by number: which table in the high byte, which entry in the low one ---------------- */

#define NUMBER_TABLE 256
#define NUMBER_ENABLE 255

unsigned int grp_file_number(const struct grp_file_ref *ref)
{
	unsigned int table = ref->subsystem ? NUMBER_TABLE * (ref->index + 1) : 0;

	if (ref->file == &grp_enable_file)
		return table + NUMBER_ENABLE;
	return table + 1 +
	       (unsigned int)(ref->file -
			      (ref->subsystem ? ref->subsystem->files : grp_core_files));
}

/* Of the core, or of a subsystem that is there. Return: NULL: no such entry. */
static const struct grp_file *file_numbered(const struct grp_file_view *view, unsigned int number,
					    const struct grp_subsystem **ret_subsystem)
{
	unsigned int table = number / NUMBER_TABLE, entry = number % NUMBER_TABLE;
	const struct grp_subsystem *subsystem;

	if (!table)
		return entry && entry <= grp_n_core_files ? &grp_core_files[entry - 1] : NULL;
	if (table > grp_n_subsystems)
		return NULL;
	subsystem = grp_subsystems[table - 1];
	*ret_subsystem = subsystem;
	if (entry == NUMBER_ENABLE)
		return view->root && view->bound & (1U << (table - 1)) ? &grp_enable_file : NULL;
	if (!(view->shown & (1U << (table - 1))) || !entry || entry > subsystem->n_files)
		return NULL;
	return &subsystem->files[entry - 1];
}

bool grp_file_at(struct grp_core *core, const struct grp_group *group, unsigned int number,
		 struct grp_file_ref *ret_ref)
{
	const struct grp_file_view view = view_of(core, group);
	struct grp_file_ref ref = { .file = NULL };

	ref.file = file_numbered(&view, number, &ref.subsystem);
	if (!ref.file || !visible(ref.file, &view))
		return false;
	if (ref.subsystem)
		ref.index = number / NUMBER_TABLE - 1;
	set_name(&ref, view.bare);
	*ret_ref = ref;
	return true;
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
