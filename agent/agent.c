/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The life of the daemon: takes the instance, opens the kernel side, rebuilds
 * the tree, starts the front ends, runs the loop. What a request means is not
 * known here. Nothing is taken down in the kernel when it ends.
 */
#include "agent.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "core/place.h"
#include "front/attaching.h"
#include "front/configuration.h"
#include "front/fs.h"
#include "front/http.h"
#include "front/jobs.h"
#include "front/metrics.h"
#include "front/server.h"
#include "instance.h"
#include "kernel/probe.h"
#include "lost.h"
#include "hotplug.h"
#include "placing.h"
#include "release.h"
#include "tick.h"

/* Between two looks at sets that dead tasks hold. */
#define COLLECT_MIN_USEC 100000
#define COLLECT_MAX_USEC 60000000
#define MEBI 1048576.0

/* --- unloading ---------------------------------------------------------------------- */

/* What cannot be done is said, and no reason to keep the rest. */
static void give_back(const char *instance)
{
	struct grp_error error = { 0 };
	struct grp_bpf *bpf = NULL;
	unsigned int left = 0;
	int r = grp_bpf_adopt(instance, &error, &bpf);

	if (r == -ENOENT)
		return;
	if (r == 0)
		r = grp_place_release(&grp_bpf_ops, bpf, grp_bpf_view(bpf), &left);
	if (r < 0)
		GRP_LOG_WARNING("cannot give tasks their own CPUs and memory policy back: %s, "
				"ignoring",
				error.message[0] ? error.message : strerror(-r));
	if (left)
		GRP_LOG_WARNING("%u thread%s could not be stopped and keep%s the memory policy of "
				"a group, ignoring",
				left, grp_plural(left), left == 1 ? "s" : "");
	grp_bpf_close(bpf);
}

int grp_agent_unload(const struct grp_config *config, struct grp_error *error)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_close_ int fd = -1;
	int r;

	r = grp_instance_lock(config->instance, error, &path, &fd);
	if (r < 0)
		return r;
	give_back(config->instance);
	r = grp_bpf_unload(config->instance, error);
	if (r < 0)
		return r;
	grp_fs_unload(path, config->instance);
	grp_instance_remove(path, GRP_SOCKET_NAME);
	grp_instance_remove(path, GRP_LOCK_NAME);
	if (rmdir(path) < 0 && errno != ENOENT)
		GRP_LOG_WARNING("cannot remove %s: %s, ignoring", path, strerror(errno));
	return 0;
}

/* --- events ----------------------------------------------------------------------- */

static int on_signal(sd_event_source *source, const struct signalfd_siginfo *info, void *data)
{
	struct grp_agent *agent = data;

	GRP_LOG_INFO("signal %u: the agent ends, the kernel side goes on", info->ssi_signo);
	(void)sd_notify(0, "STOPPING=1");
	return sd_event_exit(agent->event, 0);
}

static void on_kernel_event(const struct grp_event *event, void *data)
{
	struct grp_agent *agent = data;

	grp_core_event(agent->core, event);
}

static int on_kernel_events(sd_event_source *source, int fd, uint32_t revents, void *data)
{
	struct grp_agent *agent = data;
	int r = grp_bpf_events(agent->bpf, on_kernel_event, agent);

	if (r < 0)
		GRP_LOG_WARNING("cannot read the kernel's events: %s, retrying", strerror(-r));
	else if (r > 0)
		grp_jobs_event(agent);
	agent->crowded = r >= GRP_LOST_CROWD;
	return 0;
}

/* The wake-up is all: the round it makes ends with another collection. */
static int on_collect_timer(sd_event_source *source, uint64_t usec, void *data)
{
	return 0;
}

/* Dead tasks that nobody reaps can hold sets for long: ask ever more rarely. */
static void collect_later(struct grp_agent *agent)
{
	int r, enabled = SD_EVENT_OFF;

	(void)sd_event_source_get_enabled(agent->collect, &enabled);
	if (enabled != SD_EVENT_OFF)
		return;
	agent->collect_usec = agent->collect_usec ? 2 * agent->collect_usec : COLLECT_MIN_USEC;
	if (agent->collect_usec > COLLECT_MAX_USEC)
		agent->collect_usec = COLLECT_MAX_USEC;
	r = sd_event_source_set_time_relative(agent->collect, agent->collect_usec);
	if (r >= 0)
		r = sd_event_source_set_enabled(agent->collect, SD_EVENT_ONESHOT);
	if (r < 0)
		GRP_LOG_WARNING("cannot set a timer: %s, ignoring", strerror(-r));
}

