/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * threads N
 *
 * A process of N threads besides its leader, which do on command what a test
 * wants: thread 0 is the leader, 1...N the others; one more thread reads the
 * commands, one a line, and answers each with one line when it was done. All
 * threads sleep unless told otherwise. SIGTERM, "quit" or the end of stdin end
 * the process. Prints "ready" first.
 *
 *  tids		"tids T0 T1 ... TN CONTROL"
 *  burn K MS		thread K takes MS ms of CPU time; "done"
 *  spin K		thread K is busy until "stop K"; "done" at once
 *  stop K		"done" when it is idle again
 *  new K		thread K makes another thread; "done INDEX TID"
 *  fork K		thread K forks a process that sleeps until K's end; "done PID"
 *  exit K		thread K exits, also the leader; "done" when it is gone
 *  exec K M		thread K executes this program anew with M threads; the new
 *			one says "ready"
 *  quit
 */
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "support.h"

#define THREADS_MAX 30000
#define STACK_BYTES ((size_t)64 * 1024)

enum job {
	JOB_NONE, /* and: the last one is done */
	JOB_BURN,
	JOB_SPIN,
	JOB_NEW,
	JOB_FORK,
	JOB_EXIT,
	JOB_EXEC,
};

static struct worker {
	_Atomic uint32_t job; /* futex; the control thread sets it, the worker clears it */
	_Atomic uint32_t tid; /* futex; 0: not there yet */
	atomic_bool stop;
	uint64_t argument;
	long result;
	pthread_t thread;
} * workers;

static atomic_size_t n_workers;
static _Atomic uint32_t control_tid;

static void futex_wait(_Atomic uint32_t *word, uint32_t value)
{
	(void)syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

static void futex_wake(_Atomic uint32_t *word)
{
	(void)syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT32_MAX, NULL, NULL, 0);
}

static void wait_while(_Atomic uint32_t *word, uint32_t value)
{
	while (atomic_load(word) == value)
		futex_wait(word, value);
}

static void say(const char *text)
{
	(void)puts(text);
	(void)fflush(stdout);
}

static void *thread_main(void *data);

static long start_thread(void)
{
	size_t index = atomic_load(&n_workers);
	struct worker *worker = &workers[index];
	pthread_attr_t attributes;
	int error;

	if (index >= THREADS_MAX)
		return -1;
	if (pthread_attr_init(&attributes) || pthread_attr_setstacksize(&attributes, STACK_BYTES))
		die("pthread_attr");
	error = pthread_create(&worker->thread, &attributes, thread_main, worker);
	(void)pthread_attr_destroy(&attributes);
	if (error) {
		errno = error;
		die("pthread_create");
	}
	wait_while(&worker->tid, 0);
	atomic_store(&n_workers, index + 1);
	return (long)index;
}

static long fork_sleeper(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		if (prctl(PR_SET_PDEATHSIG, SIGKILL))
			_exit(EXIT_FAILURE);
		for (;;)
			(void)pause();
	}
	return pid;
}

static void exec_anew(uint64_t n)
{
	static char name[] = "threads";
	char count[24];
	char *const argv[] = { name, count, NULL };

	(void)snprintf(count, sizeof(count), "%llu", (unsigned long long)n);
	execv("/proc/thread-self/exe", argv);
	die("exec");
}

static void do_job(struct worker *worker, uint32_t job)
{
	switch (job) {
	case JOB_BURN:
		burn_ns(CLOCK_THREAD_CPUTIME_ID, worker->argument * NS_PER_MS);
		break;
	case JOB_SPIN:
		while (!atomic_load(&worker->stop))
			;
		break;
	case JOB_NEW:
		worker->result = start_thread();
		break;
	case JOB_FORK:
		worker->result = fork_sleeper();
		break;
	case JOB_EXIT:
		pthread_exit(NULL);
	case JOB_EXEC:
		exec_anew(worker->argument);
		break;
	default:
		break;
	}
}

static void *thread_main(void *data)
{
	struct worker *worker = data;

	atomic_store(&worker->tid, (uint32_t)syscall(SYS_gettid));
	futex_wake(&worker->tid);
	for (;;) {
		wait_while(&worker->job, JOB_NONE);
		do_job(worker, atomic_load(&worker->job));
		atomic_store(&worker->job, JOB_NONE);
		futex_wake(&worker->job);
	}
	return NULL;
}

/* --- the control thread ---------------------------------------------------- */

static void begin(struct worker *worker, enum job job, uint64_t argument)
{
	worker->argument = argument;
	atomic_store(&worker->stop, false);
	atomic_store(&worker->job, job);
	futex_wake(&worker->job);
}

