/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Members of a group, for who opens "tasks" or "cgroup.procs" to read it. They are found
 * in pieces, between other requests, and the open is answered when all are there: it is
 * the time of that answer that the file tells of (TASK-2).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "agent.h"
#include "base/cleanup.h"
#include "core/census.h"
#include "front/fs_internal.h"

/* An open that is not answered yet. */
struct grp_fs_listing {
	struct grp_fs_listing *prev, *next;
	fuse_req_t req;
	struct fuse_file_info fi;
	struct grp_fs_mount *mount;
	struct grp_fs_handle *handle; /* not known to the kernel yet, so that nobody closes it */
	struct grp_census *census;
	bool processes;
	sd_event_source *step;
};

static void listing_free(struct grp_fs_listing *listing)
{
	DL_DELETE(listing->mount->listings, listing);
	sd_event_source_disable_unref(listing->step);
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

static void finish(struct grp_fs_listing *listing, int r)
{
	struct grp_fs *fs = listing->mount->fs;

	if (r == 0)
		r = put_members(listing);
	/* One whose caller is gone will not be closed. */
	if (r < 0)
		grp_fs_reply(listing->req, r);
	else
		r = fuse_reply_open(listing->req, &listing->fi);
	if (r < 0)
		grp_fs_handle_free(fs, listing->handle);
	listing_free(listing);
}

static int on_step(sd_event_source *source, void *data)
{
	struct grp_fs_listing *listing = data;
	int r = -EINTR;

	if (!fuse_req_interrupted(listing->req))
		r = grp_census_step(listing->census);
	if (r > 0)
		return 0;
	finish(listing, r == -ENOENT ? -ENODEV : r);
	return 0;
}

int grp_fs_listing_start(struct grp_fs_request *request, struct grp_fs_handle *handle,
			 const struct grp_fs_node *node, const struct fuse_file_info *fi)
{
	struct grp_fs_listing *listing = calloc(1, sizeof(*listing));
	int r;

	if (!listing)
		return -ENOMEM;
	listing->req = request->req;
	listing->fi = *fi;
	listing->mount = request->mount;
	listing->handle = handle;
	listing->processes = strcmp(node->ref.name, "tasks") != 0;
	DL_APPEND(request->mount->listings, listing);
	r = grp_census_new(request->core, node->group, false, request->caller.pidns,
			   &listing->census);
	if (r == 0)
		r = sd_event_add_defer(request->mount->fs->agent->event, &listing->step, on_step,
				       listing);
	if (r >= 0)
		r = sd_event_source_set_enabled(listing->step, SD_EVENT_ON);
	if (r < 0) {
		listing_free(listing);
		return r;
	}
	return 0;
}

void grp_fs_listings_drop(struct grp_fs_mount *mount)
{
	while (mount->listings)
		finish(mount->listings, -EINTR);
}
