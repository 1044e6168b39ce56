/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * heirs N
 *
 * A process of N threads besides its leader, each of which makes a thread like itself
 * after a moment and ends. Until SIGTERM, or until a thread cannot be made. Prints
 * "ready" first.
 */
#include <pthread.h>
#include <unistd.h>

#include "support.h"

#define STACK_BYTES ((size_t)64 * 1024)
#define LIFE_NS 300000
#define THREADS_MAX 1000

static pthread_attr_t small;

static void *live(void *data)
{
	const struct timespec moment = { .tv_nsec = LIFE_NS };
	pthread_t heir;

	(void)nanosleep(&moment, NULL);
	if (pthread_create(&heir, &small, live, data))
		die("pthread_create");
	return NULL;
}

int main(int argc, char *argv[])
{
	uint64_t n;

	if (argc != 2)
		die_usage("heirs THREADS");
	n = number(argv[1], THREADS_MAX);
	if (pthread_attr_init(&small) || pthread_attr_setstacksize(&small, STACK_BYTES) ||
	    pthread_attr_setdetachstate(&small, PTHREAD_CREATE_DETACHED))
		die("pthread_attr");
	while (n--) {
		pthread_t thread;

		if (pthread_create(&thread, &small, live, NULL))
			die("pthread_create");
	}
	(void)puts("ready");
	(void)fflush(stdout);
	for (;;)
		(void)pause();
}
