/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The programs of an instance, attached and detached in milliseconds: that is what
 * lets "with" and "without" be measured in turns. The pins of the links are taken
 * away once; the agent does not notice, it only looks at them when it starts.
 */
#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "bench.h"

#define PINS "/sys/fs/bpf/grpagent"
#define HOOKS_MAX 32

struct hook {
	char name[64];
	int program;
	int link; /* -1: detached */
};

struct bench_hooks {
	struct hook hooks[HOOKS_MAX];
	unsigned int n;
};

/* As the agent does: what charges and counts down first, births last. */
static int rank(const char *name)
{
	return !strcmp(name, "on_newtask") || !strcmp(name, "on_fork");
}

static int by_rank(const void *a, const void *b)
{
	const struct hook *x = a, *y = b;

	return rank(x->name) - rank(y->name);
}

static int take_hook(struct bench_hooks *hooks, const char *dir, const char *name)
{
	struct hook *hook = &hooks->hooks[hooks->n];
	struct bpf_link_info info = { 0 };
	uint32_t len = sizeof(info);
	char path[PATH_MAX];
	int n = snprintf(path, sizeof(path), "%s/%s", dir, name);

	if (hooks->n == HOOKS_MAX || n < 0 || (size_t)n >= sizeof(path) ||
	    strlen(name) >= sizeof(hook->name))
		return -ENAMETOOLONG;
	hook->link = bpf_obj_get(path);
	if (hook->link < 0)
		return bench_fail(-errno, "%s", path);
	memcpy(hook->name, name, strlen(name) + 1);
	hook->program = -1;
	hooks->n++;
	if (bpf_obj_get_info_by_fd(hook->link, &info, &len))
		return bench_fail(-errno, "%s", path);
	hook->program = bpf_prog_get_fd_by_id(info.prog_id);
	if (hook->program < 0 || unlink(path))
		return bench_fail(-errno, "%s", path);
	return 0;
}

/* Every entry of a directory that is no dot. */
static int each_entry(const char *dir, int (*fn)(struct bench_hooks *, const char *, const char *),
		      struct bench_hooks *hooks)
{
	DIR *stream = opendir(dir);
	int r = 0;

	if (!stream)
		return bench_fail(-errno, "%s", dir);
	for (const struct dirent *entry = readdir(stream); !r && entry; entry = readdir(stream))
		if (entry->d_name[0] != '.')
			r = fn(hooks, dir, entry->d_name);
	(void)closedir(stream);
	return r;
}

static int take_links(struct bench_hooks *hooks, const char *dir, const char *name)
{
	char path[PATH_MAX];
	int n = snprintf(path, sizeof(path), "%s/%s", dir, name);

	if (strncmp(name, "links-", 6) != 0)
		return 0;
	if (n < 0 || (size_t)n >= sizeof(path))
		return -ENAMETOOLONG;
	return each_entry(path, take_hook, hooks);
}

int bench_hooks_take(const char *instance, struct bench_hooks **ret_hooks)
{
	struct bench_hooks *hooks = calloc(1, sizeof(*hooks));
	char dir[PATH_MAX];
	int r;

	if (!hooks)
		return -ENOMEM;
	(void)snprintf(dir, sizeof(dir), PINS "/%s", instance);
	r = each_entry(dir, take_links, hooks);
	if (!r && !hooks->n)
		r = bench_fail(-ENOENT, "%s: nothing is attached", dir);
	if (r) {
		bench_hooks_free(hooks);
		return r;
	}
	qsort(hooks->hooks, hooks->n, sizeof(*hooks->hooks), by_rank);
	*ret_hooks = hooks;
	return 0;
}

static void detach(struct hook *hook)
{
	if (hook->link >= 0)
		(void)close(hook->link);
	hook->link = -1;
}

int bench_hooks_set(struct bench_hooks *hooks, bool on)
{
	for (unsigned int i = hooks->n; !on && i-- > 0;)
		detach(&hooks->hooks[i]);
	for (unsigned int i = 0; on && i < hooks->n; i++) {
		struct hook *hook = &hooks->hooks[i];

		if (hook->link < 0)
			hook->link = bpf_raw_tracepoint_open(NULL, hook->program);
		if (hook->link < 0)
			return bench_fail(-errno, "cannot attach %s", hook->name);
	}
	return 0;
}

void bench_hooks_free(struct bench_hooks *hooks)
{
	if (!hooks)
		return;
	(void)bench_hooks_set(hooks, false);
	for (unsigned int i = 0; i < hooks->n; i++)
		if (hooks->hooks[i].program >= 0)
			(void)close(hooks->hooks[i].program);
	free(hooks);
}

int bench_hooks_program(const struct bench_hooks *hooks, const char *name)
{
	for (unsigned int i = 0; i < hooks->n; i++)
		if (!strcmp(hooks->hooks[i].name, name))
			return hooks->hooks[i].program;
	return -1;
}
