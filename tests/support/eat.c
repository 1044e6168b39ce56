/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Takes memory until there is none, so that the kernel has to reclaim some. It asks
 * to be the one that is killed then. Only for guests: everybody there suffers.
 *
 * usage: eat MIB  (0: without end; else it holds them until it is killed)
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MIB (1UL << 20)

static void be_the_victim(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, "1000", 4) != 4) {
		perror("eat: oom_score_adj");
		exit(1);
	}
	(void)close(fd);
}

int main(int argc, char **argv)
{
	unsigned long limit = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;

	be_the_victim();
	for (unsigned long n = 0; !limit || n < limit; n++) {
		char *memory =
			mmap(NULL, MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (memory == MAP_FAILED) {
			perror("eat");
			return 1;
		}
		memset(memory, 1, MIB);
	}
	(void)pause();
	return 0;
}
