/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Watch: events of the core for clients that want to see them. A bounded ring
 * holds what was not yet taken by somebody; each watcher has its own place in it
 * and is given more when its socket has taken what it was given before. Whoever
 * is overtaken is told how many events he has lost, and goes on with the oldest
 * that is left. Nobody waits for a reader, and nothing grows with one.
 */
#ifndef GRP_FRONT_WATCH_H
#define GRP_FRONT_WATCH_H

#include <stdint.h>

struct grp_agent;
struct grp_watch;

/**
 * grp_watch_new() - nobody watches yet.
 * @agent: borrowed; its core gets a sink while somebody watches, its config says
 * how long the ring is.
 * Return: 0; -ENOMEM.
 */
int grp_watch_new(struct grp_agent *agent, struct grp_watch **ret_watch);

/* grp_watch_free() - after the last connection; NULL is fine. */
void grp_watch_free(struct grp_watch *watch);

/*
 * grp_watch_deliver() - hands watchers what has happened. Called before an answer
 * goes out, so that what an operation did is seen when it is answered at the latest.
 */
void grp_watch_deliver(struct grp_watch *watch);

struct grp_watch_figures {
	unsigned int watchers;
	uint64_t lost; /* events that watchers were too slow for, since the start */
};
void grp_watch_figures(const struct grp_watch *watch, struct grp_watch_figures *ret_figures);

#endif
