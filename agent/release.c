/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * See release.h. The program gets exactly what the kernel's usermode helper would
 * give it (REL-4). That it cannot be executed is learnt from memory that the child
 * shares with us: no path that somebody has named is opened here.
 */
#include "release.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <systemd/sd-event.h>
#include <unistd.h>
#include <utlist.h>

#include "agent.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/signals.h"
#include "core/event.h"
#include "core/release.h"
#include "front/call.h"
#include "front/jobs.h"
#include "turn.h"

/* One go of starting and removing, before others have their turn. */
#define SLICE_USEC 2000
/* No process can be had: the next try. */
#define RETRY_USEC 1000000
/* What a program may expect that was not told otherwise: select() works. */
#define NOFILE_USUAL 1024
#define EXIT_NOT_RUN 127

/* One release agent that is alive. */
struct run {
	struct grp_releases *releases;
	struct run *prev, *next; /* in order of their start */
	sd_event_source *source;
	uint64_t number; /* for the core; never 0 */
	uint64_t started_usec;
	uint32_t group;
	unsigned int slot; /* of its hierarchy */
	unsigned int place; /* in failures */
	char *program;
};

struct grp_releases {
	struct grp_agent *agent;
	struct grp_turn work; /* wanted while something can be done now */
	sd_event_source *timer; /* when a program grows old, or for the next try */
	struct run *runs;
	unsigned int n_runs, most_runs;
	int *failures; /* shared with the children: errno of each, 0: it was executed */
	unsigned int *places; /* of failures, those that are free: most_runs - n_runs */
	uint64_t number;
	uint64_t young_usec;
	uint64_t not_before_usec; /* no process could be had; 0: none failed */
	bool told_stuck;
	char *told[GRP_HIERARCHIES_MAX]; /* the program that could not be run, said once */
	struct grp_releases_figures figures;
};

/* --- the child ------------------------------------------------------------------------- */

/* Nothing of the agent's: no lock, no client, no limit, no signal, no favour. */
static void become_fresh(void)
{
	struct rlimit files;
	int fd;

	(void)close_range(0, ~0U, 0);
	fd = open("/proc/self/oom_score_adj", O_WRONLY);
	if (fd >= 0) {
		(void)!write(fd, "0", 1);
		(void)close(fd);
	}
	for (unsigned int i = 0; i <= STDERR_FILENO; i++)
		(void)open("/dev/null", O_RDWR); /* the lowest that is free */
	if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur > NOFILE_USUAL) {
		files.rlim_cur = NOFILE_USUAL;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
	grp_signals_reset();
	(void)umask(022);
	(void)setsid();
}

_Noreturn static void run_program(const char *program, const char *path, int *ret_failure)
{
	char home[] = "HOME=/", search[] = "PATH=/sbin:/bin:/usr/sbin:/usr/bin";
	char *const environment[] = { home, search, NULL };
	char *const argv[] = { (char *)program, (char *)path, NULL };

	become_fresh();
	if (chdir("/") == 0)
		(void)execve(program, argv, environment);
	__atomic_store_n(ret_failure, errno, __ATOMIC_RELEASE);
	_exit(EXIT_NOT_RUN);
}

/* --- its end --------------------------------------------------------------------------- */

static void run_free(struct run *run)
{
	struct grp_releases *releases = run->releases;

	DL_DELETE(releases->runs, run);
	releases->n_runs--;
	releases->places[releases->most_runs - releases->n_runs - 1] = run->place;
	sd_event_source_unref(run->source);
	free(run->program);
	free(run);
}

/* Once a program; another hierarchy's may be another one. */
static void tell_not_run(struct grp_releases *releases, const struct run *run, int number)
{
	char **told = &releases->told[run->slot];
	char *program;

	if (*told && !strcmp(*told, run->program))
		return;
	program = strdup(run->program);
	if (program) {
		free(*told);
		*told = program;
	}
	GRP_LOG_WARNING("cannot run release agent '%s': %s, its groups stay, ignoring",
			run->program, strerror(number));
}

/* CLONE-5: what rmdir does, by root. */
static void remove_group(struct grp_releases *releases, struct grp_group *group)
{
	const struct grp_caller caller = { .pid = getpid() };
	_cleanup_free_ char *text = NULL;
	struct grp_error error = { 0 };
	int r;

	(void)grp_group_text_full(group, &text);
	grp_jobs_observe(releases->agent);
	r = grp_group_remove(releases->agent->core, group, &caller, &error);
	if (r < 0) {
		GRP_LOG_WARNING("cannot remove released group %s: %s, retrying at its next release",
				text ?: "", error.message[0] ? error.message : strerror(-r));
		return;
	}
	releases->figures.removed++;
	GRP_LOG_INFO("removed %s: released, and auto_delete is set", text ?: "a group");
}

