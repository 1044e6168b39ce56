/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A small model of what the agent promises: hierarchies, groups, who is where, and
 * which error comes first. It is written from the specification, not from the
 * agent, and shares no code with it. All of it is one flat struct, so that a state
 * can be kept by copying it: of a request during which the agent was killed both
 * outcomes are allowed.
 */
#ifndef GRP_TESTS_PROPERTY_MODEL_H
#define GRP_TESTS_PROPERTY_MODEL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define M_HIERARCHIES 16
#define M_NAMES 8
#define M_GROUPS 1024
#define M_TASKS 64
#define M_SUBSYSTEMS 8
#define M_PATH 512
#define NOWHERE (-1)

enum m_flags {
	M_NOTIFY = 1 << 0,
	M_AUTO_DELETE = 1 << 1,
	M_CLONE_CHILDREN = 1 << 2,
	M_FLAGS = 3,
};

struct m_group {
	bool live;
	int hierarchy, parent; /* parent NOWHERE: a root */
	char name[256];
	uid_t uid;
	uid_t file_uid; /* of its files but for the next */
	uid_t member_uid; /* of tasks and cgroup.procs */
	unsigned int mode;
	unsigned int flags;
	bool entered; /* since its last release (REL-3) */
	bool closed; /* its cpuset is empty: nobody can come in (CPUSET-10) */
};

struct m_hierarchy {
	bool live, any, noprefix, unmounted;
	uint32_t mask; /* asked for */
	int n_names;
	char names[M_NAMES][16];
	int root;
};

struct m_task {
	bool live;
	pid_t tid, tgid;
	uid_t uid;
	int where[M_HIERARCHIES]; /* group */
};

struct model {
	unsigned int n_subsystems;
	char subsystems[M_SUBSYSTEMS][33];
	uint32_t shareable;
	struct m_hierarchy hierarchies[M_HIERARCHIES];
	struct m_group groups[M_GROUPS];
	struct m_task tasks[M_TASKS];
	int cpuset_at; /* hierarchy that it was bound to when model_cpuset() last looked */
};

/* With the default hierarchy; subsystems are filled in by the caller before. */
void model_init(struct model *model);

/* All of these: 0 or a positive errno, with nothing changed. */
int model_mount(struct model *model, const char *name, const char *options);
int model_remount(struct model *model, const char *name, const char *options);
int model_umount(struct model *model, const char *name);
int model_mkdir(struct model *model, uid_t uid, const char *spec, unsigned int mode);
int model_rmdir(struct model *model, uid_t uid, const char *spec);
int model_mv(struct model *model, uid_t uid, const char *from, const char *to);
int model_attach(struct model *model, uid_t uid, const char *const *specs, int n, pid_t pid,
		 bool whole);
int model_attach_from(struct model *model, uid_t uid, const char *spec, const char *from);
/* members: with the two files of members. */
int model_chown(struct model *model, uid_t uid, const char *spec, uid_t owner, bool members);
int model_chmod(struct model *model, uid_t uid, const char *spec, unsigned int mode);
int model_write_flag(struct model *model, uid_t uid, const char *spec, unsigned int flag,
		     const char *text);

/*
 * What the agent does by itself after each of these: releases (REL-*, CLONE-5). No
 * release agent is ever set here.
 */
void model_release(struct model *model);
/* A group is being entered: by an attach, or by a child. */
void model_enter(struct model *model, int group);
/* All that an attach or mkdir may have done that was cut off before its end. */
void model_mark(struct model *model, const char *const *specs, int n);

/*
 * Nothing here writes lists of CPUs: a group has some by clone_children, or none. To be
 * called before what depends on them or makes groups: cpuset may have come elsewhere.
 */
void model_cpuset(struct model *model);
/* Of a new group; where cpuset is not bound it is open. */
bool model_is_closed(const struct model *model, int parent);

/* Births and exits; no errors. parent NOWHERE: in the roots. Return: index. */
int model_birth(struct model *model, int parent, pid_t tid, pid_t tgid, uid_t uid);
void model_exit(struct model *model, pid_t tgid);

/* Looking at it. */
/* As root; any: also where it is not mounted. */
int model_find(const struct model *model, const char *spec, bool any, int *ret_group);
/* As a user, who must be allowed to search what is above. */
int model_lookup(const struct model *model, uid_t uid, const char *spec, bool any, int *ret_group);
uint32_t model_bound(const struct model *model, int hierarchy);
bool model_may_search(const struct model *model, uid_t uid, int group);
/* tasks, cgroup.procs */
bool model_may_attach(const struct model *model, uid_t uid, int group);
void model_path(const struct model *model, int group, char *buf); /* M_PATH */
unsigned int model_members(const struct model *model, int group);
unsigned int model_children(const struct model *model, int group);
const char *model_flag_name(unsigned int index);

#endif
