/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * See hotplug.h.
 */
#include "hotplug.h"

#include <errno.h>
#include <linux/netlink.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "subsys/cpuset.h"

/* A message of the kernel's is shorter. */
#define MESSAGE_MAX 8192
#define KERNEL_GROUP 1

/* What stands at the begin of a message: ACTION@DEVPATH. */
static bool concerns_us(const char *message)
{
	static const char *const paths[] = { "@/devices/system/cpu/", "@/devices/system/node/",
					     "@/devices/system/memory/" };

	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++)
		if (strstr(message, paths[i]))
			return true;
	return false;
}

/* Whether any of what is waiting is about CPUs or memory. */
static bool read_all(int fd)
{
	char message[MESSAGE_MAX];
	bool found = false;
	ssize_t n;

	while ((n = recv(fd, message, sizeof(message) - 1, MSG_DONTWAIT)) > 0) {
		message[n] = '\0';
		found = found || concerns_us(message);
	}
	/* Some did not fit and are lost: whatever they were. */
	return found || (n < 0 && errno == ENOBUFS);
}

static int on_uevent(sd_event_source *source, int fd, uint32_t revents, void *data)
{
	struct grp_agent *agent = data;
	int r = read_all(fd) ? grp_cpuset_topology_changed(agent->core) : 0;

	if (r < 0)
		GRP_LOG_WARNING("cannot read which CPUs and nodes there are: %s, ignoring",
				strerror(-r));
	return 0;
}

int grp_hotplug_open(struct grp_agent *agent)
{
	const struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = KERNEL_GROUP };
	_cleanup_close_ int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
					NETLINK_KOBJECT_UEVENT);
	int r;

	if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
		GRP_LOG_WARNING("cannot listen to hotplug: %s, ignoring", strerror(errno));
		return 0;
	}
	r = sd_event_add_io(agent->event, &agent->hotplug, fd, EPOLLIN, on_uevent, agent);
	if (r >= 0)
		r = sd_event_source_set_io_fd_own(agent->hotplug, true);
	if (r < 0)
		return r;
	(void)TAKE_FD(fd);
	return 0;
}
