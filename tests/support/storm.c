/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * storm [--seconds N] [--births N] [--workers N] [--seed N] [--hold N]
 *	[--quick]
 *
 * Makes and ends tasks as fast as it can, in every way that a task can begin
 * and end: fork, vfork and exec, clone with shared memory and no thread, threads,
 * orphans, exec by a thread that is not the leader, leaders that leave their
 * threads behind, exit of the whole process under running threads, death by
 * signal; bursts of CPU from microseconds to milliseconds, and some sleepers.
 *
 * Ends after N seconds or births, or at SIGTERM. When it ends, no descendant is
 * left, not even a zombie: it is the reaper of its orphans. It counts what it
 * made by itself and prints the totals as one line of JSON; "births" are all
 * tasks that began (without the storm's own first), "execs" all successful ones
 * (without its own).
 *
 * --quick: nothing but forks of processes that end at once, one after the other.
 * --hold N: before it ends, N quiet processes of two threads each are made, a
 * line "holding" is printed, and they stay until the next SIGTERM.
 */
#include <getopt.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support.h"

#define WORKERS_MAX 1024
#define HOLD_MAX 1000
#define THREADS_MAX 4
#define STACK_BYTES ((size_t)64 * 1024)

enum total {
	TOTAL_FORKS,
	TOTAL_CLONES,
	TOTAL_THREADS,
	TOTAL_EXECS,
	TOTAL_FAILURES,
	TOTAL_MAX,
};

static const char *const total_names[TOTAL_MAX] = {
	[TOTAL_FORKS] = "forks", [TOTAL_CLONES] = "clones",	[TOTAL_THREADS] = "threads",
	[TOTAL_EXECS] = "execs", [TOTAL_FAILURES] = "failures",
};

/* Shared by all processes of the storm. */
static struct shared {
	atomic_ulong total[TOTAL_MAX];
	atomic_ulong births_left;
	atomic_bool stop;
	atomic_bool release; /* of the held ones */
} * shared;

enum option_id {
	SECONDS,
	BIRTHS,
	WORKERS,
	SEED,
	HOLD,
	QUICK,
	OPTION_MAX,
};

static const char usage[] = "storm [--seconds N] [--births N] [--workers N] [--seed N] [--hold N] "
			    "[--quick]";

/* Each process has its own; what is forked goes on with a copy. */
static uint64_t random_state;
static bool quick;

static uint64_t random_below(uint64_t limit)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state % limit;
}

static void count(enum total which)
{
	atomic_fetch_add(&shared->total[which], 1);
}

/* Counts one that began, and lets the storm end with the last that was asked for. */
static void count_birth(enum total which)
{
	count(which);
	if (atomic_fetch_sub(&shared->births_left, 1) == 1)
		atomic_store(&shared->stop, true);
}

/* Mostly microseconds, sometimes a millisecond or two. Wall time: it ends under load too. */
static uint64_t burst_length(void)
{
	return random_below(8) ? 1000 + random_below(100 * NS_PER_US) : random_below(2 * NS_PER_MS);
}

static void burst(void)
{
	burn_ns(CLOCK_MONOTONIC, burst_length());
}

/* A failure to make a task is no error of the storm (limits), but it is told. */
static pid_t counted_fork(void)
{
	pid_t pid = fork();

	if (pid > 0)
		count_birth(TOTAL_FORKS);
	else if (pid < 0)
		count(TOTAL_FAILURES);
	else
		random_state ^= (uint64_t)getpid() << 20 | 1;
	return pid;
}

