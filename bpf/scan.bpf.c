// SPDX-License-Identifier: GPL-2.0-only
/*
 * Passes over the tasks: seeding, listing, moving. Each writes one record a task
 * to its reader and keeps no state of its own, so that a pass may be repeated at
 * any time. What to do is in the maps "scan_request" and "plan".
 *
 * A record that does not fit the reader's buffer is written again at the next
 * read, with the program run once more on the same task: all steps are idempotent,
 * but who was moved is then told to have been there. So a reader leaves room.
 *
 * These programs can be preempted while they are inside a storage helper, and
 * then the hooks on that CPU find no storage. The agent runs every pass under
 * SCHED_FIFO.
 */
#include "record.bpf.h"

/*
 * Pass: storage for every task that has none. Rate: once a start of the agent
 * and after a birth without room. Context: task iterator, RCU.
 */
SEC("iter/task")
int pass_seed(struct bpf_iter__task *ctx)
{
	struct task_struct *p = ctx->task;

	if (!p || (p->flags & PF_EXITING))
		return 0;
	if (!bpf_task_storage_get(&tasks, p, NULL, 0))
		seed_task(p);
	else
		/* Noted by a hook that could not see its storage (before 6.2), or not taken out. */
		adopt(p);
	return 0;
}

/* Who reads in pieces gets one at least once in so many tasks. */
#define PIECE_TASKS 64

/* One that is not to be told; the reader's time is bounded all the same. */
static __always_inline int pass_over(struct bpf_iter__task *ctx,
				     const struct grp_scan_request *request)
{
	struct grp_scan_record record = { .verdict = GRP_VERDICT_SKIPPED };

	if ((request->flags & GRP_SCAN_PIECES) && ctx->meta->seq_num % PIECE_TASKS == 0)
		bpf_seq_write(ctx->meta->seq, &record, sizeof(record));
	return 0;
}

/* Pass: a record for each task whose set is in the plan, exiting ones too. */
SEC("iter/task")
int pass_list(struct bpf_iter__task *ctx)
{
	const struct grp_scan_request *request = find_request();
	struct grp_scan_record record = {};
	struct task_struct *p = ctx->task;
	__u64 word, *to;
	__u32 set;

	if (!p || !request || !wanted(request, p))
		return 0;
	word = find_word(p);
	set = grp_word_set(word);
	if (!(request->flags & GRP_SCAN_ALL_SETS)) {
		to = bpf_map_lookup_elem(&plan, &set);
		if (!to || *to == GRP_PLAN_NONE)
			return pass_over(ctx, request);
	}
	list_one(p, word, request, &record);
	bpf_seq_write(ctx->meta->seq, &record, sizeof(record));
	return 0;
}

/* Pass: swap the set of each task that is asked for, by the plan. */
SEC("iter/task")
int pass_move(struct bpf_iter__task *ctx)
{
	const struct grp_scan_request *request = find_request();
	struct grp_scan_record record = {};
	struct task_struct *p = ctx->task;

	if (!p || !request || !wanted(request, p))
		return 0;
	move_planned(p, request, &record);
	bpf_seq_write(ctx->meta->seq, &record, sizeof(record));
	return 0;
}
