/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Distinct processes among the members of groups, see processes.h. One open-addressed table
 * has both the pairs of group and process that were seen and, under the process 0, how many
 * of them a group has.
 */
#include "core/processes.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "core/internal.h"

#define ENTRIES_MIN 256
/* With more groups to be looked at, all tasks are, which is cheaper than a plan each time. */
#define PLANNED_MAX 64
/* With more entries wanted (so many take 128 KiB) it waits for its turn. */
#define ENTRIES_AT_WILL 3072
/* From here on the table is pages of its own. */
#define ENTRIES_PAGED 8192

struct entry {
	uint64_t key; /* group's id and process; 0: free */
	uint64_t n; /* of process 0: distinct ones of the group */
};

struct grp_processes {
	struct grp_core *core;
	bool looks; /* at tasks: the counts of tasks do not tell */
	void *scan; /* of the kernel's; NULL: not begun, or over */
	uint32_t planned[PLANNED_MAX]; /* ids of the groups to be looked at */
	size_t n_planned; /* 0: all are */
	struct entry *entries; /* owned */
	size_t n, allocated; /* a power of two, at least twice n */
	size_t wanted; /* entries, if each task is a process of its own */
	struct grp_processes *next; /* of those that count much, core->counts is the first */
	bool queued, begun;
};

/* --- the table ------------------------------------------------------------------------ */

static uint64_t key_of(uint32_t group, uint32_t tgid)
{
	return (uint64_t)group << 32 | tgid;
}

/* The entry with this key, or the free one for it. */
static struct entry *find(const struct grp_processes *processes, uint64_t key)
{
	size_t mask = processes->allocated - 1;
	/* Knuth's multiplicative hash: the high bits depend on all of the key. */
	size_t i = (key * 0x9e3779b97f4a7c15ULL) >> 32;

	while (processes->entries[i & mask].key && processes->entries[i & mask].key != key)
		i++;
	return &processes->entries[i & mask];
}

/*
 * Large ones are pages of their own, which the kernel clears one by one as they are used; the
 * library would clear old memory of its own, all at once.
 */
static struct entry *entries_new(size_t n)
{
	void *pages;

	if (n < ENTRIES_PAGED)
		return calloc(n, sizeof(struct entry));
	pages = mmap(NULL, n * sizeof(struct entry), PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return pages == MAP_FAILED ? NULL : pages;
}

static void entries_free(struct entry *entries, size_t n)
{
	if (n < ENTRIES_PAGED)
		free(entries);
	else
		(void)munmap(entries, n * sizeof(*entries));
}

static int grow(struct grp_processes *processes, size_t wanted)
{
	struct grp_processes bigger = { .n = processes->n, .allocated = ENTRIES_MIN };

	while (bigger.allocated < 2 * wanted)
		bigger.allocated *= 2;
	bigger.entries = entries_new(bigger.allocated);
	if (!bigger.entries)
		return -ENOMEM;
	for (size_t i = 0; i < processes->allocated; i++)
		if (processes->entries[i].key)
			*find(&bigger, processes->entries[i].key) = processes->entries[i];
	entries_free(processes->entries, processes->allocated);
	processes->entries = bigger.entries;
	processes->allocated = bigger.allocated;
	return 0;
}

/* NULL is no memory. */
static struct entry *find_or_add(struct grp_processes *processes, uint64_t key, bool *ret_added)
{
	struct entry *entry;

