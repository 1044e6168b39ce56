/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The settings of one agent: a table of keys, read from the command line and
 * from the file of the instance. It checks form and range only; whether an
 * address is free or memory suffices is found out by who uses the value.
 */
#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/cleanup.h"
#include "base/mount_list.h"
#include "base/parse.h"
#include "grp/ids.h"

#define CONFIG_DIR "/etc/grpagent"
#define INSTANCE_DEFAULT "main"
#define INSTANCE_MAX 64
#define METRICS_DEFAULT "127.0.0.1:9750"
#define NONE "none"
/* More waiting requests or connections than this are never one user's work. */
#define PER_UID_LIMIT 65536
/* Sixteen times as many may be alive, each with a descriptor of ours. */
#define RELEASE_AGENTS_LIMIT 256

enum key_type {
	KEY_NUMBER,
	KEY_ADDRESS,
	KEY_PATH,
	KEY_MOUNTS,
};

struct key {
	const char *name; /* in the file, and as --name */
	enum key_type type;
	size_t offset; /* of the member: unsigned int, or char * */
	unsigned int min, max, value; /* numbers: range and default */
};

#define NUMBER(member) .type = KEY_NUMBER, .offset = offsetof(struct grp_config, member)

static const struct key keys[] = {
	{ "metrics", KEY_ADDRESS, offsetof(struct grp_config, metrics) },
	{ "groups-file", KEY_PATH, offsetof(struct grp_config, groups_file) },
	{ "mount", KEY_MOUNTS, offsetof(struct grp_config, mount) },
	{ "capacity-groups", NUMBER(capacity_groups), .min = 1, .max = GRP_GROUPS_LIMIT,
	  .value = GRP_GROUPS_DEFAULT },
	{ "capacity-sets", NUMBER(capacity_sets), .min = 2, .max = GRP_SETS_LIMIT,
	  .value = GRP_SETS_DEFAULT },
	{ "connections-per-uid", NUMBER(connections_per_uid), .min = 1, .max = PER_UID_LIMIT,
	  .value = 64 },
	{ "groups-per-uid", NUMBER(groups_per_uid), .min = 0, .max = GRP_GROUPS_LIMIT,
	  .value = 4096 },
	{ "release-agents", NUMBER(release_agents), .min = 1, .max = RELEASE_AGENTS_LIMIT,
	  .value = 16 },
	{ "streams-per-uid", NUMBER(streams_per_uid), .min = 1, .max = PER_UID_LIMIT, .value = 32 },
	{ "watch-backlog", NUMBER(watch_backlog), .min = 1, .max = GRP_WATCH_BACKLOG_LIMIT,
	  .value = GRP_WATCH_BACKLOG_DEFAULT },
};
#define N_KEYS (sizeof(keys) / sizeof(keys[0]))

/* Options without a key have short values outside the range of characters. */
enum option_id {
	OPTION_INSTANCE = 256,
	OPTION_CONFIG,
	OPTION_KEY,
	OPTION_UNLOAD,
	OPTION_VERSION,
	OPTION_HELP,
};

static const struct option options[] = {
	{ "instance", required_argument, NULL, OPTION_INSTANCE },
	{ "config", required_argument, NULL, OPTION_CONFIG },
	{ "metrics", required_argument, NULL, OPTION_KEY },
	{ "mount", required_argument, NULL, OPTION_KEY },
	{ "capacity-groups", required_argument, NULL, OPTION_KEY },
	{ "capacity-sets", required_argument, NULL, OPTION_KEY },
	{ "unload", no_argument, NULL, OPTION_UNLOAD },
	{ "version", no_argument, NULL, OPTION_VERSION },
	{ "help", no_argument, NULL, OPTION_HELP },
	{ 0 },
};

