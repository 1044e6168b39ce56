/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The connection to an agent, see client.h.
 */
#include "client.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/cleanup.h"

int grp_ctl_client_open(struct grp_ctl_client *client, const char *path)
{
	_cleanup_close_ int fd = -1;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t len = strlen(path);

	if (len >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, len + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	/* On this family an interrupted connect has not begun: just again. */
	while (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	grp_wire_reader_init(&client->reader, GRP_WIRE_REPLY_MAX);
	client->fd = TAKE_FD(fd);
	return 0;
}

void grp_ctl_client_close(struct grp_ctl_client *client)
{
	if (client->fd < 0)
		return;
	(void)close(client->fd);
	client->fd = -1;
	grp_wire_reader_done(&client->reader);
}

/* @passed: goes along with the first byte; -1: none. */
static ssize_t send_bytes(int fd, const char *bytes, size_t len, int passed)
{
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { .head = { .cmsg_len = CMSG_LEN(sizeof(int)),
				.cmsg_level = SOL_SOCKET,
				.cmsg_type = SCM_RIGHTS } };
	struct iovec part = { .iov_base = (char *)bytes, .iov_len = len };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };

	if (passed >= 0) {
		memcpy(CMSG_DATA(&control.head), &passed, sizeof(passed));
		message.msg_control = &control;
		message.msg_controllen = CMSG_SPACE(sizeof(int));
	}
	return sendmsg(fd, &message, MSG_NOSIGNAL);
}

int grp_ctl_client_send(struct grp_ctl_client *client, const json_t *message)
{
	return grp_ctl_client_send_fd(client, message, -1);
}

int grp_ctl_client_send_fd(struct grp_ctl_client *client, const json_t *message, int fd)
{
	_cleanup_free_ char *bytes = NULL;
	size_t len, sent = 0;
	int r = grp_wire_encode(message, &bytes, &len);

	if (r < 0)
		return r;
	if (len > GRP_WIRE_CALL_MAX)
		return -E2BIG;
	while (sent < len) {
		ssize_t n = send_bytes(client->fd, &bytes[sent], len - sent, sent ? -1 : fd);

		if (n >= 0)
			sent += (size_t)n;
		else if (errno == EPIPE || errno == ECONNRESET)
			break;
		else if (errno != EINTR)
			return -errno;
	}
	return 0;
}

/* Until there is something to receive, or nobody to receive it for. */
static int wait_for(const struct grp_ctl_client *client, int out)
{
	struct pollfd fds[] = { { .fd = client->fd, .events = POLLIN }, { .fd = out } };

	while (poll(fds, 2, -1) < 0)
		if (errno != EINTR)
			return -errno;
	return fds[1].revents & (POLLERR | POLLHUP) && !fds[0].revents ? -EPIPE : 0;
}

int grp_ctl_client_receive_for(struct grp_ctl_client *client, int out, json_t **ret_message)
{
	for (;;) {
		int r = grp_wire_reader_next(&client->reader, ret_message);
		ssize_t n;

		if (r)
			return r < 0 ? r : 0;
		r = out < 0 ? 0 : wait_for(client, out);
		if (r < 0)
			return r;
		n = grp_wire_reader_fill(&client->reader, client->fd);
		if (n <= 0)
			return n ? (int)n : -ECONNRESET;
	}
}

int grp_ctl_client_receive(struct grp_ctl_client *client, json_t **ret_message)
{
	return grp_ctl_client_receive_for(client, -1, ret_message);
}
