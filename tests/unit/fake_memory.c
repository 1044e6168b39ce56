/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory policies of the tasks of the kernel in memory, see fake_kernel.h, and the
 * helpers that set them: each keeps one request until a test lets it reply. Nodes are
 * those of the first word.
 */
#include <errno.h>
#include <linux/mempolicy.h>
#include <string.h>

#include "fake_internal.h"

#define MODE_FLAGS (7U << 13)
#define KEEPS_NODES (MPOL_F_STATIC_NODES | MPOL_F_RELATIVE_NODES)

int fake_policies(void *kernel, const struct grp_scan_request *request, const uint16_t *plan,
		  grp_policy_fn fn, void *data)
{
	struct fake_kernel *fake = kernel;
	int r = 0;

	fake->policy_passes++;
	if (request && request->tid && !fake_task_find(fake, request->tid))
		return -ESRCH;
	for (size_t i = 0; !r && i < fake->n_tasks; i++) {
		const struct fake_task *task = &fake->tasks[i];
		struct grp_policy_record record = {
			.task = fake_place_record(task),
			.mode = task->policy & ~MODE_FLAGS,
			.flags = task->policy & MODE_FLAGS,
			.nodes = { task->nodes },
		};

		if (fake_place_is_told(task, request, plan,
				       grp_place_of(task->place, GRP_PLACE_MEM)))
			r = fn(&record, data);
	}
	return r;
}

/* --- helpers -------------------------------------------------------------------------------- */

int fake_helper_ask(void *kernel, enum grp_helper which, const struct grp_place_request *request,
		    grp_replied_fn fn, void *data)
{
	struct fake_kernel *fake = kernel;
	struct fake_ask *ask = &fake->asks[which];
	int r = fake_update(fake);

	if (r)
		return r;
	if (ask->fn)
		return -EBUSY;
	fake->asked++;
	*ask = (struct fake_ask){ .request = *request, .fn = fn, .data = data };
	return 0;
}

/* As set_mempolicy(2) would. */
static int set_policy(struct fake_kernel *fake, struct fake_task *task,
		      const struct grp_place_request *request)
{
	uint64_t nodes = request->nodes[0];

	if (fake->nodes_allowed && !(request->mode & KEEPS_NODES))
		nodes &= fake->nodes_allowed;
	if (request->nodes[0] && !nodes)
		return -EINVAL;
	if (request->mode == MPOL_PREFERRED)
		nodes &= -nodes;
	task->policy = request->mode;
	task->nodes = nodes;
	fake->policies_set++;
	return 0;
}

static struct grp_place_reply carry_out(struct fake_kernel *fake,
					const struct grp_place_request *request)
{
	struct fake_task *task = fake_task_find(fake, (uint32_t)request->tid);
	struct grp_place_reply reply = { .tid = request->tid, .left = fake->pages_left };

	if (!task || task->state == GRP_STATE_EXITED) {
		reply.result = GRP_PLACE_GONE;
	} else if (task->reluctant) {
		reply.result = task->reluctant;
	} else if (request->op == GRP_PLACE_MIGRATE) {
		fake->moved = *request;
		fake->moves++;
	} else if (set_policy(fake, task, request)) {
		reply.result = GRP_PLACE_REFUSED;
		reply.error = EINVAL;
	}
	return reply;
}

bool fake_helper_reply(struct fake_kernel *fake, enum grp_helper which, bool heard)
{
	const struct fake_ask ask = fake->asks[which];
	struct grp_place_reply reply;

	if (!ask.fn)
		return false;
	reply = carry_out(fake, &ask.request);
	fake->asks[which].fn = NULL;
	if (heard)
		ask.fn(&reply, ask.data);
	return true;
}

void fake_helper_die(struct fake_kernel *fake, enum grp_helper which)
{
	static const struct grp_place_reply lost = { .result = GRP_PLACE_FAILED, .error = EPIPE };
	const struct fake_ask ask = fake->asks[which];

	fake->asks[which].fn = NULL;
	if (ask.fn)
		ask.fn(&lost, ask.data);
}

int fake_helper_wait(void *kernel, uint64_t ns)
{
	bool any = false;

	for (unsigned int i = 0; i < GRP_HELPERS; i++)
		any = fake_helper_reply(kernel, i, true) || any;
	if (!any)
		((struct fake_kernel *)kernel)->clock_ns += ns;
	return 0;
}

void fake_helper_end(void *kernel, enum grp_helper which)
{
	(void)which;
	((struct fake_kernel *)kernel)->ended++;
}
