/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pages THREADS: a process of so many threads, 0 is the leader, that take memory on command
 * and say on which nodes it lies, as move_pages(2) tells. Reads a command a line and answers
 * each with a line; says "ready" first. The end of stdin or SIGTERM ends it.
 *
 *  tids		"tids T0 T1 ..."
 *  touch K N		thread K maps N pages and writes to each; "NODE:COUNT ..."
 *  where		where the pages of the last touch are by now
 *  file PATH N		the leader makes a file of N pages; where these are in the page cache
 *  set K MODE NODES	thread K calls set_mempolicy(2), NODES a mask; "ERRNO"
 *  get K		its own policy by get_mempolicy(2); "MODE NODES"
 *  fork		the leader forks a process that sleeps until ours ends; "PID"
 */
#include <fcntl.h>
#include <linux/mempolicy.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "support.h"

#define THREADS_MAX 1000
#define PAGES_MAX 4096
#define NODES_SHOWN 8
#define PAGE_BYTES 4096UL

enum job {
	JOB_TOUCH,
	JOB_SET,
	JOB_GET
};

static struct worker {
	pthread_t thread;
	pid_t tid;
	sem_t given, done;
	enum job job;
	uint64_t arguments[2];
} workers[THREADS_MAX];

static unsigned int n_workers;

/* Of the last touch, and the answer to the last command. */
static char *region;
static size_t region_pages;
static char answer[16 * THREADS_MAX];

/* "NODE:COUNT ..." of pages that are there, into answer. */
static void look_where(char *start, size_t n)
{
	static void *addresses[PAGES_MAX];
	static int nodes[PAGES_MAX];
	unsigned int counts[NODES_SHOWN] = { 0 }, lost = 0;
	size_t length = 0;

	for (size_t i = 0; i < n; i++)
		addresses[i] = start + i * PAGE_BYTES;
	if (syscall(SYS_move_pages, 0, n, addresses, NULL, nodes, 0))
		die("move_pages");
	for (size_t i = 0; i < n; i++)
		if (nodes[i] >= 0 && nodes[i] < NODES_SHOWN)
			counts[nodes[i]]++;
		else
			lost++;
	answer[0] = 0;
	for (int i = 0; i < NODES_SHOWN; i++)
		if (counts[i])
			length += (size_t)snprintf(answer + length, sizeof(answer) - length,
						   "%s%d:%u", length ? " " : "", i, counts[i]);
	if (lost)
		(void)snprintf(answer + length, sizeof(answer) - length, " lost:%u", lost);
}

static void touch(size_t n)
{
	if (region)
		(void)munmap(region, region_pages * PAGE_BYTES);
	region_pages = n;
	region = mmap(NULL, n * PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		      0);
	if (region == MAP_FAILED)
		die("mmap");
	(void)madvise(region, n * PAGE_BYTES, MADV_NOHUGEPAGE);
	for (size_t i = 0; i < n; i++)
		region[i * PAGE_BYTES] = 1;
	look_where(region, n);
}

static void set_policy(uint64_t mode, uint64_t nodes)
{
	long r = syscall(SYS_set_mempolicy, (int)mode, &nodes, nodes ? 64UL : 0UL);

	(void)snprintf(answer, sizeof(answer), "%d", r ? errno : 0);
}

static void get_policy(void)
{
	uint64_t nodes[16] = { 0 };
	int mode = -1;

	if (syscall(SYS_get_mempolicy, &mode, nodes, 1024UL, NULL, 0UL))
		die("get_mempolicy");
	(void)snprintf(answer, sizeof(answer), "%d %llu", mode, (unsigned long long)nodes[0]);
}

static void work(const struct worker *worker)
{
	switch (worker->job) {
	case JOB_TOUCH:
		touch(worker->arguments[0]);
		break;
	case JOB_SET:
		set_policy(worker->arguments[0], worker->arguments[1]);
		break;
	case JOB_GET:
		get_policy();
		break;
	}
}

