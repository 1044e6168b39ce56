/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What happens to groups, told to whoever watches (design 6.2). The core does no
 * output: it hands each event to the sink that the agent has set. One table says
 * what each kind carries; the socket's Event is made from it, and the protocol's
 * description is compared with it.
 *
 * Not to be confused with struct grp_event (grp/abi.h), which the programs send.
 */
#ifndef GRP_CORE_EVENT_H
#define GRP_CORE_EVENT_H

#include <stddef.h>
#include <stdint.h>

#include "core/core.h"

enum grp_watch_kind {
	GRP_WATCH_MKDIR,
	GRP_WATCH_RMDIR,
	GRP_WATCH_MV,
	GRP_WATCH_ATTACH, /* one an attach and hierarchy in which anybody has moved */
	GRP_WATCH_EMPTY, /* a group has lost the last of its own tasks */
	GRP_WATCH_RELEASE,
	GRP_WATCH_LIMIT,
	GRP_WATCH_PLACEMENT,
	GRP_WATCH_LOST, /* made by the agent for a reader that was too slow */
	GRP_WATCH_MAX,
};

/* A number that nobody knows: the member is left out. */
#define GRP_WATCH_UNKNOWN UINT64_MAX

/* Borrowed for the call of the sink; what a kind does not carry is NULL or unknown. */
struct grp_watch_event {
	enum grp_watch_kind kind;
	const struct grp_group *group; /* never NULL, but for lost; of a rmdir still in the tree */
	const struct grp_group *source; /* attach: where all came from */
	const char *from; /* mv: path before, raw bytes */
	const char *action; /* release: how */
	uint64_t uid, pid; /* who asked; pid in the agent's namespace */
	uint64_t moved; /* attach: threads */
	uint64_t count; /* lost: events */
	/* rmdir: the final figures; usage, user and system time with all below it */
	uint64_t usage_ns, usage_own_ns, user_ns, system_ns;
	uint64_t forks, execs, exits, switches, migrations;
	uint64_t peak_tasks, lived_ns;
	/* placement: whose CPUs were rewritten, by whom (with uid, pid), to what; what it has now */
	uint64_t thread, process;
	const char *comm; /* raw bytes */
	const char *asked, *given; /* lists */
	const char *reason; /* or why its memory policy is not that of its group */
};

enum grp_watch_type {
	GRP_WATCH_NUMBER, /* uint64_t */
	GRP_WATCH_TEXT, /* const char *, UTF-8 */
	GRP_WATCH_PATH, /* const char *, raw bytes */
	GRP_WATCH_GROUP, /* const struct grp_group *: its path */
};

struct grp_watch_member {
	const char *name; /* NULL: end of the list */
	enum grp_watch_type type;
	size_t offset; /* in struct grp_watch_event */
};

struct grp_watch_row {
	const char *name;
	const struct grp_watch_member *members; /* besides the group; NULL: none */
};

/* By enum grp_watch_kind. */
extern const struct grp_watch_row grp_watch_rows[GRP_WATCH_MAX];

/* Context: in the middle of a change. It must not call the core but to read. */
typedef void (*grp_sink_fn)(const struct grp_watch_event *event, void *data);

/* grp_core_set_sink() - who is told of events; NULL: nobody, which costs nothing. */
void grp_core_set_sink(struct grp_core *core, grp_sink_fn sink, void *data);

/* grp_watched() - whether it is worth to find out what only an event needs. */
bool grp_watched(const struct grp_core *core);

/*
 * grp_watch_event() - one of @group that @caller (NULL: nobody, the agent itself)
 * has asked for; all else is unknown.
 */
struct grp_watch_event grp_watch_event(enum grp_watch_kind kind, const struct grp_group *group,
				       const struct grp_caller *caller);

/* grp_emit() - hand it to the sink. After the change is decided, never for a refused one. */
void grp_emit(struct grp_core *core, const struct grp_watch_event *event);

enum grp_watch_release {
	GRP_WATCH_RELEASE_AGENT, /* its release agent was started */
	GRP_WATCH_RELEASE_DELETE, /* auto_delete: the agent itself is about to remove it */
	GRP_WATCH_RELEASES,
};

/*
 * grp_emit_release() - a group was released. To be called once a release: for an
 * agent when it has been started, for a deletion just before grp_group_remove(),
 * whose own event follows.
 */
void grp_emit_release(struct grp_core *core, const struct grp_group *group,
		      enum grp_watch_release action);

#endif