static void reap(pid_t pid)
{
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

/* Becomes a program that does nothing but a burst. Counted before: it does not return. */
static void exec_leaf(void)
{
	static char name[] = "storm", leaf[] = "--leaf";
	char *const argv[] = { name, leaf, NULL };

	count(TOTAL_EXECS);
	execv("/proc/self/exe", argv);
	atomic_fetch_sub(&shared->total[TOTAL_EXECS], 1);
	count(TOTAL_FAILURES);
	_exit(EXIT_FAILURE);
}

static void *thread_burst(void *length)
{
	burn_ns(CLOCK_MONOTONIC, *(uint64_t *)length);
	return NULL;
}

static void *thread_exec(void *unused)
{
	(void)unused;
	exec_leaf();
	return NULL;
}

/* Counted before: a thread that execs ends the one that would count it. */
static bool counted_thread(pthread_t *thread, void *(*body)(void *), void *data)
{
	count_birth(TOTAL_THREADS);
	if (pthread_create(thread, NULL, body, data) == 0)
		return true;
	atomic_fetch_sub(&shared->total[TOTAL_THREADS], 1);
	count(TOTAL_FAILURES);
	return false;
}

/* --- the ways to begin and to end ------------------------------------------ */

static void act_fork(void)
{
	pid_t pid = counted_fork();

	if (pid == 0) {
		if (!quick)
			burst();
		_exit(0);
	}
	reap(pid);
}

/* The child is gone before its child: the root of the storm inherits it. */
static void act_orphan(void)
{
	pid_t pid = counted_fork();

	if (pid == 0) {
		if (counted_fork() == 0)
			burst();
		_exit(0);
	}
	reap(pid);
}

static int clone_burst(void *length)
{
	burn_ns(CLOCK_MONOTONIC, *(uint64_t *)length);
	_exit(0);
}

static int clone_exec(void *unused)
{
	(void)unused;
	exec_leaf();
	return 0;
}

/* A process on a stack of its own in the memory of this one. */
static void spawn_sharing(int (*body)(void *), int flags)
{
	uint64_t length = burst_length();
	char *stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	pid_t pid;

	if (stack == MAP_FAILED) {
		count(TOTAL_FAILURES);
		return;
	}
	pid = clone(body, stack + STACK_BYTES, CLONE_VM | flags | SIGCHLD, &length);
	if (pid > 0)
		count_birth(TOTAL_CLONES);
	else
		count(TOTAL_FAILURES);
	reap(pid);
	(void)munmap(stack, STACK_BYTES);
}

static void act_clone(void)
{
	spawn_sharing(clone_burst, 0);
}

/* What vfork() does in the kernel, without its traps in C. */
static void act_vfork_exec(void)
{
	spawn_sharing(clone_exec, CLONE_VFORK);
}

static void act_threads(void)
{
	pthread_t threads[THREADS_MAX];
	uint64_t lengths[THREADS_MAX];
	size_t n = 1 + random_below(THREADS_MAX), made = 0;

	for (size_t i = 0; i < n; i++) {
		lengths[made] = burst_length();
		made += counted_thread(&threads[made], thread_burst, &lengths[made]);
	}
	burst();
	for (size_t i = 0; i < made; i++)
		(void)pthread_join(threads[i], NULL);
}

/* In a process of its own, since it takes that with it. */
static void act_exec_by_thread(void)
{
	pthread_t thread;
	pid_t pid = counted_fork();

	if (pid == 0) {
		if (counted_thread(&thread, thread_exec, NULL))
			(void)pthread_join(thread, NULL);
		_exit(0);
	}
	reap(pid);
}

static void act_leader_leaves(void)
{
	static uint64_t length;
	pthread_t thread;
	pid_t pid = counted_fork();

	if (pid == 0) {
		length = burst_length();
		if (counted_thread(&thread, thread_burst, &length))
			pthread_exit(NULL);
		_exit(0);
	}
	reap(pid);
}

static void act_exit_under_threads(void)
{
	static uint64_t length = 100 * NS_PER_MS;
	pthread_t thread;
	pid_t pid = counted_fork();

	if (pid == 0) {
		for (size_t i = 0; i < THREADS_MAX; i++)
			(void)counted_thread(&thread, thread_burst, &length);
		burst();
		_exit(0);
	}
	reap(pid);
}

static void act_killed(void)
{
	pid_t pid = counted_fork();

	if (pid == 0) {
		burn_ns(CLOCK_MONOTONIC, NS_PER_S);
		_exit(0);
	}
	burst();
	if (pid > 0)
		(void)kill(pid, SIGKILL);
	reap(pid);
}

/* Orphans too, so that many sleep at a time. */
static void act_sleeper(void)
{
	pid_t pid = counted_fork();

	if (pid == 0) {
		if (counted_fork() == 0) {
			sleep_ns(random_below(20 * NS_PER_MS));
			burst();
		}
		_exit(0);
	}
	reap(pid);
}

static void act_fork_exec(void)
{
	pid_t pid = counted_fork();

	if (pid == 0)
		exec_leaf();
	reap(pid);
}

static void (*const actions[])(void) = {
	act_fork,    act_orphan,  act_clone,	      act_vfork_exec,	 act_fork_exec,
	act_threads, act_threads, act_exec_by_thread, act_leader_leaves, act_exit_under_threads,
	act_killed,  act_sleeper,
};

/* --- the root -------------------------------------------------------------- */

static _Noreturn void work(uint64_t seed)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL))
		_exit(EXIT_FAILURE);
	random_state = seed * 0x9e3779b97f4a7c15ULL + 1;
	while (!atomic_load(&shared->stop))
		(quick ? act_fork : actions[random_below(sizeof(actions) / sizeof(actions[0]))])();
	_exit(0);
}

static void *thread_wait(void *unused)
{
	(void)unused;
	while (!atomic_load(&shared->release))
		(void)pause();
	return NULL;
}

