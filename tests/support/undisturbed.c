/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * undisturbed [signals]: 32 threads that compute, talk through pipes, sleep, wait, receive signals
 * and check each result, until SIGTERM. Then says how often all of that was done and
 * ends with 0; a wrong result is told at once and ends it with 1. signals: these 8 alone, so that
 * whoever waits for one is as often about to wait as he waits.
 *
 * A thread that has no handler must see no EINTR; a time must not be over too early; a
 * signal must not be lost, nor overtake another.
 */
#include <linux/rseq.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/rseq.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "support.h"

#define TIMER_NS (2 * NS_PER_MS)
#define QUEUED SIGRTMIN
#define TIMED (SIGRTMIN + 1)

static volatile bool over;
static uint64_t done_rounds;

static _Noreturn void disturbed(const char *what, long r)
{
	(void)printf("disturbed: %s: %ld, %s\n", what, r, strerror(errno));
	(void)fflush(stdout);
	_exit(1);
}

static void check(const char *what, bool right, long r)
{
	if (!right)
		disturbed(what, r);
	(void)__atomic_add_fetch(&done_rounds, 1, __ATOMIC_RELAXED);
}

/* --- arithmetic --------------------------------------------------------------------------- */

static uint64_t integers(uint64_t seed)
{
	for (unsigned int i = 0; i < 20000; i++)
		seed = (seed ^ (seed >> 29)) * 0xbf58476d1ce4e5b9ULL + i;
	return seed;
}

static double floats(double x)
{
	for (unsigned int i = 1; i < 20000; i++)
		x = x * 0.999 + 1.0 / i;
	return x;
}

/* Some leave the CPU to others: a thread has to get a turn to be stopped. */
static void pause_a_moment(void)
{
	sleep_ns(NS_PER_MS);
}

static void *compute(void *arg)
{
	uint64_t seed = (uint64_t)(uintptr_t)arg, first = integers(seed);
	double before = floats((double)seed);

	while (!over) {
		check("integers", integers(seed) == first, 0);
		/* the very same bits */
		check("floats", floats((double)seed) == before, 0);
		if (seed > 1)
			pause_a_moment();
	}
	return NULL;
}

/* --- restartable sequences ------------------------------------------------------------------ */

#if defined(__x86_64__)
/* Return: 1: aborted; 0: carried out with the kernel watching; -1: not watching any more. */
static int sequence(uint64_t rounds)
{
	struct rseq *area = (struct rseq *)((char *)__builtin_thread_pointer() + __rseq_offset);
	uint64_t seen = 0, set = 0;
	uint32_t aborted = 0;

	__asm__ volatile(".pushsection __rseq_cs, \"aw\"\n\t"
			 ".balign 32\n"
			 "3:\t.long 0, 0\n\t"
			 ".quad 1f, 2f - 1f, 4f\n\t"
			 ".popsection\n\t"
			 "leaq 3b(%%rip), %[set]\n\t"
			 "movq %[set], 8(%[area])\n"
			 "1:\tdecq %[rounds]\n\t"
			 "jnz 1b\n\t"
			 "movq 8(%[area]), %[seen]\n"
			 "2:\tjmp 5f\n\t"
			 ".byte 0x0f, 0xb9, 0x3d\n\t"
			 ".long 0x53053053\n"
			 "4:\tmovl $1, %[aborted]\n"
			 "5:"
			 : [seen] "+&r"(seen), [set] "+&r"(set), [aborted] "+&r"(aborted),
			   [rounds] "+&r"(rounds)
			 : [area] "r"(area)
			 : "memory", "cc");
	if (aborted)
		return 1;
	return seen == set ? 0 : -1;
}
#else
static int sequence(uint64_t rounds)
{
	return 0;
}
#endif

static void *restart(void *arg)
{
	while (!over && __rseq_size) {
		check("restartable sequence", sequence(20000) >= 0, 0);
		pause_a_moment();
	}
	return NULL;
}

/* --- pipes ----------------------------------------------------------------------------------- */

struct pair {
	int there[2], back[2];
};

static void *ask(void *arg)
{
	const struct pair *pair = arg;
	unsigned char out[512], in[512];
	ssize_t n;

	for (uint64_t i = 0; !over; i++) {
		memset(out, (int)(i & 0xff), sizeof(out));
		memcpy(out, &i, sizeof(i));
		n = write(pair->there[1], out, sizeof(out));
		check("write", n == sizeof(out), n);
		n = read(pair->back[0], in, sizeof(in));
		check("read", n == sizeof(in) && !memcmp(in, out, sizeof(in)), n);
		if (i % 2 == 0)
			pause_a_moment();
	}
	(void)close(pair->there[1]);
	return NULL;
}

static void *answer(void *arg)
{
	const struct pair *pair = arg;
	unsigned char data[512];
	ssize_t n;

	while ((n = read(pair->there[0], data, sizeof(data))) != 0) {
		check("read", n == sizeof(data), n);
		n = write(pair->back[1], data, sizeof(data));
		check("write", n == sizeof(data), n);
	}
	return NULL;
}

/* --- time -------------------------------------------------------------------------------------- */

static void check_time(const char *what, uint64_t begun, uint64_t ns, bool right, long r)
{
	uint64_t passed = clock_ns(CLOCK_MONOTONIC) - begun;

	check(what, right, r);
	if (passed < ns)
		disturbed(what, (long)passed);
}

