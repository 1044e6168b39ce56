/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tasks of the kernel in memory and the passes over them, see fake_kernel.h.
 * Counts are kept as the programs keep them: the destination up before, the
 * source down after (A2), dead sets gain nothing (A4).
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fake_internal.h"

/* As if each task were born a second after the one before. */
#define START_STEP_NS 1000000000ULL

/* --- counts ------------------------------------------------------------------ */

static bool member_up(struct fake_kernel *fake, uint16_t set)
{
	struct grp_count *count = &fake->counts[set];

	if (count->members < 0)
		return false;
	count->changes += 2;
	count->members++;
	count->chargers++;
	if (count->peak_members < count->members)
		count->peak_members = count->members;
	count->active_ns = fake->now_ns;
	return true;
}

static void member_down(struct fake_kernel *fake, uint16_t set)
{
	struct grp_count *count = &fake->counts[set];

	count->changes += 2;
	count->active_ns = fake->now_ns;
	if (--count->members)
		return;
	if (fake->n_events == FAKE_EVENTS_MAX) {
		fake->stats[GRP_STAT_EVENTS_LOST]++;
		return;
	}
	fake->events[fake->n_events++] = (struct grp_event){
		.set = set,
		.kind = GRP_EVENT_EMPTY,
		.changes = count->changes,
	};
}

/* --- life -------------------------------------------------------------------- */

struct fake_task *fake_task_find(struct fake_kernel *fake, uint32_t tid)
{
	for (size_t i = 0; i < fake->n_tasks; i++)
		if (tid && fake->tasks[i].tid == tid)
			return &fake->tasks[i];
	return NULL;
}

struct fake_task *fake_task_old(struct fake_kernel *fake, uint32_t tid, uint32_t tgid)
{
	struct fake_task *task = NULL;

	assert(!fake_task_find(fake, tid));
	for (size_t i = 0; !task && i < fake->n_tasks; i++)
		if (!fake->tasks[i].tid)
			task = &fake->tasks[i];
	if (!task) {
		assert(fake->n_tasks < FAKE_TASKS_MAX);
		task = &fake->tasks[fake->n_tasks++];
	}
	*task = (struct fake_task){
		.tid = tid,
		.tgid = tgid,
		.start_ns = tid * START_STEP_NS,
	};
	return task;
}

static void store(struct fake_kernel *fake, struct fake_task *task, uint16_t set,
		  enum grp_state state)
{
	bool live = member_up(fake, set);

	assert(live);
	task->set = set;
	task->state = (uint8_t)state;
	task->stored = true;
}

struct fake_task *fake_task_fork(struct fake_kernel *fake, uint32_t parent, uint32_t tid,
				 uint32_t tgid)
{
	const struct fake_task *from = fake_task_find(fake, parent);
	struct fake_task *task = fake_task_old(fake, tid, tgid);
	uint16_t set = from && from->stored ? from->set : GRP_SET_ROOT;

	if (from) {
		task->uid = from->uid;
		task->suid = from->suid;
		task->place = from->place;
		task->asked = from->asked;
		task->asked_cpus = from->asked_cpus;
		task->policy = from->policy;
		task->nodes = from->nodes;
	}
	store(fake, task, set, GRP_STATE_ALIVE);
	fake->counts[set].forks++;
	return task;
}

void fake_task_threads(struct fake_kernel *fake, uint32_t tid, uint32_t n)
{
	fake->tasks =
		fake_grow(fake->tasks, FAKE_TASKS_MAX, FAKE_TASKS_MAX + n, sizeof(*fake->tasks));
	for (uint32_t i = 0; i < n; i++) {
		struct fake_task *task = &fake->tasks[fake->n_tasks++];

		*task = (struct fake_task){
			.tid = tid + i,
			.tgid = tid,
			.start_ns = (tid + i) * START_STEP_NS,
		};
		store(fake, task, GRP_SET_ROOT, GRP_STATE_ALIVE);
	}
}

