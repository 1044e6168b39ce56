/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An event as the protocol's reply to Watch has it, made from the core's table.
 */
#ifndef GRP_FRONT_WATCH_TEXT_H
#define GRP_FRONT_WATCH_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "core/event.h"

/**
 * grp_watch_text() - {"event": {"seq": ..., "time_ns": ..., "event": ..., ...}}
 * @ret_text: compact JSON, owned by the caller. @ret_len: its length.
 * Return: 0; -ENOMEM; -ENAMETOOLONG: a path of more than GRP_PATH_MAX.
 */
int grp_watch_text(const struct grp_watch_event *event, uint64_t seq, uint64_t time_ns,
		   char **ret_text, size_t *ret_len);

#endif
