/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The operations of users, each in a row of the table: how it is chosen, what the
 * model says, what is sent.
 */
#include "operation.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t state;

void random_seed(uint64_t seed)
{
	state = seed * 2 + 1;
}

/* xorshift64*: small, and its sequence is defined. */
unsigned int random_below(unsigned int n)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (unsigned int)((state * 2685821657736338717ULL) >> 33) % n;
}

#define PICK(table) ((table)[random_below(sizeof(table) / sizeof((table)[0]))])

/* --- choosing --------------------------------------------------------------------------- */

static const char *const hierarchy_names[] = { "default", "h1", "h2", "h3", "h4" };
static const char *const group_names[] = { "a", "b", "c", "d", "a b", "\xc3\xa4" };
static const char *const odd_names[] = {
	".", "..", "tasks", "cpuacct.usage", "cgroup.procs", "new\nline",
};
static const uid_t uids[] = { 0, 0, 0, 1001, 1002 };
static const unsigned int modes[] = { 0755, 0755, 0777, 0700, 0000, 0444, 0711 };

static void append(char *spec, const char *text)
{
	(void)snprintf(spec + strlen(spec), 600 - strlen(spec), "%s", text);
}

static void choose_name(char *spec)
{
	append(spec, "/");
	if (random_below(30))
		append(spec, PICK(group_names));
	else
		append(spec, PICK(odd_names));
}

static void choose_spec(char *spec, unsigned int depth)
{
	const char *hierarchy = PICK(hierarchy_names);

	spec[0] = '\0';
	if (strcmp(hierarchy, "default") != 0 || random_below(2)) {
		append(spec, hierarchy);
		append(spec, ":");
	}
	if (!depth)
		append(spec, "/");
	while (depth--)
		choose_name(spec);
}

/* Mostly one that is there. */
static void choose_group(const struct world *world, char *spec)
{
	unsigned int n = 0;
	char path[M_PATH];
	int group = 0;

	if (!random_below(5)) {
		choose_spec(spec, random_below(4));
		return;
	}
	for (int g = 0; g < M_GROUPS; g++)
		n += world->model.groups[g].live;
	n = random_below(n);
	while (!world->model.groups[group].live || n--)
		group++;
	model_path(&world->model, group, path);
	(void)snprintf(spec, 600, "%s:%s",
		       world->model.hierarchies[world->model.groups[group].hierarchy].names[0],
		       path);
}

static void choose_mkdir(const struct world *world, struct operation *op)
{
	choose_group(world, op->spec);
	if (op->spec[strlen(op->spec) - 1] == '/')
		op->spec[strlen(op->spec) - 1] = '\0';
	choose_name(op->spec);
	op->mode = PICK(modes);
}

static void choose_one(const struct world *world, struct operation *op)
{
	choose_group(world, op->spec);
}

static void choose_mv(const struct world *world, struct operation *op)
{
	char *slash;

	choose_group(world, op->spec);
	if (!random_below(4)) {
		choose_group(world, op->other);
		return;
	}
	/* Another name in the same place. */
	strcpy(op->other, op->spec);
	slash = strrchr(op->other, '/');
	if (slash)
		*slash = '\0';
	choose_name(op->other);
}

static void choose_pid(const struct world *world, struct operation *op)
{
	const struct m_task *task = &world->model.tasks[random_below(M_TASKS)];

	for (unsigned int i = 0; i < M_TASKS && !task->live; i++)
		if (++task == world->model.tasks + M_TASKS)
			task = world->model.tasks;
	op->pid = task->live && random_below(40) ? task->tid : 0x3fffffff;
}

static void choose_attach(const struct world *world, struct operation *op)
{
	choose_pid(world, op);
	choose_group(world, op->spec);
	op->has_other = !random_below(3);
	if (op->has_other)
		choose_group(world, op->other);
	op->whole = random_below(2);
}

