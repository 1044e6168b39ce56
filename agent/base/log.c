/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Messages to stderr or the journal, see log.h. The journal is written by the
 * stream it gave us, not through libsystemd: grpctl is linked with this folder.
 */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A line holds a path and its reason; what is longer is cut. */
#define LOG_LINE_MAX 8192

static int log_level = LOG_INFO;

void grp_log_set_level(int level)
{
	log_level = level;
}

/* JOURNAL_STREAM is "DEVICE:INODE" of the stream; stderr may be another one. */
static bool is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char mine[48];
	struct stat st;

	if (!stream || fstat(STDERR_FILENO, &st) < 0)
		return false;
	(void)snprintf(mine, sizeof(mine), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	return !strcmp(stream, mine);
}

void grp_log(int level, const char *format, ...)
{
	int saved = errno;
	char line[LOG_LINE_MAX];
	va_list args;
	size_t n = 0, start;

	if (level > log_level)
		return;
	if (is_journal())
		n = (size_t)snprintf(line, sizeof(line), "<%d>", level);
	start = n;
	errno = saved; /* for %m */
	va_start(args, format);
	(void)vsnprintf(line + n, sizeof(line) - n - 1, format, args);
	va_end(args);
	n += strlen(line + n);
	for (size_t i = start; i < n; i++)
		if ((unsigned char)line[i] < ' ' || line[i] == 0x7f)
			line[i] = '?';
	line[n++] = '\n';
	/* One write a line; a log that nobody can take is no reason to stop. */
	if (write(STDERR_FILENO, line, n) < 0)
		errno = saved;
	errno = saved;
}
