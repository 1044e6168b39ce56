/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The daemon: everything one process of grpagent holds, passed down to the front
 * ends. No logic of its own beyond putting the parts together in order.
 */
#ifndef GRP_AGENT_H
#define GRP_AGENT_H

#include <systemd/sd-event.h>

#include "config.h"
#include "core/core.h"
#include "kernel/bpf.h"

struct grp_server; /* front/server.h: the socket */
struct grp_http; /* front/http.h: /metrics */
struct grp_metrics_taking; /* front/metrics.h */
struct grp_fs; /* front/fs.h: mounts */
struct grp_left_attach;
struct grp_releases; /* release.h: release agents */

/* Below it the run directory of each instance; the environment variable is for tests. */
#define GRP_RUN_BASE "/run/grpagent"
#define GRP_RUN_BASE_ENV "GRPAGENT_RUNDIR"
#define GRP_SOCKET_NAME "control.sock"

struct grp_agent {
	struct grp_config config;
	sd_event *event;
	sd_event_source *collect; /* timer: sets that dead tasks hold are looked at again */
	uint64_t collect_usec; /* until then; 0: nothing is held */
	sd_event_source *tick; /* timer: what is due at a boundary; NULL: never wanted */
	uint64_t tick_usec; /* it is set to that; 0: it is off */
	uint64_t tick_retry_usec; /* not before, after a failure */
	sd_event_source *hotplug; /* socket, see hotplug.h; NULL: the kernel lets nobody listen */
	sd_event_source *place; /* timer: tasks are placed; NULL: never wanted */
	uint64_t place_usec; /* it is set to that; 0: it is off */
	sd_event_source *lost; /* timer, see lost.h; NULL: never wanted */
	uint64_t seen_lost; /* events, at the last look */
	bool crowded; /* many events were waiting: the ring may have been full */
	struct grp_bpf *bpf;
	struct grp_core *core;
	struct grp_server *server;
	struct grp_http *http;
	struct grp_metrics_taking *taking; /* what is on its way to a scrape; NULL: nothing */
	struct grp_fs *fs;
	struct grp_releases *releases;
	struct grp_left_attach *left; /* attaches that nobody waits for, see front/attaching.h */
	char *run_dir; /* RUN_BASE/NAME */
	int lock_fd; /* RUN_BASE/NAME/lock, locked: one agent an instance */
	struct json_t *features; /* as ListFeatures answers; NULL: nobody has asked yet */
	char *groups_file; /* what became of that setting: "none", "applied", why not */
	bool ready; /* false while the store is being taken over */
	uint64_t started_ns; /* wall clock */
};

/**
 * grp_agent_new() - takes the instance, adopts or makes its kernel side; answers
 * once agent->event is run.
 * @config: moved into the agent, empty afterwards.
 * @error: the one reason when it cannot run.
 * @ret_agent: owned by the caller, grp_agent_free().
 * Return: 0; -EALREADY: another agent runs this instance; -errno: cannot run.
 * Context: root. Blocks the signals that it hears of by its loop.
 */
int grp_agent_new(struct grp_config *config, struct grp_error *error, struct grp_agent **ret_agent);

/* grp_agent_free() - the kernel side counts on afterwards; NULL is fine. */
void grp_agent_free(struct grp_agent *agent);

/**
 * grp_agent_run() - the same, and serves until SIGTERM or SIGINT.
 * Return: 0: ended as asked; else as grp_agent_new().
 * Context: root, once a process.
 */
int grp_agent_run(struct grp_config *config, struct grp_error *error);

/**
 * grp_agent_unload() - `--unload`: detaches and unpins the kernel side of the
 * instance and removes its run directory.
 * Return: as grp_agent_run(); 0 also when there was nothing.
 * Context: root; takes the lock of the instance.
 */
int grp_agent_unload(const struct grp_config *config, struct grp_error *error);

#endif
