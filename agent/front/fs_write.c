/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Writes to control files. One write is one operation, whatever its offset (FILE-5).
 * A process that forks faster than it is moved is tried again between other requests;
 * its writer waits meanwhile, and may be interrupted.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <utlist.h>

#include "agent.h"
#include "base/cleanup.h"
#include "front/connection.h"
#include "front/fs_internal.h"
#include "front/jobs.h"

/* Between two tries; it runs meanwhile. */
#define PAUSE_USEC 1000
#define NSEC_PER_SEC 1000000000ULL
#define USEC_PER_SEC 1000000ULL

/* One that is not answered yet. */
struct grp_fs_write {
	struct grp_fs_write *prev, *next;
	struct grp_fs_request request; /* its groups are owned */
	struct grp_task_id id;
	uint32_t group; /* id: it is found anew each time */
	char file[GRP_FILE_VISIBLE_MAX];
	size_t size;
	uint64_t deadline_usec;
	sd_event_source *timer;
};

static uint64_t now_usec(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * USEC_PER_SEC + (uint64_t)now.tv_nsec / 1000;
}

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
	DL_DELETE(write->request.mount->writes, write);
	sd_event_source_disable_unref(write->timer);
	grp_fs_request_done(&write->request);
	free(write);
}

static struct grp_group *find_group(const struct grp_fs_write *write)
{
	struct grp_group *group = grp_group_by_id(write->request.core, write->group);

	return group && !group->dying ? group : NULL;
}

static void finish(struct grp_fs_write *write, int r)
{
	fuse_req_interrupt_func(write->request.req, NULL, NULL);
	write->request.mount->fs->interrupted += r == -EINTR;
	answer(&write->request, find_group(write), write->file, write->size, r);
	write_free(write);
}

/* Return: as grp_attach(). */
static int try(struct grp_fs_write *write)
{
	struct grp_fs_request *request = &write->request;
	struct grp_group *group = find_group(write);
	struct grp_target target = { .group = { NULL } };
	int r;

	if (!group)
		return -ENODEV;
	r = grp_target_add(&target, group);
	return r     ?:
		       grp_attach(request->core, &target, &write->id, &request->caller,
				  &request->error, NULL);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *data)
{
	struct grp_fs_write *write = data;
	int r = -EINTR;

	if (!fuse_req_interrupted(write->request.req))
		r = try(write);
	if (r == -EAGAIN && now_usec() < write->deadline_usec) {
		r = sd_event_source_set_time_relative(source, PAUSE_USEC);
		if (r >= 0)
			r = sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
		if (r >= 0)
			return 0;
	}
	finish(write, r);
	return 0;
}

/* Called by libfuse in the midst of the interrupt's own request: looked at afterwards. */
static void on_interrupt(fuse_req_t req, void *data)
{
	struct grp_fs_write *write = data;

	(void)sd_event_source_set_time(write->timer, 0);
}

static int set_timer(struct grp_fs_write *write)
{
	return sd_event_add_time_relative(write->request.mount->fs->agent->event, &write->timer,
					  CLOCK_MONOTONIC, PAUSE_USEC, 0, on_timer, write);
}

/* Against the reuse of its id until the next try. */
static int remember_start(struct grp_fs_write *write)
{
	struct grp_member member;
	int r = grp_task_find(write->request.core, &write->id, NULL, &member);

	if (r == 0)
		write->id.start_ticks =
			member.start_ns / (NSEC_PER_SEC / (uint64_t)sysconf(_SC_CLK_TCK));
	return r;
}

/* The request and what it owns are taken over. Return: 0: it is answered later. */
static int go_on(struct grp_fs_request *request, const struct grp_fs_node *node,
		 const struct grp_task_id *id, size_t size)
{
	struct grp_fs_write *write = calloc(1, sizeof(*write));
	int r;

	if (!write)
		return -ENOMEM;
	write->request = *request;
	write->id = *id;
	write->group = node->group->id;
	memcpy(write->file, node->ref.name, sizeof(write->file));
	write->size = size;
	write->deadline_usec = now_usec() + GRP_JOB_DEADLINE_USEC;
	DL_APPEND(request->mount->writes, write);
	r = remember_start(write);
	if (r == 0)
		r = set_timer(write);
	if (r < 0) {
		write->request.groups = NULL;
		write_free(write);
		return r;
	}
	request->groups = NULL;
	fuse_req_interrupt_func(request->req, on_interrupt, write);
	return 0;
}

void grp_fs_writes_drop(struct grp_fs_mount *mount)
{
	while (mount->writes) {
		struct grp_fs_write *write = mount->writes;

		/* That frees it; there is nobody who would get the answer. */
		fuse_req_interrupt_func(write->request.req, NULL, NULL);
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
	_cleanup_free_ char *text = NULL;
	struct grp_task_id id;
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
	if (r != -EAGAIN || !grp_file_is_of_members(&node->ref))
		return r;
	r = grp_file_parse_member(&access, text, strcmp(node->ref.name, "tasks") != 0, &id);
	return r ?: go_on(request, node, &id, size) ?: 1;
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