static const char help[] =
	"grpagent - groups tasks and accounts their CPU time, without cgroups\n"
	"\n"
	"usage: grpagent [OPTION]...        (as root; stays in the foreground)\n"
	"\n"
	"  --instance NAME        which agent this is (default: main); agents of different\n"
	"                         names run side by side and do not disturb each other\n"
	"  --config FILE          settings, one `key = value` a line\n"
	"                         (default: /etc/grpagent/NAME.conf, which may be missing)\n"
	"  --metrics ADDR:PORT    serve Prometheus metrics at http://ADDR:PORT/metrics;\n"
	"                         none: do not (default: 127.0.0.1:9750 for main, else none)\n"
	"  --mount [NAME:]DIR     show hierarchy NAME (default: default; *: all) as files at\n"
	"                         directory DIR; several are separated by commas\n"
	"  --capacity-groups N    most groups at a time (default: 16384)\n"
	"  --capacity-sets N      most combinations of groups that tasks are in at a time\n"
	"                         (default: 4096); each costs memory on every CPU\n"
	"  --unload               do not serve: remove what this instance left in the kernel\n"
	"                         (programs, groups, counters); its agent must be stopped\n"
	"  --version, --help      print that and exit\n"
	"\n"
	"An option overrides the file, the file overrides a default. A capacity stays as it\n"
	"was when the instance was first started, until --unload.\n"
	"\n"
	"Stopping or killing the agent stops nothing in the kernel: membership and counters\n"
	"go on, and the next start takes them over.\n"
	"\n"
	"  first steps   grpagent &                          start it\n"
	"                grpctl mkdir /build                 make a group\n"
	"                grpctl exec /build -- make -j4      run something in it\n"
	"                grpctl usage /build                 read the CPU time it took\n"
	"\n"
	"exit status: 0 ended as asked, 1 cannot run (the reason is on stderr), 2 wrong usage,\n"
	"3 another agent runs this instance. More: grpagent(8), grpctl(1).\n";

/* What one source says about the keys. */
struct settings {
	char *text[N_KEYS];
};

static void settings_done(struct settings *settings)
{
	for (size_t i = 0; i < N_KEYS; i++)
		free(settings->text[i]);
}

#define _cleanup_settings_ __attribute__((cleanup(settings_done)))

static int find_key(const char *name, size_t *ret_index)
{
	for (size_t i = 0; i < N_KEYS; i++) {
		if (!strcmp(keys[i].name, name)) {
			*ret_index = i;
			return 0;
		}
	}
	return -ENOENT;
}

static int replace(char **member, const char *value)
{
	char *copy = strdup(value);

	if (!copy)
		return -ENOMEM;
	free(*member);
	*member = copy;
	return 0;
}

/* Where a setting was written, for messages. */
struct origin {
	const char *where; /* "" or "FILE:LINE: " */
	const char *prefix; /* "--" or "" */
	int number; /* errno of a mistake there */
	struct grp_error *error;
};

static int set_address(char **member, const char *key, const char *value,
		       const struct origin *origin)
{
	struct sockaddr_storage address;
	socklen_t len;

	if (strcmp(value, NONE) && grp_address_parse(value, &address, &len) < 0)
		return grp_error_set(origin->error, origin->number,
				     "%s%s%s: '%s' is neither ADDR:PORT in numbers nor '%s'",
				     origin->where, origin->prefix, key, value, NONE);
	return replace(member, value);
}

static int set_path(char **member, const char *key, const char *value, const struct origin *origin)
{
	if (strcmp(value, NONE) && value[0] != '/')
		return grp_error_set(origin->error, origin->number,
				     "%s%s%s: '%s' is neither a path that begins with / nor '%s'",
				     origin->where, origin->prefix, key, value, NONE);
	return replace(member, value);
}

static int set_mounts(char **member, const char *key, const char *value,
		      const struct origin *origin)
{
	if (strcmp(value, NONE) && grp_mount_list_check(value) < 0)
		return grp_error_set(origin->error, origin->number,
				     "%s%s%s: '%s' is neither [HIERARCHY:]/DIR[,...] nor '%s'",
				     origin->where, origin->prefix, key, value, NONE);
	return replace(member, value);
}

static int set_key(struct grp_config *config, size_t index, const char *value,
		   const struct origin *origin)
{
	const struct key *key = &keys[index];
	void *member = (char *)config + key->offset;
	uint64_t number;

	if (key->type == KEY_ADDRESS)
		return set_address(member, key->name, value, origin);
	if (key->type == KEY_PATH)
		return set_path(member, key->name, value, origin);
	if (key->type == KEY_MOUNTS)
		return set_mounts(member, key->name, value, origin);
	if (grp_parse_u64(value, key->min, key->max, &number) < 0)
		return grp_error_set(origin->error, origin->number,
				     "%s%s%s: '%s' is not a number from %u to %u", origin->where,
				     origin->prefix, key->name, value, key->min, key->max);
	*(unsigned int *)member = (unsigned int)number;
	return 0;
}

