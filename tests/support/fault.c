/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stop points of the test build, see base/fault.h. By environment:
 * GRPAGENT_FAULT_STOP=N dies by SIGKILL before the Nth point, counted from 1;
 * GRPAGENT_FAULT_HOLD=N stops there by SIGSTOP, until somebody lets it go on;
 * GRPAGENT_FAULT_LIST=FILE appends the name of each point counted;
 * GRPAGENT_FAULT_AFTER_READY=1 counts only points after grp_fault_arm().
 */
#include "base/fault.h"

#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/parse.h"

static bool armed;
static uint64_t counted;

static bool is_set(const char *variable)
{
	const char *value = getenv(variable);

	return value && !strcmp(value, "1");
}

static void append(const char *file, const char *name)
{
	_cleanup_close_ int fd = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

	if (fd < 0 || dprintf(fd, "%s\n", name) < 0)
		abort();
}

void grp_fault_arm(void)
{
	armed = true;
}

/* Whether the point that was just counted is the one of this variable. */
static bool is_at(const char *variable)
{
	const char *text = getenv(variable);
	uint64_t at = 0;

	if (text && grp_parse_u64(text, 1, UINT64_MAX, &at) < 0)
		abort(); /* a test that stops nowhere would pass */
	return at == counted;
}

void grp_fault_point(const char *name)
{
	const char *file = getenv("GRPAGENT_FAULT_LIST");

	if (is_set("GRPAGENT_FAULT_AFTER_READY") && !armed)
		return;
	counted++;
	if (file)
		append(file, name);
	if (is_at("GRPAGENT_FAULT_STOP"))
		(void)raise(SIGKILL);
	if (is_at("GRPAGENT_FAULT_HOLD"))
		(void)raise(SIGSTOP);
}

static const char *value_of(const char *name)
{
	char variable[64];

	(void)snprintf(variable, sizeof(variable), "GRPAGENT_FAULT_%s", name);
	return getenv(variable);
}

bool grp_fault_held(const char *name)
{
	const char *file = value_of(name);

	return file && !access(file, F_OK);
}

unsigned int grp_fault_number(const char *name)
{
	const char *text = value_of(name);
	uint64_t n;

	if (!text)
		return 0;
	if (grp_parse_u64(text, 0, UINT32_MAX, &n) < 0)
		abort();
	return n;
}
