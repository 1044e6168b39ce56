/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Events, see event.h: the table of what each carries, and the way to the sink.
 * When they happen is known in the files that make the changes, and in empty.c.
 */
#include "core/event.h"

#include "core/internal.h"

#define MEMBER(name_, type_)                                       \
	{                                                          \
		.name = #name_, .type = GRP_WATCH_##type_,         \
		.offset = offsetof(struct grp_watch_event, name_), \
	}
#define WHO MEMBER(uid, NUMBER), MEMBER(pid, NUMBER)

static const struct grp_watch_member who[] = { WHO, {} };

static const struct grp_watch_member removed[] = {
	WHO,
	MEMBER(usage_ns, NUMBER),
	MEMBER(usage_own_ns, NUMBER),
	MEMBER(user_ns, NUMBER),
	MEMBER(system_ns, NUMBER),
	MEMBER(forks, NUMBER),
	MEMBER(execs, NUMBER),
	MEMBER(exits, NUMBER),
	MEMBER(switches, NUMBER),
	MEMBER(migrations, NUMBER),
	MEMBER(peak_tasks, NUMBER),
	MEMBER(lived_ns, NUMBER),
	{},
};

static const struct grp_watch_member renamed[] = { WHO, MEMBER(from, PATH), {} };

static const struct grp_watch_member attached[] = {
	WHO,
	{ .name = "from",
	  .type = GRP_WATCH_GROUP,
	  .offset = offsetof(struct grp_watch_event, source) },
	MEMBER(moved, NUMBER),
	{},
};

static const struct grp_watch_member released[] = { MEMBER(action, TEXT), {} };

static const struct grp_watch_member placed[] = {
	WHO,
	MEMBER(comm, PATH),
	MEMBER(thread, NUMBER),
	MEMBER(process, NUMBER),
	MEMBER(asked, TEXT),
	MEMBER(given, TEXT),
	MEMBER(reason, TEXT),
	{},
};

static const struct grp_watch_member lost[] = { MEMBER(count, NUMBER), {} };

const struct grp_watch_row grp_watch_rows[GRP_WATCH_MAX] = {
	[GRP_WATCH_MKDIR] = { "mkdir", who }, [GRP_WATCH_RMDIR] = { "rmdir", removed },
	[GRP_WATCH_MV] = { "mv", renamed },   [GRP_WATCH_ATTACH] = { "attach", attached },
	[GRP_WATCH_EMPTY] = { "empty" },      [GRP_WATCH_RELEASE] = { "release", released },
	[GRP_WATCH_LIMIT] = { "limit" },      [GRP_WATCH_PLACEMENT] = { "placement", placed },
	[GRP_WATCH_LOST] = { "lost", lost },
};

void grp_core_set_sink(struct grp_core *core, grp_sink_fn sink, void *data)
{
	core->sink = sink;
	core->sink_data = data;
}

bool grp_watched(const struct grp_core *core)
{
	return core->sink;
}

struct grp_watch_event grp_watch_event(enum grp_watch_kind kind, const struct grp_group *group,
				       const struct grp_caller *caller)
{
	return (struct grp_watch_event){
		.kind = kind,
		.group = group,
		.uid = caller ? caller->uid : GRP_WATCH_UNKNOWN,
		.pid = caller && caller->pid ? (uint64_t)caller->pid : GRP_WATCH_UNKNOWN,
		.moved = GRP_WATCH_UNKNOWN,
		.count = GRP_WATCH_UNKNOWN,
		.usage_ns = GRP_WATCH_UNKNOWN,
		.usage_own_ns = GRP_WATCH_UNKNOWN,
		.user_ns = GRP_WATCH_UNKNOWN,
		.system_ns = GRP_WATCH_UNKNOWN,
		.forks = GRP_WATCH_UNKNOWN,
		.execs = GRP_WATCH_UNKNOWN,
		.exits = GRP_WATCH_UNKNOWN,
		.switches = GRP_WATCH_UNKNOWN,
		.migrations = GRP_WATCH_UNKNOWN,
		.peak_tasks = GRP_WATCH_UNKNOWN,
		.lived_ns = GRP_WATCH_UNKNOWN,
		.thread = GRP_WATCH_UNKNOWN,
		.process = GRP_WATCH_UNKNOWN,
	};
}

void grp_emit(struct grp_core *core, const struct grp_watch_event *event)
{
	if (core->sink)
		core->sink(event, core->sink_data);
}

void grp_emit_release(struct grp_core *core, const struct grp_group *group,
		      enum grp_watch_release action)
{
	static const char *const actions[GRP_WATCH_RELEASES] = {
		[GRP_WATCH_RELEASE_AGENT] = "agent",
		[GRP_WATCH_RELEASE_DELETE] = "delete",
	};
	struct grp_watch_event event = grp_watch_event(GRP_WATCH_RELEASE, group, NULL);

	event.action = actions[action];
	grp_emit(core, &event);
}
