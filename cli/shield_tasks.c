/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tasks of a shield: what stands in the group around it is moved to the part
 * for the rest, by processes where all of a process is there, else by threads, and
 * in rounds until nothing is left that could be moved: who forks meanwhile does so
 * from one side or the other.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/cleanup_json.h"
#include "base/parse.h"
#include "shield.h"

/* Each round moves at least what the one before has seen; a fork bomb is no reason to go on. */
#define ROUNDS_MAX 100
/* Of the kernel's task_struct.flags, which /proc/PID/stat shows. */
#define PF_KTHREAD 0x00200000
#define PF_NO_SETAFFINITY 0x04000000
/*
 * The kernel's thread that makes the others; without the flag, but not to be moved either.
 * What its stat begins with.
 */
#define KTHREADD "2 ("

/* --- /proc/PID/stat ------------------------------------------------------------------ */

/* Counted from the state, which follows the name. */
enum {
	FIELD_FLAGS = 6,
	FIELD_THREADS = 17,
	FIELD_START = 19,
	FIELDS,
};

int grp_shield_parse_task(const char *stat, struct grp_shield_task *ret_task)
{
	const char *name_end = strrchr(stat, ')');
	_cleanup_free_ char *rest = name_end ? strdup(name_end + 1) : NULL;
	uint64_t fields[FIELDS] = { 0 };
	char *next = rest, *word;
	bool kernel;

	for (unsigned int i = 0; i < FIELDS;) {
		word = strsep(&next, " ");
		if (!word)
			return -EINVAL;
		if (!*word)
			continue;
		if ((i == FIELD_FLAGS || i == FIELD_THREADS || i == FIELD_START) &&
		    grp_parse_u64(word, 0, UINT64_MAX, &fields[i]))
			return -EINVAL;
		i++;
	}
	kernel = fields[FIELD_FLAGS] & PF_KTHREAD;
	*ret_task = (struct grp_shield_task){
		.kernel = kernel,
		.bound = (fields[FIELD_FLAGS] & PF_NO_SETAFFINITY) ||
			 (kernel && !strncmp(stat, KTHREADD, strlen(KTHREADD))),
		.start_ticks = fields[FIELD_START],
		.threads = (unsigned int)fields[FIELD_THREADS],
	};
	return 0;
}

static int read_task(pid_t pid, struct grp_shield_task *ret_task)
{
	_cleanup_fclose_ FILE *stream = NULL;
	char path[64], text[1024];
	size_t len;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	stream = fopen(path, "re");
	if (!stream)
		return -errno;
	len = fread(text, 1, sizeof(text) - 1, stream);
	text[len] = '\0';
	return len ? grp_shield_parse_task(text, ret_task) : -ESRCH;
}

/* --- one round -------------------------------------------------------------------------- */

struct round {
	struct grp_shield *shield;
	const json_t *tasks; /* threads that stand there */
	bool kthreads;
	json_t *given_up; /* ids that were refused, as keys; owned by the caller */
	json_t *left; /* owned */
	json_t *processes, *threads; /* PID@STARTTIME to be moved; owned */
};

static void round_done(struct round *round)
{
	json_decref(round->left);
	json_decref(round->processes);
	json_decref(round->threads);
}
#define _cleanup_round_ __attribute__((cleanup(round_done)))

