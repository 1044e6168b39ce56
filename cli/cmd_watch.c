/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * watch: what happens to groups, a line each, until somebody has seen enough.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/cleanup_json.h"
#include "ctl.h"

#define NS_PER_S 1000000000
/* Of the most common kinds. */
#define EVENT_WIDTH 7

/* What every event has stands in front, in this form; the rest follows as NAME=VALUE. */
static const char *const heads[] = { "seq", "time_ns", "event", "hierarchy", "group" };

static bool is_head(const char *key)
{
	for (size_t i = 0; i < sizeof(heads) / sizeof(*heads); i++)
		if (!strcmp(heads[i], key))
			return true;
	return false;
}

static void print_time(int64_t time_ns)
{
	time_t seconds = (time_t)(time_ns / NS_PER_S);
	struct tm broken;
	char text[64];

	if (localtime_r(&seconds, &broken) &&
	    strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &broken))
		(void)printf("%s.%06" PRId64, text, time_ns % NS_PER_S / 1000);
	else
		(void)printf("%" PRId64, time_ns);
}

/* @before: in front of it. @width: at least. */
static int print_cell(const json_t *event, const char *key, enum grp_cell_kind kind,
		      const char *before, int width)
{
	const struct grp_column column = { .key = key, .kind = kind };
	_cleanup_free_ char *text = NULL;
	int r = grp_cell_text(event, &column, &text);

	if (r == 0)
		(void)printf("%s%-*s", before, width, text);
	return r;
}

static int print_line(json_t *event)
{
	const char *key;
	json_t *value;
	int r;

	print_time(json_integer_value(json_object_get(event, "time_ns")));
	r = print_cell(event, "event", GRP_CELL_TEXT, " ", EVENT_WIDTH);
	if (r == 0 && json_object_get(event, "group"))
		r = print_cell(event, NULL, GRP_CELL_GROUP, " ", 0);
	json_object_foreach(event, key, value) {
		if (r < 0)
			return r;
		if (is_head(key))
			continue;
		(void)printf(" %s=", key);
		r = print_cell(event, key, GRP_CELL_TEXT, "", 0);
	}
	(void)putchar('\n');
	return r;
}

static int print_json(const json_t *event)
{
	errno = 0;
	if (json_dumpf(event, stdout, JSON_COMPACT) < 0 || fputc('\n', stdout) == EOF)
		return errno ? -errno : -ENOMEM;
	return 0;
}

/* Each line is out before the next one is waited for. */
static int show(const struct grp_ctl *ctl, const json_t *reply)
{
	json_t *event = json_object_get(reply, "event");
	int r;

	if (!event || json_is_null(event))
		return 0;
	if (!json_is_object(event))
		return -EPROTO;
	r = ctl->json ? print_json(event) : print_line(event);
	return r ?: grp_out_flush();
}

/* Nothing is lost by it: each line was flushed, and nobody waits for us. */
static void on_interrupt(int number)
{
	(void)number;
	_exit(GRP_EXIT_DONE);
}

static int run_watch(struct grp_ctl *ctl, const struct grp_args *args)
{
	const char *name = args->argc ? args->argv[0] : NULL;
	struct sigaction action = { .sa_handler = on_interrupt }, old;

	(void)signal(SIGPIPE, SIG_IGN);
	/* Who is started in the background by a shell is not to be interrupted with it. */
	if (sigaction(SIGINT, NULL, &old) == 0 && old.sa_handler != SIG_IGN)
		(void)sigaction(SIGINT, &action, NULL);
	return grp_ctl_stream(ctl, "Watch",
			      json_pack("{s:o*}", "group", name ? grp_args_text(name) : NULL), name,
			      show);
}

const struct grp_verb grp_verb_watch = {
	.name = "watch",
	.usage = "[GROUP]",
	.summary = "show what happens to groups, as it happens",
	.help = "Prints a line for each group that is made, removed, renamed, entered, empty or\n"
		"released, of all hierarchies or of GROUP and those below it, with --json an object a\n"
		"line, until it is interrupted, its output is closed, or GROUP is removed. A line\n"
		"`lost` says how many events were dropped because they were not read in time. Only\n"
		"groups that the caller may search are shown.\n",
	.example = "$ grpctl watch\n"
		   "$ grpctl watch --json /shop | jq -r .event\n",
	.subject = GRP_SUBJECT_GROUPS,
	.prints = true,
	.max_args = 1,
	.run = run_watch,
};
