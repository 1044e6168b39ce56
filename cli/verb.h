/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a verb of grpctl is: one const object each, made in cmd_*.c, collected
 * in verb.c, printed by help.c and run by main.c. Nothing here talks to the
 * agent.
 */
#ifndef GRP_CLI_VERB_H
#define GRP_CLI_VERB_H

#include <stdbool.h>
#include <stdio.h>

#include "args.h"

struct grp_ctl;

/* The headings of `grpctl --help`, in its order. */
enum grp_subject {
	GRP_SUBJECT_HIERARCHIES,
	GRP_SUBJECT_GROUPS,
	GRP_SUBJECT_TASKS,
	GRP_SUBJECT_VALUES,
	GRP_SUBJECT_CONFIGURATION,
	GRP_SUBJECT_AGENT,
	GRP_SUBJECT_MAX,
};

#define GRP_VERB_ARGS_ANY (-1)

struct grp_verb {
	const char *name;
	const char *usage; /* what follows the name; "": nothing */
	const char *summary; /* one line, no full stop */
	const char *help; /* paragraphs of text, ends in a newline */
	const char *example; /* lines "$ grpctl ...", ends in a newline */
	enum grp_subject subject;
	bool prints; /* knows --json */
	/* Runs a command: whatever fails before it exits with GRP_EXIT_EXEC (env(1)). */
	bool runs_command;
	int min_args;
	int max_args; /* or GRP_VERB_ARGS_ANY */
	const struct grp_option *options; /* ends with id 0; may be NULL */
	int (*run)(struct grp_ctl *ctl, const struct grp_args *args);
};

/* Every verb, in the order of the help; ends with NULL. */
extern const struct grp_verb *const grp_verbs[];

/* grp_verb_find() - by name; NULL: there is none. */
const struct grp_verb *grp_verb_find(const char *name);

/* grp_help_overview() - what `grpctl --help` prints. */
void grp_help_overview(FILE *out);

/* grp_help_verb() - what `grpctl help VERB` prints. */
void grp_help_verb(const struct grp_verb *verb, FILE *out);

/* cmd_mount.c */
extern const struct grp_verb grp_verb_mount;
/* cmd_hierarchy.c */
extern const struct grp_verb grp_verb_remount, grp_verb_umount, grp_verb_mounts,
	grp_verb_hierarchies, grp_verb_subsystems;
/* cmd_legacy.c */
extern const struct grp_verb grp_verb_legacy;
/* cmd_group.c */
extern const struct grp_verb grp_verb_mkdir, grp_verb_rmdir, grp_verb_mv;
/* cmd_inode.c */
extern const struct grp_verb grp_verb_chown, grp_verb_chmod;
/* cmd_show.c */
extern const struct grp_verb grp_verb_ls, grp_verb_tree, grp_verb_stat;
/* cmd_watch.c */
extern const struct grp_verb grp_verb_watch;
/* cmd_attach.c */
extern const struct grp_verb grp_verb_attach, grp_verb_clone, grp_verb_ps, grp_verb_which;
/* cmd_exec.c */
extern const struct grp_verb grp_verb_exec;
/* cmd_shield.c */
extern const struct grp_verb grp_verb_shield;
/* cmd_signal.c */
extern const struct grp_verb grp_verb_kill, grp_verb_wait;
/* cmd_read.c */
extern const struct grp_verb grp_verb_get, grp_verb_set, grp_verb_usage;
/* cmd_configuration.c */
extern const struct grp_verb grp_verb_save, grp_verb_apply, grp_verb_diff;
/* cmd_status.c */
extern const struct grp_verb grp_verb_status, grp_verb_features, grp_verb_ping;
/* help.c */
extern const struct grp_verb grp_verb_help;

#endif
