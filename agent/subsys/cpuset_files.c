/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Control files of cpuset (CPUSET-1 to 8), with the names, defaults and errors of
 * today's kernel (v1-behaviour A, B).
 */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "core/place_memory.h"
#include "subsys/cpuset.h"
#include "subsys/subsys.h"

static int explain_store(const struct grp_file_access *access, int r)
{
	return grp_error_set(access->error, -r, "cannot store it: %s", strerror(-r));
}

/* --- cpus, mems: the file's arg is an enum grp_list_kind --------------------------------- */

static enum grp_list_kind kind_of(const struct grp_file_access *access)
{
	return access->ref->file->arg;
}

static void print_list(const struct grp_mask *mask, FILE *out)
{
	grp_mask_print(mask, out);
	(void)fputc('\n', out);
}

static int read_list(const struct grp_file_access *access, FILE *out)
{
	struct grp_mask mask;

	grp_cpuset_shown(access->core, access->group, kind_of(access), &mask);
	print_list(&mask, out);
	return 0;
}

/* Of a group that nothing was written to it is empty as well, as the kernel has it. */
static int read_effective(const struct grp_file_access *access, FILE *out)
{
	struct grp_mask mask;

	grp_cpuset_shown(access->core, access->group, kind_of(access), &mask);
	if (!grp_mask_empty(&mask))
		grp_cpuset_effective(access->core, access->group, kind_of(access), &mask);
	print_list(&mask, out);
	return 0;
}

/* `all` is kept as what it says; any other text as the CPUs or nodes that it means now. */
static bool says_all(const char *text)
{
	static const char all[] = GRP_FILE_CLONED_ALL;

	while (isspace((unsigned char)*text))
		text++;
	if (strncmp(text, all, sizeof(all) - 1) != 0)
		return false;
	text += sizeof(all) - 1;
	while (isspace((unsigned char)*text))
		text++;
	return !*text;
}

static int parse_list(const struct grp_file_access *access, const char *text, size_t len,
		      struct grp_mask *ret_mask)
{
	const struct grp_topology *topology = grp_core_topology(access->core);
	const bool cpus = kind_of(access) == GRP_LIST_CPUS;
	const unsigned int n_max = cpus ? topology->n_cpus_max : topology->n_nodes_max;
	int r;

	if (len > grp_mask_text_max(n_max))
		return grp_error_set(access->error, E2BIG, "a list has at most %zu bytes",
				     grp_mask_text_max(n_max));
	if (!access->group->parent)
		return grp_error_set(access->error, EACCES, "a root has all there are");
	r = grp_list_parse(topology, kind_of(access), text, ret_mask, access->error);
	if (r)
		return access->error && access->error->message[0] ?
			       r :
			       grp_error_set(access->error, -r,
					     r == -ERANGE ? "this machine has not so many" :
							    "write a list like 0-3,5");
	if (!grp_mask_subset(ret_mask, cpus ? &topology->online : &topology->nodes))
		return grp_error_set(access->error, EINVAL,
				     cpus ? "not all of these CPUs are online" :
					    "not all of these nodes have memory");
	return 0;
}

static int write_list(const struct grp_file_access *access, const char *text, size_t len)
{
	const enum grp_list_kind kind = kind_of(access);
	struct grp_cpuset_trial trial;
	struct grp_mask mask, now;
	bool same;
	int r = parse_list(access, text, len, &mask);

	if (r)
		return r;
	grp_cpuset_trial_init(&trial, access->core, access->group);
	now = trial.mask[kind];
	same = says_all(text) ? trial.all[kind] : !trial.all[kind] && grp_mask_equal(&now, &mask);
	trial.mask[kind] = mask;
	trial.all[kind] = false;
	r = same ? 0 : grp_cpuset_check(&trial, access->error);
	if (!r && !same) {
		trial.all[kind] = says_all(text);
		r = grp_cpuset_place_check(&trial, access->error);
	}
	if (r || same)
		return r;
	r = grp_cpuset_store_part(access->core, access->group, kind, trial.all[kind], &mask);
	if (r)
		return explain_store(access, r);
	grp_cpuset_place_changed(access->core, access->group, kind);
	return 0;
}

/* What has to be written for it to be as it is. */
static int save_list(const struct grp_file_access *access, FILE *out)
{
	const struct grp_cpuset *cpuset = grp_file_state(access);

	if (!cpuset->part[kind_of(access)].all)
		return read_list(access, out);
	(void)fputs(GRP_FILE_CLONED_ALL "\n", out);
	return 0;
}

/* Words as the numbers that they are here; what is not there is found out by the write. */
static int resolve(const struct grp_topology *topology, enum grp_list_kind kind, const char *text,
		   char *ret_text, struct grp_error *error)
{
	_cleanup_free_ char *list = NULL;
	struct grp_mask mask;
	int r = grp_list_parse(topology, kind, text, &mask, error);

	if (r)
		return error && error->message[0] ?
			       r :
			       grp_error_set(error, -r, "write a list like 0-3,5");
	list = says_all(text) ? strdup(GRP_FILE_CLONED_ALL) : grp_mask_text(&mask);
	if (!list)
		return -ENOMEM;
	if (strlen(list) > GRP_VALUE_MAX)
		return grp_error_set(error, E2BIG, "a configuration has lists of at most %d bytes",
				     GRP_VALUE_MAX);
	memcpy(ret_text, list, strlen(list) + 1);
	return 0;
}