static void *wait_time(void *arg)
{
	struct epoll_event event;
	struct timespec ms = { 0, 3 * (long)NS_PER_MS };
	struct itimerspec timer = { .it_value = ms };
	uint64_t begun, expired;
	int epoll = epoll_create1(EPOLL_CLOEXEC), fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	uint32_t word = 0;
	long r;

	while (!over) {
		begun = clock_ns(CLOCK_MONOTONIC);
		r = syscall(SYS_nanosleep, &ms, NULL);
		check_time("nanosleep", begun, 3 * NS_PER_MS, !r, r);
		begun = clock_ns(CLOCK_MONOTONIC);
		r = epoll_wait(epoll, &event, 1, 3);
		check_time("epoll_wait", begun, 3 * NS_PER_MS, !r, r);
		begun = clock_ns(CLOCK_MONOTONIC);
		r = syscall(SYS_futex, &word, 0, 0, &ms);
		check_time("futex", begun, 3 * NS_PER_MS, r < 0 && errno == ETIMEDOUT, r);
		begun = clock_ns(CLOCK_MONOTONIC);
		if (timerfd_settime(fd, 0, &timer, NULL))
			die("timerfd_settime");
		r = read(fd, &expired, sizeof(expired));
		check_time("timerfd", begun, 3 * NS_PER_MS, r == sizeof(expired) && expired == 1,
			   r);
	}
	return NULL;
}

/* --- signals ------------------------------------------------------------------------------------ */

static void *receive(void *arg)
{
	siginfo_t info;
	sigset_t set;
	int r;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, QUEUED);
	for (int i = 0; !over || i; i++) {
		r = sigwaitinfo(&set, &info);
		if (info.si_value.sival_int < 0)
			break;
		check("order of signals", r == QUEUED && info.si_value.sival_int == i,
		      info.si_value.sival_int);
	}
	return NULL;
}

static void *queue(void *arg)
{
	pthread_t to = *(pthread_t *)arg;
	union sigval value = { 0 };

	while (!over)
		/* EAGAIN: as many as may be are under way */
		if (pthread_sigqueue(to, QUEUED, value) || value.sival_int++ % 4 == 0)
			pause_a_moment();
	value.sival_int = -1;
	while (pthread_sigqueue(to, QUEUED, value))
		sleep_ns(NS_PER_MS);
	return NULL;
}

static _Thread_local volatile uint64_t expirations;
static _Thread_local timer_t timer_of_thread;

static void on_timer(int signal)
{
	int missed = timer_getoverrun(timer_of_thread);

	expirations += 1 + (missed > 0 ? (uint64_t)missed : 0);
}

/* A handler that comes all the time, at any instruction. */
static void *interrupted(void *arg)
{
	struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = TIMED };
	struct itimerspec time = { { 0, TIMER_NS }, { 0, TIMER_NS } };
	uint64_t begun, expected, first = integers(7);
	sigset_t set;

	event._sigev_un._tid = gettid();
	(void)sigemptyset(&set);
	(void)sigaddset(&set, TIMED);
	if (timer_create(CLOCK_MONOTONIC, &event, &timer_of_thread) ||
	    pthread_sigmask(SIG_UNBLOCK, &set, NULL))
		die("timer_create");
	begun = clock_ns(CLOCK_MONOTONIC);
	if (timer_settime(timer_of_thread, 0, &time, NULL))
		die("timer_settime");
	while (!over) {
		check("integers under signals", integers(7) == first, 0);
		pause_a_moment();
	}
	expected = (clock_ns(CLOCK_MONOTONIC) - begun) / TIMER_NS;
	sleep_ns(2 * TIMER_NS);
	check("signals of a timer", expirations >= expected, (long)(expected - expirations));
	(void)timer_delete(timer_of_thread);
	return NULL;
}

/* --- all of them ---------------------------------------------------------------------------------- */

static struct pair pairs[4];
static pthread_t receivers[4];

/* Return: the number of threads. */
static unsigned int start_with_queues(pthread_t *threads, unsigned int n_receivers)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < n_receivers; i++) {
		(void)pthread_create(&receivers[i], NULL, receive, NULL);
		threads[n++] = receivers[i];
		(void)pthread_create(&threads[n++], NULL, queue, &receivers[i]);
	}
	return n;
}

/* 9 that compute, 1 sequence, 8 at pipes, 8 that wait, 4 with queues, 2 with a timer; main() waits. */
static unsigned int start_all(pthread_t *threads)
{
	unsigned int n = start_with_queues(threads, 2);

	for (unsigned int i = 0; i < 8; i++)
		(void)pthread_create(&threads[n++], NULL, compute, (void *)(uintptr_t)(i + 1));
	(void)pthread_create(&threads[n++], NULL, restart, NULL);
	for (unsigned int i = 0; i < 4; i++) {
		if (pipe(pairs[i].there) || pipe(pairs[i].back))
			die("pipe");
		(void)pthread_create(&threads[n++], NULL, ask, &pairs[i]);
		(void)pthread_create(&threads[n++], NULL, answer, &pairs[i]);
	}
	for (unsigned int i = 0; i < 8; i++)
		(void)pthread_create(&threads[n++], NULL, wait_time, NULL);
	for (unsigned int i = 0; i < 2; i++)
		(void)pthread_create(&threads[n++], NULL, interrupted, NULL);
	return n;
}

int main(int argc, char **argv)
{
	pthread_t threads[31];
	unsigned int n;
	sigset_t set;
	int number = 0;

	(void)signal(TIMED, on_timer);
	(void)sigfillset(&set);
	(void)pthread_sigmask(SIG_BLOCK, &set, NULL);
	n = argc > 1 ? start_with_queues(threads, 4) : start_all(threads);
	(void)printf("ready\n");
	(void)fflush(stdout);
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigwait(&set, &number);
	over = true;
	for (unsigned int i = 0; i < n; i++)
		(void)pthread_join(threads[i], NULL);
	(void)printf("undisturbed %llu\n", (unsigned long long)done_rounds);
	return 0;
}
