/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Members of a group, for who opens "tasks" or "cgroup.procs" to read it, and processes,
 * for who lists proc. They are found in pieces, between other requests, and answered when
 * all are there: it is the time of that answer that is told of (TASK-2).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "agent.h"
#include "base/cleanup.h"
#include "core/census.h"
#include "front/fs_internal.h"
#include "turn.h"

/* A request that is not answered yet. */
struct grp_fs_listing {
	struct grp_fs_listing *prev, *next;
	fuse_req_t req;
	struct grp_fs_mount *mount;
	struct grp_census *census;
	struct grp_turn step;
	/* Answers; with @r 0 all are there. */
	void (*answer)(struct grp_fs_listing *listing, int r);
	/* An open: */
	struct fuse_file_info fi;
	struct grp_fs_handle *handle; /* not known to the kernel yet, so that nobody closes it */
	bool processes;
	/* A readdir: */
	uint64_t directory; /* handle by id */
	size_t size;
};

static void listing_free(struct grp_fs_listing *listing)
{
	DL_DELETE(listing->mount->listings, listing);
	grp_turn_drop(&listing->step);
	grp_census_free(listing->census);
	free(listing);
}

/* As the files of the core have it. */
static int put_members(const struct grp_fs_listing *listing)
{
	struct grp_members *members = grp_census_members(listing->census);
	_cleanup_free_ char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return -ENOMEM;
	if (listing->processes)
		grp_members_processes(members);
	for (size_t i = 0; i < members->n; i++)
		if (members->items[i].ns_tid)
			(void)fprintf(out, "%d\n", members->items[i].ns_tid);
	if (fclose(out))
		return -ENOMEM;
	return grp_fs_handle_set_text(listing->handle, TAKE_PTR(text), len);
}

static void answer_open(struct grp_fs_listing *listing, int r)
{
	if (r == 0)
		r = put_members(listing);
	/* One whose caller is gone will not be closed. */
	if (r < 0)
		grp_fs_reply(listing->req, r);
	else
		r = fuse_reply_open(listing->req, &listing->fi);
	if (r < 0)
		grp_fs_handle_free(listing->mount->fs, listing->handle);
}

static void answer_readdir(struct grp_fs_listing *listing, int r)
{
	struct grp_fs_handle *handle = grp_fs_handle_find(listing->mount->fs, listing->directory);

	if (r == 0)
		r = handle ? grp_fs_proc_add(handle, grp_census_members(listing->census)) : -ESTALE;
	if (r < 0)
		grp_fs_reply(listing->req, r);
	else
		grp_fs_reply_entries(listing->req, handle, listing->size, 0);
}

static void finish(struct grp_fs_listing *listing, int r)
{
	listing->answer(listing, r);
	listing_free(listing);
}

static int on_step(void *data)
{
	struct grp_fs_listing *listing = data;
	int r = -EINTR;

	if (!fuse_req_interrupted(listing->req))
		r = grp_census_step(listing->census);
	if (r > 0)
		r = grp_turn_want(&listing->step) ?: 1;
	if (r > 0)
		return 0;
	finish(listing, r == -ENOENT ? -ENODEV : r);
	return 0;
}

/* Takes over the request. Return: 0; -errno: it is still the caller's. */
static int start(const struct grp_fs_listing *what, const struct grp_group *group, bool recursive,
		 uint32_t pidns)
{
	struct grp_fs_listing *listing = malloc(sizeof(*listing));
	int r;

	if (!listing)
		return -ENOMEM;
	*listing = *what;
	DL_APPEND(listing->mount->listings, listing);
	r = grp_census_new(listing->mount->fs->agent->core, group, recursive, pidns,
			   &listing->census);
	grp_turn_init(&listing->step, listing->mount->fs->agent->event, on_step, listing);
	if (r == 0)
		r = grp_turn_want(&listing->step);
	if (r < 0) {
		listing_free(listing);
		return r;
	}
	return 0;
}

int grp_fs_listing_open(struct grp_fs_request *request, struct grp_fs_handle *handle,
			const struct grp_fs_node *node, const struct fuse_file_info *fi)
{
	const struct grp_fs_listing what = {
		.req = request->req,
		.mount = request->mount,
		.answer = answer_open,
		.fi = *fi,
		.handle = handle,
		.processes = strcmp(node->ref.name, "tasks") != 0,
	};

	return start(&what, node->group, false, request->caller.pidns);
}

int grp_fs_listing_readdir(fuse_req_t req, const struct grp_fs_handle *handle, size_t size)
{
	const struct grp_fs_listing what = {
		.req = req,
		.mount = handle->mount,
		.answer = answer_readdir,
		.directory = handle->id,
		.size = size,
	};
	const struct grp_hierarchy *any = grp_hierarchy_at(what.mount->fs->agent->core, 0);

	return any ? start(&what, any->root, true, 0) : -ENOENT;
}

void grp_fs_listings_drop(struct grp_fs_mount *mount)
{
	while (mount->listings)
		finish(mount->listings, -EINTR);
}
