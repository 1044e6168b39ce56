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
#include "core/place.h"
#include "core/snapshot.h"
#include "front/attaching.h"
#include "front/listing.h"
#include "front/jobs.h"
#include "front/methods.h"
#include "placing.h"

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

/*
 * A write that is answered when its process has been moved, and when its tasks have the
 * CPUs that their groups allow from then on.
 */
struct write_job {
	struct grp_job job; /* first */
	bool moving;
	struct grp_attaching attaching;
	uint64_t ticket;
};

static int write_step(struct grp_job *job, json_t **ret_reply)
{
	struct write_job *write = (struct write_job *)job;
	struct grp_call *call = job->call;
	int r = 0;

	if (write->moving)
		r = grp_attaching_try(&write->attaching, call->agent, call->caller, &call->error);
	if (r == 0 && write->moving) {
		write->moving = false;
		write->ticket = write->attaching.ticket;
	}
	if (r == 0 && grp_placing_settled(call->agent, write->ticket))
		return 0;
	if (r < 0 && r != -EAGAIN)
		return r;
	if (grp_job_late(job) && !write->moving)
		return grp_error_set(&call->error, ETIMEDOUT,
				     "written, but not all tasks are on their CPUs yet");
	job->pause_usec = GRP_ATTACHING_PAUSE_USEC;
	return grp_job_late(job) ? -ETIMEDOUT : GRP_JOB_WAIT;
}

static void write_done(struct grp_job *job)
{
	struct write_job *write = (struct write_job *)job;

	grp_attaching_leave(&write->attaching, job->call->agent);
}

static const struct grp_job_type write_type = {
	.size = sizeof(struct write_job),
	.step = write_step,
	.done = write_done,
};

static int wait_placed(struct grp_call *call, json_t **ret_reply)
{
	uint64_t ticket = grp_place_ticket(call->agent->core);
	struct write_job *write;

	if (grp_placing_settled(call->agent, ticket))
		return 0;
	write = grp_job_new(call, &write_type);
	if (!write)
		return -ENOMEM;
	write->ticket = ticket;
	return grp_job_start(&write->job, ret_reply);
}

/* A file of members: the process is moved by half. */
static int wait_moved(struct grp_call *call, const struct grp_file_access *access,
		      json_t **ret_reply)
{
	struct write_job *write = grp_job_new(call, &write_type);
	int r;

	if (!write)
		return -ENOMEM;
	write->moving = true;
	r = grp_attaching_file(access, grp_call_string(call, "file"),
			       grp_call_string(call, "value"), &write->attaching);
	return r < 0 ? r : grp_job_start(&write->job, ret_reply);
}

int grp_method_write_file(struct grp_call *call, json_t **ret_reply)
{
	const char *value = grp_call_string(call, "value"), *file = grp_call_string(call, "file");
	struct grp_file_access access;
	struct grp_file_ref ref;
	uint64_t before;
	int r;

	r = find(call, &access);
	if (r < 0)
		return r;
	before = grp_place_ticket(access.core);
	r = no_such_file(call, grp_file_write(&access, file, value, strlen(value)));
	if (r == -EAGAIN && grp_file_find(access.core, access.group, file, &ref) &&
	    grp_file_is_of_members(&ref))
		return wait_moved(call, &access, ret_reply);
	return r < 0 || grp_place_ticket(access.core) == before ? r : wait_placed(call, ret_reply);
}

/* --- usage ------------------------------------------------------------------- */

json_t *grp_usage_object(struct grp_call *call, struct grp_group *group, uint64_t tasks,
			 uint64_t processes)
{
	_cleanup_free_ char *text = NULL;
	struct grp_core *core = call->agent->core;
	struct grp_usage own = { 0 }, tree = { 0 };

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

static void put_usage(struct grp_json_text *out, const struct grp_usage *own,
		      const struct grp_usage *tree)
{
	grp_json_text_raw(out, ",\"usage_ns\":");
	grp_json_text_number(out, (int64_t)tree->time_ns);
	grp_json_text_raw(out, ",\"usage_own_ns\":");
	grp_json_text_number(out, (int64_t)own->time_ns);
	grp_json_text_raw(out, ",\"user_ns\":");
	grp_json_text_number(out, (int64_t)tree->user_ns);
	grp_json_text_raw(out, ",\"system_ns\":");
	grp_json_text_number(out, (int64_t)tree->system_ns);
}

static int describe_usage(struct grp_call *call, struct grp_group *group,
			  const struct grp_listing_row *row, struct grp_json_text *out)
{
	_cleanup_free_ char *text = NULL;
	struct grp_core *core = call->agent->core;
	struct grp_usage own = { 0 }, tree = { 0 };
	int r = grp_group_text(group, &text);

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
	put_usage(out, &own, &tree);
	grp_json_text_raw(out, ",\"tasks\":");
	grp_json_text_number(out, (int64_t)row->tasks);
	grp_json_text_raw(out, ",\"processes\":");
	grp_json_text_number(out, (int64_t)row->processes);
	grp_json_text_raw(out, "}");
	return 0;
}

static const struct grp_listing_kind usage_listing = {
	.key = "usage",
	.counts = true,
	.describe = describe_usage,
};

int grp_method_get_usage(struct grp_call *call, json_t **ret_reply)
{
	struct grp_listing listing;
	int r;

	r = grp_listing_make(call, false, &listing);
	if (r < 0)
		return r;
	return grp_listing_start(call, &listing, &usage_listing, ret_reply);
}
