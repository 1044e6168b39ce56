/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reasons beside an errno, see error.h.
 */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int(grp_error_set)(struct grp_error *error, int number, const char *format, ...)
{
	va_list args;

	if (error) {
		error->number = number;
		va_start(args, format);
		(void)vsnprintf(error->message, sizeof(error->message), format, args);
		va_end(args);
	}
	return -number;
}

const char *grp_plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

/* The result for a number nobody knows has room for one name: use it at once. */
const char *grp_errno_name(int number)
{
	static __thread char unknown[16];
	const char *name = strerrorname_np(number);

	if (name)
		return name;
	(void)snprintf(unknown, sizeof(unknown), "E?%d", number);
	return unknown;
}