static void end_run(struct grp_releases *releases, uint32_t id, uint64_t number)
{
	struct grp_group *group = grp_release_ended(releases->agent->core, id, number);

	if (group)
		remove_group(releases, group);
}

static int on_child(sd_event_source *source, const siginfo_t *info, void *data)
{
	struct run *run = data;
	struct grp_releases *releases = run->releases;
	int failure = __atomic_load_n(&releases->failures[run->place], __ATOMIC_ACQUIRE);

	if (failure) {
		releases->figures.failed++;
		tell_not_run(releases, run, failure);
	}
	end_run(releases, run->group, run->number);
	run_free(run);
	return 0;
}

/* --- starting -------------------------------------------------------------------------- */

/* Among those that are alive; NULL: no memory. */
static struct run *run_new(struct grp_releases *releases, const struct grp_group *group)
{
	struct run *run = calloc(1, sizeof(*run));
	char *program = strdup(group->hierarchy->release_agent);

	if (!run || !program) {
		free(run);
		free(program);
		return NULL;
	}
	*run = (struct run){
		.releases = releases,
		.number = ++releases->number,
		.started_usec = grp_now_usec(),
		.group = group->id,
		.slot = group->hierarchy->slot,
		.place = releases->places[releases->most_runs - releases->n_runs - 1],
		.program = program,
	};
	releases->n_runs++;
	releases->failures[run->place] = 0;
	DL_APPEND(releases->runs, run);
	return run;
}

static int fork_run(struct run *run, const char *path)
{
	struct grp_releases *releases = run->releases;
	pid_t pid = fork();
	int r;

	if (pid < 0)
		return -errno;
	if (!pid)
		run_program(run->program, path, &releases->failures[run->place]);
	r = sd_event_add_child(releases->agent->event, &run->source, pid, WEXITED, on_child, run);
	if (r >= 0)
		return 0;
	/* Nobody would reap it. It is started again later. */
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	return r;
}

/* The turn of a group is over, for good or bad. */
static void end_turn(struct grp_releases *releases, struct grp_group *group, uint64_t number)
{
	int r = grp_release_started(releases->agent->core, group, number);

	if (r < 0)
		GRP_LOG_WARNING("cannot store that a release was announced: %s, it may be again",
				strerror(-r));
}

/* REL-9: a path that does not fit is no reason to stop the others. */
static void drop(struct grp_releases *releases, struct grp_group *group)
{
	uint32_t id = group->id;
	uint64_t number = ++releases->number;

	releases->figures.failed++;
	GRP_LOG_WARNING("the path of released group '%s' in hierarchy %s is too long: its release "
			"agent is not started, ignoring",
			group->name, group->hierarchy->name);
	end_turn(releases, group, number);
	end_run(releases, id, number);
}

/* Return: 0; -errno: no process can be had now. */
static int announce(struct grp_releases *releases, struct grp_group *group)
{
	char path[GRP_PATH_MAX];
	struct run *run;
	int r;

	if (grp_group_path(group, path, sizeof(path)) < 0) {
		drop(releases, group);
		return 0;
	}
	run = run_new(releases, group);
	if (!run)
		return -ENOMEM;
	r = fork_run(run, path);
	if (r < 0) {
		run_free(run);
		return r;
	}
	GRP_LOG_DEBUG("started release agent '%s' for '%s'", run->program, path);
	releases->figures.started++;
	grp_emit_release(releases->agent->core, group, GRP_WATCH_RELEASE_AGENT);
	end_turn(releases, group, run->number);
	return 0;
}

/* --- the loop's part --------------------------------------------------------------------- */

/* The last started ones are at the end. */
static const struct run *oldest_young(const struct grp_releases *releases, uint64_t now,
				      unsigned int *ret_n)
{
	const struct run *run = releases->runs ? releases->runs->prev : NULL, *oldest = NULL;

	for (*ret_n = 0; run && run->started_usec + releases->young_usec > now; ++*ret_n) {
		oldest = run;
		run = run == releases->runs ? NULL : run->prev;
	}
	return oldest;
}

/* 0: a program may be started; else when, UINT64_MAX: when one has ended. */
static uint64_t next_start(const struct grp_releases *releases, uint64_t now)
{
	unsigned int n;
	const struct run *oldest = oldest_young(releases, now, &n);

	if (releases->n_runs == releases->most_runs)
		return UINT64_MAX;
	if (releases->not_before_usec > now)
		return releases->not_before_usec;
	return oldest && n >= releases->agent->config.release_agents ?
		       oldest->started_usec + releases->young_usec :
		       0;
}

static void start_one(struct grp_releases *releases, struct grp_group *group, uint64_t now)
{
	int r = announce(releases, group);

	if (r < 0 && !releases->not_before_usec)
		GRP_LOG_WARNING("cannot start a release agent: %s, retrying", strerror(-r));
	releases->not_before_usec = r < 0 ? now + RETRY_USEC : 0;
	if (r < 0)
		grp_release_put_back(releases->agent->core, group);
}

