/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Modes as chmod(1) reads them, see mode.h. A change is [ugoa]* and then one or more
 * of: an operator + - =, and letters of rwxXst or one of ugo.
 */
#include "mode.h"

#include <errno.h>
#include <string.h>

#include "args.h"

#define ALL_BITS 07777
#define SET_ID 06000

/* Letters in front of an operator. */
static const struct {
	char who;
	unsigned int bits;
} classes[] = {
	{ 'u', 04700 },
	{ 'g', 02070 },
	{ 'o', 01007 },
	{ 'a', ALL_BITS },
};

/* Letters behind it, for all classes at once. */
static const struct {
	char letter;
	unsigned int bits;
} permissions[] = {
	{ 'r', 0444 }, { 'w', 0222 }, { 'x', 0111 }, { 's', SET_ID }, { 't', 01000 },
};

static unsigned int class_of(char who)
{
	for (size_t i = 0; who && i < sizeof(classes) / sizeof(*classes); i++)
		if (classes[i].who == who)
			return classes[i].bits;
	return 0;
}

/* The rwx of one class, for all three. */
static unsigned int copied(char who, unsigned int mode)
{
	unsigned int bits = mode & class_of(who) & 0777;

	bits |= bits >> 3 | bits >> 6 | bits << 3 | bits << 6;
	return bits & 0777;
}

/* Return: the number of letters. */
static size_t read_permissions(const char *text, const struct grp_mode_base *base,
			       unsigned int mode, unsigned int *ret_bits)
{
	unsigned int bits = 0;
	size_t n = 0;

	if (*text && strchr("ugo", *text)) {
		*ret_bits = copied(*text, mode);
		return 1;
	}
	for (; text[n] && strchr("rwxXst", text[n]); n++) {
		if (text[n] == 'X' && (base->directory || mode & 0111))
			bits |= 0111;
		for (size_t i = 0; i < sizeof(permissions) / sizeof(*permissions); i++)
			if (permissions[i].letter == text[n])
				bits |= permissions[i].bits;
	}
	*ret_bits = bits;
	return n;
}

static unsigned int combine(char op, unsigned int mode, unsigned int bits, unsigned int kept)
{
	if (op == '+')
		return mode | bits;
	if (op == '-')
		return mode & ~bits;
	return (mode & kept) | bits;
}

/* One change, up to its comma or the end. */
static int apply_change(const char **text, const struct grp_mode_base *base, unsigned int *mode)
{
	const char *at = *text;
	unsigned int who = 0, affected, bits, kept;

	for (; class_of(*at); at++)
		who |= class_of(*at);
	if (!*at || !strchr("+-=", *at))
		return -EINVAL;
	affected = who ?: ALL_BITS & ~base->umask;
	while (*at && strchr("+-=", *at)) {
		char op = *at++;

		at += read_permissions(at, base, *mode, &bits);
		/* Of a directory, "=" takes these bits away only where it says so. */
		kept = ~(who ?: ALL_BITS);
		if (base->directory)
			kept |= SET_ID;
		*mode = combine(op, *mode, bits & affected, kept);
	}
	*text = at;
	return *at && *at != ',' ? -EINVAL : 0;
}

bool grp_mode_is_octal(const char *text)
{
	return *text >= '0' && *text <= '7';
}

int grp_mode_apply(const char *text, const struct grp_mode_base *base, unsigned int *ret_mode)
{
	static const struct grp_mode_base any;
	unsigned int mode;
	int r;

	if (grp_mode_is_octal(text))
		return grp_args_mode(text, ret_mode);
	if (!base)
		base = &any;
	mode = base->mode;
	do {
		r = apply_change(&text, base, &mode);
	} while (!r && *text++ == ',');
	if (!r)
		*ret_mode = mode;
	return r;
}
