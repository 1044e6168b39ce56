/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Subsystem debug (DBG-1...3): what the core knows of a group and of the task that
 * reads, as numbers. It has no state and takes part in nothing. CONTRIBUTING.md
 * shows with it how a subsystem is added.
 */
#include <errno.h>
#include <inttypes.h>

#include "subsys/subsys.h"

static int print(FILE *out, uint64_t number)
{
	(void)fprintf(out, "%" PRIu64 "\n", number);
	return 0;
}

static int read_taskcount(const struct grp_file_access *access, FILE *out)
{
	return print(out, grp_group_tasks(access->core, access->group));
}

static int read_refcount(const struct grp_file_access *access, FILE *out)
{
	return print(out, grp_group_refcount(access->core, access->group));
}

/* REL-3: the core keeps the mark only while somebody wants to hear of a release. */
static int read_releasable(const struct grp_file_access *access, FILE *out)
{
	return print(out, access->group->flags & GRP_GROUP_ENTERED ? 1 : 0);
}

/* The set of the client, as by TASK-6; the group that is read plays no part. */
static int find_reader(const struct grp_file_access *access, const struct grp_set **ret_set)
{
	const struct grp_task_id id = { .tid = access->caller->pid };
	struct grp_member member;
	int r = grp_task_find(access->core, &id, access->caller, &member);

	if (r == -ESRCH)
		(void)grp_error_set(access->error, ESRCH,
				    "the agent cannot see the task that reads, so there is no "
				    "current set");
	if (!r)
		*ret_set = member.set;
	return r;
}

static int read_set(const struct grp_file_access *access, FILE *out)
{
	const struct grp_set *set;
	int r = find_reader(access, &set);

	return r ?: print(out, set->id);
}

static int read_set_refcount(const struct grp_file_access *access, FILE *out)
{
	const struct grp_set *set;
	int r = find_reader(access, &set);

	return r ?: print(out, grp_set_tasks(access->core, set));
}

#define NUMBER(NAME, READ, HELP)                                                   \
	{                                                                          \
		.name = NAME, .mode = 0444, .unit = "", .help = HELP, .read = READ \
	}

static const struct grp_file files[] = {
	NUMBER("taskcount", read_taskcount, "own tasks"),
	NUMBER("refcount", read_refcount,
	       "sets with tasks, child groups and references that keep it busy"),
	NUMBER("current_set", read_set, "membership set of the task that reads"),
	NUMBER("current_set_refcount", read_set_refcount, "tasks in that set"),
	NUMBER("releasable", read_releasable, "1: it is released when it gets empty"),
};

const struct grp_subsystem grp_debug = {
	.name = "debug",
	.files = files,
	.n_files = sizeof(files) / sizeof(*files),
};
