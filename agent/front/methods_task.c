/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where tasks are. Ids are those of the caller's pid namespace; tasks that it
 * cannot see there are not told. The members of a group are in job_list.c.
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
