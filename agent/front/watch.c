/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Watchers and their ring, see watch.h. Who may see an event is decided when it
 * happens: its group may be gone, or be another's, when the event is read. How an
 * event looks is in watch_text.c.
 */
#include "front/watch.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <utlist.h>

#include "agent.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "core/event.h"
#include "core/inode.h"
#include "front/connection.h"
#include "front/jobs.h"
#include "front/methods.h"
#include "front/watch_text.h"

#define WATCHERS_MAX (GRP_CONNECTIONS_MAX + GRP_CONNECTIONS_ROOT)
#define WORDS ((WATCHERS_MAX + 63) / 64)
/* Bytes that an event has on average: what the ring may hold of them in all. */
#define ENTRY_BYTES 1024
/* So much is handed to a reader at a time. */
#define BATCH_BYTES 65536

struct entry {
	uint64_t seq, time_ns;
	/*
	 * As JSON, owned: [1] without the group it came from, which not all may see.
	 * NULL: it could not be told, which is lost like one that was overtaken.
	 */
	char *text[2];
	size_t bytes;
	uint64_t wanted[2][WORDS]; /* by text: bits of the watchers that get it */
};

struct watcher {
	struct grp_job job; /* first */
	struct grp_watch *watch;
	struct watcher *prev, *next;
	unsigned int index; /* its bit */
	uint32_t group; /* id, only this one and below; 0: all */
	bool greeted;
	uint64_t at; /* number of the event that it looks at next */
	uint64_t lost, lost_seq, lost_ns; /* how many, not told yet; the last of them */
};

struct grp_watch {
	struct grp_agent *agent;
	struct entry *ring;
	size_t size, first, n, bytes;
	uint64_t seq; /* of the newest event */
	struct watcher *watchers;
	uint64_t used[WORDS]; /* bits of watchers */
	struct grp_watch_figures figures;
};

static bool has_bit(const uint64_t *words, unsigned int bit)
{
	return words[bit / 64] >> bit % 64 & 1;
}

static void set_bit(uint64_t *words, unsigned int bit, bool on)
{
	uint64_t mask = 1ULL << bit % 64;

	words[bit / 64] = on ? words[bit / 64] | mask : words[bit / 64] & ~mask;
}

/* --- the ring ---------------------------------------------------------------------- */

static struct entry *entry_at(const struct grp_watch *watch, size_t i)
{
	return &watch->ring[(watch->first + i) % watch->size];
}

