/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Lists of mount points, see mount_list.h.
 */
#include "base/mount_list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

int grp_mount_list_next(const char **at, char **ret_hierarchy, char **ret_directory)
{
	_cleanup_free_ char *hierarchy = NULL, *directory = NULL;
	size_t len = strcspn(*at, ","), name = strcspn(*at, ":,/");
	const char *path = *at;

	if (!len)
		return **at ? -EINVAL : 0;
	if (path[name] == ':')
		path += name + 1;
	if (*path != '/' || (path != *at && !name))
		return -EINVAL;
	hierarchy = path == *at ? strdup("default") : strndup(*at, name);
	directory = strndup(path, len - (size_t)(path - *at));
	if (!hierarchy || !directory)
		return -ENOMEM;
	*at += len;
	if (**at && !*++*at)
		return -EINVAL;
	*ret_hierarchy = TAKE_PTR(hierarchy);
	*ret_directory = TAKE_PTR(directory);
	return 1;
}

int grp_mount_list_check(const char *text)
{
	int r;

	do {
		_cleanup_free_ char *hierarchy = NULL, *directory = NULL;

		r = grp_mount_list_next(&text, &hierarchy, &directory);
	} while (r > 0);
	return r;
}
