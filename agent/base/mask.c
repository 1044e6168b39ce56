/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Masks of CPUs and nodes. The parser takes what the kernel's list parser takes
 * and answers with the same error, which also means some of its surprises: they
 * are named where they are.
 */
#include "base/mask.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"

void grp_mask_fill(struct grp_mask *mask, unsigned int n_bits)
{
	*mask = (struct grp_mask){ 0 };
	for (unsigned int bit = 0; bit < n_bits; bit++)
		grp_mask_set(mask, bit);
}

void grp_mask_set(struct grp_mask *mask, unsigned int bit)
{
	if (bit < GRP_MASK_BITS)
		mask->words[bit / 64] |= 1ULL << bit % 64;
}

void grp_mask_unset(struct grp_mask *mask, unsigned int bit)
{
	if (bit < GRP_MASK_BITS)
		mask->words[bit / 64] &= ~(1ULL << bit % 64);
}

bool grp_mask_has(const struct grp_mask *mask, unsigned int bit)
{
	return bit < GRP_MASK_BITS && (mask->words[bit / 64] & 1ULL << bit % 64);
}

void grp_mask_and(struct grp_mask *mask, const struct grp_mask *other)
{
	for (size_t i = 0; i < GRP_MASK_WORDS; i++)
		mask->words[i] &= other->words[i];
}

void grp_mask_or(struct grp_mask *mask, const struct grp_mask *other)
{
	for (size_t i = 0; i < GRP_MASK_WORDS; i++)
		mask->words[i] |= other->words[i];
}

void grp_mask_remove(struct grp_mask *mask, const struct grp_mask *other)
{
	for (size_t i = 0; i < GRP_MASK_WORDS; i++)
		mask->words[i] &= ~other->words[i];
}

bool grp_mask_empty(const struct grp_mask *mask)
{
	return grp_mask_next(mask, 0) == GRP_MASK_BITS;
}

bool grp_mask_equal(const struct grp_mask *a, const struct grp_mask *b)
{
	return !memcmp(a->words, b->words, sizeof(a->words));
}

bool grp_mask_subset(const struct grp_mask *mask, const struct grp_mask *of)
{
	uint64_t outside = 0;

	for (size_t i = 0; i < GRP_MASK_WORDS; i++)
		outside |= mask->words[i] & ~of->words[i];
	return !outside;
}

bool grp_mask_overlap(const struct grp_mask *a, const struct grp_mask *b)
{
	uint64_t both = 0;

	for (size_t i = 0; i < GRP_MASK_WORDS; i++)
		both |= a->words[i] & b->words[i];
	return both;
}

unsigned int grp_mask_weight(const struct grp_mask *mask)
{
	unsigned int weight = 0;

	for (size_t i = 0; i < GRP_MASK_WORDS; i++)
		weight += (unsigned int)__builtin_popcountll(mask->words[i]);
	return weight;
}

unsigned int grp_mask_next(const struct grp_mask *mask, unsigned int from)
{
	for (unsigned int i = from / 64; i < GRP_MASK_WORDS; i++) {
		uint64_t word = mask->words[i];

		if (i == from / 64)
			word &= ~0ULL << from % 64;
		if (word)
			return i * 64 + (unsigned int)__builtin_ctzll(word);
	}
	return GRP_MASK_BITS;
}

/* What stands between commas: of each `every` bits from `first` to `last` the first `take`. */
struct region {
	uint32_t first, last, take, every;
	bool final; /* nothing after it is looked at */
};

/* What the kernel's isspace() takes, whatever the locale. */
static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r') || (unsigned char)c == 0xa0;
}

static bool is_separator(char c)
{
	return c == ',' || is_blank(c);
}

/* A newline right after a number ends the list; after a separator or a pattern it is a blank. */
static bool is_end(char c)
{
	return c == '\0' || c == '\n';
}

static bool ends_region(char c)
{
	return is_separator(c) || is_end(c);
}

static int number(const char **text, unsigned int n_bits, uint32_t *ret_value)
{
	const char *at = *text;
	uint64_t value = 0;
	bool overflow = false;

	if (*at == 'N') {
		*ret_value = n_bits - 1;
		*text = at + 1;
		return 0;
	}
	for (; *at >= '0' && *at <= '9'; at++) {
		value = (value * 10) + (uint64_t)(*at - '0');
		overflow |= value > UINT32_MAX;
		/* One that is too large stays so. */
		value = overflow ? UINT32_MAX : value;
	}
	if (at == *text)
		return -EINVAL;
	if (overflow)
		return -EOVERFLOW;
	*ret_value = (uint32_t)value;
	*text = at;
	return 0;
}

