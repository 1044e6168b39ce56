/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Topology words in lists of CPUs and nodes. Each word is replaced by the list
 * that it stands for, and the whole is read as the kernel reads it: so what has
 * no words in it has the kernel's errors, in the kernel's order.
 */
#include "core/topology.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "core/internal.h"

#define SEPARATORS ", \t\n\v\f\r"
#define ALL "all"

const struct grp_topology *grp_core_topology(const struct grp_core *core)
{
	return core->topology;
}

int grp_core_topology_read(struct grp_core *core)
{
	_cleanup_free_ struct grp_topology *now = calloc(1, sizeof(*now));
	int r = now ? core->ops->topology(core->kernel, now) : -ENOMEM;

	if (!r)
		*core->topology = *now;
	return r;
}

static uint16_t node_of(const struct grp_topology_cpu *cpu)
{
	return cpu->node;
}

static uint16_t package_of(const struct grp_topology_cpu *cpu)
{
	return cpu->package;
}

static uint16_t core_of(const struct grp_topology_cpu *cpu)
{
	return cpu->core;
}

static const struct word {
	const char *prefix;
	uint16_t (*of)(const struct grp_topology_cpu *cpu);
} words[] = {
	{ "node:", node_of },
	{ "package:", package_of },
	{ "core:", core_of },
};

static const struct grp_mask *everything(const struct grp_topology *topology,
					 enum grp_list_kind kind)
{
	return kind == GRP_LIST_CPUS ? &topology->online : &topology->nodes;
}

/* A node is itself, with or without CPUs; else what the CPUs are, or where they are. */
static struct grp_mask resolve(const struct grp_topology *topology, enum grp_list_kind kind,
			       const struct word *word, unsigned int number)
{
	struct grp_mask mask = { 0 };

	if (kind == GRP_LIST_NODES && word->of == node_of)
		grp_mask_set(&mask, number);
	else
		grp_mask_for_each(cpu,
				  &topology->online) if (word->of(&topology->cpus[cpu]) == number)
			grp_mask_set(&mask, kind == GRP_LIST_CPUS ? cpu : topology->cpus[cpu].node);
	if (kind == GRP_LIST_NODES)
		grp_mask_and(&mask, &topology->nodes);
	return mask;
}

/* What stands between two separators, written as the list that it means. */
static int expand(const struct grp_topology *topology, enum grp_list_kind kind, const char *token,
		  FILE *out, struct grp_error *error)
{
	if (!strcmp(token, ALL)) {
		grp_mask_print(everything(topology, kind), out);
		return 0;
	}
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		size_t len = strlen(words[i].prefix);
		struct grp_mask mask = { 0 };
		uint64_t number;

		if (strncmp(token, words[i].prefix, len) != 0)
			continue;
		if (!grp_parse_u64(token + len, 0, GRP_TOPOLOGY_UNKNOWN - 1, &number))
			mask = resolve(topology, kind, &words[i], (unsigned int)number);
		if (grp_mask_empty(&mask))
			return grp_error_set(error, EINVAL, "there is no %.32s here", token);
		grp_mask_print(&mask, out);
		return 0;
	}
	(void)fputs(token, out);
	return 0;
}

/* @text with its words replaced; owned by the caller. */
static int replace(const struct grp_topology *topology, enum grp_list_kind kind, const char *text,
		   char **ret_list, struct grp_error *error)
{
	_cleanup_free_ char *list = NULL;
	size_t size;
	FILE *out = open_memstream(&list, &size);
	int r = 0;

	if (!out)
		return -ENOMEM;
	while (!r && *text) {
		size_t len = strcspn(text, SEPARATORS);
		_cleanup_free_ char *token = strndup(text, len);

		r = token ? expand(topology, kind, token, out, error) : -ENOMEM;
		text += len;
		/* What follows the first newline after a number counts for nothing. */
		if (!r && *text)
			(void)fputc(*text++, out);
	}
	if (fclose(out) && !r)
		r = -ENOMEM;
	if (!r)
		*ret_list = TAKE_PTR(list);
	return r;
}

int grp_list_parse(const struct grp_topology *topology, enum grp_list_kind kind, const char *text,
		   struct grp_mask *ret_mask, struct grp_error *error)
{
	const unsigned int n = kind == GRP_LIST_CPUS ? topology->n_cpus : topology->n_nodes_max;
	const char *start = text + strspn(text, SEPARATORS);
	const bool others = *start == '!';
	_cleanup_free_ char *list = NULL;
	struct grp_mask mask;
	int r = replace(topology, kind, others ? start + 1 : text, &list, error);

	if (!r)
		r = grp_mask_parse(list, n, &mask);
	if (r)
		return r;
	*ret_mask = others ? *everything(topology, kind) : mask;
	if (others)
		grp_mask_remove(ret_mask, &mask);
	return 0;
}
