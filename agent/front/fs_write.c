/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Writes to control files. One write is one operation, whatever its offset (FILE-5).
 * A process that forks faster than it is moved is tried again between other requests;
 * its writer waits meanwhile, and may be interrupted. So he does until those whom it
 * confines are on their CPUs, be it himself.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "agent.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "core/place.h"
#include "front/attaching.h"
#include "front/connection.h"
#include "front/fs_internal.h"
#include "front/jobs.h"
#include "placing.h"

/* One that is not answered yet. */
struct grp_fs_write {
	struct grp_fs_write *prev, *next;
	struct grp_fs_request request; /* its groups are owned */
	uint32_t group; /* id: it is found anew each time */
	char file[GRP_FILE_VISIBLE_MAX];
	size_t size;
	bool moving; /* else it is done, and those concerned are put on their CPUs: */
	struct grp_attaching attaching;
	uint64_t ticket;
	uint64_t deadline_usec;
	sd_event_source *timer;
};

static void answer(struct grp_fs_request *request, const struct grp_group *group, const char *file,
		   size_t size, int r)
{
	if (group)
		grp_fs_changed(request, "write", group, file, r);
	if (r < 0)
		grp_fs_reply(request->req, r);
	else
		(void)fuse_reply_write(request->req, size);
}

/* --- what goes on --------------------------------------------------------------------------- */

static void write_free(struct grp_fs_write *write)
{
	grp_attaching_leave(&write->attaching, write->request.mount->fs->agent);
	DL_DELETE(write->request.mount->writes, write);
	sd_event_source_disable_unref(write->timer);
	grp_fs_request_done(&write->request);
	free(write);
}

static void finish(struct grp_fs_write *write, int r)
{
	struct grp_group *group = grp_group_by_id(write->request.core, write->group);

	write->request.mount->fs->interrupted += r == -EINTR;
	answer(&write->request, group && !group->dying ? group : NULL, write->file, write->size, r);
	write_free(write);
}

/* Return: 0: that was all; -EAGAIN: not yet; -errno. */
static int look_again(struct grp_fs_write *write)
{
	struct grp_fs_request *request = &write->request;
	struct grp_agent *agent = request->mount->fs->agent;
	int r = 0;

	if (write->moving)
		r = grp_attaching_try(&write->attaching, agent, &request->caller, &request->error);
	if (r < 0)
		return r == -ENOENT ? -ENODEV : r;
	if (write->moving)
		write->ticket = write->attaching.ticket;
	write->moving = false;
	return grp_placing_settled(agent, write->ticket) ? 0 : -EAGAIN;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *data)
{
	struct grp_fs_write *write = data;
	int r;

	/* What is written stays written. */
	if (fuse_req_interrupted(write->request.req))
		r = write->moving ? -EINTR : 0;
	else
		r = look_again(write);
	if (r == -EAGAIN && grp_now_usec() < write->deadline_usec) {
		r = sd_event_source_set_time_relative(source, GRP_ATTACHING_PAUSE_USEC);
		if (r >= 0)
			r = sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
		if (r >= 0)
			return 0;
	}
	finish(write, r == -EAGAIN && !write->moving ? -ETIMEDOUT : r);
	return 0;
}

/*
 * The request and what it owns are taken over. @attaching: what is not done yet; NULL:
 * it is, up to placement. Return: 0: it is answered later.
 */
static int go_on(struct grp_fs_request *request, const struct grp_fs_node *node, size_t size,
		 const struct grp_attaching *attaching)
{
	struct grp_agent *agent = request->mount->fs->agent;
	struct grp_fs_write *write = calloc(1, sizeof(*write));
	int r;

	if (!write)
		return -ENOMEM;
	write->request = *request;
	write->group = node->group->id;
	memcpy(write->file, node->ref.name, sizeof(write->file));
	write->size = size;
	write->moving = attaching;
	if (attaching)
		write->attaching = *attaching;
	write->ticket = grp_place_ticket(request->core);
	write->deadline_usec = grp_now_usec() + GRP_JOB_DEADLINE_USEC;
	DL_APPEND(request->mount->writes, write);
	r = sd_event_add_time_relative(agent->event, &write->timer, CLOCK_MONOTONIC,
				       GRP_ATTACHING_PAUSE_USEC, 0, on_timer, write);
	if (r < 0) {
		write->request.groups = NULL;
		write_free(write);
		return r;
	}
	request->groups = NULL;
	request->caller.groups = NULL;
	return 0;
}

