/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * grpctl: the options that stand before or after the verb, finding the verb,
 * running it, and the exit code. What a verb does is in cmd_*.c.
 */
#include <getopt.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl.h"

#define DEFAULT_INSTANCE "main"
#define DEFAULT_RUN_DIR "/run/grpagent"

/* Known everywhere; their texts are in the overview of help.c. */
static const struct grp_option global_options[] = {
	{ 'h', "help", NULL, "" },
	{ GRP_OPTION_JSON, "json", NULL, "" },
	{ GRP_OPTION_INSTANCE, "instance", "NAME", "" },
	{ GRP_OPTION_VERSION, "version", NULL, "" },
	{},
};

#define GLOBAL_OPTIONS_MAX (sizeof(global_options) / sizeof(*global_options))

/* What getopt_long() wants of our tables. */
struct getopt_tables {
	char letters[3 + 2 * (GRP_ARGS_OPTIONS_MAX + GLOBAL_OPTIONS_MAX)];
	struct option names[GRP_ARGS_OPTIONS_MAX + GLOBAL_OPTIONS_MAX];
	size_t n_letters, n_names;
};

static void add_options(struct getopt_tables *tables, const struct grp_option *options)
{
	for (; options && options->id; options++) {
		tables->names[tables->n_names++] = (struct option){
			.name = options->name,
			.has_arg = options->value ? required_argument : no_argument,
			.val = options->id,
		};
		if (options->id >= GRP_OPTION_JSON)
			continue;
		tables->letters[tables->n_letters++] = (char)options->id;
		if (options->value)
			tables->letters[tables->n_letters++] = ':';
	}
}

static int bad_option(const struct grp_ctl *ctl, int result, const char *word)
{
	if (!strncmp(word, "--", 2))
		return grp_ctl_usage(ctl,
				     result == ':' ? "%s wants a value" :
						     "no such option, or not of this form: %s",
				     word);
	return grp_ctl_usage(ctl, result == ':' ? "-%c wants a value" : "no such option: -%c",
			     optopt);
}

static void store_global(struct grp_ctl *ctl, int id, const char *value)
{
	switch (id) {
	case 'h':
		ctl->help = true;
		break;
	case GRP_OPTION_JSON:
		ctl->json = true;
		break;
	case GRP_OPTION_INSTANCE:
		ctl->instance = value;
		break;
	case GRP_OPTION_VERSION:
		ctl->version = true;
		break;
	default:
		break;
	}
}

/**
 * parse() - the options of a verb and the global ones.
 * @first_word: stop at the first word that is no option.
 * @argv: behind a word that is skipped.
 * @args: with the verb's table; gets what is left.
 * Return: an exit code.
 */
static int parse(struct grp_ctl *ctl, bool first_word, int argc, char **argv, struct grp_args *args)
{
	struct getopt_tables tables = { 0 };
	int id;

	if (first_word)
		tables.letters[tables.n_letters++] = '+';
	tables.letters[tables.n_letters++] = ':';
	add_options(&tables, args->options);
	add_options(&tables, global_options);
	opterr = 0;
	optind = 0; /* from the start, also the second time */
	while ((id = getopt_long(argc, argv, tables.letters, tables.names, NULL)) >= 0) {
		if (id == '?' || id == ':')
			return bad_option(ctl, id, argv[optind - 1]);
		if (!grp_args_store(args, id, optarg))
			store_global(ctl, id, optarg);
	}
	args->argc = argc - optind;
	args->argv = argv + optind;
	return GRP_EXIT_DONE;
}

static int check_args(const struct grp_ctl *ctl, const struct grp_args *args)
{
	const struct grp_verb *verb = ctl->verb;

	if (!grp_args_name_valid(ctl->instance) || strchr(ctl->instance, '.'))
		return grp_ctl_usage(ctl, "not a name of an instance: %s", ctl->instance);
	if (args->argc < verb->min_args)
		return grp_ctl_usage(ctl, "too few arguments: %s %s", verb->name, verb->usage);
	if (verb->max_args != GRP_VERB_ARGS_ANY && args->argc > verb->max_args)
		return grp_ctl_usage(ctl, "one argument too many: %s", args->argv[verb->max_args]);
	return GRP_EXIT_DONE;
}

/* What was printed must have arrived. */
static int finish(const struct grp_ctl *ctl, int status)
{
	int r = grp_out_flush();

	return r < 0 && !status ? grp_ctl_shown(ctl, r) : status;
}

/* @argv: begins with the verb. */
static int run_verb(struct grp_ctl *ctl, int argc, char **argv)
{
	struct grp_args args = { .options = ctl->verb->options, .argv = argv };
	int status = parse(ctl, ctl->verb->runs_command, argc, argv, &args);

	if (!status && ctl->help) {
		grp_help_verb(ctl->verb, stdout);
		return finish(ctl, GRP_EXIT_DONE);
	}
	if (!status)
		status = check_args(ctl, &args);
	if (!status)
		status = finish(ctl, ctl->verb->run(ctl, &args));
	grp_ctl_client_close(&ctl->client);
	if (ctl->verb->runs_command && status && status < GRP_EXIT_EXEC)
		return GRP_EXIT_EXEC;
	return status;
}

static const char *environment(const char *name, const char *otherwise)
{
	const char *value = getenv(name);

	return value && *value ? value : otherwise;
}

int main(int argc, char **argv)
{
	struct grp_ctl ctl = {
		.instance = environment("GRPAGENT_INSTANCE", DEFAULT_INSTANCE),
		.run_dir = environment("GRPAGENT_RUNDIR", DEFAULT_RUN_DIR),
		.client = { .fd = -1 },
	};
	struct grp_args args = { 0 };
	int status;

	/* Widths of characters; numbers and messages stay as they are. */
	(void)setlocale(LC_CTYPE, "");
	status = parse(&ctl, true, argc, argv, &args);
	if (status)
		return status;
	ctl.verb = &grp_verb_help; /* in whose name a failed write is reported */
	if (ctl.version) {
		(void)printf("grpctl %s\n", GRP_VERSION);
		return finish(&ctl, GRP_EXIT_DONE);
	}
	if (ctl.help) {
		grp_help_overview(stdout);
		return finish(&ctl, GRP_EXIT_DONE);
	}
	ctl.verb = NULL;
	if (!args.argc)
		return grp_ctl_usage(&ctl, "a verb is missing");
	ctl.verb = grp_verb_find(args.argv[0]);
	if (!ctl.verb)
		return grp_ctl_usage(&ctl, "no such verb: %s", args.argv[0]);
	return run_verb(&ctl, args.argc, args.argv);
}
