/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Methods that read and write: control files, which the core serves, and the
 * CPU time of groups.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"
#include "base/cleanup.h"
#include "base/cleanup_json.h"
#include "base/text.h"
#include "core/file.h"
#include "front/listing.h"
#include "front/methods.h"

/* --- control files ----------------------------------------------------------- */

static int find(struct grp_call *call, struct grp_file_access *ret_access)
{
	struct grp_group *group;
	int r = grp_call_group(call, grp_call_string(call, "group"), &group);

	if (r < 0)
		return r;
	*ret_access = (struct grp_file_access){
		.core = call->agent->core,
		.group = group,
		.caller = call->caller,
		.error = &call->error,
	};
	return 0;
}

static int no_such_file(struct grp_call *call, int r)
{
	if (r != -ENOENT || call->error.number)
		return r;
	return grp_error_set(&call->error, ENOENT, "the group has no such control file");
}

int grp_method_read_file(struct grp_call *call, json_t **ret_reply)
{
	_cleanup_free_ char *content = NULL, *text = NULL;
	struct grp_file_access access;
	size_t len;
	int r;

	r = find(call, &access);
	if (r < 0)
		return r;
	r = grp_file_read(&access, grp_call_string(call, "file"), &content, &len);
	if (r < 0)
		return no_such_file(call, r);
	r = grp_text_fix_utf8(content, len, &text);
	if (r < 0)
		return r;
	*ret_reply = json_pack("{s:s}", "content", text);
	return *ret_reply ? 0 : -ENOMEM;
}

int grp_method_write_file(struct grp_call *call, json_t **ret_reply)
{
	const char *value = grp_call_string(call, "value");
	struct grp_file_access access;
	int r;

	r = find(call, &access);
	if (r < 0)
		return r;
	return no_such_file(call, grp_file_write(&access, grp_call_string(call, "file"), value,
						 strlen(value)));
}

/* --- usage ------------------------------------------------------------------- */

json_t *grp_usage_object(struct grp_call *call, struct grp_group *group, uint64_t tasks,
			 uint64_t processes)
{
	_cleanup_free_ char *text = NULL;
	struct grp_core *core = call->agent->core;
	struct grp_usage own, tree;

	if (grp_group_text(group, &text) < 0 || grp_usage_read(core, group, false, &own) < 0 ||
	    grp_usage_read(core, group, true, &tree) < 0)
		return NULL;
	return json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I}", "hierarchy",
			 group->hierarchy->name, "group", text, "usage_ns",
			 (json_int_t)tree.time_ns, "usage_own_ns", (json_int_t)own.time_ns,
			 "user_ns", (json_int_t)tree.user_ns, "system_ns",
			 (json_int_t)tree.system_ns, "tasks", (json_int_t)tasks, "processes",
			 (json_int_t)processes);
}

static int by_group(const void *a, const void *b)
{
	uintptr_t x = (uintptr_t)((const struct grp_snapshot_row *)a)->group;
	uintptr_t y = (uintptr_t)((const struct grp_snapshot_row *)b)->group;

	return (x > y) - (x < y);
}

/* @data: a snapshot whose rows are sorted by group; NULL: look at each. */
static json_t *describe_usage(struct grp_call *call, struct grp_group *group, void *data)
{
	const struct grp_snapshot_row key = { .group = group };
	const struct grp_snapshot *snapshot = data;
	const struct grp_snapshot_row *row;
	size_t processes;

	if (!snapshot) {
		if (grp_group_processes(call, group, &processes) < 0)
			return NULL;
		return grp_usage_object(call, group, grp_group_tasks(call->agent->core, group),
					processes);
	}
	row = bsearch(&key, snapshot->rows, snapshot->n, sizeof(*row), by_group);
	return row ? grp_usage_object(call, group, row->tasks, row->processes) : NULL;
}

/* One pass over the tasks counts the processes of all groups at once. */
static int get_many(struct grp_call *call, const struct grp_listing *listing, json_t **ret_reply)
{
	struct grp_snapshot snapshot;
	int r = grp_snapshot_take(call->agent->core, &snapshot);

	if (r < 0)
		return r;
	qsort(snapshot.rows, snapshot.n, sizeof(*snapshot.rows), by_group);
	r = grp_listing_reply(call, listing, "usage", describe_usage, &snapshot, ret_reply);
	grp_snapshot_done(&snapshot);
	return r;
}

int grp_method_get_usage(struct grp_call *call, json_t **ret_reply)
{
	struct grp_listing listing;
	int r;

	r = grp_listing_make(call, false, &listing);
	if (r < 0)
		return r;
	if (listing.n > 1)
		r = get_many(call, &listing, ret_reply);
	else
		r = grp_core_settle(call->agent->core);
	if (r == 0 && listing.n <= 1)
		r = grp_listing_reply(call, &listing, "usage", describe_usage, NULL, ret_reply);
	grp_listing_done(&listing);
	return r;
}
