/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * JSON as text, see json_text.h.
 */
#include "front/json_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_BYTES 4096
/* Digits of the largest number, and its sign. */
#define NUMBER_BYTES 20

void grp_json_text_done(struct grp_json_text *text)
{
	free(text->bytes);
	*text = (struct grp_json_text){ .bytes = NULL };
}

/* Room for @len bytes more; false: there is none. */
static bool reserve(struct grp_json_text *text, size_t len)
{
	size_t size = text->allocated ? text->allocated : FIRST_BYTES;
	char *bytes;

	if (text->failed)
		return false;
	if (text->allocated - text->len >= len)
		return true;
	while (size - text->len < len)
		size *= 2;
	bytes = realloc(text->bytes, size);
	text->failed = !bytes;
	if (!bytes)
		return false;
	text->bytes = bytes;
	text->allocated = size;
	return true;
}

void grp_json_text_add(struct grp_json_text *text, const char *bytes, size_t len)
{
	if (!reserve(text, len))
		return;
	memcpy(text->bytes + text->len, bytes, len);
	text->len += len;
}

void grp_json_text_raw(struct grp_json_text *text, const char *raw)
{
	grp_json_text_add(text, raw, strlen(raw));
}

static bool is_plain(char c)
{
	return c != '"' && c != '\\' && (unsigned char)c >= 0x20;
}

/* The short form of a character that has one; 0: none. */
static char short_form(char c)
{
	static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
	const char *at = strchr(from, c);

	return at ? to[at - from] : 0;
}

static void add_escaped(struct grp_json_text *text, char c)
{
	char escape[8] = { '\\', short_form(c) };

	if (!escape[1])
		(void)snprintf(escape, sizeof(escape), "\\u%04X", (unsigned char)c);
	grp_json_text_raw(text, escape);
}

void grp_json_text_string(struct grp_json_text *text, const char *string)
{
	size_t n;

	grp_json_text_add(text, "\"", 1);
	while (*string) {
		for (n = 0; string[n] && is_plain(string[n]); n++)
			;
		grp_json_text_add(text, string, n);
		string += n;
		if (*string)
			add_escaped(text, *string++);
	}
	grp_json_text_add(text, "\"", 1);
}

void grp_json_text_number(struct grp_json_text *text, int64_t number)
{
	uint64_t rest = number < 0 ? -(uint64_t)number : (uint64_t)number;
	char digits[NUMBER_BYTES];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest);
	if (number < 0)
		digits[--at] = '-';
	grp_json_text_add(text, digits + at, sizeof(digits) - at);
}
