/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Ownership of locals: an attribute that gives back what a variable owns when
 * its scope ends, and the TAKE macros by which ownership leaves it. Only for
 * what libc gives out; JSON has its own header, cleanup_json.h.
 */
#ifndef GRP_BASE_CLEANUP_H
#define GRP_BASE_CLEANUP_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Frees a malloc'ed pointer; initialise it where it is declared. */
#define _cleanup_free_ __attribute__((cleanup(grp_cleanup_free)))
/* Closes a descriptor that is not negative. */
#define _cleanup_close_ __attribute__((cleanup(grp_cleanup_close)))
/* Closes a stream that is not NULL. */
#define _cleanup_fclose_ __attribute__((cleanup(grp_cleanup_fclose)))

/* TAKE_PTR() - the value of a pointer, leaving NULL behind. */
#define TAKE_PTR(pointer)                                \
	({                                               \
		__typeof__(pointer) *_take = &(pointer); \
		__typeof__(pointer) _taken = *_take;     \
		*_take = NULL;                           \
		_taken;                                  \
	})

/* TAKE_FD() - the value of a descriptor, leaving -1 behind. */
#define TAKE_FD(fd)                  \
	({                           \
		int *_take = &(fd);  \
		int _taken = *_take; \
		*_take = -1;         \
		_taken;              \
	})

/* Each keeps errno, so that a `return -errno` above it stays true. */
static inline void grp_cleanup_free(void *pointer)
{
	int saved = errno;

	free(*(void **)pointer);
	errno = saved;
}

static inline void grp_cleanup_close(const int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		(void)close(*fd);
	errno = saved;
}

static inline void grp_cleanup_fclose(FILE **stream)
{
	int saved = errno;

	if (*stream)
		(void)fclose(*stream);
	errno = saved;
}

#endif
