/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * MakeGroups and RemoveGroups: many in one request, one group a step.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "core/inode.h"
#include "front/bulk.h"
#include "front/killer.h"
#include "front/methods.h"

/* mkdir(2) without a mode, as mkdir(1) calls it. */
#define MODE_ALL 0777
#define UMASK_DEFAULT 0022
/* What the parents made on the way need, so that one can go on below them. */
#define MODE_ON_THE_WAY 0300

static int failures_only(struct grp_bulk *bulk, json_t *failures, json_t **ret_reply)
{
	*ret_reply = json_pack("{s:O}", "failures", failures);
	return *ret_reply ? 0 : -ENOMEM;
}

/* --- making ------------------------------------------------------------------ */

static struct grp_lookup lookup_of(struct grp_call *call)
{
	return (struct grp_lookup){ .core = call->agent->core,
				    .caller = call->caller,
				    .error = &call->error };
}

static int make_one(struct grp_call *call, const char *spec, mode_t mode)
{
	const struct grp_lookup lookup = lookup_of(call);
	struct grp_place place;
	struct grp_group *group;
	int r;

	r = grp_group_lookup_place(&lookup, spec, &place);
	if (r < 0)
		return r;
	return grp_group_make(call->agent->core, place.parent, place.name, mode, call->caller,
			      &call->error, &group);
}

/* End of the next element of a path; NULL: there is none. */
static char *element_end(char *at)
{
	at += strspn(at, "/");
	return *at ? at + strcspn(at, "/") : NULL;
}

/* Cuts the path behind each of its elements in turn and makes what is missing. */
static int make_with_parents(struct grp_call *call, char *spec, mode_t mode, mode_t above)
{
	const struct grp_lookup lookup = lookup_of(call);
	struct grp_group *group;
	int r;

	for (char *end = element_end(strchrnul(spec, '/')); end; end = element_end(end)) {
		bool is_last = !element_end(end);
		char cut = *end;

		*end = '\0';
		r = grp_group_lookup(&lookup, spec, &group);
		if (r == -ENOENT)
			r = make_one(call, spec, is_last ? mode : above);
		*end = cut;
		if (r < 0)
			return r;
	}
	return grp_group_lookup(&lookup, spec, &group);
}

static int make_item(struct grp_bulk *bulk, const char *item)
{
	struct grp_call *call = bulk->job.call;
	mode_t usual = MODE_ALL & ~(mode_t)grp_call_number(call, "umask", UMASK_DEFAULT);
	mode_t mode = (mode_t)grp_call_number(call, "mode", usual);
	_cleanup_free_ char *spec = NULL;
	int r;

	r = grp_text_unescape(item, &spec, NULL);
	if (r == -EINVAL)
		return grp_error_set(&call->error, EINVAL, "\\x00 cannot be in a name");
	if (r < 0)
		return r;
	if (grp_call_flag(call, "parents"))
		return make_with_parents(call, spec, mode, usual | MODE_ON_THE_WAY);
	return make_one(call, spec, mode);
}

static const struct grp_bulk_type make_type = {
	.job = GRP_BULK_JOB(struct grp_bulk),
	.item = make_item,
	.finish = failures_only,
};

int grp_method_make_groups(struct grp_call *call, json_t **ret_reply)
{
	struct grp_bulk *bulk = grp_bulk_new(call, &make_type, grp_call_array(call, "groups"));

	return bulk ? grp_job_start(&bulk->job, ret_reply) : -ENOMEM;
}

/* --- removing ---------------------------------------------------------------- */

enum remove_phase {
	REMOVE_BEGIN,
	REMOVE_KILL,
	REMOVE_GROUPS,
};

struct remove {
	struct grp_bulk bulk; /* first */
	enum remove_phase phase;
	struct grp_killer killer;
	uint32_t *ids; /* the subtree, parents first; removed from the end */
	size_t n;
	bool failed; /* something below the item stays */
};

static void remove_done(struct grp_bulk *bulk)
{
	struct remove *remove = (struct remove *)bulk;

	grp_killer_done(&remove->killer);
	free(remove->ids);
}

/* What the caller cannot see below is left out, and keeps the group busy. */
static struct grp_group *next_to_remove(const struct remove *remove, const struct grp_group *top,
					const struct grp_group *at)
{
	const struct grp_call *call = remove->bulk.job.call;

	return grp_call_flag(call, "recursive") ? grp_group_next_listed(top, at, call->caller) :
						  NULL;
}

