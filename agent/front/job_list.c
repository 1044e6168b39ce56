/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The members of a group. Ids are those of the caller's pid namespace; tasks that it
 * cannot see there are left out. There may be very many: they are found and written
 * down in pieces, and others' calls go on between.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "core/census.h"
#include "core/file.h"
#include "front/jobs.h"
#include "front/methods.h"

/* Of a step: a few dozen microseconds. */
#define ROWS_AT_ONCE 64

struct list {
	struct grp_job job; /* first */
	struct grp_census *census; /* owned */
	bool found; /* all of them */
	size_t at; /* the next to be written */
	bool any; /* one is there already */
	/* Most tasks of a listing are in the group of the one before: */
	uint32_t last; /* id; 0: none */
	bool readable;
	char *text; /* owned */
};

static bool processes(const struct list *list)
{
	return grp_call_flag(list->job.call, "processes");
}

/* Who may read that list of members, may be told who they are. */
static int check_readable(struct grp_call *call, struct grp_group *group, struct grp_error *error)
{
	const struct grp_file_access access = {
		.core = call->agent->core, .group = group, .caller = call->caller, .error = error
	};

	return grp_file_check(&access, grp_call_flag(call, "processes") ? "cgroup.procs" : "tasks",
			      GRP_READ);
}

/* The group of the next task. */
static int enter_group(struct list *list, struct grp_group *group)
{
	int r;

	if (group->id == list->last)
		return 0;
	free(list->text);
	list->text = NULL;
	list->last = 0;
	r = grp_group_text(group, &list->text);
	if (r < 0)
		return r;
	list->readable = check_readable(list->job.call, group, NULL) == 0;
	list->last = group->id;
	return 0;
}

static int put_task(struct list *list, const struct grp_group *group,
		    const struct grp_member *member)
{
	const struct grp_call *call = list->job.call;
	struct grp_json_text *out = &list->job.call->text;
	_cleanup_free_ char *command = NULL;
	int r = grp_text_escape(member->comm, strlen(member->comm), &command);

	if (r < 0)
		return r;
	grp_json_text_raw(out, list->any ? ",{\"pid\":" : "{\"pid\":");
	list->any = true;
	grp_json_text_number(out, call->caller->pidns ? member->ns_tid : member->tid);
	grp_json_text_raw(out, ",\"tgid\":");
	grp_json_text_number(out, call->caller->pidns ? member->ns_tgid : member->tgid);
	grp_json_text_raw(out, ",\"hierarchy\":");
	grp_json_text_string(out, group->hierarchy->name);
	grp_json_text_raw(out, ",\"group\":");
	grp_json_text_string(out, list->text);
	grp_json_text_raw(out, ",\"cpu_ns\":");
	grp_json_text_number(out, (int64_t)member->cpu_ns);
	grp_json_text_raw(out, ",\"command\":");
	grp_json_text_string(out, command);
	grp_json_text_raw(out, "}");
	return 0;
}

static int put_member(struct list *list, const struct grp_member *member)
{
	struct grp_call *call = list->job.call;
	struct grp_group *group = grp_group_by_id(call->agent->core, member->group);
	int r;

	/* A group that was removed since has no members. */
	if (!group || (call->caller->pidns && !member->ns_tid))
		return 0;
	r = enter_group(list, group);
	return r < 0 || !list->readable ? r : put_task(list, group, member);
}

static int find(struct list *list)
{
	int r = grp_census_step(list->census);

	if (r)
		return r < 0 ? r : GRP_JOB_AGAIN;
	if (processes(list))
		grp_members_processes(grp_census_members(list->census));
	grp_call_text_begin(list->job.call, "tasks");
	list->found = true;
	return GRP_JOB_AGAIN;
}

static int step(struct grp_job *job, json_t **ret_reply)
{
	struct list *list = (struct list *)job;
	const struct grp_members *members = grp_census_members(list->census);
	int r = 0;

	if (!list->found)
		return find(list);
	for (unsigned int i = 0; !r && list->at < members->n && i < ROWS_AT_ONCE; i++)
		r = put_member(list, &members->items[list->at++]);
	if (r || list->at < members->n)
		return r ?: GRP_JOB_AGAIN;
	*ret_reply = NULL;
	return grp_call_text_end(job->call);
}

static void done(struct grp_job *job)
{
	struct list *list = (struct list *)job;

	grp_census_free(list->census);
	free(list->text);
}

static const struct grp_job_type list_type = {
	.size = sizeof(struct list),
	.step = step,
	.done = done,
};

int grp_method_list_tasks(struct grp_call *call, json_t **ret_reply)
{
	struct list *list = grp_job_new(call, &list_type);
	struct grp_group *group;
	int r = list ? 0 : -ENOMEM;

	if (r == 0)
		r = grp_call_group(call, grp_call_string(call, "group"), &group);
	if (r == 0)
		r = check_readable(call, group, &call->error);
	if (r == 0)
		r = grp_census_new(call->agent->core, group, grp_call_flag(call, "recursive"),
				   call->caller->pidns, &list->census);
	return r < 0 ? r : grp_job_start(&list->job, ret_reply);
}
