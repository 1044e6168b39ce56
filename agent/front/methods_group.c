/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Methods about groups that are answered at once. mkdir and rmdir of many are
 * in job_group.c.
 */
#include <errno.h>

#include "agent.h"
#include "base/cleanup.h"
#include "base/cleanup_json.h"
#include "base/text.h"
#include "core/file.h"
#include "front/listing.h"
#include "front/methods.h"

int grp_method_rename_group(struct grp_call *call, json_t **ret_reply)
{
	_cleanup_free_ char *to = NULL;
	const char *to_text = grp_call_string(call, "to");
	struct grp_group *group;
	int r;

	r = grp_call_group(call, grp_call_string(call, "from"), &group);
	if (r < 0)
		return r;
	call->item = to_text;
	r = grp_text_unescape(to_text, &to, NULL);
	if (r < 0)
		return r;
	return grp_group_rename(call->agent->core, group, to, call->caller, &call->error);
}

/* --- listing ----------------------------------------------------------------- */

/* Names of the flags that are set, as the control files call them. */
static const struct {
	uint32_t flag;
	const char *name;
} flag_table[] = {
	{ GRP_GROUP_NOTIFY_ON_RELEASE, "notify_on_release" },
	{ GRP_GROUP_AUTO_DELETE, "auto_delete" },
	{ GRP_GROUP_CLONE_CHILDREN, "cgroup.clone_children" },
};

static json_t *flag_names(const struct grp_group *group)
{
	_cleanup_json_ json_t *names = json_array();

	for (size_t i = 0; i < sizeof(flag_table) / sizeof(*flag_table); i++)
		if (group->flags & flag_table[i].flag &&
		    json_array_append_new(names, json_string(flag_table[i].name)) < 0)
			return NULL;
	return TAKE_PTR(names);
}

static void put_number(struct grp_json_text *out, const char *key, uint64_t number)
{
	grp_json_text_raw(out, key);
	grp_json_text_number(out, (int64_t)number);
}

static void put_flags(const struct grp_group *group, struct grp_json_text *out)
{
	const char *comma = "";

	grp_json_text_raw(out, ",\"flags\":[");
	for (size_t i = 0; i < sizeof(flag_table) / sizeof(*flag_table); i++) {
		if (!(group->flags & flag_table[i].flag))
			continue;
		grp_json_text_raw(out, comma);
		grp_json_text_string(out, flag_table[i].name);
		comma = ",";
	}
	grp_json_text_raw(out, "]}");
}

static int describe_group(struct grp_call *call, struct grp_group *group,
			  const struct grp_listing_row *row, struct grp_json_text *out)
{
	_cleanup_free_ char *text = NULL;
	struct grp_core *core = call->agent->core;
	struct grp_usage own = { 0 }, tree = { 0 };
	int r;

	r = grp_group_text(group, &text);
	if (r == 0)
		r = grp_usage_read(core, group, false, &own);
	if (r == 0)
		r = grp_usage_read(core, group, true, &tree);
	if (r < 0)
		return r;
	grp_json_text_raw(out, "{\"hierarchy\":");
	grp_json_text_string(out, group->hierarchy->name);
	grp_json_text_raw(out, ",\"group\":");
	grp_json_text_string(out, text);
	put_number(out, ",\"depth\":", grp_group_depth(group));
	put_number(out, ",\"children\":", group->n_children);
	put_number(out, ",\"tasks\":", grp_group_tasks(core, group));
	put_number(out, ",\"subtree_tasks\":", grp_group_subtree_tasks(core, group));
	put_number(out, ",\"usage_ns\":", tree.time_ns);
	put_number(out, ",\"usage_own_ns\":", own.time_ns);
	put_number(out, ",\"uid\":", group->inode.uid);
	put_number(out, ",\"gid\":", group->inode.gid);
	put_number(out, ",\"mode\":", group->inode.mode);
	put_flags(group, out);
	return 0;
}

static const struct grp_listing_kind groups_listing = {
	.key = "groups",
	.describe = describe_group,
};

