/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Text to numbers: the only place where that is done. Always the whole string,
 * always with a range; no blanks, no sign unless it is said.
 */
#ifndef GRP_BASE_PARSE_H
#define GRP_BASE_PARSE_H

#include <stdint.h>
#include <sys/types.h>

/**
 * grp_parse_u64() - a decimal number; leading zeros are allowed.
 * @text: NUL-terminated.
 * @min, @max: both allowed.
 * Return: 0; -EINVAL: empty or anything but digits; -ERANGE: outside the range.
 * Context: any.
 */
int grp_parse_u64(const char *text, uint64_t min, uint64_t max, uint64_t *ret_value);

/**
 * grp_parse_kernel_u64() - as the kernel reads a number written to a file: a plus
 * sign may lead, 0x is hexadecimal, another leading 0 octal.
 * Return: 0; -EINVAL: anything else; -ERANGE: beyond 64 bits. Context: any.
 */
int grp_parse_kernel_u64(const char *text, uint64_t *ret_value);

/**
 * grp_parse_task_id() - "PID" or "PID@STARTTIME".
 * @ret_tid: 0: the caller.
 * @ret_start_ticks: field 22 of /proc/PID/stat, USER_HZ since boot; 0 when it
 * is not said.
 * Return: 0; -ESRCH: a negative number (TASK-7); -EINVAL: not of that form, or
 * larger than any id can be.
 * Context: any.
 */
int grp_parse_task_id(const char *text, pid_t *ret_tid, uint64_t *ret_start_ticks);

#endif
