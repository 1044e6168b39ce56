/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * See attaching.h. That something is half done the core has noted in the store; here is
 * who tries again. The note goes with the last try.
 */
#include "front/attaching.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-event.h>
#include <unistd.h>
#include <utlist.h>

#include "agent.h"
#include "base/clock.h"
#include "base/log.h"
#include "core/attach_each.h"
#include "core/place.h"
#include "core/unfinished.h"
#include "front/jobs.h"

#define NSEC_PER_SEC 1000000000ULL

/* One that nobody waits for. */
struct grp_left_attach {
	struct grp_left_attach *prev, *next;
	struct grp_agent *agent;
	struct grp_journal record;
	sd_event_source *timer;
	uint64_t deadline_usec;
};

/* --- one that is waited for --------------------------------------------------------------- */

void grp_attaching_add(struct grp_attaching *attaching, const struct grp_group *group)
{
	attaching->groups[attaching->n_groups++] = group->id;
}

/* Against the reuse of its id until the next try. */
static int remember_start(struct grp_attaching *attaching, struct grp_core *core)
{
	struct grp_member member;
	int r;

	if (attaching->from || attaching->id.start_ticks)
		return 0;
	r = grp_task_find(core, &attaching->id, NULL, &member);
	if (r == 0)
		attaching->id.start_ticks =
			member.start_ns / (NSEC_PER_SEC / (uint64_t)sysconf(_SC_CLK_TCK));
	return r;
}

/* What the core has noted of a move into these groups, if it has. */
static bool find_half(const struct grp_attaching *attaching, struct grp_core *core, pid_t tid,
		      struct grp_journal *ret_record)
{
	struct grp_journal record = { .tid = (uint32_t)tid, .group = attaching->from };

	for (size_t i = 0; i < attaching->n_groups; i++) {
		const struct grp_group *group = grp_group_by_id(core, attaching->groups[i]);

		if (group)
			record.target[group->hierarchy->slot] = group->id;
	}
	if (!grp_unfinished_find(core, &record))
		return false;
	*ret_record = record;
	return true;
}

static void remember_half(struct grp_attaching *attaching, struct grp_core *core)
{
	attaching->half = find_half(attaching, core, attaching->id.tid, &attaching->record);
}

static int pause_after(struct grp_attaching *attaching, struct grp_core *core)
{
	int r = remember_start(attaching, core);

	remember_half(attaching, core);
	return r ?: -EAGAIN;
}

int grp_attaching_file(const struct grp_file_access *access, const char *file, const char *text,
		       struct grp_attaching *attaching)
{
	int r = grp_file_parse_member(access, text, strcmp(file, "tasks") != 0, &attaching->id);

	if (r < 0)
		return r;
	grp_attaching_add(attaching, access->group);
	r = pause_after(attaching, access->core);
	return r == -EAGAIN ? 0 : r;
}

static int make_target(const struct grp_attaching *attaching, struct grp_core *core,
		       struct grp_target *target)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < attaching->n_groups; i++) {
		struct grp_group *group = grp_group_by_id(core, attaching->groups[i]);

		r = group && !group->dying ? grp_target_add(target, group) : -ENOENT;
	}
	return r;
}

static int attach(struct grp_attaching *attaching, const struct grp_caller *caller,
		  struct grp_core *core, struct grp_error *error)
{
	struct grp_target target = { .group = { NULL } };
	struct grp_group *from;
	int r = make_target(attaching, core, &target);

	if (r < 0)
		return r;
	if (!attaching->from)
		return grp_attach(core, &target, &attaching->id, caller, error, &attaching->moved);
	from = grp_group_by_id(core, attaching->from);
	if (!from || from->dying)
		return -ENOENT;
	return grp_attach_members(core, &target, from, caller, error, &attaching->moved);
}

int grp_attaching_try(struct grp_attaching *attaching, struct grp_agent *agent,
		      const struct grp_caller *caller, struct grp_error *error)
{
	int r;

	attaching->moved = 0;
	r = attach(attaching, caller, agent->core, error);
	attaching->ticket = grp_place_ticket(agent->core);
	if (r == -EAGAIN)
		return pause_after(attaching, agent->core);
	if (r == 0)
		attaching->half = false;
	return r;
}

/* --- those that are not -------------------------------------------------------------------- */

static void left_free(struct grp_left_attach *left)
{
	DL_DELETE(left->agent->left, left);
	sd_event_source_disable_unref(left->timer);
	free(left);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *data)
{
	struct grp_left_attach *left = data;
	struct grp_core *core = left->agent->core;
	int r = 0;

	/* Somebody else may have moved it since, or ended it. */
	if (grp_unfinished_find(core, &left->record))
		r = grp_unfinished_try(core, &left->record);
	if (r == -EAGAIN && grp_now_usec() < left->deadline_usec) {
		r = sd_event_source_set_time_relative(source, GRP_ATTACHING_PAUSE_USEC);
		if (r >= 0)
			r = sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
		if (r >= 0)
			return 0;
	}
	if (r < 0)
		GRP_LOG_WARNING("cannot move all threads of an attach that nobody waits for: %s, "
				"ignoring",
				strerror(-r));
	grp_unfinished_forget(core, &left->record);
	left_free(left);
	return 0;
}

static int leave(struct grp_agent *agent, const struct grp_journal *record)
{
	struct grp_left_attach *left = calloc(1, sizeof(*left));
	int r;

	if (!left)
		return -ENOMEM;
	left->agent = agent;
	left->record = *record;
	left->deadline_usec = grp_now_usec() + GRP_JOB_DEADLINE_USEC;
	DL_APPEND(agent->left, left);
	r = sd_event_add_time_relative(agent->event, &left->timer, CLOCK_MONOTONIC,
				       GRP_ATTACHING_PAUSE_USEC, 0, on_timer, left);
	if (r < 0)
		left_free(left);
	return r;
}

void grp_attaching_leave(struct grp_attaching *attaching, struct grp_agent *agent)
{
	/* If that cannot be, the next start goes on. */
	if (attaching->half)
		(void)leave(agent, &attaching->record);
	attaching->half = false;
}

static void leave_halves(const struct grp_attaching *attaching, struct grp_agent *agent,
			 const pid_t *tids, size_t n, const bool *done)
{
	struct grp_journal record;

	for (size_t i = 0; i < n && grp_unfinished_any(agent->core); i++)
		/* If that cannot be, the next start goes on. */
		if (!done[i] && find_half(attaching, agent->core, tids[i], &record))
			(void)leave(agent, &record);
}

int grp_attaching_each(struct grp_attaching *attaching, struct grp_agent *agent,
		       const struct grp_caller *caller, const pid_t *tids, size_t n, bool whole,
		       bool *ret_done)
{
	struct grp_target target = { .group = { NULL } };
	int r = make_target(attaching, agent->core, &target);

	if (r < 0)
		return r;
	r = grp_attach_each(agent->core, &target, tids, n, whole, caller, ret_done);
	attaching->ticket = grp_place_ticket(agent->core);
	leave_halves(attaching, agent, tids, n, ret_done);
	return r;
}

int grp_attachings_start(struct grp_agent *agent)
{
	struct grp_journal record = { 0 };
	int r = 0;

	while (r >= 0 && grp_unfinished_next(agent->core, &record))
		r = leave(agent, &record);
	return r < 0 ? r : 0;
}

void grp_attachings_free(struct grp_agent *agent)
{
	while (agent->left)
		left_free(agent->left);
}
