/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * See unfinished.h. A note is the record of the journal, as a stored value of the first
 * of the groups that are entered: there may be several, where the journal has room for
 * the one attach that is under way. It is put before that record goes (A5), so at each
 * moment there is one of the two; to do both again does no harm.
 */
#include "core/unfinished.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/internal.h"

#define NAME_SIZE 32
/* At a start, which waits for nobody: then the agent goes on. */
#define TRIES_AT_START 8

static struct grp_group *holder(struct grp_core *core, const struct grp_journal *record)
{
	for (unsigned int slot = 0; slot < GRP_HIERARCHIES_MAX; slot++)
		if (record->target[slot])
			return grp_group_by_id(core, record->target[slot]);
	return NULL;
}

static void make_name(const struct grp_journal *record, char name[NAME_SIZE])
{
	if (record->group)
		(void)snprintf(name, NAME_SIZE, "from %u", record->group);
	else
		(void)snprintf(name, NAME_SIZE, "%u", record->tid);
}

static const struct grp_value_entry *find(struct grp_core *core, const struct grp_journal *record)
{
	struct grp_group *group = holder(core, record);
	char name[NAME_SIZE];

	make_name(record, name);
	return group ? grp_value_find(core, group, GRP_VALUE_ATTACH, name) : NULL;
}

bool grp_unfinished_find(struct grp_core *core, struct grp_journal *record)
{
	const struct grp_value_entry *entry = find(core, record);

	if (!entry || entry->len != sizeof(*record))
		return false;
	memcpy(record, entry->data, sizeof(*record));
	return true;
}

void grp_unfinished_forget(struct grp_core *core, const struct grp_journal *record)
{
	struct grp_group *group = holder(core, record);
	char name[NAME_SIZE];

	make_name(record, name);
	/* If it cannot be dropped it is tried again by a start, which changes nothing. */
	if (group)
		(void)grp_value_drop(core, group, GRP_VALUE_ATTACH, name);
}

/* Whether what @later has done is not to be undone by going on with @noted. */
static bool is_superseded(struct grp_core *core, const struct grp_journal *noted,
			  const struct grp_journal *later)
{
	const struct grp_task_id a = { .tid = (pid_t)noted->tid }, b = { .tid = (pid_t)later->tid };
	struct grp_member one, other;
	bool overlap = false;

	for (unsigned int slot = 0; slot < GRP_HIERARCHIES_MAX; slot++)
		overlap = overlap || (noted->target[slot] && later->target[slot]);
	if (!overlap || noted->group || later->group)
		return false;
	if (noted->tid == later->tid || !later->whole)
		return noted->tid == later->tid;
	return !grp_task_find(core, &a, NULL, &one) && !grp_task_find(core, &b, NULL, &other) &&
	       one.tgid == other.tgid;
}

/* The last one who moves a task decides where it is. */
static void forget_superseded(struct grp_core *core, const struct grp_journal *later)
{
	struct grp_journal noted = {};
	bool any = false;

	while (grp_unfinished_next(core, &noted)) {
		if (is_superseded(core, &noted, later))
			grp_unfinished_forget(core, &noted);
		any = true;
	}
	core->unfinished = any;
}

void grp_unfinished_note(struct grp_core *core, const struct grp_journal *record, bool some, int r)
{
	struct grp_group *group = holder(core, record);
	bool noted = core->unfinished && find(core, record);
	char name[NAME_SIZE];

	/* One in whose children it is noted already; see clone.c. */
	if (!group || grp_value_find(core, group, GRP_VALUE_CLONE, GRP_CLONE_INTENT))
		return;
	if (core->unfinished) {
		grp_unfinished_forget(core, record);
		forget_superseded(core, record);
	}
	if (r != -EAGAIN || (!some && !noted))
		return;
	make_name(record, name);
	/* No room for it: then a SIGKILL just now leaves it as it is. */
	(void)grp_value_put(core, group, GRP_VALUE_ATTACH, name, record, sizeof(*record));
	core->unfinished = true;
}

int grp_unfinished_try(struct grp_core *core, const struct grp_journal *record)
{
	int r = grp_attach_again(core, record);

	if (r != -EAGAIN)
		grp_unfinished_forget(core, record);
	return r;
}

/* Whether the note comes after the record in the order of group and name. */
static bool comes_after(const struct grp_value_entry *entry, const struct grp_group *group,
			const struct grp_journal *record)
{
	char name[NAME_SIZE];
	uint32_t id = 0;

	for (unsigned int slot = 0; !id && slot < GRP_HIERARCHIES_MAX; slot++)
		id = record->target[slot];
	make_name(record, name);
	return group->id > id || (group->id == id && strcmp(entry->key.name, name) > 0);
}

static void take_earlier(const struct grp_value_entry *entry, const struct grp_group *group,
			 const struct grp_journal *after, struct grp_journal *best, bool *found)
{
	struct grp_journal record;

	if (entry->key.kind != GRP_VALUE_ATTACH || entry->len != sizeof(record) ||
	    !comes_after(entry, group, after))
		return;
	memcpy(&record, entry->data, sizeof(record));
	if (*found && comes_after(entry, group, best))
		return;
	*best = record;
	*found = true;
}

bool grp_unfinished_next(struct grp_core *core, struct grp_journal *record)
{
	struct grp_journal best;
	bool found = false;

	for (struct grp_group *group = core->by_id; group; group = group->hh_id.next)
		for (const struct grp_value_entry *entry = group->values; entry;
		     entry = entry->next)
			if (!group->dying)
				take_earlier(entry, group, record, &best, &found);
	if (found)
		*record = best;
	return found;
}

bool grp_unfinished_any(struct grp_core *core)
{
	struct grp_journal record = {};

	core->unfinished = core->unfinished && grp_unfinished_next(core, &record);
	return core->unfinished;
}

void grp_unfinished_resume(struct grp_core *core)
{
	struct grp_journal record = {};

	core->unfinished = true;
	while (grp_unfinished_next(core, &record))
		for (unsigned int i = 0; i < TRIES_AT_START; i++)
			if (grp_unfinished_try(core, &record) != -EAGAIN)
				break;
}

int grp_attach_resume(struct grp_core *core, const struct grp_journal *record)
{
	/*
	 * What was refused then is refused again (TASK-8, no room for a set), or the
	 * group or the task has gone: no reason not to start.
	 */
	(void)grp_attach_again(core, record);
	return core->ops->journal_put(core->kernel, GRP_JOURNAL_ENTRY_ATTACH, NULL);
}
