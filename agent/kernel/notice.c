/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The hooks that notice that a task's CPUs were rewritten: a class each, attached
 * only while somebody is confined, pinned with the generation, so that they go on
 * when the agent is killed and go with it when another one is attached. And the claim
 * that there is one instance on this kernel that confines.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "asked_exit.skel.h"
#include "asked_syscall.skel.h"
#include "base/cleanup.h"
#include "base/fault.h"
#include "fastpath.skel.h"
#include "kernel/internal.h"
#include "outside.skel.h"

/* No instance can be called so. Beside their directories; its target is the owner's name. */
#define CLAIM "/sys/fs/bpf/grpagent/cpuset:owner"

/* --- hooks ----------------------------------------------------------------------------- */

/* What is pinned is used, whatever the size is that this object was written with. */
static int share_maps(const struct grp_bpf *bpf, struct bpf_object *object)
{
	struct bpf_map *map, *ours;
	int r = 0;

	bpf_object__for_each_map(map, object)
	{
		ours = bpf_object__find_map_by_name(bpf->skel->obj, bpf_map__name(map));
		if (ours && !r)
			r = bpf_map__reuse_fd(map, bpf_map__fd(ours));
	}
	return r;
}

static struct bpf_link *attach_tracepoint(struct bpf_program *program)
{
	_cleanup_close_ int fd = grp_tracepoint_open(GRP_TRACEPOINT_ASKED);
	struct bpf_link *link;

	if (fd < 0) {
		errno = -fd;
		return NULL;
	}
	link = bpf_program__attach_perf_event(program, fd);
	if (link)
		(void)TAKE_FD(fd); /* it is the link's */
	return link;
}

static struct bpf_link *attach_program(struct bpf_program *program)
{
	if (bpf_program__type(program) == BPF_PROG_TYPE_TRACEPOINT)
		return attach_tracepoint(program);
	return bpf_program__attach(program);
}

static int attach(const struct grp_bpf *bpf, struct bpf_program *program)
{
	const char *name = bpf_program__name(program);
	struct bpf_link *link = attach_program(program);
	char path[PATH_MAX];
	int r;

	if (!link)
		return -errno;
	r = grp_pins_path(path, sizeof(path), bpf->dir, bpf->generation, name);
	if (!r) {
		(void)unlink(path);
		r = bpf_link__pin(link, path);
	}
	(void)bpf_link__destroy(link);
	return r;
}

/* The pins keep the links, and these the programs: the object is not needed further. */
static int attach_object(const struct grp_bpf *bpf, struct bpf_object *object)
{
	struct bpf_program *program;
	int r = share_maps(bpf, object);

	if (!r)
		r = bpf_object__load(object);
	bpf_object__for_each_program(program, object) if (!r) r = attach(bpf, program);
	return r;
}

static int watch_outside(const struct grp_bpf *bpf)
{
	struct outside *skel = outside__open();
	int r = skel ? 0 : -errno;

	if (!r) {
		skel->rodata->mask_words = (bpf->view.cpus + 63) / 64;
		r = attach_object(bpf, skel->obj);
	}
	outside__destroy(skel);
	return r;
}

static int watch_exit(const struct grp_bpf *bpf)
{
	struct asked_exit *skel = asked_exit__open();
	int r = skel ? 0 : -errno;

	if (!r) {
		skel->rodata->agent_tgid = (uint32_t)getpid();
		r = attach_object(bpf, skel->obj);
	}
	asked_exit__destroy(skel);
	return r;
}

static int watch_syscall(const struct grp_bpf *bpf)
{
	struct asked_syscall *skel = asked_syscall__open();
	int r = skel ? 0 : -errno;

	if (!r) {
		skel->rodata->agent_tgid = (uint32_t)getpid();
		r = attach_object(bpf, skel->obj);
	}
	asked_syscall__destroy(skel);
	return r;
}

static void unpin(const struct grp_bpf *bpf, const char *name)
{
	char path[PATH_MAX];

	if (!grp_pins_path(path, sizeof(path), bpf->dir, bpf->generation, name))
		(void)unlink(path);
}

/* Each class that this kernel has: one that it refuses takes no other down. */
int grp_notice_watch(void *kernel, bool on)
{
	struct grp_bpf *bpf = kernel;

	for (size_t i = 0; !on && grp_notice_names[i]; i++)
		unpin(bpf, grp_notice_names[i]);
	bpf->noticing = on;
	if (!on)
		return 0;
	grp_fault_point("link");
	bpf->noticing = !watch_outside(bpf);
	if (!grp_fault_number("NO_FEXIT") && !watch_exit(bpf))
		return 0;
	grp_fault_point("link");
	(void)watch_syscall(bpf);
	return 0;
}

/* --- the claim ---------------------------------------------------------------------------- */

/* Whether that instance is still there. */
static bool is_there(const char *instance)
{
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "/sys/fs/bpf/grpagent/%s/%s", instance,
		       grp_store_names[GRP_STORE_META]);
	return access(path, F_OK) == 0;
}

static const char *name_of(const struct grp_bpf *bpf)
{
	return strrchr(bpf->dir, '/') + 1;
}

/* Return: 1: it is ours; 0: there is none now; -EBUSY; -errno. */
static int look_at_claim(const char *instance)
{
	char owner[NAME_MAX + 1];
	ssize_t n = readlink(CLAIM, owner, sizeof(owner) - 1);

	if (n < 0)
		return errno == ENOENT ? 0 : -errno;
	owner[n] = '\0';
	if (!strcmp(owner, instance))
		return 1;
	if (is_there(owner))
		return -EBUSY;
	return unlink(CLAIM) && errno != ENOENT ? -errno : 0;
}

int grp_notice_drop_claim(const char *instance)
{
	int r = look_at_claim(instance);

	if (r <= 0)
		return r == -EBUSY ? 0 : r;
	return unlink(CLAIM) && errno != ENOENT ? -errno : 0;
}

int grp_notice_claim(void *kernel, bool on)
{
	const struct grp_bpf *bpf = kernel;
	int r;

	grp_fault_point("claim");
	if (!on)
		return grp_notice_drop_claim(name_of(bpf));
	for (unsigned int i = 0; i < 2; i++) {
		r = look_at_claim(name_of(bpf));
		if (r)
			return r > 0 ? 0 : r;
		if (!symlink(name_of(bpf), CLAIM))
			return 0;
		if (errno != EEXIST)
			return -errno;
	}
	return -EBUSY;
}