void fake_task_run(struct fake_kernel *fake, uint32_t tid, unsigned int cpu, uint64_t ns)
{
	struct fake_task *task = fake_task_find(fake, tid);
	size_t index;

	assert(task && cpu < fake->view.cpus);
	task->time_ns += ns;
	if (!task->stored)
		return;
	index = (size_t)cpu * fake->view.capacity_sets + task->set;
	fake->cells[index].time_ns += ns;
	fake->cells[index].voluntary++;
	fake->modes[index].user_ns += ns / 2;
	fake->modes[index].system_ns += ns - ns / 2;
}

void fake_task_exit(struct fake_kernel *fake, uint32_t tid)
{
	struct fake_task *task = fake_task_find(fake, tid);

	assert(task && task->state != GRP_STATE_EXITED);
	task->state = GRP_STATE_EXITED;
	if (!task->stored)
		return;
	fake->counts[task->set].exits++;
	member_down(fake, task->set);
}

void fake_task_reap(struct fake_kernel *fake, uint32_t tid)
{
	struct fake_task *task = fake_task_find(fake, tid);

	assert(task && task->state == GRP_STATE_EXITED);
	if (task->stored)
		fake->counts[task->set].chargers--;
	*task = (struct fake_task){ 0 };
}

/* --- passes ------------------------------------------------------------------ */

static enum grp_verdict list_one(const struct fake_task *task)
{
	if (task->state == GRP_STATE_EXITED)
		return GRP_VERDICT_EXITING;
	if (!task->stored || task->state == GRP_STATE_UNCLAIMED)
		return GRP_VERDICT_UNBORN;
	return GRP_VERDICT_LISTED;
}

static enum grp_verdict move_one(struct fake_kernel *fake, struct fake_task *task,
				 const struct grp_scan_request *request, const uint16_t *plan)
{
	uint16_t from = task->set, to = plan ? plan[from] : GRP_PLAN_NONE;

	if (task->state == GRP_STATE_EXITED)
		return GRP_VERDICT_EXITING;
	if (!task->stored || task->state == GRP_STATE_UNCLAIMED)
		return GRP_VERDICT_UNBORN;
	if (to == GRP_PLAN_NONE)
		return GRP_VERDICT_NO_PLAN;
	if (request->flags & GRP_SCAN_CHECK_UID && request->uid != task->uid &&
	    request->uid != task->suid)
		return GRP_VERDICT_DENIED;
	if (to == from)
		return GRP_VERDICT_MOVED;
	if (!member_up(fake, to))
		return GRP_VERDICT_NO_PLAN;
	task->set = to;
	task->state = GRP_STATE_ALIVE;
	fake->counts[to].entries++;
	fake->counts[from].chargers--;
	member_down(fake, from);
	return GRP_VERDICT_MOVED;
}

static unsigned int count_threads(const struct fake_kernel *fake, uint32_t tgid)
{
	unsigned int n = 0;

	for (size_t i = 0; i < fake->n_tasks; i++)
		n += fake->tasks[i].tid && fake->tasks[i].tgid == tgid &&
		     fake->tasks[i].state != GRP_STATE_EXITED;
	return n;
}

static void fill_record(const struct fake_task *task, const struct grp_scan_request *request,
			struct grp_scan_record *record)
{
	bool inside = !request->pidns || request->pidns == task->pidns;

	record->tid = task->tid;
	record->tgid = task->tgid;
	record->ns_tid = request->pidns ? (inside ? task->ns_tid : 0) : task->tid;
	record->ns_tgid = request->pidns ? (inside ? task->ns_tgid : 0) : task->tgid;
	record->uid = task->uid;
	record->suid = task->suid;
	record->set = task->set;
	record->state = task->state;
	record->kind = task->kind;
	record->start_ns = task->start_ns;
	record->time_ns = task->time_ns;
}

/* Whether there is a record; the work of a pass on one task. */
static bool pass_one(struct fake_kernel *fake, enum grp_pass kind, struct fake_task *task,
		     const struct grp_scan_request *request, const uint16_t *plan,
		     struct grp_scan_record *record)
{
	bool all = !plan || request->flags & GRP_SCAN_ALL_SETS;

