/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Open files and directories, with what was read of them. It is paid for by who has
 * opened them, up to a limit for each user.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "front/connection.h"
#include "front/fs_internal.h"

/* What a user's open files may hold; root's four times as much. As unsent replies may. */
#define USER_BYTES (64UL * 1024 * 1024)

struct grp_fs_user {
	uid_t uid; /* hash key */
	size_t bytes;
	unsigned int handles;
	UT_hash_handle hh;
};

static struct grp_fs_user *get_user(struct grp_fs *fs, uid_t uid)
{
	struct grp_fs_user *user;

	HASH_FIND(hh, fs->users, &uid, sizeof(uid), user);
	if (user)
		return user;
	user = calloc(1, sizeof(*user));
	if (!user)
		return NULL;
	user->uid = uid;
	HASH_ADD(hh, fs->users, uid, sizeof(uid), user);
	return user;
}

/* @delta: bytes more; given back before others are taken. */
static int charge(struct grp_fs_handle *handle, size_t bytes)
{
	struct grp_fs_user *user = handle->user;

	if (user->bytes + bytes > (user->uid ? 1 : GRP_ROOT_FACTOR) * USER_BYTES)
		return -ENOMEM;
	user->bytes += bytes;
	handle->bytes += bytes;
	return 0;
}

static void discharge(struct grp_fs_handle *handle, size_t bytes)
{
	handle->user->bytes -= bytes;
	handle->bytes -= bytes;
}

int grp_fs_handle_new(struct grp_fs_request *request, struct grp_fs_handle **ret_handle)
{
	struct grp_fs *fs = request->mount->fs;
	struct grp_fs_handle *handle = calloc(1, sizeof(*handle));
	int r;

	if (!handle)
		return -ENOMEM;
	handle->user = get_user(fs, request->caller.uid);
	if (!handle->user) {
		free(handle);
		return -ENOMEM;
	}
	handle->user->handles++;
	handle->mount = request->mount;
	handle->id = ++fs->next_handle;
	handle->caller = request->caller;
	handle->groups = TAKE_PTR(request->groups);
	HASH_ADD(hh, fs->handles, id, sizeof(handle->id), handle);
	r = charge(handle, sizeof(*handle) + handle->caller.n_groups * sizeof(gid_t));
	if (r < 0) {
		grp_fs_handle_free(fs, handle);
		return r;
	}
	*ret_handle = handle;
	return 0;
}

void grp_fs_handle_free(struct grp_fs *fs, struct grp_fs_handle *handle)
{
	struct grp_fs_user *user = handle->user;

	HASH_DEL(fs->handles, handle);
	grp_fs_handle_clear(handle);
	discharge(handle, handle->bytes);
	if (!--user->handles) {
		/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): hashed, so in a table */
		HASH_DEL(fs->users, user);
		free(user);
	}
	free(handle->groups);
	free(handle);
}

struct grp_fs_handle *grp_fs_handle_find(struct grp_fs *fs, uint64_t id)
{
	struct grp_fs_handle *handle;

	HASH_FIND(hh, fs->handles, &id, sizeof(id), handle);
	return handle;
}

void grp_fs_handle_clear(struct grp_fs_handle *handle)
{
	if (handle->has_text)
		discharge(handle, handle->len);
	free(handle->text);
	handle->text = NULL;
	handle->len = 0;
	handle->has_text = false;
	for (size_t i = 0; i < handle->n_entries; i++) {
		discharge(handle, sizeof(*handle->entries) + strlen(handle->entries[i].name));
		free(handle->entries[i].name);
	}
	free(handle->entries);
	handle->entries = NULL;
	handle->n_entries = 0;
}

int grp_fs_handle_set_text(struct grp_fs_handle *handle, char *text, size_t len)
{
	_cleanup_free_ char *owned = text;
	int r;

	grp_fs_handle_clear(handle);
	r = charge(handle, len);
	if (r < 0)
		return r;
	handle->text = TAKE_PTR(owned);
	handle->len = len;
	handle->has_text = true;
	return 0;
}

int grp_fs_handle_add(struct grp_fs_handle *handle, const char *name,
		      const struct grp_fs_node *node)
{
	_cleanup_free_ char *copy = strdup(name);
	size_t n = handle->n_entries;
	int r;

	if (!copy)
		return -ENOMEM;
	/* Room grows in powers of two. */
	if (!(n & (n - 1))) {
		void *bigger =
			reallocarray(handle->entries, n ? 2 * n : 1, sizeof(*handle->entries));

		if (!bigger)
			return -ENOMEM;
		handle->entries = bigger;
	}
	r = charge(handle, sizeof(*handle->entries) + strlen(name));
	if (r < 0)
		return r;
	handle->entries[handle->n_entries++] = (struct grp_fs_entry){
		.ino = node->ino,
		.directory = grp_fs_node_is_dir(node),
		.name = TAKE_PTR(copy),
	};
	return 0;
}

void grp_fs_handles_drop(struct grp_fs_mount *mount)
{
	struct grp_fs *fs = mount->fs;
	struct grp_fs_handle *handle, *next;

	HASH_ITER(hh, fs->handles, handle, next)
		if (handle->mount == mount)
			grp_fs_handle_free(fs, handle);
}
