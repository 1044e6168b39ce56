/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A reason beside an errno: what went wrong and what to do, for the one who
 * asked. The number is what programs decide on, the text is for people.
 */
#ifndef GRP_BASE_ERROR_H
#define GRP_BASE_ERROR_H

#include <stddef.h>
#include <stdint.h>

struct grp_error {
	int number; /* errno, positive; 0: none set */
	char message[256]; /* empty: strerror() says enough */
};

/**
 * grp_error_set() - store number and reason.
 * @error: NULL: only the number matters to the caller.
 * @number: positive errno.
 * Return: -number, so that callers can `return grp_error_set(...)`.
 */
int grp_error_set(struct grp_error *error, int number, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* An analyser that sees one file at a time has to be told that it never returns 0. */
#ifdef __clang_analyzer__
#define grp_error_set(error, number, ...) \
	((void)(grp_error_set)(error, number, __VA_ARGS__), -(number))
#endif

/* grp_plural() - what follows a noun that is counted: nothing for 1, else "s". */
const char *grp_plural(uint64_t n);

/* grp_errno_name() - "EBUSY"; "E?" with the number for one nobody knows. */
const char *grp_errno_name(int number);

#endif