static int resolve_cpus(struct grp_core *core, const char *text, char *ret_text,
			struct grp_error *error)
{
	return resolve(grp_core_topology(core), GRP_LIST_CPUS, text, ret_text, error);
}

static int resolve_mems(struct grp_core *core, const char *text, char *ret_text,
			struct grp_error *error)
{
	return resolve(grp_core_topology(core), GRP_LIST_NODES, text, ret_text, error);
}

/* --- flags: the file's arg is one of enum grp_cpuset_flags ------------------------------- */

static int read_flag(const struct grp_file_access *access, FILE *out)
{
	const struct grp_cpuset *cpuset = grp_file_state(access);

	(void)fprintf(out, "%d\n", !!(cpuset->flags & access->ref->file->arg));
	return 0;
}

static int write_flag(const struct grp_file_access *access, const char *text, size_t len)
{
	const struct grp_cpuset *cpuset = grp_file_state(access);
	const uint32_t flag = access->ref->file->arg;
	struct grp_cpuset wanted = { .policy = cpuset->policy };
	struct grp_cpuset_trial trial;
	bool on;
	int r = grp_file_parse_flag(access, text, &on);

	(void)len;
	if (r || on == !!(cpuset->flags & flag))
		return r;
	grp_cpuset_trial_init(&trial, access->core, access->group);
	trial.flags ^= flag;
	wanted.flags = trial.flags;
	r = grp_cpuset_check(&trial, access->error);
	if (!r)
		r = grp_cpuset_place_memory_check(access->core, access->group, &wanted,
						  access->error);
	if (r)
		return r;
	r = grp_cpuset_store_flags(access->core, access->group, trial.flags);
	if (r)
		return explain_store(access, r);
	grp_cpuset_place_memory(access->core, access->group);
	return 0;
}

/* --- sched_relax_domain_level --------------------------------------------------------------- */

/* The levels that the kernel's documentation names. */
#define LEVEL_MIN (-1)
#define LEVEL_MAX 5

static int parse_level(const char *text, struct grp_error *error, int32_t *ret_level)
{
	const bool negative = text[0] == '-';
	size_t len = strcspn(text, "\n");
	uint64_t number = 0;
	char digits[32];
	int r = -EINVAL;

	if (len < sizeof(digits) && (!text[len] || !text[len + 1])) {
		memcpy(digits, text, len);
		digits[len] = '\0';
		r = grp_parse_kernel_u64(digits + negative, &number);
	}
	if (!r && number > INT64_MAX)
		r = -ERANGE;
	if (!r && number > (negative ? -LEVEL_MIN : LEVEL_MAX))
		r = -EINVAL;
	if (r)
		return grp_error_set(error, -r, "write a level from %d to %d", LEVEL_MIN,
				     LEVEL_MAX);
	*ret_level = negative ? -(int32_t)number : (int32_t)number;
	return 0;
}

static int canonical_level(const char *text, char *ret_text, struct grp_error *error)
{
	int32_t level = 0;
	int r = parse_level(text, error, &level);

	if (!r)
		(void)snprintf(ret_text, GRP_VALUE_MAX, "%d", level);
	return r;
}

static int read_level(const struct grp_file_access *access, FILE *out)
{
	const struct grp_cpuset *cpuset = grp_file_state(access);

	(void)fprintf(out, "%d\n", cpuset->relax_domain_level);
	return 0;
}

static int write_level(const struct grp_file_access *access, const char *text, size_t len)
{
	const struct grp_cpuset *cpuset = grp_file_state(access);
	int32_t level = 0;
	int r = parse_level(text, access->error, &level);

	(void)len;
	if (r || level == cpuset->relax_domain_level)
		return r;
	r = grp_cpuset_store_level(access->core, access->group, level);
	return r ? explain_store(access, r) : 0;
}

/* --- placement ---------------------------------------------------------------------------------- */

static int read_placement(const struct grp_file_access *access, FILE *out)
{
	return grp_placement_print(access->core, access->group, access->caller, out);
}

/* --- the table -------------------------------------------------------------------------------- */

/* Of a root it cannot be written, but with the error of the kernel. */
#define LIST(NAME, WHERE, KIND, HELP, ...)                                              \
	{                                                                               \
		.name = NAME, .mode = 0644, .flags = (WHERE), .unit = "", .help = HELP, \
		.arg = (KIND), .read = read_list, .write = write_list, __VA_ARGS__      \
	}
#define CLONED (GRP_FILE_NOT_ROOT | GRP_FILE_SAVED | GRP_FILE_CLONED)
#define EFFECTIVE(NAME, KIND, HELP)                                                  \
	{                                                                            \
		.name = NAME, .mode = 0444, .unit = "", .help = HELP, .arg = (KIND), \
		.read = read_effective                                               \
	}
