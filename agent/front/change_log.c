/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The log of changes, see change_log.h.
 */
#include "front/change_log.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/cleanup_json.h"
#include "base/log.h"
#include "front/methods.h"

/* Of the parameters in one line, so that this with all else fits a line of the log. */
#define PART_MAX 6000

/* As much of a text as fits a line, without cutting a character. */
static size_t part_length(const char *text)
{
	size_t len = strnlen(text, PART_MAX);

	while (len > 1 && text[len] && ((unsigned char)text[len] & 0xc0) == 0x80)
		len--;
	return len;
}

void grp_change_log_text(const char *name, const char *what, const struct grp_caller *caller,
			 const char *end)
{
	for (size_t len = part_length(what); what[len]; len = part_length(what)) {
		GRP_LOG_INFO("%s %.*s by uid %u, pid %d: goes on in the next line", name, (int)len,
			     what, (unsigned int)caller->uid, (int)caller->pid);
		what += len;
	}
	GRP_LOG_INFO("%s %s by uid %u, pid %d: %s", name, what, (unsigned int)caller->uid,
		     (int)caller->pid, end);
}

static void log_change(const struct grp_call *call, const char *end)
{
	_cleanup_free_ char *parameters =
		json_dumps(call->wire.parameters ?: json_null(), JSON_COMPACT | JSON_ENCODE_ANY);

	grp_change_log_text(call->method->name, parameters ?: "?", call->caller, end);
}

/* Those of a bulk request that were not done; each in a line of its own. */
static void log_failures(const struct grp_call *call, const json_t *failures)
{
	const json_t *failure;
	size_t i;

	json_array_foreach(failures, i, failure)
		GRP_LOG_INFO("%s %.*s by uid %u, pid %d: %s", call->method->name, PART_MAX,
			     json_string_value(json_object_get(failure, "item")) ?: "?",
			     (unsigned int)call->caller->uid, (int)call->caller->pid,
			     json_string_value(json_object_get(failure, "errno")) ?: "?");
}

void grp_change_log(const struct grp_call *call, int result, const json_t *reply)
{
	const json_t *failures = json_object_get(reply, "failures");
	char end[sizeof(call->error.message) + 64];
	size_t n = json_array_size(failures);

	if (result < 0)
		(void)snprintf(end, sizeof(end), "%s%s%s", grp_errno_name(-result),
			       call->error.message[0] ? ": " : "", call->error.message);
	else if (n)
		(void)snprintf(end, sizeof(end), "done, but for %zu", n);
	else
		(void)snprintf(end, sizeof(end), "done");
	log_change(call, end);
	log_failures(call, failures);
}

void grp_change_log_abandoned(const struct grp_call *call)
{
	log_change(call, "given up half-way, its client has gone");
}
