/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * CPUs of the tasks of the kernel in memory, see fake_kernel.h: what was asked for,
 * what a task gets of it, and its place. It has as many CPUs as it has rows of cells.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fake_internal.h"

int fake_mask_put(void *kernel, uint32_t id, const struct grp_mask_record *record)
{
	struct fake_kernel *fake = kernel;
	int r = fake_update(fake);

	if (r)
		return r;
	if (id >= fake->n_masks) {
		size_t n = id + 64;

		fake->masks = fake_grow(fake->masks, fake->n_masks, n, sizeof(*fake->masks));
		for (size_t i = fake->n_masks; i < n; i++)
			fake->masks[i].kind = GRP_MASK_KINDS;
		fake->n_masks = n;
	}
	if (record)
		fake->masks[id] = *record;
	else
		fake->masks[id].kind = GRP_MASK_KINDS;
	return 0;
}

/* --- masks ---------------------------------------------------------------------------- */

static struct grp_mask allowed(const struct fake_kernel *fake)
{
	struct grp_mask mask;

	grp_mask_fill(&mask, fake->view.cpus);
	if (!grp_mask_empty(&fake->allowed))
		grp_mask_and(&mask, &fake->allowed);
	return mask;
}

static struct grp_mask given(const struct fake_kernel *fake, const struct fake_task *task)
{
	struct grp_mask mask = allowed(fake);

	if (task->asked)
		grp_mask_and(&mask, &task->asked_cpus);
	return mask;
}

struct grp_mask fake_task_cpus(const struct fake_kernel *fake, uint32_t tid)
{
	const struct fake_task *task = fake_task_find((struct fake_kernel *)fake, tid);

	return task ? given(fake, task) : (struct grp_mask){};
}

int fake_task_ask(struct fake_kernel *fake, uint32_t tid, const struct grp_mask *mask)
{
	struct fake_task *task = fake_task_find(fake, tid);
	struct grp_mask left = allowed(fake);

	if (!task || task->state == GRP_STATE_EXITED)
		return -ESRCH;
	grp_mask_and(&left, mask);
	if (grp_mask_empty(&left) || task->kind & GRP_TASK_FIXED)
		return -EINVAL;
	task->asked = true;
	task->asked_cpus = fake->keeps_asked ? *mask : left;
	return 0;
}

int fake_affinity_set(void *kernel, pid_t tid, const struct grp_mask *mask)
{
	struct fake_kernel *fake = kernel;
	int r = fake_update(fake);

	if (r)
		return r;
	if (fake->before_affinity)
		fake->before_affinity(fake, (uint32_t)tid, fake->before_affinity_data);
	fake->affinities++;
	return fake_task_ask(fake, (uint32_t)tid, mask);
}

int fake_affinity_get(void *kernel, pid_t tid, struct grp_mask *ret_mask)
{
	struct fake_kernel *fake = kernel;
	const struct fake_task *task = fake_task_find(fake, (uint32_t)tid);

	if (!task)
		return -ESRCH;
	*ret_mask = given(fake, task);
	return 0;
}

/* --- places ------------------------------------------------------------------------------- */

struct told {
	struct grp_place_record record;
	uint64_t mask[GRP_MASK_WORDS];
};

bool fake_place_is_told(const struct fake_task *task, const struct grp_scan_request *request,
			const uint16_t *plan, uint64_t place)
{
	if (!task->tid || task->state == GRP_STATE_EXITED)
		return false;
	if (request && ((request->tid && request->tid != task->tid) ||
			(request->tgid && request->tgid != task->tgid)))
		return false;
	if (!task->stored || task->state == GRP_STATE_UNCLAIMED)
		return true;
	if (!plan)
		return place || (request && request->tid);
	return plan[task->set] == GRP_PLAN_ALL || (plan[task->set] == GRP_PLAN_PLACED && place);
}

struct grp_place_record fake_place_record(const struct fake_task *task)
{
	return (struct grp_place_record){
		.tid = task->tid,
		.tgid = task->tgid,
		.set = task->set,
		.state = task->state,
		.verdict = task->stored && task->state != GRP_STATE_UNCLAIMED ? GRP_VERDICT_LISTED :
										GRP_VERDICT_UNBORN,
		.kind = task->kind,
		.start_ns = task->start_ns,
		.place = task->place,
	};
}

static struct told tell(const struct fake_kernel *fake, const struct fake_task *task)
{
	struct told told = { .record = fake_place_record(task) };
	struct grp_mask mask = given(fake, task);

	if (fake->keeps_asked) {
		told.record.kind |= GRP_TASK_KEPT;
		if (task->asked)
			mask = task->asked_cpus;
		else
			told.record.kind |= GRP_TASK_UNASKED;
	}
	memcpy(told.mask, mask.words, sizeof(told.mask));
	return told;
}

int fake_placed(void *kernel, const struct grp_scan_request *request, const uint16_t *plan,
		grp_placed_fn fn, void *data)
{
	struct fake_kernel *fake = kernel;
	int r = 0;

	fake->placed_passes++;
	if (request && request->tid && !fake_task_find(fake, request->tid))
		return -ESRCH;
	for (size_t i = 0; !r && i < fake->n_tasks; i++)
		if (fake_place_is_told(&fake->tasks[i], request, plan, fake->tasks[i].place)) {
			struct told told = tell(fake, &fake->tasks[i]);

			r = fn(&told.record, data);
		}
	return r;
}

int fake_place(void *kernel, const struct grp_scan_request *request)
{
	struct fake_kernel *fake = kernel;
	struct fake_task *task = fake_task_find(fake, request->tid);
	int r = fake_update(fake);

	if (r)
		return r;
	if (!task || task->state == GRP_STATE_EXITED || task->start_ns != request->start_ns)
		return -ESRCH;
	if (!task->stored || grp_place_of(task->place, request->half) != request->expected)
		return -EAGAIN;
	task->place = grp_place_with(task->place, request->half, request->wanted);
	return 0;
}

int fake_place_look(void *kernel, uint32_t tid)
{
	struct fake_kernel *fake = kernel;

	(void)tid;
	fake->looks++;
	return 0;
}

int fake_place_watch(void *kernel, bool on)
{
	struct fake_kernel *fake = kernel;

	fake->watches = on;
	return 0;
}

int fake_place_claim(void *kernel, bool on)
{
	struct fake_kernel *fake = kernel;

	if (on && fake->claimed_elsewhere)
		return -EBUSY;
	fake->claimed = on;
	return 0;
}
