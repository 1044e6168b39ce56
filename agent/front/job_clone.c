/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Clone (CLONE-1...3): a child of the group that a task is in, or of groups that are
 * named, is made and the task moved into it, as one operation. When the move fails, the
 * children are removed again. It is done in one turn of the loop unless the process
 * forks faster than it is moved; then others may move it away between two tries, and it
 * starts anew in the group where it is now.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent.h"
#include "base/cleanup.h"
#include "base/cleanup_json.h"
#include "core/clone.h"
#include "core/place.h"
#include "core/subsystem.h"
#include "front/attaching.h"
#include "front/jobs.h"
#include "front/methods.h"
#include "placing.h"

/* CLONE-2. */
#define CHILD_NAME "node_%d"
#define CHILD_MODE 0755
#define NSEC_PER_SEC 1000000000ULL

/* Groups by the slot of their hierarchy, by id: others change the tree between two tries. */
struct clone {
	struct grp_job job; /* first */
	struct grp_task_id id;
	bool in[GRP_HIERARCHIES_MAX]; /* where a child is made */
	uint32_t named[GRP_HIERARCHIES_MAX]; /* parents that were named; 0: where the task is */
	uint32_t parent[GRP_HIERARCHIES_MAX], child[GRP_HIERARCHIES_MAX];
	struct grp_value_clone intent; /* stored with the children */
	bool made; /* the children are there, and are to be removed again */
	json_t *reply; /* it has been moved; owned */
	uint64_t ticket; /* placement of it */
};

static struct grp_group *find_live(struct grp_core *core, uint32_t id)
{
	struct grp_group *group = id ? grp_group_by_id(core, id) : NULL;

	return group && !group->dying ? group : NULL;
}

/* --- children ------------------------------------------------------------------------ */

static void remove_children(struct clone *clone)
{
	struct grp_agent *agent = clone->job.call->agent;

	grp_jobs_observe(agent);
	for (unsigned int slot = GRP_HIERARCHIES_MAX; slot-- > 0;) {
		struct grp_group *child = find_live(agent->core, clone->child[slot]);

		if (child)
			(void)grp_clone_undo(agent->core, child);
		clone->child[slot] = 0;
	}
	clone->made = false;
}

static int make_child(struct clone *clone, unsigned int slot, const struct grp_member *member)
{
	struct grp_call *call = clone->job.call;
	struct grp_core *core = call->agent->core;
	struct grp_hierarchy *hierarchy = grp_hierarchy_at(core, slot);
	char name[GRP_NAME_MAX + 1];
	struct grp_clone_child wish = { .name = name, .mode = CHILD_MODE, .caller = call->caller };
	struct grp_group *child;
	int r;

	if (clone->named[slot])
		wish.parent = find_live(core, clone->named[slot]);
	else if (hierarchy)
		wish.parent = grp_member_group(core, member, hierarchy);
	if (!wish.parent)
		return grp_error_set(&call->error, ENOENT, "the group was removed meanwhile");
	(void)snprintf(name, sizeof(name), CHILD_NAME, (int)member->tid);
	r = grp_clone_make(core, &wish, &clone->intent, &call->error, &child);
	if (r < 0)
		return r;
	clone->parent[slot] = wish.parent->id;
	clone->child[slot] = child->id;
	return 0;
}

static void set_intent(struct clone *clone, const struct grp_member *member)
{
	clone->intent = (struct grp_value_clone){
		.tid = (uint32_t)clone->id.tid,
		.whole = clone->id.whole,
		.self = clone->id.self,
		.uid = clone->job.call->caller->uid,
		.start_ns = member->start_ns,
	};
	for (unsigned int slot = 0; slot < GRP_HIERARCHIES_MAX; slot++)
		if (clone->in[slot])
			clone->intent.slots |= 1U << slot;
}

