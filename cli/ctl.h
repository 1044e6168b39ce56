/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One run of grpctl: whom it speaks to, for which verb, and how what comes back
 * ends up on the terminal and in the exit code. All messages to stderr are made
 * here.
 */
#ifndef GRP_CLI_CTL_H
#define GRP_CLI_CTL_H

#include <jansson.h>
#include <stdbool.h>

#include "client.h"
#include "out.h"
#include "verb.h"

/* Contract: design 6.1. */
enum grp_exit {
	GRP_EXIT_DONE = 0,
	GRP_EXIT_FAILED = 1,
	GRP_EXIT_USAGE = 2,
	GRP_EXIT_UNREACHABLE = 3,
	/* exec only, as env(1) */
	GRP_EXIT_EXEC = 125,
	GRP_EXIT_NOT_EXECUTABLE = 126,
	GRP_EXIT_NOT_FOUND = 127,
};

struct grp_ctl {
	const struct grp_verb *verb; /* NULL: none is known yet */
	const char *instance;
	const char *run_dir; /* above the directories of all instances */
	bool json;
	bool help, version; /* asked for */
	struct grp_ctl_client client;
	int passed; /* descriptor that goes along with every call; 0: none */
};

/* What a listing verb asks for and how it shows it. */
struct grp_listing {
	const char *method; /* without the interface's name */
	const char *key; /* of the array in the reply */
	const struct grp_column *columns;
};

/**
 * grp_ctl_call() - one method call; waits some seconds for an agent that is
 * starting. Prints what went wrong.
 * @method: without the interface's name.
 * @parameters: taken over, also on failure; NULL counts as no memory.
 * @item: what the call is about when the agent names nothing; may be NULL.
 * @ret_reply: parameters of the reply, an object; new reference.
 * Return: an exit code.
 */
int grp_ctl_call(struct grp_ctl *ctl, const char *method, json_t *parameters, const char *item,
		 json_t **ret_reply);

/**
 * grp_ctl_stream() - one call that is answered by several replies.
 * @show: gets the parameters of each; 0, or -errno of what it printed.
 * Return: an exit code: 0 after the last reply, and when stdout is a pipe that
 * nobody reads any more, which is noticed at once.
 */
int grp_ctl_stream(struct grp_ctl *ctl, const char *method, json_t *parameters, const char *item,
		   int (*show)(const struct grp_ctl *ctl, const json_t *reply));

/* grp_ctl_do() - a call whose reply says no more than that it is done. */
int grp_ctl_do(struct grp_ctl *ctl, const char *method, json_t *parameters, const char *item);

/* grp_ctl_bulk() - a call that does all it can: prints each of the failures. */
int grp_ctl_bulk(struct grp_ctl *ctl, const char *method, json_t *parameters);

/* grp_ctl_list() - call, then print the array of the reply as JSON or as a table. */
int grp_ctl_list(struct grp_ctl *ctl, const struct grp_listing *listing, json_t *parameters,
		 const char *item);

/**
 * grp_ctl_failures() - prints what a bulk reply counts up.
 * @item: what the user wrote, when the items of the request are not his; NULL:
 * each failure names its own.
 * Return: an exit code.
 */
int grp_ctl_failures(const struct grp_ctl *ctl, const json_t *reply, const char *item);

/**
 * grp_ctl_shown() - the end of a verb that prints.
 * @r: 0 or -errno of an grp_out_*() function.
 * Return: an exit code; why not is printed.
 */
int grp_ctl_shown(const struct grp_ctl *ctl, int r);

/* grp_ctl_fail() - prints the error form. Return: GRP_EXIT_FAILED. */
int grp_ctl_fail(const struct grp_ctl *ctl, const char *item, const char *message,
		 const char *errno_name);

/* grp_ctl_fail_errno() - the same for a positive errno of our own. */
int grp_ctl_fail_errno(const struct grp_ctl *ctl, const char *item, int number);

/* grp_ctl_usage() - says what is wrong and where help is. Return: GRP_EXIT_USAGE. */
int grp_ctl_usage(const struct grp_ctl *ctl, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