static void finish(struct worker *worker, uint32_t job)
{
	wait_while(&worker->job, job);
}

/* A leader that is gone stays in the list as a zombie. */
static bool is_gone(uint32_t tid)
{
	char path[64], text[512];
	const char *state;
	FILE *file;
	size_t len;

	(void)snprintf(path, sizeof(path), "/proc/self/task/%u/stat", tid);
	file = fopen(path, "re");
	if (!file)
		return true;
	len = fread(text, 1, sizeof(text) - 1, file);
	(void)fclose(file);
	text[len] = '\0';
	state = strrchr(text, ')');
	return !state || strncmp(state, ") Z", 3) == 0 || strncmp(state, ") X", 3) == 0;
}

static void print_tids(void)
{
	(void)printf("tids");
	for (size_t i = 0; i < atomic_load(&n_workers); i++)
		(void)printf(" %u", atomic_load(&workers[i].tid));
	(void)printf(" %u\n", atomic_load(&control_tid));
	(void)fflush(stdout);
}

static void run_new(struct worker *worker)
{
	begin(worker, JOB_NEW, 0);
	finish(worker, JOB_NEW);
	(void)printf("done %ld %u\n", worker->result, atomic_load(&workers[worker->result].tid));
	(void)fflush(stdout);
}

static void run_fork(struct worker *worker)
{
	begin(worker, JOB_FORK, 0);
	finish(worker, JOB_FORK);
	(void)printf("done %ld\n", worker->result);
	(void)fflush(stdout);
}

static void run_exit(struct worker *worker)
{
	begin(worker, JOB_EXIT, 0);
	if (worker != workers)
		(void)pthread_join(worker->thread, NULL);
	while (!is_gone(atomic_load(&worker->tid)))
		sleep_ns(NS_PER_MS);
	say("done");
}

static void run(char *line)
{
	char *rest, *verb = strtok_r(line, " \n", &rest);
	const char *index = verb ? strtok_r(NULL, " \n", &rest) : NULL;
	const char *argument = index ? strtok_r(NULL, " \n", &rest) : NULL;
	uint64_t value = argument ? number(argument, 100000000) : 0;
	struct worker *worker;

	if (!verb)
		return;
	if (strcmp(verb, "quit") == 0)
		exit(0);
	if (strcmp(verb, "tids") == 0) {
		print_tids();
		return;
	}
	worker = &workers[index ? number(index, atomic_load(&n_workers) - 1) : 0];
	if (strcmp(verb, "burn") == 0) {
		begin(worker, JOB_BURN, value);
		finish(worker, JOB_BURN);
		say("done");
	} else if (strcmp(verb, "spin") == 0) {
		begin(worker, JOB_SPIN, 0);
		say("done");
	} else if (strcmp(verb, "stop") == 0) {
		atomic_store(&worker->stop, true);
		finish(worker, JOB_SPIN);
		say("done");
	} else if (strcmp(verb, "new") == 0) {
		run_new(worker);
	} else if (strcmp(verb, "fork") == 0) {
		run_fork(worker);
	} else if (strcmp(verb, "exit") == 0) {
		run_exit(worker);
	} else if (strcmp(verb, "exec") == 0) {
		begin(worker, JOB_EXEC, value);
		for (;;) /* what follows on stdin is for the new one */
			(void)pause();
	} else {
		say("unknown command");
	}
}

static void *control(void *unused)
{
	char line[128];

	(void)unused;
	atomic_store(&control_tid, (uint32_t)syscall(SYS_gettid));
	say("ready");
	while (fgets(line, sizeof(line), stdin))
		run(line);
	exit(0);
}

int main(int argc, char **argv)
{
	pthread_t thread;
	uint64_t n;

	if (argc != 2)
		die_usage("threads N");
	n = number(argv[1], THREADS_MAX - 1);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL))
		die("prctl");
	workers = calloc(THREADS_MAX, sizeof(*workers));
	if (!workers)
		die("calloc");
	/* Commands left for the one after an exec must not be in our buffer. */
	(void)setvbuf(stdin, NULL, _IONBF, 0);
	atomic_store(&n_workers, 1);
	/* Before anybody can ask for it. */
	atomic_store(&workers[0].tid, (uint32_t)getpid());
	for (uint64_t i = 0; i < n; i++)
		(void)start_thread();
	if (pthread_create(&thread, NULL, control, NULL))
		die("pthread_create");
	workers[0].thread = pthread_self();
	(void)thread_main(&workers[0]);
	return 0;
}
