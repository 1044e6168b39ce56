/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * shield: CPUs for one purpose, everything else on the others. What it takes is in
 * shield.c and shield_tasks.c.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/cleanup_json.h"
#include "shield.h"

#define _cleanup_shield_ __attribute__((cleanup(grp_shield_done)))

static const struct grp_column columns[] = {
	{ "GROUP", NULL, GRP_CELL_GROUP },
	{ "CPUS", "cpus", GRP_CELL_TEXT },
	{ "MEMS", "mems", GRP_CELL_TEXT },
	{ "TASKS", "tasks", GRP_CELL_COUNT },
	{},
};

/* --- what it has come to -------------------------------------------------------------------- */

/* On the terminal a line for each reason; who wants each task takes --json. */
static void show_left(const struct grp_shield *shield)
{
	size_t n = json_array_size(shield->left), bound = 0;
	const json_t *task;
	size_t i;

	json_array_foreach(shield->left, i, task)
		bound += strcmp(json_string_value(json_object_get(task, "reason")) ?: "",
				GRP_SHIELD_KERNEL) != 0;
	if (bound)
		(void)printf("Left: %zu kernel threads that cannot be moved.\n", bound);
	if (n - bound)
		(void)printf("Left: %zu kernel threads; --kthreads moves them.\n", n - bound);
}

static int show(struct grp_shield *shield, bool changed)
{
	_cleanup_json_ json_t *rows = NULL, *all = NULL;
	int status = grp_shield_rows(shield, &rows);

	if (status)
		return status;
	if (shield->ctl->json) {
		all = changed ? json_pack("{s:O, s:I, s:O}", "groups", rows, "moved", shield->moved,
					  "left", shield->left) :
				json_pack("{s:O}", "groups", rows);
		return grp_ctl_shown(shield->ctl, all ? grp_out_json(all) : -ENOMEM);
	}
	status = grp_ctl_shown(shield->ctl, grp_out_table(rows, columns));
	if (!status && changed)
		show_left(shield);
	return status;
}

/* --- the verb -------------------------------------------------------------------------------- */

static int run_make(struct grp_shield *shield, const struct grp_args *args)
{
	const struct grp_shield_wish wish = {
		.cpus = grp_args_value(args, GRP_OPTION_CPUS),
		.mems = grp_args_value(args, GRP_OPTION_MEMS),
		.kthreads = grp_args_value(args, GRP_OPTION_KTHREADS),
	};
	int status = grp_shield_make(shield, &wish);

	if (!status)
		status = grp_shield_fill(shield, wish.kthreads);
	if (!status)
		status = show(shield, true);
	return status ?: shield->failed ? GRP_EXIT_FAILED : GRP_EXIT_DONE;
}

static int run_reset(struct grp_shield *shield, bool force)
{
	_cleanup_json_ json_t *reply = NULL;
	int status = grp_shield_reset(shield, force);

	if (status || !shield->ctl->json)
		return status;
	reply = json_pack("{s:I}", "moved", shield->moved);
	return grp_ctl_shown(shield->ctl, reply ? grp_out_json(reply) : -ENOMEM);
}

static const char *wrong_words(const struct grp_args *args)
{
	bool cpus = grp_args_value(args, GRP_OPTION_CPUS);
	bool more = grp_args_value(args, GRP_OPTION_MEMS) ||
		    grp_args_value(args, GRP_OPTION_KTHREADS);
	bool reset = grp_args_value(args, GRP_OPTION_RESET);

	if (reset && (cpus || more))
		return "--reset stands alone, or with --force";
	if (!reset && grp_args_value(args, 'f'))
		return "--force goes with --reset";
	if (more && !cpus)
		return "--cpus is missing";
	return NULL;
}

static int run_shield(struct grp_ctl *ctl, const struct grp_args *args)
{
	_cleanup_shield_ struct grp_shield shield = { 0 };
	const char *wrong = wrong_words(args);
	int status;

	if (wrong)
		return grp_ctl_usage(ctl, "%s", wrong);
	status = grp_shield_find(ctl, args->argc ? args->argv[0] : NULL, &shield);
	if (status)
		return status;
	if (grp_args_value(args, GRP_OPTION_RESET))
		return run_reset(&shield, grp_args_value(args, 'f'));
	if (grp_args_value(args, GRP_OPTION_CPUS))
		return run_make(&shield, args);
	return show(&shield, false);
}

static const struct grp_option options[] = {
	{ GRP_OPTION_CPUS, "cpus", "LIST", "make a shield of these CPUs, or change it" },
	{ GRP_OPTION_MEMS, "mems", "LIST", "its memory nodes; default: those of GROUP" },
	{ GRP_OPTION_KTHREADS, "kthreads", NULL, "move kernel threads that can be moved, too" },
	{ GRP_OPTION_RESET, "reset", NULL, "tasks go back to GROUP, the shield goes" },
	{ 'f', "force", NULL, "with --reset: groups below the shield go as well" },
	{},
};

const struct grp_verb grp_verb_shield = {
	.name = "shield",
	.usage = "[GROUP]  |  shield --cpus LIST [--mems LIST] [--kthreads] [GROUP]"
		 "  |  shield --reset [--force] [GROUP]",
	.summary = "keep CPUs free of everything but what you put there",
	.help = "With --cpus it makes two groups, /shield with the CPUs of LIST and /system with all\n"
		"others, and moves the tasks of the root to /system, again and again until none is\n"
		"left. A LIST is as for the file cpuset.cpus: 2-3,5, or words as node:0, core:3, !0.\n"
		"If the shield is there, it is changed. On failure everything is as it was. Kernel\n"
		"threads stay; with --kthreads those are moved that do not belong to their CPU. What\n"
		"stays is counted, with --json listed; a task that should be moved and cannot be is\n"
		"reported as with attach, and the exit code is 1.\n\n"
		"Run a command in it with 'exec /shield -- COMMAND', move a process there with 'attach\n"
		"/shield PID'. --reset moves all tasks back and removes both groups. Without an option\n"
		"it shows what there is: who is in neither group can run on any CPU.\n\n"
		"With GROUP all this happens in GROUP, for its CPUs and its tasks; without it, in the\n"
		"root of the hierarchy that has subsystem cpuset. Where the file cpu_exclusive of\n"
		"GROUP is 1, no other group of it can have CPUs of the shield.\n",
	.example = "$ grpctl shield --cpus 2-3\n"
		   "$ grpctl exec /shield -- ./realtime\n"
		   "$ grpctl shield --reset\n",
	.subject = GRP_SUBJECT_TASKS,
	.prints = true,
	.max_args = 1,
	.options = options,
	.run = run_shield,
};
