/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Methods that change owner and mode of a group or of one of its control files.
 * Users and groups of users are numbers here: whoever asks has the names.
 */
#include "core/inode.h"

#include "agent.h"
#include "front/methods.h"

static int find(struct grp_call *call, struct grp_inode_change *ret_change)
{
	struct grp_group *group;
	int r = grp_call_group(call, grp_call_string(call, "group"), &group);

	if (r < 0)
		return r;
	*ret_change = (struct grp_inode_change){
		.core = call->agent->core,
		.group = group,
		.file = grp_call_string(call, "file"),
		.caller = call->caller,
		.error = &call->error,
	};
	return 0;
}

int grp_method_change_owner(struct grp_call *call, json_t **ret_reply)
{
	struct grp_inode_change change;
	int r = find(call, &change);

	if (r < 0)
		return r;
	change.members = grp_call_flag(call, "members");
	return grp_inode_chown(&change, (uid_t)grp_call_number(call, "uid", -1),
			       (gid_t)grp_call_number(call, "gid", -1));
}

int grp_method_change_mode(struct grp_call *call, json_t **ret_reply)
{
	struct grp_inode_change change;
	int r = find(call, &change);

	return r < 0 ? r : grp_inode_chmod(&change, (mode_t)grp_call_number(call, "mode", 0));
}
