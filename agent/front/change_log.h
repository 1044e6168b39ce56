/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The log of changes: who asked for what, and how it ended. One line each, or
 * several where it is long: nothing that was asked for is left out.
 */
#ifndef GRP_FRONT_CHANGE_LOG_H
#define GRP_FRONT_CHANGE_LOG_H

#include "front/call.h"

/**
 * grp_change_log() - a call of a method that changes something has ended.
 * @result: 0 or -errno, with the reason in call->error.
 * @reply: its answer, whose "failures" are named; may be NULL.
 */
void grp_change_log(const struct grp_call *call, int result, const json_t *reply);

/*
 * grp_change_log_text() - the same for what is no call, or logs less than all of it.
 * @what: UTF-8; several lines when it is long. @end: how it ended.
 */
void grp_change_log_text(const char *name, const char *what, const struct grp_caller *caller,
			 const char *end);

/* grp_change_log_abandoned() - its client has gone; part of it may have been done. */
void grp_change_log_abandoned(const struct grp_call *call);

#endif
