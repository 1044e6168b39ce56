/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * unanswered SOURCE DIR
 *
 * Mounts a filesystem of the type of the control filesystem at DIR and never answers anybody
 * there, as an agent does that is gone while somebody holds its descriptor. "mounted", then it
 * stays until it is killed.
 */
#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include "support.h"

int main(int argc, char **argv)
{
	char data[160];
	int fd;

	if (argc != 3)
		die_usage("unanswered SOURCE DIR");
	fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		die("/dev/fuse");
	(void)snprintf(data, sizeof(data),
		       "fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other,default_permissions",
		       fd);
	if (mount(argv[1], argv[2], "fuse.grpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, data))
		die(argv[2]);
	puts("mounted");
	(void)fflush(stdout);
	for (;;)
		(void)pause();
}
