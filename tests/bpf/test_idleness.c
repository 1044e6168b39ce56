/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * When a task last ran, as a listing tells it. In an instance of its own, unloaded at the
 * end. Needs root.
 */
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/core.h"
#include "instance.h"
#include "sleeper.h"

static int setup(void **ret_state)
{
	static struct instance instance;

	*ret_state = &instance;
	return instance_open(&instance, "idle", NULL);
}

static int teardown(void **ret_state)
{
	return instance_end(*ret_state);
}

static uint64_t boot_ns(void)
{
	struct timespec now;

	assert_int_equal(clock_gettime(CLOCK_BOOTTIME, &now), 0);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

static int keep(const struct grp_scan_record *record, void *data)
{
	*(struct grp_scan_record *)data = *record;
	return 0;
}

static struct grp_scan_record list(const struct instance *instance, pid_t tid)
{
	const struct grp_scan_request request = { .tid = tid };
	struct grp_scan_record record = { .verdict = GRP_VERDICT_MAX };

	assert_int_equal(
		grp_bpf_ops.pass(instance->bpf, GRP_PASS_LIST, &request, NULL, keep, &record), 0);
	assert_int_equal(record.verdict, GRP_VERDICT_LISTED);
	return record;
}

/*
 * A sleeper's time goes by as the clock does, but for a tick at both ends and for what its
 * CPU spent on interrupts or was not given at all, which on a shared machine can be much.
 */
static void sleeper(void **data)
{
	struct instance *instance = *data;
	const struct timespec pause = { .tv_nsec = 200000000 };
	const uint64_t tick = 10000000;
	struct child child = child_new();
	uint64_t first, before = boot_ns(), passed;

	assert_int_equal(list(instance, getpid()).idle_ns, 0);
	first = list(instance, child.pid).idle_ns;
	assert_true(first != GRP_IDLE_UNKNOWN);
	(void)nanosleep(&pause, NULL);
	passed = list(instance, child.pid).idle_ns - first;
	assert_in_range(passed, pause.tv_nsec / 2, boot_ns() - before + tick);
	before = boot_ns();
	child_end(&child);
	assert_in_range(instance->view->counts[GRP_SET_ROOT].active_ns, before, boot_ns());
}

/* Burns a little for each byte that it reads. */
static pid_t echo_new(int *ret_to)
{
	pid_t pid = child_fork(ret_to);
	char c;

	if (!pid) {
		while (read(*ret_to, &c, 1) > 0)
			for (volatile int i = 0; i < 100000; i++)
				;
		_exit(0);
	}
	return pid;
}

/*
 * Since 6.12 a task that goes to sleep may stay in its CPU's queue until its turn is over,
 * beside one that runs (@hog), and be taken to another CPU meanwhile: then the kernel forgets
 * when it ran. Such a task is made by moving it as soon as it calls itself asleep.
 */
static void one_moved_as_it_falls_asleep(void **data)
{
	struct instance *instance = *data;
	const struct timespec pause = { .tv_nsec = 10000000 };
	cpu_set_t own;
	int ids[2], n = 0, to;
	pid_t hog, echo;

	assert_int_equal(sched_getaffinity(0, sizeof(own), &own), 0);
	for (int i = 0; i < CPU_SETSIZE && n < 2; i++)
		if (CPU_ISSET(i, &own))
			ids[n++] = i;
	if (n < 2) {
		print_message("# skip: one CPU\n");
		skip();
	}
	hog = fork();
	assert_true(hog >= 0);
	if (!hog) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			;
	}
	bind_to(hog, ids[0]);
	echo = echo_new(&to);
	for (int i = 0; i < 100; i++) {
		uint64_t before = boot_ns(), idle;

		bind_to(echo, ids[0]);
		assert_int_equal(write(to, "", 1), 1);
		while (!sleeps(echo))
			;
		bind_to(echo, ids[1]);
		(void)nanosleep(&pause, NULL);
		idle = list(instance, echo).idle_ns;
		assert_in_range(idle, 0, boot_ns() - before + 10000000);
	}
	(void)close(to);
	assert_int_equal(waitpid(echo, NULL, 0), echo);
	(void)kill(hog, SIGKILL);
	assert_int_equal(waitpid(hog, NULL, 0), hog);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sleeper),
		cmocka_unit_test(one_moved_as_it_falls_asleep),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
