/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The agent's own configuration: the setting groups-file, see configuration.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent.h"
#include "base/cleanup.h"
#include "base/cleanup_json.h"
#include "base/groups_file.h"
#include "base/log.h"
#include "base/text.h"
#include "front/configuration.h"

/* A fifo in its place must not hold the start up. */
static int open_regular(const char *path, FILE **ret_stream)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
	*ret_stream = fdopen(fd, "r");
	if (!*ret_stream)
		return -errno;
	(void)TAKE_FD(fd);
	return 0;
}

static int apply(struct grp_agent *agent, struct grp_error *error)
{
	const struct grp_caller self = { .pid = getpid() };
	_cleanup_json_ json_t *configuration = NULL, *changes = NULL;
	_cleanup_fclose_ FILE *stream = NULL;
	int r = open_regular(agent->config.groups_file, &stream);

	if (!r)
		r = grp_groups_file_load(stream, error, &configuration);
	if (!r)
		r = grp_configuration_run(agent, configuration, GRP_CONFIGURATION_APPLY, &self,
					  error, &changes);
	return r;
}

/* For status, where it has to be UTF-8. */
static int remember(struct grp_agent *agent, const char *text)
{
	return grp_text_fix_utf8(text, strlen(text), &agent->groups_file);
}

int grp_configuration_start(struct grp_agent *agent)
{
	const char *file = agent->config.groups_file;
	struct grp_error error = {};
	int r;

	if (!strcmp(file, "none"))
		return remember(agent, "none");
	r = apply(agent, &error);
	if (!r)
		return remember(agent, "applied");
	if (!error.message[0])
		(void)grp_error_set(&error, -r, "%s", strerror(-r));
	GRP_LOG_ERROR("groups-file %s: %s (%s); going on with the groups as they were", file,
		      error.message, grp_errno_name(-r));
	return remember(agent, error.message);
}
