/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One client: its bytes, its identity and the one call that is carried out for
 * it. Shared by server.c and connection.c; others see only the functions.
 *
 * A connection is freed by its own two event handlers only (and by the end of
 * the server), so whoever is called from them may use it until it returns.
 */
#ifndef GRP_FRONT_CONNECTION_H
#define GRP_FRONT_CONNECTION_H

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>
#include <uthash.h>

#include "core/core.h"
#include "front/wire.h"
#include "turn.h"

struct grp_agent;
struct grp_call;
struct grp_job;
struct grp_watch;

/* Factor of the limits per user for uid 0, which must get in when others fill up. */
#define GRP_ROOT_FACTOR 4

/* What the connections of one user hold together; exists while there is one. */
struct grp_user {
	uid_t uid; /* hash key */
	unsigned int connections;
	unsigned int waiting; /* calls that wait: wait, kill */
	size_t unsent_bytes;
	UT_hash_handle hh;
};

struct grp_server {
	struct grp_agent *agent;
	int fd;
	bool bound; /* the socket file is ours */
	sd_event_source *listen, *resume;
	struct grp_user *users;
	struct grp_connection *connections;
	struct grp_job *jobs; /* those that wait */
	struct grp_watch *watch;
	unsigned int n_connections, n_waiting;
	uint64_t accepted, refused;
	uint32_t pidns; /* inode of our own */
};

struct grp_connection {
	struct grp_server *server;
	struct grp_connection *prev, *next;
	struct grp_user *user;
	int fd;
	sd_event_source *io;
	struct grp_turn work;
	bool running; /* its handler: what there is to do is looked at before that ends */
	struct grp_wire_reader in;
	char *out; /* unsent: from out_start to out_end */
	size_t out_start, out_end;
	struct grp_caller caller;
	gid_t *groups; /* of caller */
	struct grp_call *call; /* being carried out; NULL: none */
	int passed; /* descriptor that came with a call of root; -1: none */
	json_t *staged; /* parts of a configuration that came so far; NULL: none */
	size_t staged_bytes;
	bool backlog; /* a whole call may be in the reader */
	bool streaming; /* a stream was taken at once: there may be more of it */
	bool ended; /* the client sends no more */
	bool hung_up; /* ... and takes nothing any more */
	bool closing; /* no further call is taken */
	bool dead; /* to be freed as soon as possible */
};

/**
 * grp_connection_new() - a client that was accepted.
 * @fd: non-blocking; taken over, also on failure.
 * @caller: as grp_peer_get() found; its groups are taken over with @groups.
 * Return: 0; -ENOMEM; -errno of sd-event.
 */
int grp_connection_new(struct grp_server *server, int fd, const struct grp_caller *caller,
		       gid_t *groups, struct grp_connection **ret_connection);
void grp_connection_free(struct grp_connection *connection);

/* grp_connection_send() - a message of any kind; goes out from the loop. */
void grp_connection_send(struct grp_connection *connection, const json_t *message);

/* grp_connection_send_bytes() - whole messages, encoded; taken over, also on failure. */
void grp_connection_send_bytes(struct grp_connection *connection, char *bytes, size_t len);

/* grp_connection_wake() - a stream has more to send; the loop will see to it. */
void grp_connection_wake(struct grp_connection *connection);

/* grp_connection_push() - the same at once, as far as the socket takes it. */
void grp_connection_push(struct grp_connection *connection);

/* grp_connection_done() - the call was answered or cancelled: take the next. */
void grp_connection_done(struct grp_connection *connection);

/* grp_connection_room() - may this user have one more connection? -EUSERS: no. */
int grp_connection_room(const struct grp_server *server, uid_t uid, struct grp_error *error);

/* grp_connection_wait() - one more waiting call of its user. -EUSERS: too many. */
int grp_connection_wait(struct grp_connection *connection, struct grp_error *error);
void grp_connection_wait_end(struct grp_connection *connection);

/* peer.c */

/**
 * grp_peer_get() - who is at the other end of a socket, as the kernel says.
 * @own_pidns: inode of our pid namespace.
 * @ret_groups: owned by the caller; caller.groups points there. NULL: none.
 * Return: 0; -ENOMEM; -errno of getsockopt(2).
 */
int grp_peer_get(int fd, uint32_t own_pidns, struct grp_caller *ret_caller, gid_t **ret_groups);

/* grp_peer_pidns() - inode of a process' pid namespace; 0 for @pid: ours. */
int grp_peer_pidns(pid_t pid, uint32_t *ret_pidns);

#endif
