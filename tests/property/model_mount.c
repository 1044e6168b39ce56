/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The model's hierarchies (HIER-*, design 6.4).
 */
#include <errno.h>
#include <string.h>

#include "model.h"

struct options {
	uint32_t mask;
	bool none, noprefix, clone_children;
	int release_agents;
};

static uint32_t all(const struct model *model)
{
	return (1U << model->n_subsystems) - 1;
}

static uint32_t claimed(const struct model *model)
{
	uint32_t mask = 0;

	for (int h = 0; h < M_HIERARCHIES; h++)
		if (model->hierarchies[h].live && !model->hierarchies[h].any)
			mask |= model->hierarchies[h].mask;
	return mask & ~model->shareable;
}

uint32_t model_bound(const struct model *model, int hierarchy)
{
	if (model->hierarchies[hierarchy].any)
		return all(model) & ~claimed(model);
	return model->hierarchies[hierarchy].mask;
}

static int parse_token(const struct model *model, const char *token, size_t len,
		       struct options *options)
{
	static const char agent[] = "release_agent=";

	if (!len)
		return EINVAL;
	if (len >= strlen(agent) && !memcmp(token, agent, strlen(agent)))
		return options->release_agents++ ? EINVAL : 0;
	for (unsigned int i = 0; i < model->n_subsystems; i++)
		if (strlen(model->subsystems[i]) == len &&
		    !memcmp(model->subsystems[i], token, len)) {
			options->mask |= 1U << i;
			return 0;
		}
	if (len == 3 && !memcmp(token, "all", 3))
		options->mask = all(model);
	else if (len == 4 && !memcmp(token, "none", 4))
		options->none = true;
	else if (len == 8 && !memcmp(token, "noprefix", 8))
		options->noprefix = true;
	else if (len == 14 && !memcmp(token, "clone_children", 14))
		options->clone_children = true;
	else
		return ENOENT;
	return 0;
}

static int parse(const struct model *model, const char *text, struct options *options)
{
	const char *end;
	int r;

	*options = (struct options){ 0 };
	if (!text) {
		options->mask = all(model);
		return 0;
	}
	for (;; text = end + 1) {
		end = text + strcspn(text, ",");
		r = parse_token(model, text, (size_t)(end - text), options);
		if (r)
			return r;
		if (!*end)
			break;
	}
	return options->none == (options->mask != 0) ? EINVAL : 0;
}

static int find(const struct model *model, const char *name)
{
	for (int h = 0; h < M_HIERARCHIES; h++)
		for (int i = 0; i < model->hierarchies[h].n_names; i++)
			if (model->hierarchies[h].live &&
			    !strcmp(model->hierarchies[h].names[i], name))
				return h;
	return NOWHERE;
}

static int find_equal(const struct model *model, const struct options *options)
{
	for (int h = 0; h < M_HIERARCHIES; h++) {
		const struct m_hierarchy *hierarchy = &model->hierarchies[h];

		if (hierarchy->live && !hierarchy->any && hierarchy->mask == options->mask &&
		    options->mask & ~model->shareable && hierarchy->noprefix == options->noprefix)
			return h;
	}
	return NOWHERE;
}

/* Without prefixes the test subsystems' files have the same names. */
static int check_bare(const struct model *model, const struct options *options)
{
	int alike = 0;

	for (unsigned int i = 0; i < model->n_subsystems; i++)
		alike += options->mask & (1U << i) && model->subsystems[i][0] == 'x';
	return options->noprefix && alike > 1 ? EINVAL : 0;
}

static int check_bound(const struct model *model, uint32_t added)
{
	int fallback = find(model, "default");

	added &= ~model->shareable;
	if (added & claimed(model))
		return EBUSY;
	return added && model_children(model, model->hierarchies[fallback].root) ? EBUSY : 0;
}

static int make(struct model *model, const char *name, const struct options *options, bool any)
{
	struct m_group *root = model->groups;
	int h = 0;

	while (h < M_HIERARCHIES && model->hierarchies[h].live)
		h++;
	if (h == M_HIERARCHIES)
		return ENOSPC;
	while (root->live)
		root++;
	*root = (struct m_group){
		.live = true,
		.hierarchy = h,
		.parent = NOWHERE,
		.mode = 0755,
		.flags = options->clone_children ? M_CLONE_CHILDREN : 0,
	};
	model->hierarchies[h] = (struct m_hierarchy){
		.live = true,
		.any = any,
		.noprefix = options->noprefix,
		.mask = options->mask,
		.n_names = 1,
		.root = (int)(root - model->groups),
	};
	strcpy(model->hierarchies[h].names[0], name);
	for (int t = 0; t < M_TASKS; t++)
		model->tasks[t].where[h] = model->hierarchies[h].root;
	return 0;
}

