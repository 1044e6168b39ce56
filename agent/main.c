/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * grpagent: from the command line to an exit status, no more.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent.h"
#include "base/log.h"
#include "place/helper.h"
#include "place/protocol.h"

enum {
	EXIT_DONE = 0,
	EXIT_CANNOT_RUN = 1,
	EXIT_USAGE = 2,
	EXIT_RUNS_ALREADY = 3,
};

static int exit_status(int r)
{
	switch (r) {
	case 0:
		return EXIT_DONE;
	case -EALREADY:
		return EXIT_RUNS_ALREADY;
	default:
		return EXIT_CANNOT_RUN;
	}
}

static const char *reason(const struct grp_error *error, int r)
{
	return error->message[0] ? error->message : strerror(-r);
}

int main(int argc, char **argv)
{
	struct grp_error error = { 0 };
	struct grp_config config = { 0 };
	int r;

	if (argc == 2 && !strcmp(argv[1], GRP_PLACE_ARGUMENT))
		return grp_place_helper(GRP_PLACE_FD);
	r = grp_config_parse(argc, argv, &config, &error);
	if (r > 0)
		return EXIT_DONE;
	if (r == -EINVAL) {
		(void)fprintf(stderr, "grpagent: %s\nTry 'grpagent --help'.\n", reason(&error, r));
		return EXIT_USAGE;
	}
	if (r == 0)
		r = config.unload ? grp_agent_unload(&config, &error) :
				    grp_agent_run(&config, &error);
	if (r < 0)
		GRP_LOG_ERROR("grpagent: %s", reason(&error, r));
	grp_config_done(&config);
	return exit_status(r);
}
