/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Help, made from the table of verbs: the overview, one verb, and the verb
 * help itself.
 */
#include <stdio.h>

#include "ctl.h"

static const char *const subject_titles[] = {
	[GRP_SUBJECT_HIERARCHIES] = "Hierarchies",
	[GRP_SUBJECT_GROUPS] = "Groups",
	[GRP_SUBJECT_TASKS] = "Tasks",
	[GRP_SUBJECT_VALUES] = "Values",
	[GRP_SUBJECT_CONFIGURATION] = "Configuration",
	[GRP_SUBJECT_AGENT] = "Agent",
};
_Static_assert(sizeof(subject_titles) / sizeof(*subject_titles) == GRP_SUBJECT_MAX,
	       "a title for each subject");

static const char overview_head[] =
	"Usage: grpctl [--instance NAME] [--json] VERB [OPTION...] [ARG...]\n"
	"\n"
	"Groups of tasks in several independent hierarchies, kept by grpagent.\n";

static const char overview_tail[] =
	"\n"
	"A group is written [HIERARCHY:]/path, as /shop/web or project:/alpha; without a name\n"
	"the hierarchy is called default. Several groups are separated by commas. In a name\n"
	"write '\\,' for a comma, '\\xHH' for a byte that is not UTF-8, '\\\\' for a backslash.\n"
	"\n"
	"Example:\n"
	"  $ grpctl mkdir -p /shop/web\n"
	"  $ grpctl exec /shop/web -- make -j4\n"
	"  $ grpctl usage -r /shop\n"
	"\n"
	"Options, before or after the verb:\n"
	"      --instance NAME  which agent; default $GRPAGENT_INSTANCE, else main\n"
	"      --json           print the reply as JSON\n"
	"  -h, --help           this text, or that of the verb\n"
	"      --version        print the version\n"
	"\n"
	"Exit codes: 0 done; 1 the operation failed; 2 wrong usage; 3 agent not reachable.\n"
	"`grpctl help VERB` tells more about a verb, grpctl(1) about all of them.\n";

void grp_help_overview(FILE *out)
{
	(void)fputs(overview_head, out);
	for (int subject = 0; subject < GRP_SUBJECT_MAX; subject++) {
		(void)fprintf(out, "\n%s:\n", subject_titles[subject]);
		for (size_t i = 0; grp_verbs[i]; i++) {
			if ((int)grp_verbs[i]->subject == subject)
				(void)fprintf(out, "  %-12s %s\n", grp_verbs[i]->name,
					      grp_verbs[i]->summary);
		}
	}
	(void)fputs(overview_tail, out);
}

static void print_option(const struct grp_option *option, FILE *out)
{
	char words[64];

	(void)snprintf(words, sizeof(words), "--%s%s%s", option->name, option->value ? " " : "",
		       option->value ?: "");
	if (option->id < GRP_OPTION_JSON)
		(void)fprintf(out, "  -%c, %-18s %s\n", option->id, words, option->help);
	else
		(void)fprintf(out, "      %-18s %s\n", words, option->help);
}

/* Each line of @text, moved to the right. */
static void print_indented(const char *text, FILE *out)
{
	for (bool begins = true; *text; text++) {
		if (begins)
			(void)fputs("  ", out);
		(void)fputc(*text, out);
		begins = *text == '\n';
	}
}

void grp_help_verb(const struct grp_verb *verb, FILE *out)
{
	static const struct grp_option json = { GRP_OPTION_JSON, "json", NULL,
						"print the reply as JSON" };
	const struct grp_option *option = verb->options;

	(void)fprintf(out, "Usage: grpctl %s%s%s\n\n%s\n", verb->name, *verb->usage ? " " : "",
		      verb->usage, verb->help);
	if (option || verb->prints)
		(void)fputs("Options:\n", out);
	for (; option && option->id; option++)
		print_option(option, out);
	if (verb->prints)
		print_option(&json, out);
	(void)fprintf(out, "%sExample:\n", verb->options || verb->prints ? "\n" : "");
	print_indented(verb->example, out);
}

static int run_help(struct grp_ctl *ctl, const struct grp_args *args)
{
	const struct grp_verb *verb;

	if (!args->argc) {
		grp_help_overview(stdout);
		return GRP_EXIT_DONE;
	}
	verb = grp_verb_find(args->argv[0]);
	if (!verb)
		return grp_ctl_usage(ctl, "no such verb: %s", args->argv[0]);
	grp_help_verb(verb, stdout);
	return GRP_EXIT_DONE;
}

const struct grp_verb grp_verb_help = {
	.name = "help",
	.usage = "[VERB]",
	.summary = "explain a verb, or list them all",
	.help = "Prints usage, options and an example of VERB. The same as VERB --help.\n",
	.example = "$ grpctl help exec\n",
	.subject = GRP_SUBJECT_AGENT,
	.max_args = 1,
	.run = run_help,
};