int grp_method_list_groups(struct grp_call *call, json_t **ret_reply)
{
	struct grp_listing listing;
	int r;

	r = grp_listing_make(call, true, &listing);
	if (r < 0)
		return r;
	return grp_listing_start(call, &listing, &groups_listing, ret_reply);
}

/* --- one group --------------------------------------------------------------- */

struct file_list {
	struct grp_core *core;
	struct grp_group *group;
	json_t *array;
};

static int add_file(const struct grp_file_ref *ref, void *data)
{
	const struct file_list *list = data;
	struct grp_inode inode;
	json_t *object;

	grp_file_inode(list->core, list->group, ref, &inode);
	object = json_pack("{s:s, s:I, s:I, s:I, s:s, s:s}", "name", ref->name, "uid",
			   (json_int_t)inode.uid, "gid", (json_int_t)inode.gid, "mode",
			   (json_int_t)inode.mode, "unit", ref->file->unit, "help",
			   ref->file->help);
	return json_array_append_new(list->array, object) < 0 ? -ENOMEM : 0;
}

/* What only a pass over the tasks tells. */
static int look_at_members(struct grp_core *core, struct grp_group *group, size_t *ret_processes,
			   uint64_t *ret_activity_ns)
{
	struct grp_members members = { .n = 0 };
	int r = grp_group_members(core, group, false, NULL, &members);

	if (r == 0) {
		*ret_activity_ns = grp_group_last_activity(core, group, &members);
		grp_members_processes(&members);
		*ret_processes = members.n;
	}
	grp_members_done(&members);
	return r;
}

static int describe_stat(struct grp_call *call, struct grp_group *group, json_t *files,
			 json_t **ret_reply)
{
	_cleanup_free_ char *text = NULL;
	struct grp_core *core = call->agent->core;
	struct grp_usage own = { 0 }, tree = { 0 };
	uint64_t activity_ns = 0;
	size_t processes = 0;
	int r;

	r = grp_group_text(group, &text);
	if (r == 0)
		r = look_at_members(core, group, &processes, &activity_ns);
	if (r == 0)
		r = grp_core_settle(core);
	if (r == 0)
		r = grp_usage_read(core, group, false, &own);
	if (r == 0)
		r = grp_usage_read(core, group, true, &tree);
	if (r < 0)
		return r;
	*ret_reply = json_pack(
		"{s:{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:I, s:I, s:I, s:I, s:I, s:I, "
		"s:I, s:I, s:I, s:O}}",
		"stat", "hierarchy", group->hierarchy->name, "group", text, "id",
		(json_int_t)group->id, "created_ns", (json_int_t)group->created_ns,
		"last_activity_ns", (json_int_t)activity_ns, "uid", (json_int_t)group->inode.uid,
		"gid", (json_int_t)group->inode.gid, "mode", (json_int_t)group->inode.mode, "flags",
		flag_names(group), "children", (json_int_t)group->n_children, "descendants",
		(json_int_t)group->n_descendants, "tasks", (json_int_t)grp_group_tasks(core, group),
		"peak_tasks", (json_int_t)grp_group_peak(core, group), "processes",
		(json_int_t)processes, "chargers", (json_int_t)grp_group_chargers(core, group),
		"references", (json_int_t)group->references, "usage_ns", (json_int_t)tree.time_ns,
		"usage_own_ns", (json_int_t)own.time_ns, "files", files);
	return *ret_reply ? 0 : -ENOMEM;
}

int grp_method_stat_group(struct grp_call *call, json_t **ret_reply)
{
	_cleanup_json_ json_t *files = json_array();
	struct file_list list = { .core = call->agent->core, .array = files };
	int r;

	r = grp_call_group(call, grp_call_string(call, "group"), &list.group);
	if (r == 0 && !files)
		r = -ENOMEM;
	/* The group itself is known to whoever may search what is above it. */
	if (r == 0 && grp_access(&list.group->inode, call->caller, GRP_SEARCH))
		r = grp_file_each(list.core, list.group, add_file, &list);
	return r < 0 ? r : describe_stat(call, list.group, files, ret_reply);
}
