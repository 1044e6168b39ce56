/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The model's tasks: births, exits and moves (TASK-*, FE-*).
 */
#include <errno.h>
#include <string.h>

#include "model.h"

unsigned int model_members(const struct model *model, int group)
{
	unsigned int n = 0;

	for (int t = 0; t < M_TASKS; t++)
		n += model->tasks[t].live &&
		     model->tasks[t].where[model->groups[group].hierarchy] == group;
	return n;
}

int model_birth(struct model *model, int parent, pid_t tid, pid_t tgid, uid_t uid)
{
	struct m_task *task = model->tasks;

	while (task->live)
		task++;
	for (int h = 0; h < M_HIERARCHIES; h++)
		task->where[h] = parent == NOWHERE ? model->hierarchies[h].root :
						     model->tasks[parent].where[h];
	task->live = true;
	task->tid = tid;
	task->tgid = tgid;
	task->uid = uid;
	return (int)(task - model->tasks);
}

void model_exit(struct model *model, pid_t tgid)
{
	for (int t = 0; t < M_TASKS; t++)
		if (model->tasks[t].tgid == tgid)
			model->tasks[t].live = false;
}

/* The groups of one placement; of one hierarchy there can be only one. */
static int find_targets(const struct model *model, uid_t uid, const char *const *specs, int n,
			int *target)
{
	for (int h = 0; h < M_HIERARCHIES; h++)
		target[h] = NOWHERE;
	for (int i = 0; i < n; i++) {
		int group, h, r = model_lookup(model, uid, specs[i], false, &group);

		if (r)
			return r;
		h = model->groups[group].hierarchy;
		if (target[h] != NOWHERE && target[h] != group)
			return EINVAL;
		target[h] = group;
	}
	return 0;
}

static int check_targets(const struct model *model, uid_t uid, const int *target)
{
	for (int h = 0; h < M_HIERARCHIES; h++)
		if (target[h] != NOWHERE && !model_may_attach(model, uid, target[h]))
			return EACCES;
	return 0;
}

static void move(struct m_task *task, const int *target)
{
	for (int h = 0; h < M_HIERARCHIES; h++)
		if (target[h] != NOWHERE)
			task->where[h] = target[h];
}

/* Somebody is to come into a group that is closed; who is there already may stay. */
static bool is_refused(struct model *model, const struct m_task *task, const int *target)
{
	int h = model->cpuset_at;

	return h != NOWHERE && target[h] != NOWHERE && model->groups[target[h]].closed &&
	       task->where[h] != target[h];
}

int model_attach(struct model *model, uid_t uid, const char *const *specs, int n, pid_t pid,
		 bool whole)
{
	const struct m_task *found = NULL;
	int target[M_HIERARCHIES];
	int r = find_targets(model, uid, specs, n, target);

	if (!r)
		r = check_targets(model, uid, target);
	for (int t = 0; !found && t < M_TASKS; t++)
		if (model->tasks[t].live && model->tasks[t].tid == pid)
			found = &model->tasks[t];
	if (!r && !found)
		r = ESRCH;
	if (!r && uid && uid != found->uid)
		r = EACCES;
	model_cpuset(model);
	for (int t = 0; !r && t < M_TASKS; t++)
		if (model->tasks[t].live &&
		    (whole ? model->tasks[t].tgid == found->tgid : &model->tasks[t] == found) &&
		    is_refused(model, &model->tasks[t], target))
			r = ENOSPC;
	for (int h = 0; !r && h < M_HIERARCHIES; h++)
		if (target[h] != NOWHERE)
			model_enter(model, target[h]);
	for (int t = 0; !r && t < M_TASKS; t++)
		if (model->tasks[t].live &&
		    (whole ? model->tasks[t].tgid == found->tgid : &model->tasks[t] == found))
			move(&model->tasks[t], target);
	return r;
}

int model_attach_from(struct model *model, uid_t uid, const char *spec, const char *from_spec)
{
	int target[M_HIERARCHIES], from, h, r = find_targets(model, uid, &spec, 1, target);

	if (!r)
		r = model_lookup(model, uid, from_spec, false, &from);
	/* Whose members they are has to be seen. */
	if (!r && !model_may_search(model, uid, from))
		r = EACCES;
	if (!r)
		r = check_targets(model, uid, target);
	if (r)
		return r;
	h = model->groups[from].hierarchy;
	if (target[h] == NOWHERE || target[h] == from)
		return EINVAL;
	model_cpuset(model);
	for (int t = 0; t < M_TASKS; t++)
		if (model->tasks[t].live && model->tasks[t].where[h] == from &&
		    is_refused(model, &model->tasks[t], target))
			return ENOSPC;
	for (int t = 0; t < M_TASKS; t++) {
		struct m_task *task = &model->tasks[t];

		if (!task->live || task->where[h] != from)
			continue;
		/* Others' stay; the caller hears of it. */
		if (uid && uid != task->uid)
			r = EACCES;
		else
			move(task, target);
	}
	/* Nobody may have been there to come. */
	if (model_members(model, target[h]))
		model_enter(model, target[h]);
	return r;
}
