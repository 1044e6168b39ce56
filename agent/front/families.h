/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The table of metric families: a new one is a line in families.c. Rendering is
 * in metrics.c.
 */
#ifndef GRP_FRONT_FAMILIES_H
#define GRP_FRONT_FAMILIES_H

#include <stddef.h>

enum grp_family_type {
	GRP_FAMILY_COUNTER,
	GRP_FAMILY_GAUGE,
	GRP_FAMILY_INFO, /* its value is 1 */
	GRP_FAMILY_MAX,
};

struct grp_family_words {
	const char *suffix; /* of the samples; of the family too in the classic form */
	const char *classic, *openmetrics;
};

extern const struct grp_family_words grp_family_words[GRP_FAMILY_MAX];

enum grp_family_rows {
	GRP_ROWS_GROUPS,
	GRP_ROWS_PROGRAMS,
	GRP_ROWS_MAPS,
	GRP_ROWS_AGENT, /* exactly one */
};

enum grp_family_unit {
	GRP_UNIT_NONE,
	GRP_UNIT_SECONDS, /* values are nanoseconds */
	GRP_UNIT_BYTES,
	GRP_UNIT_MAX,
};

/* NULL for GRP_UNIT_NONE. */
extern const char *const grp_unit_names[GRP_UNIT_MAX];

/* One sample of a row: a uint64_t at this place of the row's struct, and one more label. */
struct grp_family_value {
	size_t offset;
	const char *label; /* NULL: none; in all but the first: no sample */
};

#define GRP_FAMILY_VALUES_MAX 2

struct grp_family {
	const char *name; /* without the suffix of its type */
	const char *help; /* one line without backslashes */
	enum grp_family_type type;
	enum grp_family_unit unit; /* the name ends in it */
	enum grp_family_rows rows;
	struct grp_family_value values[GRP_FAMILY_VALUES_MAX];
};

extern const struct grp_family grp_families[];
extern const size_t grp_n_families;

#endif