static bool instance_is_valid(const char *name)
{
	size_t len = strlen(name);

	/* No dots: the BPF file system, where the pins are, keeps them for itself. */
	return len && len <= INSTANCE_MAX &&
	       strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") ==
		       len;
}

/* --- the command line --------------------------------------------------------- */

static int set_instance(struct grp_config *config, const char *name, struct grp_error *error)
{
	if (!instance_is_valid(name))
		return grp_error_set(error, EINVAL,
				     "--instance: '%s' is not a name of 1 to %d of A-Z a-z 0-9 _ -",
				     name, INSTANCE_MAX);
	return replace(&config->instance, name);
}

/* Return: 0, 1 (done) or -errno. */
static int take_option(struct grp_config *config, struct settings *settings, int id, int index,
		       struct grp_error *error)
{
	size_t key;

	switch (id) {
	case OPTION_INSTANCE:
		return set_instance(config, optarg, error);
	case OPTION_CONFIG:
		return replace(&config->file, optarg);
	case OPTION_KEY:
		if (find_key(options[index].name, &key) < 0)
			return -ENOENT;
		return replace(&settings->text[key], optarg);
	case OPTION_UNLOAD:
		config->unload = true;
		return 0;
	case OPTION_VERSION:
		(void)printf("grpagent %s\n", GRP_VERSION);
		return 1;
	case OPTION_HELP:
		(void)fputs(help, stdout);
		return 1;
	default:
		return -ENOENT;
	}
}

static int parse_options(int argc, char **argv, struct grp_config *config,
			 struct settings *settings, struct grp_error *error)
{
	optind = 0; /* glibc: begin anew */
	opterr = 0;
	for (;;) {
		int index = 0, r;
		int id = getopt_long(argc, argv, "+:", options, &index);

		if (id == -1)
			break;
		if (id == ':')
			return grp_error_set(error, EINVAL, "%s needs a value", argv[optind - 1]);
		if (id == '?' && optopt >= OPTION_INSTANCE)
			return grp_error_set(error, EINVAL, "%s takes no value", argv[optind - 1]);
		if (id == '?')
			return grp_error_set(error, EINVAL, "unknown option %s", argv[optind - 1]);
		r = take_option(config, settings, id, index, error);
		if (r != 0)
			return r;
	}
	if (optind < argc)
		return grp_error_set(error, EINVAL, "unexpected argument '%s'", argv[optind]);
	return 0;
}

/* --- the file ----------------------------------------------------------------- */

/* Cuts blanks at both ends, in place. */
static char *strip(char *text)
{
	size_t len;

	while (isspace((unsigned char)*text))
		text++;
	len = strlen(text);
	while (len && isspace((unsigned char)text[len - 1]))
		len--;
	text[len] = '\0';
	return text;
}

/* @seen: line of each key, 0: not yet. */
static int parse_line(struct grp_config *config, char *line, unsigned int number,
		      unsigned int *seen, const struct origin *origin)
{
	char *comment = strchr(line, '#'), *equals, *name;
	size_t key;

	if (comment)
		*comment = '\0';
	name = strip(line);
	if (!*name)
		return 0;
	equals = strchr(name, '=');
	if (!equals)
		return grp_error_set(origin->error, EBADMSG, "%sexpected `key = value`",
				     origin->where);
	*equals = '\0';
	name = strip(name);
	if (find_key(name, &key) < 0)
		return grp_error_set(origin->error, EBADMSG, "%sunknown key '%s'", origin->where,
				     name);
	if (seen[key])
		return grp_error_set(origin->error, EBADMSG, "%s%s stands in line %u already",
				     origin->where, name, seen[key]);
	seen[key] = number;
	return set_key(config, key, strip(equals + 1), origin);
}

