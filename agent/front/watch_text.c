/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Events as JSON, see watch_text.h.
 */
#include "front/watch_text.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/cleanup_json.h"
#include "base/text.h"
#include "front/call.h"

static int set_number(json_t *object, const char *name, uint64_t number)
{
	if (number == GRP_WATCH_UNKNOWN)
		return 0;
	return json_object_set_new(object, name, json_integer((json_int_t)number)) ? -ENOMEM : 0;
}

static int set_text(json_t *object, const char *name, const char *text)
{
	return json_object_set_new(object, name, json_string(text)) ? -ENOMEM : 0;
}

static int set_path(json_t *object, const char *name, const char *path)
{
	_cleanup_free_ char *text = NULL;
	int r = grp_text_escape(path, strlen(path), &text);

	return r < 0 ? r : set_text(object, name, text);
}

static int set_group(json_t *object, const char *name, const struct grp_group *group)
{
	_cleanup_free_ char *text = NULL;
	int r = grp_group_text(group, &text);

	return r < 0 ? r : set_text(object, name, text);
}

static int set_member(json_t *object, const struct grp_watch_member *member,
		      const struct grp_watch_event *event)
{
	const void *at = (const char *)event + member->offset;
	const struct grp_group *group;
	const char *text;

	switch (member->type) {
	case GRP_WATCH_NUMBER:
		return set_number(object, member->name, *(const uint64_t *)at);
	case GRP_WATCH_GROUP:
		group = *(const struct grp_group *const *)at;
		return group ? set_group(object, member->name, group) : 0;
	case GRP_WATCH_PATH:
		text = *(const char *const *)at;
		return text ? set_path(object, member->name, text) : 0;
	case GRP_WATCH_TEXT:
		text = *(const char *const *)at;
		return text ? set_text(object, member->name, text) : 0;
	}
	return 0;
}

static int fill(json_t *object, const struct grp_watch_event *event, uint64_t seq, uint64_t time_ns)
{
	const struct grp_watch_row *row = &grp_watch_rows[event->kind];
	int r = set_number(object, "seq", seq);

	if (r == 0)
		r = set_number(object, "time_ns", time_ns);
	if (r == 0)
		r = set_text(object, "event", row->name);
	if (r == 0 && event->group)
		r = set_text(object, "hierarchy", event->group->hierarchy->name);
	if (r == 0 && event->group)
		r = set_group(object, "group", event->group);
	for (const struct grp_watch_member *m = row->members; r == 0 && m && m->name; m++)
		r = set_member(object, m, event);
	return r;
}

int grp_watch_text(const struct grp_watch_event *event, uint64_t seq, uint64_t time_ns,
		   char **ret_text, size_t *ret_len)
{
	_cleanup_json_ json_t *object = json_object(), *parameters = NULL;
	char *text;
	int r = object ? fill(object, event, seq, time_ns) : -ENOMEM;

	if (r < 0)
		return r;
	parameters = json_pack("{s:O}", "event", object);
	text = parameters ? json_dumps(parameters, JSON_COMPACT) : NULL;
	if (!text)
		return -ENOMEM;
	*ret_text = text;
	*ret_len = strlen(text);
	return 0;
}