/* One of the quiet processes; ended by the root with SIGTERM once release is set. */
static _Noreturn void stay(void)
{
	pthread_t thread;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || !counted_thread(&thread, thread_wait, NULL))
		_exit(EXIT_FAILURE);
	(void)thread_wait(NULL);
	_exit(0);
}

static void on_signal(int number)
{
	(void)number;
	if (atomic_exchange(&shared->stop, true))
		atomic_store(&shared->release, true);
}

static void catch_signals(void)
{
	struct sigaction action = { .sa_handler = on_signal };

	if (sigaction(SIGTERM, &action, NULL) || sigaction(SIGALRM, &action, NULL))
		die("sigaction");
}

/* Reaps all there are. Return: how many of them did not end as they should. */
static unsigned int reap_all(const pid_t *pids, size_t n)
{
	unsigned int bad = 0;
	int status;
	pid_t pid;

	while ((pid = wait(&status)) > 0 || errno == EINTR) {
		for (size_t i = 0; pid > 0 && i < n; i++)
			bad += pid == pids[i] && status != 0;
	}
	return bad;
}

static void hold(uint64_t n)
{
	static pid_t pids[HOLD_MAX];
	sigset_t block, before;
	uint64_t births;

	births = atomic_load(&shared->total[TOTAL_THREADS]) + n;
	for (uint64_t i = 0; i < n; i++) {
		pids[i] = counted_fork();
		if (pids[i] == 0)
			stay();
		if (pids[i] < 0)
			die("fork");
	}
	while (atomic_load(&shared->total[TOTAL_THREADS]) < births)
		sleep_ns(NS_PER_MS);
	(void)printf("holding\n");
	(void)fflush(stdout);
	(void)sigemptyset(&block);
	(void)sigaddset(&block, SIGTERM);
	(void)sigprocmask(SIG_BLOCK, &block, &before);
	while (!atomic_load(&shared->release))
		(void)sigsuspend(&before);
	for (uint64_t i = 0; i < n; i++)
		(void)kill(pids[i], SIGKILL);
	(void)reap_all(NULL, 0);
}

static void print_totals(void)
{
	unsigned long births = 0;

	for (size_t i = TOTAL_FORKS; i <= TOTAL_THREADS; i++)
		births += shared->total[i];
	(void)printf("{\"births\":%lu", births);
	for (size_t i = 0; i < TOTAL_MAX; i++)
		(void)printf(",\"%s\":%lu", total_names[i], shared->total[i]);
	(void)printf("}\n");
}

static void parse(int argc, char **argv, uint64_t *options)
{
	static const uint64_t limits[OPTION_MAX] = { 1000000, 1ULL << 40, WORKERS_MAX, UINT32_MAX,
						     HOLD_MAX };
	static const struct option longs[] = {
		{ "seconds", required_argument, NULL, SECONDS },
		{ "births", required_argument, NULL, BIRTHS },
		{ "workers", required_argument, NULL, WORKERS },
		{ "seed", required_argument, NULL, SEED },
		{ "hold", required_argument, NULL, HOLD },
		{ "quick", no_argument, NULL, QUICK },
		{ NULL },
	};
	int id;

	while ((id = getopt_long(argc, argv, "", longs, NULL)) >= 0 && id < OPTION_MAX)
		options[id] = optarg ? number(optarg, limits[id]) : 1;
	if (id != -1 || optind != argc || !options[WORKERS])
		die_usage(usage);
}

int main(int argc, char **argv)
{
	uint64_t options[OPTION_MAX] = { [WORKERS] = 4 * (uint64_t)sysconf(_SC_NPROCESSORS_ONLN) };
	static pid_t workers[WORKERS_MAX];
	unsigned int bad;

	if (argc == 2 && strcmp(argv[1], "--leaf") == 0) {
		random_state = (uint64_t)getpid() << 20 | 1;
		burst();
		return 0;
	}
	parse(argc, argv, options);
	quick = options[QUICK];
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (shared == MAP_FAILED)
		die("mmap");
	/* 0 births asked for: wraps around and is never reached */
	atomic_store(&shared->births_left, options[BIRTHS]);
	/* Others find the CPUs busy, but need not wait for a turn among the workers. */
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) || nice(39) != 19)
		die("prctl, nice");
	catch_signals();
	random_state = options[SEED] + 1;
	for (uint64_t i = 0; i < options[WORKERS]; i++) {
		workers[i] = counted_fork();
		if (workers[i] == 0)
			work(options[SEED] + i);
		if (workers[i] < 0)
			atomic_store(&shared->stop, true);
	}
	(void)alarm((unsigned int)options[SECONDS]);
	bad = reap_all(workers, options[WORKERS]);
	if (options[HOLD])
		hold(options[HOLD]);
	print_totals();
	return bad ? EXIT_FAILURE : 0;
}