	if (2 * (processes->n + 1) > processes->allocated && grow(processes, 2 * processes->n))
		return NULL;
	entry = find(processes, key);
	*ret_added = !entry->key;
	processes->n += *ret_added;
	entry->key = key;
	return entry;
}

static int add(struct grp_processes *processes, uint32_t group, uint32_t tgid)
{
	struct entry *entry;
	bool added;

	if (!find_or_add(processes, key_of(group, tgid), &added))
		return -ENOMEM;
	if (!added)
		return 0;
	entry = find_or_add(processes, key_of(group, 0), &added);
	if (!entry)
		return -ENOMEM;
	entry->n++;
	return 0;
}

static int on_record(const struct grp_scan_record *record, void *data)
{
	struct grp_processes *processes = data;
	struct grp_core *core = processes->core;
	const struct grp_set *set =
		record->set < core->view->capacity_sets ? &core->sets[record->set] : NULL;
	int r = 0;

	if (record->verdict != GRP_VERDICT_LISTED || !set || set->state == GRP_SET_FREE)
		return 0;
	for (unsigned int slot = 0; !r && slot < GRP_HIERARCHIES_MAX; slot++)
		if (core->slots[slot])
			r = add(processes, grp_set_group(core, set, slot)->id, record->tgid);
	return r;
}

/* --- which groups --------------------------------------------------------------------- */

static size_t all_tasks(struct grp_core *core)
{
	size_t tasks = 0;

	for (uint32_t set = 0; set < core->view->capacity_sets; set++)
		if (core->sets[set].state != GRP_SET_FREE)
			tasks += grp_set_members(core, &core->sets[set]);
	return tasks;
}

/* With room for as many as so many tasks can be no step grows the table. */
static size_t entries_of(const struct grp_core *core, size_t tasks)
{
	size_t hierarchies = 0, pairs;

	for (unsigned int slot = 0; slot < GRP_HIERARCHIES_MAX; slot++)
		hierarchies += core->slots[slot] != NULL;
	pairs = tasks * hierarchies;
	return pairs + (pairs < core->figures.groups ? pairs : core->figures.groups);
}

/*
 * Those of which the count of tasks does not tell. @ret_tasks: that they have. Return: how
 * many there are; over PLANNED_MAX not all of them are in the plan.
 */
static size_t choose(struct grp_processes *processes, const struct grp_group_ref *groups, size_t n,
		     size_t *ret_tasks)
{
	size_t chosen = 0, tasks;

	*ret_tasks = 0;
	for (size_t i = 0; i < n && chosen <= PLANNED_MAX; i++) {
		const struct grp_group *group = grp_group_at(processes->core, groups[i]);

		tasks = group ? grp_group_tasks(processes->core, group) : 0;
		if (tasks <= 1)
			continue;
		if (chosen < PLANNED_MAX)
			processes->planned[chosen] = group->id;
		chosen++;
		*ret_tasks += tasks;
	}
	return chosen;
}

static void mark_plan(struct grp_processes *processes, uint16_t mark)
{
	for (size_t i = 0; i < processes->n_planned; i++) {
		const struct grp_group *group =
			grp_group_by_id(processes->core, processes->planned[i]);

		if (group)
			grp_plan_group(processes->core, group, mark);
	}
}

/* --- turns ----------------------------------------------------------------------------- */

static void enqueue(struct grp_processes *processes)
{
	struct grp_processes **end = &processes->core->counts;

	while (*end)
		end = &(*end)->next;
	*end = processes;
	processes->queued = true;
}

static void dequeue(struct grp_processes *processes)
{
	struct grp_processes **at = &processes->core->counts;

	while (*at != processes)
		at = &(*at)->next;
	*at = processes->next;
}

/* Return: 0; GRP_PROCESSES_WAIT; -errno. */
static int begin(struct grp_processes *processes)
{
	struct grp_core *core = processes->core;
	int r;

	if (processes->queued && core->counts != processes)
		return GRP_PROCESSES_WAIT;
	r = grow(processes, processes->wanted);
	if (!r && processes->looks)
		r = core->ops->scan_open(core->kernel, &processes->scan);
	processes->begun = !r;
	return r;
}

/* --- for others ----------------------------------------------------------------------- */

int grp_processes_new(struct grp_core *core, const struct grp_group_ref *groups, size_t n,
		      struct grp_processes **ret_processes)
{
	struct grp_processes *processes = calloc(1, sizeof(*processes));
	size_t chosen, tasks;
	bool all;

	if (!processes)
		return -ENOMEM;
	processes->core = core;
	chosen = choose(processes, groups, n, &tasks);
	all = !groups || chosen > PLANNED_MAX;
	processes->looks = all || chosen;
	processes->n_planned = all ? 0 : chosen;
	processes->wanted = entries_of(core, all ? all_tasks(core) : tasks);
	/* one of all groups is the agent's own, and waits for no client's */
	if (groups && processes->wanted > ENTRIES_AT_WILL)
		enqueue(processes);
	*ret_processes = processes;
	return 0;
}

int grp_processes_step(struct grp_processes *processes)
{
	static const struct grp_scan_request request;
	struct grp_core *core = processes->core;
	int r = processes->begun ? 0 : begin(processes);

	if (r || !processes->scan)
		return r;
	mark_plan(processes, 0);
	r = core->ops->scan_step(core->kernel, processes->scan, &request,
				 processes->n_planned ? core->plan : NULL, on_record, processes);
	mark_plan(processes, GRP_PLAN_NONE);
	if (r > 0)
		return r;
	core->ops->scan_close(core->kernel, processes->scan);
	processes->scan = NULL;
	return r;
}

uint64_t grp_processes_of(const struct grp_processes *processes, const struct grp_group *group,
			  uint64_t tasks)
{
	uint64_t n = find(processes, key_of(group->id, 0))->n;

	if (n > tasks)
		return tasks;
	return n || !tasks ? n : 1;
}

void grp_processes_free(struct grp_processes *processes)
{
	if (!processes)
		return;
	if (processes->queued)
		dequeue(processes);
	if (processes->scan)
		processes->core->ops->scan_close(processes->core->kernel, processes->scan);
	entries_free(processes->entries, processes->allocated);
	free(processes);
}