static int parse_stream(struct grp_config *config, FILE *stream, struct grp_error *error)
{
	unsigned int seen[N_KEYS] = { 0 };
	_cleanup_free_ char *line = NULL;
	size_t allocated = 0;

	for (unsigned int number = 1;; number++) {
		struct origin origin = { "", "", EBADMSG, error };
		_cleanup_free_ char *where = NULL;
		ssize_t len;
		int r;

		errno = 0;
		len = getline(&line, &allocated, stream);
		if (len < 0)
			break;
		if (asprintf(&where, "%s:%u: ", config->file, number) < 0) {
			where = NULL;
			return -ENOMEM;
		}
		origin.where = where;
		if (strlen(line) != (size_t)len)
			return grp_error_set(error, EBADMSG, "%sa NUL byte", where);
		r = parse_line(config, line, number, seen, &origin);
		if (r < 0)
			return r;
	}
	if (!feof(stream)) {
		int number = errno ? errno : EIO;

		return grp_error_set(error, number, "%s: %s", config->file, strerror(number));
	}
	return 0;
}

/* @named: by the user, so it must be there. */
static int parse_file(struct grp_config *config, bool named, struct grp_error *error)
{
	_cleanup_fclose_ FILE *stream = fopen(config->file, "re");
	int r;

	if (!stream && errno == ENOENT && !named)
		return 0;
	if (!stream) {
		r = -errno;
		return grp_error_set(error, -r, "%s: %s", config->file, strerror(-r));
	}
	r = parse_stream(config, stream, error);
	/* A file that cannot be read is never the command line's fault. */
	return r == -EINVAL ? -EIO : r;
}

/* --- all together -------------------------------------------------------------- */

static int set_defaults(struct grp_config *config)
{
	int r = 0;

	if (!config->instance)
		r = replace(&config->instance, INSTANCE_DEFAULT);
	if (r == 0)
		r = replace(&config->metrics,
			    strcmp(config->instance, INSTANCE_DEFAULT) ? NONE : METRICS_DEFAULT);
	if (r == 0)
		r = replace(&config->groups_file, NONE);
	if (r == 0)
		r = replace(&config->mount, NONE);
	for (size_t i = 0; i < N_KEYS; i++)
		if (keys[i].type == KEY_NUMBER)
			*(unsigned int *)(void *)((char *)config + keys[i].offset) = keys[i].value;
	return r;
}

static int set_file(struct grp_config *config)
{
	char *path;

	if (config->file)
		return 0;
	if (asprintf(&path, CONFIG_DIR "/%s.conf", config->instance) < 0)
		return -ENOMEM;
	config->file = path;
	return 0;
}

static int set_from_options(struct grp_config *config, const struct settings *settings,
			    struct grp_error *error)
{
	const struct origin origin = { "", "--", EINVAL, error };
	int r = 0;

	for (size_t i = 0; i < N_KEYS && r == 0; i++)
		if (settings->text[i])
			r = set_key(config, i, settings->text[i], &origin);
	return r;
}

int grp_config_parse(int argc, char **argv, struct grp_config *ret_config, struct grp_error *error)
{
	_cleanup_settings_ struct settings settings = { 0 };
	struct grp_config config = { 0 };
	bool named;
	int r;

	r = parse_options(argc, argv, &config, &settings, error);
	if (r != 0)
		goto out;
	named = config.file;
	r = set_defaults(&config);
	/* Options twice: a mistake in them is reported before one in the file. */
	if (r == 0)
		r = set_from_options(&config, &settings, error);
	if (r == 0)
		r = set_file(&config);
	/* A mistake in the file must not keep anybody from unloading. */
	if (r == 0 && !config.unload)
		r = parse_file(&config, named, error);
	if (r == 0)
		r = set_from_options(&config, &settings, error);
	if (r == 0) {
		*ret_config = config;
		return 0;
	}
out:
	grp_config_done(&config);
	return r;
}

void grp_config_done(struct grp_config *config)
{
	free(config->instance);
	free(config->file);
	free(config->metrics);
	free(config->groups_file);
	free(config->mount);
	*config = (struct grp_config){ 0 };
}

int grp_config_each(const struct grp_config *config,
		    int (*fn)(const char *key, const char *value, void *data), void *data)
{
	int r = fn("config", config->file, data);

	for (size_t i = 0; i < N_KEYS && r == 0; i++) {
		const void *member = (const char *)config + keys[i].offset;
		char number[16];

		if (keys[i].type != KEY_NUMBER) {
			r = fn(keys[i].name, *(char *const *)member, data);
			continue;
		}
		(void)snprintf(number, sizeof(number), "%u", *(const unsigned int *)member);
		r = fn(keys[i].name, number, data);
	}
	return r;
}
