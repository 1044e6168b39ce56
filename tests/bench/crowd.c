/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A process of many threads that do nothing: to be moved, listed and counted.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "bench.h"

#define STACK_BYTES ((size_t)PTHREAD_STACK_MIN)
/* Left to everybody else on the machine. */
#define SPARE_TASKS 4000

static int stop_fd;
static pid_t *shared_tids;

static void *thread_main(void *data)
{
	char c;

	shared_tids[(uintptr_t)data] = (pid_t)syscall(SYS_gettid);
	/* The write end is closed when they are to end. */
	while (read(stop_fd, &c, 1) < 0 && errno == EINTR)
		;
	return NULL;
}

static _Noreturn void child_main(unsigned int threads, int ready)
{
	pthread_attr_t attr;
	pthread_t thread;

	if (pthread_attr_init(&attr) || pthread_attr_setstacksize(&attr, STACK_BYTES) ||
	    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED))
		_exit(1);
	for (uintptr_t i = 1; i < threads; i++)
		if (pthread_create(&thread, &attr, thread_main, (void *)i))
			_exit(1);
	for (unsigned int i = 1; i < threads; i++)
		while (!__atomic_load_n(&shared_tids[i], __ATOMIC_ACQUIRE))
			(void)usleep(1000);
	if (write(ready, "r", 1) != 1)
		_exit(1);
	(void)thread_main(NULL);
	_exit(0);
}

static pid_t *map_tids(unsigned int threads)
{
	void *memory = mmap(NULL, threads * sizeof(pid_t), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

int bench_crowd_start(unsigned int threads, struct bench_crowd *ret_crowd)
{
	_cleanup_close_ int ready_in = -1, ready_out = -1;
	int ready[2], stop[2];
	char c;

	*ret_crowd = (struct bench_crowd){ .n = threads, .stop = -1 };
	ret_crowd->tids = map_tids(threads);
	if (!ret_crowd->tids || pipe2(ready, O_CLOEXEC))
		return bench_fail(-errno, "a crowd of %u", threads);
	ready_in = ready[0];
	ready_out = ready[1];
	if (pipe2(stop, O_CLOEXEC))
		return bench_fail(-errno, "pipe");
	ret_crowd->pid = fork();
	if (!ret_crowd->pid) {
		(void)close(stop[1]);
		stop_fd = stop[0];
		shared_tids = ret_crowd->tids;
		child_main(threads, ready_out);
	}
	(void)close(stop[0]);
	ret_crowd->stop = stop[1];
	if (ret_crowd->pid < 0) {
		ret_crowd->pid = 0;
		return bench_fail(-errno, "fork");
	}
	grp_cleanup_close(&ready_out);
	ready_out = -1;
	if (read(ready_in, &c, 1) != 1)
		return bench_fail(-EAGAIN, "cannot make %u threads", threads);
	return 0;
}

void bench_crowd_end(struct bench_crowd *crowd)
{
	if (crowd->stop >= 0)
		(void)close(crowd->stop);
	if (crowd->pid > 0)
		(void)waitpid(crowd->pid, NULL, 0);
	if (crowd->tids)
		(void)munmap(crowd->tids, crowd->n * sizeof(pid_t));
	*crowd = (struct bench_crowd){ .stop = -1 };
}

static uint64_t read_limit(const char *path)
{
	_cleanup_fclose_ FILE *file = fopen(path, "re");
	char line[32] = "";
	uint64_t limit;

	if (!file || !fgets(line, sizeof(line), file))
		return UINT_MAX;
	line[strcspn(line, "\n")] = '\0';
	return grp_parse_u64(line, 0, UINT_MAX, &limit) ? UINT_MAX : limit;
}

unsigned int bench_crowd_room(unsigned int wanted)
{
	const char *const limits[] = { "/proc/sys/kernel/pid_max", "/proc/sys/kernel/threads-max" };
	uint64_t room = wanted;

	for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++) {
		uint64_t limit = read_limit(limits[i]);

		limit = limit > SPARE_TASKS ? limit - SPARE_TASKS : 1;
		room = limit < room ? limit : room;
	}
	return (unsigned int)room;
}
