/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The directory of pins where nobody has mounted the BPF file system yet: agents that
 * start at the same moment must come to the same one. A second mount over the first
 * would hide what the first one has pinned. In a mount namespace of its own, so that
 * the machine's stays as it is. Needs root.
 */
#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "kernel/internal.h"

#define BPFFS "/sys/fs/bpf"
#define AGENTS 8
#define ROUNDS 100
/* Of the parent of all when it cannot be tried at all. */
#define EXIT_SKIP 77

/* How often something is mounted there in our namespace. */
static unsigned int mounts(void)
{
	FILE *file = fopen("/proc/self/mountinfo", "re");
	unsigned int n = 0;
	char line[4096];

	while (file && fgets(line, sizeof(line), file))
		n += strstr(line, " " BPFFS " ") != NULL;
	if (file)
		(void)fclose(file);
	return n;
}

static void unmount_all(void)
{
	while (umount2(BPFFS, MNT_DETACH) == 0)
		;
}

/* All are let go at once when the pipe is closed. */
static _Noreturn void one_agent(int go)
{
	char name[32], c, *dir = NULL;
	struct grp_error error = {};
	struct stat stat_dir;
	int r;

	(void)!read(go, &c, 1);
	(void)snprintf(name, sizeof(name), "pins-%d", getpid());
	r = grp_pins_open(name, &error, &dir);
	if (r)
		(void)fprintf(stderr, "# %s\n", error.message);
	_exit(r || stat(dir, &stat_dir) ? EXIT_FAILURE : EXIT_SUCCESS);
}

/* Return: how many have failed. */
static unsigned int all_at_once(void)
{
	unsigned int failed = 0;
	int go[2], status;
	pid_t pid;

	if (pipe(go))
		return AGENTS;
	for (unsigned int i = 0; i < AGENTS; i++) {
		pid = fork();
		if (pid == 0) {
			(void)close(go[1]);
			one_agent(go[0]);
		}
		failed += pid < 0;
	}
	(void)close(go[0]);
	(void)close(go[1]);
	while (wait(&status) > 0)
		failed += status != 0;
	return failed;
}

static _Noreturn void apart(void)
{
	int wrong = 0;

	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		_exit(EXIT_SKIP);
	for (unsigned int i = 0; i < ROUNDS && !wrong; i++) {
		unmount_all();
		wrong = all_at_once() != 0 || mounts() != 1;
	}
	_exit(wrong ? EXIT_FAILURE : EXIT_SUCCESS);
}

static void mounted_once(void **state)
{
	pid_t pid = fork();
	int status;

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0)
		apart();
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == EXIT_SKIP) {
		print_message("# skip: no mount namespace can be made here\n");
		skip();
	}
	assert_int_equal(WEXITSTATUS(status), EXIT_SUCCESS);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(mounted_once) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