static int collect(struct remove *remove, const struct grp_group *top)
{
	const struct grp_group *at;
	size_t n = 0;

	for (at = top; at; at = next_to_remove(remove, top, at))
		n++;
	remove->ids = reallocarray(NULL, n, sizeof(*remove->ids));
	if (!remove->ids)
		return -ENOMEM;
	for (at = top; at; at = next_to_remove(remove, top, at))
		remove->ids[remove->n++] = at->id;
	return 0;
}

/* Nothing is killed or removed below for the sake of a group that has to stay. */
static int check_top(struct grp_call *call, const struct grp_group *group)
{
	if (!group->parent)
		return grp_error_set(&call->error, EBUSY, "the root of a hierarchy stays");
	return grp_group_may_remove(group, call->caller, &call->error);
}

static int remove_begin(struct remove *remove, const char *item)
{
	struct grp_call *call = remove->bulk.job.call;
	bool recursive = grp_call_flag(call, "recursive");
	bool kills = grp_call_flag(call, "kill");
	struct grp_group *group;
	int r;

	grp_killer_done(&remove->killer);
	free(remove->ids);
	remove->ids = NULL;
	remove->n = 0;
	remove->failed = false;
	r = grp_call_group_any(call, item, &group);
	if (r == 0 && (kills || recursive))
		r = check_top(call, group);
	if (r == 0)
		r = collect(remove, group);
	if (r < 0)
		return r;
	remove->killer = (struct grp_killer){
		.group = group->id,
		.recursive = recursive,
		.signal = SIGKILL,
	};
	remove->phase = kills ? REMOVE_KILL : REMOVE_GROUPS;
	return GRP_JOB_AGAIN;
}

/* Of a group below the item: it is named as it is called, not as was asked. */
static int add_failure(struct remove *remove, const struct grp_group *group, int result)
{
	_cleanup_free_ char *text = NULL;
	struct grp_call *call = remove->bulk.job.call;
	int r = grp_group_text_full(group, &text);

	remove->failed = true;
	return r < 0 ? r : grp_failure_add(remove->bulk.failures, text, result, &call->error);
}

/* The last of the list. The item itself comes at the end and is told by result. */
static int remove_next(struct remove *remove)
{
	struct grp_call *call = remove->bulk.job.call;
	struct grp_core *core = call->agent->core;
	struct grp_group *group = grp_group_by_id(core, remove->ids[remove->n - 1]);
	bool is_item = remove->n == 1;
	int r;

	remove->n--;
	if (!group || group->dying)
		return is_item ? 0 : GRP_JOB_AGAIN;
	grp_jobs_observe(call->agent);
	call->error = (struct grp_error){ .number = 0 };
	r = grp_group_remove(core, group, call->caller, &call->error);
	if (r == -EBUSY && grp_call_flag(call, "kill") && grp_group_tasks(core, group) &&
	    !grp_job_late(&remove->bulk.job)) {
		remove->n++; /* somebody came in after the last was killed */
		remove->phase = REMOVE_KILL;
		return GRP_JOB_AGAIN;
	}
	/* What is above a group that stays has to stay as well: said once is enough. */
	if (r == -EBUSY && remove->failed && group->n_children)
		r = 0;
	if (is_item)
		return r;
	if (r < 0)
		r = add_failure(remove, group, r);
	return r < 0 ? r : GRP_JOB_AGAIN;
}

static int remove_item(struct grp_bulk *bulk, const char *item)
{
	struct remove *remove = (struct remove *)bulk;
	int r = GRP_JOB_AGAIN;

	switch (remove->phase) {
	case REMOVE_BEGIN:
		r = remove_begin(remove, item);
		break;
	case REMOVE_KILL:
		r = grp_killer_step(&remove->killer, &bulk->job);
		if (r == 0) {
			remove->phase = REMOVE_GROUPS;
			r = GRP_JOB_AGAIN;
		}
		break;
	case REMOVE_GROUPS:
		r = remove_next(remove);
		break;
	}
	if (r <= 0)
		remove->phase = REMOVE_BEGIN;
	return r;
}

static const struct grp_bulk_type remove_type = {
	.job = GRP_BULK_JOB(struct remove),
	.item = remove_item,
	.finish = failures_only,
	.done = remove_done,
};

int grp_method_remove_groups(struct grp_call *call, json_t **ret_reply)
{
	struct remove *remove = grp_bulk_new(call, &remove_type, grp_call_array(call, "groups"));

	return remove ? grp_job_start(&remove->bulk.job, ret_reply) : -ENOMEM;
}
