/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * oracle [--group SPEC[,SPEC]] [--instance NAME] [--v1 DIR]... [--pid FILE]
 *	-- CMD...
 *
 * Runs CMD in our groups and in v1 cpuacct groups of the kernel, which is the
 * oracle of our tests. Both begin to count at the same nanosecond: the process
 * that will become CMD is put into all of them while it sleeps. The groups must
 * be there already; nothing is read or compared here.
 *
 * Ends with the status of CMD (128 + signal), 125 for a failure of its own,
 * 126 and 127 as env(1). What CMD leaves behind is not waited for. SIGTERM and
 * SIGINT are handed on to CMD, which dies with us. --pid writes the process id
 * of CMD to FILE before CMD runs.
 *
 * GRPCTL in the environment names grpctl; else it is looked for in PATH.
 */
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support.h"

#define V1_MAX 16
#define ASLEEP_NS (30 * NS_PER_S)

enum {
	EXIT_OWN = 125,
	EXIT_NOT_EXECUTABLE = 126,
	EXIT_NOT_FOUND = 127,
};

struct options {
	const char *instance;
	const char *group;
	const char *pid_file;
	const char *v1[V1_MAX];
	size_t n_v1;
	char **command;
};

static const char usage[] = "oracle [--group SPEC[,SPEC]] [--instance NAME] [--v1 DIR]... "
			    "[--pid FILE] -- CMD...";

static volatile pid_t command_pid;

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "oracle: %s: %s\n", what, strerror(errno));
	if (command_pid > 0)
		(void)kill(command_pid, SIGKILL);
	_exit(EXIT_OWN);
}

static void parse(int argc, char **argv, struct options *options)
{
	static const struct option longs[] = {
		{ "instance", required_argument, NULL, 'i' },
		{ "group", required_argument, NULL, 'g' },
		{ "v1", required_argument, NULL, 'v' },
		{ "pid", required_argument, NULL, 'p' },
		{ NULL },
	};
	int c;

	while ((c = getopt_long(argc, argv, "+", longs, NULL)) != -1) {
		if (c == 'i')
			options->instance = optarg;
		else if (c == 'g')
			options->group = optarg;
		else if (c == 'p')
			options->pid_file = optarg;
		else if (c == 'v' && options->n_v1 < V1_MAX)
			options->v1[options->n_v1++] = optarg;
		else
			die_usage(usage);
	}
	options->command = argv + optind;
	if (!*options->command)
		die_usage(usage);
}

/* The process that becomes CMD once the pipe says so. */
static _Noreturn void become(int gate, char **command)
{
	char go;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL))
		_exit(EXIT_OWN);
	if (read(gate, &go, 1) != 1)
		_exit(EXIT_OWN);
	close(gate);
	execvp(command[0], command);
	fprintf(stderr, "oracle: %s: %s\n", command[0], strerror(errno));
	_exit(errno == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE);
}

/*
 * The state in /proc/PID/stat changes while the task still runs; what this file
 * shows is taken after the kernel has waited until it is off its CPU.
 */
static bool is_asleep(pid_t pid)
{
	char path[64], text[64] = "";
	ssize_t len;
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%d/syscall", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		fail(path);
	len = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (len <= 0)
		fail(path);
	(void)snprintf(path, sizeof(path), "%d ", SYS_read);
	return strncmp(text, path, strlen(path)) == 0;
}

static void wait_asleep(pid_t pid)
{
	uint64_t end = clock_ns(CLOCK_MONOTONIC) + ASLEEP_NS;

	while (!is_asleep(pid)) {
		if (clock_ns(CLOCK_MONOTONIC) > end) {
			errno = ETIMEDOUT;
			fail("the child does not come to rest");
		}
		sleep_ns(100 * NS_PER_US);
	}
}

static void write_pid(const char *path, pid_t pid)
{
	FILE *file = fopen(path, "we");

	if (!file || fprintf(file, "%d\n", pid) < 0 || fclose(file))
		fail(path);
}

static void enter_v1(const char *dir, pid_t pid)
{
	char path[4096];

	if (snprintf(path, sizeof(path), "%s/cgroup.procs", dir) >= (int)sizeof(path)) {
		errno = ENAMETOOLONG;
		fail(dir);
	}
	write_pid(path, pid);
}

static void enter_groups(const struct options *options, pid_t pid)
{
	const char *grpctl = getenv("GRPCTL");
	const char *instance = options->instance ? options->instance : "main";
	char pid_text[16];
	int status;
	pid_t child;

	if (!grpctl)
		grpctl = "grpctl";
	(void)snprintf(pid_text, sizeof(pid_text), "%d", pid);
	child = fork();
	if (child < 0)
		fail("fork");
	if (child == 0) {
		execlp(grpctl, "grpctl", "--instance", instance, "attach", options->group, pid_text,
		       (char *)NULL);
		fprintf(stderr, "oracle: %s: %s\n", grpctl, strerror(errno));
		_exit(EXIT_OWN);
	}
	if (waitpid(child, &status, 0) != child)
		fail("waitpid");
	if (status) {
		errno = ECANCELED;
		fail("grpctl attach");
	}
}

static void on_signal(int number)
{
	if (command_pid > 0)
		(void)kill(command_pid, number);
}

static void hand_signals_on(void)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

	if (sigaction(SIGTERM, &action, NULL) || sigaction(SIGINT, &action, NULL))
		fail("sigaction");
}

/* A status of the kernel as one that a shell shows. */
static int shell_status(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int main(int argc, char **argv)
{
	struct options options = { 0 };
	int gate[2], status;
	pid_t pid;

	parse(argc, argv, &options);
	if (pipe2(gate, O_CLOEXEC))
		fail("pipe2");
	pid = fork();
	if (pid < 0)
		fail("fork");
	if (pid == 0) {
		close(gate[1]);
		become(gate[0], options.command);
	}
	command_pid = pid;
	close(gate[0]);
	wait_asleep(pid);
	for (size_t i = 0; i < options.n_v1; i++)
		enter_v1(options.v1[i], pid);
	if (options.group)
		enter_groups(&options, pid);
	if (options.pid_file)
		write_pid(options.pid_file, pid);
	if (!is_asleep(pid)) {
		errno = EINTR;
		fail("the child woke up too early");
	}
	hand_signals_on();
	if (write(gate[1], "", 1) != 1)
		fail("write");
	close(gate[1]);
	if (waitpid(pid, &status, 0) != pid)
		fail("waitpid");
	return shell_status(status);
}