static int make_children(struct clone *clone)
{
	struct grp_call *call = clone->job.call;
	struct grp_member member;
	int r;

	r = grp_task_find(call->agent->core, &clone->id, NULL, &member);
	if (r == 0 && member.exiting)
		r = -ESRCH;
	if (r < 0)
		return r;
	/* Against the reuse of its id until the next try. */
	clone->id.start_ticks = member.start_ns / (NSEC_PER_SEC / (uint64_t)sysconf(_SC_CLK_TCK));
	set_intent(clone, &member);
	clone->made = true;
	for (unsigned int slot = 0; r == 0 && slot < GRP_HIERARCHIES_MAX; slot++)
		if (clone->in[slot])
			r = make_child(clone, slot, &member);
	return r;
}

/* --- the move --------------------------------------------------------------------------- */

/* Between two tries somebody has moved the task elsewhere, or removed the child (CLONE-3). */
static bool is_astray(const struct clone *clone)
{
	struct grp_core *core = clone->job.call->agent->core;
	struct grp_member member;

	if (grp_task_find(core, &clone->id, NULL, &member) < 0)
		return false; /* the move will tell */
	for (unsigned int slot = 0; slot < GRP_HIERARCHIES_MAX; slot++) {
		const struct grp_group *child = find_live(core, clone->child[slot]), *now;

		if (!clone->in[slot])
			continue;
		if (!child)
			return true;
		now = grp_member_group(core, &member, child->hierarchy);
		if (!clone->named[slot] && now != child && now->id != clone->parent[slot])
			return true;
	}
	return false;
}

/* The last update decides. */
static int move(struct clone *clone)
{
	struct grp_call *call = clone->job.call;
	struct grp_target target = { .group = { NULL } };
	int r = 0;

	for (unsigned int slot = 0; r == 0 && slot < GRP_HIERARCHIES_MAX; slot++)
		if (clone->in[slot])
			r = grp_target_add(&target,
					   grp_group_by_id(call->agent->core, clone->child[slot]));
	if (r == 0)
		r = grp_attach(call->agent->core, &target, &clone->id, call->caller, &call->error,
			       NULL);
	return r < 0 ? r : grp_clone_commit(call->agent->core, &target);
}

/* Afterwards others may rename them. */
static int make_reply(struct clone *clone)
{
	_cleanup_json_ json_t *groups = json_array();
	int r = groups ? 0 : -ENOMEM;

	for (unsigned int slot = 0; r == 0 && slot < GRP_HIERARCHIES_MAX; slot++) {
		_cleanup_free_ char *text = NULL;

		if (!clone->in[slot])
			continue;
		r = grp_group_text_full(
			grp_group_by_id(clone->job.call->agent->core, clone->child[slot]), &text);
		if (r == 0 && json_array_append_new(groups, json_string(text)) < 0)
			r = -ENOMEM;
	}
	if (r == 0)
		clone->reply = json_pack("{s:O}", "groups", groups);
	return r < 0 ? r : clone->reply ? 0 : -ENOMEM;
}

static int wait_placed(struct clone *clone, json_t **ret_reply)
{
	struct grp_call *call = clone->job.call;

	if (!grp_placing_settled(call->agent, clone->ticket)) {
		clone->job.pause_usec = GRP_ATTACHING_PAUSE_USEC;
		return grp_job_late(&clone->job) ?
			       grp_error_set(&call->error, ETIMEDOUT,
					     "moved, but not all are on their CPUs yet") :
			       GRP_JOB_WAIT;
	}
	*ret_reply = TAKE_PTR(clone->reply);
	return 0;
}

static int clone_step(struct grp_job *job, json_t **ret_reply)
{
	struct clone *clone = (struct clone *)job;
	int r = 0;

	if (clone->reply)
		return wait_placed(clone, ret_reply);
	if (clone->made && is_astray(clone))
		remove_children(clone);
	if (!clone->made)
		r = make_children(clone);
	if (r < 0)
		return r;
	r = move(clone);
	if (r == -EAGAIN) {
		job->pause_usec = GRP_ATTACHING_PAUSE_USEC;
		return grp_job_late(job) ? -ETIMEDOUT : GRP_JOB_WAIT;
	}
	if (r == 0)
		r = make_reply(clone);
	if (r < 0)
		return r;
	clone->made = false; /* they stay */
	clone->ticket = grp_place_ticket(job->call->agent->core);
	return wait_placed(clone, ret_reply);
}

