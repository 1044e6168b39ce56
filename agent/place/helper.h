/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The helper process: serves requests of protocol.h, one after the other, until the
 * socket is closed. See protocol.h for why it is a process of its own.
 */
#ifndef GRP_PLACE_HELPER_H
#define GRP_PLACE_HELPER_H

/**
 * grp_place_helper() - all that the helper does.
 * @fd: the socket, a SOCK_SEQPACKET.
 * Return: exit status. Context: a process of its own, just executed.
 */
int grp_place_helper(int fd);

#endif
