/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An instance of its own for a test of the programs, unloaded at the end.
 */
#ifndef GRP_TEST_INSTANCE_H
#define GRP_TEST_INSTANCE_H

#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h>

#include <cmocka.h>

#include "kernel/bpf.h"

#define INSTANCE_CAPACITY_GROUPS 64
#define INSTANCE_CAPACITY_SETS 64

struct instance {
	char name[64];
	struct grp_bpf *bpf; /* NULL: closed */
	const struct grp_kernel_view *view;
};

/* Once more, over the same maps: the next generation. NULL: said why. */
static inline struct grp_bpf *instance_load(const struct instance *instance, struct sd_event *event)
{
	const struct grp_bpf_options options = { .instance = instance->name,
						 .capacity_groups = INSTANCE_CAPACITY_GROUPS,
						 .capacity_sets = INSTANCE_CAPACITY_SETS,
						 .event = event };
	struct grp_error error = {};
	struct grp_bpf *bpf = NULL;

	if (!grp_bpf_open(&options, &error, &bpf))
		return bpf;
	print_message("# %s\n", error.message);
	return NULL;
}

/* As a setup's result: 0; -1: it cannot be had, and has said why. @event: may be NULL. */
static inline int instance_open(struct instance *instance, const char *test, struct sd_event *event)
{
	struct grp_error error = {};

	*instance = (struct instance){ .bpf = NULL };
	if (geteuid()) {
		print_message("# skip: loading BPF programs needs root\n");
		return -1;
	}
	(void)snprintf(instance->name, sizeof(instance->name), "test-%s-%d", test, getpid());
	instance->bpf = instance_load(instance, event);
	if (!instance->bpf) {
		(void)grp_bpf_unload(instance->name, &error);
		return -1;
	}
	instance->view = grp_bpf_view(instance->bpf);
	return 0;
}

/* As a teardown's. Not opened, or closed already, is fine. */
static inline int instance_end(struct instance *instance)
{
	struct grp_error error = {};

	if (!instance->name[0])
		return 0;
	grp_bpf_close(instance->bpf);
	instance->bpf = NULL;
	return grp_bpf_unload(instance->name, &error);
}

static inline int instance_keep(const struct grp_scan_record *record, void *data)
{
	*(struct grp_scan_record *)data = *record;
	return 0;
}

/* A plan that says where the tasks of one set go, and nothing else. */
static inline void instance_plan(uint16_t plan[INSTANCE_CAPACITY_SETS], unsigned int from,
				 unsigned int to)
{
	for (unsigned int i = 0; i < INSTANCE_CAPACITY_SETS; i++)
		plan[i] = GRP_PLAN_NONE;
	plan[from] = (uint16_t)to;
}

/* One pass that moves from a set to another. Return: the record of the task, the last if of many. */
static inline struct grp_scan_record instance_move(const struct instance *instance,
						   const struct grp_scan_request *request,
						   uint16_t from, uint16_t to)
{
	struct grp_scan_record record = { .verdict = GRP_VERDICT_MAX };
	uint16_t plan[INSTANCE_CAPACITY_SETS];

	instance_plan(plan, from, to);
	assert_int_equal(grp_bpf_ops.pass(instance->bpf, GRP_PASS_MOVE, request, plan,
					  instance_keep, &record),
			 0);
	return record;
}

/* A process that does nothing, to be ended by sleeper_end(). */
static inline pid_t sleeper_new(void)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (!pid)
		for (;;)
			(void)pause();
	return pid;
}

static inline void sleeper_end(pid_t pid)
{
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

#endif
