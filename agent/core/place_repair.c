/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * CPU placement, the part that is told by the kernel: a task whose CPUs somebody may
 * have rewritten is looked at, at once. One that is rewritten again and again is put
 * right ever more rarely, so that a loop there is none here.
 */
#include <errno.h>
#include <stdlib.h>

#include "core/place_internal.h"

/* Repairs in a row without a pause, then pauses that double up to the longest. */
#define REPAIRS_AT_ONCE 4
#define PAUSE_NS 1000000ULL
#define PAUSE_MAX_NS 1000000000ULL
/* So long after its last repair a task is one like any other. */
#define FORGIVEN_NS 10000000000ULL
/* Who has done it is told a moment after it is noticed, if at all. */
#define WHO_NS 4000000ULL
/* Between two looks at all tasks because of events that found no room. */
#define ALL_NS 100000000ULL
/* Tasks that are looked after; more is a look at all. */
#define SUSPECTS_MAX 4096

static uint64_t not_before(const struct grp_place_suspect *suspect)
{
	unsigned int more = suspect->repairs - REPAIRS_AT_ONCE;
	uint64_t pause;

	if (suspect->repairs <= REPAIRS_AT_ONCE)
		return 0;
	pause = more < 20 ? PAUSE_NS << more : PAUSE_MAX_NS;
	return suspect->repaired_ns + (pause < PAUSE_MAX_NS ? pause : PAUSE_MAX_NS);
}

static struct grp_place_suspect *find(struct grp_core *core, pid_t tid)
{
	struct grp_place_suspect *suspect;

	HASH_FIND(hh, core->place->suspects, &tid, sizeof(tid), suspect);
	return suspect;
}

/* NULL: there are too many, or no memory. */
static struct grp_place_suspect *find_or_make(struct grp_core *core, pid_t tid)
{
	struct grp_place_engine *engine = core->place;
	struct grp_place_suspect *suspect = find(core, tid);

	if (suspect || HASH_COUNT(engine->suspects) >= SUSPECTS_MAX)
		return suspect;
	suspect = calloc(1, sizeof(*suspect));
	if (!suspect)
		return NULL;
	suspect->tid = tid;
	HASH_ADD(hh, engine->suspects, tid, sizeof(suspect->tid), suspect);
	return suspect;
}

static void drop(struct grp_core *core, struct grp_place_suspect *suspect)
{
	HASH_DELETE(hh, core->place->suspects, suspect);
	free(suspect);
}

void grp_place_repair_free(struct grp_core *core)
{
	struct grp_place_suspect *suspect, *next;

	HASH_ITER(hh, core->place->suspects, suspect, next)
		drop(core, suspect);
}

/* To be looked at in so long, or when that may be. */
static void call_up(struct grp_core *core, struct grp_place_suspect *suspect, uint64_t in_ns)
{
	uint64_t now = grp_core_clock(core) ?: 1, earliest = not_before(suspect);
	uint64_t due = earliest > now + in_ns ? earliest : now + in_ns;

	if (suspect->due_ns && suspect->due_ns <= due)
		return;
	core->place->figures.fights += earliest > now && !suspect->due_ns;
	suspect->due_ns = due;
}

bool grp_place_may_repair(struct grp_core *core, const struct grp_place_item *item)
{
	struct grp_place_suspect *suspect = find_or_make(core, item->tid);
	uint64_t now = grp_core_clock(core);

	/* Too many at a time: that it ends is seen to by the size of the table alone. */
	if (!suspect)
		return true;
	if (not_before(suspect) > now) {
		call_up(core, suspect, 0);
		return false;
	}
	if (now - suspect->repaired_ns > FORGIVEN_NS)
		suspect->repairs = 0;
	suspect->repairs++;
	suspect->repaired_ns = now;
	return true;
}

static void all_are_suspect(struct grp_core *core)
{
	struct grp_place_engine *engine = core->place;
	uint64_t now = grp_core_clock(core);

	grp_place_touch_all(core);
	if (engine->all_ns && now < engine->all_ns + ALL_NS &&
	    engine->retry_ns < engine->all_ns + ALL_NS)
		engine->retry_ns = engine->all_ns + ALL_NS;
	engine->all_ns = now;
}

void grp_place_event(struct grp_core *core, const struct grp_place_event *event)
{
	struct grp_place_suspect *suspect;

	if (!event->tid) {
		all_are_suspect(core);
		return;
	}
	suspect = find_or_make(core, (pid_t)event->tid);
	if (!suspect) {
		all_are_suspect(core);
		return;
	}
	/* The one that says who is the one to be told. */
	if (!suspect->due_ns || suspect->event.how != GRP_PLACE_HOW_ASKED)
		suspect->event = *event;
	call_up(core, suspect, event->how == GRP_PLACE_HOW_OUTSIDE ? WHO_NS : 0);
}

struct look {
	struct grp_core *core;
	struct grp_place_item item;
	bool wrong;
};

static int on_placed(const struct grp_place_record *record, void *data)
{
	struct look *look = data;
	int r;

	if (look->wrong || record->verdict != GRP_VERDICT_LISTED)
		return 0;
	r = grp_place_decide(look->core, record, &look->item);
	look->wrong = r > 0;
	return r < 0 ? r : 0;
}

/* Its event may come again from before we look: what is asked for later is told. */
static int look_at(struct grp_core *core, const struct grp_place_suspect *suspect)
{
	const struct grp_scan_request request = { .tid = (uint32_t)suspect->tid };
	struct look look = { .core = core };
	int r = core->ops->place_look(core->kernel, request.tid);

	if (!r)
		r = core->ops->placed(core->kernel, &request, NULL, on_placed, &look);
	if (look.wrong) {
		r = grp_place_apply(core, &look.item, &suspect->event);
		grp_place_item_done(&look.item);
	}
	return r == -ESRCH || r == -EINVAL ? 0 : r;
}

int grp_place_repair(struct grp_core *core, uint64_t end_ns)
{
	struct grp_place_suspect *suspect, *next;
	uint64_t now = grp_core_clock(core);
	int r;

	HASH_ITER(hh, core->place->suspects, suspect, next) {
		if (suspect->due_ns && suspect->due_ns <= now) {
			suspect->due_ns = 0;
			r = look_at(core, suspect);
			if (r) {
				suspect->due_ns = now + PAUSE_NS;
				return r;
			}
		}
		if (!suspect->due_ns &&
		    (!suspect->repairs || now - suspect->repaired_ns > FORGIVEN_NS))
			drop(core, suspect);
		now = grp_core_clock(core);
		if (now > end_ns)
			break;
	}
	return 0;
}

uint64_t grp_place_repair_due(const struct grp_core *core)
{
	struct grp_place_suspect *suspect, *next;
	uint64_t due = 0;

	HASH_ITER(hh, core->place->suspects, suspect, next)
		if (suspect->due_ns && (!due || suspect->due_ns < due))
			due = suspect->due_ns;
	return due;
}
