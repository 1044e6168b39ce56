/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Jobs over a list of items, see bulk.h.
 */
#include "front/bulk.h"

#include <errno.h>
#include <string.h>

void *grp_bulk_new(struct grp_call *call, const struct grp_bulk_type *type, json_t *items)
{
	struct grp_bulk *bulk = grp_job_new(call, &type->job);

	if (!bulk)
		return NULL;
	bulk->type = type;
	bulk->items = json_incref(items);
	bulk->failures = json_array();
	return bulk->items && bulk->failures ? bulk : NULL;
}

void grp_bulk_done(struct grp_job *job)
{
	struct grp_bulk *bulk = (struct grp_bulk *)job;

	if (bulk->type->done)
		bulk->type->done(bulk);
	json_decref(bulk->items);
	json_decref(bulk->failures);
}

int grp_bulk_step(struct grp_job *job, json_t **ret_reply)
{
	struct grp_bulk *bulk = (struct grp_bulk *)job;
	struct grp_error *error = &job->call->error;
	const char *item;
	int r;

	if (bulk->at == json_array_size(bulk->items))
		return bulk->type->finish(bulk, bulk->failures, ret_reply);
	item = json_string_value(json_array_get(bulk->items, bulk->at));
	r = bulk->type->item(bulk, item);
	if (r == GRP_JOB_WAIT && grp_job_late(job))
		r = -ETIMEDOUT;
	if (r > 0)
		return r;
	if (r < 0)
		r = grp_failure_add(bulk->failures, item, r, error);
	/* The reason was of this item; the next has its own, and its own time. */
	*error = (struct grp_error){ .number = 0 };
	job->call->item = NULL;
	grp_job_renew(job);
	bulk->at++;
	return r < 0 ? r : GRP_JOB_AGAIN;
}
