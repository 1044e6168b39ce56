/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The notation of names, see text.h. Every result is at most four times as
 * long as what it is made from, so one allocation is enough.
 */
#include "base/text.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

/* By the first byte: what a sequence looks like and how far its value goes. */
static const struct {
	unsigned char mask, value;
	unsigned char len;
	uint32_t min;
} utf8_forms[] = {
	{ 0x80, 0x00, 1, 0x1 },
	{ 0xe0, 0xc0, 2, 0x80 },
	{ 0xf0, 0xe0, 3, 0x800 },
	{ 0xf8, 0xf0, 4, 0x10000 },
};

static bool is_scalar(uint32_t value)
{
	return value <= 0x10ffff && (value < 0xd800 || value > 0xdfff);
}

/* NUL counts as not valid: no text that we make may hold one. */
size_t grp_text_utf8_len(const char *bytes, size_t len)
{
	const unsigned char *p = (const unsigned char *)bytes;

	for (size_t i = 0; len && i < sizeof(utf8_forms) / sizeof(*utf8_forms); i++) {
		uint32_t value = p[0] & (unsigned char)~utf8_forms[i].mask;

		if ((p[0] & utf8_forms[i].mask) != utf8_forms[i].value)
			continue;
		if (len < utf8_forms[i].len)
			return 0;
		for (size_t k = 1; k < utf8_forms[i].len; k++) {
			if ((p[k] & 0xc0) != 0x80)
				return 0;
			value = value << 6 | (p[k] & 0x3f);
		}
		return value >= utf8_forms[i].min && is_scalar(value) ? utf8_forms[i].len : 0;
	}
	return 0;
}

static char *put_hex(char *out, unsigned char byte)
{
	static const char digits[] = "0123456789abcdef";

	*out++ = '\\';
	*out++ = 'x';
	*out++ = digits[byte >> 4];
	*out++ = digits[byte & 0xf];
	return out;
}

static int make_text(const char *bytes, size_t len, bool backslashes, char **ret_text)
{
	_cleanup_free_ char *text = NULL;
	char *out;

	if (len > SIZE_MAX / 4 - 1)
		return -ENOMEM;
	out = text = malloc(len * 4 + 1);
	if (!text)
		return -ENOMEM;
	while (len) {
		size_t n = grp_text_utf8_len(bytes, len);

		if (backslashes && *bytes == '\\')
			*out++ = '\\';
		if (n)
			out = mempcpy(out, bytes, n);
		else
			out = put_hex(out, (unsigned char)*bytes);
		n = n ?: 1;
		bytes += n;
		len -= n;
	}
	*out = '\0';
	*ret_text = TAKE_PTR(text);
	return 0;
}

int grp_text_escape(const char *bytes, size_t len, char **ret_text)
{
	return make_text(bytes, len, true, ret_text);
}

int grp_text_fix_utf8(const char *bytes, size_t len, char **ret_text)
{
	return make_text(bytes, len, false, ret_text);
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Characters of @text used for the byte that stands at its begin. */
static size_t take_byte(const char *text, char *ret_byte)
{
	int high, low;

	*ret_byte = text[0];
	if (text[0] != '\\')
		return 1;
	if (text[1] == '\\' || text[1] == ',') {
		*ret_byte = text[1];
		return 2;
	}
	if (text[1] != 'x')
		return 1;
	high = hex_digit(text[2]);
	low = high < 0 ? -1 : hex_digit(text[3]);
	if (low < 0)
		return 1;
	*ret_byte = (char)(high << 4 | low);
	return 4;
}

int grp_text_unescape(const char *text, char **ret_bytes, size_t *ret_len)
{
	_cleanup_free_ char *bytes = malloc(strlen(text) + 1);
	size_t n = 0;

	if (!bytes)
		return -ENOMEM;
	while (*text) {
		text += take_byte(text, &bytes[n]);
		if (!bytes[n])
			return -EINVAL;
		n++;
	}
	bytes[n] = '\0';
	if (ret_len)
		*ret_len = n;
	*ret_bytes = TAKE_PTR(bytes);
	return 0;
}
