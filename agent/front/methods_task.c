/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Methods that tell where tasks are. Ids are those of the caller's pid
 * namespace; tasks that it cannot see there are left out.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"
#include "base/cleanup.h"
#include "base/cleanup_json.h"
#include "base/text.h"
#include "core/file.h"
#include "front/bulk.h"
#include "front/methods.h"

static pid_t shown_tid(const struct grp_call *call, const struct grp_member *member)
{
	return call->caller->pidns ? member->ns_tid : member->tid;
}

static pid_t shown_tgid(const struct grp_call *call, const struct grp_member *member)
{
	return call->caller->pidns ? member->ns_tgid : member->tgid;
}

/* --- members of a group ------------------------------------------------------ */

/* Most tasks of a listing are in the group of the one before. */
struct task_list {
	struct grp_call *call;
	struct grp_hierarchy *hierarchy;
	const struct grp_group *last;
	bool readable; /* last */
	char *text; /* of last; owned */
	bool any; /* one is there already */
};

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
static int enter_group(struct task_list *list, struct grp_group *group)
{
	int r;

	if (group == list->last)
		return 0;
	free(list->text);
	list->text = NULL;
	list->last = NULL;
	r = grp_group_text(group, &list->text);
	if (r < 0)
		return r;
	list->readable = check_readable(list->call, group, NULL) == 0;
	list->last = group;
	return 0;
}

static int add_task(struct task_list *list, const struct grp_member *member)
{
	struct grp_json_text *out = &list->call->text;
	struct grp_group *group =
		grp_member_group(list->call->agent->core, member, list->hierarchy);
	_cleanup_free_ char *command = NULL;
	int r;

	if (!shown_tid(list->call, member))
		return 0;
	r = enter_group(list, group);
	if (r < 0 || !list->readable)
		return r;
	r = grp_text_escape(member->comm, strlen(member->comm), &command);
	if (r < 0)
		return r;
	grp_json_text_raw(out, list->any ? ",{\"pid\":" : "{\"pid\":");
	list->any = true;
	grp_json_text_number(out, shown_tid(list->call, member));
	grp_json_text_raw(out, ",\"tgid\":");
	grp_json_text_number(out, shown_tgid(list->call, member));
	grp_json_text_raw(out, ",\"hierarchy\":");
	grp_json_text_string(out, list->hierarchy->name);
	grp_json_text_raw(out, ",\"group\":");
	grp_json_text_string(out, list->text);
	grp_json_text_raw(out, ",\"cpu_ns\":");
	grp_json_text_number(out, (int64_t)member->cpu_ns);
	grp_json_text_raw(out, ",\"command\":");
	grp_json_text_string(out, command);
	grp_json_text_raw(out, "}");
	return 0;
}

static int list_members(struct grp_call *call, struct grp_group *group)
{
	struct task_list list = { .call = call, .hierarchy = group->hierarchy };
	struct grp_members members = { .n = 0 };
	int r;

	r = grp_group_members(call->agent->core, group, grp_call_flag(call, "recursive"),
			      call->caller, &members);
	if (r == 0 && grp_call_flag(call, "processes"))
		grp_members_processes(&members);
	grp_call_text_begin(call, "tasks");
	for (size_t i = 0; r == 0 && i < members.n; i++)
		r = add_task(&list, &members.items[i]);
	grp_members_done(&members);
	free(list.text);
	return r < 0 ? r : grp_call_text_end(call);
}

int grp_method_list_tasks(struct grp_call *call, json_t **ret_reply)
{
	struct grp_group *group;
	int r;

	r = grp_call_group(call, grp_call_string(call, "group"), &group);
	if (r == 0)
		r = check_readable(call, group, &call->error);
	*ret_reply = NULL;
	return r < 0 ? r : list_members(call, group);
}

/* --- places of a task -------------------------------------------------------- */

struct which {
	struct grp_bulk bulk;
	json_t *placements; /* owned */
};

static json_t *describe_place(struct grp_core *core, const struct grp_member *member,
			      struct grp_hierarchy *hierarchy)
{
	_cleanup_free_ char *text = NULL;

	if (grp_group_text(grp_member_group(core, member, hierarchy), &text) < 0)
		return NULL;
	return json_pack("{s:s, s:o, s:s}", "hierarchy", hierarchy->name, "subsystems",
			 grp_subsystem_names(grp_hierarchy_subsystems(core, hierarchy)), "group",
			 text);
}

static json_t *describe_places(struct grp_core *core, const struct grp_member *member)
{
	_cleanup_json_ json_t *places = json_array();

	for (unsigned int slot = 0; slot < GRP_HIERARCHIES_MAX; slot++) {
		struct grp_hierarchy *hierarchy = grp_hierarchy_at(core, slot);

		if (hierarchy &&
		    json_array_append_new(places, describe_place(core, member, hierarchy)) < 0)
			return NULL;
	}
	return TAKE_PTR(places);
}

static int which_one(struct grp_bulk *bulk, const char *item)
{
	struct which *which = (struct which *)bulk;
	struct grp_call *call = bulk->job.call;
	struct grp_core *core = call->agent->core;
	struct grp_member member = { .tid = 0 };
	struct grp_task_id id;
	json_t *object;
	int r;

	r = grp_call_task(call, item, &id);
	if (r == 0)
		r = grp_task_find(core, &id, call->caller, &member);
	if (r == 0 && !shown_tid(call, &member))
		r = -ESRCH;
	if (r < 0)
		return r;
	object = json_pack("{s:i, s:b, s:o}", "pid", (int)shown_tid(call, &member), "exiting",
			   member.exiting, "places", describe_places(core, &member));
	return json_array_append_new(which->placements, object) < 0 ? -ENOMEM : 0;
}

static int which_finish(struct grp_bulk *bulk, json_t *failures, json_t **ret_reply)
{
	const struct which *which = (const struct which *)bulk;

	*ret_reply = json_pack("{s:O, s:O}", "placements", which->placements, "failures", failures);
	return *ret_reply ? 0 : -ENOMEM;
}

static void which_done(struct grp_bulk *bulk)
{
	json_decref(((struct which *)bulk)->placements);
}

static const struct grp_bulk_type which_type = {
	.job = GRP_BULK_JOB(struct which),
	.item = which_one,
	.finish = which_finish,
	.done = which_done,
};

int grp_method_which_tasks(struct grp_call *call, json_t **ret_reply)
{
	struct which *which = grp_bulk_new(call, &which_type, grp_call_array(call, "pids"));

	if (!which)
		return -ENOMEM;
	which->placements = json_array();
	if (!which->placements)
		return -ENOMEM;
	return grp_job_start(&which->bulk.job, ret_reply);
}
