/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The agent's socket: accepts clients, knows who they are, and keeps one user
 * from using up what all share. What they ask for is not known here.
 */
#ifndef GRP_FRONT_SERVER_H
#define GRP_FRONT_SERVER_H

#include <stdint.h>

#include "base/error.h"
#include "front/watch.h"

struct grp_agent;
struct grp_server;

/**
 * grp_server_new() - makes agent->run_dir/control.sock, which appears there when
 * it takes clients. While agent->ready is false, all but Ping and
 * org.varlink.service are answered with the error Starting.
 * @agent: borrowed for the life of the server; event, config, core and run_dir
 * are used.
 * @ret_server: owned by the caller, grp_server_free().
 * Return: 0; -ENAMETOOLONG: the path does not fit a socket address; -ENOMEM;
 * -errno of socket(2), bind(2), rename(2).
 * Context: loop.
 */
int grp_server_new(struct grp_agent *agent, struct grp_server **ret_server,
		   struct grp_error *error);

/* grp_server_free() - drops every client and removes the socket; NULL is fine. */
void grp_server_free(struct grp_server *server);

struct grp_server_figures {
	unsigned int connections, waiting;
	uint64_t accepted, refused; /* since the start */
	struct grp_watch_figures watch;
};
/* grp_server_figures() - for status; @server may be NULL: all zero. */
void grp_server_figures(const struct grp_server *server, struct grp_server_figures *ret_figures);

#endif