/* After each round of the loop in which anything happened. */
static int on_round(sd_event_source *source, void *data)
{
	struct grp_agent *agent = data;
	int r = grp_core_collect(agent->core);

	if (r < 0)
		GRP_LOG_WARNING("cannot give back unused sets: %s, retrying", strerror(-r));
	else if (r > 0)
		collect_later(agent);
	else
		agent->collect_usec = 0;
	grp_releases_round(agent->releases);
	grp_tick_arm(agent);
	grp_lost_arm(agent);
	grp_placing_arm(agent);
	return 0;
}

static int add_signals(struct grp_agent *agent)
{
	static const int ends[] = { SIGTERM, SIGINT };
	sigset_t mask;
	int r = 0;

	(void)sigemptyset(&mask);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		(void)sigaddset(&mask, ends[i]);
	/* Whoever started us may have ignored the one that tells of children. */
	if (sigprocmask(SIG_BLOCK, &mask, NULL) < 0 || signal(SIGPIPE, SIG_IGN) == SIG_ERR ||
	    signal(SIGCHLD, SIG_DFL) == SIG_ERR)
		return -errno;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]) && r >= 0; i++)
		r = sd_event_add_signal(agent->event, NULL, ends[i], on_signal, agent);
	return r;
}

static int open_loop(struct grp_agent *agent)
{
	int r = sd_event_new(&agent->event);

	if (r >= 0)
		r = add_signals(agent);
	if (r >= 0)
		r = sd_event_set_watchdog(agent->event, true);
	return r < 0 ? r : 0;
}

static int add_kernel_sources(struct grp_agent *agent)
{
	int r = sd_event_add_io(agent->event, NULL, grp_bpf_events_fd(agent->bpf), EPOLLIN,
				on_kernel_events, agent);

	if (r >= 0)
		r = sd_event_add_time_relative(agent->event, &agent->collect, CLOCK_MONOTONIC, 0, 0,
					       on_collect_timer, agent);
	if (r >= 0)
		r = sd_event_add_post(agent->event, NULL, on_round, agent);
	return r < 0 ? r : 0;
}

/* --- starting --------------------------------------------------------------------- */

/* One descriptor a connection: take what the limit allows. */
static void raise_fd_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

/* The kernel's errno alone says little: name the feature that is not there. */
static void explain_missing(struct grp_error *error)
{
	struct grp_feature missing;
	char message[sizeof(error->message)];

	if (grp_probe_missing(&missing) <= 0)
		return;
	memcpy(message, error->message, sizeof(message));
	(void)grp_error_set(error, error->number, "missing %s: %s; %s", missing.name,
			    missing.reason, message);
}

static int open_kernel(struct grp_agent *agent, struct grp_error *error)
{
	const struct grp_bpf_options options = {
		.instance = agent->config.instance,
		.capacity_groups = agent->config.capacity_groups,
		.capacity_sets = agent->config.capacity_sets,
		.event = agent->event,
	};
	int r = grp_bpf_open(&options, error, &agent->bpf);

	if (r < 0) {
		explain_missing(error);
		return r;
	}
	r = grp_core_new(&grp_bpf_ops, agent->bpf, grp_bpf_view(agent->bpf), &agent->core);
	if (r < 0)
		return r;
	grp_core_set_limit_groups_per_uid(agent->core, agent->config.groups_per_uid);
	r = grp_core_load(agent->core, error);
	if (r < 0)
		return r;
	r = grp_hotplug_open(agent);
	if (r < 0)
		return r;
	return add_kernel_sources(agent);
}

static int take_metrics(void *data, struct grp_metrics **ret_metrics)
{
	struct grp_agent *agent = data;
	int r;

	if (!agent->taking)
		return grp_metrics_take_begin(agent, &agent->taking) ?: 1;
	r = grp_metrics_take_step(agent->taking, ret_metrics);
	if (r <= 0)
		grp_metrics_take_end(TAKE_PTR(agent->taking));
	return r;
}

/* Metrics are never a reason not to run. Afterwards the setting says what is true. */
static int open_http(struct grp_agent *agent)
{
	const struct grp_http_options options = {
		.event = agent->event,
		.address = agent->config.metrics,
		.take = take_metrics,
		.data = agent,
	};
	struct grp_error error = { 0 };
	char *shown;
	int r;

	if (!strcmp(agent->config.metrics, "none"))
		return 0;
	r = grp_http_new(&options, &error, &agent->http);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		GRP_LOG_WARNING("no metrics: %s, ignoring",
				error.message[0] ? error.message : strerror(-r));
	else
		GRP_LOG_INFO("metrics at http://%s/metrics", grp_http_address(agent->http));
	shown = strdup(r < 0 ? "none" : grp_http_address(agent->http));
	if (!shown)
		return -ENOMEM;
	free(agent->config.metrics);
	agent->config.metrics = shown;
	return 0;
}