	if ((request->tgid && request->tgid != task->tgid) ||
	    (request->tid && request->tid != task->tid))
		return false;
	if (kind == GRP_PASS_SEED) {
		if (!task->stored && task->state != GRP_STATE_EXITED) {
			store(fake, task, GRP_SET_ROOT, GRP_STATE_SEEDED);
			fake->stats[GRP_STAT_SEEDED]++;
		}
		return false;
	}
	if (kind == GRP_PASS_LIST && !all && plan[task->set] == GRP_PLAN_NONE)
		return false;
	record->from = task->set;
	record->verdict = kind == GRP_PASS_LIST ? list_one(task) :
						  move_one(fake, task, request, plan);
	if (kind == GRP_PASS_LIST)
		memcpy(record->comm, task->comm, sizeof(record->comm));
	record->idle_ns = task->idle_ns;
	fill_record(task, request, record);
	/* It would take a listing of very many too long. */
	if (kind != GRP_PASS_LIST || request->tgid || request->tid)
		record->nr_threads = count_threads(fake, task->tgid);
	return true;
}

int fake_pass(void *kernel, enum grp_pass kind, const struct grp_scan_request *request,
	      const uint16_t *plan, grp_scan_fn fn, void *data)
{
	const struct grp_scan_request everything = { 0 };
	struct fake_kernel *fake = kernel;
	int r = 0;

	fake->passes[kind]++;
	if (kind == GRP_PASS_SEED && fake->seed_result)
		return fake->seed_result;
	if (kind == GRP_PASS_SEED && !fake->no_room)
		fake->orphans = false;
	fake->whole_passes += !request || (!request->tid && !request->tgid);
	if (fake->before_pass)
		fake->before_pass(fake, kind, fake->before_pass_data);
	for (size_t i = 0; !r && i < fake->n_tasks; i++) {
		struct grp_scan_record record = { .verdict = GRP_VERDICT_LISTED };

		if (fake->tasks[i].tid &&
		    pass_one(fake, kind, &fake->tasks[i], request ?: &everything, plan, &record) &&
		    fn)
			r = fn(&record, data);
	}
	return r;
}

int fake_orphans(void *kernel)
{
	return ((const struct fake_kernel *)kernel)->orphans;
}

int fake_move_each(void *kernel, const struct grp_scan_request *request, const uint16_t *plan,
		   struct grp_scan_record *records, size_t n)
{
	struct fake_kernel *fake = kernel;

	if (fake->one_by_one)
		return -EOPNOTSUPP;
	assert(n <= GRP_BATCH_MAX);
	fake->batches++;
	if (fake->before_pass)
		fake->before_pass(fake, GRP_PASS_MOVE, fake->before_pass_data);
	for (size_t i = 0; i < n; i++) {
		struct fake_task *task = fake_task_find(fake, records[i].tid);

		records[i].verdict = GRP_VERDICT_SKIPPED;
		if (task &&
		    (!(request->flags & GRP_SCAN_ALONE) || count_threads(fake, task->tgid) == 1))
			(void)pass_one(fake, GRP_PASS_MOVE, task, request, plan, &records[i]);
		if (fake->after_each)
			fake->after_each(fake, &records[i], fake->after_each_data);
	}
	return 0;
}

/* --- in pieces: so many tasks a step ------------------------------------------------------- */

#define PIECE_TASKS 64

int fake_scan_open(void *kernel, void **ret_scan)
{
	(void)kernel;
	*ret_scan = calloc(1, sizeof(size_t));
	return *ret_scan ? 0 : -ENOMEM;
}

int fake_scan_step(void *kernel, void *scan, const struct grp_scan_request *request,
		   const uint16_t *plan, grp_scan_fn fn, void *data)
{
	struct fake_kernel *fake = kernel;
	size_t *at = scan, end = *at + PIECE_TASKS;
	int r = 0;

	fake->passes[GRP_PASS_LIST] += !*at;
	for (; !r && *at < fake->n_tasks && *at < end; (*at)++) {
		struct grp_scan_record record = { .verdict = GRP_VERDICT_LISTED };

		if (fake->tasks[*at].tid &&
		    pass_one(fake, GRP_PASS_LIST, &fake->tasks[*at], request, plan, &record))
			r = fn(&record, data);
	}
	return r ?: *at < fake->n_tasks;
}

void fake_scan_close(void *kernel, void *scan)
{
	(void)kernel;
	free(scan);
}
