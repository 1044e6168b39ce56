/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The agent's log: one line a message, on stderr; where stderr is the journal
 * (JOURNAL_STREAM), with the level in the form that it understands. Used by
 * agent.c, main.c and front/ only: everything below returns errors instead.
 */
#ifndef GRP_BASE_LOG_H
#define GRP_BASE_LOG_H

#include <syslog.h>

/**
 * grp_log_set_level() - messages of a larger number are dropped from now on.
 * @level: LOG_ERR to LOG_DEBUG of syslog.h; LOG_INFO at the beginning.
 * Context: any; the only mutable global of the program.
 */
void grp_log_set_level(int level);

/**
 * grp_log() - one message; control characters in it become '?'.
 * @level: as for grp_log_set_level().
 * Context: any; errno is kept.
 */
void grp_log(int level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define GRP_LOG_ERROR(...) grp_log(LOG_ERR, __VA_ARGS__)
#define GRP_LOG_WARNING(...) grp_log(LOG_WARNING, __VA_ARGS__)
#define GRP_LOG_NOTICE(...) grp_log(LOG_NOTICE, __VA_ARGS__)
#define GRP_LOG_INFO(...) grp_log(LOG_INFO, __VA_ARGS__)
#define GRP_LOG_DEBUG(...) grp_log(LOG_DEBUG, __VA_ARGS__)

#endif
