/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * File mem_policy of cpuset: how tasks get their memory from the group's nodes,
 * MODE or MODE=NODES, as mount options of tmpfs name them. A new group has its
 * parent's. That tasks have it is the business of placement.
 */
#include <errno.h>
#include <string.h>

#include "subsys/cpuset.h"

static const char *const modes[] = {
	[GRP_MEM_BIND] = "bind",
	[GRP_MEM_INTERLEAVE] = "interleave",
	[GRP_MEM_WEIGHTED_INTERLEAVE] = "weighted-interleave",
	[GRP_MEM_PREFERRED] = "preferred",
	[GRP_MEM_PREFERRED_MANY] = "preferred-many",
};
_Static_assert(sizeof(modes) / sizeof(*modes) == GRP_MEM_POLICIES, "a name for each");

static const char *const nodes[] = {
	[GRP_MEM_NODES_PLAIN] = "",
	[GRP_MEM_NODES_STATIC] = "=static",
	[GRP_MEM_NODES_RELATIVE] = "=relative",
};
_Static_assert(sizeof(nodes) / sizeof(*nodes) == GRP_MEM_NODES_MAX, "a name for each");

/* Room for the longest of them. */
#define NAME_SIZE 32

static void show(struct grp_cpuset_policy policy, char *buf)
{
	(void)snprintf(buf, NAME_SIZE, "%s%s", modes[policy.mode], nodes[policy.nodes]);
}

static int parse(const char *text, struct grp_error *error, struct grp_cpuset_policy *ret_policy)
{
	size_t len = strcspn(text, "\n");

	for (unsigned int i = 0; i < GRP_MEM_POLICIES * GRP_MEM_NODES_MAX; i++) {
		struct grp_cpuset_policy policy = { .mode = i / GRP_MEM_NODES_MAX,
						    .nodes = i % GRP_MEM_NODES_MAX };
		char name[NAME_SIZE];

		show(policy, name);
		if (strlen(name) != len || memcmp(name, text, len) != 0 ||
		    (text[len] && text[len + 1]))
			continue;
		*ret_policy = policy;
		return 0;
	}
	return grp_error_set(error, EINVAL,
			     "write bind, interleave, weighted-interleave, preferred or "
			     "preferred-many, and perhaps =static or =relative behind it");
}

int grp_cpuset_canonical_policy(const char *text, char *ret_text, struct grp_error *error)
{
	struct grp_cpuset_policy policy;
	int r = parse(text, error, &policy);

	if (!r)
		show(policy, ret_text);
	return r;
}

int grp_cpuset_read_policy(const struct grp_file_access *access, FILE *out)
{
	const struct grp_cpuset *cpuset = grp_file_state(access);
	char name[NAME_SIZE];

	show(cpuset->policy, name);
	(void)fprintf(out, "%s\n", name);
	return 0;
}

int grp_cpuset_write_policy(const struct grp_file_access *access, const char *text, size_t len)
{
	const struct grp_cpuset *cpuset = grp_file_state(access);
	struct grp_cpuset wanted = { .flags = cpuset->flags };
	struct grp_cpuset_policy policy;
	int r = parse(text, access->error, &policy);

	(void)len;
	if (r || (policy.mode == cpuset->policy.mode && policy.nodes == cpuset->policy.nodes))
		return r;
	wanted.policy = policy;
	r = grp_cpuset_place_memory_check(access->core, access->group, &wanted, access->error);
	if (r)
		return r;
	r = grp_cpuset_store_policy(access->core, access->group, policy);
	if (r)
		return grp_error_set(access->error, -r, "cannot store it: %s", strerror(-r));
	grp_cpuset_place_memory(access->core, access->group);
	return 0;
}