static void *serve(void *arg)
{
	struct worker *worker = arg;

	worker->tid = gettid();
	(void)sem_post(&worker->done);
	for (;;) {
		while (sem_wait(&worker->given))
			;
		work(worker);
		(void)sem_post(&worker->done);
	}
	return NULL;
}

static void do_job(unsigned int index, enum job job, uint64_t first, uint64_t second)
{
	struct worker *worker = &workers[index];

	worker->job = job;
	worker->arguments[0] = first;
	worker->arguments[1] = second;
	if (!index) {
		work(worker);
		return;
	}
	(void)sem_post(&worker->given);
	while (sem_wait(&worker->done))
		;
}

/* Written, so that the pages are taken by us. */
static void make_file(const char *path, size_t n)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	char page[PAGE_BYTES], sum = 0;
	const volatile char *mapped;

	memset(page, 1, sizeof(page));
	if (fd < 0)
		die(path);
	for (size_t i = 0; i < n; i++)
		if (write(fd, page, sizeof(page)) != sizeof(page))
			die("write");
	mapped = mmap(NULL, n * PAGE_BYTES, PROT_READ, MAP_SHARED, fd, 0);
	if (mapped == MAP_FAILED)
		die("mmap");
	for (size_t i = 0; i < n; i++)
		sum = (char)(sum + mapped[i * PAGE_BYTES]);
	look_where((char *)mapped, n);
	(void)munmap((void *)mapped, n * PAGE_BYTES);
	(void)close(fd);
}

static void fork_sleeper(void)
{
	pid_t parent = getpid(), pid = fork();

	if (pid < 0)
		die("fork");
	while (!pid) {
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent)
			_exit(1);
		(void)pause();
	}
	(void)snprintf(answer, sizeof(answer), "%d", pid);
}

static void list_tids(void)
{
	size_t length = (size_t)snprintf(answer, sizeof(answer), "tids");

	for (unsigned int i = 0; i < n_workers; i++)
		length += (size_t)snprintf(answer + length, sizeof(answer) - length, " %d",
					   workers[i].tid);
}

static void obey(char *line)
{
	const char *words[4] = { "", "0", "0", "0" };
	unsigned int n = 0;
	char *word;

	line[strcspn(line, "\n")] = 0;
	while (n < 4 && (word = strsep(&line, " ")))
		words[n++] = word;
	if (!strcmp(words[0], "tids"))
		list_tids();
	else if (!strcmp(words[0], "where"))
		look_where(region, region_pages);
	else if (!strcmp(words[0], "fork"))
		fork_sleeper();
	else if (!strcmp(words[0], "file"))
		make_file(words[1], number(words[2], PAGES_MAX));
	else if (!strcmp(words[0], "touch"))
		do_job((unsigned int)number(words[1], n_workers - 1), JOB_TOUCH,
		       number(words[2], PAGES_MAX), 0);
	else if (!strcmp(words[0], "set"))
		do_job((unsigned int)number(words[1], n_workers - 1), JOB_SET,
		       number(words[2], UINT32_MAX), number(words[3], UINT32_MAX));
	else if (!strcmp(words[0], "get"))
		do_job((unsigned int)number(words[1], n_workers - 1), JOB_GET, 0, 0);
	else
		die_usage("no such command");
	(void)printf("%s\n", answer);
	(void)fflush(stdout);
}

int main(int argc, char **argv)
{
	char line[4096];

	if (argc != 2)
		die_usage("pages THREADS");
	n_workers = (unsigned int)number(argv[1], THREADS_MAX);
	workers[0].tid = getpid();
	for (unsigned int i = 1; i < n_workers; i++) {
		struct worker *worker = &workers[i];

		if (sem_init(&worker->given, 0, 0) || sem_init(&worker->done, 0, 0) ||
		    pthread_create(&worker->thread, NULL, serve, worker))
			die("a thread");
		while (sem_wait(&worker->done))
			;
	}
	(void)printf("ready\n");
	(void)fflush(stdout);
	while (fgets(line, sizeof(line), stdin))
		obey(line);
	return 0;
}