/* Index of the oldest event that is not older than this. */
static size_t find_entry(const struct grp_watch *watch, uint64_t seq)
{
	size_t low = 0, high = watch->n;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (entry_at(watch, middle)->seq < seq)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_for(const struct entry *entry, const struct watcher *watcher)
{
	return has_bit(entry->wanted[0], watcher->index) ||
	       has_bit(entry->wanted[1], watcher->index);
}

static void lose(struct watcher *watcher, const struct entry *entry)
{
	watcher->lost++;
	watcher->lost_seq = entry->seq;
	watcher->lost_ns = entry->time_ns;
	watcher->watch->figures.lost++;
}

static void entry_done(struct entry *entry)
{
	free(entry->text[0]);
	free(entry->text[1]);
	*entry = (struct entry){ .seq = 0 };
}

/* Whoever has not taken the oldest event loses it. */
static void drop_oldest(struct grp_watch *watch)
{
	struct entry *entry = entry_at(watch, 0);
	struct watcher *watcher;

	DL_FOREACH(watch->watchers, watcher) {
		if (watcher->at <= entry->seq && is_for(entry, watcher))
			lose(watcher, entry);
		if (watcher->at <= entry->seq)
			watcher->at = entry->seq + 1;
	}
	watch->bytes -= entry->bytes;
	entry_done(entry);
	watch->first = (watch->first + 1) % watch->size;
	watch->n--;
}

static void clear(struct grp_watch *watch)
{
	for (; watch->n; watch->n--) {
		entry_done(entry_at(watch, 0));
		watch->first = (watch->first + 1) % watch->size;
	}
	watch->bytes = 0;
}

/* Room for one more, of this length. It may be longer than all of them together. */
static struct entry *new_entry(struct grp_watch *watch, size_t bytes)
{
	while (watch->n &&
	       (watch->n == watch->size || watch->bytes + bytes > watch->size * ENTRY_BYTES))
		drop_oldest(watch);
	watch->bytes += bytes;
	return entry_at(watch, watch->n++);
}

/* --- what happens -------------------------------------------------------------------- */

static bool may_see(const struct watcher *watcher, const struct grp_group *group)
{
	return grp_group_access(group, watcher->job.call->caller, GRP_SEARCH, NULL) == 0;
}

static bool is_below(const struct grp_group *group, uint32_t id)
{
	while (group && group->id != id)
		group = group->parent;
	return group;
}

/* Who gets an event, as which text. Return: whether anybody does. */
static bool choose(const struct grp_watch *watch, const struct grp_watch_event *event,
		   struct entry *entry)
{
	struct watcher *watcher;
	bool any = false, bare;

	DL_FOREACH(watch->watchers, watcher) {
		if ((watcher->group && !is_below(event->group, watcher->group)) ||
		    !may_see(watcher, event->group))
			continue;
		bare = event->source && !may_see(watcher, event->source);
		set_bit(entry->wanted[bare], watcher->index, true);
		any = true;
		grp_connection_wake(watcher->job.call->connection);
	}
	return any;
}

static char *make_text(const struct grp_watch_event *event, const struct entry *entry, bool bare,
		       size_t *bytes)
{
	struct grp_watch_event shown = *event;
	char *text = NULL;
	size_t len = 0;

	for (size_t i = 0; i < WORDS; i++)
		len += entry->wanted[bare][i] != 0;
	if (!len)
		return NULL;
	if (bare)
		shown.source = NULL;
	if (grp_watch_text(&shown, entry->seq, entry->time_ns, &text, &len) == 0)
		*bytes += len;
	return text;
}

static void on_event(const struct grp_watch_event *event, void *data)
{
	struct grp_watch *watch = data;
	struct entry entry = { .seq = ++watch->seq };

	if (!choose(watch, event, &entry))
		return;
	entry.time_ns = grp_clock_ns(CLOCK_REALTIME);
	entry.text[0] = make_text(event, &entry, false, &entry.bytes);
	entry.text[1] = make_text(event, &entry, true, &entry.bytes);
	*new_entry(watch, entry.bytes) = entry;
}

/* --- what a reader gets ---------------------------------------------------------------- */

/* The record in place of what was lost, with the number of the last of them. */
static int put_lost(struct watcher *watcher, FILE *out)
{
	struct grp_watch_event event = grp_watch_event(GRP_WATCH_LOST, NULL, NULL);
	_cleanup_free_ char *text = NULL;
	size_t len;
	int r;

	if (!watcher->lost)
		return 0;
	event.count = watcher->lost;
	r = grp_watch_text(&event, watcher->lost_seq, watcher->lost_ns, &text, &len);
	if (r < 0)
		return r;
	watcher->lost = 0;
	grp_wire_put_reply(out, text, true);
	return 0;
}

static int put_entry(struct watcher *watcher, const struct entry *entry, FILE *out)
{
	const char *text = entry->text[has_bit(entry->wanted[1], watcher->index)];
	int r;

	if (!text) {
		lose(watcher, entry);
		return 0;
	}
	r = put_lost(watcher, out);
	if (r == 0)
		grp_wire_put_reply(out, text, true);
	return r;
}

/* As much as is there and fits a batch. */
static int put_batch(struct watcher *watcher, FILE *out)
{
	const struct grp_watch *watch = watcher->watch;
	int r = 0;

	if (!watcher->greeted)
		grp_wire_put_reply(out, "{}", true);
	watcher->greeted = true;
	for (size_t i = find_entry(watch, watcher->at);
	     r == 0 && i < watch->n && ftell(out) < BATCH_BYTES; i++) {
		const struct entry *entry = entry_at(watch, i);

		if (is_for(entry, watcher))
			r = put_entry(watcher, entry, out);
		watcher->at = entry->seq + 1;
	}
	return r ?: put_lost(watcher, out);
}

/* The group that was asked for has gone, and all that was told of it is on its way. */
static bool is_over(const struct watcher *watcher)
{
	const struct grp_group *group =
		grp_group_by_id(watcher->watch->agent->core, watcher->group);

	return watcher->group && (!group || group->dying);
}

static bool is_behind(const struct watcher *watcher)
{
	return !watcher->greeted || watcher->lost ||
	       find_entry(watcher->watch, watcher->at) < watcher->watch->n;
}

static bool refill(struct grp_job *job)
{
	struct watcher *watcher = (struct watcher *)job;
	struct grp_call *call = job->call;
	char *bytes = NULL;
	size_t len = 0;
	FILE *out;
	int r;

	if (!is_behind(watcher)) {
		if (is_over(watcher))
			grp_call_finish(call, 0, NULL);
		return false;
	}
	out = open_memstream(&bytes, &len);
	r = out ? put_batch(watcher, out) : -ENOMEM;
	if (out && fclose(out))
		r = -ENOMEM;
	if (r == 0 && len)
		grp_connection_send_bytes(call->connection, TAKE_PTR(bytes), len);
	free(bytes);
	/* Half a stream is none: better closed than with a hole. */
	if (r < 0)
		call->connection->dead = true;
	return len;
}

/* --- life -------------------------------------------------------------------------------- */

static void watcher_done(struct grp_job *job)
{
	struct watcher *watcher = (struct watcher *)job;
	struct grp_watch *watch = watcher->watch;

	if (!watch)
		return;
	DL_DELETE(watch->watchers, watcher);
	set_bit(watch->used, watcher->index, false);
	watch->figures.watchers--;
	if (watch->watchers)
		return;
	clear(watch);
	grp_core_set_sink(watch->agent->core, NULL, NULL);
}

static const struct grp_job_type watcher_type = {
	.size = sizeof(struct watcher),
	.refill = refill,
	.done = watcher_done,
};

static void begin(struct grp_watch *watch, struct watcher *watcher)
{
	while (has_bit(watch->used, watcher->index))
		watcher->index++;
	set_bit(watch->used, watcher->index, true);
	watcher->watch = watch;
	watcher->at = watch->seq + 1;
	DL_APPEND(watch->watchers, watcher);
	watch->figures.watchers++;
	grp_core_set_sink(watch->agent->core, on_event, watch);
	grp_connection_wake(watcher->job.call->connection);
}

int grp_method_watch(struct grp_call *call, json_t **ret_reply)
{
	struct grp_watch *watch = call->connection->server->watch;
	const char *text = grp_call_string(call, "group");
	struct grp_group *group = NULL;
	struct watcher *watcher;
	int r = 0;

	if (call->wire.oneway)
		return 0; /* nobody would listen */
	if (text)
		r = grp_call_group(call, text, &group);
	if (r == 0 && group) {
		call->item = text;
		r = grp_group_access(group, call->caller, GRP_SEARCH, &call->error);
	}
	if (r < 0)
		return r;
	watcher = grp_job_new(call, &watcher_type);
	if (!watcher)
		return -ENOMEM;
	watcher->group = group ? group->id : 0;
	begin(watch, watcher);
	return GRP_CALL_LATER;
}

int grp_watch_new(struct grp_agent *agent, struct grp_watch **ret_watch)
{
	struct grp_watch *watch = calloc(1, sizeof(*watch));

	if (!watch)
		return -ENOMEM;
	watch->agent = agent;
	watch->size = agent->config.watch_backlog;
	watch->ring = calloc(watch->size, sizeof(*watch->ring));
	if (!watch->ring) {
		free(watch);
		return -ENOMEM;
	}
	*ret_watch = watch;
	return 0;
}

void grp_watch_free(struct grp_watch *watch)
{
	if (!watch)
		return;
	clear(watch);
	free(watch->ring);
	free(watch);
}

void grp_watch_deliver(struct grp_watch *watch)
{
	struct watcher *watcher, *next;

	/* A turn ends at most the watcher itself. */
	DL_FOREACH_SAFE(watch->watchers, watcher, next)
		if (is_behind(watcher) || is_over(watcher))
			grp_connection_push(watcher->job.call->connection);
}

void grp_watch_figures(const struct grp_watch *watch, struct grp_watch_figures *ret_figures)
{
	*ret_figures = watch->figures;
}
