/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * JSON as text, for replies of many thousand objects: to make each of their values
 * first, and to free it again, would cost several times what there is to say. Commas
 * and brackets are the caller's, who writes them with what is between them.
 */
#ifndef GRP_FRONT_JSON_TEXT_H
#define GRP_FRONT_JSON_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Grows; all zero: empty. After a failure nothing is added any more. */
struct grp_json_text {
	char *bytes; /* owned; not NUL-terminated */
	size_t len, allocated;
	bool failed; /* no memory */
};

/* grp_json_text_done() - frees; empty afterwards. */
void grp_json_text_done(struct grp_json_text *text);

/* grp_json_text_add() - @len bytes as they are. */
void grp_json_text_add(struct grp_json_text *text, const char *bytes, size_t len);

/* grp_json_text_raw() - what is JSON already: brackets, keys. */
void grp_json_text_raw(struct grp_json_text *text, const char *raw);

/* grp_json_text_string() - quoted; @string is valid UTF-8, NUL-terminated. */
void grp_json_text_string(struct grp_json_text *text, const char *string);

/* grp_json_text_number() - a JSON integer, as the library would write it. */
void grp_json_text_number(struct grp_json_text *text, int64_t number);

#endif
