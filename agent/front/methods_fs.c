/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Methods about mounts of the control filesystem. Whoever calls has mounted it, in his
 * own mount namespace; the agent is given the descriptor and opens no path of his.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "agent.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "front/connection.h"
#include "front/fs.h"
#include "front/methods.h"

/* The caller and we see the same mounts. */
static bool is_own(pid_t pid)
{
	struct stat ours, theirs;
	char path[48];

	(void)snprintf(path, sizeof(path), "/proc/%d/ns/mnt", (int)pid);
	return pid > 0 && stat(path, &theirs) == 0 && stat("/proc/self/ns/mnt", &ours) == 0 &&
	       ours.st_ino == theirs.st_ino;
}

int grp_method_serve_mount(struct grp_call *call, json_t **ret_reply)
{
	const char *text = grp_call_string(call, "directory");
	_cleanup_free_ char *directory = NULL;
	struct grp_fs_wish wish = {
		.hierarchy = grp_call_string(call, "hierarchy"),
		.pidns = call->caller->pidns,
		.own = is_own(call->caller->pid),
	};
	int r;

	call->item = text;
	r = grp_text_unescape(text, &directory, NULL);
	if (r < 0)
		return r;
	if (call->connection->passed < 0)
		return grp_error_set(&call->error, EINVAL, "no descriptor came with the call");
	wish.directory = directory;
	return grp_fs_serve(call->agent->fs, TAKE_FD(call->connection->passed), &wish,
			    &call->error);
}