static int cpuset_hierarchy(const struct model *model)
{
	for (unsigned int i = 0; i < model->n_subsystems; i++)
		for (int h = 0; !strcmp(model->subsystems[i], "cpuset") && h < M_HIERARCHIES; h++)
			if (model->hierarchies[h].live && model_bound(model, h) & (1U << i))
				return h;
	return NOWHERE;
}

bool model_is_closed(const struct model *model, int parent)
{
	const struct m_group *from = &model->groups[parent];

	return from->hierarchy == model->cpuset_at &&
	       (from->closed || !(from->flags & M_CLONE_CHILDREN));
}

/* Parents before children, which may stand anywhere in the table. */
static void open_below(struct model *model, int parent)
{
	for (int g = 0; g < M_GROUPS; g++) {
		if (!model->groups[g].live || model->groups[g].parent != parent)
			continue;
		model->groups[g].closed = model_is_closed(model, parent);
		open_below(model, g);
	}
}

void model_cpuset(struct model *model)
{
	int h = cpuset_hierarchy(model);

	if (h == model->cpuset_at)
		return;
	model->cpuset_at = h;
	if (h != NOWHERE)
		open_below(model, model->hierarchies[h].root);
}

void model_init(struct model *model)
{
	const struct options options = { .clone_children = true };

	(void)make(model, "default", &options, true);
	model->cpuset_at = NOWHERE;
}

int model_mount(struct model *model, const char *name, const char *text)
{
	struct m_hierarchy *hierarchy;
	struct options options;
	int h, r = parse(model, text, &options);

	if (r)
		return r;
	h = find(model, name);
	if (h != NOWHERE && (model_bound(model, h) != options.mask ||
			     model->hierarchies[h].noprefix != options.noprefix))
		return EBUSY;
	if (h == NOWHERE)
		h = find_equal(model, &options);
	if (h == NOWHERE) {
		r = check_bound(model, options.mask);
		if (!r)
			r = check_bare(model, &options);
		return r ? r : make(model, name, &options, false);
	}
	hierarchy = &model->hierarchies[h];
	if (hierarchy->unmounted)
		hierarchy->n_names = 0;
	else if (find(model, name) == h)
		return 0;
	if (hierarchy->n_names == M_NAMES)
		return ENOSPC;
	strcpy(hierarchy->names[hierarchy->n_names++], name);
	hierarchy->unmounted = false;
	return 0;
}

int model_remount(struct model *model, const char *name, const char *text)
{
	struct m_hierarchy *hierarchy;
	struct options options;
	uint32_t now;
	int h, r = parse(model, text, &options);

	if (r)
		return r;
	h = find(model, name);
	if (h == NOWHERE || model->hierarchies[h].unmounted)
		return ENOENT;
	hierarchy = &model->hierarchies[h];
	now = model_bound(model, h);
	if (hierarchy->noprefix != options.noprefix)
		return EINVAL;
	/* It is a flag of the root, and set there. */
	if (options.clone_children && !(model->groups[hierarchy->root].flags & M_CLONE_CHILDREN))
		return EINVAL;
	if (now != options.mask) {
		r = check_bound(model, options.mask & ~now);
		if (!r && (hierarchy->any || model_children(model, hierarchy->root)))
			r = EBUSY;
		if (!r)
			r = check_bare(model, &options);
		if (r)
			return r;
		hierarchy->mask = options.mask;
	}
	return 0;
}

int model_umount(struct model *model, const char *name)
{
	struct m_hierarchy *hierarchy;
	int h = find(model, name), kept = 0;

	if (h == NOWHERE || model->hierarchies[h].unmounted)
		return ENOENT;
	hierarchy = &model->hierarchies[h];
	if (hierarchy->any)
		return EBUSY;
	if (hierarchy->n_names > 1) {
		for (int i = 0; i < hierarchy->n_names; i++)
			if (strcmp(hierarchy->names[i], name) != 0)
				memmove(hierarchy->names[kept++], hierarchy->names[i],
					sizeof(hierarchy->names[i]));
		hierarchy->n_names = kept;
	} else if (model_children(model, hierarchy->root)) {
		hierarchy->unmounted = true;
	} else {
		model->groups[hierarchy->root].live = false;
		hierarchy->live = false;
	}
	return 0;
}
