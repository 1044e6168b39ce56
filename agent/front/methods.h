/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The methods of org.grpagent: one table that says for each what it takes and
 * who may call it, and the handlers in methods_*.c and job_*.c.
 */
#ifndef GRP_FRONT_METHODS_H
#define GRP_FRONT_METHODS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "front/call.h"

enum grp_param_type {
	GRP_PARAM_STRING,
	GRP_PARAM_STRINGS, /* an array of strings */
	GRP_PARAM_BOOL,
	GRP_PARAM_INT,
	GRP_PARAM_CONFIGURATION, /* an object; its handler looks into it */
	GRP_PARAM_TYPES_MAX,
};

struct grp_param {
	const char *name; /* NULL: end of the list */
	enum grp_param_type type;
	bool needed;
	int64_t min, max; /* of a number */
};

enum grp_method_flags {
	GRP_METHOD_EARLY = 1 << 0, /* also while the agent is starting */
	GRP_METHOD_ROOT = 1 << 1, /* uid 0 only */
	GRP_METHOD_CHANGES = 1 << 2, /* is logged */
	GRP_METHOD_WAITS = 1 << 3, /* counts against streams-per-uid */
	GRP_METHOD_STREAMS = 1 << 4, /* only with "more" */
};

#define GRP_PARAMS_MAX 5

struct grp_method {
	const char *name; /* without the interface */
	/*
	 * Return: 0 with the reply's parameters (NULL: none) in *ret_reply,
	 * -errno with call->error and ->item, or GRP_CALL_LATER.
	 */
	int (*handler)(struct grp_call *call, json_t **ret_reply);
	unsigned int flags;
	struct grp_param params[GRP_PARAMS_MAX + 1];
};

extern const struct grp_method grp_methods[];
extern const size_t grp_n_methods;

/* grp_methods_dispatch() - carry out a call; it is answered and freed, now or later. */
void grp_methods_dispatch(struct grp_call *call);

/* methods_agent.c: about the agent itself */
int grp_method_ping(struct grp_call *call, json_t **ret_reply);
int grp_method_get_status(struct grp_call *call, json_t **ret_reply);
int grp_method_list_features(struct grp_call *call, json_t **ret_reply);

/* methods_hierarchy.c */
int grp_method_list_hierarchies(struct grp_call *call, json_t **ret_reply);
int grp_method_list_subsystems(struct grp_call *call, json_t **ret_reply);
int grp_method_list_mounts(struct grp_call *call, json_t **ret_reply);
int grp_method_mount(struct grp_call *call, json_t **ret_reply);
int grp_method_remount(struct grp_call *call, json_t **ret_reply);
int grp_method_unmount(struct grp_call *call, json_t **ret_reply);

/* methods_fs.c: the control filesystem */
int grp_method_serve_mount(struct grp_call *call, json_t **ret_reply);

/* methods_configuration.c */
int grp_method_get_configuration(struct grp_call *call, json_t **ret_reply);
int grp_method_compare_configuration(struct grp_call *call, json_t **ret_reply);
int grp_method_apply_configuration(struct grp_call *call, json_t **ret_reply);

/* methods_group.c */
int grp_method_rename_group(struct grp_call *call, json_t **ret_reply);
int grp_method_list_groups(struct grp_call *call, json_t **ret_reply);
int grp_method_stat_group(struct grp_call *call, json_t **ret_reply);

/* methods_inode.c: owners and modes */
int grp_method_change_owner(struct grp_call *call, json_t **ret_reply);
int grp_method_change_mode(struct grp_call *call, json_t **ret_reply);

/* methods_task.c */
int grp_method_list_tasks(struct grp_call *call, json_t **ret_reply);
int grp_method_which_tasks(struct grp_call *call, json_t **ret_reply);

/* methods_file.c: control files and usage */
int grp_method_read_file(struct grp_call *call, json_t **ret_reply);
int grp_method_write_file(struct grp_call *call, json_t **ret_reply);
int grp_method_get_usage(struct grp_call *call, json_t **ret_reply);

/* job_*.c: answered from the loop */
int grp_method_make_groups(struct grp_call *call, json_t **ret_reply);
int grp_method_remove_groups(struct grp_call *call, json_t **ret_reply);
int grp_method_attach(struct grp_call *call, json_t **ret_reply);
int grp_method_can_attach(struct grp_call *call, json_t **ret_reply);
int grp_method_clone(struct grp_call *call, json_t **ret_reply);
int grp_method_kill(struct grp_call *call, json_t **ret_reply);
int grp_method_wait(struct grp_call *call, json_t **ret_reply);

/* watch.c: a stream */
int grp_method_watch(struct grp_call *call, json_t **ret_reply);

/*
 * grp_usage_object() - the type Usage of one group.
 * @processes: of its own members. Return: NULL: no memory.
 */
json_t *grp_usage_object(struct grp_call *call, struct grp_group *group, uint64_t tasks,
			 uint64_t processes);

/* grp_subsystem_names() - array of the names behind the bits; NULL: no memory. */
json_t *grp_subsystem_names(uint32_t mask);

#endif