static void announce(struct grp_agent *agent)
{
	struct grp_core_figures figures;

	grp_core_figures(agent->core, &figures);
	GRP_LOG_INFO("instance '%s' ready: %u of %u groups, %u of %u sets, %u CPU%s, %.1f MiB of "
		     "kernel memory, generation %u of the programs",
		     agent->config.instance, figures.groups, figures.capacity_groups, figures.sets,
		     figures.capacity_sets, figures.cpus, grp_plural(figures.cpus),
		     (double)grp_bpf_memory(agent->bpf) / MEBI, grp_bpf_generation(agent->bpf));
	(void)sd_notify(0, "READY=1");
}

/*
 * The socket comes last: that it is there says that requests are answered. The
 * one of an agent that was killed must not say so meanwhile.
 */
static int start(struct grp_agent *agent, struct grp_error *error)
{
	int r;

	(void)umask(022); /* clients of every user must reach the socket */
	raise_fd_limit();
	r = grp_instance_lock(agent->config.instance, error, &agent->run_dir, &agent->lock_fd);
	if (r < 0)
		return r;
	grp_instance_remove(agent->run_dir, GRP_SOCKET_NAME);
	r = open_loop(agent);
	if (r < 0)
		return grp_error_set(error, -r, "cannot set up the event loop: %s", strerror(-r));
	r = open_kernel(agent, error);
	if (r < 0)
		return r;
	r = grp_releases_new(agent, &agent->releases);
	if (r < 0)
		return r;
	r = grp_attachings_start(agent);
	if (r < 0)
		return r;
	r = grp_configuration_start(agent);
	if (r < 0)
		return r;
	r = open_http(agent);
	if (r < 0)
		return r;
	agent->ready = true;
	r = grp_fs_new(agent, &agent->fs);
	if (r < 0)
		return r;
	r = grp_server_new(agent, &agent->server, error);
	if (r < 0)
		return r;
	grp_fault_arm();
	grp_tick_arm(agent);
	grp_placing_arm(agent);
	r = grp_fs_start(agent->fs);
	if (r < 0)
		return grp_error_set(error, -r, "cannot mount: %s", strerror(-r));
	announce(agent);
	/* What was released meanwhile: the programs find the socket there. */
	grp_releases_round(agent->releases);
	return 0;
}

static void stop(struct grp_agent *agent)
{
	grp_http_free(agent->http);
	grp_metrics_take_end(agent->taking);
	grp_fs_free(agent->fs);
	grp_server_free(agent->server);
	grp_attachings_free(agent);
	grp_releases_free(agent->releases);
	grp_core_free(agent->core);
	grp_bpf_close(agent->bpf);
	sd_event_source_unref(agent->collect);
	sd_event_source_unref(agent->tick);
	sd_event_source_unref(agent->lost);
	sd_event_source_unref(agent->place);
	sd_event_source_unref(agent->hotplug);
	sd_event_unref(agent->event);
	grp_config_done(&agent->config);
	json_decref(agent->features);
	if (agent->run_dir)
		grp_instance_remove(agent->run_dir, GRP_SOCKET_NAME);
	free(agent->groups_file);
	free(agent->run_dir);
	grp_cleanup_close(&agent->lock_fd);
}

int grp_agent_new(struct grp_config *config, struct grp_error *error, struct grp_agent **ret_agent)
{
	struct grp_agent *agent = calloc(1, sizeof(*agent));
	int r;

	if (!agent)
		return -ENOMEM;
	agent->config = *config;
	agent->lock_fd = -1;
	agent->started_ns = grp_clock_ns(CLOCK_REALTIME);
	*config = (struct grp_config){ 0 };
	r = start(agent, error);
	if (r < 0) {
		if (!error->message[0])
			(void)grp_error_set(error, -r, "cannot run: %s", strerror(-r));
		grp_agent_free(agent);
		return r;
	}
	*ret_agent = agent;
	return 0;
}

void grp_agent_free(struct grp_agent *agent)
{
	if (!agent)
		return;
	stop(agent);
	free(agent);
}

int grp_agent_run(struct grp_config *config, struct grp_error *error)
{
	struct grp_agent *agent = NULL;
	int r = grp_agent_new(config, error, &agent);

	if (r < 0)
		return r;
	r = sd_event_loop(agent->event);
	if (r < 0)
		(void)grp_error_set(error, -r, "cannot run: %s", strerror(-r));
	grp_agent_free(agent);
	return r;
}