/* Never out of a root: there are tasks that are not ours. */
static void choose_from(const struct world *world, struct operation *op)
{
	size_t len;

	choose_group(world, op->spec);
	choose_group(world, op->other);
	len = strlen(op->other);
	if (len && op->other[len - 1] == '/')
		append(op->other, "a");
}

static void choose_flag(const struct world *world, struct operation *op)
{
	static const char *const texts[] = { "0",  "1", "1\n", "0x1", "2",
					     "-1", "a", " 1",  "1a",  "18446744073709551616" };

	choose_group(world, op->spec);
	op->flag = random_below(M_FLAGS);
	strcpy(op->other, PICK(texts));
}

static void choose_inode(const struct world *world, struct operation *op)
{
	choose_group(world, op->spec);
	op->mode = PICK(modes);
	op->owner = PICK(uids);
	op->whole = random_below(2);
}

static void choose_mount(const struct world *world, struct operation *op)
{
	static const char *const more[] = {
		"noprefix", "clone_children", "none", "all", "bogus", ""
	};
	unsigned int n = random_below(3) + 1;

	strcpy(op->spec, PICK(hierarchy_names));
	op->has_other = random_below(12);
	op->other[0] = '\0';
	while (op->has_other && n--) {
		if (op->other[0])
			append(op->other, ",");
		append(op->other,
		       random_below(4) ?
			       world->model.subsystems[random_below(world->model.n_subsystems)] :
			       PICK(more));
	}
	/* An empty text is no options at all. */
	op->has_other = op->other[0];
}

static void choose_umount(const struct world *world, struct operation *op)
{
	strcpy(op->spec, PICK(hierarchy_names));
}

/* --- the model ------------------------------------------------------------------------------ */

static int predict_mkdir(struct model *model, const struct operation *op)
{
	return model_mkdir(model, op->uid, op->spec, op->mode);
}

static int predict_rmdir(struct model *model, const struct operation *op)
{
	return model_rmdir(model, op->uid, op->spec);
}

static int predict_mv(struct model *model, const struct operation *op)
{
	return model_mv(model, op->uid, op->spec, op->other);
}

static int predict_attach(struct model *model, const struct operation *op)
{
	const char *const specs[] = { op->spec, op->other };

	return model_attach(model, op->uid, specs, op->has_other ? 2 : 1, op->pid, op->whole);
}

static int predict_from(struct model *model, const struct operation *op)
{
	return model_attach_from(model, op->uid, op->spec, op->other);
}

static int predict_flag(struct model *model, const struct operation *op)
{
	return model_write_flag(model, op->uid, op->spec, op->flag, op->other);
}

static int predict_chmod(struct model *model, const struct operation *op)
{
	return model_chmod(model, op->uid, op->spec, op->mode);
}

static int predict_chown(struct model *model, const struct operation *op)
{
	return model_chown(model, op->uid, op->spec, op->owner, op->whole);
}

static const char *options_of(const struct operation *op)
{
	return op->has_other ? op->other : NULL;
}

static int predict_mount(struct model *model, const struct operation *op)
{
	return op->uid ? EPERM : model_mount(model, op->spec, options_of(op));
}

static int predict_remount(struct model *model, const struct operation *op)
{
	return op->uid ? EPERM : model_remount(model, op->spec, options_of(op));
}

static int predict_umount(struct model *model, const struct operation *op)
{
	return op->uid ? EPERM : model_umount(model, op->spec);
}

/* --- the agent ------------------------------------------------------------------------------ */

static json_t *group_and_mode(const struct operation *op)
{
	return json_pack("{s:[s], s:i}", "groups", op->spec, "mode", (int)op->mode);
}

static json_t *groups(const struct operation *op)
{
	return json_pack("{s:[s]}", "groups", op->spec);
}

static json_t *from_to(const struct operation *op)
{
	return json_pack("{s:s, s:s}", "from", op->spec, "to", op->other);
}