/* One group. Return: whether there was one. */
static bool step(struct grp_releases *releases, uint64_t now)
{
	struct grp_core *core = releases->agent->core;
	struct grp_group *group = NULL;

	if (!next_start(releases, now))
		group = grp_release_next(core, GRP_RELEASE_RUN);
	if (group) {
		start_one(releases, group, now);
		return true;
	}
	group = grp_release_next(core, GRP_RELEASE_REMOVE);
	if (!group)
		return false;
	grp_emit_release(core, group, GRP_WATCH_RELEASE_DELETE);
	remove_group(releases, group);
	return true;
}

static int on_work(void *data)
{
	uint64_t begun = grp_now_usec(), now = begun;

	while (now - begun < SLICE_USEC && step(data, now))
		now = grp_now_usec();
	return 0;
}

/* The wake-up is all: the round it makes ends with another look. */
static int on_timer(sd_event_source *source, uint64_t usec, void *data)
{
	return 0;
}

static void wait_for(struct grp_releases *releases, uint64_t when)
{
	int r = 0;

	if (when == UINT64_MAX && !releases->told_stuck)
		GRP_LOG_WARNING("%u release agents run and do not end: no more are started until "
				"one does, the releases wait",
				releases->n_runs);
	releases->told_stuck = releases->told_stuck || when == UINT64_MAX;
	if (when != UINT64_MAX)
		r = sd_event_source_set_time(releases->timer, when);
	if (when != UINT64_MAX && r >= 0)
		r = sd_event_source_set_enabled(releases->timer, SD_EVENT_ONESHOT);
	if (r < 0)
		GRP_LOG_WARNING("cannot set a timer: %s, ignoring", strerror(-r));
}

static void want_turn(struct grp_releases *releases)
{
	if (grp_turn_want(&releases->work) < 0)
		wait_for(releases, grp_now_usec() + RETRY_USEC);
}

void grp_releases_round(struct grp_releases *releases)
{
	const struct grp_core *core = releases->agent->core;
	bool runs = grp_release_waits(core, GRP_RELEASE_RUN);
	uint64_t when = runs ? next_start(releases, grp_now_usec()) : 0;

	if (!runs)
		releases->told_stuck = false;
	if (when)
		wait_for(releases, when);
	if (grp_release_waits(core, GRP_RELEASE_REMOVE) || (runs && !when))
		want_turn(releases);
}

/* --- life --------------------------------------------------------------------------------- */

static int open_sources(struct grp_releases *releases)
{
	sd_event *event = releases->agent->event;
	int r;

	grp_turn_init(&releases->work, event, on_work, releases);
	r = sd_event_add_time(event, &releases->timer, CLOCK_MONOTONIC, UINT64_MAX, 1, on_timer,
			      releases);
	if (r >= 0)
		r = sd_event_source_set_enabled(releases->timer, SD_EVENT_OFF);
	return r < 0 ? r : 0;
}

int grp_releases_new(struct grp_agent *agent, struct grp_releases **ret_releases)
{
	unsigned int most = agent->config.release_agents * GRP_RELEASE_ALIVE_FACTOR;
	unsigned int short_ms = grp_fault_number("RELEASE_YOUNG_MS");
	struct grp_releases *releases = calloc(1, sizeof(*releases));
	int r;

	if (!releases)
		return -ENOMEM;
	releases->agent = agent;
	releases->most_runs = most;
	releases->young_usec = short_ms ? short_ms * 1000ULL : GRP_RELEASE_YOUNG_USEC;
	releases->places = calloc(most, sizeof(*releases->places));
	releases->failures = mmap(NULL, most * sizeof(*releases->failures), PROT_READ | PROT_WRITE,
				  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (releases->failures == MAP_FAILED)
		releases->failures = NULL;
	r = releases->places && releases->failures ? open_sources(releases) : -ENOMEM;
	if (r < 0) {
		grp_releases_free(releases);
		return r;
	}
	for (unsigned int i = 0; i < most; i++)
		releases->places[i] = i;
	*ret_releases = releases;
	return 0;
}

void grp_releases_free(struct grp_releases *releases)
{
	if (!releases)
		return;
	while (releases->runs)
		run_free(releases->runs);
	for (unsigned int i = 0; i < GRP_HIERARCHIES_MAX; i++)
		free(releases->told[i]);
	if (releases->failures)
		(void)munmap(releases->failures, releases->most_runs * sizeof(*releases->failures));
	free(releases->places);
	sd_event_source_unref(releases->timer);
	grp_turn_drop(&releases->work);
	free(releases);
}

void grp_releases_figures(const struct grp_releases *releases,
			  struct grp_releases_figures *ret_figures)
{
	*ret_figures = releases ? releases->figures : (struct grp_releases_figures){ 0 };
	ret_figures->running = releases ? releases->n_runs : 0;
}