static json_int_t number(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static unsigned int threads_there(const json_t *tasks, json_int_t tgid)
{
	unsigned int n = 0;
	const json_t *task;
	size_t i;

	json_array_foreach(tasks, i, task)
		n += number(task, "tgid") == tgid;
	return n;
}

static int leave(struct round *round, const json_t *task, const char *reason)
{
	json_t *entry = json_pack("{s:O, s:O, s:s}", "pid", json_object_get(task, "pid"), "command",
				  json_object_get(task, "command"), "reason", reason);

	return entry && json_array_append_new(round->left, entry) == 0 ? 0 : -ENOMEM;
}

/* Once for a process that is there as a whole, by its leader; else each thread. */
static int plan_user_task(struct round *round, const json_t *task,
			  const struct grp_shield_task *seen)
{
	json_int_t pid = number(task, "pid"), tgid = number(task, "tgid");
	bool whole = threads_there(round->tasks, tgid) == seen->threads;
	char id[64];

	if (whole && pid != tgid)
		return 0;
	(void)snprintf(id, sizeof(id), "%" JSON_INTEGER_FORMAT "@%llu", pid, seen->start_ticks);
	if (json_object_get(round->given_up, id))
		return 0;
	return json_array_append_new(whole ? round->processes : round->threads, json_string(id)) ?
		       -ENOMEM :
		       0;
}

static int plan_task(struct round *round, const json_t *task)
{
	struct grp_shield_task seen;

	if (read_task((pid_t)number(task, "pid"), &seen) < 0)
		return 0; /* gone meanwhile */
	if (seen.kernel && seen.bound)
		return leave(round, task, GRP_SHIELD_BOUND);
	if (seen.kernel && !round->kthreads)
		return leave(round, task, GRP_SHIELD_KERNEL);
	return plan_user_task(round, task, &seen);
}

static int plan(struct round *round)
{
	const json_t *task;
	size_t i;
	int r = 0;

	round->left = json_array();
	round->processes = json_array();
	round->threads = json_array();
	if (!round->left || !round->processes || !round->threads)
		return -ENOMEM;
	json_array_foreach(round->tasks, i, task) {
		r = plan_task(round, task);
		if (r)
			break;
	}
	return r;
}

/* Who has ended meanwhile is no failure. */
static int take_failures(struct round *round, const json_t *reply)
{
	_cleanup_json_ json_t *told = json_array();
	const json_t *failures = json_object_get(reply, "failures"), *failure;
	size_t i;

	if (!told)
		return -ENOMEM;
	json_array_foreach(failures, i, failure) {
		const char *item = json_string_value(json_object_get(failure, "item")) ?: "";
		const char *name = json_string_value(json_object_get(failure, "errno")) ?: "";

		if (json_object_set_new(round->given_up, item, json_true()) ||
		    (strcmp(name, "ESRCH") && json_array_append(told, (json_t *)failure)))
			return -ENOMEM;
	}
	if (!json_array_size(told))
		return 0;
	round->shield->failed = true;
	return json_object_set((json_t *)reply, "failures", told) ? -ENOMEM : 1;
}

static int move(struct round *round, const json_t *pids, bool thread)
{
	struct grp_shield *shield = round->shield;
	_cleanup_json_ json_t *reply = NULL;
	int status, r;

	if (!json_array_size(pids))
		return GRP_EXIT_DONE;
	status = grp_ctl_call(shield->ctl, "Attach",
			      json_pack("{s:[s], s:O, s:o*}", "groups",
					shield->part[GRP_SHIELD_SYSTEM], "pids", pids, "thread",
					thread ? json_true() : NULL),
			      shield->part[GRP_SHIELD_SYSTEM], &reply);
	if (status)
		return status;
	shield->moved += number(reply, "moved");
	r = take_failures(round, reply);
	if (r < 0)
		return grp_ctl_shown(shield->ctl, r);
	if (r)
		(void)grp_ctl_failures(shield->ctl, reply, NULL);
	return GRP_EXIT_DONE;
}

/* @ret_more: there was somebody to move. */
static int run_round(struct round *round, bool *ret_more)
{
	struct grp_shield *shield = round->shield;
	int status = grp_ctl_shown(shield->ctl, plan(round));

	if (!status)
		status = move(round, round->processes, false);
	if (!status)
		status = move(round, round->threads, true);
	if (status)
		return status;
	*ret_more = json_array_size(round->processes) || json_array_size(round->threads);
	json_decref(shield->left);
	shield->left = json_incref(round->left);
	return GRP_EXIT_DONE;
}

static int one_round(struct grp_shield *shield, bool kthreads, json_t *given_up, bool *ret_more)
{
	_cleanup_json_ json_t *reply = NULL;
	_cleanup_round_ struct round round = { .shield = shield,
					       .kthreads = kthreads,
					       .given_up = given_up };
	int status = grp_ctl_call(shield->ctl, "ListTasks",
				  json_pack("{s:s}", "group", shield->parent), shield->parent,
				  &reply);

	if (status)
		return status;
	round.tasks = json_object_get(reply, "tasks");
	return run_round(&round, ret_more);
}

int grp_shield_fill(struct grp_shield *shield, bool kthreads)
{
	_cleanup_json_ json_t *given_up = json_object();
	bool more = true;
	int status = given_up ? GRP_EXIT_DONE : grp_ctl_shown(shield->ctl, -ENOMEM);

	for (unsigned int i = 0; !status && more && i < ROUNDS_MAX; i++)
		status = one_round(shield, kthreads, given_up, &more);
	if (status || !more)
		return status;
	shield->failed = true;
	return grp_ctl_fail(shield->ctl, shield->parent,
			    "Its tasks fork faster than they are moved", "EAGAIN");
}