static json_t *groups_and_pid(const struct operation *op)
{
	char pid[16];

	(void)snprintf(pid, sizeof(pid), "%d", (int)op->pid);
	if (op->has_other)
		return json_pack("{s:[s, s], s:[s], s:b}", "groups", op->spec, op->other, "pids",
				 pid, "thread", !op->whole);
	return json_pack("{s:[s], s:[s], s:b}", "groups", op->spec, "pids", pid, "thread",
			 !op->whole);
}

static json_t *group_and_from(const struct operation *op)
{
	return json_pack("{s:[s], s:[], s:s}", "groups", op->spec, "pids", "from", op->other);
}

static json_t *file_and_value(const struct operation *op)
{
	return json_pack("{s:s, s:s, s:s}", "group", op->spec, "file", model_flag_name(op->flag),
			 "value", op->other);
}

static json_t *group_with_mode(const struct operation *op)
{
	return json_pack("{s:s, s:i}", "group", op->spec, "mode", (int)op->mode);
}

static json_t *group_and_owner(const struct operation *op)
{
	return json_pack("{s:s, s:i, s:b}", "group", op->spec, "uid", (int)op->owner, "members",
			 op->whole);
}

static json_t *name_and_options(const struct operation *op)
{
	return json_pack("{s:s, s:s?}", "name", op->spec, "options", options_of(op));
}

static json_t *only_name(const struct operation *op)
{
	return json_pack("{s:s}", "name", op->spec);
}

/* --- the table ------------------------------------------------------------------------------- */

static const struct operation_type types[] = {
	{ "mkdir", 22, choose_mkdir, predict_mkdir, "MakeGroups", group_and_mode, true },
	{ "rmdir", 12, choose_one, predict_rmdir, "RemoveGroups", groups },
	{ "mv", 8, choose_mv, predict_mv, "RenameGroup", from_to },
	{ "attach", 30, choose_attach, predict_attach, "Attach", groups_and_pid, true },
	{ "attach --from", 5, choose_from, predict_from, "Attach", group_and_from, true },
	{ "set", 8, choose_flag, predict_flag, "WriteFile", file_and_value },
	{ "chmod", 4, choose_inode, predict_chmod, "ChangeMode", group_with_mode },
	{ "chown", 4, choose_inode, predict_chown, "ChangeOwner", group_and_owner },
	{ "mount", 4, choose_mount, predict_mount, "Mount", name_and_options },
	{ "remount", 3, choose_mount, predict_remount, "Remount", name_and_options },
	{ "umount", 3, choose_umount, predict_umount, "Unmount", only_name },
};

void operation_choose(const struct world *world, struct operation *op)
{
	unsigned int sum = 0, at;

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		sum += types[i].weight;
	at = random_below(sum);
	*op = (struct operation){ .type = types, .uid = PICK(uids) };
	while (at >= op->type->weight)
		at -= op->type++->weight;
	op->type->choose(world, op);
}

/* Done, undone, or undone but for the mark that goes before it. */
bool operation_cut_off(const struct operation *op, const struct model *before, unsigned int n,
		       struct model *ret_after)
{
	char parent[sizeof(op->spec)], *slash;
	const char *specs[] = { op->spec, op->other };

	*ret_after = *before;
	if (n == 0)
		(void)op->type->predict(ret_after, op);
	if (n == 2 && op->type->enters) {
		strcpy(parent, op->spec);
		slash = strrchr(parent, '/');
		if (slash && op->type->predict == predict_mkdir) {
			slash[0] = '\0';
			if (!parent[0] || slash[-1] == ':')
				strcpy(slash, "/");
			specs[0] = parent;
		}
		model_mark(ret_after, specs, op->has_other ? 2 : 1);
	}
	model_release(ret_after);
	return n < 2 || (n == 2 && op->type->enters);
}

void operation_print(const struct operation *op, char *buf, size_t size)
{
	json_t *parameters = op->type->parameters(op);
	char *text = json_dumps(parameters, JSON_COMPACT);

	(void)snprintf(buf, size, "user %u: %s %s", (unsigned int)op->uid, op->type->name,
		       text ? text : "?");
	free(text);
	json_decref(parameters);
}
