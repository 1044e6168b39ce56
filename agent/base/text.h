/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Names are bytes, JSON and labels are UTF-8: the notation between them. A byte
 * that is not part of valid UTF-8 is written \xHH and a backslash \\. Valid is
 * meant strictly: no overlong form, no surrogate, nothing above U+10FFFF.
 */
#ifndef GRP_BASE_TEXT_H
#define GRP_BASE_TEXT_H

#include <stddef.h>

/**
 * grp_text_escape() - bytes to text from which grp_text_unescape() makes the
 * same bytes.
 * @bytes: may contain anything, also NUL (then \x00).
 * @ret_text: NUL-terminated valid UTF-8, owned by the caller.
 * Return: 0; -ENOMEM.
 * Context: any.
 */
int grp_text_escape(const char *bytes, size_t len, char **ret_text);

/**
 * grp_text_unescape() - text to bytes: \\, \, and \xHH are interpreted, any
 * other backslash stands for itself.
 * @text: NUL-terminated.
 * @ret_bytes: owned by the caller; a NUL is behind the last one.
 * @ret_len: number of bytes without that NUL; may be NULL.
 * Return: 0; -EINVAL: \x00; -ENOMEM.
 * Context: any.
 */
int grp_text_unescape(const char *text, char **ret_bytes, size_t *ret_len);

/**
 * grp_text_fix_utf8() - for text that is only shown: bytes that are not valid
 * UTF-8, and NUL, become \xHH; backslashes are left as they are.
 * @ret_text: NUL-terminated valid UTF-8, owned by the caller.
 * Return: 0; -ENOMEM.
 * Context: any.
 */
int grp_text_fix_utf8(const char *bytes, size_t len, char **ret_text);

/**
 * grp_text_utf8_len() - length of the valid sequence that @bytes begin with.
 * Return: 1 to 4; 0: not valid, or @len is 0.
 * Context: any.
 */
size_t grp_text_utf8_len(const char *bytes, size_t len);

#endif
