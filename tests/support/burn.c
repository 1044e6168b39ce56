/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * burn MS [--system] [--hold | --zombie | --forever]
 *
 * Takes MS ms of CPU time (with --system: in the kernel), then ends.
 *  --hold	prints "burnt" afterwards and sleeps until SIGTERM
 *  --zombie	a child takes the time and ends; it is not reaped. Prints
 *		"zombie PID" and sleeps until SIGTERM
 *  --forever	never ends by itself
 * Dies with its parent.
 */
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support.h"

static const char usage[] = "burn MS [--system] [--hold | --zombie | --forever]";

struct options {
	uint64_t ms;
	int system, hold, zombie, forever;
};

static void parse(int argc, char **argv, struct options *options)
{
	const struct option longs[] = {
		{ "system", no_argument, &options->system, 1 },
		{ "hold", no_argument, &options->hold, 1 },
		{ "zombie", no_argument, &options->zombie, 1 },
		{ "forever", no_argument, &options->forever, 1 },
		{ NULL },
	};

	while (getopt_long(argc, argv, "", longs, NULL) != -1)
		;
	if (optind + 1 != argc)
		die_usage(usage);
	options->ms = number(argv[optind], 100000000);
}

static void burn_in_kernel(uint64_t ns)
{
	static char buffer[1 << 20];
	uint64_t end = clock_ns(CLOCK_PROCESS_CPUTIME_ID) + ns;
	int fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		die("/dev/zero");
	while (clock_ns(CLOCK_PROCESS_CPUTIME_ID) < end)
		if (read(fd, buffer, sizeof(buffer)) < 0)
			die("/dev/zero");
	close(fd);
}

static void burn(const struct options *options)
{
	uint64_t ns = options->ms * NS_PER_MS;

	do {
		if (options->system)
			burn_in_kernel(ns);
		else
			burn_ns(CLOCK_PROCESS_CPUTIME_ID, ns);
	} while (options->forever);
}

static void say(const char *text, pid_t pid)
{
	if (pid)
		(void)printf("%s %d\n", text, pid);
	else
		(void)puts(text);
	(void)fflush(stdout);
}

static void leave_zombie(const struct options *options)
{
	siginfo_t info;
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (pid == 0) {
		burn(options);
		_exit(0);
	}
	if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT))
		die("waitid");
	say("zombie", pid);
}

int main(int argc, char **argv)
{
	struct options options = { 0 };

	parse(argc, argv, &options);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL))
		die("prctl");
	if (options.zombie) {
		leave_zombie(&options);
	} else {
		burn(&options);
		if (!options.hold)
			return 0;
		say("burnt", 0);
	}
	for (;;)
		(void)pause();
}
