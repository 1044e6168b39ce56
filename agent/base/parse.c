/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Text to numbers, by hand: strtoul() and friends accept blanks, signs and
 * whatever follows the number, which is what this file is there to refuse.
 */
#include "base/parse.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>

/* Of a digit in any base up to 16; 16 for what is none. */
static unsigned int digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c) : NULL;

	return at ? (unsigned int)(at - digits) : 16;
}

static int parse_number(const char *text, size_t len, unsigned int base, uint64_t *ret_value)
{
	uint64_t value = 0;
	bool overflow = false;

	if (!len)
		return -EINVAL;
	for (size_t i = 0; i < len; i++) {
		if (digit(text[i]) >= base)
			return -EINVAL;
		overflow |= __builtin_mul_overflow(value, base, &value);
		overflow |= __builtin_add_overflow(value, digit(text[i]), &value);
	}
	if (overflow)
		return -ERANGE;
	*ret_value = value;
	return 0;
}

static int parse_digits(const char *text, size_t len, uint64_t *ret_value)
{
	return parse_number(text, len, 10, ret_value);
}

int grp_parse_kernel_u64(const char *text, uint64_t *ret_value)
{
	unsigned int base = 10;

	text += text[0] == '+';
	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
		base = 16;
		text += 2;
	} else if (text[0] == '0') {
		base = 8;
	}
	return parse_number(text, strlen(text), base, ret_value);
}

int grp_parse_u64(const char *text, uint64_t min, uint64_t max, uint64_t *ret_value)
{
	uint64_t value;
	int r;

	r = parse_digits(text, strlen(text), &value);
	if (r < 0)
		return r;
	if (value < min || value > max)
		return -ERANGE;
	*ret_value = value;
	return 0;
}

int grp_parse_task_id(const char *text, pid_t *ret_tid, uint64_t *ret_start_ticks)
{
	const char *at = strchrnul(text, '@');
	bool negative = text[0] == '-';
	uint64_t tid, start_ticks = 0;
	int r;

	text += negative;
	r = parse_digits(text, (size_t)(at - text), &tid);
	if (!r && *at)
		r = parse_digits(at + 1, strlen(at + 1), &start_ticks);
	if (r < 0)
		return -EINVAL;
	if (negative && tid)
		return -ESRCH;
	if (tid > INT_MAX)
		return -EINVAL;
	*ret_tid = (pid_t)tid;
	*ret_start_ticks = start_ticks;
	return 0;
}
