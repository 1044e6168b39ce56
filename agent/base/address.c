/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Socket addresses as text, and sockets made from it. Nothing here can block.
 */
#include "base/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/parse.h"

/* Copies the address before @colon, without the brackets of an IPv6 one. */
static int copy_host(const char *text, const char *colon, char *ret_host, bool *ret_v6)
{
	size_t len = (size_t)(colon - text);

	*ret_v6 = len >= 2 && text[0] == '[' && text[len - 1] == ']';
	if (*ret_v6) {
		text++;
		len -= 2;
	}
	if (!len || len >= INET6_ADDRSTRLEN)
		return -EINVAL;
	memcpy(ret_host, text, len);
	ret_host[len] = '\0';
	return 0;
}

int grp_address_parse(const char *text, struct sockaddr_storage *ret_address, socklen_t *ret_len)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	const char *colon = strrchr(text, ':');
	char host[INET6_ADDRSTRLEN];
	uint64_t port;
	bool v6;

	if (!colon || copy_host(text, colon, host, &v6) < 0 ||
	    grp_parse_u64(colon + 1, 0, UINT16_MAX, &port) < 0)
		return -EINVAL;
	if (inet_pton(v6 ? AF_INET6 : AF_INET, host,
		      v6 ? (void *)&in6.sin6_addr : (void *)&in.sin_addr) != 1)
		return -EINVAL;

	in.sin_port = in6.sin6_port = htons((uint16_t)port);
	memset(ret_address, 0, sizeof(*ret_address));
	*ret_len = v6 ? sizeof(in6) : sizeof(in);
	memcpy(ret_address, v6 ? (const void *)&in6 : (const void *)&in, *ret_len);
	return 0;
}

int grp_address_format(const struct sockaddr_storage *address, char *ret_text)
{
	char host[INET6_ADDRSTRLEN];
	const void *bytes;

	switch (address->ss_family) {
	case AF_INET:
		bytes = &((const struct sockaddr_in *)address)->sin_addr;
		break;
	case AF_INET6:
		bytes = &((const struct sockaddr_in6 *)address)->sin6_addr;
		break;
	default:
		return -EAFNOSUPPORT;
	}
	if (!inet_ntop(address->ss_family, bytes, host, sizeof(host)))
		return -errno;
	(void)snprintf(ret_text, GRP_ADDRESS_MAX,
		       address->ss_family == AF_INET6 ? "[%s]:%u" : "%s:%u", host,
		       grp_address_port(address));
	return 0;
}

uint16_t grp_address_port(const struct sockaddr_storage *address)
{
	switch (address->ss_family) {
	case AF_INET:
		return ntohs(((const struct sockaddr_in *)address)->sin_port);
	case AF_INET6:
		return ntohs(((const struct sockaddr_in6 *)address)->sin6_port);
	default:
		return 0;
	}
}

int grp_address_listen(const char *text, int backlog, struct sockaddr_storage *ret_bound)
{
	struct sockaddr_storage address, bound;
	_cleanup_close_ int fd = -1;
	const int on = 1;
	socklen_t len;
	int r = grp_address_parse(text, &address, &len);

	if (r < 0)
		return r;
	fd = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0)
		return -errno;
	if (address.ss_family == AF_INET6 &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) < 0)
		return -errno;
	if (bind(fd, (const struct sockaddr *)&address, len) < 0 || listen(fd, backlog) < 0)
		return -errno;
	len = sizeof(bound);
	if (getsockname(fd, (struct sockaddr *)&bound, &len) < 0)
		return -errno;
	*ret_bound = bound;
	return TAKE_FD(fd);
}