/* WHERE: flags of the file; PRESET: as in a new group there. */
#define FLAG(NAME, WHERE, FLAG, PRESET, HELP)                                              \
	{                                                                                  \
		.name = NAME, .mode = 0644, .flags = GRP_FILE_SAVED | (WHERE), .unit = "", \
		.help = HELP, .arg = (FLAG), .read = read_flag, .write = write_flag,       \
		.preset = PRESET, .canonical = grp_file_canonical_flag                     \
	}

static const struct grp_file files[] = {
	LIST("cpus", GRP_FILE_ROOT_ONLY, GRP_LIST_CPUS, "CPUs that are online"),
	LIST("cpus", CLONED, GRP_LIST_CPUS, "CPUs that its tasks may run on", .preset = "",
	     .resolve = resolve_cpus, .saved = save_list),
	LIST("mems", GRP_FILE_ROOT_ONLY, GRP_LIST_NODES, "memory nodes that are there"),
	LIST("mems", CLONED, GRP_LIST_NODES, "memory nodes that its tasks may use", .preset = "",
	     .resolve = resolve_mems, .saved = save_list),
	EFFECTIVE("effective_cpus", GRP_LIST_CPUS, "of cpus what is online, or the parent's"),
	EFFECTIVE("effective_mems", GRP_LIST_NODES, "of mems what is there, or the parent's"),
	FLAG("cpu_exclusive", GRP_FILE_ROOT_ONLY, GRP_CPUSET_CPU_EXCLUSIVE, "1",
	     "1: groups below may be cpu_exclusive"),
	FLAG("cpu_exclusive", GRP_FILE_NOT_ROOT, GRP_CPUSET_CPU_EXCLUSIVE, "0",
	     "1: no group beside it has any of its CPUs"),
	FLAG("mem_exclusive", GRP_FILE_ROOT_ONLY, GRP_CPUSET_MEM_EXCLUSIVE, "1",
	     "1: groups below may be mem_exclusive"),
	FLAG("mem_exclusive", GRP_FILE_NOT_ROOT, GRP_CPUSET_MEM_EXCLUSIVE, "0",
	     "1: no group beside it has any of its nodes"),
	FLAG("mem_hardwall", 0, GRP_CPUSET_MEM_HARDWALL, "0", "kept, without effect"),
	FLAG("memory_migrate", 0, GRP_CPUSET_MEMORY_MIGRATE, "0",
	     "1: pages move along when a process gets other mems"),
	{
		.name = "memory_pressure",
		.mode = 0444,
		.unit = "1/1000 s",
		.help = "how often its tasks had to free memory before they got some",
		.read = grp_cpuset_read_pressure,
	},
	{
		.name = "memory_pressure_enabled",
		.mode = 0644,
		.flags = GRP_FILE_SAVED | GRP_FILE_ROOT_ONLY,
		.unit = "",
		.help = "1: memory_pressure is measured, in all groups",
		.arg = GRP_CPUSET_PRESSURE_ENABLED,
		.read = read_flag,
		.write = grp_cpuset_write_pressure_enabled,
		.preset = "0",
		.canonical = grp_file_canonical_flag,
	},
	FLAG("memory_spread_page", 0, GRP_CPUSET_SPREAD_PAGE, "0",
	     "1: memory is taken from all of its nodes in turn"),
	FLAG("memory_spread_slab", 0, GRP_CPUSET_SPREAD_SLAB, "0", "kept, without effect"),
	FLAG("sched_load_balance", 0, GRP_CPUSET_LOAD_BALANCE, "1", "kept, without effect"),
	{
		.name = "sched_relax_domain_level",
		.mode = 0644,
		.flags = GRP_FILE_SAVED,
		.unit = "",
		.help = "kept, without effect",
		.read = read_level,
		.write = write_level,
		.preset = "-1",
		.canonical = canonical_level,
	},
	{
		.name = "mem_policy",
		.mode = 0644,
		.flags = GRP_FILE_SAVED | GRP_FILE_NOT_ROOT,
		.unit = "",
		.help = "how memory is taken from its nodes: bind, interleave, preferred...",
		.read = grp_cpuset_read_policy,
		.write = grp_cpuset_write_policy,
		.preset = "bind",
		.canonical = grp_cpuset_canonical_policy,
	},
	{
		.name = "placement",
		.mode = 0444,
		.unit = "",
		.help = "tasks that have CPUs and memory policy of the group, or not, and why",
		.read = read_placement,
	},
};

const struct grp_subsystem grp_cpuset = {
	.name = "cpuset",
	.files = files,
	.n_files = sizeof(files) / sizeof(*files),
	.create = grp_cpuset_create,
	.destroy = grp_cpuset_destroy,
	.can_attach = grp_cpuset_can_attach,
	.looks = grp_cpuset_place_looks,
	.attach = grp_cpuset_attach,
	.bind = grp_cpuset_bind,
	.check = grp_cpuset_check_all,
	.due = grp_cpuset_due,
	.tick = grp_cpuset_tick,
};
