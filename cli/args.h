/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What users write on the command line: options by table, lists of groups,
 * signals, modes. Pure: no input or output, no connection.
 */
#ifndef GRP_CLI_ARGS_H
#define GRP_CLI_ARGS_H

#include <jansson.h>
#include <stdbool.h>

#define GRP_ARGS_OPTIONS_MAX 8

/* Options without a letter; an id below 256 is the letter. */
enum grp_option_id {
	GRP_OPTION_JSON = 256,
	GRP_OPTION_INSTANCE,
	GRP_OPTION_VERSION,
	GRP_OPTION_ALL,
	GRP_OPTION_AT,
	GRP_OPTION_AUDIT,
	GRP_OPTION_CLONE,
	GRP_OPTION_CPUS,
	GRP_OPTION_DRY_RUN,
	GRP_OPTION_FROM,
	GRP_OPTION_HIERARCHY,
	GRP_OPTION_KILL,
	GRP_OPTION_KTHREADS,
	GRP_OPTION_MEMS,
	GRP_OPTION_RESET,
	GRP_OPTION_SUBSYSTEM,
	GRP_OPTION_THREAD,
	GRP_OPTION_USER,
};

/* One option of a verb; a table of them ends with id 0. */
struct grp_option {
	int id;
	const char *name; /* long name */
	const char *value; /* what it takes, as in the help; NULL: nothing */
	const char *help;
};

/* The words of one verb; all borrowed from the command line. */
struct grp_args {
	const struct grp_option *options; /* the verb's table; may be NULL */
	/* By index of that table; NULL: not given; "": given, takes no value. */
	const char *values[GRP_ARGS_OPTIONS_MAX];
	int argc;
	char **argv;
};

/**
 * grp_args_store() - note an option that was given.
 * @value: NULL for one that takes none.
 * Return: whether the verb's table has @id.
 */
bool grp_args_store(struct grp_args *args, int id, const char *value);

/* grp_args_value() - of an option of the verb; NULL: not given. */
const char *grp_args_value(const struct grp_args *args, int id);

/* grp_args_flag() - JSON true when the option was given, else NULL. */
json_t *grp_args_flag(const struct grp_args *args, int id);

/* grp_args_name_valid() - may an instance be called so? It becomes a directory. */
bool grp_args_name_valid(const char *name);

/**
 * grp_args_text() - an argument as the agent takes it: bytes that are not
 * UTF-8 become \xHH; the rest, backslashes included, is left to the agent.
 * Return: new reference; NULL: no memory.
 */
json_t *grp_args_text(const char *argument);

/* grp_args_texts() - the same for @n arguments: an array. NULL: no memory. */
json_t *grp_args_texts(char *const *arguments, int n);

/**
 * grp_args_groups() - "GROUP[,GROUP...]" to an array of texts. It is split at a
 * comma that [name:]/ follows and no backslash precedes.
 * Return: new reference; NULL: no memory.
 */
json_t *grp_args_groups(const char *argument);

/**
 * grp_args_signal() - "TERM", "SIGTERM", "15"; real-time signals by number.
 * Return: 0; -EINVAL.
 */
int grp_args_signal(const char *argument, int *ret_signal);

/* grp_args_mode() - permission bits in octal, up to 7777. Return: 0; -EINVAL. */
int grp_args_mode(const char *argument, unsigned int *ret_mode);

#endif
