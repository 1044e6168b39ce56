/* SPDX-License-Identifier: GPL-2.0-only */
#include "place/migrate.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "place/proc.h"

static enum grp_place_result refusal(int error)
{
	switch (error) {
	case ESRCH:
		return GRP_PLACE_GONE;
	case EPERM:
	case EACCES:
		return GRP_PLACE_DENIED;
	default:
		return GRP_PLACE_REFUSED;
	}
}

static enum grp_place_result look_at(const struct grp_place_request *request)
{
	struct grp_place_status status;

	if (grp_place_status(request->tid, &status) < 0 || status.state == 'Z' ||
	    (request->start_ticks && request->start_ticks != status.start_ticks))
		return GRP_PLACE_GONE;
	return status.kernel_thread ? GRP_PLACE_KERNEL : GRP_PLACE_DONE;
}

void grp_place_migrate(const struct grp_place_request *request, struct grp_place_reply *reply)
{
	long left;

	*reply = (struct grp_place_reply){
		.id = request->id, .tid = request->tid, .result = look_at(request), .attempts = 1
	};
	if (reply->result != GRP_PLACE_DONE)
		return;
	/* The kernel takes one bit less than it is told. */
	left = syscall(SYS_migrate_pages, request->tid, GRP_PLACE_NODES_MAX + 1, request->from,
		       request->nodes);
	if (left < 0) {
		reply->error = errno;
		reply->result = refusal(reply->error);
		return;
	}
	reply->left = left < UINT32_MAX ? (uint32_t)left : UINT32_MAX;
}
