/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The table of all verbs, see verb.h.
 */
#include "verb.h"

#include <string.h>

const struct grp_verb *const grp_verbs[] = {
	&grp_verb_mount,
	&grp_verb_remount,
	&grp_verb_umount,
	&grp_verb_mounts,
	&grp_verb_hierarchies,
	&grp_verb_subsystems,
	&grp_verb_legacy,

	&grp_verb_mkdir,
	&grp_verb_rmdir,
	&grp_verb_mv,
	&grp_verb_chown,
	&grp_verb_chmod,
	&grp_verb_ls,
	&grp_verb_tree,
	&grp_verb_stat,
	&grp_verb_watch,

	&grp_verb_attach,
	&grp_verb_clone,
	&grp_verb_exec,
	&grp_verb_shield,
	&grp_verb_ps,
	&grp_verb_which,
	&grp_verb_kill,
	&grp_verb_wait,

	&grp_verb_get,
	&grp_verb_set,
	&grp_verb_usage,

	&grp_verb_save,
	&grp_verb_apply,
	&grp_verb_diff,

	&grp_verb_status,
	&grp_verb_features,
	&grp_verb_ping,
	&grp_verb_help,

	NULL,
};

const struct grp_verb *grp_verb_find(const char *name)
{
	for (size_t i = 0; grp_verbs[i]; i++) {
		if (!strcmp(grp_verbs[i]->name, name))
			return grp_verbs[i];
	}
	return NULL;
}
