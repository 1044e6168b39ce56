/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * "ADDR:PORT" to a socket address and back: 127.0.0.1:9750, [::1]:9750. Numbers
 * only: looking a name up could block.
 */
#ifndef GRP_BASE_ADDRESS_H
#define GRP_BASE_ADDRESS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* Longest "[ADDR%SCOPE]:PORT" with its NUL. */
#define GRP_ADDRESS_MAX 80

/**
 * grp_address_parse() - text to an IPv4 or IPv6 address.
 * @text: NUL-terminated; port 0 is allowed: the kernel chooses.
 * Return: 0; -EINVAL: not of that form.
 * Context: any.
 */
int grp_address_parse(const char *text, struct sockaddr_storage *ret_address, socklen_t *ret_len);

/**
 * grp_address_format() - the opposite.
 * @ret_text: GRP_ADDRESS_MAX bytes.
 * Return: 0; -EAFNOSUPPORT.
 * Context: any.
 */
int grp_address_format(const struct sockaddr_storage *address, char *ret_text);

/* grp_address_port() - port in host order; 0 for another family. */
uint16_t grp_address_port(const struct sockaddr_storage *address);

/**
 * grp_address_listen() - a TCP socket that listens there; an IPv6 one for IPv6 only.
 * @text: as for grp_address_parse().
 * @backlog: connections that may wait.
 * @ret_bound: the address with the port that the kernel chose.
 * Return: descriptor, not blocking, owned by the caller; -EINVAL: @text is not
 * of that form; -errno of socket(2), bind(2), listen(2).
 * Context: any.
 */
int grp_address_listen(const char *text, int backlog, struct sockaddr_storage *ret_bound);

#endif
