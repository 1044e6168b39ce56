/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * See test_subsys.h. Each counts its callbacks per group and can be told, by control
 * files, to refuse: `veto` and `create_error` hold the name of an errno.
 */
#include "test_subsys.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"

enum call {
	CALL_CAN_ATTACH,
	CALL_CANCEL,
	CALL_ATTACH,
	CALL_THREADS, /* that attach was told of */
	CALL_FORK,
	CALL_EXIT,
	CALL_BIND,
	CALL_MAX,
};

static const char *const call_names[] = {
	[CALL_CAN_ATTACH] = "can_attach",
	[CALL_CANCEL] = "cancel",
	[CALL_ATTACH] = "attach",
	[CALL_THREADS] = "threads",
	[CALL_FORK] = "fork",
	[CALL_EXIT] = "exit",
	[CALL_BIND] = "bind",
};
_Static_assert(sizeof(call_names) / sizeof(*call_names) == CALL_MAX, "a name for each");

struct state {
	const struct grp_subsystem *subsystem;
	int veto, create_error; /* errno; 0: none */
	unsigned int held;
	uint64_t calls[CALL_MAX];
};

/* --- the trace ------------------------------------------------------------------------ */

static char trace[65536];
static size_t trace_len;

const char *test_subsys_trace(void)
{
	return trace;
}

void test_subsys_forget(void)
{
	trace[trace_len = 0] = '\0';
}

static void note(const struct grp_subsystem *subsystem, const char *call,
		 const struct grp_group *group, uint64_t n)
{
	char path[GRP_PATH_MAX] = "-", number[24] = "";
	char line[GRP_PATH_MAX + 128];
	int len;

	if (group)
		(void)grp_group_path(group, path, sizeof(path));
	if (n)
		(void)snprintf(number, sizeof(number), " %" PRIu64, n);
	len = snprintf(line, sizeof(line), "%s.%s %s%s\n", subsystem->name, call, path, number);
	if (trace_len + len >= sizeof(trace))
		return;
	memcpy(trace + trace_len, line, len + 1);
	trace_len += len;
}

static void count(struct state *state, enum call call, const struct grp_group *group, uint64_t n)
{
	state->calls[call] += call == CALL_FORK || call == CALL_EXIT ? n : 1;
	note(state->subsystem, call_names[call], group, n);
}

/* --- callbacks ------------------------------------------------------------------------- */

static void make_key(const struct grp_subsystem *subsystem, const char *name, char *key,
		     size_t size)
{
	(void)snprintf(key, size, "%s.%s", subsystem->name, name);
}

static int inherit(struct grp_core *core, struct grp_group *group,
		   const struct grp_subsystem *subsystem)
{
	char key[GRP_FILE_VISIBLE_MAX];
	const struct grp_value_entry *entry;

	make_key(subsystem, "inherited", key, sizeof(key));
	entry = grp_value_find(core, grp_subsystem_owner(group->parent, subsystem),
			       GRP_VALUE_SETTING, key);
	return entry ? grp_value_put(core, group, GRP_VALUE_SETTING, key, entry->data, entry->len) :
		       0;
}

/* `create_error` stands in the root of the hierarchy. */
static int wished_error(const struct grp_group *group, unsigned int index)
{
	const struct state *root = grp_subsystem_state(group->hierarchy->root, index);

	return group->parent && root ? root->create_error : 0;
}

static int create(const struct grp_subsystem *subsystem, struct grp_core *core,
		  struct grp_group *group, bool fresh, struct grp_error *error, void **ret_state)
{
	int index = grp_subsystem_find(subsystem->name, strlen(subsystem->name));
	int wished = group->parent ? wished_error(group, index) : 0, r = 0;
	struct state *state;

	note(subsystem, "create", group, 0);
	if (wished)
		return grp_error_set(error, wished, "%s.create_error says so", subsystem->name);
	state = calloc(1, sizeof(*state));
	if (!state)
		return -ENOMEM;
	state->subsystem = subsystem;
	if (fresh && group->parent)
		r = inherit(core, group, subsystem);
	if (r) {
		free(state);
		return r;
	}
	*ret_state = state;
	return 0;
}