/* ":TAKE/EVERY" after a range; nothing there takes all of it. */
static int pattern(const char **text, unsigned int n_bits, struct region *region)
{
	int r;

	if (ends_region(**text)) {
		/* 4294967295 wraps here, which is why the kernel calls it invalid. */
		region->take = region->last + 1;
		region->every = region->last + 1;
		region->final = is_end(**text);
		return 0;
	}
	region->final = false;
	if (*(*text)++ != ':')
		return -EINVAL;
	r = number(text, n_bits, &region->take);
	if (r < 0)
		return r;
	if (*(*text)++ != '/')
		return -EINVAL;
	return number(text, n_bits, &region->every);
}

static int parse_region(const char **text, unsigned int n_bits, struct region *region)
{
	int r;

	if (!strncasecmp(*text, "all", 3)) {
		region->first = 0;
		region->last = n_bits - 1;
		*text += 3;
		return pattern(text, n_bits, region);
	}
	r = number(text, n_bits, &region->first);
	if (r < 0)
		return r;
	region->last = region->first;
	if (**text == '-') {
		(*text)++;
		r = number(text, n_bits, &region->last);
		if (r < 0)
			return r;
	} else if (!ends_region(**text)) {
		return -EINVAL;
	}
	return pattern(text, n_bits, region);
}

static int add_region(const struct region *region, unsigned int n_bits, struct grp_mask *mask)
{
	if (region->first > region->last || !region->every || region->take > region->every)
		return -EINVAL;
	if (region->last >= n_bits)
		return -ERANGE;
	for (uint32_t bit = region->first; bit <= region->last; bit++)
		if ((bit - region->first) % region->every < region->take)
			grp_mask_set(mask, bit);
	return 0;
}

int grp_mask_parse(const char *text, unsigned int n_bits, struct grp_mask *ret_mask)
{
	struct grp_mask mask = { 0 };

	for (;;) {
		struct region region;
		int r;

		while (is_separator(*text))
			text++;
		if (is_end(*text))
			break;
		r = parse_region(&text, n_bits, &region);
		if (!r)
			r = add_region(&region, n_bits, &mask);
		if (r < 0)
			return r;
		if (region.final)
			break;
	}
	*ret_mask = mask;
	return 0;
}

void grp_mask_print(const struct grp_mask *mask, FILE *out)
{
	const char *comma = "";

	for (unsigned int first = grp_mask_next(mask, 0); first < GRP_MASK_BITS;) {
		unsigned int last = first;

		while (grp_mask_has(mask, last + 1))
			last++;
		(void)fprintf(out, "%s%u", comma, first);
		if (last > first)
			(void)fprintf(out, "-%u", last);
		comma = ",";
		first = grp_mask_next(mask, last + 1);
	}
}

char *grp_mask_text(const struct grp_mask *mask)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	grp_mask_print(mask, out);
	if (fclose(out)) {
		free(text);
		return NULL;
	}
	return text;
}

int grp_mask_keep(struct grp_kept_mask *kept, const struct grp_mask *mask)
{
	uint32_t n_words = GRP_MASK_WORDS;
	uint64_t *words;

	while (n_words && !mask->words[n_words - 1])
		n_words--;
	if (n_words <= 1) {
		grp_mask_drop(kept);
		*kept = (struct grp_kept_mask){ .n_words = n_words, .word = mask->words[0] };
		return 0;
	}
	words = malloc(n_words * sizeof(*words));
	if (!words)
		return -ENOMEM;
	memcpy(words, mask->words, n_words * sizeof(*words));
	grp_mask_drop(kept);
	*kept = (struct grp_kept_mask){ .n_words = n_words, .words = words };
	return 0;
}

struct grp_mask grp_mask_kept(const struct grp_kept_mask *kept)
{
	struct grp_mask mask = { 0 };

	if (kept->n_words > 1)
		memcpy(mask.words, kept->words, kept->n_words * sizeof(*kept->words));
	else
		mask.words[0] = kept->word;
	return mask;
}

void grp_mask_drop(struct grp_kept_mask *kept)
{
	if (kept->n_words > 1)
		free(kept->words);
	*kept = (struct grp_kept_mask){ 0 };
}
