/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * inherit PID: takes over every descriptor of a process, as a child of it has them
 * between fork and closing them, prints "holding" and keeps them until SIGTERM.
 */
#include <dirent.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "support.h"

#define PID_MAX_LIMIT 4194304

int main(int argc, char **argv)
{
	char path[64];
	struct dirent *entry;
	int pidfd, taken = 0;
	DIR *dir;

	if (argc != 2)
		die_usage("inherit PID");
	pidfd = (int)syscall(SYS_pidfd_open, (pid_t)number(argv[1], PID_MAX_LIMIT), 0);
	if (pidfd < 0)
		die("pidfd_open");
	(void)snprintf(path, sizeof(path), "/proc/%s/fd", argv[1]);
	dir = opendir(path);
	if (!dir)
		die(path);
	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.' &&
		    syscall(SYS_pidfd_getfd, pidfd, (int)number(entry->d_name, 1 << 20), 0) >= 0)
			taken++;
	if (!taken)
		die("pidfd_getfd");
	(void)closedir(dir);
	(void)puts("holding");
	(void)fflush(stdout);
	for (;;)
		(void)pause();
}
