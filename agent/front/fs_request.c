/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who asks in a request of the kernel. The caller waits until he is answered, even if
 * he is killed meanwhile, so what /proc says of him is true for as long.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"
#include "base/cleanup.h"
#include "base/parse.h"
#include "base/text.h"
#include "front/change_log.h"
#include "front/connection.h"
#include "front/fs_internal.h"
#include "front/watch.h"

/* No namespace has this inode: nobody's ids are visible there. */
#define PIDNS_UNKNOWN 1
/* What one can be a member of at most (NGROUPS_MAX). */
#define GROUPS_MAX 65536

/* Of a line "Groups:" of numbers. */
static int parse_groups(char *line, gid_t **ret_groups, size_t *ret_n)
{
	_cleanup_free_ gid_t *groups = NULL;
	size_t n = 0, allocated = 0;
	char *save = NULL;

	for (char *word = strtok_r(line, " \t\n", &save); word && n < GROUPS_MAX;
	     word = strtok_r(NULL, " \t\n", &save)) {
		uint64_t number;

		if (n == allocated) {
			void *bigger = reallocarray(groups, allocated + 64, sizeof(*groups));

			if (!bigger)
				return -ENOMEM;
			groups = bigger;
			allocated += 64;
		}
		if (grp_parse_u64(word, 0, UINT32_MAX, &number) == 0)
			groups[n++] = (gid_t)number;
	}
	*ret_groups = TAKE_PTR(groups);
	*ret_n = n;
	return 0;
}

/* None where they cannot be read: that gives no right. */
static void read_groups(struct grp_fs_request *request)
{
	static const char head[] = "Groups:";
	_cleanup_fclose_ FILE *status = NULL;
	_cleanup_free_ char *line = NULL;
	size_t allocated = 0;
	char path[48];

	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)request->caller.pid);
	status = fopen(path, "re");
	while (status && getline(&line, &allocated, status) > 0) {
		if (strncmp(line, head, strlen(head)) != 0)
			continue;
		(void)parse_groups(line + strlen(head), &request->groups,
				   &request->caller.n_groups);
		request->caller.groups = request->groups;
		return;
	}
}

/* The kernel tells ids of the namespace of who has mounted; 0: not visible there. */
static void find_pid(struct grp_fs_request *request, pid_t pid)
{
	const struct grp_caller mounter = { .pidns = request->mount->pidns };

	request->caller.pid = 0;
	if (pid <= 0)
		return;
	if (!mounter.pidns)
		request->caller.pid = pid;
	else
		(void)grp_task_resolve(request->core, &mounter, pid, &request->caller.pid);
}

void grp_fs_request_init(struct grp_fs_request *request, fuse_req_t req, bool ids)
{
	const struct fuse_ctx *ctx = fuse_req_ctx(req);
	struct grp_fs_mount *mount = fuse_req_userdata(req);
	struct grp_caller *caller = &request->caller;

	*request = (struct grp_fs_request){
		.req = req,
		.mount = mount,
		.core = mount->fs->agent->core,
		.caller = { .uid = ctx->uid, .gid = ctx->gid },
	};
	find_pid(request, ctx->pid);
	if (ids && (caller->pid <= 0 || grp_peer_pidns(caller->pid, &caller->pidns) < 0))
		caller->pidns = PIDNS_UNKNOWN;
	if (caller->pidns == mount->fs->pidns)
		caller->pidns = 0;
	if (caller->uid && caller->pid > 0)
		read_groups(request);
}

void grp_fs_request_done(struct grp_fs_request *request)
{
	free(request->groups);
}

void grp_fs_reply(fuse_req_t req, int r)
{
	struct grp_fs_mount *mount = fuse_req_userdata(req);

	mount->fs->refused += r < 0;
	(void)fuse_reply_err(req, -r);
}

void grp_fs_changed(const struct grp_fs_request *request, const char *what,
		    const struct grp_group *group, const char *name, int result)
{
	const struct grp_error *error = &request->error;
	_cleanup_free_ char *path = NULL, *shown = NULL, *item = NULL;
	char end[sizeof(error->message) + 64];

	if (request->mount->fs->agent->server)
		grp_watch_deliver(request->mount->fs->agent->server->watch);
	if (result < 0)
		(void)snprintf(end, sizeof(end), "%s%s%s", grp_errno_name(-result),
			       error->message[0] ? ": " : "", error->message);
	if (grp_group_text_full(group, &path) < 0 ||
	    (name && grp_text_escape(name, strlen(name), &shown) < 0) ||
	    asprintf(&item, "%s%s%s", path, name ? " " : "", shown ?: "") < 0)
		item = NULL;
	grp_change_log_text(what, item ?: "?", &request->caller, result < 0 ? end : "done");
}