static void destroy(struct grp_core *core, struct grp_group *group, void *data)
{
	struct state *state = data;

	(void)core;
	note(state->subsystem, "destroy", group, 0);
	free(state);
}

static int can_attach(const struct grp_attach *attach, void *data)
{
	struct state *state = data;

	count(state, CALL_CAN_ATTACH, attach->group, attach->n);
	return state->veto ? grp_error_set(attach->error, state->veto, "%s.veto says so",
					   state->subsystem->name) :
			     0;
}

static void cancel_attach(const struct grp_attach *attach, void *data)
{
	count(data, CALL_CANCEL, attach->group, attach->n);
}

static void attached(const struct grp_attach *attach, void *data)
{
	struct state *state = data;

	count(state, CALL_ATTACH, attach->group, attach->n);
	state->calls[CALL_THREADS] += attach->n;
}

static void forked(struct grp_core *core, struct grp_group *group, void *data, uint64_t n)
{
	(void)core;
	count(data, CALL_FORK, group, n);
}

static void exited(struct grp_core *core, struct grp_group *group, void *data, uint64_t n)
{
	(void)core;
	count(data, CALL_EXIT, group, n);
}

static void bound(struct grp_core *core, struct grp_hierarchy *hierarchy, void *data)
{
	struct state *state = data;
	char call[GRP_HIERARCHY_NAME_MAX + 8];

	(void)core;
	(void)snprintf(call, sizeof(call), "bind %s", hierarchy->name);
	state->calls[CALL_BIND]++;
	note(state->subsystem, call, hierarchy->root, 0);
}

/* --- files ------------------------------------------------------------------------------- */

static const char *errno_text(int number)
{
	return number ? grp_errno_name(number) : "0";
}

static int parse_errno(const struct grp_file_access *access, const char *text, int *ret)
{
	size_t len = strcspn(text, "\n");

	for (int number = 0; number < 256; number++) {
		const char *name = errno_text(number);

		if (strlen(name) != len || memcmp(name, text, len) != 0)
			continue;
		*ret = number;
		return 0;
	}
	return grp_error_set(access->error, EINVAL, "write the name of an errno, or 0");
}

static int read_veto(const struct grp_file_access *access, FILE *out)
{
	const struct state *state = grp_file_state(access);

	(void)fprintf(out, "%s\n", errno_text(state->veto));
	return 0;
}

static int write_veto(const struct grp_file_access *access, const char *text, size_t len)
{
	struct state *state = grp_file_state(access);

	(void)len;
	return parse_errno(access, text, &state->veto);
}

static int read_create_error(const struct grp_file_access *access, FILE *out)
{
	const struct state *state = grp_file_state(access);

	(void)fprintf(out, "%s\n", errno_text(state->create_error));
	return 0;
}

static int write_create_error(const struct grp_file_access *access, const char *text, size_t len)
{
	struct state *state = grp_file_state(access);

	(void)len;
	return parse_errno(access, text, &state->create_error);
}

static int read_hold(const struct grp_file_access *access, FILE *out)
{
	const struct state *state = grp_file_state(access);

	(void)fprintf(out, "%u\n", state->held);
	return 0;
}

static int write_hold(const struct grp_file_access *access, const char *text, size_t len)
{
	struct state *state = grp_file_state(access);
	bool take;
	int r = grp_file_parse_flag(access, text, &take);

	(void)len;
	if (r)
		return r;
	if (!take && !state->held)
		return grp_error_set(access->error, EINVAL, "no reference is held");
	if (take)
		grp_group_hold(access->group);
	else
		grp_group_release(access->core, access->group);
	state->held += take ? 1 : -1;
	return 0;
}

static int read_calls(const struct grp_file_access *access, FILE *out)
{
	const struct state *state = grp_file_state(access);

	for (unsigned int i = 0; i < CALL_MAX; i++)
		(void)fprintf(out, "%s %" PRIu64 "\n", call_names[i], state->calls[i]);
	return 0;
}

