/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The connection to an agent: messages of the wire form (front/wire.h) over a
 * blocking socket. Knows nothing of methods, errors by name or exit codes. A
 * stream is one send and several receives.
 */
#ifndef GRP_CLI_CLIENT_H
#define GRP_CLI_CLIENT_H

#include <jansson.h>

#include "front/wire.h"

struct grp_ctl_client {
	int fd; /* -1: not connected */
	struct grp_wire_reader reader;
};

/**
 * grp_ctl_client_open() - connect; waits while the agent's queue is full.
 * @client: not connected.
 * Return: 0; -ENAMETOOLONG: @path does not fit a socket address; -ENOENT,
 * -ECONNREFUSED: nobody listens; -errno of socket(2) and connect(2).
 */
int grp_ctl_client_open(struct grp_ctl_client *client, const char *path);

/* grp_ctl_client_close() - also of one that is not connected. */
void grp_ctl_client_close(struct grp_ctl_client *client);

/**
 * grp_ctl_client_send() - one message.
 * Return: 0, also when the agent has hung up: its last words may be there to be
 * received; -E2BIG: more than the agent reads as one call; -ENOMEM; -errno of
 * send(2).
 */
int grp_ctl_client_send(struct grp_ctl_client *client, const json_t *message);

/* grp_ctl_client_send_fd() - the same, with a descriptor; it stays open here. */
int grp_ctl_client_send_fd(struct grp_ctl_client *client, const json_t *message, int fd);

/**
 * grp_ctl_client_receive() - the next message, as long as it takes.
 * @ret_message: an object; new reference.
 * Return: 0; -ECONNRESET: the agent hung up before its end; -EBADMSG: not a
 * JSON object; -EMSGSIZE; -ENOMEM; -errno of recv(2).
 */
int grp_ctl_client_receive(struct grp_ctl_client *client, json_t **ret_message);

/**
 * grp_ctl_client_receive_for() - the same on behalf of who reads from @out.
 * Return: also -EPIPE: it is the end of a pipe or a socket that nobody reads.
 */
int grp_ctl_client_receive_for(struct grp_ctl_client *client, int out, json_t **ret_message);

#endif