void grp_fs_writes_drop(struct grp_fs_mount *mount)
{
	while (mount->writes) {
		struct grp_fs_write *write = mount->writes;

		/* That frees it; there is nobody who would get the answer. */
		(void)fuse_reply_err(write->request.req, EINTR);
		write_free(write);
	}
}

/* --- a write ------------------------------------------------------------------------------------ */

/* Whoever has opened it answers for what is written; the writer is who 0 means. */
static int take_credentials(struct grp_fs_request *request, const struct grp_fs_handle *handle)
{
	struct grp_caller *caller = &request->caller;
	gid_t *groups = NULL;
	size_t n = handle->caller.n_groups;

	if (n) {
		groups = reallocarray(NULL, n, sizeof(*groups));
		if (!groups)
			return -ENOMEM;
		memcpy(groups, handle->groups, n * sizeof(*groups));
	}
	free(request->groups);
	request->groups = groups;
	caller->uid = handle->caller.uid;
	caller->gid = handle->caller.gid;
	caller->groups = groups;
	caller->n_groups = n;
	return 0;
}

/* Whoever it concerns has the CPUs that it gives him. */
static bool is_placed(struct grp_fs_request *request, uint64_t before)
{
	uint64_t ticket = grp_place_ticket(request->core);

	return ticket == before || grp_placing_settled(request->mount->fs->agent, ticket);
}

/* Return: as grp_file_write(); 1: it is answered later. */
static int write_node(struct grp_fs_request *request, const struct grp_fs_node *node,
		      const char *buf, size_t size)
{
	const struct grp_file_access access = {
		.core = request->core,
		.group = node->group,
		.caller = &request->caller,
		.error = &request->error,
	};
	struct grp_attaching attaching = { .n_groups = 0 };
	_cleanup_free_ char *text = NULL;
	uint64_t before = grp_place_ticket(request->core);
	int r;

	if (node->kind != GRP_FS_FILE)
		return -EINVAL;
	if (!node->group || !node->ref.file)
		return -ENODEV;
	text = malloc(size + 1);
	if (!text)
		return -ENOMEM;
	memcpy(text, buf, size);
	text[size] = '\0';
	r = grp_file_write(&access, node->ref.name, text, size);
	if (r == -EAGAIN && grp_file_is_of_members(&node->ref)) {
		r = grp_attaching_file(&access, node->ref.name, text, &attaching);
		return r ?: go_on(request, node, size, &attaching) ?: 1;
	}
	if (r < 0 || is_placed(request, before))
		return r;
	return go_on(request, node, size, NULL) ?: 1;
}

static void op_write(fuse_req_t req, fuse_ino_t ino, const char *buf, size_t size, off_t off,
		     struct fuse_file_info *fi)
{
	struct grp_fs_request request _cleanup_request_;
	struct grp_fs_handle *handle;
	struct grp_fs_node node;
	int r = 0;

	grp_fs_request_init(&request, req, true);
	handle = grp_fs_handle_find(request.mount->fs, fi->fh);
	if (handle)
		r = take_credentials(&request, handle);
	grp_fs_node(request.mount, ino, &node);
	if (r == 0)
		r = write_node(&request, &node, buf, size);
	if (r <= 0)
		answer(&request, node.ref.file ? node.group : NULL, node.ref.name, size, r);
}

void grp_fs_write_op(struct fuse_lowlevel_ops *ops)
{
	ops->write = op_write;
}