static int read_trace(const struct grp_file_access *access, FILE *out)
{
	(void)access;
	(void)fputs(trace, out);
	return 0;
}

static int write_trace(const struct grp_file_access *access, const char *text, size_t len)
{
	(void)access;
	(void)text;
	(void)len;
	test_subsys_forget();
	return 0;
}

static int read_setting(const struct grp_file_access *access, FILE *out)
{
	const struct grp_value_entry *entry = grp_value_find(
		access->core, grp_subsystem_owner(access->group, access->ref->subsystem),
		GRP_VALUE_SETTING, access->ref->key);

	(void)fprintf(out, "%s\n", entry ? entry->data : "0");
	return 0;
}

/* As it is shown: the digits, without a newline. */
static int canonical_setting(const char *text, char *ret_text, struct grp_error *error)
{
	size_t len = strcspn(text, "\n");
	uint64_t number;

	if (len > 20 || (text[len] && text[len + 1]))
		return grp_error_set(error, EINVAL, "write a number");
	memcpy(ret_text, text, len);
	ret_text[len] = '\0';
	if (grp_parse_u64(ret_text, 0, UINT64_MAX, &number))
		return grp_error_set(error, EINVAL, "write a number");
	return 0;
}

static int write_setting(const struct grp_file_access *access, const char *text, size_t len)
{
	char digits[GRP_VALUE_MAX + 1];
	int r = canonical_setting(text, digits, access->error);

	(void)len;
	return r     ?:
		       grp_value_put(access->core,
				     grp_subsystem_owner(access->group, access->ref->subsystem),
				     GRP_VALUE_SETTING, access->ref->key, digits, strlen(digits));
}

#define FILE_RW(NAME, FLAGS, HELP)                                                                 \
	{                                                                                          \
		.name = #NAME, .mode = 0644, .unit = "", .help = HELP, FLAGS, .read = read_##NAME, \
		.write = write_##NAME                                                              \
	}
#define SETTING(NAME, HELP)                                                                 \
	{                                                                                   \
		.name = NAME, .mode = 0644, .unit = "", .help = HELP, .read = read_setting, \
		.write = write_setting, .flags = GRP_FILE_SAVED, .preset = "0",             \
		.canonical = canonical_setting                                              \
	}

static const struct grp_file files[] = {
	FILE_RW(veto, .flags = 0, "errno that refuses every attach; 0: none"),
	FILE_RW(create_error, .flags = GRP_FILE_ROOT_ONLY, "errno that refuses every mkdir"),
	FILE_RW(hold, .flags = 0, "references held; write 1 to take one, 0 to drop one"),
	FILE_RW(trace, .flags = GRP_FILE_ROOT_ONLY, "every callback; write to forget"),
	SETTING("setting", "a number; a new group has 0"),
	SETTING("inherited", "a number; a new group has its parent's"),
	{
		.name = "calls",
		.mode = 0444,
		.unit = "",
		.help = "how often each callback was called",
		.read = read_calls,
	},
};

#define SUBSYSTEM(NAME, SHAREABLE)                                                           \
	static int create_##NAME(struct grp_core *core, struct grp_group *group, bool fresh, \
				 struct grp_error *error, void **ret_state)                  \
	{                                                                                    \
		return create(&grp_##NAME, core, group, fresh, error, ret_state);            \
	}                                                                                    \
	const struct grp_subsystem grp_##NAME = {                                            \
		.name = #NAME,                                                               \
		.shareable = SHAREABLE,                                                      \
		.files = files,                                                              \
		.n_files = sizeof(files) / sizeof(*files),                                   \
		.create = create_##NAME,                                                     \
		.destroy = destroy,                                                          \
		.can_attach = can_attach,                                                    \
		.cancel_attach = cancel_attach,                                              \
		.attach = attached,                                                          \
		.fork = forked,                                                              \
		.exit = exited,                                                              \
		.bind = bound,                                                               \
	}

SUBSYSTEM(xa, false);
SUBSYSTEM(xb, false);
SUBSYSTEM(xs, true);