static void clone_done(struct grp_job *job)
{
	struct clone *clone = (struct clone *)job;

	if (clone->made)
		remove_children(clone);
	json_decref(clone->reply);
}

static const struct grp_job_type clone_type = {
	.size = sizeof(struct clone),
	.step = clone_step,
	.done = clone_done,
};

/* --- what was asked for ---------------------------------------------------------------------- */

/*
 * The hierarchy that a subsystem is bound to, of a shareable one "default". None: it is
 * not mounted, and then nothing is done (CLONE-2).
 */
static int choose_by_subsystem(struct grp_call *call, struct clone *clone, const char *name)
{
	int index = grp_subsystem_find(name, strlen(name));

	if (index < 0) {
		call->item = name;
		return grp_error_set(&call->error, ENOENT,
				     "no such subsystem; 'grpctl subsystems' lists them");
	}
	for (unsigned int slot = 0; slot < GRP_HIERARCHIES_MAX; slot++) {
		const struct grp_hierarchy *hierarchy = grp_hierarchy_at(call->agent->core, slot);
		uint32_t bound;

		if (!hierarchy || hierarchy->flags & GRP_HIERARCHY_UNMOUNTED)
			continue;
		bound = grp_hierarchy_subsystems(call->agent->core, hierarchy);
		clone->in[slot] = bound & 1U << index &&
				  (!grp_subsystems[index]->shareable ||
				   hierarchy->flags & GRP_HIERARCHY_ANY_SUBSYSTEM);
	}
	return 0;
}

static void choose_default(struct grp_call *call, struct clone *clone)
{
	const struct grp_hierarchy *hierarchy = grp_hierarchy_find(call->agent->core, "default");

	if (hierarchy)
		clone->in[hierarchy->slot] = true;
}

static int choose_by_groups(struct grp_call *call, struct clone *clone, const json_t *texts)
{
	const json_t *text;
	size_t i;

	json_array_foreach(texts, i, text) {
		struct grp_group *group;
		unsigned int slot;
		int r = grp_call_group(call, json_string_value(text), &group);

		if (r < 0)
			return r;
		slot = group->hierarchy->slot;
		call->item = json_string_value(text);
		if (clone->in[slot])
			return grp_error_set(&call->error, EINVAL,
					     "two of the groups are of hierarchy %s",
					     group->hierarchy->name);
		clone->in[slot] = true;
		clone->named[slot] = group->id;
	}
	call->item = NULL;
	return 0;
}

static int choose(struct grp_call *call, struct clone *clone)
{
	const char *subsystem = grp_call_string(call, "subsystem");
	const json_t *groups = grp_call_array(call, "groups");

	if (subsystem && groups)
		return grp_error_set(&call->error, EINVAL,
				     "subsystem and groups exclude each other");
	if (subsystem)
		return choose_by_subsystem(call, clone, subsystem);
	if (json_array_size(groups))
		return choose_by_groups(call, clone, groups);
	choose_default(call, clone);
	return 0;
}

int grp_method_clone(struct grp_call *call, json_t **ret_reply)
{
	const char *pid = grp_call_string(call, "pid") ?: "0";
	struct clone *clone = grp_job_new(call, &clone_type);
	bool any = false;
	int r;

	if (!clone)
		return -ENOMEM;
	r = choose(call, clone);
	if (r < 0)
		return r;
	for (unsigned int slot = 0; slot < GRP_HIERARCHIES_MAX; slot++)
		any = any || clone->in[slot];
	if (!any) {
		*ret_reply = json_pack("{s:[]}", "groups");
		return *ret_reply ? 0 : -ENOMEM;
	}
	call->item = grp_call_string(call, "pid");
	r = grp_call_task(call, pid, &clone->id);
	if (r < 0)
		return r;
	clone->id.whole = !grp_call_flag(call, "thread");
	return grp_job_start(&clone->job, ret_reply);
}
