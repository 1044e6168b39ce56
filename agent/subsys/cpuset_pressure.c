/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Files memory_pressure and memory_pressure_enabled of cpuset (CPUSET-6, 7, 28). What
 * is measured and how is in core/pressure.c; here is who may switch it on, and that
 * it is on again after a start.
 */
#include "core/pressure.h"

#include <errno.h>
#include <string.h>

#include "subsys/cpuset.h"

/* The switch is a flag of the root, and stays with cpuset when that is bound elsewhere. */
static bool wanted(struct grp_core *core)
{
	const struct grp_hierarchy *hierarchy = grp_cpuset_hierarchy(core);
	const struct grp_cpuset *root = hierarchy ? grp_cpuset_of(hierarchy->root) : NULL;

	return root && root->flags & GRP_CPUSET_PRESSURE_ENABLED;
}

int grp_cpuset_read_pressure(const struct grp_file_access *access, FILE *out)
{
	uint32_t pressure = wanted(access->core) ? grp_pressure_read(access->core, access->group) :
						   0;

	(void)fprintf(out, "%u\n", pressure);
	return 0;
}

static int explain(const struct grp_file_access *access, int r)
{
	return grp_error_set(access->error, -r,
			     "direct reclaim cannot be counted: %s; see reclaim-events in "
			     "'grpctl features'",
			     strerror(-r));
}

/*
 * On: what may fail comes first, and a kill before the flag is stored leaves what the
 * next start ends. Off: the flag decides, what is left of it is ended then or later.
 */
int grp_cpuset_write_pressure_enabled(const struct grp_file_access *access, const char *text,
				      size_t len)
{
	const struct grp_cpuset *root = grp_file_state(access);
	bool on;
	int r = grp_file_parse_flag(access, text, &on);

	(void)len;
	if (r)
		return r;
	if (on) {
		r = grp_pressure_switch(access->core, true);
		if (r)
			return explain(access, r);
	}
	if (on != !!(root->flags & GRP_CPUSET_PRESSURE_ENABLED))
		r = grp_cpuset_store_flags(access->core, access->group,
					   root->flags ^ GRP_CPUSET_PRESSURE_ENABLED);
	if (!wanted(access->core))
		(void)grp_pressure_switch(access->core, false);
	return r;
}

/* Should the kernel refuse what it did not refuse before: the value is 0 then. */
void grp_cpuset_pressure_bind(struct grp_core *core)
{
	(void)grp_pressure_switch(core, wanted(core));
}

uint64_t grp_cpuset_due(struct grp_core *core, struct grp_hierarchy *hierarchy)
{
	(void)hierarchy;
	return grp_pressure_due(core);
}

int grp_cpuset_tick(struct grp_core *core, struct grp_hierarchy *hierarchy, uint64_t now_ns)
{
	(void)now_ns;
	grp_pressure_look(core, hierarchy);
	return 0;
}
