/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Work of the agent without a kernel, so often: for counting its instructions. The
 * numbers of two runs are subtracted, so that what is done once falls out.
 *
 * usage: ops codec|mkdir|usage N
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/cleanup_json.h"
#include "base/parse.h"
#include "core/snapshot.h"
#include "front/wire.h"
#include "../unit/fake_kernel.h"

#define GROUPS 1000
#define N_MAX 1000000

static const struct grp_caller root = { .uid = 0 };

static struct grp_core *make_core(struct fake_kernel *fake)
{
	struct grp_core *core = NULL;
	struct grp_error error = { 0 };

	if (grp_core_new(&fake_kernel_ops, fake, &fake->view, &core) || grp_core_load(core, &error))
		exit(EXIT_FAILURE);
	return core;
}

/* One request read, one reply written. */
static int codec(struct grp_core *core, unsigned int i)
{
	static const char request[] =
		"{\"method\":\"org.grpagent.Attach\",\"parameters\":{\"groups\":[\"/a/b\"],"
		"\"pids\":[\"4711\"],\"thread\":true}}";
	struct grp_wire_reader reader;
	_cleanup_json_ json_t *message = NULL, *reply = NULL;
	_cleanup_free_ char *bytes = NULL;
	struct grp_wire_call call;
	size_t len;
	int r;

	(void)core;
	(void)i;
	grp_wire_reader_init(&reader, GRP_WIRE_CALL_MAX);
	r = grp_wire_reader_put(&reader, request, sizeof(request));
	if (!r)
		r = grp_wire_reader_next(&reader, &message) == 1 ? 0 : -EBADMSG;
	if (!r)
		r = grp_wire_call_parse(message, &call);
	reply = grp_wire_reply_new(json_pack("{s:i, s:[]}", "moved", 1, "failures"), false);
	if (!r)
		r = reply ? grp_wire_encode(reply, &bytes, &len) : -ENOMEM;
	grp_wire_reader_done(&reader);
	return r;
}

static int make(struct grp_core *core, const char *name)
{
	struct grp_error error = { 0 };
	struct grp_group *parent = NULL, *group;
	int r = grp_group_find(core, "/", &error, &parent);

	return r ? r : grp_group_make(core, parent, name, 0755, &root, &error, &group);
}

/* Looked up, made, looked up, removed. */
static int mkdir_rmdir(struct grp_core *core, unsigned int i)
{
	struct grp_error error = { 0 };
	struct grp_group *group = NULL;
	int r = make(core, "one-more");

	(void)i;
	if (!r)
		r = grp_group_find(core, "/one-more", &error, &group);
	if (!r)
		r = grp_group_remove(core, group, &root, &error);
	return r < 0 ? r : grp_core_collect(core) < 0;
}

/* A snapshot of all groups, per 1,000. */
static int snapshot(struct grp_core *core, unsigned int i)
{
	struct grp_snapshot snapshot = { 0 };
	int r = grp_snapshot_begin(core, &snapshot);

	(void)i;
	while (!r && (r = grp_snapshot_step(&snapshot)) > 0)
		r = 0;
	grp_snapshot_done(&snapshot);
	return r;
}

static const struct {
	const char *name;
	int (*run)(struct grp_core *core, unsigned int i);
} ops[] = {
	{ "codec", codec },
	{ "mkdir", mkdir_rmdir },
	{ "snapshot", snapshot },
};

static int fill(struct grp_core *core)
{
	char name[16];
	int r = 0;

	for (unsigned int i = 0; !r && i < GROUPS; i++) {
		(void)snprintf(name, sizeof(name), "g%u", i);
		r = make(core, name);
	}
	return r;
}

int main(int argc, char **argv)
{
	struct fake_kernel *fake = fake_kernel_new(2, 4 * GROUPS, 64);
	struct grp_core *core = make_core(fake);
	uint64_t n = 0;
	int r = fill(core);

	if (argc != 3 || grp_parse_u64(argv[2], 0, N_MAX, &n)) {
		(void)fputs("usage: ops codec|mkdir|snapshot N\n", stderr);
		return 2;
	}
	for (size_t op = 0; op < sizeof(ops) / sizeof(*ops); op++)
		for (unsigned int i = 0; !strcmp(ops[op].name, argv[1]) && !r && i < n; i++)
			r = ops[op].run(core, i);
	grp_core_free(core);
	fake_kernel_free(fake);
	return r ? EXIT_FAILURE : EXIT_SUCCESS;
}
