/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who is at the other end of a socket. Everything is what the kernel noted when
 * the client connected; only the pid namespace is looked up in /proc.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "front/connection.h"

/* No namespace has this inode: nobody's ids are visible there. */
#define PIDNS_UNKNOWN 1

#define GROUPS_GUESS 64

int grp_peer_pidns(pid_t pid, uint32_t *ret_pidns)
{
	char path[48];
	struct stat st;

	if (pid)
		(void)snprintf(path, sizeof(path), "/proc/%d/ns/pid", (int)pid);
	else
		(void)snprintf(path, sizeof(path), "/proc/self/ns/pid");
	if (stat(path, &st) < 0)
		return -errno;
	*ret_pidns = (uint32_t)st.st_ino;
	return 0;
}

static int get_groups(int fd, gid_t **ret_groups, size_t *ret_n)
{
	_cleanup_free_ gid_t *groups = NULL;
	socklen_t len = GROUPS_GUESS * sizeof(gid_t);

	for (unsigned int i = 0; i < 2; i++) {
		free(groups);
		groups = malloc(len ?: 1);
		if (!groups)
			return -ENOMEM;
		if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len) == 0) {
			*ret_groups = TAKE_PTR(groups);
			*ret_n = len / sizeof(gid_t);
			return 0;
		}
		if (errno != ERANGE)
			break;
	}
	return -errno;
}

int grp_peer_get(int fd, uint32_t own_pidns, struct grp_caller *ret_caller, gid_t **ret_groups)
{
	_cleanup_free_ gid_t *groups = NULL;
	struct ucred creds;
	socklen_t len = sizeof(creds);
	size_t n_groups = 0;
	uint32_t pidns = PIDNS_UNKNOWN;
	int r;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &creds, &len) < 0)
		return -errno;
	r = get_groups(fd, &groups, &n_groups);
	if (r < 0)
		return r;
	/*
	 * A client that is gone already, or in a namespace that is not below
	 * ours, has no ids that we could understand.
	 */
	if (creds.pid <= 0 || grp_peer_pidns(creds.pid, &pidns) < 0)
		pidns = PIDNS_UNKNOWN;
	*ret_caller = (struct grp_caller){
		.uid = creds.uid,
		.gid = creds.gid,
		.pid = creds.pid,
		.pidns = pidns == own_pidns ? 0 : pidns,
		.groups = groups,
		.n_groups = n_groups,
	};
	*ret_groups = TAKE_PTR(groups);
	return 0;
}
