/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Everything that users can see of the tree and of the tasks, against the model.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "operation.h"

/* Tries, and between two of them 10 ms. */
#define TRIES_LOUD 500
#define TRIES_QUIET 20

static bool loud;

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void say(const char *format, ...)
{
	va_list args;

	if (!loud)
		return;
	va_start(args, format);
	(void)vfprintf(stderr, format, args);
	va_end(args);
}

static const char *text(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value ? value : "";
}

static json_int_t number(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static bool differs(const char *what, const char *where, long long agent, long long model)
{
	if (agent == model)
		return false;
	say("%s of %s: the agent says %lld, the model %lld\n", what, where, agent, model);
	return true;
}

/* An empty array when it is refused: then what is asked for is not there. */
static json_t *ask(const char *method, json_t *parameters, const char *key)
{
	json_t *reply = NULL, *array;
	int r = agent_call(0, method, parameters, &reply);

	if (r)
		say("%s: the agent says %s\n", method, strerror(r));
	array = r ? json_array() : json_incref(json_object_get(reply, key));
	json_decref(reply);
	return array;
}

/* --- groups ------------------------------------------------------------------------------- */

static unsigned int flags_of(const json_t *object)
{
	const json_t *array = json_object_get(object, "flags"), *name;
	unsigned int flags = 0;
	size_t i;

	json_array_foreach(array, i, name)
		for (unsigned int flag = 0; flag < M_FLAGS; flag++)
			if (!strcmp(json_string_value(name), model_flag_name(flag)))
				flags |= 1U << flag;
	return flags;
}

static bool same_group(const struct model *model, const char *hierarchy, const json_t *object)
{
	char spec[M_PATH + 32];
	const struct m_group *group;
	int index;

	(void)snprintf(spec, sizeof(spec), "%s:%s", hierarchy, text(object, "group"));
	if (model_find(model, spec, false, &index)) {
		say("%s: not in the model\n", spec);
		return false;
	}
	group = &model->groups[index];
	if (differs("owner", spec, number(object, "uid"), group->uid) ||
	    differs("mode", spec, number(object, "mode"), group->mode) ||
	    differs("flags", spec, flags_of(object), group->flags) ||
	    differs("children", spec, number(object, "children"), model_children(model, index)))
		return false;
	/* A root has tasks that are not ours. */
	return group->parent == NOWHERE ||
	       !differs("tasks", spec, number(object, "tasks"), model_members(model, index));
}

static long long groups_of(const struct model *model, int hierarchy)
{
	long long n = 0;

	for (int g = 0; g < M_GROUPS; g++)
		n += model->groups[g].live && model->groups[g].hierarchy == hierarchy;
	return n;
}

static bool same_tree(const struct model *model, int hierarchy)
{
	const char *name = model->hierarchies[hierarchy].names[0];
	char root[40];
	json_t *array, *object;
	size_t i;
	bool good = true;

	(void)snprintf(root, sizeof(root), "%s:/", name);
	array = ask("ListGroups", json_pack("{s:s, s:b}", "group", root, "recursive", 1), "groups");
	json_array_foreach(array, i, object)
		good = same_group(model, name, object) && good;
	if (differs("number of groups", root, (long long)json_array_size(array),
		    groups_of(model, hierarchy)))
		good = false;
	json_decref(array);
	return good;
}

/* --- hierarchies -------------------------------------------------------------------------- */

/* By which names it is mounted; the order is that of mounting. */
static bool same_names(const struct m_hierarchy *hierarchy, const json_t *object)
{
	const json_t *aliases = json_object_get(object, "aliases"), *alias;
	bool good = !differs("mounted", text(object, "name"),
			     json_is_true(json_object_get(object, "mounted")),
			     !hierarchy->unmounted) &&
		    !differs("number of names", text(object, "name"),
			     (long long)json_array_size(aliases) + 1, hierarchy->n_names);
	size_t i;

	json_array_foreach(aliases, i, alias) {
		if (!good || !strcmp(json_string_value(alias), hierarchy->names[i + 1]))
			continue;
		say("name of %s: the agent says %s, the model %s\n", text(object, "name"),
		    json_string_value(alias), hierarchy->names[i + 1]);
		good = false;
	}
	return good;
}

static bool same_hierarchies(const struct model *model)
{
	json_t *array = ask("ListHierarchies", NULL, "hierarchies"), *object, *item;
	size_t i, j, expected = 0;
	bool good = true;

	json_array_foreach(array, i, object) {
		uint32_t mask = 0;
		int h = 0;

		while (h < M_HIERARCHIES &&
		       !(model->hierarchies[h].live &&
			 !strcmp(model->hierarchies[h].names[0], text(object, "name"))))
			h++;
		if (h == M_HIERARCHIES) {
			say("hierarchy %s: not in the model\n", text(object, "name"));
			good = false;
			continue;
		}
		json_array_foreach(json_object_get(object, "subsystems"), j, item)
			for (unsigned int s = 0; s < model->n_subsystems; s++)
				if (!strcmp(model->subsystems[s], json_string_value(item)))
					mask |= 1U << s;
		good = same_names(&model->hierarchies[h], object) && good;
		/* All that can be seen of one that is not mounted. */
		if (differs("subsystems", text(object, "name"), mask, model_bound(model, h)) ||
		    differs("groups", text(object, "name"), number(object, "groups"),
			    groups_of(model, h)))
			good = false;
	}
	for (int h = 0; h < M_HIERARCHIES; h++)
		expected += model->hierarchies[h].live;
	if (differs("number", "hierarchies", (long long)json_array_size(array),
		    (long long)expected))
		good = false;
	json_decref(array);
	return good;
}

/* --- tasks --------------------------------------------------------------------------------- */

static bool same_place(const struct model *model, const struct m_task *task, const json_t *place)
{
	char path[M_PATH];
	int h = 0;

	while (h < M_HIERARCHIES &&
	       !(model->hierarchies[h].live &&
		 !strcmp(model->hierarchies[h].names[0], text(place, "hierarchy"))))
		h++;
	if (h == M_HIERARCHIES)
		return false;
	model_path(model, task->where[h], path);
	if (!strcmp(path, text(place, "group")))
		return true;
	say("task %d in %s: the agent says %s, the model %s\n", (int)task->tid,
	    model->hierarchies[h].names[0], text(place, "group"), path);
	return false;
}

static const struct m_task *task_of(const struct model *model, json_int_t tid)
{
	for (int t = 0; t < M_TASKS; t++)
		if (model->tasks[t].live && model->tasks[t].tid == tid)
			return &model->tasks[t];
	return NULL;
}

static bool same_tasks(const struct model *model)
{
	json_t *pids = json_array(), *array, *object, *place;
	size_t i, j, expected = 0;
	bool good = true;
	char tid[16];

	for (int t = 0; t < M_TASKS; t++) {
		if (!model->tasks[t].live)
			continue;
		(void)snprintf(tid, sizeof(tid), "%d", (int)model->tasks[t].tid);
		json_array_append_new(pids, json_string(tid));
		expected++;
	}
	array = ask("WhichTasks", json_pack("{s:o}", "pids", pids), "placements");
	json_array_foreach(array, i, object) {
		const struct m_task *task = task_of(model, number(object, "pid"));

		json_array_foreach(json_object_get(object, "places"), j, place)
			good = task && same_place(model, task, place) && good;
	}
	if (differs("number", "tasks", (long long)json_array_size(array), (long long)expected))
		good = false;
	json_decref(array);
	return good;
}

static bool same_now(const struct model *model)
{
	bool good = same_hierarchies(model);

	for (int h = 0; h < M_HIERARCHIES; h++)
		if (model->hierarchies[h].live && !model->hierarchies[h].unmounted)
			good = same_tree(model, h) && good;
	return same_tasks(model) && good;
}

bool same(const struct model *model, bool say_what)
{
	const struct timespec pause = { 0, 10000000 };
	unsigned int tries = say_what ? TRIES_LOUD : TRIES_QUIET;
	bool good = same_now(model);

	while (!good && --tries) {
		(void)nanosleep(&pause, NULL);
		loud = say_what && tries == 1;
		good = same_now(model);
	}
	loud = false;
	return good;
}
